//! Which accounts may have a job that runs. The job itself is in the account's own tables; this only finds it again after a restart.

use anser_base::{AccountId, Result, Timestamp};
use anser_db::params;

use crate::Directory;

/// Accounts listed at once.
pub const JOBS: usize = 1_000;

impl Directory {
    /// Notes that a job of an account is about to start; before it does, so that none is ever forgotten.
    pub async fn note_job(&self, account: AccountId) -> Result<()> {
        let since = self.inner.deps.clock.now().0;
        let sql = "INSERT INTO dir_jobs (account, since_ms) VALUES (?1, ?2)
                   ON CONFLICT (account) DO UPDATE SET since_ms = excluded.since_ms";
        self.note(move |tx| tx.execute(sql, params![account.to_sql(), since]).map(drop)).await
    }

    /// The accounts that were noted, and when, the oldest first; at most [`JOBS`].
    pub async fn noted_jobs(&self) -> Result<Vec<(AccountId, Timestamp)>> {
        let sql = "SELECT account, since_ms FROM dir_jobs ORDER BY since_ms, account LIMIT ?1";
        self.read(move |tx| {
            tx.query(sql, params![JOBS as i64], |row| Ok((AccountId::from_sql(row.int(0)?), Timestamp(row.int(1)?))))
        })
        .await
    }

    /// Forgets what was noted at that time: the job has ended. One noted since then stays.
    pub async fn forget_job(&self, account: AccountId, since: Timestamp) -> Result<()> {
        let sql = "DELETE FROM dir_jobs WHERE account = ?1 AND since_ms = ?2";
        self.note(move |tx| tx.execute(sql, params![account.to_sql(), since.0]).map(drop)).await
    }
}
