//! One session for each account (RFC 1939 §4), and who gets the maildrop when its holder is gone without a word.
//!
//! A client that lost its network leaves a session behind that nobody ends. So a new login takes the maildrop over from a session that
//! has been waiting for its client's next command for [`TAKEN_OVER`] or longer: the old session removes nothing, like one
//! whose connection broke, and is closed. A session that works for its client, or sends it a message, keeps the maildrop and the new
//! login is told `[IN-USE]`. A client that is only slow sees its connection closed and begins anew; nothing it marked was removed.
//! Without a second login the session's silence ends it after [`crate::Limits::idle_time`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anser_base::{AccountId, Timestamp};
use tokio::sync::Notify;

/// How long a session has waited for its client before another may have its maildrop.
pub const TAKEN_OVER: Duration = Duration::from_secs(60);

/// Which accounts have a session in this process; clones share the table.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    taken: Arc<Mutex<HashMap<AccountId, Arc<Holder>>>>,
}

/// A session as the table sees it.
#[derive(Debug, Default)]
struct Holder {
    state: Mutex<State>,
    lost: Notify,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Does what its client asked for.
    #[default]
    Working,
    /// Waits for its client since then.
    Waiting(Timestamp),
    /// Another session has the maildrop now.
    Lost,
}

/// An account's lock, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    locks: Locks,
    account: AccountId,
    holder: Arc<Holder>,
}

impl Locks {
    /// The account's lock; `None` when a session has it that is alive.
    pub(crate) fn take(&self, account: AccountId, now: Timestamp) -> Option<Lock> {
        let mut taken = self.table();
        if taken.get(&account).is_some_and(|holder| !holder.lose(now)) {
            return None;
        }
        let holder = Arc::new(Holder::default());
        taken.insert(account, holder.clone());
        Some(Lock { locks: self.clone(), account, holder })
    }

    fn table(&self) -> MutexGuard<'_, HashMap<AccountId, Arc<Holder>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the maildrop away, unless the session is alive.
    fn lose(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        match *state {
            State::Waiting(since) if now.since(since) >= TAKEN_OVER => {
                *state = State::Lost;
                self.lost.notify_one();
                true
            }
            State::Lost => true,
            State::Working | State::Waiting(_) => false,
        }
    }
}

impl Lock {
    /// The session begins to wait for its client.
    pub fn wait(&self, now: Timestamp) {
        let mut state = self.holder.state();
        if *state == State::Working {
            *state = State::Waiting(now);
        }
    }

    /// The session goes on; false when it lost the maildrop meanwhile, and must end without an update.
    pub fn go_on(&self) -> bool {
        let mut state = self.holder.state();
        if *state == State::Lost {
            return false;
        }
        *state = State::Working;
        true
    }

    /// What ends when the maildrop is lost.
    pub fn lost(&self) -> impl Future<Output = ()> + use<> {
        let holder = self.holder.clone();
        async move { holder.lost.notified().await }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut taken = self.locks.table();
        if taken.get(&self.account).is_some_and(|holder| Arc::ptr_eq(holder, &self.holder)) {
            taken.remove(&self.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_session_that_waits_for_long_loses_its_maildrop() {
        let (locks, ann, start) = (Locks::default(), AccountId(1), Timestamp::from_secs(1_000));
        let late = start.after(TAKEN_OVER);
        let first = locks.take(ann, start).unwrap();
        assert!(locks.take(ann, late).is_none(), "it works");
        first.wait(start);
        assert!(locks.take(ann, start.after(TAKEN_OVER - Duration::from_millis(1))).is_none(), "not yet");
        assert!(first.go_on());
        assert!(locks.take(ann, late).is_none(), "it works again");
        first.wait(start);
        let second = locks.take(ann, late).unwrap();
        assert!(!first.go_on());
        first.wait(late);
        assert!(!first.go_on(), "what is lost stays lost");
        drop(first);
        assert!(locks.take(ann, late.after(TAKEN_OVER)).is_none(), "the first took nothing with it");
        drop(second);
        assert!(locks.take(ann, late).is_some());
    }
}
