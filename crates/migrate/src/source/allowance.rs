//! What a pass that obeys the quota may bring before its transactions say so: a server decides what it sends, whatever sizes it told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anser_base::{Class, Error};

use crate::trouble::Trouble;

/// Bytes of a person's own move that may have arrived and be in no transaction yet; no message of it is larger.
pub const UNCOMMITTED: u64 = 256 * 1024 * 1024;
/// Bytes that may arrive beside what the quota leaves: they may be of messages that are here already, which takes no room.
const BESIDE: u64 = 32 * 1024 * 1024;

/// What may still come, shared by all that arrives. Without bounds for a move of the organisation, which brings everything.
#[derive(Clone, Debug, Default)]
pub struct Allowance(Option<Arc<Bounds>>);

#[derive(Debug)]
struct Bounds {
    quota: Option<u64>,
    /// Bytes that the account holds.
    used: AtomicU64,
    /// Bytes that arrived and are in no transaction yet.
    held: AtomicU64,
    /// Bytes that these may be.
    uncommitted: u64,
    /// Counts all that arrives.
    came: Arc<AtomicU64>,
}

impl Allowance {
    /// For an account that holds `used` bytes and may hold `quota`, `None` for any; of `uncommitted` bytes at once. `came` counts what
    /// arrives.
    pub fn within(quota: Option<u64>, used: u64, uncommitted: u64, came: Arc<AtomicU64>) -> Self {
        let (used, held) = (AtomicU64::new(used), AtomicU64::new(0));
        Self(Some(Arc::new(Bounds { quota, used, held, uncommitted, came })))
    }

    /// Bytes that the account may hold; `None` for any.
    pub fn quota(&self) -> Option<u64> {
        self.0.as_ref().and_then(|bounds| bounds.quota)
    }

    /// For one body.
    pub fn begin(&self) -> Held {
        Held { allowance: self.clone(), octets: 0 }
    }

    /// So many bytes that had arrived are in a transaction now, or part of nothing; the account holds `used` then.
    pub fn stored(&self, octets: u64, used: u64) {
        if let Some(bounds) = &self.0 {
            bounds.used.store(used, Ordering::Relaxed);
        }
        self.give_back(octets);
    }

    fn give_back(&self, octets: u64) {
        if let Some(bounds) = &self.0 {
            let less = |held: u64| Some(held.saturating_sub(octets));
            // It cannot fail: there is always a next value.
            let _ = bounds.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    fn take(&self, octets: u64) -> Result<(), Trouble> {
        let Some(bounds) = &self.0 else { return Ok(()) };
        bounds.came.fetch_add(octets, Ordering::Relaxed);
        let held = bounds.held.fetch_add(octets, Ordering::Relaxed) + octets;
        let left = bounds.quota.map(|quota| quota.saturating_sub(bounds.used.load(Ordering::Relaxed)));
        if left.is_some_and(|left| held > left.saturating_add(BESIDE)) {
            return Err(Error::new(Class::OverQuota, "the mailbox is full", "邮箱空间已满").into());
        }
        if held > bounds.uncommitted {
            return Err(Trouble::lost("more came at once than may lie here unread"));
        }
        Ok(())
    }
}

/// What one body takes of an allowance: nothing, when it does not come whole.
#[derive(Debug)]
pub struct Held {
    allowance: Allowance,
    octets: u64,
}

impl Held {
    /// Counts octets that came. [`Class::OverQuota`] when there is no room for them here, [`Trouble::Later`] when more came at once than
    /// may.
    pub fn take(&mut self, octets: u64) -> Result<(), Trouble> {
        self.octets += octets;
        self.allowance.take(octets)
    }

    /// They stay counted until [`Allowance::stored`].
    pub fn keep(mut self) {
        self.octets = 0;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.allowance.give_back(self.octets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thrown_away_or_stored_makes_room_again() {
        let came = Arc::new(AtomicU64::new(0));
        let allowance = Allowance::within(None, 0, 100, came.clone());
        for _ in 0..3 {
            allowance.begin().take(80).unwrap();
        }
        let mut held = allowance.begin();
        held.take(80).unwrap();
        held.keep();
        assert!(matches!(allowance.begin().take(21), Err(Trouble::Later { .. })));
        allowance.stored(80, 80);
        allowance.begin().take(100).unwrap();
        assert_eq!(came.load(Ordering::Relaxed), 3 * 80 + 80 + 21 + 100);
    }

    #[test]
    fn what_the_quota_leaves_is_less_as_the_account_holds_more() {
        let allowance = Allowance::within(Some(BESIDE), 0, u64::MAX, Arc::default());
        allowance.begin().take(2 * BESIDE).unwrap();
        allowance.stored(0, BESIDE);
        match allowance.begin().take(BESIDE + 1) {
            Err(Trouble::Own(error)) => assert_eq!(error.class, Class::OverQuota),
            other => panic!("{other:?}"),
        }
        Allowance::default().begin().take(u64::MAX).unwrap();
    }
}
