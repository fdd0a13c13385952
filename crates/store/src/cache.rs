//! The newest snapshots, bounded by the number of entries that they hold together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anser_base::{AccountId, MailboxId};

use crate::change::{Change, Changes};
use crate::snapshot::Snapshot;

/// Entries held at most, over all mailboxes; about 80 bytes each. One mailbox larger than this is still held while it is in use.
const ENTRIES: usize = 1_000_000;
/// Mailboxes held at most.
const MAILBOXES: usize = 20_000;

#[derive(Default)]
pub(crate) struct Cache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    snapshots: HashMap<(AccountId, MailboxId), Slot>,
    entries: usize,
    clock: u64,
}

struct Slot {
    snapshot: Arc<Snapshot>,
    used: u64,
}

impl Cache {
    pub fn get(&self, account: AccountId, mailbox: MailboxId) -> Option<Arc<Snapshot>> {
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        let slot = state.snapshots.get_mut(&(account, mailbox))?;
        slot.used = clock;
        Some(slot.snapshot.clone())
    }

    pub fn put(&self, account: AccountId, snapshot: Arc<Snapshot>) {
        let mut state = self.lock();
        state.clock += 1;
        let used = state.clock;
        state.entries += snapshot.len();
        if let Some(old) = state.snapshots.insert((account, snapshot.mailbox), Slot { snapshot, used }) {
            state.entries -= old.snapshot.len();
        }
        state.shrink();
    }

    /// Moves the snapshots of one account forward by what a transaction changed.
    pub fn advance(&self, account: AccountId, changes: &Changes) {
        let mut state = self.lock();
        for change in &changes.list {
            let key = (account, change.mailbox());
            match change {
                Change::MailboxCreated(_)
                | Change::MailboxUpdated(_)
                | Change::AccessChanged(_)
                | Change::SubscribedTo { .. }
                | Change::Recorded(_) => {}
                Change::Renumbered(_) | Change::MailboxRemoved(_) => state.forget(&key),
                Change::Added { .. } | Change::Flagged { .. } | Change::Expunged { .. } | Change::Annotated { .. } => {
                    state.apply(&key, change, changes.modseq);
                }
            }
        }
        state.shrink();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, key: &(AccountId, MailboxId)) {
        if let Some(slot) = self.snapshots.remove(key) {
            self.entries -= slot.snapshot.len();
        }
    }

    fn apply(&mut self, key: &(AccountId, MailboxId), change: &Change, modseq: u64) {
        let Some(slot) = self.snapshots.get_mut(key) else { return };
        let before = slot.snapshot.len();
        let snapshot = Arc::make_mut(&mut slot.snapshot);
        snapshot.modseq = modseq;
        match change {
            Change::Added { entry, .. } | Change::Flagged { entry, .. } => {
                snapshot.uidnext = snapshot.uidnext.max(entry.uid.saturating_add(1));
                snapshot.put(entry.clone());
            }
            Change::Expunged { uid, .. } => snapshot.remove(*uid),
            _ => {}
        }
        self.entries = self.entries + slot.snapshot.len() - before;
    }

    fn shrink(&mut self) {
        while self.snapshots.len() > 1 && (self.entries > ENTRIES || self.snapshots.len() > MAILBOXES) {
            // A tenth at once, so that a full cache does not sort for every newcomer.
            let mut ages: Vec<(u64, (AccountId, MailboxId))> =
                self.snapshots.iter().map(|(key, slot)| (slot.used, *key)).collect();
            ages.sort_unstable();
            for (_, key) in ages.iter().take((ages.len() / 10).max(1)) {
                self.forget(key);
            }
        }
    }
}
