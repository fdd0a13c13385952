//! Into the mailboxes of this server.

use std::collections::HashMap;
use std::sync::Arc;

use anser_base::{BlobId, Class, Durability, Error, Result, TenantId};
use anser_blob::Prepared;
use anser_directory::{Account, DEFAULT_TENANT};
use anser_journal::What;
use anser_queue::{Entry, Outcome};
use anser_store::{Content, NewMessage, Store};
use bytes::Bytes;

use crate::Delivery;
use crate::route::retry_after_error;

impl Delivery {
    /// Delivers to every account of every recipient. A recipient is done when all its accounts have the message; an account that
    /// was served by an earlier attempt, or through another recipient, is not served twice.
    pub(crate) async fn deliver_local(
        &self,
        entry: &Entry,
        recipients: Vec<(usize, Vec<Arc<Account>>)>,
    ) -> Vec<(usize, Outcome)> {
        let mut contents: HashMap<TenantId, Content> = HashMap::new();
        let mut outcomes = Vec::with_capacity(recipients.len());
        for (index, accounts) in recipients {
            let mut worst = Outcome::Done;
            for account in accounts {
                if let Err(error) = self.deliver_to(entry, index, &account, &mut contents).await {
                    worst = worse(worst, outcome_of(&error));
                }
            }
            outcomes.push((index, worst));
        }
        outcomes
    }

    async fn deliver_to(
        &self,
        entry: &Entry,
        index: usize,
        account: &Account,
        contents: &mut HashMap<TenantId, Content>,
    ) -> Result<()> {
        let content = match contents.get(&account.tenant) {
            Some(content) => content.clone(),
            None => {
                let content = self.put_body(entry, account.tenant).await?;
                contents.insert(account.tenant, content.clone());
                content
            }
        };
        let recipient = &entry.envelope.recipients[index].address;
        let prefix = prefix(entry, &account.address.to_string());
        let (now, id) = (self.deps.clock.now(), entry.id);
        let quota = (account.quota_bytes > 0).then_some(account.quota_bytes);
        let appended = self
            .deps
            .store
            .write(account.id, Durability::Deferred, move |tx| {
                let inbox = tx.inbox()?.id;
                let new = NewMessage {
                    prefix: prefix.clone(),
                    delivery: Some(id),
                    quota,
                    ..NewMessage::new(content.clone(), inbox, now)
                };
                Ok(tx.append(&new)?.map(|appended| (inbox, appended.message)))
            })
            .await?;
        if let Some((mailbox, message)) = appended {
            let (recipient, account) = (recipient.to_string(), account.id);
            self.journal(What::Delivered { entry: id, recipient, account, mailbox, message }).await;
        }
        Ok(())
    }

    /// Puts the body into the tenant's blobs, not yet durable, and parses it.
    async fn put_body(&self, entry: &Entry, tenant: TenantId) -> Result<Content> {
        let (store, body) = (self.deps.store.clone(), entry.body.clone());
        let from = entry.envelope.tenant.unwrap_or(DEFAULT_TENANT);
        let work = move || match body.stored {
            Some(stored) => put_inline(&store, tenant, (body.id, body.size, stored), body.raw),
            None => store.adopt_body(from, body.id, tenant, Durability::Deferred),
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }
}

/// Raw bytes that ride along were never out of this process's memory, and neither was the stored form beside them.
fn put_inline(
    store: &Store,
    tenant: TenantId,
    (id, size, stored): (BlobId, u64, Bytes),
    raw: Option<Bytes>,
) -> Result<Content> {
    let (prepared, raw) = match raw {
        Some(raw) => (Prepared::kept(id, size, stored), raw),
        None => {
            let prepared = Prepared::from_stored(stored)?;
            let raw = prepared.raw()?;
            (prepared, raw)
        }
    };
    store.blobs().put(tenant, &prepared, Durability::Deferred)?;
    Ok(Content::parse(prepared.id, &raw))
}

/// The header fields that only this recipient's copy has: the return path (RFC 5321 §4.4), for whom it was delivered, the trace.
fn prefix(entry: &Entry, delivered_to: &str) -> Bytes {
    let sender = entry.envelope.sender.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut prefix = format!("Return-Path: <{sender}>\r\nDelivered-To: {delivered_to}\r\n").into_bytes();
    prefix.extend_from_slice(&entry.envelope.trace);
    prefix.into()
}

fn outcome_of(error: &Error) -> Outcome {
    match error.class {
        Class::OverQuota => Outcome::Fail { why: "5.2.2 the mailbox is full".into() },
        _ => retry_after_error(error),
    }
}

/// Of the outcomes for several accounts behind one recipient: trying again serves those that can still be served.
fn worse(one: Outcome, other: Outcome) -> Outcome {
    match (&one, &other) {
        (Outcome::Retry { .. }, _) | (_, Outcome::Done) => one,
        _ => other,
    }
}
