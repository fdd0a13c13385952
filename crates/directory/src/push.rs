//! Where changes are pushed to (RFC 8620 §7.2), for each account, with what each was asked for with: when that is good no more, nothing is
//! pushed. What a subscription says is the business of who pushes; here it lies sealed.

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Row, params};

use crate::{Directory, Pass, rows, sealed};

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSubscription {
    /// Its number, never used twice.
    pub id: u64,
    /// Whose it is.
    pub account: AccountId,
    /// What it was asked for with; [`Directory::recheck`] tells whether that is still good.
    pub pass: Pass,
    /// When it is over.
    pub expires: Timestamp,
    /// What it says.
    pub value: Vec<u8>,
}

impl Directory {
    /// Adds a subscription; its number. What is over goes. `Class::Limit` when the account has `most` already.
    pub async fn add_push(
        &self,
        account: AccountId,
        pass: &Pass,
        expires: Timestamp,
        value: &[u8],
        most: usize,
    ) -> Result<u64> {
        let (key, now, pass) = (self.secrets().await?.oauth, self.inner.deps.clock.now(), pass.kept());
        // It is sealed for its account: whoever moves a row to another has nothing.
        let value = sealed::seal(&key, place(account), value, &self.inner.deps.entropy)?;
        self.note(move |tx| {
            tx.execute(
                "DELETE FROM dir_push WHERE account = ?1 AND expires_ms <= ?2",
                params![account.to_sql(), now.0],
            )?;
            let count = "SELECT COUNT(*) FROM dir_push WHERE account = ?1";
            if tx.query_one(count, params![account.to_sql()], |row| row.int(0))?.unwrap_or(0) >= most as i64 {
                return Err(Error::new(Class::Limit, "there are too many subscriptions", "推送订阅过多"));
            }
            let id = rows::count_up(tx, "push", 1)?;
            let sql = "INSERT INTO dir_push (id, account, pass, expires_ms, value) VALUES (?1, ?2, ?3, ?4, ?5)";
            tx.execute(sql, params![id as i64, account.to_sql(), &pass, expires.0, &value])?;
            Ok(id)
        })
        .await
    }

    /// Writes a subscription anew. `Class::NotFound` without one.
    pub async fn put_push(&self, account: AccountId, id: u64, expires: Timestamp, value: &[u8]) -> Result<()> {
        let key = self.secrets().await?.oauth;
        let value = sealed::seal(&key, place(account), value, &self.inner.deps.entropy)?;
        let sql = "UPDATE dir_push SET expires_ms = ?3, value = ?4 WHERE account = ?1 AND id = ?2";
        let missing = || Error::not_found("there is no such subscription", "没有这个推送订阅");
        self.note(move |tx| {
            let changed = tx.execute(sql, params![account.to_sql(), id as i64, expires.0, &value])?;
            if changed > 0 { Ok(()) } else { Err(missing()) }
        })
        .await
    }

    /// Removes a subscription. Whether there was one.
    pub async fn remove_push(&self, account: AccountId, id: u64) -> Result<bool> {
        let sql = "DELETE FROM dir_push WHERE account = ?1 AND id = ?2";
        self.note(move |tx| Ok(tx.execute(sql, params![account.to_sql(), id as i64])? > 0)).await
    }

    /// The subscriptions of an account that are not over, the oldest first.
    pub async fn push_subscriptions(&self, account: AccountId) -> Result<Vec<PushSubscription>> {
        let (key, now) = (self.secrets().await?.oauth, self.inner.deps.clock.now());
        let sql = "SELECT id, pass, expires_ms, value FROM dir_push WHERE account = ?1 AND expires_ms > ?2 ORDER BY id";
        let one = |row: &Row<'_>| Ok((row.int(0)? as u64, row.text(1)?, Timestamp(row.int(2)?), row.blob(3)?));
        let found = self.read(move |tx| tx.query(sql, params![account.to_sql(), now.0], one)).await?;
        // What cannot be opened, after keys were lost, is none.
        let open = |(id, pass, expires, value): (u64, String, Timestamp, Vec<u8>)| {
            let pass = Pass::of_kept(account, &pass)?;
            Some(PushSubscription {
                id,
                account,
                pass,
                expires,
                value: sealed::open(&key, place(account), &value).ok()?,
            })
        };
        Ok(found.into_iter().filter_map(open).collect())
    }

    /// Removes the subscriptions that are over, of all accounts.
    pub async fn remove_old_push(&self) -> Result<()> {
        let now = self.inner.deps.clock.now();
        let any = "SELECT 1 FROM dir_push WHERE expires_ms <= ?1 LIMIT 1";
        if self.read(move |tx| tx.query_one(any, params![now.0], |_| Ok(()))).await?.is_none() {
            return Ok(());
        }
        self.note(move |tx| tx.execute("DELETE FROM dir_push WHERE expires_ms <= ?1", params![now.0]).map(drop)).await
    }

    /// Accounts that have subscriptions which are not over.
    pub async fn push_accounts(&self) -> Result<Vec<AccountId>> {
        let now = self.inner.deps.clock.now();
        let sql = "SELECT DISTINCT account FROM dir_push WHERE expires_ms > ?1";
        self.read(move |tx| tx.query(sql, params![now.0], |row| Ok(AccountId::from_sql(row.int(0)?)))).await
    }
}

fn place(account: AccountId) -> String {
    format!("push {account}")
}
