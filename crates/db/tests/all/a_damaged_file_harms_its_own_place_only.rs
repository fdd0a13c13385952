//! A damaged file answers `Damaged`, again and again, and every other place works.

use anser_base::Class;
use anser_testkit::engines::World;

use crate::fixture::{ANN, BOB, TABLE, ids, schemas, write};

#[test]
fn while_others_work() {
    let world = World::embedded(schemas(TABLE));
    let db = world.open();
    for id in 0..200 {
        write(&db, ANN, id).unwrap();
    }
    write(&db, BOB, 1).unwrap();
    drop(db);
    let file = ANN.file(&world.dir.path().join("data"));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4096..].fill(0xA5);
    std::fs::write(&file, bytes).unwrap();
    let db = world.open();
    for round in 0..3 {
        assert_eq!(ids(&db, ANN).unwrap_err().class, Class::Damaged);
        assert_eq!(write(&db, ANN, 500).unwrap_err().class, Class::Damaged);
        write(&db, BOB, 10 + round).unwrap();
    }
    assert_eq!(ids(&db, BOB).unwrap(), [1, 10, 11, 12]);
}

#[test]
fn a_closure_that_finds_nonsense_in_a_row_fails_alone() {
    let world = World::embedded(schemas(TABLE));
    let db = world.open();
    write(&db, ANN, 1).unwrap();
    let read = db.read(ANN, |tx| tx.query_one("SELECT body FROM item", &[], |row| row.int(0)));
    assert_eq!(read.wait().unwrap_err().class, Class::Damaged);
    assert_eq!(ids(&db, ANN).unwrap(), [1]);
}
