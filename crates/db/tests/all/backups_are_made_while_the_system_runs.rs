//! A backup is consistent, complete and restorable: whole into an empty system, or one account alone.

use std::sync::atomic::{AtomicBool, Ordering};

use anser_base::{AccountId, Class, Durability};
use anser_blob::RealDisk;
use anser_db::{Db, LIST, Place, Schema, Schemas, params};
use anser_testkit::engines::{World, each_engine};

use crate::fixture::{ANN, BOB, TABLE, ids, put, schemas, write};

const SERVER: Schema = Schema(&["CREATE TABLE name (id INTEGER NOT NULL PRIMARY KEY, text TEXT) STRICT;"]);

const NEWER: Schema = Schema(&[TABLE.0[0], "ALTER TABLE item ADD COLUMN note INTEGER; UPDATE item SET note = id + 1;"]);

fn all() -> Schemas {
    Schemas { server: SERVER, ..schemas(TABLE) }
}

fn fill(db: &Db) {
    for id in 0..20 {
        write(db, ANN, id).unwrap();
        write(db, BOB, 100 + id).unwrap();
    }
    db.write(Place::Server, Durability::Sync, |tx| {
        tx.execute("INSERT INTO name (id, text) VALUES (1, ?1), (2, NULL)", params!["科学院"]).map(drop)
    })
    .wait()
    .unwrap();
}

fn names(db: &Db) -> Vec<Option<String>> {
    db.read(Place::Server, |tx| tx.query("SELECT text FROM name ORDER BY id", &[], |row| row.opt_text(0)))
        .wait()
        .unwrap()
}

/// A second, empty world of the same kind.
fn other(world: &World) -> World {
    match world.url() {
        Some(_) => World::postgres(all()).unwrap(),
        None => World::embedded(all()),
    }
}

#[test]
fn and_come_back_whole() {
    each_engine(all(), |world| {
        let dir = world.dir.path().join("backup");
        let db = world.open();
        fill(&db);
        let mut seen = 0;
        let backup = db.backup_all(&RealDisk, &dir, &mut |_| seen += 1).unwrap();
        assert!(backup.failed.is_empty() && seen == backup.parts.len() && seen >= 2, "{}", world.name);
        write(&db, ANN, 999).unwrap();
        let refused = db.backup_all(&RealDisk, &dir, &mut |_| ()).unwrap_err();
        assert_eq!(refused.class, Class::Exists, "{}", world.name);

        let fresh = other(world);
        let restored = fresh.open();
        restored.restore_all(&RealDisk, &dir, &mut |_| ()).unwrap();
        assert_eq!(ids(&restored, ANN).unwrap(), (0..20).collect::<Vec<_>>(), "{}", world.name);
        assert_eq!(ids(&restored, BOB).unwrap(), (100..120).collect::<Vec<_>>(), "{}", world.name);
        assert_eq!(names(&restored), [Some("科学院".to_owned()), None], "{}", world.name);
        write(&restored, ANN, 20).unwrap();
        let again = restored.restore_all(&RealDisk, &dir, &mut |_| ()).unwrap_err();
        assert_eq!(again.class, Class::Exists, "{}", world.name);
    });
}

#[test]
fn and_one_account_comes_back_alone() {
    each_engine(all(), |world| {
        let dir = world.dir.path().join("backup");
        let db = world.open();
        fill(&db);
        db.backup_all(&RealDisk, &dir, &mut |_| ()).unwrap();
        for place in [ANN, BOB] {
            write(&db, place, 500).unwrap();
        }
        db.restore_account(&RealDisk, &dir, AccountId(7)).unwrap();
        assert_eq!(ids(&db, ANN).unwrap(), (0..20).collect::<Vec<_>>(), "{}", world.name);
        assert_eq!(ids(&db, BOB).unwrap().len(), 21, "{}", world.name);
        let unknown = db.restore_account(&RealDisk, &dir, AccountId(70)).unwrap_err();
        assert_eq!(unknown.class, Class::NotFound, "{}", world.name);
    });
}

#[test]
fn of_an_older_version_move_forward() {
    each_engine(schemas(TABLE), |world| {
        let dir = world.dir.path().join("backup");
        let db = world.open();
        write(&db, ANN, 1).unwrap();
        db.backup_all(&RealDisk, &dir, &mut |_| ()).unwrap();
        let fresh = other(world);
        let newer = schemas(NEWER);
        let db = Db::open(fresh.engine.clone(), newer).unwrap();
        db.restore_all(&RealDisk, &dir, &mut |_| ()).unwrap();
        let note = db.read(ANN, |tx| tx.query_one("SELECT note FROM item", &[], |row| row.int(0))).wait().unwrap();
        assert_eq!(note, Some(2), "{}", world.name);
    });
}

#[test]
fn while_others_write() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        write(&db, ANN, 0).unwrap();
        let over = AtomicBool::new(false);
        let backups: Vec<_> = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut id = 1;
                // Pairs: a copy holds both or none.
                while !over.load(Ordering::Relaxed) {
                    let pair = move |tx: &mut anser_db::Tx<'_>| {
                        put(ANN, id, 5000)(tx)?;
                        put(ANN, id + 1, 5000)(tx)
                    };
                    db.write(ANN, Durability::Deferred, pair).wait().unwrap();
                    id += 2;
                }
                id
            });
            let made: Vec<_> = (0..4)
                .map(|n| {
                    let dir = world.dir.path().join(format!("backup-{n}"));
                    db.backup_all(&RealDisk, &dir, &mut |_| ()).map(|_| dir)
                })
                .collect();
            over.store(true, Ordering::Relaxed);
            let made = made.into_iter().map(Result::unwrap).collect();
            let written = writer.join().unwrap();
            assert_eq!(ids(&db, ANN).unwrap().len() as i64, written, "{}", world.name);
            made
        });
        for dir in backups {
            let fresh = other(world);
            let restored = Db::open(fresh.engine.clone(), schemas(TABLE)).unwrap();
            restored.restore_all(&RealDisk, &dir, &mut |_| ()).unwrap();
            let found = ids(&restored, ANN).unwrap();
            assert_eq!(found, (0..found.len() as i64).collect::<Vec<_>>(), "{}", world.name);
            assert!(found.len() % 2 == 1, "{}: {} rows", world.name, found.len());
            assert_eq!(restored.integrity(ANN).unwrap(), Vec::<String>::new());
        }
    });
}

#[test]
fn that_are_incomplete_or_changed_are_refused() {
    each_engine(schemas(TABLE), |world| {
        let dir = world.dir.path().join("backup");
        let db = world.open();
        write(&db, ANN, 1).unwrap();
        let backup = db.backup_all(&RealDisk, &dir, &mut |_| ()).unwrap();
        let part = dir.join(&backup.parts.last().unwrap().name);
        std::fs::OpenOptions::new().append(true).open(&part).and_then(|file| file.set_len(10)).unwrap();
        let fresh = other(world);
        let restored = Db::open(fresh.engine.clone(), schemas(TABLE)).unwrap();
        let cut = restored.restore_all(&RealDisk, &dir, &mut |_| ()).unwrap_err();
        assert_eq!(cut.class, Class::Damaged, "{}", world.name);
        std::fs::remove_file(dir.join(LIST)).unwrap();
        let unfinished = restored.restore_all(&RealDisk, &dir, &mut |_| ()).unwrap_err();
        assert_eq!(unfinished.class, Class::NotFound, "{}", world.name);
        assert_eq!(ids(&restored, ANN).unwrap(), [0_i64; 0], "{}", world.name);
    });
}

#[test]
fn of_one_place_to_a_file_of_its_own() {
    let world = World::embedded(schemas(TABLE));
    let db = world.open();
    write(&db, ANN, 1).unwrap();
    let target = world.dir.path().join("ann.db");
    db.backup(ANN, &RealDisk, &target).unwrap();
    let copy = rusqlite::Connection::open(&target).unwrap();
    assert_eq!(copy.query_row("SELECT count(*) FROM item", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    assert_eq!(db.backup(BOB, &RealDisk, &target).unwrap_err().class, Class::NotFound);
    write(&db, ANN, 2).unwrap();
    assert_eq!(ids(&db, ANN).unwrap(), [1, 2]);
}
