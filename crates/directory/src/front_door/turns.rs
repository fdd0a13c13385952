//! Names that are asked about: each by one at a time, and no more than [`ASKED_AT_ONCE`] of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Names that are asked about at once.
const ASKED_AT_ONCE: usize = 256;

/// Held by whoever asks about a name.
pub(super) type Turn = Arc<tokio::sync::Mutex<()>>;

/// The names.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<String, Turn>>);

impl Turns {
    /// The turn of a name; `None` when too many others are under way.
    pub fn of(&self, name: &str) -> Option<Turn> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, turn| Arc::strong_count(turn) > 1);
        if all.len() >= ASKED_AT_ONCE && !all.contains_key(name) {
            return None;
        }
        Some(all.entry(name.to_owned()).or_default().clone())
    }

    /// The same of a name that is asked about.
    pub fn under_way(&self, name: &str) -> Option<Turn> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(name).filter(|turn| Arc::strong_count(turn) > 1).cloned()
    }
}
