//! Passwords that were verified a short while ago.
//!
//! Argon2id is meant to be slow, and many clients log in again for every look at the mail. So a password that was found good is
//! remembered for [`IDLE`] after its last use, [`LONGEST`] in all, and costs one keyed BLAKE3 run instead.
//!
//! What that does not weaken:
//!
//! - **Guessing.** Only what was found good is remembered. A wrong password is never found here and pays the whole price, waits and
//!   counts in the guard; the guard is asked before this table, so that a lock holds for remembered passwords too.
//! - **Stored data.** Nothing is written down. The key is random and of this process alone; a table without it says nothing. Whoever
//!   reads the memory of the process reads passwords as they come in, too.
//! - **Changes.** The account and its credential version are part of what is hashed. A new password, another role, a suspension or a
//!   removal counts the version up, and what was remembered fits nothing any more. State, services and the domain are looked at in
//!   every login, remembered or not.
//! - **Time.** A login is fast only with the right password, which tells whoever sent it nothing that the answer does not.
//!
//! At most [`ENTRIES`] are held; of more, those that were not used longest go, and cost one Argon2id run at their next use.

use std::time::Duration;

use anser_base::{Entropy, Timestamp};

use crate::cache::Cache;

/// How long after its last use a password is remembered.
pub const IDLE: Duration = Duration::from_secs(10 * 60);
/// How long it is remembered at most, however often it is used.
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Passwords remembered.
pub const ENTRIES: usize = 20_000;

/// The table.
pub(crate) struct Remembered {
    key: [u8; 32],
    known: Cache<[u8; 32], Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    verified: Timestamp,
    used: Timestamp,
}

impl Remembered {
    pub fn new(entropy: &Entropy) -> Self {
        Self { key: entropy.bytes(), known: Cache::new(ENTRIES) }
    }

    /// What stands for a password of an account whose credentials have this version.
    pub fn key(&self, account: u64, version: i64, password: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&account.to_le_bytes());
        hasher.update(&version.to_le_bytes());
        hasher.update(password);
        *hasher.finalize().as_bytes()
    }

    /// Whether it was found good not long ago; that is a use of it.
    pub fn holds(&self, key: &[u8; 32], now: Timestamp) -> bool {
        let Some(seen) = self.known.get(0, key) else { return false };
        let young = |since: Timestamp, limit| now >= since && now.since(since) < limit;
        if !young(seen.used, IDLE) || !young(seen.verified, LONGEST) {
            self.known.remove(key);
            return false;
        }
        self.known.put(0, *key, Seen { used: now, ..seen });
        true
    }

    /// It was found good just now.
    pub fn keep(&self, key: [u8; 32], now: Timestamp) {
        self.known.put(0, key, Seen { verified: now, used: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_prolongs_and_nothing_lasts() {
        let remembered = Remembered::new(&Entropy::system());
        let key = remembered.key(1, 1, b"secret");
        let at = |secs: u64| Timestamp::from_secs(1_000_000).after(Duration::from_secs(secs));
        assert!(!remembered.holds(&key, at(0)));
        remembered.keep(key, at(0));
        for minute in 1..12 * 60 {
            assert!(remembered.holds(&key, at(minute * 60)), "{minute}");
        }
        assert!(!remembered.holds(&key, at(LONGEST.as_secs())));
        remembered.keep(key, at(0));
        assert!(!remembered.holds(&key, at(IDLE.as_secs())));
        assert!(!remembered.holds(&key, at(1)), "what was too old is gone");
    }

    #[test]
    fn account_version_password_and_process_all_count() {
        let remembered = Remembered::new(&Entropy::system());
        let key = remembered.key(1, 1, b"secret");
        for other in [
            remembered.key(2, 1, b"secret"),
            remembered.key(1, 2, b"secret"),
            remembered.key(1, 1, b"Secret"),
            Remembered::new(&Entropy::system()).key(1, 1, b"secret"),
        ] {
            assert_ne!(key, other);
        }
    }
}
