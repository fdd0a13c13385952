//! What rules leave behind (RFC 5230 §4.2, RFC 7352): keys that are remembered for a while, and the mail that follows from a delivery
//! until the queue has it.

use anser_base::{EntryId, Result, Timestamp};
use anser_db::params;

use crate::tx::MailTx;

/// Keys remembered of one account at most; those that would be forgotten first go first.
pub const REMEMBERED: usize = 20_000;

/// A hash of what is remembered.
pub type Key = [u8; 32];

impl MailTx<'_, '_> {
    /// Remembers a key until a time. Whether it was not known: a key whose time is over is new.
    pub fn remember(&mut self, key: &Key, until: Timestamp) -> Result<bool> {
        let is_new = !self.is_remembered(key)?;
        if is_new {
            self.remember_again(key, until)?;
        }
        Ok(is_new)
    }

    /// Remembers a key until a time, whether it was known or not.
    pub fn remember_again(&mut self, key: &Key, until: Timestamp) -> Result<()> {
        self.require_writing()?;
        self.db
            .execute(
                "INSERT INTO remembered (account, key, until) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (account, key) DO UPDATE SET until = excluded.until",
                params![self.account.to_sql(), &key[..], until.0],
            )
            .map(drop)
    }

    /// Whether a key is remembered and its time is not over.
    pub fn is_remembered(&mut self, key: &Key) -> Result<bool> {
        let until = self.db.query_one(
            "SELECT until FROM remembered WHERE account = ?1 AND key = ?2",
            params![self.account.to_sql(), &key[..]],
            |row| row.int(0),
        )?;
        Ok(until.is_some_and(|until| until > self.now.0))
    }

    /// Keeps the mail that follows from a delivery, made for one recipient of the entry, with the delivery itself.
    pub fn keep_follow_up(&mut self, entry: EntryId, recipient: u32, mail: &[u8]) -> Result<()> {
        self.require_writing()?;
        self.db
            .execute(
                "INSERT INTO follow_up (account, entry, recipient, mail) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                params![self.account.to_sql(), entry.to_sql(), recipient, mail],
            )
            .map(drop)
    }

    /// The mail that follows from a delivery that was made before for this recipient.
    pub fn follow_up(&mut self, entry: EntryId, recipient: u32) -> Result<Option<Vec<u8>>> {
        self.db.query_one(
            "SELECT mail FROM follow_up WHERE account = ?1 AND entry = ?2 AND recipient = ?3",
            params![self.account.to_sql(), entry.to_sql(), recipient],
            |row| row.blob(0),
        )
    }

    /// Forgets what is over: keys by their time and above [`REMEMBERED`], follow-ups with their deliveries.
    pub(crate) fn forget(&mut self) -> Result<()> {
        let account = self.account.to_sql();
        self.db.execute("DELETE FROM remembered WHERE account = ?1 AND until <= ?2", params![account, self.now.0])?;
        self.db.execute(
            "DELETE FROM remembered WHERE account = ?1 AND key IN \
             (SELECT key FROM remembered WHERE account = ?1 ORDER BY until DESC LIMIT 1000000 OFFSET ?2)",
            params![account, REMEMBERED as i64],
        )?;
        self.db.execute(
            "DELETE FROM follow_up WHERE account = ?1 AND NOT EXISTS \
             (SELECT 1 FROM delivered d WHERE d.account = follow_up.account AND d.entry = follow_up.entry)",
            params![account],
        )?;
        Ok(())
    }
}
