//! Passes that are under way in this process: how far each is, and who stops it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Clock, Timestamp};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Person, is_brought};
use crate::Inner;
use crate::model::{Mailbox, Priority, Source};
use crate::pass::Watcher;
use crate::throttle::{Spare, Throttle, is_same_host};

/// How long a person's own move is worked on while others wait for their turn, in milliseconds.
const TURN: i64 = 30 * 60_000;
/// How long it is for one message that takes longer than that, in milliseconds: begun again in each turn it would never come.
const LONGEST: i64 = 6 * 3_600_000;
/// Octets that a message counts for which was looked at.
const LOOKED_AT: u64 = 1024;
/// What a folder counts for that was opened.
const OPENED: u64 = 16 * 1024;
/// Octets that come of a mailbox of the organisation's in so many milliseconds at least: 1 KB in a second.
const CRAWL: (u64, i64) = (5 * 60 * 1024, 5 * 60_000);
/// How long a mailbox waits whose connection was slower.
const REST: Duration = Duration::from_secs(10 * 60);
/// How long somebody waits for a pass that he stopped: it may be reading a large file, and ends by itself behind that.
const STOPPING: Duration = Duration::from_secs(30);
/// What stands before the note of a mailbox whose connection was too slow.
pub(crate) const CRAWLS: &str = "slow";

/// A pass under way.
#[derive(Default)]
pub(crate) struct Following {
    /// The move that it belongs to.
    pub of: u64,
    /// The old server.
    pub source: u64,
    /// Its mailbox.
    pub mailbox: u64,
    /// How its mailbox stands in the queue.
    pub priority: Priority,
    /// Whether it gives way: to hours, and to whoever waits for a mailbox.
    pub yields: bool,
    /// When it began.
    pub began: Timestamp,
    /// The old server, and what is learned of its host.
    pub host: Option<Host>,
    /// Why it is stopped and goes on later, and when.
    pub put_off: Mutex<Option<(String, Duration)>>,
    /// Folders that were opened.
    pub opened: AtomicU64,
    /// Messages that were held against others, here or there, and not brought.
    pub alive: AtomicU64,
    /// Octets that were counted for the day.
    pub counted: AtomicU64,
    /// When it was last looked how far it is, and how far it was.
    looked: Mutex<(Timestamp, u64)>,
    pub stopped: watch::Sender<bool>,
    /// Stopped because others wait.
    pub had_its_turn: AtomicBool,
    pub total: AtomicU64,
    pub done: AtomicU64,
    pub bytes: AtomicU64,
    /// Octets of bodies that arrived, whatever became of them.
    pub came: Arc<AtomicU64>,
}

/// The host of an old server, for whoever asks it.
pub(crate) struct Host {
    pub source: Source,
    pub throttle: Arc<Throttle>,
    pub clock: Clock,
}

impl Following {
    pub(super) fn new(mailbox: &Mailbox, source: &Source, inner: &Inner) -> Self {
        let (throttle, clock, now) = (inner.throttle.clone(), inner.deps.clock.clone(), inner.deps.clock.now());
        Self {
            host: Some(Host { source: source.clone(), throttle, clock }),
            looked: Mutex::new((now, 0)),
            of: mailbox.of,
            source: mailbox.source,
            mailbox: mailbox.id,
            priority: mailbox.priority,
            yields: is_brought(mailbox),
            began: now,
            ..Self::default()
        }
    }

    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Whether its turn is over after so many milliseconds; not while the first message that it brings is on its way.
    pub(super) fn is_over(&self, after: i64) -> bool {
        let is_first = self.bytes.load(Ordering::Relaxed) == 0 && self.came.load(Ordering::Relaxed) > 0;
        after >= if is_first { LONGEST } else { TURN }
    }

    /// How far it is, in octets.
    pub(super) fn progress(&self) -> u64 {
        (self.done.load(Ordering::Relaxed) + self.alive.load(Ordering::Relaxed)) * LOOKED_AT
            + self.opened.load(Ordering::Relaxed) * OPENED
            + self.came.load(Ordering::Relaxed)
    }

    /// Stops it, to go on after a pause.
    pub fn put_off(&self, why: String, pause: Duration) {
        *self.put_off.lock().unwrap_or_else(PoisonError::into_inner) = Some((why, pause));
        self.stop();
    }

    /// Whether next to nothing came of late, so that another connection may do better.
    fn crawls(&self, now: Timestamp) -> bool {
        let (octets, span) = CRAWL;
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let ((since, before), progress) = (*looked, self.progress());
        if now.0 - since.0 < span {
            return false;
        }
        *looked = (now, progress);
        progress - before < octets
    }
}

impl Watcher for Following {
    fn total(&self, messages: u64) {
        self.total.store(messages, Ordering::Relaxed);
    }

    fn done(&self, messages: u64, bytes: u64) {
        self.done.fetch_add(messages, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn alive(&self, messages: u64) {
        self.alive.fetch_add(messages, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    fn answered(&self, took: Duration) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        if let Some(host) = &self.host {
            host.throttle.answered(&host.source, host.clock.now(), took);
        }
    }

    fn pause(&self) -> Duration {
        self.host.as_ref().map_or(Duration::ZERO, |host| host.throttle.pause(&host.source, host.clock.now()))
    }
}

impl Inner {
    /// Tells passes to stop; those of one move, or all.
    pub(crate) fn stop_all(&self, of: Option<u64>) {
        self.stop_those(|one| of.is_none_or(|of| one.of == of));
    }

    /// Tells the passes to stop of which this is so.
    pub(crate) fn stop_those(&self, is_meant: impl Fn(&Following) -> bool) {
        let following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        following.values().filter(|one| is_meant(one)).for_each(|one| one.stop());
    }

    /// Stops the pass over a mailbox of a source that began last and gives way, unless one is being stopped already.
    pub(super) fn give_way(&self, source: u64) {
        let following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let all = || following.values().filter(|one| one.source == source);
        if all().any(|one| one.is_stopped()) {
            return;
        }
        let yields = all().filter(|one| one.yields && one.priority < Priority::Awaited);
        if let Some(last) = yields.max_by_key(|one| one.began) {
            last.stop();
        }
    }

    /// Stops the pass over a mailbox, and waits until it has ended, half a minute at most.
    pub(crate) async fn stop_one(&self, id: u64) {
        let mut changed = self.changed.subscribe();
        let ended = async {
            while let Some(one) = self.followed(id) {
                one.stop();
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        if timeout(STOPPING, ended).await.is_err() {
            tracing::warn!(id, "a pass that was stopped goes on for the moment");
        }
    }

    /// How far the passes over mailboxes of a host are together.
    pub(super) fn progress_at(&self, source: &Source) -> u64 {
        let following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let at_host = |one: &&Arc<Following>| one.host.as_ref().is_some_and(|host| is_same_host(&host.source, source));
        following.values().filter(at_host).map(|one| one.progress()).sum()
    }

    /// Room for a connection to an old server beside those of its mailboxes.
    pub(crate) fn spare(&self, source: &Source) -> Option<Spare> {
        let live = self.progress_at(source);
        let mailboxes = {
            let following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
            let is_there =
                |one: &&Arc<Following>| one.host.as_ref().is_some_and(|host| is_same_host(&host.source, source));
            following.values().filter(is_there).count()
        };
        Spare::take(&self.throttle, (source, &self.deps.clock), mailboxes as u32, live)
    }

    /// Ends passes of the organisation's moves whose connections are too slow to be of use; they begin again later.
    pub(super) fn end_crawling(&self, now: Timestamp, persons: &HashMap<u64, Person>) {
        let following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = |one: &Following| one.host.as_ref().is_some_and(|host| !host.source.kind.is_files());
        // Persons' own have turns.
        let all = following.iter().filter(|(id, one)| !persons.contains_key(id) && one.yields && of_network(one));
        for (_, one) in all.filter(|(_, one)| one.crawls(now)) {
            one.put_off(format!("{CRAWLS}: the old server sends less than 1 KB in a second"), REST);
        }
    }

    /// Whether this is so of any pass under way.
    pub(super) fn is_any(&self, is_meant: impl Fn(&Following) -> bool) -> bool {
        self.following.lock().unwrap_or_else(PoisonError::into_inner).values().any(|one| is_meant(one))
    }

    /// The pass over a mailbox that is under way.
    pub(crate) fn followed(&self, id: u64) -> Option<Arc<Following>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(super) fn unfollow(&self, id: u64, following: &Following) {
        self.follow(id, None);
        if let Some(host) = &following.host {
            host.throttle.ended(&host.source, following.progress());
        }
        self.changed.send_modify(|count| *count += 1);
    }

    pub(super) fn follow(&self, id: u64, one: Option<Arc<Following>>) {
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        match one {
            Some(one) => following.insert(id, one),
            None => following.remove(&id),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_long_enough_for_one_message() {
        let pass = Following::default();
        assert!(pass.is_over(TURN) && !pass.is_over(TURN - 1), "nothing comes");
        pass.came.store(1 << 30, Ordering::Relaxed);
        assert!(!pass.is_over(TURN) && pass.is_over(LONGEST), "one is on its way");
        pass.done(1, 1 << 30);
        assert!(pass.is_over(TURN), "it came");
    }

    #[test]
    fn who_holds_messages_against_others_does_not_crawl() {
        let pass = Following::default();
        pass.alive(CRAWL.0 / LOOKED_AT);
        assert!(!pass.crawls(Timestamp(CRAWL.1)), "nothing was brought yet");
        assert!(pass.crawls(Timestamp(2 * CRAWL.1)), "nothing more was looked at");
    }
}
