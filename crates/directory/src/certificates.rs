//! Certificates that an authority gave (RFC 8555), with their keys, and our account with it.

use anser_base::{Result, Timestamp};
use anser_db::params;

use crate::Directory;

/// A certificate and its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The host name that it is for, in A-labels.
    pub name: String,
    /// The chain, PEM, the server's certificate first.
    pub chain: String,
    /// The key, PEM.
    pub key: String,
    /// From when on it is good.
    pub begins: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate of {} until {}", self.name, self.ends.0)
    }
}

impl Directory {
    /// All certificates that are kept, by name.
    pub async fn certificates(&self) -> Result<Vec<Certificate>> {
        let sql = "SELECT name, chain, secret, begins_ms, ends_ms FROM dir_certificates ORDER BY name";
        self.read(move |tx| {
            tx.query(sql, &[], |row| {
                Ok(Certificate {
                    name: row.text(0)?,
                    chain: row.text(1)?,
                    key: row.text(2)?,
                    begins: Timestamp(row.int(3)?),
                    ends: Timestamp(row.int(4)?),
                })
            })
        })
        .await
    }

    /// Keeps a certificate instead of the one of its name, durably.
    pub async fn keep_certificate(&self, new: Certificate) -> Result<()> {
        self.note(move |tx| {
            let Certificate { name, chain, key, begins, ends } = &new;
            let sql =
                "INSERT INTO dir_certificates (name, chain, secret, begins_ms, ends_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (name) DO UPDATE SET chain = excluded.chain, secret = excluded.secret,
                       begins_ms = excluded.begins_ms, ends_ms = excluded.ends_ms";
            tx.execute(sql, params![name, chain, key, begins.0, ends.0]).map(|_| ())
        })
        .await
    }

    /// What we are known by at an authority, by the URL of its directory, if there is anything.
    pub async fn acme_account(&self, authority: &str) -> Result<Option<String>> {
        let authority = authority.to_owned();
        let sql = "SELECT secret FROM dir_acme_accounts WHERE authority = ?1";
        self.read(move |tx| tx.query_one(sql, params![&authority], |row| row.text(0))).await
    }

    /// Keeps that, durably. What is kept already stays, so that two nodes have one account.
    pub async fn keep_acme_account(&self, authority: &str, secret: &str) -> Result<()> {
        let (authority, secret) = (authority.to_owned(), secret.to_owned());
        let sql = "INSERT INTO dir_acme_accounts (authority, secret) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.note(move |tx| tx.execute(sql, params![&authority, &secret]).map(|_| ())).await
    }
}
