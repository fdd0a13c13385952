//! Token buckets in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Clock, Timestamp};

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may happen at once, and within each [`Self::per`] on average. At least 1.
    pub count: u32,
    /// The time in which `count` become free again.
    pub per: Duration,
}

/// A bucket of tokens for each key (a source, an account). Keys that were not seen for [`Rate::per`] cost no memory; when more
/// than the capacity are active, those that used least are forgotten first.
#[derive(Debug)]
pub struct RateLimiter<K> {
    clock: Clock,
    rate: Rate,
    capacity: usize,
    buckets: Mutex<HashMap<K, Bucket>>,
}

/// `used` tokens were out at the moment `at`.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    used: f64,
    at: Timestamp,
}

impl<K: Hash + Eq + Clone> RateLimiter<K> {
    /// A limiter that remembers up to `capacity` keys (at least 2).
    pub fn new(clock: Clock, rate: Rate, capacity: usize) -> Self {
        Self { clock, rate, capacity: capacity.max(2), buckets: Mutex::default() }
    }

    /// Takes one token; `Err` says how long until there is one. A refusal costs nothing.
    pub fn try_take(&self, key: &K) -> Result<(), Duration> {
        self.try_take_many(key, 1)
    }

    /// Takes `count` tokens, all or none; `Err` says how long until there are as many. More than [`Rate::count`] at once
    /// are granted when the bucket is full, and then block the key until they are paid for.
    pub fn try_take_many(&self, key: &K, count: u32) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let used = buckets.get(key).map_or(0.0, |bucket| self.used_now(*bucket, now));
        let burst = f64::from(self.rate.count.max(1));
        let wanted = f64::from(count).min(burst);
        if used + wanted > burst {
            return Err(self.rate.per.mul_f64((used + wanted - burst) / burst));
        }
        if buckets.len() >= self.capacity && !buckets.contains_key(key) {
            self.evict(&mut buckets, now);
        }
        buckets.insert(key.clone(), Bucket { used: used + f64::from(count), at: now });
        Ok(())
    }

    /// How many keys are remembered; never more than the capacity.
    pub fn remembered(&self) -> usize {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn used_now(&self, bucket: Bucket, now: Timestamp) -> f64 {
        let per = self.rate.per.as_secs_f64().max(0.001);
        let freed = now.since(bucket.at).as_secs_f64() / per * f64::from(self.rate.count.max(1));
        (bucket.used - freed).max(0.0)
    }

    /// Forgets the full buckets; when those were too few, also the fuller half, so that the cost of a scan is shared by many calls.
    fn evict(&self, buckets: &mut HashMap<K, Bucket>, now: Timestamp) {
        buckets.retain(|_, bucket| self.used_now(*bucket, now) > 0.0);
        if buckets.len() <= self.capacity / 2 {
            return;
        }
        let mut used: Vec<(f64, K)> =
            buckets.iter().map(|(key, bucket)| (self.used_now(*bucket, now), key.clone())).collect();
        used.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, key) in used.iter().take(buckets.len() - self.capacity / 2) {
            buckets.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(clock: &Clock, count: u32, capacity: usize) -> RateLimiter<u32> {
        RateLimiter::new(clock.clone(), Rate { count, per: Duration::from_secs(60) }, capacity)
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let clock = Clock::manual(Timestamp(0));
        let limiter = limiter(&clock, 3, 10);
        assert!((0..3).all(|_| limiter.try_take(&1).is_ok()));
        assert_eq!(limiter.try_take(&1), Err(Duration::from_secs(20)));
        assert!(limiter.try_take(&2).is_ok());
        clock.advance(Duration::from_secs(20));
        assert!(limiter.try_take(&1).is_ok());
        assert!(limiter.try_take(&1).is_err());
    }

    #[test]
    fn more_than_the_burst_is_granted_once_and_paid_for() {
        let clock = Clock::manual(Timestamp(0));
        let limiter = limiter(&clock, 10, 10);
        assert!(limiter.try_take_many(&1, 30).is_ok());
        clock.advance(Duration::from_secs(119));
        assert!(limiter.try_take(&1).is_err());
        clock.advance(Duration::from_secs(10));
        assert!(limiter.try_take(&1).is_ok());
    }

    #[test]
    fn memory_stays_bounded_and_the_worst_are_remembered() {
        let clock = Clock::manual(Timestamp(0));
        let limiter = limiter(&clock, 2, 100);
        assert!(limiter.try_take(&0).is_ok() && limiter.try_take(&0).is_ok());
        for key in 1..10_000 {
            let _ = limiter.try_take(&key);
            assert!(limiter.remembered() <= 100);
        }
        assert!(limiter.try_take(&0).is_err());
        clock.advance(Duration::from_secs(3600));
        assert!(limiter.try_take(&0).is_ok());
    }
}
