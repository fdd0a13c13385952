//! The MTA-STS policies of other domains, kept over a restart for as long as they hold (RFC 8461 §5.1): nobody who can cut a domain's
//! web server off may make us forget what it asked for.

use anser_base::{Result, Timestamp};
use anser_db::params;

use crate::Peers;

/// Policies that are kept; those that end first go first.
pub const POLICIES: i64 = 10_000;

/// Domains that [`Peers::ending_policies`] returns.
pub const ENDING: i64 = 100;

/// A policy as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The domain, in A-labels.
    pub domain: String,
    /// The `id` of its record when it was fetched.
    pub id: String,
    /// Its text.
    pub policy: String,
    /// It holds until then.
    pub until: Timestamp,
}

impl Peers {
    /// Keeps a policy instead of the one of its domain. A power cut may forget it.
    pub async fn keep_policy(&self, kept: Kept) -> Result<()> {
        let now = self.now();
        self.write(move |tx| {
            let Kept { domain, id, policy, until } = &kept;
            let sql = "INSERT INTO peer_policies (domain, id, policy, until_ms) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (domain) DO UPDATE SET id = excluded.id, policy = excluded.policy, until_ms = excluded.until_ms";
            tx.execute(sql, params![domain, id, policy, until.0])?;
            let crowded = "SELECT until_ms FROM peer_policies ORDER BY until_ms DESC LIMIT 1 OFFSET ?1";
            let crowded = tx.query_one(crowded, params![POLICIES], |row| row.int(0))?.unwrap_or(0);
            tx.execute("DELETE FROM peer_policies WHERE until_ms <= ?1", params![crowded.max(now.0)]).map(drop)
        })
        .await
    }

    /// Domains whose policy holds now and ends before a time, the next to end first; [`ENDING`] at most.
    pub async fn ending_policies(&self, before: Timestamp) -> Result<Vec<String>> {
        let now = self.now();
        let sql =
            "SELECT domain FROM peer_policies WHERE until_ms > ?1 AND until_ms < ?2 ORDER BY until_ms, domain LIMIT ?3";
        self.read(move |tx| tx.query(sql, params![now.0, before.0, ENDING], |row| row.text(0))).await
    }

    /// The policy of a domain, if one is kept that still holds.
    pub async fn kept_policy(&self, domain: &str) -> Result<Option<Kept>> {
        let (domain, now) = (domain.to_owned(), self.now());
        let sql = "SELECT id, policy, until_ms FROM peer_policies WHERE domain = ?1 AND until_ms > ?2";
        self.read(move |tx| {
            tx.query_one(sql, params![&domain, now.0], |row| {
                let (id, policy, until) = (row.text(0)?, row.text(1)?, Timestamp(row.int(2)?));
                Ok(Kept { domain: domain.clone(), id, policy, until })
            })
        })
        .await
    }
}
