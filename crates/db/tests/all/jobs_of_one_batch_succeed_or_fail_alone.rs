//! Writes that wait together share a commit, but neither their errors nor their panics.

use anser_base::{Class, Durability, Error};
use anser_testkit::engines::each_engine;

use crate::fixture::{ANN, TABLE, hold, ids, put, schemas, write};

#[test]
fn an_error_undoes_its_own_job_only() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        let (go, held) = hold(&db, ANN);
        let waiting: Vec<_> = (0..20)
            .map(|id| {
                db.write(ANN, Durability::Sync, move |tx| {
                    put(ANN, id, 100)(tx)?;
                    if id % 3 == 0 { Err(Error::invalid("no", "不")) } else { Ok(()) }
                })
            })
            .collect();
        drop(go);
        held.wait().unwrap();
        let outcomes: Vec<_> = waiting.into_iter().map(|job| job.wait()).collect();
        for (id, outcome) in outcomes.iter().enumerate() {
            assert_eq!(outcome.is_err(), id % 3 == 0, "{}: {id}", world.name);
        }
        let expected: Vec<i64> = (0..20).filter(|id| id % 3 != 0).collect();
        assert_eq!(ids(&db, ANN).unwrap(), expected, "{}", world.name);
    });
}

#[test]
fn a_broken_rule_of_a_table_undoes_its_own_job_only() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        let (go, held) = hold(&db, ANN);
        let waiting: Vec<_> = [1, 2, 1, 3].map(|id| db.write(ANN, Durability::Sync, put(ANN, id, 100))).into();
        drop(go);
        held.wait().unwrap();
        let classes: Vec<_> = waiting.into_iter().map(|job| job.wait().err().map(|error| error.class)).collect();
        assert_eq!(classes, [None, None, Some(Class::Exists), None], "{}", world.name);
        assert_eq!(ids(&db, ANN).unwrap(), [1, 2, 3], "{}", world.name);
    });
}

#[test]
fn a_panic_ends_one_job_and_not_the_worker() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        let (go, held) = hold(&db, ANN);
        let before = db.write(ANN, Durability::Sync, put(ANN, 1, 100));
        let panics = db.write(ANN, Durability::Sync, |tx| {
            put(ANN, 2, 100)(tx)?;
            if tx.is_postgres() || !tx.is_postgres() { panic!("a bug") } else { Ok(()) }
        });
        let after = db.write(ANN, Durability::Sync, put(ANN, 3, 100));
        drop(go);
        held.wait().unwrap();
        assert!(before.wait().is_ok() && panics.wait().is_err() && after.wait().is_ok(), "{}", world.name);
        assert_eq!(ids(&db, ANN).unwrap(), [1, 3], "{}", world.name);
    });
}

#[test]
fn what_follows_a_commit_runs_before_its_answer_and_in_order() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let waiting: Vec<_> = (0..30)
            .map(|id| {
                let seen = seen.clone();
                let work = put(ANN, id, 10);
                (id, db.write_then(ANN, Durability::Sync, work, move |()| seen.lock().unwrap().push(id)))
            })
            .collect();
        for (id, job) in waiting {
            job.wait().unwrap();
            assert!(seen.lock().unwrap().contains(&id));
        }
        assert_eq!(*seen.lock().unwrap(), (0..30).collect::<Vec<_>>(), "{}", world.name);
        write(&db, ANN, 99).unwrap();
    });
}
