//! What the administrators of the house were told of, so that what keeps on failing is told once in a while and not with every message.

use std::time::Duration;

use anser_base::Result;
use anser_db::params;

use crate::Directory;

/// Matters that are remembered in memory; of more, a look at the table tells.
pub(crate) const CACHED_MATTERS: usize = 1_000;

impl Directory {
    /// Whether it is time to tell of a matter again; then it is not for as long as `pause`, on every server of the house and after
    /// every restart. What was told of longer ago is forgotten. Fails as the database does.
    pub async fn is_time_to_tell(&self, about: &str, pause: Duration) -> Result<bool> {
        let now = self.inner.deps.clock.now();
        if self.inner.told.get(0, about).is_some_and(|until| now < until) {
            return Ok(false);
        }
        let (until, matter) = (now.after(pause), about.to_owned());
        let is_time = self.note(move |tx| {
            tx.execute("DELETE FROM dir_told WHERE until_ms <= ?1", params![now.0])?;
            let sql = "INSERT INTO dir_told (about, until_ms) VALUES (?1, ?2) ON CONFLICT (about) DO NOTHING";
            Ok(tx.execute(sql, params![&matter, until.0])? == 1)
        });
        let is_time = is_time.await?;
        if is_time {
            self.inner.told.put(0, about.to_owned(), until);
        }
        Ok(is_time)
    }
}
