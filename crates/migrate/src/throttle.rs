//! How many connections to one host are at work at once, one for each mailbox and those [beside the first](Spare): learned, for each host,
//! whichever moves and sources ask it.
//!
//! ```text
//! 2 ─▶ all in use, and more comes than with fewer ─▶ twice as many ─▶ … ─▶ no more comes: one step back, and so for a while
//!   ◀── half as many ── the host says that it is too much
//! ```
//!
//! Never more than the source and its profile say. While small commands are answered far later than usual it is one mailbox, with pauses:
//! others work on that host too. What was learned lives as long as the process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Clock, Timestamp};

use crate::model::{Kind, Source};
use crate::profile;

/// Mailboxes with which a host is met.
const FIRST: u32 = 2;
/// How long a number is tried before it is judged, in milliseconds.
const TRIAL: i64 = 5_000;
/// What more has to come for a larger number to be worth it, in percent.
const GAIN: u64 = 110;
/// For how long a number is kept that was found enough, or too much, in milliseconds.
const KEPT: i64 = 10 * 60_000;
/// Answers to small commands that are looked at: the first of them say what is usual, the last how it is now.
const ANSWERS: usize = 9;
/// How often as long as usual an answer takes where a host has too much to do, and the shortest that is told apart from noise.
const SLOW: (u32, Duration) = (4, Duration::from_millis(200));
/// For how long a host is spared when it answers nothing more, in milliseconds.
const SPARED: i64 = 5 * 60_000;
/// How long answers take longer than usual until that is what is usual, in milliseconds: hosts are not spared for ever.
const USUAL: i64 = 60 * 60_000;
/// For how long connections beside the first are left to mailboxes that wait, in milliseconds.
const WAITED: i64 = 10_000;
/// Doors of one host that are remembered.
const DOORS: usize = 32;
/// The pause between two batches of a host that is spared.
const PAUSE: Duration = Duration::from_secs(2);
/// Hosts that are remembered.
const HOSTS: usize = 1_000;

/// Every host.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Host>>);

/// What was learned of one.
#[derive(Debug, Default)]
struct Host {
    /// Mailboxes at once; 0 stands for [`FIRST`].
    most: u32,
    /// The number before, to which it goes back.
    before: u32,
    /// What came in a second with the number before.
    rate: u64,
    /// It was too much once: from then on it grows by one.
    was_refused: bool,
    /// Since when the number is tried, and what had come by then.
    since: Option<(Timestamp, u64)>,
    /// Until when it is kept.
    kept: Timestamp,
    /// Mailboxes at the last look, and connections beside their first ones.
    mailboxes: u32,
    spare: u32,
    /// No connection beside the first is begun before.
    alone: Timestamp,
    /// When mailboxes waited last.
    waited: Option<Timestamp>,
    /// What passes brought that have ended.
    ended: u64,
    /// Answers of each of its doors: what is small for one protocol is not for another.
    doors: HashMap<(Kind, u16), Answers>,
}

/// How long small commands took.
#[derive(Debug, Default)]
struct Answers {
    /// At first.
    usual: Vec<Duration>,
    /// Of late.
    last: VecDeque<Duration>,
    /// When the last one came.
    answered: Timestamp,
    /// Since when they take longer than usual.
    late: Option<Timestamp>,
}

impl Host {
    fn most(&self) -> u32 {
        if self.most == 0 { FIRST } else { self.most }
    }

    /// Learns from what had come by now, while so many mailboxes are worked on and at most `cap` connections may be.
    fn look(&mut self, now: Timestamp, mailboxes: u32, came: u64, cap: u32) {
        self.mailboxes = mailboxes;
        let at_once = mailboxes + self.spare;
        let most = self.most();
        // Another source of the host may have room for more.
        if most >= cap {
            return;
        }
        if at_once < most || now < self.kept {
            self.since = None;
            return;
        }
        let Some((since, had)) = self.since else {
            self.since = Some((now, came));
            return;
        };
        let took = now.0 - since.0;
        if took < TRIAL {
            return;
        }
        let rate = came.saturating_sub(had).saturating_mul(1000) / took as u64;
        if rate == 0 || rate.saturating_mul(100) < self.rate.saturating_mul(GAIN) {
            // More at once bring no more: one step back, and another try later.
            self.most = self.before.max(1);
            (self.rate, self.kept) = (0, Timestamp(now.0 + KEPT));
        } else {
            (self.before, self.rate) = (most, rate);
            self.most = if self.was_refused { most + 1 } else { most * 2 }.min(cap);
        }
        self.since = (self.rate > 0).then_some((now, came));
    }

    /// Whether there is room for so many connections beside the first ones of mailboxes, and nobody waits for it.
    fn has_spare(&self, now: Timestamp, spare: u32) -> bool {
        let is_waited_for = self.waited.is_some_and(|at| now.0 - at.0 < WAITED);
        !is_waited_for && !self.is_slow(now) && self.mailboxes + spare <= self.most()
    }

    fn refused(&mut self, now: Timestamp) {
        self.most = (self.most() / 2).max(1);
        (self.before, self.rate, self.since, self.was_refused) = (self.most, 0, None, true);
        self.kept = Timestamp(now.0 + KEPT);
    }

    fn answered(&mut self, door: (Kind, u16), now: Timestamp, took: Duration) {
        if self.doors.len() >= DOORS && !self.doors.contains_key(&door) {
            self.doors.clear();
        }
        self.doors.entry(door).or_default().put(now, took);
    }

    /// Whether it has too much to do.
    fn is_slow(&self, now: Timestamp) -> bool {
        self.doors.values().any(|answers| answers.are_late() && now.0 - answers.answered.0 < SPARED)
    }

    /// Whether one more may be worked on, where `at_once` are, as far as it said that it is too much.
    fn has_room(&self, now: Timestamp, at_once: usize) -> bool {
        let most = if self.is_slow(now) { 1 } else { self.most() };
        at_once < most as usize || !(self.was_refused || self.is_slow(now))
    }
}

impl Answers {
    fn put(&mut self, now: Timestamp, took: Duration) {
        let is_after_a_pause = now.0 - self.answered.0 >= SPARED;
        self.answered = now;
        if self.usual.len() < ANSWERS {
            self.usual.push(took);
            return;
        }
        self.last.push_back(took);
        if self.last.len() > ANSWERS {
            self.last.pop_front();
        }
        if !self.are_late() {
            self.late = None;
            return;
        }
        let late = self.late.filter(|_| !is_after_a_pause);
        let since = *self.late.insert(late.unwrap_or(now));
        if now.0 - since.0 >= USUAL {
            (self.usual, self.late) = (self.last.drain(..).collect(), None);
        }
    }

    /// Whether the last ones took far longer than usual.
    fn are_late(&self) -> bool {
        let (times, least) = SLOW;
        let usual = median(self.usual.iter().copied());
        let last = median(self.last.iter().copied());
        self.last.len() == ANSWERS && last > least && last > usual * times
    }
}

fn median(all: impl Iterator<Item = Duration>) -> Duration {
    let mut all: Vec<Duration> = all.collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// Whether what an old server says means that it is asked by too many at once.
pub(crate) fn is_too_much(why: &str) -> bool {
    const SAID: [&str; 6] =
        ["too many", "maximum number of connections", "connection limit", "[limit]", "throttl", "exceeded the limit"];
    let why = why.to_ascii_lowercase();
    SAID.iter().any(|said| why.contains(said))
}

/// What a source is known by here; `None` of files, which nobody has to be spared.
fn key(source: &Source) -> Option<String> {
    (!source.kind.is_files()).then(|| source.host.trim_end_matches('.').to_ascii_lowercase())
}

/// Mailboxes of a source at once, whatever was learned.
pub(crate) fn cap(source: &Source) -> u32 {
    profile::of_source(source).connections.unwrap_or(u32::MAX).min(source.connections).max(1)
}

/// Whether two sources are of one host.
pub(crate) fn is_same_host(one: &Source, other: &Source) -> bool {
    one.id == other.id || key(one).is_some_and(|host| key(other) == Some(host))
}

impl Throttle {
    fn with<R>(&self, source: &Source, of: impl FnOnce(&mut Host) -> R) -> Option<R> {
        let key = key(source)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= HOSTS && !all.contains_key(&key) {
            all.clear();
        }
        Some(of(all.entry(key).or_default()))
    }

    /// Mailboxes of the host of a source that may be worked on at once, where `at_once` are, and `live` came by those.
    pub fn most(&self, source: &Source, now: Timestamp, at_once: u32, live: u64) -> u32 {
        let cap = cap(source);
        let learned = self.with(source, |host| {
            host.look(now, at_once, host.ended + live, cap);
            if host.is_slow(now) { 1 } else { host.most() }
        });
        learned.unwrap_or(cap).min(cap)
    }

    /// Connections beside the first ones of mailboxes.
    pub fn spare(&self, source: &Source) -> u32 {
        self.with(source, |host| host.spare).unwrap_or(0)
    }

    /// Mailboxes of the source wait: connections beside the first are given back.
    pub fn waits(&self, source: &Source, now: Timestamp) {
        self.with(source, |host| host.waited = Some(now));
    }

    /// What was learned so far, and whether the host is spared.
    pub fn learned(&self, source: &Source, now: Timestamp) -> (u32, bool) {
        let learned = self.with(source, |host| (host.most(), host.is_slow(now)));
        let (most, is_slow) = learned.unwrap_or((u32::MAX, false));
        (if is_slow { 1 } else { most.min(cap(source)) }, is_slow)
    }

    /// A pass ended that brought so much.
    pub fn ended(&self, source: &Source, came: u64) {
        self.with(source, |host| host.ended += came);
    }

    /// The host says that it is too much.
    pub fn refused(&self, source: &Source, now: Timestamp) {
        self.with(source, |host| host.refused(now));
    }

    /// A small command was answered within this time.
    pub fn answered(&self, source: &Source, now: Timestamp, took: Duration) {
        self.with(source, |host| host.answered((source.kind, source.port), now, took));
    }

    /// Whether one more mailbox may be worked on, where `at_once` of the host are; what was only not tried yet keeps nobody.
    pub fn has_room(&self, source: &Source, now: Timestamp, at_once: usize) -> bool {
        self.with(source, |host| host.has_room(now, at_once)).unwrap_or(true)
    }

    /// How long to wait before the next batch.
    pub fn pause(&self, source: &Source, now: Timestamp) -> Duration {
        let is_slow = self.with(source, |host| host.is_slow(now)).unwrap_or(false);
        if is_slow { PAUSE } else { Duration::ZERO }
    }
}

/// Room for one connection beside the first ones of mailboxes; given back when it is dropped.
#[derive(Debug)]
pub struct Spare {
    throttle: Arc<Throttle>,
    source: Source,
    clock: Clock,
}

impl Spare {
    /// Where there is room, while `mailboxes` of the host are worked on, and `live` came by those.
    pub(crate) fn take(
        throttle: &Arc<Throttle>,
        (source, clock): (&Source, &Clock),
        mailboxes: u32,
        live: u64,
    ) -> Option<Self> {
        let (now, cap) = (clock.now(), cap(source));
        let taken = throttle.with(source, |host| {
            host.look(now, mailboxes, host.ended + live, cap);
            let is_soon = now < host.alone;
            let has_room = !is_soon && mailboxes + host.spare < cap && host.has_spare(now, host.spare + 1);
            if has_room {
                host.spare += 1;
                host.alone = Timestamp(now.0 + TRIAL);
            }
            has_room
        });
        taken?.then(|| Self { throttle: throttle.clone(), source: source.clone(), clock: clock.clone() })
    }

    /// Whether others need the room.
    pub(crate) fn is_wanted_back(&self) -> bool {
        let now = self.clock.now();
        self.throttle.with(&self.source, |host| !host.has_spare(now, host.spare)).unwrap_or(true)
    }

    /// The connection ended early, and these are the words: no other is begun beside the first for a while.
    pub(crate) fn refused(&self, why: &str) {
        let now = self.clock.now();
        if is_too_much(why) {
            self.throttle.refused(&self.source, now);
        }
        self.throttle.with(&self.source, |host| host.alone = Timestamp(now.0 + KEPT));
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.throttle.with(&self.source, |host| host.spare = host.spare.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tls;

    const DOOR: (Kind, u16) = (Kind::Imap, 993);

    /// Judges a number after each trial, with what `rate` says comes in a second by it; the numbers.
    fn numbers(host: &mut Host, cap: u32, trials: i64, rate: impl Fn(u32) -> u64) -> Vec<u32> {
        let (mut came, mut seen) = (0, Vec::new());
        host.look(Timestamp(0), host.most(), came, cap);
        for trial in 1..=trials {
            let most = host.most();
            seen.push(most);
            came += rate(most) * (TRIAL as u64 / 1000);
            host.look(Timestamp(trial * TRIAL), most, came, cap);
        }
        seen
    }

    #[test]
    fn it_grows_while_more_comes_and_never_above_what_was_said() {
        assert_eq!(numbers(&mut Host::default(), 15, 5, |most| u64::from(most) * 1000), [2, 4, 8, 15, 15]);
        assert_eq!(numbers(&mut Host::default(), 1, 2, |_| 1000), [2, 2], "the cap is kept elsewhere");
    }

    #[test]
    fn it_goes_back_where_more_at_once_bring_no_more() {
        let mut host = Host::default();
        assert_eq!(numbers(&mut host, 15, 4, |most| u64::from(most.min(4)) * 1000), [2, 4, 8, 4]);
        // It stays so for a while.
        host.look(Timestamp(3 * TRIAL + KEPT - 1), 4, 1 << 40, 15);
        assert_eq!((host.most(), host.since), (4, None));
    }

    #[test]
    fn what_is_not_used_as_a_whole_says_nothing() {
        let mut host = Host::default();
        host.look(Timestamp(0), 1, 0, 15);
        host.look(Timestamp(TRIAL), 1, 1 << 30, 15);
        assert_eq!(host.most(), 2);
    }

    #[test]
    fn it_halves_when_the_host_refuses_and_grows_by_one_then() {
        let mut host = Host { most: 8, ..Host::default() };
        host.refused(Timestamp(0));
        assert_eq!(host.most(), 4);
        for _ in 0..5 {
            host.refused(Timestamp(0));
        }
        assert_eq!(host.most(), 1, "one is never too much");
        host.look(Timestamp(KEPT - 1), 1, 0, 15);
        assert_eq!(host.since, None, "not yet");
        host.look(Timestamp(KEPT), 1, 0, 15);
        host.look(Timestamp(KEPT + TRIAL), 1, 1 << 20, 15);
        assert_eq!(host.most(), 2);
        for said in ["NO [LIMIT] x", "Too many simultaneous connections", "-ERR [IN-USE] maximum number of connections"]
        {
            assert!(is_too_much(said), "{said}");
        }
        assert!(!is_too_much("the connection broke"));
    }

    #[test]
    fn a_mailbox_has_the_connections_that_no_other_waits_for() {
        let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
        let (name, host, profile) = ("old".into(), "old.example".into(), "generic".into());
        let (kind, port, tls, connections) = (Kind::Imap, 993, Tls::Implicit, 3);
        let source =
            Source { id: 1, name, kind, host, port, tls, profile, connections, admin: None, rules: Default::default() };
        let throttle = Arc::new(Throttle::default());
        let take = |mailboxes, live| Spare::take(&throttle, (&source, &clock), mailboxes, live);
        let one = take(1, 0).expect("two are begun with");
        assert!(take(1, 0).is_none(), "two");
        assert!(!one.is_wanted_back());
        clock.advance(Duration::from_millis(TRIAL as u64));
        let two = take(1, 1 << 30).expect("more comes by two");
        assert_eq!(throttle.spare(&source), 2);
        assert!(take(1, 1 << 40).is_none(), "three are what the source allows");
        throttle.waits(&source, clock.now());
        assert!(one.is_wanted_back() && two.is_wanted_back());
        drop((one, two));
        assert!(take(1, 1 << 40).is_none(), "it is left to those who wait");
        clock.advance(Duration::from_millis(WAITED as u64));
        assert!(take(2, 1 << 40).is_some());
        assert_eq!(throttle.spare(&source), 0);
    }

    #[test]
    fn it_is_spared_while_it_answers_late() {
        let mut host = Host::default();
        let answer = |host: &mut Host, ms: u64, times: usize| {
            (0..times).for_each(|_| host.answered(DOOR, Timestamp(0), Duration::from_millis(ms)));
        };
        answer(&mut host, 60, ANSWERS);
        answer(&mut host, 60, ANSWERS);
        assert!(!host.is_slow(Timestamp(0)));
        answer(&mut host, 300, ANSWERS / 2);
        assert!(!host.is_slow(Timestamp(0)), "a few say nothing");
        answer(&mut host, 300, 1);
        assert!(host.is_slow(Timestamp(0)) && !host.is_slow(Timestamp(SPARED)));
        answer(&mut host, 60, ANSWERS);
        assert!(!host.is_slow(Timestamp(0)), "it has room again");
        let other = |host: &mut Host| host.answered((Kind::Pop3, 995), Timestamp(0), Duration::from_secs(1));
        (0..2 * ANSWERS).for_each(|_| other(&mut host));
        assert!(!host.is_slow(Timestamp(0)), "another door has another usual");
        let mut fast = Host::default();
        answer(&mut fast, 1, ANSWERS);
        answer(&mut fast, 100, ANSWERS);
        assert!(!fast.is_slow(Timestamp(0)), "what nobody notices is no reason");
    }

    #[test]
    fn what_lasts_is_usual() {
        let mut host = Host::default();
        let answer = |host: &mut Host, at: i64, ms: u64| {
            (0..ANSWERS).for_each(|_| host.answered(DOOR, Timestamp(at), Duration::from_millis(ms)));
        };
        answer(&mut host, 0, 60);
        (0..USUAL).step_by(SPARED as usize - 1).for_each(|at| answer(&mut host, at, 300));
        assert!(host.is_slow(Timestamp(USUAL - 1)));
        answer(&mut host, USUAL, 300);
        answer(&mut host, USUAL, 300);
        assert!(!host.is_slow(Timestamp(USUAL)));
        answer(&mut host, USUAL, 2000);
        assert!(host.is_slow(Timestamp(USUAL)));
        // Nobody knows how it was meanwhile.
        answer(&mut host, 3 * USUAL, 2000);
        assert!(host.is_slow(Timestamp(3 * USUAL)));
    }

    #[test]
    fn a_source_with_a_small_cap_keeps_no_other_from_learning() {
        let mut host = Host::default();
        for trial in 0..=2 {
            for cap in [15, 2] {
                host.look(Timestamp(trial * TRIAL), host.most(), trial as u64 * u64::from(host.most()) * 10_000, cap);
            }
        }
        assert_eq!(host.most(), 8);
    }

    #[test]
    fn who_said_that_it_is_too_much_has_room_for_no_more() {
        let mut host = Host::default();
        assert!(host.has_room(Timestamp(0), 9), "it said nothing");
        host.refused(Timestamp(0));
        assert!(host.has_room(Timestamp(0), 0) && !host.has_room(Timestamp(0), 1));
    }
}
