//! Secrets that an old server refused: a wrong one is tried once a day, whoever asks for it, so that nobody is locked out there by us. One that
//! was refused for another reason, such as an account that is locked for a while, is tried after ten minutes, and less often each time.
//!
//! What is remembered is a mark of the secret, so that another one is tried at once. A person who asks for it has it forgotten.

use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_db::{Tx, params};

use crate::meaning;

/// How long a secret that is wrong is not tried again.
const AGAIN: Duration = Duration::from_secs(24 * 3600);
/// How long one is not that was refused for another reason, the first times.
const SOON: [Duration; 3] = [Duration::from_secs(600), Duration::from_secs(3600), Duration::from_secs(6 * 3600)];
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
    /// As what: see [`crate::trouble::Trouble::Login`].
    pub kind: &'static str,
    /// What the server said.
    pub why: String,
}

impl Refused {
    /// Whether it is too early to try this secret again.
    pub fn holds(&self, mark: &[u8], now: Timestamp) -> bool {
        let first = SOON.get(self.times.saturating_sub(1) as usize).filter(|_| self.kind != "wrong");
        self.mark == mark && now < self.at.after(*first.unwrap_or(&AGAIN))
    }
}

/// What was refused of a login of a source.
pub fn of(tx: &mut Tx<'_>, source: u64, login: &str) -> Result<Option<Refused>> {
    let sql = "SELECT mark, at_ms, times, kind, why FROM mov_refused WHERE source = ?1 AND login = ?2";
    tx.query_one(sql, params![source as i64, login], |row| {
        let (kind, times) = (meaning::kind(&row.text(3)?), row.int(2)? as u32);
        Ok(Refused { mark: row.blob(0)?, at: Timestamp(row.int(1)?), times, kind, why: row.text(4)? })
    })
}

/// Notes a refusal; one of the same secret counts on from what is known, whatever the count that is given.
pub fn note(tx: &mut Tx<'_>, source: u64, login: &str, new: &Refused) -> Result<()> {
    let times = of(tx, source, login)?.filter(|known| known.mark == new.mark).map_or(1, |known| known.times + 1);
    let sql = "INSERT INTO mov_refused (source, login, mark, at_ms, times, kind, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT (source, login) DO UPDATE SET mark = excluded.mark, at_ms = excluded.at_ms, times = excluded.times, \
               kind = excluded.kind, why = excluded.why";
    tx.execute(sql, params![source as i64, login, &new.mark, new.at.0, times, new.kind, &new.why]).map(drop)
}

/// Takes the one try that is due since a refusal at `at`; whether nobody else has.
pub fn take_try(tx: &mut Tx<'_>, source: u64, login: &str, at: Timestamp, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE mov_refused SET at_ms = ?4 WHERE source = ?1 AND login = ?2 AND at_ms = ?3";
    Ok(tx.execute(sql, params![source as i64, login, at.0, now.0])? > 0)
}

/// Forgets it: the secret was taken, or a person wants it to be tried.
pub fn forget(tx: &mut Tx<'_>, source: u64, login: &str) -> Result<()> {
    let sql = "DELETE FROM mov_refused WHERE source = ?1 AND login = ?2";
    tx.execute(sql, params![source as i64, login]).map(drop)
}
