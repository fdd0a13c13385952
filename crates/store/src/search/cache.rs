//! What searches look at again and again: segments' lists and their blocks of terms. Segments never change, so nothing here grows old;
//! what belongs to an index that was thrown away is never asked for again and goes with time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::AccountId;

use super::rows::Segment;

/// Bytes held at most, over all accounts.
const BYTES: usize = 96 << 20;

/// Account, epoch of its index, segment.
pub(super) type SegmentKey = (AccountId, i64, i64);

#[derive(Default)]
pub(super) struct Cache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: HashMap<(SegmentKey, Option<u32>), Slot>,
    bytes: usize,
    clock: u64,
}

struct Slot {
    item: Item,
    bytes: usize,
    used: u64,
}

#[derive(Clone)]
enum Item {
    Segment(Arc<Segment>),
    Terms(Arc<[u8]>),
}

impl Cache {
    pub fn segment(&self, key: SegmentKey) -> Option<Arc<Segment>> {
        match self.get((key, None))? {
            Item::Segment(segment) => Some(segment),
            Item::Terms(_) => None,
        }
    }

    pub fn terms(&self, key: SegmentKey, block: u32) -> Option<Arc<[u8]>> {
        match self.get((key, Some(block)))? {
            Item::Terms(terms) => Some(terms),
            Item::Segment(_) => None,
        }
    }

    pub fn put_segment(&self, key: SegmentKey, segment: Arc<Segment>) {
        let bytes = size_of_val(&segment.messages[..]) + segment.directory.blocks() as usize * 64;
        self.put((key, None), Item::Segment(segment), bytes + 1024);
    }

    pub fn put_terms(&self, key: SegmentKey, block: u32, terms: Arc<[u8]>) {
        let bytes = terms.len() + 128;
        self.put((key, Some(block)), Item::Terms(terms), bytes);
    }

    fn get(&self, key: (SegmentKey, Option<u32>)) -> Option<Item> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let clock = state.clock;
        let slot = state.items.get_mut(&key)?;
        slot.used = clock;
        Some(slot.item.clone())
    }

    fn put(&self, key: (SegmentKey, Option<u32>), item: Item, bytes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let used = state.clock;
        state.bytes += bytes;
        if let Some(old) = state.items.insert(key, Slot { item, bytes, used }) {
            state.bytes -= old.bytes;
        }
        if state.bytes > BYTES {
            state.shrink();
        }
    }
}

impl State {
    /// To half, the longest unused first, so that a full cache does not sort for every newcomer.
    fn shrink(&mut self) {
        let mut ages: Vec<_> = self.items.iter().map(|(key, slot)| (slot.used, *key)).collect();
        ages.sort_unstable();
        for (_, key) in ages {
            if self.bytes <= BYTES / 2 {
                return;
            }
            if let Some(slot) = self.items.remove(&key) {
                self.bytes -= slot.bytes;
            }
        }
    }
}
