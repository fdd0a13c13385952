//! What is good once and was used: tickets of portals, challenges. Remembered until it would not be good any more.

use anser_base::{Result, Timestamp};
use anser_db::params;

use crate::Directory;

impl Directory {
    /// Uses something up that ends by itself at `until`; whether it was not used before.
    pub(crate) async fn spend(&self, what: &[u8], until: Timestamp) -> Result<bool> {
        let (hash, now) = (*blake3::hash(what).as_bytes(), self.inner.deps.clock.now());
        self.note(move |tx| {
            tx.execute("DELETE FROM dir_spent WHERE until_ms < ?1", params![now.0])?;
            let sql = "INSERT INTO dir_spent (hash, until_ms) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING";
            Ok(tx.execute(sql, params![&hash[..], until.0])? > 0)
        })
        .await
    }
}
