//! After a power cut: deliveries that were shown to a client but were not yet durable.
//!
//! Every such delivery has its entry in the queue still. An account that does not know an entry which may have been delivered to it
//! may have shown its client a UID that the file has forgotten; skipping as many UIDs as there are such entries keeps that UID from
//! ever naming another message. The entry itself is delivered again in the ordinary way.

use std::collections::HashMap;

use anser_base::{AccountId, Durability, EntryId, Result};
use anser_directory::Resolution;

use crate::Delivery;

/// Entries looked at in one step.
const STEP: usize = 500;
/// Numbers that one delivery by rules gives out at most: copies, mailboxes made for them, copies of what was sent, notices.
const BY_RULES: u32 = 512;

impl Delivery {
    /// Closes what the last run left open. Call it at start-up, after the queue was opened and before any door is.
    pub async fn recover(&self) -> Result<()> {
        if self.deps.store.db().is_postgres() {
            return Ok(());
        }
        let mut lost: HashMap<AccountId, u32> = HashMap::new();
        let mut after = None;
        loop {
            let entries = self.deps.queue.recovered(after, STEP).await?;
            let Some((last, _)) = entries.last() else { break };
            after = Some(*last);
            for (id, recipients) in entries {
                self.count_lost(id, &recipients, &mut lost).await?;
            }
        }
        for (account, unsynced) in lost {
            tracing::info!(%account, unsynced, "UIDs skipped that may have been lost in a power cut");
            self.deps.store.write(account, Durability::Sync, move |tx| tx.skip_lost(unsynced)).await?;
        }
        Ok(())
    }

    async fn count_lost(&self, id: EntryId, recipients: &[usize], lost: &mut HashMap<AccountId, u32>) -> Result<()> {
        let entry = self.deps.queue.show(id).await?;
        for index in recipients {
            let Some(recipient) = entry.envelope.recipients.get(*index) else { continue };
            let accounts = match self.deps.directory.resolve(&recipient.address).await? {
                Resolution::Account(account) => vec![account],
                Resolution::Group(group) => group.accounts.clone(),
                _ => continue,
            };
            for account in accounts {
                if self.is_missing(account.id, id).await {
                    let most = if self.rules.line(&account).await?.is_empty() { 1 } else { BY_RULES };
                    *lost.entry(account.id).or_default() += most;
                }
            }
        }
        Ok(())
    }

    /// An account whose file is damaged must not keep the others from starting; it gives out no UID either.
    async fn is_missing(&self, account: AccountId, id: EntryId) -> bool {
        match self.deps.store.read(account, move |tx| tx.was_delivered(id)).await {
            Ok(known) => !known,
            Err(error) => {
                tracing::error!(%account, error = error.chain(), "the account cannot be read");
                false
            }
        }
    }
}
