//! Devices without a browser (RFC 8628): their owners answer at a page of ours, by a code that the device shows.

use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Tx, params};

use super::{Denied, PREFIX, Tokens, Wanted};
use crate::Directory;
use crate::admin::{no_account, one};
use crate::model::Services;

/// How long a device may wait for its owner (RFC 8628 §3.2).
pub const DEVICE_TIME: Duration = Duration::from_secs(15 * 60);
/// Seconds between two questions of a device (RFC 8628 §3.2).
pub const DEVICE_INTERVAL: i64 = 5;
/// Devices that wait at once, in the house.
const DEVICES: i64 = 10_000;
/// Letters of the code that an owner types for a device (RFC 8628 §6.1).
const USER_CODE: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// A device that waits for its owner.
#[derive(Clone, Debug)]
pub struct Device {
    /// What it asks with.
    pub device_code: String,
    /// What its owner types.
    pub user_code: String,
}

impl Directory {
    /// A device begins to wait. `Class::Limit` when too many do.
    pub async fn begin_device(&self, wanted: Wanted) -> Result<Device> {
        let (entropy, now) = (&self.inner.deps.entropy, self.inner.deps.clock.now());
        let letters: String =
            (0..8).map(|_| char::from(USER_CODE[entropy.below(USER_CODE.len() as u64) as usize])).collect();
        let device_code = format!("{PREFIX}od_{}", entropy.token(52));
        let hash = *blake3::keyed_hash(&self.secrets().await?.oauth, device_code.as_bytes()).as_bytes();
        let code = letters.clone();
        self.note(move |tx| {
            // One whose time is over is told so for as long again (RFC 8628 §3.5, `expired_token`).
            let forgotten = now.0 - DEVICE_TIME.as_millis() as i64;
            tx.execute("DELETE FROM dir_oauth_devices WHERE expires_ms <= ?1", params![forgotten])?;
            let count = "SELECT COUNT(*) FROM dir_oauth_devices WHERE expires_ms > ?1";
            let count = tx.query_one(count, params![now.0], |row| row.int(0))?.unwrap_or(0);
            if count >= DEVICES {
                return Err(Error::new(
                    Class::Limit,
                    "too many devices wait; try again later",
                    "等待的设备过多，请稍后再试",
                ));
            }
            let sql =
                "INSERT INTO dir_oauth_devices (hash, code, client, services, openid, expires_ms, polled_ms, account)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0) ON CONFLICT DO NOTHING";
            let (services, until) = (wanted.services.0, now.after(DEVICE_TIME).0);
            let added = tx.execute(sql, params![&hash[..], &code, &wanted.client, services, wanted.openid, until])?;
            one(added, || Error::unavailable("two devices got the same code"))
        })
        .await?;
        Ok(Device { device_code, user_code: format!("{}-{}", &letters[..4], &letters[4..]) })
    }

    /// What the device wants whose code an owner typed; `None` when none waits with it.
    pub async fn waiting_device(&self, user_code: &str) -> Result<Option<Wanted>> {
        let (code, now) = (bare(user_code), self.inner.deps.clock.now());
        let sql = "SELECT client, services, openid FROM dir_oauth_devices
                   WHERE code = ?1 AND expires_ms > ?2 AND account = 0";
        self.read(move |tx| {
            tx.query_one(sql, params![&code, now.0], |row| {
                let (client, services) = (row.text(0)?, Services(row.int(1)? as u32));
                Ok(Wanted { client, services, openid: row.bool(2)?, ..Wanted::default() })
            })
        })
        .await
    }

    /// What an owner says to a device. Returns whether it still waited.
    pub async fn answer_device(&self, user_code: &str, account: AccountId, allowed: bool) -> Result<bool> {
        let (code, now) = (bare(user_code), self.inner.deps.clock.now());
        let credential = self.credentials_of(account).await?.ok_or_else(no_account)?.version;
        let account = if allowed { account.to_sql() } else { -1 };
        let sql = "UPDATE dir_oauth_devices SET account = ?2, credential = ?4
                   WHERE code = ?1 AND expires_ms > ?3 AND account = 0";
        Ok(self.note(move |tx| tx.execute(sql, params![&code, account, now.0, credential])).await? > 0)
    }

    /// A device asks whether its owner has answered (RFC 8628 §3.4).
    pub async fn poll_device(&self, device_code: &str, client: &str) -> Result<Result<Tokens, Denied>> {
        let hash = *blake3::keyed_hash(&self.secrets().await?.oauth, device_code.as_bytes()).as_bytes();
        let (now, client) = (self.inner.deps.clock.now(), client.to_owned());
        let found = self.note(move |tx| poll(tx, &hash, &client, now)).await?;
        let (account, credential, wanted) = match found {
            Ok(answered) => answered,
            Err(denied) => return Ok(Err(denied)),
        };
        // What was allowed before a new password is over with the old one, whenever the device comes for it.
        let id = self.add_grant(account, credential, wanted).await?;
        let Some(grant) = self.grant_now(id).await? else { return Ok(Err(Denied::Grant)) };
        let sql = "UPDATE dir_oauth_grants SET turn = 1 WHERE id = ?1";
        self.note(move |tx| tx.execute(sql, params![id.0 as i64])).await?;
        self.tokens(id, &grant, 1).await
    }
}

/// Whose yes a device has, with the version of their credentials, and to what.
type Answered = (AccountId, i64, Wanted);

fn poll(tx: &mut Tx<'_>, hash: &[u8; 32], client: &str, now: Timestamp) -> Result<Result<Answered, Denied>> {
    let sql = "SELECT client, services, openid, expires_ms, polled_ms, account, credential FROM dir_oauth_devices
               WHERE hash = ?1";
    let found = tx.query_one(sql, params![&hash[..]], |row| {
        let wanted = Wanted {
            client: row.text(0)?,
            services: Services(row.int(1)? as u32),
            openid: row.bool(2)?,
            ..Wanted::default()
        };
        Ok((wanted, row.int(3)?, row.int(4)?, row.int(5)?, row.int(6)?))
    })?;
    let Some((wanted, expires, polled, account, credential)) = found.filter(|(wanted, ..)| wanted.client == client)
    else {
        return Ok(Err(Denied::Grant));
    };
    if expires <= now.0 {
        return Ok(Err(Denied::Expired));
    }
    if account == 0 {
        let sql = "UPDATE dir_oauth_devices SET polled_ms = ?2 WHERE hash = ?1";
        tx.execute(sql, params![&hash[..], now.0])?;
        let early = now.0 - polled < DEVICE_INTERVAL * 1000;
        return Ok(Err(if early { Denied::SlowDown } else { Denied::Pending }));
    }
    tx.execute("DELETE FROM dir_oauth_devices WHERE hash = ?1", params![&hash[..]])?;
    if account < 0 {
        return Ok(Err(Denied::Owner));
    }
    Ok(Ok((AccountId::from_sql(account), credential, wanted)))
}

/// A code as it is stored: however its owner types it.
fn bare(user_code: &str) -> String {
    user_code.chars().take(40).filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect()
}
