//! The keys that a domain's mail is signed with (RFC 6376).
//!
//! ```text
//! Waiting ──turn──▶ Active ──turn──▶ Retiring ──remove──▶ (gone)
//! made, its record    signs           its record stays in the DNS while
//! is to be published                  signed mail may still be on its way
//! ```

use std::sync::Arc;

use anser_base::{Class, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};
use anser_senderauth::Passed;
use anser_senderauth::dkim::{self, Algorithm, SecretKey, Signer};

use crate::admin::no_domain;
use crate::{Directory, names, rows};

/// Keys of one domain.
pub const DKIM_KEYS: usize = 20;
/// Longest selector, in bytes (RFC 1035 §2.3.4: one label).
const SELECTOR: usize = 63;

/// How far a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DkimState {
    /// Made; nothing is signed with it until it is published.
    Waiting,
    /// Signs.
    Active,
    /// Signs no more; its record stays for what is on its way.
    Retiring,
}

impl DkimState {
    /// The word for lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Retiring => "retiring",
        }
    }

    fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Active => 1,
            Self::Retiring => 2,
        }
    }

    fn of(number: i64) -> Result<Self> {
        match number {
            0 => Ok(Self::Waiting),
            1 => Ok(Self::Active),
            2 => Ok(Self::Retiring),
            _ => Err(Error::damaged("the state of a DKIM key")),
        }
    }
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimKey {
    /// The record is at `selector._domainkey.` the domain.
    pub selector: String,
    /// `rsa-sha256` or `ed25519-sha256`.
    pub algorithm: Algorithm,
    /// How far it is.
    pub state: DkimState,
    /// The text of the record.
    pub record: String,
    /// When it was made.
    pub created: Timestamp,
}

/// A key to sign with.
#[derive(Debug)]
pub struct SigningKey {
    /// `s=`.
    pub selector: String,
    /// The key.
    pub key: SecretKey,
}

impl Directory {
    /// Adds a key. `Class::NotFound` for an unknown domain, `Class::Exists` when the selector is taken, `Class::Invalid` when it is no
    /// label, `Class::Limit` beyond [`DKIM_KEYS`].
    pub async fn add_dkim_key(&self, domain: &str, selector: &str, key: &SecretKey, state: DkimState) -> Result<()> {
        let is_label = selector.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_label
            || selector.is_empty()
            || selector.len() > SELECTOR
            || selector.starts_with('-')
            || selector.ends_with('-')
        {
            return Err(Error::invalid(
                "a selector is letters, digits and hyphens",
                "选择器只能由小写字母、数字和连字符组成",
            ));
        }
        let (name, selector) = (names::domain_key(domain), selector.to_owned());
        let (algorithm, secret, record) = (key.algorithm().word(), key.to_pkcs8()?, key.record()?);
        let now = self.inner.deps.clock.now().0;
        self.change(move |tx| {
            let domain = rows::domain_by_name(tx, &name)?.ok_or_else(no_domain)?.id.to_sql();
            let count =
                tx.query_one("SELECT count(*) FROM dir_dkim_keys WHERE domain = ?1", params![domain], |row| {
                    row.int(0)
                })?;
            if count.unwrap_or(0) >= DKIM_KEYS as i64 {
                return Err(Error::new(Class::Limit, "the domain has too many DKIM keys", "该域名的 DKIM 密钥过多"));
            }
            let sql = "INSERT INTO dir_dkim_keys (domain, selector, algorithm, state, secret, record, created_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
            let added =
                tx.execute(sql, params![domain, &selector, algorithm, state.number(), &secret[..], &record, now])?;
            let taken =
                || Error::exists(format!("the selector {selector} is taken"), format!("选择器 {selector} 已被占用"));
            if added == 0 { Err(taken()) } else { Ok(()) }
        })
        .await
    }

    /// The keys of a domain, the oldest first. `Class::NotFound` for an unknown domain.
    pub async fn dkim_keys(&self, domain: &str) -> Result<Vec<DkimKey>> {
        let name = names::domain_key(domain);
        let sql = "SELECT selector, algorithm, state, record, created_ms FROM dir_dkim_keys WHERE domain = ?1
                   ORDER BY created_ms, selector";
        self.read(move |tx| {
            let domain = rows::domain_by_name(tx, &name)?.ok_or_else(no_domain)?;
            tx.query(sql, params![domain.id.to_sql()], key_of)
        })
        .await
    }

    /// Waiting keys become active and active ones retire; returns how many sign from now on. Without a waiting key nothing changes:
    /// `Class::NotFound`.
    pub async fn turn_dkim_keys(&self, domain: &str) -> Result<u64> {
        let name = names::domain_key(domain);
        self.change(move |tx| {
            let domain = rows::domain_by_name(tx, &name)?.ok_or_else(no_domain)?.id.to_sql();
            let waiting = "SELECT count(*) FROM dir_dkim_keys WHERE domain = ?1 AND state = 0";
            let waiting = tx.query_one(waiting, params![domain], |row| row.int(0))?.unwrap_or(0);
            if waiting == 0 {
                return Err(Error::not_found("no DKIM key waits to be used", "没有等待启用的 DKIM 密钥"));
            }
            tx.execute("UPDATE dir_dkim_keys SET state = 2 WHERE domain = ?1 AND state = 1", params![domain])?;
            tx.execute("UPDATE dir_dkim_keys SET state = 1 WHERE domain = ?1 AND state = 0", params![domain])?;
            Ok(waiting as u64)
        })
        .await
    }

    /// Removes a key for good. `Class::NotFound` when there is none of that selector.
    pub async fn remove_dkim_key(&self, domain: &str, selector: &str) -> Result<()> {
        let (name, selector) = (names::domain_key(domain), selector.to_ascii_lowercase());
        self.change(move |tx| {
            let domain = rows::domain_by_name(tx, &name)?.ok_or_else(no_domain)?.id.to_sql();
            let sql = "DELETE FROM dir_dkim_keys WHERE domain = ?1 AND selector = ?2";
            match tx.execute(sql, params![domain, &selector])? {
                0 => Err(Error::not_found(
                    format!("no key has the selector {selector}"),
                    format!("没有选择器为 {selector} 的密钥"),
                )),
                _ => Ok(()),
            }
        })
        .await
    }

    /// The signatures for the front of a message, one for each active key of the first of these domains that has any; empty when none has.
    /// The message must have been taken to be signed.
    pub async fn sign(&self, message: &Passed, domains: impl IntoIterator<Item = String>) -> Result<String> {
        let now = self.inner.deps.clock.now().secs();
        for domain in domains {
            let keys = self.signing_keys(&domain).await?;
            if let Some(domain) = anser_senderauth::dns::domain(&domain).filter(|_| !keys.is_empty()) {
                let signer = |one: &SigningKey| {
                    dkim::sign(message, Signer { key: &one.key, domain: &domain, selector: &one.selector, now })
                };
                return keys.iter().map(signer).collect();
            }
        }
        Ok(String::new())
    }

    /// The keys that sign the mail of a domain; none for a domain that is not ours. Answered from memory.
    pub async fn signing_keys(&self, domain: &str) -> Result<Arc<[SigningKey]>> {
        let name = names::domain_key(domain);
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.signing.get(stamp, &name) {
            return Ok(known);
        }
        let sql = "SELECT k.selector, k.algorithm, k.secret FROM dir_dkim_keys k JOIN dir_domains d ON d.id = k.domain
                   WHERE d.name = ?1 AND k.state = 1 ORDER BY k.created_ms, k.selector";
        let wanted = name.clone();
        let found = self.read(move |tx| tx.query(sql, params![&wanted], signing_key_of)).await?;
        let found: Arc<[SigningKey]> = found.into();
        self.inner.signing.put(stamp, name, found.clone());
        Ok(found)
    }
}

pub(crate) fn remove_all(tx: &mut Tx<'_>, domain: i64) -> Result<()> {
    tx.execute("DELETE FROM dir_dkim_keys WHERE domain = ?1", params![domain]).map(drop)
}

fn key_of(row: &Row<'_>) -> Result<DkimKey> {
    Ok(DkimKey {
        selector: row.text(0)?,
        algorithm: algorithm_of(&row.text(1)?)?,
        state: DkimState::of(row.int(2)?)?,
        record: row.text(3)?,
        created: Timestamp(row.int(4)?),
    })
}

fn signing_key_of(row: &Row<'_>) -> Result<SigningKey> {
    let key = SecretKey::from_pkcs8(algorithm_of(&row.text(1)?)?, &row.blob(2)?)?;
    Ok(SigningKey { selector: row.text(0)?, key })
}

fn algorithm_of(word: &str) -> Result<Algorithm> {
    match word {
        "rsa-sha256" => Ok(Algorithm::RsaSha256),
        "ed25519-sha256" => Ok(Algorithm::Ed25519Sha256),
        _ => Err(Error::damaged("the algorithm of a DKIM key")),
    }
}
