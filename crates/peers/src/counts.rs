//! What we saw of other domains, counted by domain and day until it is told to those that asked.

use anser_base::Result;
use anser_db::{Tx, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{DAY, Kind, Peers};

/// Different lines of one day, over all domains; what comes beyond is not counted.
pub const LINES: i64 = 100_000;
/// Domains that are told at once.
const DUE: i64 = 1000;
/// Days after which what could not be told is forgotten.
pub const KEPT: i64 = 4;

/// Something that a domain is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What about.
    pub kind: Kind,
    /// The domain.
    pub domain: String,
    /// The day that it is about.
    pub day: i64,
}

impl Peers {
    /// Counts one thing that was seen of a domain: `what` is a [`crate::aggregate::Row`] or a [`crate::tls::Session`]. A power cut may
    /// forget it.
    pub async fn count(&self, kind: Kind, domain: &str, what: &impl Serialize) -> Result<()> {
        let (domain, day) = (domain.to_owned(), self.now().secs().div_euclid(DAY));
        let what = serde_json::to_string(what).map_err(anser_base::Error::unavailable)?;
        self.write(move |tx| {
            let known = "UPDATE peer_counts SET count = count + 1
                         WHERE kind = ?1 AND day = ?2 AND domain = ?3 AND what = ?4";
            let key = params![kind.number(), day, &domain, &what];
            if tx.execute(known, key)? > 0 || !has_room(tx, kind, day)? {
                return Ok(());
            }
            let new = "INSERT INTO peer_counts (kind, day, domain, what, count) VALUES (?1, ?2, ?3, ?4, 1)
                       ON CONFLICT (kind, day, domain, what) DO UPDATE SET count = peer_counts.count + 1";
            tx.execute(new, key).map(drop)
        })
        .await
    }

    /// What is to be told of days that are over, the oldest first; a thousand at most.
    pub async fn due(&self) -> Result<Vec<Due>> {
        let today = self.now().secs().div_euclid(DAY);
        let sql =
            "SELECT DISTINCT kind, day, domain FROM peer_counts WHERE day < ?1 ORDER BY day, kind, domain LIMIT ?2";
        self.read(move |tx| {
            tx.query(sql, params![today, DUE], |row| {
                Ok(Due { kind: Kind::of(row.int(0)?), day: row.int(1)?, domain: row.text(2)? })
            })
        })
        .await
    }

    /// What was counted, the most frequent first; `most` lines at most.
    pub async fn counted<T: DeserializeOwned + Send + 'static>(&self, due: &Due, most: usize) -> Result<Vec<(T, u64)>> {
        let Due { kind, domain, day } = due.clone();
        let sql = "SELECT what, count FROM peer_counts WHERE kind = ?1 AND day = ?2 AND domain = ?3
                   ORDER BY count DESC, what LIMIT ?4";
        let lines = self
            .read(move |tx| {
                let key = params![kind.number(), day, &domain, most as i64];
                tx.query(sql, key, |row| Ok((row.text(0)?, row.int(1)?)))
            })
            .await?;
        // What an older program counted differently is left out.
        let line = |(what, count): (String, i64)| Some((serde_json::from_str(&what).ok()?, count.unsigned_abs()));
        Ok(lines.into_iter().filter_map(line).collect())
    }

    /// What was told is counted no longer.
    pub async fn told(&self, due: &Due) -> Result<()> {
        let Due { kind, domain, day } = due.clone();
        let sql = "DELETE FROM peer_counts WHERE kind = ?1 AND day = ?2 AND domain = ?3";
        self.write(move |tx| tx.execute(sql, params![kind.number(), day, &domain]).map(drop)).await
    }

    /// Forgets what could not be told for [`KEPT`] days.
    pub async fn forget_untold(&self) -> Result<()> {
        let first = self.now().secs().div_euclid(DAY) - KEPT;
        self.write(move |tx| {
            for table in ["peer_counts", "peer_days"] {
                tx.execute(&format!("DELETE FROM {table} WHERE day < ?1"), params![first])?;
            }
            Ok(())
        })
        .await
    }
}

/// Takes room for one more line of the day, if there is any.
fn has_room(tx: &mut Tx<'_>, kind: Kind, day: i64) -> Result<bool> {
    let first = "INSERT INTO peer_days (kind, day, lines) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING";
    tx.execute(first, params![kind.number(), day])?;
    let more = "UPDATE peer_days SET lines = lines + 1 WHERE kind = ?1 AND day = ?2 AND lines < ?3";
    Ok(tx.execute(more, params![kind.number(), day, LINES])? > 0)
}
