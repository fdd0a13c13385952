//! Slows guessing down without locking owners out.
//!
//! Failures are counted for each login name, for each network they come from (IPv4 address, IPv6 /64), for each pair of the two,
//! and in all. Every failure is answered later than the one before; too many lead to a lock that ends by itself. A login from a
//! *known place*, a network from which the account logged in well before, looks only at its own pair: what others do to the name
//! does not touch its owner.
//!
//! State is memory only and bounded; a restart forgets it.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Entropy, Timestamp};

/// How long a failure counts, and how long a lock lasts.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Failures of one name from one network until the pair is locked.
pub const PAIR_FAILURES: u32 = 10;
/// Failures of one name from unknown places until those are locked.
pub const NAME_FAILURES: u32 = 30;
/// Failures from one network, over all names, until its logins from unknown places are locked.
pub const SOURCE_FAILURES: u32 = 100;
/// Failures in the whole system, within [`WINDOW`], from which on unknown places wait longer.
pub const GLOBAL_FAILURES: u32 = 5000;
/// Failures of a pair that are answered at once.
const FREE_FAILURES: u32 = 1;
/// The delay of the first failure after the free ones; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// The longest delay.
pub const LONGEST_DELAY: Duration = Duration::from_secs(8);
/// The delay of every failure from an unknown place while the system is under attack.
const GLOBAL_DELAY: Duration = Duration::from_secs(2);
/// Entries held of each kind; of more, those that were idle longest go.
const ENTRIES: usize = 50_000;

/// The part of an address that one customer of a network provider holds: IPv4 whole, IPv6 its first 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network([u8; 8]);

impl Network {
    /// Of a peer's address; IPv4 in IPv6 clothes (RFC 4291 §2.5.5.2) counts as IPv4.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                // No global IPv6 address begins with 0000.
                Self([0, 0, 0, 4, a, b, c, d])
            }
            IpAddr::V6(v6) => {
                let mut half = [0; 8];
                half.copy_from_slice(&v6.octets()[..8]);
                Self(half)
            }
        }
    }

    /// The 8 bytes that a database column holds.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The inverse of [`Self::as_bytes`]; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Who tries, from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempted<'a> {
    /// The login name in normal form, whether or not it is anybody's.
    pub name: &'a str,
    pub network: Network,
    /// Whether this account logged in well from this network before.
    pub known_place: bool,
}

/// Counts failures.
pub(crate) struct Guard {
    key: [u8; 32],
    state: Mutex<State>,
}

struct State {
    pairs: Counters<[u8; 32]>,
    names: Counters<[u8; 32]>,
    sources: Counters<Network>,
    global: Count,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    failures: u32,
    last: Timestamp,
    locked_until: Timestamp,
    /// A keyed hash of the password that failed last.
    last_password: Option<[u8; 32]>,
}

impl Guard {
    pub fn new(entropy: &Entropy) -> Self {
        let state = State {
            pairs: Counters::default(),
            names: Counters::default(),
            sources: Counters::default(),
            global: Count::default(),
        };
        Self { key: entropy.bytes(), state: Mutex::new(state) }
    }

    /// Whether the attempt may be looked at; if not, how long it is locked for yet.
    pub fn admit(&self, attempted: Attempted<'_>, now: Timestamp) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut until = state.pairs.get(&self.pair(attempted)).locked_until;
        if !attempted.known_place {
            until = until.max(state.names.get(&self.name(attempted)).locked_until);
            until = until.max(state.sources.get(&attempted.network).locked_until);
        }
        if until > now { Err(until.since(now)) } else { Ok(()) }
    }

    /// Counts a failure; returns how long the door shall wait before it answers. A device that sends the same wrong password
    /// again and again counts once; `None` is a password that was not seen, as in SCRAM.
    pub fn failed(&self, attempted: Attempted<'_>, password: Option<&[u8]>, now: Timestamp) -> Duration {
        let password = password.map(|password| self.digest(&[password]));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = state.pairs.entry(self.pair(attempted));
        if password.is_some() && pair.last_password == password && pair.is_recent(now) {
            return delay(pair.failures);
        }
        pair.last_password = password;
        let failures = pair.add(now, PAIR_FAILURES);
        let global = state.global.add(now, u32::MAX);
        if attempted.known_place {
            return delay(failures);
        }
        let of_name = state.names.entry(self.name(attempted)).add(now, NAME_FAILURES);
        let of_source = state.sources.entry(attempted.network).add(now, SOURCE_FAILURES);
        let general = if global > GLOBAL_FAILURES { GLOBAL_DELAY } else { Duration::ZERO };
        delay(failures.max(of_name / 2).max(of_source / 8)).max(general)
    }

    /// A good login: the owner's failures are forgotten. The network's stay, or one own account would hide guesses at others.
    pub fn succeeded(&self, attempted: Attempted<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.pairs.remove(&self.pair(attempted));
        if attempted.known_place {
            return;
        }
        state.names.remove(&self.name(attempted));
    }

    fn pair(&self, attempted: Attempted<'_>) -> [u8; 32] {
        self.digest(&[attempted.network.as_bytes(), attempted.name.as_bytes()])
    }

    fn name(&self, attempted: Attempted<'_>) -> [u8; 32] {
        self.digest(&[attempted.name.as_bytes()])
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

impl Count {
    fn is_recent(&self, now: Timestamp) -> bool {
        now.since(self.last) < WINDOW
    }

    /// One more failure; locks when there are `most`. Returns how many there are.
    fn add(&mut self, now: Timestamp, most: u32) -> u32 {
        if !self.is_recent(now) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.last = now;
        if self.failures >= most {
            self.locked_until = now.after(WINDOW);
            self.failures = 0;
            return most;
        }
        self.failures
    }
}

fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES + 1) {
        Some(doubled) => FIRST_DELAY.saturating_mul(1 << doubled.min(8)).min(LONGEST_DELAY),
        None => Duration::ZERO,
    }
}

/// A bounded map of counts, in two generations like the look-up cache.
struct Counters<K> {
    young: HashMap<K, Count>,
    old: HashMap<K, Count>,
}

impl<K> Default for Counters<K> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + Hash + Copy> Counters<K> {
    fn get(&mut self, key: &K) -> Count {
        self.young.get(key).or_else(|| self.old.get(key)).copied().unwrap_or_default()
    }

    fn entry(&mut self, key: K) -> &mut Count {
        if self.young.len() >= ENTRIES / 2 && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        let old = self.old.remove(&key);
        self.young.entry(key).or_insert_with(|| old.unwrap_or_default())
    }

    fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_names_and_networks_fills_no_memory() {
        let mut counters = Counters::default();
        for n in 0..ENTRIES * 3 {
            counters.entry(n).add(Timestamp(0), u32::MAX);
            counters.entry(0).add(Timestamp(0), u32::MAX);
        }
        assert!(counters.young.len() + counters.old.len() <= ENTRIES + 1);
        assert_eq!(counters.get(&0).failures as usize, ENTRIES * 3 + 1, "what goes on is not forgotten");
    }

    #[test]
    fn networks_are_what_one_customer_has() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(Network::from_slice(of("192.0.2.1").as_bytes()), Some(of("192.0.2.1")));
    }
}
