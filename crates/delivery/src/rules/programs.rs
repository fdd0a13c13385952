//! Compiled scripts, kept by the hash of their text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::BlobId;
use anser_sieve::{Mistakes, Program};

/// Bytes of script text whose programs are kept; a program takes some times as much.
const KEPT: usize = 16 << 20;

/// A script compiled, or what is wrong with it.
pub(super) type Compiled = Result<Arc<Program>, Arc<Mistakes>>;

/// Two generations: what is used moves to the young one; when that is full it becomes the old one and the old one goes.
#[derive(Default)]
pub(super) struct Programs {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    young: HashMap<BlobId, (Compiled, usize)>,
    old: HashMap<BlobId, (Compiled, usize)>,
    bytes: usize,
}

impl Programs {
    /// The program of a script. Compiles it here and now when it is not known: milliseconds for a long one.
    pub fn get(&self, hash: BlobId, text: &[u8]) -> Compiled {
        if let Some(known) = self.known(hash) {
            return known;
        }
        let compiled = anser_sieve::compile(text).map(Arc::new).map_err(Arc::new);
        self.lock().insert(hash, compiled.clone(), text.len());
        compiled
    }

    fn known(&self, hash: BlobId) -> Option<Compiled> {
        let mut state = self.lock();
        if let Some((known, _)) = state.young.get(&hash) {
            return Some(known.clone());
        }
        let (known, size) = state.old.remove(&hash)?;
        state.insert(hash, known.clone(), size);
        Some(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, hash: BlobId, compiled: Compiled, size: usize) {
        if self.bytes + size > KEPT / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += size;
        self.young.insert(hash, (compiled, size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_kept_and_bounded() {
        let programs = Programs::default();
        let text = |n: usize| format!("# {n}\n{}keep;", " ".repeat(1 << 19)).into_bytes();
        for n in 0..100 {
            let (first, other) = (text(0), text(n));
            assert!(programs.get(BlobId::of(&other), &other).is_ok());
            let one = programs.get(BlobId::of(&first), &first).unwrap();
            let two = programs.get(BlobId::of(&first), &first).unwrap();
            assert!(Arc::ptr_eq(&one, &two), "what is used stays");
        }
        let state = programs.lock();
        assert!((state.young.len() + state.old.len()) << 19 <= KEPT + (1 << 20));
        drop(state);
        assert!(programs.get(BlobId::of(b"x"), b"nonsense").is_err());
    }
}
