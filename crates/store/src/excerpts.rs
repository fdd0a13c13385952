//! Small parts of bodies that clients ask for again and again, such as chosen header fields: kept in memory, so that a list of messages
//! needs no body. A body never changes under its address, so nothing here is ever out of date.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anser_base::BlobId;
use bytes::Bytes;

/// Bytes that are kept at most, with about [`OVERHEAD`] for each excerpt: two generations of half of it.
const KEPT: usize = 64 * 1024 * 1024;
/// What an excerpt costs besides its own bytes.
const OVERHEAD: usize = 128;
/// Larger excerpts are not kept, in bytes.
const LARGEST: usize = 8 * 1024;

/// Which part of which body: the body's address, and a number that the caller gives to the kind of part.
type Key = (BlobId, u64);

/// The parts that were asked for last, of all accounts.
#[derive(Debug, Default)]
pub struct Excerpts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    young: HashMap<Key, Bytes>,
    old: HashMap<Key, Bytes>,
    /// Bytes of the young ones.
    size: usize,
}

impl Excerpts {
    /// A part, if it is known.
    pub fn get(&self, blob: BlobId, part: u64) -> Option<Bytes> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (blob, part);
        if let Some(found) = state.young.get(&key) {
            return Some(found.clone());
        }
        let found = state.old.remove(&key)?;
        state.keep(key, found.clone());
        Some(found)
    }

    /// Keeps a part, unless it is large.
    pub fn put(&self, blob: BlobId, part: u64, bytes: &[u8]) {
        if bytes.len() <= LARGEST {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.keep((blob, part), Bytes::copy_from_slice(bytes));
        }
    }
}

impl State {
    fn keep(&mut self, key: Key, bytes: Bytes) {
        let cost = bytes.len() + OVERHEAD;
        if self.size + cost > KEPT / 2 {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        if self.young.insert(key, bytes).is_none() {
            self.size += cost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_last_is_kept_within_the_limit() {
        let (excerpts, text) = (Excerpts::default(), vec![b'x'; LARGEST]);
        let blob = |n: u32| BlobId::of(&n.to_le_bytes());
        let many = (2 * KEPT / LARGEST) as u32;
        for n in 0..many {
            excerpts.put(blob(n), 1, &text);
            assert_eq!(excerpts.get(blob(0), 1).as_deref(), Some(&text[..]), "asked for all the time");
        }
        assert_eq!(excerpts.get(blob(1), 1), None, "long ago");
        assert_eq!(excerpts.get(blob(many - 1), 2), None, "another part");
        let state = excerpts.state.lock().unwrap();
        let bytes: usize = state.young.values().chain(state.old.values()).map(|bytes| bytes.len() + OVERHEAD).sum();
        assert!(bytes <= KEPT, "{bytes}");
    }

    #[test]
    fn a_large_part_is_not_kept() {
        let excerpts = Excerpts::default();
        excerpts.put(BlobId::of(b"a"), 1, &vec![0; LARGEST + 1]);
        assert_eq!(excerpts.get(BlobId::of(b"a"), 1), None);
    }
}
