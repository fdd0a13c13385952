//! On a full disk a write fails with `Full` and changes nothing; when there is room, work goes on.

use std::sync::Arc;

use anser_base::{Class, Durability};
use anser_db::{Db, Embedded, Engine};
use anser_testkit::sim::SimDisk;

use crate::fixture::{ANN, BOB, TABLE, hold, ids, put, schemas, write};

fn open(disk: &SimDisk) -> Db {
    let config = Embedded::new("/data", Arc::new(disk.clone()));
    let config = Embedded { vfs: Some(disk.vfs_name().to_owned()), workers: 1, ..config };
    Db::open(Engine::Embedded(config), schemas(TABLE)).unwrap()
}

#[test]
fn and_work_goes_on_when_there_is_room() {
    let disk = SimDisk::new(1);
    let db = open(&disk);
    write(&db, ANN, 1).unwrap();
    disk.set_full(true);
    for _ in 0..3 {
        assert_eq!(write(&db, ANN, 2).unwrap_err().class, Class::Full);
        assert_eq!(write(&db, BOB, 2).unwrap_err().class, Class::Full, "a file that is not there yet");
        assert_eq!(ids(&db, ANN).unwrap(), [1], "reading needs no room");
    }
    disk.set_full(false);
    write(&db, ANN, 3).unwrap();
    write(&db, BOB, 3).unwrap();
    assert_eq!((ids(&db, ANN).unwrap(), ids(&db, BOB).unwrap()), (vec![1, 3], vec![3]));
    drop(db);
    assert_eq!(ids(&open(&disk), ANN).unwrap(), [1, 3]);
}

#[test]
fn for_every_job_of_the_batch() {
    let disk = SimDisk::new(2);
    let db = open(&disk);
    write(&db, ANN, 1).unwrap();
    disk.set_full(true);
    let (go, held) = hold(&db, ANN);
    // Larger than the page cache: SQLite meets the full disk inside of the transaction.
    let waiting: Vec<_> = (10..20).map(|id| db.write(ANN, Durability::Deferred, put(ANN, id, 400_000))).collect();
    drop(go);
    held.wait().unwrap();
    for job in waiting {
        assert_eq!(job.wait().unwrap_err().class, Class::Full);
    }
    disk.set_full(false);
    write(&db, ANN, 30).unwrap();
    assert_eq!(ids(&db, ANN).unwrap(), [1, 30]);
}
