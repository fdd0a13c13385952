//! After a power cut: deliveries that were shown to a client but were not yet durable.
//!
//! Every such delivery has its entry in the queue still. An account that does not know an entry which may have been delivered to it
//! may have shown its client a UID that the file has forgotten; skipping as many UIDs as there are such entries keeps that UID from
//! ever naming another message. The entry itself is delivered again in the ordinary way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anser_base::{AccountId, Address, Durability, EntryId, Result};
use anser_directory::{Account, Resolution};

use crate::Delivery;

/// Foreign domains that are remembered at most, so that a queue of a million entries asks the directory once for each of the few
/// domains that most of them wait for.
const FOREIGN: usize = 65_536;
/// Numbers that one delivery by rules gives out at most: copies, mailboxes made for them, copies of what was sent, notices.
const BY_RULES: u32 = 512;

impl Delivery {
    /// Closes what the last run left open. Call it at start-up, after the queue was opened and before any door is.
    pub async fn recover(&self) -> Result<()> {
        if self.deps.store.db().is_postgres() {
            return Ok(());
        }
        let mut count = Count { delivery: self, foreign: HashSet::new(), lost: HashMap::new() };
        let mut after = None;
        loop {
            let entries = self.deps.queue.recovered(after).await?;
            let Some((last, _)) = entries.last() else { break };
            after = Some(*last);
            for (id, recipients) in entries {
                for address in recipients {
                    count.add(id, &address).await?;
                }
            }
        }
        for (account, unsynced) in count.lost {
            tracing::info!(%account, unsynced, "UIDs skipped that may have been lost in a power cut");
            self.deps.store.write(account, Durability::Sync, move |tx| tx.skip_lost(unsynced)).await?;
        }
        Ok(())
    }

    async fn accounts_of(&self, address: &Address) -> Result<Vec<Arc<Account>>> {
        Ok(match self.deps.directory.resolve(address).await? {
            Resolution::Account(account) => vec![account],
            Resolution::Group(group) => group.accounts.clone(),
            _ => Vec::new(),
        })
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

/// UIDs that may have been shown and lost, by account.
struct Count<'a> {
    delivery: &'a Delivery,
    foreign: HashSet<String>,
    lost: HashMap<AccountId, u32>,
}

impl Count<'_> {
    async fn add(&mut self, id: EntryId, address: &Address) -> Result<()> {
        if self.is_foreign(address.domain()).await? {
            return Ok(());
        }
        for account in self.delivery.accounts_of(address).await? {
            if self.delivery.is_missing(account.id, id).await {
                let most = if self.delivery.rules.line(&account).await?.is_empty() { 1 } else { BY_RULES };
                *self.lost.entry(account.id).or_default() += most;
            }
        }
        Ok(())
    }

    async fn is_foreign(&mut self, domain: &str) -> Result<bool> {
        if self.foreign.contains(domain) {
            return Ok(true);
        }
        let foreign = !self.delivery.deps.directory.is_local_domain(domain).await?;
        if foreign && self.foreign.len() < FOREIGN {
            self.foreign.insert(domain.to_owned());
        }
        Ok(foreign)
    }
}
