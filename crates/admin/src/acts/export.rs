//! Mail goes out, byte for byte.

use std::sync::Arc;

use anser_base::{Error, MailboxId, Result};
use anser_directory::Account;
use anser_journal::{Entry as Note, Origin, What};
use anser_store::{Entry, Message};

use crate::answer::{Mail, MailHead, Out, Report};
use crate::{Actor, Admin};

/// Messages whose rows are read at once.
const PAGE: usize = 64;

impl Admin {
    /// Hands out every message of an account, or of one mailbox (`A/B`), mailbox after mailbox in the order of UIDs.
    pub async fn export(&self, actor: &Actor, address: &str, folder: Option<String>, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let mailboxes = self.mailboxes(&account, folder.as_deref()).await?;
        for (_, path) in &mailboxes {
            self.note_access(actor, &account, &path.join("/")).await?;
        }
        let total = self.deps.store.read(account.id, |tx| Ok(tx.messages())).await?;
        let (mut messages, mut bytes) = (0, 0);
        for (mailbox, path) in mailboxes {
            let snapshot = self.deps.store.snapshot(account.id, mailbox).await?;
            let entries: Vec<Entry> = snapshot.iter().cloned().collect();
            for some in entries.chunks(PAGE) {
                for mail in self.load(&account, &path, some.to_vec()).await? {
                    messages += 1;
                    bytes += mail.head.size;
                    out.mail(mail).await?;
                }
                out.progress(messages, total);
            }
        }
        Ok(Report::Mails { messages, bytes, skipped: 0 })
    }

    async fn mailboxes(&self, account: &Account, only: Option<&str>) -> Result<Vec<(MailboxId, Vec<String>)>> {
        let all = |tx: &mut anser_store::MailTx<'_, '_>| {
            let mut found = Vec::new();
            for mailbox in tx.mailboxes()? {
                found.push((mailbox.id, tx.path(mailbox.id)?));
            }
            Ok(found)
        };
        let all = self.deps.store.read(account.id, all).await?;
        let Some(only) = only else { return Ok(all) };
        let is_it = |path: &[String]| {
            let name = path.join("/");
            name == only || (name.eq_ignore_ascii_case("INBOX") && only.eq_ignore_ascii_case("INBOX"))
        };
        let found: Vec<_> = all.into_iter().filter(|(_, path)| is_it(path)).collect();
        match found.is_empty() {
            true => Err(Error::not_found(format!("there is no mailbox {only}"), format!("没有文件夹 {only}"))),
            false => Ok(found),
        }
    }

    /// Some messages with their bytes; those that were expunged meanwhile are left out.
    async fn load(&self, account: &Arc<Account>, path: &[String], entries: Vec<Entry>) -> Result<Vec<Mail>> {
        let rows = move |tx: &mut anser_store::MailTx<'_, '_>| {
            let mut found: Vec<(Entry, Message)> = Vec::new();
            for entry in &entries {
                found.extend(tx.message(entry.message)?.map(|message| (entry.clone(), message)));
            }
            Ok(found)
        };
        let rows = self.deps.store.read(account.id, rows).await?;
        let (store, tenant, path) = (self.deps.store.clone(), account.tenant, path.to_vec());
        let work = move || {
            let one = |(entry, message): (Entry, Message)| -> Result<Mail> {
                let body = store.load(tenant, &message)?;
                let head = MailHead {
                    folder: path.clone(),
                    flags: entry.flags.0,
                    keywords: entry.keywords.iter().map(str::to_owned).collect(),
                    received: Some(entry.received.0),
                    zone: entry.zone,
                    written: None,
                    uid: entry.uid,
                    size: body.len() as u64,
                };
                Ok(Mail { head, body })
            };
            rows.into_iter().map(one).collect()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }

    async fn note_access(&self, actor: &Actor, account: &Account, mailbox: &str) -> Result<()> {
        let (actor, act) = (actor.name.clone(), "export".to_owned());
        let what = What::Accessed { actor, account: account.id, mailbox: mailbox.to_owned(), act };
        let origin = Origin { protocol: Some("cli".to_owned()), client: None };
        self.deps.journal.append_durable(Note { origin, what }).await
    }
}
