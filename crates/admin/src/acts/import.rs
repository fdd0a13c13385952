//! Mail comes in from files. Nothing is triggered by it: no queue, no report, no rule.

use std::collections::HashMap;

use anser_base::{AccountId, Durability, Error, MailboxId, Result, TenantId, Timestamp};
use anser_store::{Content, Flags, Keywords, MailTx, NewMessage, Store};
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::answer::{Mail, MailHead, Out, Report};
use crate::{Actor, Admin};

/// Messages of one transaction.
const BATCH: usize = 64;
/// Bytes of one transaction, beyond which no further message joins it.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

impl Admin {
    /// Puts messages into an account's mailboxes, which are made as needed. Works batch by batch: one is made durable while the next is
    /// read. When it fails, the batches before are in.
    pub async fn import(&self, actor: &Actor, address: &str, mails: mpsc::Receiver<Mail>, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let (messages, bytes, ended) = self.take_all(account.tenant, account.id, mails, out).await;
        let after = Some(format!("{messages} messages, {bytes} bytes"));
        self.note(actor, "mail.import", address, None, after).await?;
        ended.map(|()| Report::Mails { messages, bytes, skipped: 0 })
    }

    async fn take_all(
        &self,
        tenant: TenantId,
        account: AccountId,
        mut mails: mpsc::Receiver<Mail>,
        out: &Out,
    ) -> (u64, u64, Result<()>) {
        let (mut messages, mut bytes) = (0, 0);
        let mut committing: Option<tokio::task::JoinHandle<Result<(u64, u64)>>> = None;
        loop {
            let batch = gather(&mut mails).await;
            let last = batch.is_empty();
            let prepared = self.prepare(tenant, batch).await;
            if let Some(before) = committing.take() {
                match before.await.map_err(Error::unavailable).and_then(|done| done) {
                    Ok((more, size)) => (messages, bytes) = (messages + more, bytes + size),
                    Err(error) => return (messages, bytes, Err(error)),
                }
                out.progress(messages, 0);
            }
            match prepared {
                Ok(_) if last => return (messages, bytes, Ok(())),
                Ok(prepared) => committing = Some(tokio::spawn(commit(self.deps.store.clone(), account, prepared))),
                Err(error) => return (messages, bytes, Err(error)),
            }
        }
    }

    /// Puts bodies where they can be read, not yet durable.
    async fn prepare(&self, tenant: TenantId, batch: Vec<Mail>) -> Result<Vec<(MailHead, Content)>> {
        let (store, now) = (self.deps.store.clone(), self.deps.clock.now());
        let work = move || {
            let one = |mail: Mail| -> Result<(MailHead, Content)> {
                let content = store.put_body(tenant, &mail.body, Durability::Deferred)?;
                Ok((MailHead { received: mail.head.received.or(Some(now.0)), ..mail.head }, content))
            };
            batch.into_iter().map(one).collect()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }
}

/// Waits for a full batch, or for the end; empty at the end.
async fn gather(mails: &mut mpsc::Receiver<Mail>) -> Vec<Mail> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Some(mail) = mails.recv().await else { break };
        bytes += mail.body.len();
        batch.push(mail);
    }
    batch
}

/// The bodies first, then the rows that refer to them.
async fn commit(store: Store, account: AccountId, prepared: Vec<(MailHead, Content)>) -> Result<(u64, u64)> {
    let blobs = store.blobs().clone();
    tokio::task::spawn_blocking(move || blobs.sync_all()).await.map_err(Error::unavailable)??;
    let done = (prepared.len() as u64, prepared.iter().map(|(_, content)| content.size).sum());
    store.write(account, Durability::Sync, move |tx| append_all(tx, &prepared)).await?;
    Ok(done)
}

fn append_all(tx: &mut MailTx<'_, '_>, prepared: &[(MailHead, Content)]) -> Result<()> {
    let mut mailboxes: HashMap<&[String], MailboxId> = HashMap::new();
    for (head, content) in prepared {
        let mailbox = match mailboxes.get(&*head.folder) {
            Some(known) => *known,
            None => {
                let found = mailbox_at(tx, &head.folder)?;
                mailboxes.insert(&head.folder, found);
                found
            }
        };
        let received = Timestamp(head.received.unwrap_or_default());
        let message = NewMessage {
            prefix: Bytes::new(),
            flags: Flags(head.flags),
            keywords: Keywords::new(head.keywords.iter().map(String::as_str)),
            zone: head.zone,
            ..NewMessage::new(content.clone(), mailbox, received)
        };
        tx.append(&message)?;
    }
    Ok(())
}

/// The mailbox at this path, made with those above it when it is not there.
fn mailbox_at(tx: &mut MailTx<'_, '_>, folder: &[String]) -> Result<MailboxId> {
    let path: Vec<&str> = folder.iter().map(String::as_str).collect();
    let mut parent = None;
    for depth in 1..=path.len() {
        let found = tx.mailbox_at(&path[..depth])?;
        parent = Some(match found {
            Some(mailbox) => mailbox.id,
            None => tx.create_mailbox(parent, path[depth - 1], None)?.id,
        });
    }
    parent.map_or_else(|| Ok(tx.inbox()?.id), Ok)
}
