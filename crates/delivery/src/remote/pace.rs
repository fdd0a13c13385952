//! How many messages go to one destination at once, and how soon: more while it takes them, half of it when it does not (RFC 5321
//! §4.5.4.1 leaves the strategy to us).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anser_base::{Entropy, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::stop::Stop;

/// Conversations with a destination that is not known yet.
const FIRST: f64 = 5.0;
/// Conversations at most.
const MOST: f64 = 20.0;
/// Entries in memory that wait for their turn at one destination. Others are put off, and come back one after the other, as many a
/// second as it took lately: so that there is always something for it, and little that comes back in vain.
const WAITING: usize = 400;
/// How long what is put off stays away, at least and at most.
const CROWDED: Duration = Duration::from_secs(1);
const LONGEST_CROWDED: Duration = Duration::from_secs(600);
/// Messages a second that a destination is thought to take until it is known, and the least that is thought of one.
const FIRST_RATE: f64 = 500.0;
const LEAST_RATE: f64 = 1.0;
/// Over how many seconds the rate is taken.
const RATE_OVER: f64 = 2.0;
/// Failures in a row after which a destination is left alone, for [`REST`] and twice as long each time, up to [`LONGEST_REST`].
const FAILURES: u32 = 3;
const REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(900);
/// What is put off for a rest comes back within this time after it, so that it does not come at once.
const SPREAD: Duration = Duration::from_secs(120);
/// Destinations remembered. Those without anything to remember go first.
const PLACES: usize = 20_000;

/// Messages an hour to one destination on the first day of an address that nobody knows yet; twice as many each day.
const FIRST_DAY: u32 = 50;
/// Days after which an address is known.
const WARM: u32 = 14;
const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: i64 = 3600;

/// How many messages an hour may go to one destination from addresses that send since `since`; any number once they are known, and before.
pub(super) fn warm_up(since: Timestamp, now: Timestamp) -> Option<u32> {
    if now < since {
        return None;
    }
    let days = u32::try_from(now.since(since).as_secs() / DAY.as_secs()).unwrap_or(u32::MAX);
    (days < WARM).then(|| FIRST_DAY << days)
}

/// The destinations.
pub(super) struct Pace {
    places: Mutex<HashMap<String, Arc<Place>>>,
    entropy: Entropy,
}

/// One destination.
struct Place {
    state: Mutex<State>,
    freed: Notify,
}

struct State {
    limit: f64,
    running: usize,
    waiting: usize,
    failures: u32,
    rests_until: Option<Instant>,
    /// Why it rests.
    why: String,
    /// Messages a second while others waited, and when the last one of these was taken.
    rate: f64,
    took: Option<Instant>,
    /// When the next entry that is put off comes back.
    comes_back: Instant,
    /// Turns of this hour, which is counted since 1970, and when it ends: for addresses that are new.
    hour: i64,
    turns: u32,
    ends: Instant,
}

/// The right to speak with a destination; ends when it is dropped.
pub(super) struct Turn {
    place: Arc<Place>,
}

impl Pace {
    pub fn new(entropy: Entropy) -> Self {
        Self { places: Mutex::default(), entropy }
    }

    /// A turn of this hour, of which there are at most so many, at a destination that is to learn who we are. An error puts the entry off until the next
    /// one. They are counted from the start of the server.
    pub async fn turn_of(&self, destination: &str, most: u32, now: Timestamp) -> Result<Turn, Stop> {
        let (place, hour) = (self.place(destination), now.secs().div_euclid(HOUR));
        {
            let mut state = place.state();
            let left = Duration::from_secs((HOUR - now.secs().rem_euclid(HOUR)).unsigned_abs());
            if state.hour != hour {
                (state.hour, state.turns, state.ends) = (hour, 0, Instant::now() + left);
            }
            if state.turns >= most {
                let why = format!("4.4.5 this server is new: {most} messages an hour go to {destination} today");
                return Err(Stop::after(self.spread(left, SPREAD), why));
            }
            state.turns += 1;
        }
        self.turn(destination).await
    }

    /// Waits for a turn. An error puts the entry off: the destination rests, or too many wait for it already.
    pub async fn turn(&self, destination: &str) -> Result<Turn, Stop> {
        let place = self.place(destination);
        loop {
            let freed = place.freed.notified();
            {
                let mut state = place.state();
                if let Err(stop) = self.unless_resting(destination, &state) {
                    // Who waits behind this one is to be told as well.
                    place.freed.notify_one();
                    return Err(stop);
                }
                if state.running < state.limit as usize {
                    state.running += 1;
                    break;
                }
                if state.waiting >= WAITING {
                    let pause = state.put_off(Instant::now());
                    return Err(Stop::after(pause, format!("4.4.5 many messages wait for {destination}")));
                }
                state.waiting += 1;
            }
            let _waits = Waits(&place);
            freed.await;
        }
        Ok(Turn { place })
    }

    fn unless_resting(&self, destination: &str, state: &State) -> Result<(), Stop> {
        let left = state.rests_until.and_then(|until| until.checked_duration_since(Instant::now()));
        match left.filter(|left| !left.is_zero()) {
            Some(left) => {
                let why = match state.why.is_empty() {
                    true => format!("4.4.1 {destination} is left alone for a while"),
                    false => state.why.clone(),
                };
                Err(Stop::after(self.spread(left, SPREAD), why))
            }
            None => Ok(()),
        }
    }

    fn spread(&self, least: Duration, more: Duration) -> Duration {
        least + Duration::from_millis(self.entropy.below(more.as_millis() as u64))
    }

    fn place(&self, destination: &str) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(destination) {
            return place.clone();
        }
        if places.len() >= PLACES {
            places.retain(|_, place| Arc::strong_count(place) > 1 || place.state().is_worth_keeping());
        }
        if places.len() >= PLACES {
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        let place = Arc::new(Place { state: Mutex::new(State::new()), freed: Notify::new() });
        places.insert(destination.to_owned(), place.clone());
        place
    }
}

impl Turn {
    /// The destination did its work, whatever it said of the message.
    pub fn went_well(self) {
        self.place.state().well();
    }

    /// It could not be spoken to, or asked for less: 421, or 4yz before any message (RFC 5321 §3.8).
    pub fn went_badly(self, why: &str) {
        self.place.state().badly(why);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let free = {
            let mut state = self.place.state();
            state.running -= 1;
            (state.limit as usize).saturating_sub(state.running)
        };
        // At least one looks again: the destination may rest now.
        (0..free.max(1)).for_each(|_| self.place.freed.notify_one());
    }
}

/// One who waits, until it is dropped.
struct Waits<'a>(&'a Place);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

impl Place {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new() -> Self {
        Self {
            limit: FIRST,
            running: 0,
            waiting: 0,
            failures: 0,
            rests_until: None,
            why: String::new(),
            rate: FIRST_RATE,
            took: None,
            comes_back: Instant::now(),
            hour: 0,
            turns: 0,
            ends: Instant::now(),
        }
    }

    fn is_worth_keeping(&self) -> bool {
        let now = Instant::now();
        self.running + self.waiting > 0
            || (self.turns > 0 && self.ends > now)
            || self.rests_until.is_some_and(|until| until > now)
    }

    /// One conversation more for as many messages as go on at once.
    fn well(&mut self) {
        let now = Instant::now();
        if self.waiting == 0 {
            // How fast it is shows only while it is kept busy.
            self.took = None;
        } else if let Some(before) = self.took.replace(now) {
            // The rate of each gap counts for as long as the gap was.
            let gap = (now - before).as_secs_f64().max(0.0001);
            self.rate += (1.0 / gap - self.rate) * (1.0 - (-gap / RATE_OVER).exp());
        }
        self.limit = (self.limit + 1.0 / self.limit).min(MOST);
        (self.failures, self.rests_until) = (0, None);
        self.why.clear();
    }

    /// How long an entry is put off that finds too many waiting.
    fn put_off(&mut self, now: Instant) -> Duration {
        let at = self.comes_back.clamp(now + CROWDED, now + LONGEST_CROWDED);
        self.comes_back = at + Duration::from_secs_f64(1.0 / self.rate.max(LEAST_RATE));
        at - now
    }

    fn badly(&mut self, why: &str) {
        self.limit = (self.limit / 2.0).max(1.0);
        self.failures = self.failures.saturating_add(1);
        why.clone_into(&mut self.why);
        if self.failures >= FAILURES {
            let doubled = REST * 2_u32.saturating_pow((self.failures - FAILURES).min(10));
            self.rests_until = Some(Instant::now() + doubled.min(LONGEST_REST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace::new(Entropy::seeded(1))
    }

    #[tokio::test(start_paused = true)]
    async fn a_destination_that_takes_mail_gets_more_at_once() {
        let pace = pace();
        let mut most = 0;
        for _ in 0..400 {
            let turn = pace.turn("a.test").await.ok().unwrap();
            most = most.max(turn.place.state().limit as usize);
            turn.went_well();
        }
        assert_eq!(most, MOST as usize);
        pace.turn("a.test").await.ok().unwrap().went_badly("4.3.2 busy");
        assert_eq!(pace.place("a.test").state().limit, MOST / 2.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_destination_that_fails_is_left_alone_and_tried_again() {
        let pace = pace();
        for _ in 0..FAILURES {
            pace.turn("a.test").await.ok().unwrap().went_badly("4.4.1 no answer");
        }
        let stop = pace.turn("a.test").await.err().unwrap();
        assert_eq!(stop.why(), "4.4.1 no answer");
        assert!(pace.turn("b.test").await.is_ok());
        tokio::time::advance(REST).await;
        pace.turn("a.test").await.ok().unwrap().went_badly("4.4.1 no answer");
        tokio::time::advance(REST).await;
        assert!(pace.turn("a.test").await.is_err(), "the second rest is longer");
        tokio::time::advance(REST).await;
        pace.turn("a.test").await.ok().unwrap().went_well();
        assert!(pace.turn("a.test").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_new_sends_more_each_day_until_it_is_known() {
        let (pace, since) = (pace(), Timestamp::from_secs(1_800_000_000));
        let day = |days: u32| warm_up(since, since.after(DAY * days));
        assert_eq!([day(0), day(1), day(WARM - 1), day(WARM)], [Some(50), Some(100), Some(50 << 13), None]);
        assert_eq!(warm_up(since.after(DAY), since), None, "what is to be new tomorrow is as it was today");
        let at = |minutes: u64| since.after(Duration::from_secs(minutes * 60));
        let turn = async |to: &str, minutes| pace.turn_of(to, 2, at(minutes)).await;
        assert!(turn("a.test", 0).await.is_ok() && turn("a.test", 10).await.is_ok());
        let stop = turn("a.test", 20).await.err().unwrap();
        assert!(stop.why().starts_with("4.4.5 this server is new: 2 messages"), "{}", stop.why());
        let left = match stop.outcome() {
            anser_queue::Outcome::Wait { after, .. } => after,
            other => panic!("{other:?}"),
        };
        assert!((40 * 60..=42 * 60).contains(&left.as_secs()), "until the next hour: {left:?}");
        assert!(turn("b.test", 20).await.is_ok(), "each destination for itself");
        assert!(turn("a.test", 60).await.is_ok());
        assert!(pace.place("a.test").state().is_worth_keeping());
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(!pace.place("a.test").state().is_worth_keeping(), "its hour is past");
    }

    #[tokio::test(start_paused = true)]
    async fn few_wait_for_one_destination_and_each_gets_its_turn() {
        let pace = Arc::new(pace());
        let turns: Vec<Turn> = {
            let mut turns = Vec::new();
            for _ in 0..FIRST as usize {
                turns.push(pace.turn("a.test").await.ok().unwrap());
            }
            turns
        };
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..WAITING + 10 {
            let pace = pace.clone();
            tasks.spawn(async move { pace.turn("a.test").await.map(drop).is_ok() });
        }
        while pace.place("a.test").state().waiting < WAITING {
            tokio::task::yield_now().await;
        }
        drop(turns);
        let served = tasks.join_all().await.into_iter().filter(|served| *served).count();
        assert_eq!(served, WAITING);
        let place = pace.place("a.test");
        assert_eq!(place.state().running, 0);
        assert_eq!(place.state().waiting, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_put_off_comes_back_as_fast_as_it_can_be_taken() {
        let mut state = State { waiting: 1, ..State::new() };
        for _ in 0..400 {
            tokio::time::advance(Duration::from_millis(50)).await;
            state.well();
        }
        let now = Instant::now();
        let pauses: Vec<f64> = (0..101).map(|_| state.put_off(now).as_secs_f64()).collect();
        assert_eq!(pauses[0], CROWDED.as_secs_f64());
        assert!((4.5..6.0).contains(&(pauses[100] - pauses[0])), "20 a second: {}", pauses[100]);
        tokio::time::advance(LONGEST_CROWDED).await;
        assert_eq!(state.put_off(Instant::now()), CROWDED, "all are back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_is_told_to_all_who_wait() {
        let pace = Arc::new(pace());
        let turns = [pace.turn("a.test").await, pace.turn("a.test").await, pace.turn("a.test").await];
        let _others = [pace.turn("a.test").await, pace.turn("a.test").await];
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..WAITING {
            let pace = pace.clone();
            tasks.spawn(async move { pace.turn("a.test").await.is_err() });
        }
        tokio::task::yield_now().await;
        turns.into_iter().for_each(|turn| turn.ok().unwrap().went_badly("4.4.1 no answer"));
        assert!(tasks.join_all().await.into_iter().all(|put_off| put_off));
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let pace = pace();
        for n in 0..PLACES + 10 {
            pace.place(&format!("{n}.test"));
        }
        assert!(pace.places.lock().unwrap().len() <= PLACES);
    }
}
