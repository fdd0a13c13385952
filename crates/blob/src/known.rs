//! What this process knows of the bodies that it wrote: which are durable, which are not yet.

use anser_base::{BlobId, TenantId};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};

/// Durable bodies that are remembered; the least used are forgotten, and written again when next put.
const SOUND: usize = 65_536;
/// Deferred puts that may wait for one sync; the one that reaches it syncs all of them by itself.
const UNSYNCED: usize = 65_536;
/// Their bytes, in bytes; likewise. They are kept because after a failed sync the file may have lost them.
const UNSYNCED_BYTES: usize = 64 * 1024 * 1024;
/// Stands for a mark that no sync reaches: the last sync of this body failed. The kernel may then have dropped the bytes
/// and call the file clean, so that only a new file helps.
const SUSPECT: u64 = u64::MAX;

/// One body of one tenant.
pub(crate) type Key = (TenantId, BlobId);

/// What is known of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Unknown,
    /// Written here; durable after the next sync.
    Visible,
    /// Written here, and durable.
    Durable,
    /// A sync of it failed.
    Suspect,
}

impl Standing {
    /// Whether the file need not be written again.
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Visible | Self::Durable)
    }
}

/// The process's memory. Marks count the changes, so that a sync covers exactly what was there when it began.
#[derive(Debug, Default)]
pub(crate) struct Known {
    young: HashSet<Key>,
    old: HashSet<Key>,
    unsynced: HashMap<Key, Unsynced>,
    bytes: usize,
    mark: u64,
}

/// A body that is not known to be durable.
#[derive(Debug, Default)]
struct Unsynced {
    /// When it was written last; [`SUSPECT`] after a failed sync.
    mark: u64,
    /// Since when it is not durable: whoever put it then waits for the file of today.
    since: u64,
    /// The bytes of its file, unless those are durable and only the name is not.
    stored: Option<Bytes>,
}

impl Known {
    pub(crate) fn standing(&mut self, key: Key) -> Standing {
        match self.unsynced.get(&key) {
            Some(unsynced) if unsynced.mark == SUSPECT => Standing::Suspect,
            Some(_) => Standing::Visible,
            None if self.young.contains(&key) => Standing::Durable,
            None if self.old.remove(&key) => {
                self.sound(key);
                Standing::Durable
            }
            None => Standing::Unknown,
        }
    }

    /// A new file has the name now; `stored` are its bytes unless they are durable already. The mark is for
    /// [`Self::hardened`].
    pub(crate) fn written(&mut self, key: Key, stored: Option<Bytes>) -> u64 {
        let mark = self.mark();
        let since = self.unsynced.get(&key).map_or(mark, |unsynced| unsynced.since);
        self.drop_unsynced(key);
        self.bytes += stored.as_ref().map_or(0, Bytes::len);
        self.unsynced.insert(key, Unsynced { mark, since, stored });
        mark
    }

    /// A mark for a sync that begins now.
    pub(crate) fn mark(&mut self) -> u64 {
        self.mark += 1;
        self.mark
    }

    /// One body is durable as it was at this mark.
    pub(crate) fn hardened(&mut self, key: Key, mark: u64) {
        if self.unsynced.get(&key).is_none_or(|unsynced| unsynced.mark <= mark) {
            self.drop_unsynced(key);
            self.sound(key);
        }
    }

    /// Everything written up to this mark is durable.
    pub(crate) fn synced(&mut self, mark: u64) {
        let done: Vec<Key> = self.marked(|at| at <= mark);
        done.into_iter().for_each(|key| self.hardened(key, mark));
    }

    /// The sync of everything up to this mark failed.
    pub(crate) fn doubt(&mut self, mark: u64) {
        self.marked(|at| at <= mark).into_iter().for_each(|key| self.suspect(key));
    }

    /// The sync of one body failed.
    pub(crate) fn suspect(&mut self, key: Key) {
        self.unsynced.entry(key).or_default().mark = SUSPECT;
    }

    /// Bodies to be written anew, with their bytes where the file may have lost them.
    pub(crate) fn suspects(&self) -> Vec<(Key, Option<Bytes>)> {
        let suspects = self.unsynced.iter().filter(|(_, unsynced)| unsynced.mark == SUSPECT);
        suspects.map(|(key, unsynced)| (*key, unsynced.stored.clone())).collect()
    }

    /// A suspect cannot be written anew, because it is gone or bad.
    pub(crate) fn give_up(&mut self, key: Key) {
        if self.standing(key) == Standing::Suspect {
            self.drop_unsynced(key);
        }
    }

    /// Whether everything put up to this mark is durable: also what was written anew since.
    pub(crate) fn is_all_durable(&self, mark: u64) -> bool {
        self.unsynced.values().all(|unsynced| unsynced.since > mark)
    }

    /// Whether it is time to sync.
    pub(crate) fn is_full(&self) -> bool {
        self.unsynced.len() >= UNSYNCED || self.bytes >= UNSYNCED_BYTES
    }

    /// The file is gone.
    pub(crate) fn forget(&mut self, key: Key) {
        self.young.remove(&key);
        self.old.remove(&key);
        self.drop_unsynced(key);
    }

    fn marked(&self, which: impl Fn(u64) -> bool) -> Vec<Key> {
        self.unsynced.iter().filter(|(_, unsynced)| which(unsynced.mark)).map(|(key, _)| *key).collect()
    }

    fn drop_unsynced(&mut self, key: Key) {
        let stored = self.unsynced.remove(&key).and_then(|unsynced| unsynced.stored);
        self.bytes -= stored.map_or(0, |stored| stored.len());
    }

    /// Two generations make a least-recently-used set of bounded size without a list: what is used moves to the young one.
    fn sound(&mut self, key: Key) {
        if self.young.len() >= SOUND / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_anew_is_not_durable_for_who_put_it_before() {
        let key = (TenantId::from_sql(1), BlobId([7; 32]));
        let mut known = Known::default();
        let first = known.written(key, None);
        let asked = known.mark();
        known.written(key, None);
        assert!(!known.is_all_durable(asked), "the new file has the name, and no sync");
        known.synced(asked);
        assert!(!known.is_all_durable(asked), "a sync that began before the new file");
        let now = known.mark();
        known.doubt(now);
        known.written(key, None);
        assert!(!known.is_all_durable(asked), "a sync that failed");
        let now = known.mark();
        known.synced(now);
        assert!(first < asked && known.is_all_durable(asked));
        known.written(key, None);
        assert!(known.is_all_durable(now), "what was put later is of no concern");
    }
}
