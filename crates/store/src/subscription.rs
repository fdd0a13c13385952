//! Subscriptions to mailboxes of other accounts: the subscriber's own, by the number of the mailbox, so that they survive its renaming.
//! And those to own mailboxes that are gone, by name: a mailbox of that name is subscribed again (RFC 9051 §6.3.7).

use std::collections::BTreeSet;

use anser_base::{AccountId, Class, Error, MailboxId, Result};
use anser_db::params;

use crate::change::Change;
use crate::tx::MailTx;

/// Mailboxes of others that one account subscribes to at most.
pub const SUBSCRIPTIONS: usize = 5_000;

impl MailTx<'_, '_> {
    /// What this account subscribes to of others.
    pub fn subscriptions(&mut self) -> Result<BTreeSet<(AccountId, MailboxId)>> {
        let sql = "SELECT owner, mailbox FROM subscription WHERE account = ?1";
        let read = |row: &anser_db::Row<'_>| Ok((AccountId::from_sql(row.int(0)?), MailboxId::from_sql(row.int(1)?)));
        Ok(self.db.query(sql, params![self.account.to_sql()], read)?.into_iter().collect())
    }

    /// Subscribes to a mailbox of another account, or no longer. `Class::Limit` beyond [`SUBSCRIPTIONS`].
    pub fn subscribe_to(&mut self, owner: AccountId, mailbox: MailboxId, subscribed: bool) -> Result<()> {
        self.require_writing()?;
        self.modseq();
        self.publish(Change::SubscribedTo { owner, mailbox });
        let key = params![self.account.to_sql(), owner.to_sql(), mailbox.to_sql()];
        if !subscribed {
            let sql = "DELETE FROM subscription WHERE account = ?1 AND owner = ?2 AND mailbox = ?3";
            return self.db.execute(sql, key).map(drop);
        }
        if self.subscriptions()?.len() >= SUBSCRIPTIONS {
            return Err(Error::new(Class::Limit, "too many subscriptions", "订阅数量过多"));
        }
        let sql = "INSERT INTO subscription (account, owner, mailbox) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.db.execute(sql, key).map(drop)
    }

    /// Paths of own mailboxes that are subscribed and gone, their levels joined by `/`.
    pub fn gone_subscriptions(&mut self) -> Result<BTreeSet<String>> {
        let sql = "SELECT path FROM gone_subscription WHERE account = ?1";
        Ok(self.db.query(sql, params![self.account.to_sql()], |row| row.text(0))?.into_iter().collect())
    }

    /// Keeps the subscription to a mailbox that is about to be deleted, if it is subscribed. Beyond [`SUBSCRIPTIONS`] it is lost.
    pub fn keep_subscription(&mut self, id: MailboxId) -> Result<()> {
        self.require_writing()?;
        if !self.mailbox(id)?.subscribed || self.gone_subscriptions()?.len() >= SUBSCRIPTIONS {
            return Ok(());
        }
        let path = self.path(id)?.join("/");
        let sql = "INSERT INTO gone_subscription (account, path) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.db.execute(sql, params![self.account.to_sql(), &path]).map(drop)
    }

    /// Ends the subscription to a mailbox that is gone. Whether there was one.
    pub fn forget_subscription(&mut self, path: &str) -> Result<bool> {
        self.require_writing()?;
        let sql = "DELETE FROM gone_subscription WHERE account = ?1 AND path = ?2";
        Ok(self.db.execute(sql, params![self.account.to_sql(), path])? > 0)
    }
}
