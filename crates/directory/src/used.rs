//! Who uses what: on which days an account was logged in to, by which door. Written once a day at most for each door of an account.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use anser_base::{AccountId, Result, Timestamp};
use anser_db::{Tx, params};

use crate::credentials::Credentials;
use crate::guard::Network;
use crate::model::Service;
use crate::{Directory, login};

/// App passwords whose names begin so are the house's own, made and revoked within one act: what comes by them is not their owner.
pub const OF_THE_HOUSE: &str = "move-verify-";
/// Milliseconds of a day.
const DAY: i64 = 24 * 3600 * 1000;
/// Accounts whose use one look at the table brings.
const PAGE: usize = 500;

/// The use of one door of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub service: Service,
    /// The first login.
    pub first: Timestamp,
    /// The first login of the last day (UTC) on which there was one.
    pub last: Timestamp,
    /// Days on which there was one.
    pub days: u32,
}

impl Directory {
    /// The use of these accounts, by account and door.
    pub async fn used(&self, accounts: &[AccountId]) -> Result<Vec<Used>> {
        let mut all = Vec::new();
        for some in accounts.chunks(PAGE) {
            let some = some.to_vec();
            let found = self.read(move |tx| {
                let mut found = Vec::new();
                for account in &some {
                    found.extend(of_account(tx, *account)?);
                }
                Ok(found)
            });
            all.extend(found.await?);
        }
        Ok(all)
    }

    /// Which of these accounts somebody has logged in to: use is noted, a session is open, or a place is known that somebody came from.
    pub async fn logged_in(&self, accounts: &[AccountId]) -> Result<HashSet<AccountId>> {
        let mut all = HashSet::new();
        for some in accounts.chunks(PAGE) {
            let some = some.to_vec();
            let found = self.read(move |tx| {
                let mut found = Vec::new();
                for account in &some {
                    if is_known(tx, *account)? {
                        found.push(*account);
                    }
                }
                Ok(found)
            });
            all.extend(found.await?);
        }
        Ok(all)
    }

    /// Notes a login, the first of its day; whether it was that.
    pub(crate) async fn note_use(&self, of: &Credentials, service: Service, now: Timestamp) -> bool {
        if of.used.iter().any(|used| used.service == service && used.last.0.div_euclid(DAY) >= now.0.div_euclid(DAY)) {
            return false;
        }
        let account = of.account.id;
        let noted = self.note(move |tx| {
            let sql = "INSERT INTO dir_used (account, service, first_ms, last_ms, days) VALUES (?1, ?2, ?3, ?3, 1)
                       ON CONFLICT (account, service) DO UPDATE SET last_ms = excluded.last_ms, days = dir_used.days + 1
                       WHERE dir_used.last_ms < ?4";
            // Another server of the house may have noted this day.
            let midnight = now.0.div_euclid(DAY) * DAY;
            tx.execute(sql, params![account.to_sql(), service.to_sql(), now.0, midnight]).map(drop)
        });
        login::log_failure("use", noted.await);
        true
    }
}

pub(crate) fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Used>> {
    let sql = "SELECT service, first_ms, last_ms, days FROM dir_used WHERE account = ?1 ORDER BY service";
    let found = tx.query(sql, params![account.to_sql()], |row| {
        let (service, days) = (Service::from_sql(row.int(0)?), u32::try_from(row.int(3)?).unwrap_or(u32::MAX));
        let (first, last) = (Timestamp(row.int(1)?), Timestamp(row.int(2)?));
        Ok(service.map(|service| Used { account, service, first, last, days }))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn is_known(tx: &mut Tx<'_>, account: AccountId) -> Result<bool> {
    if !of_account(tx, account)?.is_empty() {
        return Ok(true);
    }
    let sql = "SELECT id FROM dir_sessions WHERE account = ?1 LIMIT 1";
    if tx.query_one(sql, params![account.to_sql()], |row| row.int(0))?.is_some() {
        return Ok(true);
    }
    // From this machine the house itself comes.
    let own = [Network::of(Ipv4Addr::LOCALHOST.into()), Network::of(Ipv6Addr::LOCALHOST.into())];
    let sql = "SELECT network FROM dir_places WHERE account = ?1";
    let places = tx.query(sql, params![account.to_sql()], |row| row.blob(0))?;
    Ok(places.iter().filter_map(|place| Network::from_slice(place)).any(|place| !own.contains(&place)))
}

pub(crate) fn forget(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM dir_used WHERE account = ?1", params![account.to_sql()]).map(drop)
}
