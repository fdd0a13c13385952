//! Of a damaged file everything that can be read comes into a new one; the damaged one stays beside it.

use anser_base::Class;
use anser_db::{Db, Schema, params};
use anser_testkit::engines::{World, each_engine};

use crate::fixture::{ANN, BOB, TABLE, ids, put, schemas, write};

const ROWS: i64 = 2000;
const PAGE: usize = 4096;

/// A world whose account has many rows, and its file.
fn filled() -> (World, std::path::PathBuf) {
    let world = World::embedded(schemas(TABLE));
    let db = world.open();
    let rows = move |tx: &mut anser_db::Tx<'_>| (0..ROWS).try_for_each(|id| put(ANN, id, 100)(tx));
    db.write(ANN, anser_base::Durability::Sync, rows).wait().unwrap();
    drop(db);
    let file = ANN.file(&world.dir.path().join("data"));
    (world, file)
}

fn spoil(file: &std::path::Path, pages: &[usize]) -> usize {
    let mut bytes = std::fs::read(file).unwrap();
    for page in pages {
        bytes[page * PAGE..][..PAGE].iter_mut().for_each(|byte| *byte ^= 0x5a);
    }
    std::fs::write(file, &bytes).unwrap();
    bytes.len() / PAGE
}

fn intact(db: &Db) -> Vec<i64> {
    let found = ids(db, ANN).unwrap();
    let bodies = db
        .read(ANN, |tx| {
            let sql = "SELECT id, body FROM item WHERE account = ?1 ORDER BY id";
            tx.query(sql, params![7_i64], |row| Ok((row.int(0)?, row.blob(1)?)))
        })
        .wait()
        .unwrap();
    assert!(bodies.iter().all(|(id, body)| *body == vec![*id as u8; 100]));
    found
}

#[test]
fn around_several_holes() {
    let (world, file) = filled();
    let pages = spoil(&file, &[5, 20, 21, 30]);
    assert!(pages > 50, "{pages} pages");
    let db = world.open();
    assert!(!db.integrity(ANN).unwrap().is_empty());
    let salvaged = db.salvage(ANN).unwrap();
    let table = &salvaged.tables[0];
    assert_eq!((table.name.as_str(), table.unfit, table.complete), ("item", 0, false));
    assert!(salvaged.aside.to_string_lossy().ends_with("mail.db.damaged-1") && salvaged.aside.exists());
    let found = intact(&db);
    assert_eq!(found.len() as u64, table.rows);
    assert!(found.len() as i64 > ROWS - 4 * 40 && (found.len() as i64) < ROWS, "{} rows", found.len());
    assert_eq!(db.integrity(ANN).unwrap(), Vec::<String>::new());
    write(&db, ANN, ROWS + 1).unwrap();
}

#[test]
fn with_its_last_page_gone() {
    let (world, file) = filled();
    let pages = std::fs::metadata(&file).unwrap().len() as usize / PAGE;
    spoil(&file, &[pages - 1, 10]);
    let db = world.open();
    db.salvage(ANN).unwrap();
    let found = intact(&db);
    assert!(found.len() as i64 > ROWS - 2 * 40, "{} rows", found.len());
}

#[test]
fn with_its_first_page_gone() {
    let (world, file) = filled();
    spoil(&file, &[0]);
    let db = world.open();
    assert_eq!(ids(&db, ANN).unwrap_err().class, Class::Damaged);
    assert!(db.salvage(ANN).unwrap().tables[0].complete);
    assert_eq!(intact(&db).len() as i64, ROWS);
}

#[test]
fn with_nothing_left_it_starts_anew() {
    let (world, file) = filled();
    let pages = std::fs::metadata(&file).unwrap().len() as usize / PAGE;
    spoil(&file, &(0..pages).collect::<Vec<_>>());
    let db = world.open();
    let salvaged = db.salvage(ANN).unwrap();
    assert_eq!((salvaged.tables[0].rows, salvaged.tables[0].complete), (0, false));
    write(&db, ANN, 1).unwrap();
    assert_eq!(ids(&db, ANN).unwrap(), [1]);
    assert!(db.salvage(ANN).unwrap().aside.to_string_lossy().ends_with("mail.db.damaged-2"));
    assert_eq!(ids(&db, ANN).unwrap(), [1]);
}

#[test]
fn a_sound_file_has_no_findings() {
    each_engine(schemas(TABLE), |world| {
        let db = world.open();
        write(&db, ANN, 1).unwrap();
        assert_eq!(db.integrity(ANN).unwrap(), Vec::<String>::new(), "{}", world.name);
        assert_eq!(db.integrity(BOB).unwrap(), Vec::<String>::new(), "{}", world.name);
    });
}

#[test]
fn also_what_lies_downwards_and_what_the_version_before_knew() {
    const OLD: &str = "CREATE TABLE noted (account INTEGER NOT NULL, folder INTEGER NOT NULL, key BLOB NOT NULL, body BLOB NOT NULL, \
                       PRIMARY KEY (account, folder, key DESC)) STRICT, WITHOUT ROWID;";
    const NEW: Schema = Schema(&[
        OLD,
        "CREATE TABLE kept (account INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (account, key DESC)) STRICT, WITHOUT ROWID; \
         INSERT INTO kept SELECT account, key FROM noted; DROP TABLE noted;",
    ]);
    let world = World::embedded(schemas(Schema(&[OLD])));
    let db = world.open();
    let filled = db.write(ANN, anser_base::Durability::Sync, |tx| {
        (0..ROWS).rev().try_for_each(|id| {
            let sql = "INSERT INTO noted (account, folder, key, body) VALUES (?1, 1, ?2, ?3)";
            tx.execute(sql, params![7_i64, &(id as u32).to_be_bytes()[..], &[id as u8; 100][..]]).map(drop)
        })
    });
    filled.wait().unwrap();
    drop(db);
    let pages = spoil(&ANN.file(&world.dir.path().join("data")), &[30]);
    assert!(pages > 50, "{pages} pages");

    let db = Db::open(world.engine.clone(), schemas(NEW)).unwrap();
    let salvaged = db.salvage(ANN).unwrap();
    assert_eq!((salvaged.tables[0].name.as_str(), salvaged.tables[0].complete), ("noted", false));
    let sql = "SELECT COUNT(*) FROM kept WHERE account = ?1";
    let found = db.read(ANN, |tx| tx.query_one(sql, params![7_i64], |row| row.int(0))).wait().unwrap().unwrap();
    assert!((ROWS - 40..ROWS).contains(&found), "{found} rows: those of the page alone are gone");
}
