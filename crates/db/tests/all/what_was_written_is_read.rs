//! A read sees every write that was answered, deferred or not; a read changes nothing.

use anser_base::{AccountId, Class, Durability};
use anser_db::{Place, params};
use anser_testkit::engines::each_engine;

use crate::fixture::{ANN, BOB, TABLE, ids, put, schemas, write};

#[test]
fn at_once_and_after_reopening() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        for id in 0..50 {
            let durability = if id % 2 == 0 { Durability::Sync } else { Durability::Deferred };
            db.write(ANN, durability, put(ANN, id, 3000)).wait().unwrap();
            assert_eq!(ids(&db, ANN).unwrap().len() as i64, id + 1, "{}", world.name);
        }
        db.sync_all().unwrap();
        drop(db);
        assert_eq!(ids(&world.open(), ANN).unwrap().len(), 50, "{}", world.name);
    });
}

#[test]
fn a_read_leaves_no_trace() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        write(&db, ANN, 1).unwrap();
        db.read(ANN, put(ANN, 2, 10)).wait().unwrap();
        assert_eq!(ids(&db, ANN).unwrap(), [1], "{}", world.name);
    });
}

/// A text with a NUL is kept or refused as one that is no text; it is no reason to try again later.
#[test]
fn a_text_that_cannot_be_kept_is_invalid() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        let asked = db.read(ANN, |tx| tx.query_one("SELECT ?1 = 'x'", params!["\0"], |row| row.bool(0)));
        match asked.wait() {
            Ok(same) => assert_eq!(same, Some(false), "{}", world.name),
            Err(error) => assert_eq!(error.class, Class::Invalid, "{}: {}", world.name, error.chain()),
        }
        write(&db, ANN, 1).unwrap();
    });
}

#[test]
fn from_many_threads_to_many_places() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let db = db.clone();
                scope.spawn(move || {
                    for id in 0..40 {
                        let place = Place::Account(AccountId(100 + (id % 5) as u64));
                        write(&db, place, thread * 1000 + id).unwrap();
                    }
                });
            }
        });
        for account in 100..105 {
            assert_eq!(ids(&db, Place::Account(AccountId(account))).unwrap().len(), 48, "{}", world.name);
        }
        assert_eq!(ids(&db, BOB).unwrap(), [0_i64; 0], "{}", world.name);
    });
}

#[test]
fn a_long_log_is_copied_and_nothing_is_missed() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        for id in 0..40 {
            db.write(ANN, Durability::Deferred, put(ANN, id, 300_000)).wait().unwrap();
        }
        assert_eq!(ids(&db, ANN).unwrap().len(), 40, "{}", world.name);
        drop(db);
        assert_eq!(ids(&world.open(), ANN).unwrap().len(), 40, "{}", world.name);
    });
}
