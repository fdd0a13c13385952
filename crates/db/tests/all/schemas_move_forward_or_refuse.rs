//! Old data moves to the newest version by itself; newer data is refused and left as it is.

use anser_base::Class;
use anser_db::{Db, Schema, params};
use anser_testkit::engines::{World, each_engine};

use crate::fixture::{ANN, TABLE, ids, schemas, write};

const FIRST: &str = TABLE.0[0];
const SECOND: &str = "ALTER TABLE item ADD COLUMN note TEXT;";
const THIRD: &str =
    "CREATE TABLE other (account INTEGER NOT NULL PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO other (account, n) SELECT account, count(*) FROM item GROUP BY account;";

fn open(world: &World, versions: &'static [&'static str]) -> anser_base::Result<Db> {
    Db::open(world.engine.clone(), schemas(Schema(versions)))
}

#[test]
fn over_several_versions_at_once() {
    each_engine(schemas(TABLE), |world| {
        let db = open(world, &[FIRST]).unwrap();
        write(&db, ANN, 1).unwrap();
        write(&db, ANN, 2).unwrap();
        drop(db);
        for _ in 0..2 {
            let db = open(world, &[FIRST, SECOND, THIRD]).unwrap();
            assert_eq!(ids(&db, ANN).unwrap(), [1, 2], "{}", world.name);
            let found = db
                .read(ANN, |tx| {
                    tx.query_one("SELECT n FROM other WHERE account = ?1", params![7_i64], |row| row.int(0))
                })
                .wait();
            assert_eq!(found.unwrap(), Some(2), "{}", world.name);
        }
    });
}

#[test]
fn newer_data_is_refused_untouched() {
    each_engine(schemas(TABLE), |world| {
        let db = open(world, &[FIRST, SECOND]).unwrap();
        write(&db, ANN, 1).unwrap();
        drop(db);
        let file = ANN.file(&world.dir.path().join("data"));
        let before = std::fs::read(&file).ok();
        let refused = open(world, &[FIRST]).and_then(|db| ids(&db, ANN)).unwrap_err();
        assert_eq!(refused.class, Class::Unavailable, "{}", world.name);
        assert!(refused.text.en.contains("newer"), "{}", refused.text.en);
        assert_eq!(std::fs::read(&file).ok(), before, "{}", world.name);
        assert_eq!(ids(&open(world, &[FIRST, SECOND]).unwrap(), ANN).unwrap(), [1], "{}", world.name);
    });
}

#[test]
fn another_program_s_file_is_refused_untouched() {
    let world = World::embedded(schemas(TABLE));
    let file = ANN.file(&world.dir.path().join("data"));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
    drop(other);
    let before = std::fs::read(&file).unwrap();
    assert_eq!(ids(&world.open(), ANN).unwrap_err().class, Class::Damaged);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
