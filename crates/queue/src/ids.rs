//! Entry numbers: taken in blocks from a counter row, so that none is used twice, whatever stops whenever.

use anser_base::{EntryId, Error, Result};
use anser_db::{Db, Durability, Place, Tx, params};
use tokio::sync::Mutex;

/// Numbers that a node reserves at once. What is left of a block when the node stops is never used.
const BLOCK: u64 = 10_000;

pub struct Ids {
    db: Db,
    /// The next number and the end of the block.
    block: Mutex<(u64, u64)>,
}

impl Ids {
    /// Reserves the first block and tells its first number: on the embedded engine no earlier run used a higher one.
    pub async fn open(db: Db) -> Result<(Self, EntryId)> {
        let (next, end) = reserve(&db).await?;
        Ok((Self { db, block: Mutex::new((next, end)) }, EntryId(next)))
    }

    pub async fn next(&self) -> Result<EntryId> {
        let mut block = self.block.lock().await;
        if block.0 == block.1 {
            *block = reserve(&self.db).await?;
        }
        let id = block.0;
        block.0 += 1;
        Ok(EntryId(id))
    }
}

async fn reserve(db: &Db) -> Result<(u64, u64)> {
    let first = db.write(Place::Queue, Durability::Sync, |tx| advance(tx, "entry", BLOCK)).await? as u64;
    Ok((first, first + BLOCK))
}

/// Moves a counter on and returns what it stood at.
pub fn advance(tx: &mut Tx<'_>, counter: &str, by: u64) -> Result<i64> {
    tx.execute("UPDATE queue_counter SET next = next + ?1 WHERE name = ?2", params![by as i64, counter])?;
    let next = tx.query_one("SELECT next FROM queue_counter WHERE name = ?1", params![counter], |row| row.int(0))?;
    next.map(|next| next - by as i64).ok_or_else(|| Error::damaged("the queue has lost its counters"))
}
