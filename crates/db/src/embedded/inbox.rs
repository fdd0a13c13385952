//! What waits for a worker.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::files::Files;
use crate::job::Job;

/// Jobs that one commit takes at most.
const BATCH: usize = 256;

/// Something done with a worker's files between two batches.
pub(super) type Order = Box<dyn FnOnce(&mut Files) + Send>;

/// What a worker does next.
pub(super) enum Taken {
    /// Orders go before jobs.
    Order(Order),
    /// All jobs that wait, up to a batch.
    Jobs(Vec<Job>),
}

#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    orders: VecDeque<Order>,
    closed: bool,
}

impl Inbox {
    pub fn push(&self, job: Job) {
        self.state().jobs.push_back(job);
        self.filled.notify_one();
    }

    pub fn order(&self, order: Order) {
        self.state().orders.push_back(order);
        self.filled.notify_one();
    }

    /// What was pushed is still done.
    pub fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
    }

    pub fn is_empty(&self) -> bool {
        let state = self.state();
        state.jobs.is_empty() && state.orders.is_empty()
    }

    /// Waits for something to do; `None` when closed and empty.
    pub fn take(&self) -> Option<Taken> {
        let mut state = self.state();
        loop {
            if let Some(order) = state.orders.pop_front() {
                return Some(Taken::Order(order));
            }
            if !state.jobs.is_empty() {
                let count = state.jobs.len().min(BATCH);
                return Some(Taken::Jobs(state.jobs.drain(..count).collect()));
            }
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
