//! One session for each account (RFC 1939 §4).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::AccountId;

/// Which accounts have a session in this process; clones share the table. A session's silence ends it after
/// [`crate::Limits::idle_time`], so no lock lasts longer than that after its client vanished.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    taken: Arc<Mutex<HashSet<AccountId>>>,
}

/// An account's lock, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    locks: Locks,
    account: AccountId,
}

impl Locks {
    /// The account's lock; `None` when a session has it.
    pub(crate) fn take(&self, account: AccountId) -> Option<Lock> {
        let new = self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(account);
        new.then(|| Lock { locks: self.clone(), account })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.locks.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.account);
    }
}
