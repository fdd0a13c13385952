//! The list of entries in memory that wait for a dispatcher, bounded by count and bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anser_base::Timestamp;
use tokio::sync::Notify;

use crate::envelope::Entry;

/// Entries that wait in memory at most; a few more while rows are read back.
pub const ENTRIES: usize = 2048;
/// Bytes of bodies that wait in memory at most.
pub const BYTES: usize = 32 * 1024 * 1024;

/// Turns after which one goes to the lowest class that waits.
const LOWEST_EVERY: u32 = 8;

/// Whose turn comes first. The higher goes first, but for every eighth turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Priorities above 0.
    Urgent,
    /// 0.
    Usual,
    /// Below.
    Bulk,
}

impl Turn {
    /// In the order of their turns.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Usual, Self::Bulk];

    /// Of a priority (RFC 6710).
    pub fn of(priority: i8) -> Self {
        match priority {
            1.. => Self::Urgent,
            0 => Self::Usual,
            ..0 => Self::Bulk,
        }
    }

    /// As the tables have it.
    pub fn to_sql(self) -> i64 {
        self as i64
    }
}

#[derive(Default)]
pub struct Ready {
    state: Mutex<State>,
    pub filled: Notify,
}

pub struct State {
    /// By class.
    lists: [VecDeque<Arc<Entry>>; 3],
    turns: u32,
    /// Room taken by the list and by puts under way.
    entries: usize,
    bytes: usize,
    /// Free rows may be in `queue_fresh`. Until they were read, new entries go there too, so that none is overtaken for ever.
    pub backlog: bool,
    /// When the first row of `queue_waiting` is due, as far as is known.
    pub wake: Timestamp,
    /// When the tables were last looked at.
    pub looked: Timestamp,
}

impl Default for State {
    fn default() -> Self {
        let (backlog, wake, looked) = (true, Timestamp(i64::MIN), Timestamp(i64::MIN));
        Self { lists: Default::default(), turns: 0, entries: 0, bytes: 0, backlog, wake, looked }
    }
}

impl Ready {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for an entry that is about to be written; `None` when there is none.
    pub fn reserve(self: &Arc<Self>, bytes: usize) -> Option<Room> {
        let mut state = self.lock();
        if state.backlog || state.entries >= ENTRIES || state.bytes + bytes > BYTES {
            return None;
        }
        state.entries += 1;
        state.bytes += bytes;
        Some(Room { ready: self.clone(), bytes })
    }

    pub fn pop(&self) -> Option<Arc<Entry>> {
        let mut state = self.lock();
        let entry = state.pop()?;
        state.entries = state.entries.saturating_sub(1);
        state.bytes = state.bytes.saturating_sub(entry.body.weight());
        Some(entry)
    }

    /// Adds an entry read from the tables, whose lease is taken already.
    pub fn push(&self, entry: Arc<Entry>) {
        let mut state = self.lock();
        state.entries += 1;
        state.bytes += entry.body.weight();
        state.lists[Turn::of(entry.envelope.priority) as usize].push_back(entry);
        drop(state);
        self.filled.notify_one();
    }

    /// A row is due at this time, if any is.
    pub fn note_due(&self, due: Option<Timestamp>) {
        if let Some(due) = due {
            self.due_at(due);
        }
    }

    /// A row is due at this time.
    pub fn due_at(&self, due: Timestamp) {
        let mut state = self.lock();
        state.wake = state.wake.min(due);
        drop(state);
        self.filled.notify_one();
    }

    /// A free row is in `queue_fresh`.
    pub fn spilled(&self) {
        self.lock().backlog = true;
        self.filled.notify_one();
    }

    /// Takes over what a look at the tables found: entries leased to this node, whether there are more, and the next due time.
    pub fn file(&self, entries: Vec<Entry>, backlog: bool, wake: Option<Timestamp>, now: Timestamp) {
        {
            let mut state = self.lock();
            state.backlog = backlog;
            state.wake = wake.unwrap_or(Timestamp(i64::MAX));
            state.looked = now;
        }
        entries.into_iter().for_each(|entry| self.push(Arc::new(entry)));
    }

    /// Forgets all entries: their leases are no longer this node's.
    pub fn clear(&self) {
        while self.pop().is_some() {}
    }
}

impl State {
    pub fn waiting(&self) -> usize {
        self.lists.iter().map(VecDeque::len).sum()
    }

    fn pop(&mut self) -> Option<Arc<Entry>> {
        self.turns = self.turns.wrapping_add(1);
        match self.turns.is_multiple_of(LOWEST_EVERY) {
            true => self.lists.iter_mut().rev().find_map(VecDeque::pop_front),
            false => self.lists.iter_mut().find_map(VecDeque::pop_front),
        }
    }
}

/// Room in the list that is given back unless it is used.
pub struct Room {
    ready: Arc<Ready>,
    bytes: usize,
}

impl Room {
    /// Puts the entry into its room. The room itself ends here: `push` counts anew.
    pub fn fill(self, entry: Arc<Entry>) {
        self.ready.push(entry);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut state = self.ready.lock();
        state.entries = state.entries.saturating_sub(1);
        state.bytes = state.bytes.saturating_sub(self.bytes);
    }
}
