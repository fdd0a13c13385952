//! Deletion of bodies that nothing refers to, after a grace period and a second look. Why it never deletes what is needed:
//! see the crate's documentation.

use crate::blobs::{Blobs, found};
use crate::check::Found;
use crate::known::Key;
use anser_base::{BlobId, Result, TenantId, Timestamp};
use std::collections::HashSet;
use std::time::Duration;

/// Bodies that one look remembers for the next; what is beyond it waits for a later look. 40 bytes each.
pub const CANDIDATES: usize = 1_000_000;

/// Looks for unreferenced bodies from time to time. Remembers between two looks what it found, in memory only: after a
/// restart the next look is a first one.
#[derive(Debug)]
pub struct Sweeper {
    grace: Duration,
    candidates: HashSet<Key>,
}

/// What one look saw and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Bodies seen, the deleted ones too.
    pub files: u64,
    /// Their length on disk, in bytes.
    pub bytes: u64,
    /// Bodies deleted.
    pub deleted: u64,
    /// Bytes on disk that became free with them.
    pub freed: u64,
    /// Unreferenced bodies that the next look may delete.
    pub waiting: u64,
    /// Temporary files of an earlier process removed.
    pub stale: u64,
    /// Files and folders that do not belong here; they are left alone. [`Blobs::verify_all`] names them.
    pub strange: u64,
}

impl Sweeper {
    /// `grace` must be longer than any caller takes from the put of a body to the commit of the row that refers to it; hours
    /// at least.
    pub fn new(grace: Duration) -> Self {
        Self { grace, candidates: HashSet::new() }
    }

    /// One look at every body. `collecting_since` is the moment before `referenced` began to gather what it knows, on the
    /// clock that stamps the files; `referenced` is asked about old bodies only, and an error of it ends the look without
    /// harm. A body is deleted when two looks in succession found it unreferenced and it was not put for the grace period
    /// before `collecting_since`.
    pub fn look(
        &mut self,
        blobs: &Blobs,
        collecting_since: Timestamp,
        referenced: &mut dyn FnMut(TenantId, BlobId) -> Result<bool>,
    ) -> Result<Swept> {
        let grace = i64::try_from(self.grace.as_millis()).unwrap_or(i64::MAX);
        let cutoff = Timestamp(collecting_since.0.saturating_sub(grace));
        let (mut swept, mut next) = (Swept::default(), HashSet::new());
        blobs.walk(&mut |seen| match seen {
            Found::Body(tenant, id, entry) => {
                let key = (tenant, id);
                swept.files += 1;
                swept.bytes += blobs.disk().stat(&blobs.path_of(key)).map_or(0, |stat| stat.len);
                if entry.modified_ms >= cutoff.0 || referenced(tenant, id)? {
                    return Ok(());
                }
                self.consider(blobs, key, cutoff, &mut swept, &mut next)
            }
            Found::Temporary(path, entry) => {
                let stale = entry.modified_ms < cutoff.0 && !blobs.is_ours(&entry.name);
                swept.stale += u64::from(stale && found(blobs.disk().remove(&path))?);
                Ok(())
            }
            Found::Strange(_) => {
                swept.strange += 1;
                Ok(())
            }
        })?;
        swept.waiting = next.len() as u64;
        self.candidates = next;
        Ok(swept)
    }

    /// An old body that nothing refers to.
    fn consider(
        &self,
        blobs: &Blobs,
        key: Key,
        cutoff: Timestamp,
        swept: &mut Swept,
        next: &mut HashSet<Key>,
    ) -> Result<()> {
        if !self.candidates.contains(&key) {
            if next.len() < CANDIDATES {
                next.insert(key);
            }
            return Ok(());
        }
        if let Some(freed) = blobs.delete_older(key, cutoff)? {
            swept.deleted += 1;
            swept.freed += freed;
        }
        Ok(())
    }
}
