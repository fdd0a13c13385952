//! What this process knows of the bodies on disk: which are good and durable, which are not durable yet.

use anser_base::{BlobId, TenantId};
use std::collections::{HashMap, HashSet};

/// Bodies known to be good and durable that are remembered; the least used are forgotten, and read again when next put.
const SOUND: usize = 65_536;
/// Deferred puts that may wait for one sync; at the next one the put syncs by itself.
pub(crate) const UNSYNCED: usize = 65_536;
/// Stands for a mark that no sync reaches: the last sync of this body failed. The kernel may then have dropped the bytes
/// and call the file clean, so that only writing it anew helps.
const SUSPECT: u64 = u64::MAX;

/// One body of one tenant.
pub(crate) type Key = (TenantId, BlobId);

/// What is known of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Unknown,
    /// Good when it was written or read here; durable after the next sync.
    Visible,
    /// Good when it was written or read here, and durable.
    Durable,
    /// A sync of it failed.
    Suspect,
}

/// The process's memory. Marks count the changes, so that a sync covers exactly what was there when it began.
#[derive(Debug, Default)]
pub(crate) struct Known {
    young: HashSet<Key>,
    old: HashSet<Key>,
    unsynced: HashMap<Key, u64>,
    mark: u64,
}

impl Known {
    pub(crate) fn standing(&mut self, key: Key) -> Standing {
        match self.unsynced.get(&key) {
            Some(&SUSPECT) => Standing::Suspect,
            Some(_) => Standing::Visible,
            None if self.young.contains(&key) => Standing::Durable,
            None if self.old.remove(&key) => {
                self.sound(key);
                Standing::Durable
            }
            None => Standing::Unknown,
        }
    }

    /// A file was read and found good; nobody knows whether it is durable.
    pub(crate) fn found(&mut self, key: Key) {
        let mark = self.mark();
        self.unsynced.entry(key).or_insert(mark);
    }

    /// A new file has the name now. The mark is for [`Self::hardened`].
    pub(crate) fn written(&mut self, key: Key) -> u64 {
        let mark = self.mark();
        self.unsynced.insert(key, mark);
        mark
    }

    /// A mark for a sync that begins now.
    pub(crate) fn mark(&mut self) -> u64 {
        self.mark += 1;
        self.mark
    }

    /// One body is good and durable as it was at this mark.
    pub(crate) fn hardened(&mut self, key: Key, mark: u64) {
        if self.unsynced.get(&key).is_none_or(|at| *at <= mark) {
            self.unsynced.remove(&key);
            self.sound(key);
        }
    }

    /// Everything written up to this mark is durable.
    pub(crate) fn synced(&mut self, mark: u64) {
        let done: Vec<Key> = self.unsynced.extract_if(|_, at| *at <= mark).map(|(key, _)| key).collect();
        done.into_iter().for_each(|key| self.sound(key));
    }

    /// The sync of everything up to this mark failed.
    pub(crate) fn doubt(&mut self, mark: u64) {
        self.unsynced.values_mut().filter(|at| **at <= mark).for_each(|at| *at = SUSPECT);
    }

    /// The sync of one body failed.
    pub(crate) fn suspect(&mut self, key: Key) {
        self.unsynced.insert(key, SUSPECT);
    }

    /// Bodies to be written anew.
    pub(crate) fn suspects(&self) -> Vec<Key> {
        self.unsynced.iter().filter(|(_, at)| **at == SUSPECT).map(|(key, _)| *key).collect()
    }

    /// A suspect cannot be written anew, because it is gone or bad.
    pub(crate) fn give_up(&mut self, key: Key) {
        if self.unsynced.get(&key) == Some(&SUSPECT) {
            self.unsynced.remove(&key);
        }
    }

    /// Bodies that are not known to be durable.
    pub(crate) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// The file is gone.
    pub(crate) fn forget(&mut self, key: Key) {
        self.young.remove(&key);
        self.old.remove(&key);
        self.unsynced.remove(&key);
    }

    /// Two generations make a least-recently-used set of bounded size without a list: what is used moves to the young one.
    fn sound(&mut self, key: Key) {
        if self.young.len() >= SOUND / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key);
    }
}
