//! How much an account may send to other organisations, to whom it has written before, and whose mail is held because the account seems to
//! be in wrong hands.

use std::sync::Arc;

use anser_base::{AccountId, Address, Error, Result, Timestamp};
use anser_db::{Durability, Place, Row, Tx, params};

use crate::model::Account;
use crate::{Directory, names};

/// People that an account is remembered to have written to; the oldest go first.
const CORRESPONDENTS: i64 = 20_000;

/// Recipients elsewhere that somebody may write to in a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendingLimits {
    /// Whose limits they are: an account, a group for each of its members, a domain for each of its accounts, `*` for everybody; or
    /// `@example.org` for a whole domain together.
    pub scope: String,
    /// In an hour.
    pub per_hour: u32,
    /// In a day.
    pub per_day: u32,
    /// Of them such that were never written to before, in a day.
    pub new_per_day: u32,
}

impl SendingLimits {
    /// What holds where nobody set anything: far above what people write, far below what those who steal accounts want.
    pub fn usual() -> Self {
        Self { scope: "*".into(), per_hour: 1000, per_day: 5000, new_per_day: 1000 }
    }
}

/// An account whose mail to others is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendingHold {
    /// Its address.
    pub address: String,
    /// Since when.
    pub since: Timestamp,
    /// What gave rise to it.
    pub why: String,
}

/// The settings.
impl Directory {
    /// Sets limits, in place of those of the same scope.
    pub async fn put_sending_limits(&self, limits: SendingLimits) -> Result<()> {
        let limits = SendingLimits { scope: scope(&limits.scope)?, ..limits };
        self.change(move |tx| {
            tx.execute("DELETE FROM dir_sending WHERE scope = ?1", params![&limits.scope])?;
            let [hour, day, new] = [limits.per_hour, limits.per_day, limits.new_per_day].map(i64::from);
            let sql = "INSERT INTO dir_sending (scope, per_hour, per_day, new_per_day) VALUES (?1, ?2, ?3, ?4)";
            tx.execute(sql, params![&limits.scope, hour, day, new]).map(drop)
        })
        .await
    }

    /// Removes limits. `Class::NotFound` when there are none of that scope.
    pub async fn remove_sending_limits(&self, of: &str) -> Result<()> {
        let of = scope(of)?;
        self.change(move |tx| match tx.execute("DELETE FROM dir_sending WHERE scope = ?1", params![&of])? {
            0 => Err(Error::not_found(format!("{of} has no limits of its own"), format!("{of} 没有单独的限额"))),
            _ => Ok(()),
        })
        .await
    }

    /// All limits that were set, by scope.
    pub async fn all_sending_limits(&self) -> Result<Vec<SendingLimits>> {
        self.read(|tx| tx.query(&format!("{LIMITS} ORDER BY scope"), &[], limits)).await
    }

    /// What an account may send: its own limits, else the widest of its groups, else its domain's, else everybody's.
    pub async fn sending_limits(&self, account: &Account) -> Result<Arc<SendingLimits>> {
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.sending.get(stamp, &account.id) {
            return Ok(known);
        }
        let groups = self.groups_of(account.id).await?;
        let (own, domain) = (names::key(&account.address), names::domain_key(account.address.domain()));
        let found = self.read(move |tx| limits_of(tx, &own, &groups, &domain)).await?;
        let found = Arc::new(found.unwrap_or_else(SendingLimits::usual));
        self.inner.sending.put(stamp, account.id, found.clone());
        Ok(found)
    }

    /// What all accounts of a domain may send together, if that is limited.
    pub async fn sending_limits_of_domain(&self, domain: &str) -> Result<Option<SendingLimits>> {
        let scope = format!("@{}", names::domain_key(domain));
        self.read(move |tx| limits_at(tx, &scope)).await
    }
}

/// Accounts in wrong hands.
impl Directory {
    /// Holds what an account sends to others from now on. Tells whether it was not held before.
    pub async fn hold_sending(&self, account: AccountId, why: &str) -> Result<bool> {
        let (why, now) = (why.to_owned(), self.inner.deps.clock.now().0);
        let sql = "INSERT INTO dir_sending_held (account, since_ms, why) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.change(move |tx| Ok(tx.execute(sql, params![account.to_sql(), now, &why])? > 0)).await
    }

    /// Lets an account send again. `Class::NotFound` when it is not held.
    pub async fn release_sending(&self, account: AccountId) -> Result<()> {
        let sql = "DELETE FROM dir_sending_held WHERE account = ?1";
        self.change(move |tx| match tx.execute(sql, params![account.to_sql()])? {
            0 => Err(Error::not_found("the mail of that account is not held", "该账号的外发邮件未被暂停")),
            _ => Ok(()),
        })
        .await
    }

    /// Why what an account sends is held, if it is. Answered from memory.
    pub async fn sending_hold(&self, account: AccountId) -> Result<Option<Arc<str>>> {
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.held.get(stamp, &account) {
            return Ok(known);
        }
        let sql = "SELECT why FROM dir_sending_held WHERE account = ?1";
        let found = self.read(move |tx| tx.query_one(sql, params![account.to_sql()], |row| row.text(0))).await?;
        let found: Option<Arc<str>> = found.map(Into::into);
        self.inner.held.put(stamp, account, found.clone());
        Ok(found)
    }

    /// All accounts whose mail is held.
    pub async fn sending_holds(&self) -> Result<Vec<SendingHold>> {
        let sql = "SELECT a.address, h.since_ms, h.why FROM dir_sending_held h JOIN dir_accounts a ON a.id = h.account ORDER BY 1";
        let hold =
            |row: &Row<'_>| Ok(SendingHold { address: row.text(0)?, since: Timestamp(row.int(1)?), why: row.text(2)? });
        self.read(move |tx| tx.query(sql, &[], hold)).await
    }
}

/// People who were written to.
impl Directory {
    /// How many of these an account has never written to.
    pub async fn new_correspondents(&self, account: AccountId, people: &[Address]) -> Result<u32> {
        let people: Vec<i64> = people.iter().map(fingerprint).collect();
        self.read(move |tx| {
            let mut new = 0;
            for person in &people {
                let sql = "SELECT 1 FROM dir_correspondents WHERE account = ?1 AND person = ?2";
                new += u32::from(tx.query_one(sql, params![account.to_sql(), *person], |_| Ok(()))?.is_none());
            }
            Ok(new)
        })
        .await
    }

    /// Notes that an account writes to these. A power cut may forget it.
    pub async fn note_correspondents(&self, account: AccountId, people: &[Address]) -> Result<()> {
        let people: Vec<i64> = people.iter().map(fingerprint).collect();
        let (account, now) = (account.to_sql(), self.inner.deps.clock.now().0);
        let work = move |tx: &mut Tx<'_>| {
            for person in &people {
                let sql = "INSERT INTO dir_correspondents (account, person, seen_ms) VALUES (?1, ?2, ?3)
                           ON CONFLICT (account, person) DO UPDATE SET seen_ms = excluded.seen_ms";
                tx.execute(sql, params![account, *person, now])?;
            }
            let sql = "DELETE FROM dir_correspondents WHERE account = ?1 AND seen_ms <
                       (SELECT seen_ms FROM dir_correspondents WHERE account = ?1 ORDER BY seen_ms DESC LIMIT 1 OFFSET ?2)";
            tx.execute(sql, params![account, CORRESPONDENTS]).map(drop)
        };
        self.db().write(Place::Server, Durability::Deferred, work).await
    }
}

pub(crate) fn forget(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    for table in ["dir_correspondents", "dir_sending_held"] {
        tx.execute(&format!("DELETE FROM {table} WHERE account = ?1"), params![account.to_sql()])?;
    }
    Ok(())
}

/// Two people with one fingerprint would be one person: a new one may go unnoticed.
fn fingerprint(person: &Address) -> i64 {
    let hash = blake3::hash(names::key(person).as_bytes());
    let (first, _) = hash.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    i64::from_le_bytes(*first)
}

fn scope(text: &str) -> Result<String> {
    let text = text.trim();
    match text.strip_prefix('@') {
        _ if text == "*" => Ok(text.to_owned()),
        Some(domain) => Ok(format!("@{}", names::new_domain(domain)?)),
        None if text.contains('@') => {
            let bad = || Error::invalid(format!("{text} is not an address"), format!("{text} 不是邮箱地址"));
            Ok(names::key(&Address::parse(text).ok_or_else(bad)?))
        }
        None => names::new_domain(text),
    }
}

const LIMITS: &str = "SELECT scope, per_hour, per_day, new_per_day FROM dir_sending";

fn limits(row: &Row<'_>) -> Result<SendingLimits> {
    let number = |at| Ok::<_, Error>(u32::try_from(row.int(at)?).unwrap_or(u32::MAX));
    Ok(SendingLimits { scope: row.text(0)?, per_hour: number(1)?, per_day: number(2)?, new_per_day: number(3)? })
}

fn limits_at(tx: &mut Tx<'_>, scope: &str) -> Result<Option<SendingLimits>> {
    tx.query_one(&format!("{LIMITS} WHERE scope = ?1"), params![scope], limits)
}

fn limits_of(tx: &mut Tx<'_>, own: &str, groups: &[u64], domain: &str) -> Result<Option<SendingLimits>> {
    if let Some(found) = limits_at(tx, own)? {
        return Ok(Some(found));
    }
    let mut widest: Option<SendingLimits> = None;
    for group in groups {
        let sql = format!("{LIMITS} WHERE scope = (SELECT address FROM dir_groups WHERE id = ?1)");
        let found = tx.query_one(&sql, params![*group as i64], limits)?;
        widest = widest.into_iter().chain(found).max_by_key(|limits| limits.per_day);
    }
    for scope in [domain, "*"] {
        widest = if widest.is_some() { widest } else { limits_at(tx, scope)? };
    }
    Ok(widest)
}
