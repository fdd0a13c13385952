//! What is kept with a move as JSON, and changed as a whole: its gates, its survey form.

use anser_base::{Error, Result};
use anser_db::{Tx, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::form::Form;
use crate::gates::Gates;

/// What is remembered of a move's gates.
pub fn gates(tx: &mut Tx<'_>, id: u64) -> Result<Gates> {
    read(tx, id, "gates", "")
}

/// Changes it; what it is then.
pub fn change_gates<R>(tx: &mut Tx<'_>, id: u64, change: impl FnOnce(&mut Gates) -> R) -> Result<(Gates, R)> {
    self::change(tx, id, "gates", change)
}

/// The survey form of a move.
pub fn form(tx: &mut Tx<'_>, id: u64) -> Result<Form> {
    read(tx, id, "form", "")
}

/// Changes it; what it is then.
pub fn change_form(tx: &mut Tx<'_>, id: u64, change: impl FnOnce(&mut Form)) -> Result<Form> {
    Ok(self::change(tx, id, "form", change)?.0)
}

fn read<T: Default + DeserializeOwned>(tx: &mut Tx<'_>, id: u64, column: &str, lock: &str) -> Result<T> {
    let sql = format!("SELECT {column} FROM mov_moves WHERE id = ?1{lock}");
    let found = tx.query_one(&sql, params![id as i64], |row| row.opt_text(0))?;
    found.flatten().map_or(Ok(T::default()), |text| serde_json::from_str(&text).map_err(Error::damaged))
}

/// What others change at this moment waits for it: each change is made to what the one before it left.
fn change<T: Default + DeserializeOwned + Serialize, R>(
    tx: &mut Tx<'_>,
    id: u64,
    column: &str,
    change: impl FnOnce(&mut T) -> R,
) -> Result<(T, R)> {
    let lock = if tx.is_postgres() { " FOR UPDATE" } else { "" };
    let mut kept: T = read(tx, id, column, lock)?;
    let changed = change(&mut kept);
    let text = serde_json::to_string(&kept).map_err(Error::unavailable)?;
    tx.execute(&format!("UPDATE mov_moves SET {column} = ?2 WHERE id = ?1"), params![id as i64, &text])?;
    Ok((kept, changed))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use anser_base::Timestamp;
    use anser_db::{Durability, Place, Schemas};
    use anser_testkit::engines::{NO_SCHEMAS, World};

    use super::*;
    use crate::rows;

    #[test]
    fn a_change_begins_when_the_one_before_it_is_over() {
        let Some(world) = World::postgres(Schemas { moves: crate::SCHEMA, ..NO_SCHEMAS }) else { return };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let db = world.open();
            let add = |tx: &mut Tx<'_>| rows::add_move(tx, "house", Timestamp(0));
            let id = db.write(Place::Moves, Durability::Sync, add).await.unwrap().id;
            let ((has_read, wait_read), (go_on, wait)) = (channel(), channel());
            let first = db.write(Place::Moves, Durability::Sync, move |tx| {
                change_gates(tx, id, |gates| {
                    // The transaction may be run more than once, and is told once.
                    let _ = has_read.send(());
                    let _ = wait.recv();
                    gates.notice = Some(1);
                })
                .map(drop)
            });
            wait_read.recv().unwrap();
            // While the first has read and not yet written.
            let sql = "SELECT id FROM mov_moves WHERE id = ?1 FOR UPDATE SKIP LOCKED";
            let look = move |tx: &mut Tx<'_>| tx.query_one(sql, params![id as i64], |row| row.int(0));
            let free = db.write(Place::Moves, Durability::Sync, look).await.unwrap();
            go_on.send(()).unwrap();
            first.await.unwrap();
            assert_eq!(free, None, "another one could have read what this one is about to change");
        });
    }
}
