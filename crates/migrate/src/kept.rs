//! How long secrets of old servers are kept: until the move ends, and no longer than until a day that was said, or
//! else for [`UNUSED`] after one was last logged in with.
//!
//! What is given after that day is forgotten within the hour. The mailboxes stay; their next pass says that no password is known.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Error, Result, Timestamp};
use anser_db::{Durability, Place, Tx, params};

use crate::rows;
use crate::views::MoveView;
use crate::{Inner, Migrate};

/// Days that somebody may have them kept for at the most, whoever uses them.
pub const MOST: u32 = 365;
/// How long they are kept that nobody uses.
pub const UNUSED: Duration = Duration::from_secs(90 * DAY);
/// How often is looked for those whose time is over.
pub(crate) const LOOK: Duration = Duration::from_secs(3600);
/// Seconds of a day: the use of a move's secrets is noted once in it.
const DAY: u64 = 86_400;
/// Moves of which it is remembered that they were noted.
const MOVES: usize = 10_000;

/// When the use of a move's secrets was last noted by this process.
#[derive(Default)]
pub(crate) struct Noted(Mutex<HashMap<u64, Timestamp>>);

/// Whether some are known.
const HAS: &str = "(EXISTS (SELECT 1 FROM mov_accounts a WHERE a.move = mov_moves.id AND a.secret IS NOT NULL)
  OR EXISTS (SELECT 1 FROM mov_sources s WHERE s.move = mov_moves.id AND s.admin_secret IS NOT NULL))";

impl Migrate {
    /// Has the secrets of a move forgotten in so many days, [`MOST`] at the most; `None` for [`UNUSED`] after their last use. 0 forgets at
    /// once those that are known, and no others: what is given or learnt from then on is kept as with `None`. How the move stands.
    /// `Class::Invalid` for more days.
    pub async fn keep_secrets(&self, name: &str, days: Option<u32>) -> Result<MoveView> {
        if days.is_some_and(|days| days > MOST) {
            return Err(Error::invalid(
                format!("passwords of old servers are kept for {MOST} days at the most"),
                format!("旧服务器的密码最多保存 {MOST} 天"),
            ));
        }
        let (of, now) = (self.named(name).await?.id, self.inner.deps.clock.now());
        let until = days.filter(|days| *days > 0);
        let until = until.map(|days| now.after(Duration::from_secs(u64::from(days) * DAY)).0);
        let set = move |tx: &mut Tx<'_>| {
            tx.execute("UPDATE mov_moves SET secrets_until_ms = ?2 WHERE id = ?1", params![of as i64, until])?;
            if days == Some(0) { rows::wipe_secrets(tx, of) } else { Ok(()) }
        };
        self.write(set).await?;
        self.move_view(name).await
    }
}

impl Inner {
    /// Notes that a secret of a move is logged in with.
    pub(crate) async fn use_secret(&self, of: u64) -> Result<()> {
        let now = self.deps.clock.now();
        {
            let mut noted = self.noted.0.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.get(&of).is_some_and(|at| now.since(*at).as_secs() < DAY) {
                return Ok(());
            }
            if noted.len() >= MOVES {
                noted.clear();
            }
            noted.insert(of, now);
        }
        let sql = "UPDATE mov_moves SET used_ms = ?2 WHERE id = ?1 AND used_ms < ?2";
        let note = move |tx: &mut Tx<'_>| tx.execute(sql, params![of as i64, now.0]).map(drop);
        self.deps.db.write(Place::Moves, Durability::Deferred, note).await
    }

    /// Forgets secrets whose time is over. Of those that were never used it counts from when they were first seen here.
    pub(crate) async fn forget_old_secrets(&self) -> Result<()> {
        let now = self.deps.clock.now();
        let work = move |tx: &mut Tx<'_>| {
            tx.execute(&format!("UPDATE mov_moves SET used_ms = 0 WHERE used_ms > 0 AND NOT {HAS}"), &[])?;
            tx.execute(&format!("UPDATE mov_moves SET used_ms = ?1 WHERE used_ms = 0 AND {HAS}"), params![now.0])?;
            // One that began between two statements has no `used_ms` yet.
            let over = format!(
                "SELECT id, name FROM mov_moves WHERE {HAS} AND CASE WHEN secrets_until_ms IS NULL
                 THEN used_ms > 0 AND used_ms + ?2 <= ?1 ELSE secrets_until_ms <= ?1 END ORDER BY id"
            );
            let over = tx.query(&over, params![now.0, UNUSED.as_millis() as i64], |row| {
                Ok((row.int(0)? as u64, row.text(1)?))
            })?;
            over.iter().try_for_each(|(of, _)| rows::wipe_secrets(tx, *of))?;
            Ok(over)
        };
        let over = self.deps.db.write(Place::Moves, Durability::Sync, work).await?;
        for (_, name) in &over {
            tracing::info!(name, "the passwords of a move are forgotten: their time is over");
        }
        if !over.is_empty() {
            self.changed.send_modify(|count| *count += 1);
        }
        Ok(())
    }
}

/// Until when the secrets of a move are kept; `None` where none are.
pub(crate) fn until(tx: &mut Tx<'_>, of: u64, now: Timestamp) -> Result<Option<Timestamp>> {
    let sql = format!("SELECT secrets_until_ms, used_ms FROM mov_moves WHERE id = ?1 AND {HAS}");
    let found = tx.query_one(&sql, params![of as i64], |row| Ok((row.opt_int(0)?, row.int(1)?)))?;
    Ok(found.map(|(until, used)| {
        let used = if used == 0 { now } else { Timestamp(used) };
        until.map_or_else(|| used.after(UNUSED), Timestamp)
    }))
}
