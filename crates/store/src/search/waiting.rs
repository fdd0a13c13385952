//! Accounts with changes that are not indexed, and who of them is next.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use anser_base::AccountId;
use tokio::time::Instant;

/// Accounts that wait for the indexer at most; another one waits for its next change or its next search.
const MOST: usize = 100_000;
/// From an account's last change to its batch, so that a burst of mail is one batch.
const SETTLE: Duration = Duration::from_millis(500);
/// From its first change to its batch, however much comes: a mailbox that moves in comes first, and its index behind it.
const LATEST: Duration = Duration::from_secs(30);

/// Accounts that wait, in the order in which they began to.
#[derive(Default)]
pub(super) struct Waiting {
    order: VecDeque<AccountId>,
    since: HashMap<AccountId, Since>,
}

struct Since {
    /// Its first change.
    first: Instant,
    /// Its last one; `None` of an account that is not to settle.
    last: Option<Instant>,
}

/// Who is next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This one, now; it waits no more.
    Account(AccountId),
    /// Somebody, then.
    At(Instant),
    /// Nobody waits.
    Nobody,
}

impl Waiting {
    /// An account has changed. Whether it did not wait before.
    pub fn changed(&mut self, account: AccountId, now: Instant) -> bool {
        if let Some(since) = self.since.get_mut(&account) {
            since.last = since.last.and(Some(now));
            return false;
        }
        self.push(account, Since { first: now, last: Some(now) })
    }

    /// An account is to be indexed without delay. Whether that is news.
    pub fn wanted(&mut self, account: AccountId, now: Instant) -> bool {
        if let Some(since) = self.since.get_mut(&account) {
            return since.last.take().is_some();
        }
        self.push(account, Since { first: now, last: None })
    }

    fn push(&mut self, account: AccountId, since: Since) -> bool {
        let has_room = self.order.len() < MOST;
        if has_room {
            self.order.push_back(account);
            self.since.insert(account, since);
        }
        has_room
    }

    /// The first whose time has come.
    pub fn next(&mut self, now: Instant) -> Next {
        let mut soonest: Option<Instant> = None;
        for (at, account) in self.order.iter().enumerate() {
            let Some(Since { first, last: Some(last) }) = self.since.get(account) else { return self.take(at) };
            let due = (*first + LATEST).min(*last + SETTLE);
            if due <= now {
                return self.take(at);
            }
            soonest = Some(soonest.map_or(due, |soonest| soonest.min(due)));
        }
        soonest.map_or(Next::Nobody, Next::At)
    }

    fn take(&mut self, at: usize) -> Next {
        let Some(account) = self.order.remove(at) else { return Next::Nobody };
        self.since.remove(&account);
        Next::Account(account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: AccountId = AccountId(1);
    const TWO: AccountId = AccountId(2);

    #[test]
    fn a_burst_is_waited_for_but_not_for_ever() {
        let (mut waiting, start) = (Waiting::default(), Instant::now());
        assert!(waiting.changed(ONE, start));
        assert_eq!(waiting.next(start), Next::At(start + SETTLE));
        assert!(!waiting.changed(ONE, start + SETTLE / 2));
        assert_eq!(waiting.next(start + SETTLE), Next::At(start + SETTLE / 2 + SETTLE));
        assert!(!waiting.changed(ONE, start + LATEST));
        assert_eq!(waiting.next(start + LATEST), Next::Account(ONE));
        assert_eq!(waiting.next(start + LATEST), Next::Nobody);
    }

    #[test]
    fn a_burst_keeps_nobody_behind_it_and_who_is_wanted_does_not_wait() {
        let (mut waiting, start) = (Waiting::default(), Instant::now());
        assert!(waiting.changed(ONE, start) && waiting.changed(TWO, start));
        waiting.changed(ONE, start + SETTLE);
        assert_eq!(waiting.next(start + SETTLE), Next::Account(TWO));
        assert!(waiting.wanted(ONE, start + SETTLE) && !waiting.wanted(ONE, start + SETTLE));
        waiting.changed(ONE, start + SETTLE);
        assert_eq!(waiting.next(start + SETTLE), Next::Account(ONE));
    }
}
