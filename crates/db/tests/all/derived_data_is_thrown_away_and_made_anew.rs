//! A place of derived data can be thrown away, whatever state its file is in; one that holds truth cannot.

use anser_base::{AccountId, Class};
use anser_db::{Durability, Place, Schemas, Tx, params};
use anser_testkit::engines::each_engine;

use crate::fixture::{ANN, TABLE, ids, schemas, write};

const INDEX: Place = Place::Search(AccountId(7));

fn all() -> Schemas {
    let search = anser_db::Schema(&["CREATE TABLE derived (account INTEGER NOT NULL, id INTEGER NOT NULL) STRICT"]);
    Schemas { search, ..schemas(TABLE) }
}

fn add(tx: &mut Tx<'_>) -> anser_base::Result<()> {
    tx.execute("INSERT INTO derived (account, id) VALUES (?1, ?2)", params![7i64, 1i64]).map(drop)
}

fn count(tx: &mut Tx<'_>) -> anser_base::Result<usize> {
    tx.query("SELECT id FROM derived WHERE account = 7", &[], |row| row.int(0)).map(|rows| rows.len())
}

#[test]
fn by_itself_alone() {
    each_engine(all(), |world| {
        let db = world.open();
        write(&db, ANN, 1).unwrap();
        db.write(INDEX, Durability::Sync, add).wait().unwrap();
        assert_eq!(db.read(INDEX, count).wait().unwrap(), 1, "{}", world.name);
        db.discard(INDEX).unwrap();
        assert_eq!(db.read(INDEX, count).wait().unwrap(), 0, "{}", world.name);
        assert_eq!(ids(&db, ANN).unwrap(), [1]);
        assert_eq!(db.discard(ANN).unwrap_err().class, Class::Invalid);
    });
}

#[test]
fn when_it_is_damaged() {
    let world = anser_testkit::engines::World::embedded(all());
    let db = world.open();
    db.write(INDEX, Durability::Sync, add).wait().unwrap();
    drop(db);
    let file = INDEX.file(&world.dir.path().join("data"));
    std::fs::write(&file, [0xA5; 10_000]).unwrap();
    let db = world.open();
    assert_eq!(db.read(INDEX, count).wait().unwrap_err().class, Class::Damaged);
    db.discard(INDEX).unwrap();
    assert_eq!(db.read(INDEX, count).wait().unwrap(), 0);
}
