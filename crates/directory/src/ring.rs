//! Keys of a short life that all nodes share, such as the one that the login page seals passwords to: whichever node made one, every node
//! knows it. What nobody can need any more is deleted, so that what was recorded cannot be opened later.

use std::time::Duration;

use anser_base::{Error, Result, Timestamp};
use anser_db::{Row, Tx, params};

use crate::{Directory, rows, sealed};

/// A key of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingKey {
    /// Its number, never used twice.
    pub number: u64,
    /// When it was made.
    pub made: Timestamp,
    /// What it is.
    pub key: Vec<u8>,
}

impl Directory {
    /// The keys of a ring, the newest last. When the newest is as old as `turn`, `fresh` joins them, unless another node was first; what is
    /// twice as old is gone.
    pub async fn ring(&self, name: &'static str, turn: Duration, fresh: &[u8]) -> Result<Vec<RingKey>> {
        let now = self.inner.deps.clock.now().0;
        let key = self.secrets().await?.oauth;
        let turn = turn.as_millis() as i64;
        // Strangers make us look, by the number of a key that nobody knows: a look alone writes nothing.
        let mut kept = self.read(move |tx| known(tx, name, now - 2 * turn)).await?;
        if kept.iter().all(|(_, made, _)| *made <= now - turn) {
            let fresh = sealed::seal(&key, place(name), fresh, &self.inner.deps.entropy)?;
            kept = self
                .note(move |tx| {
                    // Counting up first makes nodes wait for each other on PostgreSQL.
                    let number = rows::count_up(tx, "ring", 1)?;
                    tx.execute(
                        "DELETE FROM dir_ring WHERE name = ?1 AND made_ms <= ?2",
                        params![name, now - 2 * turn],
                    )?;
                    let young = "SELECT COUNT(*) FROM dir_ring WHERE name = ?1 AND made_ms > ?2";
                    if tx.query_one(young, params![name, now - turn], |row| row.int(0))?.unwrap_or(0) == 0 {
                        let sql = "INSERT INTO dir_ring (number, name, made_ms, secret) VALUES (?1, ?2, ?3, ?4)";
                        tx.execute(sql, params![number as i64, name, now, &fresh])?;
                    }
                    known(tx, name, now - 2 * turn)
                })
                .await?;
        }
        let open = |(number, made, secret): Kept| {
            let key = sealed::open(&key, place(name), &secret)?;
            Ok::<_, Error>(RingKey { number: number as u64, made: Timestamp(made), key })
        };
        kept.into_iter().map(open).collect()
    }
}

/// Number, when it was made, and what it is, sealed.
type Kept = (i64, i64, Vec<u8>);

/// The keys of a ring that were made after a moment.
fn known(tx: &mut Tx<'_>, name: &str, after: i64) -> Result<Vec<Kept>> {
    let sql = "SELECT number, made_ms, secret FROM dir_ring WHERE name = ?1 AND made_ms > ?2 ORDER BY number";
    tx.query(sql, params![name, after], |row: &Row<'_>| Ok((row.int(0)?, row.int(1)?, row.blob(2)?)))
}

fn place(name: &str) -> String {
    format!("ring {name}")
}
