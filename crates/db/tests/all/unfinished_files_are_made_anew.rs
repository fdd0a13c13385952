//! A file whose making never reached its first sync holds nothing that anybody was told of.

use anser_testkit::engines::World;

use crate::fixture::{ANN, TABLE, ids, schemas, write};

fn opens_over(prepare: impl Fn(&std::path::Path)) {
    let world = World::embedded(schemas(TABLE));
    let file = ANN.file(&world.dir.path().join("data"));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    prepare(&file);
    let db = world.open();
    assert_eq!(ids(&db, ANN).unwrap(), [0_i64; 0]);
    write(&db, ANN, 1).unwrap();
    drop(db);
    assert_eq!(ids(&world.open(), ANN).unwrap(), [1]);
}

#[test]
fn an_empty_one_beside_a_log() {
    opens_over(|file| {
        std::fs::write(file, b"").unwrap();
        std::fs::write(file.with_extension("db-wal"), [0x37; 9000]).unwrap();
    });
}

#[test]
fn a_log_without_its_file() {
    opens_over(|file| std::fs::write(file.with_extension("db-wal"), [0x37; 9000]).unwrap());
}

#[test]
fn a_first_page_of_zeros() {
    opens_over(|file| std::fs::write(file, [0; 4096]).unwrap());
}

#[test]
fn a_file_without_tables() {
    opens_over(|file| {
        let made = rusqlite::Connection::open(file).unwrap();
        made.execute_batch("PRAGMA journal_mode=WAL").unwrap();
    });
}
