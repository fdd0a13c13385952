//! Secrets that an old server refused: each is tried once a day, whoever asks for it, so that nobody is locked out there by us.
//!
//! What is remembered is a mark of the secret, so that another one is tried at once. A person who asks for it has it forgotten.

use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_db::{Tx, params};

/// How long a secret that was refused is not tried again.
pub const AGAIN: Duration = Duration::from_secs(24 * 3600);
/// Under this name an administrator's login is remembered.
pub const ADMIN: &str = "";

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the secret is known by: see [`crate::secret::Seal::mark`].
    pub mark: Vec<u8>,
    /// When it was.
    pub at: Timestamp,
    /// How often, since it was last taken.
    pub times: u32,
    /// What the server said.
    pub why: String,
}

impl Refused {
    /// Whether it is too early to try this secret again.
    pub fn holds(&self, mark: &[u8], now: Timestamp) -> bool {
        self.mark == mark && now < self.at.after(AGAIN)
    }
}

/// What was refused of a login of a source.
pub fn of(tx: &mut Tx<'_>, source: u64, login: &str) -> Result<Option<Refused>> {
    let sql = "SELECT mark, at_ms, times, why FROM mov_refused WHERE source = ?1 AND login = ?2";
    tx.query_one(sql, params![source as i64, login], |row| {
        Ok(Refused { mark: row.blob(0)?, at: Timestamp(row.int(1)?), times: row.int(2)? as u32, why: row.text(3)? })
    })
}

/// Notes a refusal; one of the same secret counts on.
pub fn note(tx: &mut Tx<'_>, source: u64, login: &str, mark: &[u8], at: Timestamp, why: &str) -> Result<()> {
    let times = of(tx, source, login)?.filter(|known| known.mark == mark).map_or(1, |known| known.times + 1);
    let sql = "INSERT INTO mov_refused (source, login, mark, at_ms, times, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (source, login) DO UPDATE SET mark = excluded.mark, at_ms = excluded.at_ms, times = excluded.times, \
               why = excluded.why";
    tx.execute(sql, params![source as i64, login, mark, at.0, times, why]).map(drop)
}

/// Forgets it: the secret was taken, or a person wants it to be tried.
pub fn forget(tx: &mut Tx<'_>, source: u64, login: &str) -> Result<()> {
    let sql = "DELETE FROM mov_refused WHERE source = ?1 AND login = ?2";
    tx.execute(sql, params![source as i64, login]).map(drop)
}
