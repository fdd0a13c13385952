//! What is under way on a connection. A peer that asks and then neither speaks nor reads would hold it for ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a look at a connection finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is to be looked at again then.
    Fine(Instant),
    /// Nothing has been asked for too long.
    Idle,
    /// The peer does not take what it asked for.
    Stalled,
}

#[derive(Debug)]
pub(super) struct Watch {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    /// Requests under way; with the time since when it is the peer's turn to read.
    underway: HashMap<u64, Option<Instant>>,
    /// Until when the next request has to come.
    wanted: Instant,
}

impl Watch {
    /// The first request has to come within this time.
    pub fn new(first: Duration) -> Arc<Self> {
        let state = State { next: 0, underway: HashMap::new(), wanted: Instant::now() + first };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// A request came; after its end the next has to come within this time.
    pub fn begin(self: &Arc<Self>, idle: Duration) -> Underway {
        let mut state = self.state();
        let id = state.next;
        state.next += 1;
        state.underway.insert(id, None);
        drop(state);
        Underway { watch: self.clone(), id, idle }
    }

    /// How the connection looks now.
    pub fn look(&self, stall: Duration) -> Sight {
        let (now, state) = (Instant::now(), self.state());
        let waiting = state.underway.values().flatten().min().map(|since| *since + stall);
        match waiting {
            Some(until) if until <= now => Sight::Stalled,
            Some(until) => Sight::Fine(until),
            None if !state.underway.is_empty() => Sight::Fine(now + stall),
            None if state.wanted <= now => Sight::Idle,
            None => Sight::Fine(state.wanted),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, until its answer is taken or given up.
#[derive(Debug)]
pub(super) struct Underway {
    watch: Arc<Watch>,
    id: u64,
    idle: Duration,
}

impl Underway {
    /// It is our turn.
    pub fn works(&self) {
        self.note(None);
    }

    /// It is the peer's turn to read, from now on.
    pub fn waits_for_peer(&self) {
        self.note(Some(Instant::now()));
    }

    fn note(&self, since: Option<Instant>) {
        if let Some(turn) = self.watch.state().underway.get_mut(&self.id) {
            *turn = since;
        }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut state = self.watch.state();
        state.underway.remove(&self.id);
        state.wanted = Instant::now() + self.idle;
    }
}
