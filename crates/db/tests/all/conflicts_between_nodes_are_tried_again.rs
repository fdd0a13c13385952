//! Two nodes that stand in each other's way on PostgreSQL both come through: the server gives one up and it is run again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use anser_base::Durability;
use anser_db::{Db, Pending, params};
use anser_testkit::engines::World;

use crate::fixture::{ANN, TABLE, put, schemas};

/// Takes the two rows one after the other; at the first run both nodes hold one before either asks for the other.
fn grow(db: &Db, rows: [i64; 2], both: Arc<Barrier>, runs: Arc<AtomicUsize>) -> Pending<()> {
    let mut first = true;
    db.write(ANN, Durability::Sync, move |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        for (index, id) in rows.into_iter().enumerate() {
            if index == 1 && std::mem::take(&mut first) {
                both.wait();
            }
            tx.execute("UPDATE item SET body = body || ?2 WHERE account = 7 AND id = ?1", params![id, &b"x"[..]])?;
        }
        Ok(())
    })
}

#[test]
fn after_a_deadlock() {
    let Some(world) = World::postgres(schemas(TABLE)) else { return };
    let (one, other) = (world.open(), world.open());
    for id in [1, 2] {
        one.write(ANN, Durability::Sync, put(ANN, id, 0)).wait().unwrap();
    }
    let (both, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let there = grow(&one, [1, 2], both.clone(), runs.clone());
    let back = grow(&other, [2, 1], both, runs.clone());
    there.wait().unwrap();
    back.wait().unwrap();
    assert!(runs.load(Ordering::Relaxed) > 2, "one of them was run again");
    let bodies = one.read(ANN, |tx| tx.query("SELECT body FROM item", &[], |row| row.blob(0))).wait().unwrap();
    assert_eq!(bodies, [b"xx".to_vec(), b"xx".to_vec()]);
}
