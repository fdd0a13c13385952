//! A bounded map whose entries count only as long as the directory has not changed.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Two generations of entries: what is used moves to the young one; when that is full it becomes the old one and the old one goes.
pub(crate) struct Cache<K, V> {
    half: usize,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    stamp: u64,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// Room for `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        let state = State { stamp: 0, young: HashMap::new(), old: HashMap::new() };
        Self { half: capacity / 2, state: Mutex::new(state) }
    }

    /// The value of a key, unless it is older than `stamp`.
    pub fn get<Q>(&self, stamp: u64, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget_older(stamp);
        if let Some(value) = state.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = state.old.remove_entry(key)?;
        state.insert(self.half, key, value.clone());
        Some(value)
    }

    /// Keeps a value that was read when the directory stood at `stamp`. Does nothing when the directory has moved on.
    pub fn put(&self, stamp: u64, key: K, value: V) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget_older(stamp);
        if state.stamp == stamp {
            state.insert(self.half, key, value);
        }
    }

    /// Forgets one key.
    pub fn remove<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.young.remove(key);
        state.old.remove(key);
    }
}

impl<K: Eq + Hash, V> State<K, V> {
    fn forget_older(&mut self, stamp: u64) {
        if self.stamp < stamp {
            self.stamp = stamp;
            self.young.clear();
            self.old.clear();
        }
    }

    fn insert(&mut self, half: usize, key: K, value: V) {
        if self.young.len() >= half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_bounded_and_forgets_with_the_stamp() {
        let cache = Cache::new(10);
        for n in 0..100 {
            cache.put(1, n, n);
            assert_eq!(cache.get(1, &0), Some(0), "what is used stays");
        }
        assert!(cache.len() <= 11, "what is not used goes");
        assert_eq!(cache.get(2, &0), None);
        cache.put(1, 7, 7);
        assert_eq!(cache.get(2, &7), None, "a reader from before the change brings nothing back");
    }

    impl<K, V> Cache<K, V> {
        fn len(&self) -> usize {
            let state = self.state.lock().unwrap();
            state.young.len() + state.old.len()
        }
    }
}
