//! Who is told of an account's changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::AccountId;
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

use crate::change::Changes;

/// Transactions that a slow watcher may lag behind before it is told to look at everything anew.
const BACKLOG: usize = 16;

#[derive(Default)]
pub(crate) struct Watchers {
    senders: Mutex<HashMap<AccountId, Sender<Arc<Changes>>>>,
}

impl Watchers {
    pub fn watch(&self, account: AccountId) -> Watch {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = senders.entry(account).or_insert_with(|| broadcast::channel(BACKLOG).0);
        Watch { receiver: sender.subscribe() }
    }

    pub fn tell(&self, account: AccountId, changes: Changes) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = senders.get(&account) else { return };
        if sender.send(Arc::new(changes)).is_err() {
            // Nobody listens any more.
            senders.remove(&account);
        }
    }
}

/// A watcher's end. Dropping it ends the watch.
pub struct Watch {
    receiver: Receiver<Arc<Changes>>,
}

impl Watch {
    /// The next transaction's changes; `None` when some were missed, so that the watcher must compare snapshots. Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<Changes>> {
        match self.receiver.recv().await {
            Ok(changes) => Some(changes),
            Err(RecvError::Lagged(_)) => None,
            // The store outlives its watchers; a closed channel never changes again.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    /// What waits already, without waiting: `Some(None)` when some were missed.
    pub fn try_next(&mut self) -> Option<Option<Arc<Changes>>> {
        match self.receiver.try_recv() {
            Ok(changes) => Some(Some(changes)),
            Err(broadcast::error::TryRecvError::Lagged(_)) => Some(None),
            Err(_) => None,
        }
    }
}
