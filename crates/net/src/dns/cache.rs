//! What was answered, for as long as it holds and there is room.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Answer, RecordType};

/// Bytes that an entry costs besides its data.
const ENTRY: usize = 256;

type Key = (String, RecordType);

/// Two generations of answers: what is used moves to the young one; when that is full it becomes the old one and the old one goes.
pub(super) struct Cache {
    half: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    young: HashMap<Key, (Answer, Instant)>,
    old: HashMap<Key, (Answer, Instant)>,
    /// Bytes in the young generation.
    weight: usize,
}

impl Cache {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { half: bytes / 2, state: Mutex::default() }
    }

    /// What is known, with the time that is left to it.
    pub fn get(&self, name: &str, kind: RecordType) -> Option<Answer> {
        let (key, now) = ((name.to_owned(), kind), Instant::now());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, until) = match state.young.get(&key) {
            Some(known) => known.clone(),
            None => {
                let (key, known) = state.old.remove_entry(&key)?;
                state.insert(self.half, key, known.clone());
                known
            }
        };
        let ttl = until.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some(Answer { ttl, ..answer })
    }

    /// Keeps an answer for its TTL, but no longer than this.
    pub fn put(&self, name: &str, kind: RecordType, answer: &Answer, longest: Duration) {
        if answer.ttl.is_zero() {
            return;
        }
        let known = (answer.clone(), Instant::now() + answer.ttl.min(longest));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.insert(self.half, (name.to_owned(), kind), known);
    }
}

impl State {
    fn insert(&mut self, half: usize, key: Key, known: (Answer, Instant)) {
        if self.weight >= half {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += ENTRY + key.0.len() + known.0.records().iter().map(super::Data::weight).sum::<usize>();
        self.young.insert(key, known);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Data, Security, Status};
    use super::*;

    fn answer(seconds: u64) -> Answer {
        Answer {
            status: Status::Found(vec![Data::Txt(vec![b'x'; 1000])]),
            security: Security::Insecure,
            ttl: Duration::from_secs(seconds),
            canonical: "a.test".into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_kept_for_their_time_and_within_the_room() {
        let cache = Cache::new(20_000);
        cache.put("a.test", RecordType::Txt, &answer(60), Duration::from_secs(30));
        cache.put("b.test", RecordType::Txt, &answer(0), Duration::from_secs(30));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(cache.get("a.test", RecordType::Txt).unwrap().ttl, Duration::from_secs(20));
        assert_eq!(cache.get("a.test", RecordType::Mx), None);
        assert_eq!(cache.get("b.test", RecordType::Txt), None);
        for n in 0..1000 {
            cache.put(&format!("{n}.test"), RecordType::Txt, &answer(60), Duration::from_secs(60));
            assert!(cache.get("a.test", RecordType::Txt).is_some(), "what is used stays");
        }
        let kept = || {
            let state = cache.state.lock().unwrap();
            state.young.len() + state.old.len()
        };
        assert!(kept() < 20, "what is not used goes");
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(cache.get("a.test", RecordType::Txt), None);
    }
}
