//! Many accounts, few open files: all data stays, and a closed file has no log.

use std::sync::Arc;

use anser_base::AccountId;
use anser_blob::RealDisk;
use anser_db::{Db, Embedded, Engine, Place};

use crate::fixture::{TABLE, ids, schemas, write};

const ACCOUNTS: u64 = 30;
const OPEN: usize = 4;

#[test]
fn and_leave_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let config = Embedded { open_files: OPEN, workers: 1, ..Embedded::new(folder.path(), Arc::new(RealDisk)) };
    let places: Vec<Place> = (1..=ACCOUNTS).map(|id| Place::Account(AccountId(id))).collect();
    let logs = || {
        let log = |place: &&Place| place.file(folder.path()).with_extension("db-wal").exists();
        places.iter().filter(log).count()
    };
    let db = Db::open(Engine::Embedded(config.clone()), schemas(TABLE)).unwrap();
    for id in 0..3 {
        for place in &places {
            write(&db, *place, id).unwrap();
        }
    }
    // What this opens too many is closed after its answer.
    assert_eq!(ids(&db, places[0]).unwrap(), [0, 1, 2]);
    assert!(logs() <= OPEN + 1, "{} logs", logs());
    drop(db);
    assert_eq!(logs(), 0);
    let db = Db::open(Engine::Embedded(config), schemas(TABLE)).unwrap();
    for place in &places {
        assert_eq!(ids(&db, *place).unwrap(), [0, 1, 2]);
    }
}
