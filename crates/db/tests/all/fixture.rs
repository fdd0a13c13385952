//! One small table, and a way to fill a worker's inbox before it looks.

use std::sync::mpsc::{Sender, channel};

use anser_base::{AccountId, Durability, Result};
use anser_db::{Db, Pending, Place, Schema, Schemas, Tx, params};
use anser_testkit::engines::NO_SCHEMAS;

pub const ANN: Place = Place::Account(AccountId(7));
pub const BOB: Place = Place::Account(AccountId(8));

pub const TABLE: Schema = Schema(&["
CREATE TABLE item (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
"]);

pub fn schemas(account: Schema) -> Schemas {
    Schemas { account, ..NO_SCHEMAS }
}

fn account(place: Place) -> i64 {
    match place {
        Place::Account(id) => id.to_sql(),
        _ => 0,
    }
}

/// Adds one row.
pub fn put(place: Place, id: i64, size: usize) -> impl FnMut(&mut Tx<'_>) -> Result<()> + Send + 'static {
    move |tx| {
        let body = vec![id as u8; size];
        tx.execute("INSERT INTO item (account, id, body) VALUES (?1, ?2, ?3)", params![account(place), id, &body])
            .map(drop)
    }
}

pub fn write(db: &Db, place: Place, id: i64) -> Result<()> {
    db.write(place, Durability::Sync, put(place, id, 100)).wait()
}

/// The numbers of the rows that are there.
pub fn ids(db: &Db, place: Place) -> Result<Vec<i64>> {
    db.read(place, move |tx| {
        tx.query("SELECT id FROM item WHERE account = ?1 ORDER BY id", params![account(place)], |row| row.int(0))
    })
    .wait()
}

/// Holds the place's worker until the sender is used or dropped.
pub fn hold(db: &Db, place: Place) -> (Sender<()>, Pending<()>) {
    let (sender, receiver) = channel::<()>();
    let held = db.read(place, move |_| {
        let _ = receiver.recv();
        Ok(())
    });
    (sender, held)
}
