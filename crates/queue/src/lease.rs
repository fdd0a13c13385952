//! The right to work on an entry.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use crate::envelope::Entry;
use crate::queue::Inner;

/// An entry that nobody else works on. Settle it with [`crate::Queue::settle`] or [`crate::Queue::settle_after_sync`]; when it
/// is dropped without, what was due in it is tried again after the first interval, marked as a possible redelivery.
pub struct Lease {
    entry: Arc<Entry>,
    /// A lease does not keep the queue open; what is dropped after it is left to the next run.
    inner: Weak<Inner>,
    /// The entry needs no more care: it was settled, or the lease was lost.
    over: AtomicBool,
}

impl Lease {
    pub(crate) fn new(entry: Arc<Entry>, inner: &Arc<Inner>) -> Self {
        Self { entry, inner: Arc::downgrade(inner), over: AtomicBool::new(false) }
    }

    /// The entry, to hand to a task that outlives the borrow.
    pub fn entry(&self) -> Arc<Entry> {
        self.entry.clone()
    }

    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
    }
}

impl Deref for Lease {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.entry
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let over = self.over.load(Ordering::Acquire);
        if let Some(inner) = self.inner.upgrade().filter(|_| !over) {
            inner.give_back(self.entry.clone());
        }
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("id", &self.entry.id).field("over", &self.over).finish()
    }
}
