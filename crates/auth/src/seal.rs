//! The password once more sealed, inside TLS: what ends TLS in front of us, or writes requests down, does not see it.
//!
//! ```text
//! GET /auth/key ─▶ { "key": K, "nonce": N, "algorithm": … }            K: our P-256 point; N: good for NONCE_TIME, once
//! the page:  (p, P) = a fresh P-256 key
//!            key    = HKDF-SHA-256(salt: N, ikm: ECDH(p, K), info: "anser sign-in 1" || K || P)
//!            sealed = base64url(N) "." base64url(P) "." base64url(iv) "." base64url(AES-256-GCM(key, iv, password))
//! ```
//!
//! All points are uncompressed (SEC 1 §2.3.3), all base64url is without padding (RFC 4648 §5). Keys are made in memory, live for
//! [`KEY_TIME`] and one time more for nonces under way, and are written nowhere, so that what was recorded cannot be opened later.
//! A nonce is what seals a replay out: it is spent with the first look, whatever comes of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anser_base::{Class, Clock, Entropy, Error, Result, Timestamp};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// How long a key is given out.
pub const KEY_TIME: Duration = Duration::from_secs(10 * 60);
/// How long a nonce is good.
pub const NONCE_TIME: Duration = Duration::from_secs(5 * 60);
/// Spent nonces that are remembered; with more, all that were given out are void.
const SPENT: usize = 100_000;
/// Longest sealed text.
const SEALED: usize = 4096;
/// Bytes of a nonce: number of the key, time, random, seal.
const NONCE: usize = 8 + 8 + 16 + 16;
/// An uncompressed point.
const POINT: usize = 65;
/// What the key is derived for.
const INFO: &[u8] = b"anser sign-in 1";

/// The keys at work.
pub struct Seals {
    clock: Clock,
    entropy: Entropy,
    /// Seals nonces.
    nonces: [u8; 32],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The newest last; two at most.
    keys: Vec<Key>,
    made: u64,
    spent: HashMap<[u8; 16], Timestamp>,
}

struct Key {
    number: u64,
    made: Timestamp,
    private: PrivateKey,
    public: Vec<u8>,
}

impl Seals {
    /// Without a key yet.
    pub fn new(clock: &Clock, entropy: &Entropy) -> Self {
        Self { clock: clock.clone(), entropy: entropy.clone(), nonces: entropy.bytes(), state: Mutex::default() }
    }

    /// What a page needs to seal one password.
    pub fn offer(&self) -> Result<Value> {
        let now = self.clock.now();
        let mut state = self.state();
        if state.keys.last().is_none_or(|key| now.since(key.made) >= KEY_TIME) {
            state.rotate(now)?;
        }
        let Some(key) = state.keys.last() else { return Err(Error::unavailable("no key was made")) };
        let nonce = self.nonce(key.number, now, self.entropy.bytes());
        Ok(json!({
            "algorithm": "ECDH-P256+HKDF-SHA256+A256GCM",
            "key": URL_SAFE_NO_PAD.encode(&key.public),
            "nonce": URL_SAFE_NO_PAD.encode(nonce),
        }))
    }

    /// Opens what a page sealed. `Class::Conflict` when its nonce is spent or too old, so that the page fetches another;
    /// `Class::Invalid` for anything that was not sealed so.
    pub fn open(&self, sealed: &str) -> Result<Vec<u8>> {
        let sealed = Sealed::parse(sealed).ok_or_else(unreadable)?;
        let (number, random) = self.known(&sealed.nonce).ok_or_else(stale)?;
        let now = self.clock.now();
        let mut state = self.state();
        state.spend(random, now)?;
        let key = state.keys.iter().find(|key| key.number == number).ok_or_else(stale)?;
        sealed.open(key).map_err(|_| unreadable())
    }

    fn nonce(&self, number: u64, now: Timestamp, random: [u8; 16]) -> [u8; NONCE] {
        let mut nonce = [0; NONCE];
        nonce[..8].copy_from_slice(&number.to_be_bytes());
        nonce[8..16].copy_from_slice(&now.0.to_be_bytes());
        nonce[16..32].copy_from_slice(&random);
        let seal = blake3::keyed_hash(&self.nonces, &nonce[..32]);
        nonce[32..].copy_from_slice(&seal.as_bytes()[..16]);
        nonce
    }

    /// The key's number and the random part of a nonce that we made and that is not too old.
    fn known(&self, nonce: &[u8; NONCE]) -> Option<(u64, [u8; 16])> {
        let number = u64::from_be_bytes(nonce[..8].try_into().ok()?);
        let made = Timestamp(i64::from_be_bytes(nonce[8..16].try_into().ok()?));
        let random = nonce[16..32].try_into().ok()?;
        let ours = self.nonce(number, made, random);
        let is_ours = blake3::hash(&ours) == blake3::hash(nonce);
        (is_ours && self.clock.now().since(made) < NONCE_TIME).then_some((number, random))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rotate(&mut self, now: Timestamp) -> Result<()> {
        let make = || {
            let private = PrivateKey::generate(&ECDH_P256)?;
            let public = private.compute_public_key()?.as_ref().to_vec();
            Ok((private, public))
        };
        let (private, public) = make().map_err(|_: Unspecified| Error::unavailable("no key was made"))?;
        self.made += 1;
        if self.keys.len() > 1 {
            self.keys.remove(0);
        }
        self.keys.push(Key { number: self.made, made: now, private, public });
        Ok(())
    }

    fn spend(&mut self, random: [u8; 16], now: Timestamp) -> Result<()> {
        if self.spent.len() >= SPENT {
            self.spent.retain(|_, at| now.since(*at) < NONCE_TIME);
        }
        if self.spent.len() >= SPENT {
            // Whatever was given out is void with its key, so that nothing spent needs to be remembered.
            self.keys.clear();
            self.spent.clear();
        }
        match self.spent.insert(random, now) {
            None => Ok(()),
            Some(_) => Err(stale()),
        }
    }
}

struct Sealed {
    nonce: [u8; NONCE],
    public: [u8; POINT],
    iv: [u8; NONCE_LEN],
    text: Vec<u8>,
}

impl Sealed {
    fn parse(text: &str) -> Option<Self> {
        if text.len() > SEALED {
            return None;
        }
        let mut parts = text.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let mut next = || parts.next().flatten();
        let (nonce, public, iv) = (next()?.try_into().ok()?, next()?.try_into().ok()?, next()?.try_into().ok()?);
        let text = next()?;
        parts.next().is_none().then_some(Self { nonce, public, iv, text })
    }

    fn open(mut self, key: &Key) -> Result<Vec<u8>, Unspecified> {
        let peer = UnparsedPublicKey::new(&ECDH_P256, &self.public);
        let info = [INFO, &key.public, &self.public];
        let opening = agree(&key.private, peer, Unspecified, |shared| {
            let derived = Salt::new(HKDF_SHA256, &self.nonce).extract(shared);
            Ok(LessSafeKey::new(UnboundKey::from(derived.expand(&info, &AES_256_GCM)?)))
        })?;
        let nonce = Nonce::assume_unique_for_key(self.iv);
        let length = opening.open_in_place(nonce, Aad::empty(), &mut self.text)?.len();
        self.text.truncate(length);
        Ok(self.text)
    }
}

fn stale() -> Error {
    Error::new(Class::Conflict, "this took too long; try again", "等待时间过长，请重试")
}

fn unreadable() -> Error {
    Error::invalid("the sealed password cannot be opened", "无法解开加密的密码")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page's side, as the head of this file has it.
    fn seal(offer: &Value, password: &[u8]) -> String {
        let read = |name: &str| URL_SAFE_NO_PAD.decode(offer[name].as_str().unwrap()).unwrap();
        let (key, nonce) = (read("key"), read("nonce"));
        let own = PrivateKey::generate(&ECDH_P256).unwrap();
        let public = own.compute_public_key().unwrap().as_ref().to_vec();
        let info = [INFO, &key, &public];
        let sealing = agree(&own, UnparsedPublicKey::new(&ECDH_P256, &key), Unspecified, |shared| {
            let derived = Salt::new(HKDF_SHA256, &nonce).extract(shared);
            Ok(LessSafeKey::new(UnboundKey::from(derived.expand(&info, &AES_256_GCM)?)))
        })
        .unwrap();
        let mut text = password.to_vec();
        let iv = Nonce::assume_unique_for_key([9; NONCE_LEN]);
        sealing.seal_in_place_append_tag(iv, Aad::empty(), &mut text).unwrap();
        [nonce, public, vec![9; NONCE_LEN], text].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
    }

    fn seals() -> (Seals, Clock) {
        let clock = Clock::manual(Timestamp(1_800_000_000_000));
        (Seals::new(&clock, &Entropy::system()), clock)
    }

    #[test]
    fn what_is_sealed_is_opened_once() {
        let (seals, clock) = seals();
        let sealed = seal(&seals.offer().unwrap(), "wild-goose 雁".as_bytes());
        assert_eq!(seals.open(&sealed).unwrap(), "wild-goose 雁".as_bytes());
        assert_eq!(seals.open(&sealed).unwrap_err().class, Class::Conflict, "a replay");
        let late = seal(&seals.offer().unwrap(), b"x");
        clock.advance(NONCE_TIME);
        assert_eq!(seals.open(&late).unwrap_err().class, Class::Conflict, "too late");
    }

    #[test]
    fn keys_turn_and_those_under_way_stay_good() {
        let (seals, clock) = seals();
        let first = seals.offer().unwrap();
        clock.advance(KEY_TIME - Duration::from_secs(1));
        let last_of_first = seals.offer().unwrap();
        assert_eq!(first["key"], last_of_first["key"]);
        clock.advance(Duration::from_secs(2));
        let second = seals.offer().unwrap();
        assert_ne!(first["key"], second["key"]);
        assert_eq!(seals.open(&seal(&last_of_first, b"x")).unwrap(), b"x");
        assert_eq!(seals.open(&seal(&second, b"y")).unwrap(), b"y");
    }

    #[test]
    fn what_was_not_sealed_so_is_refused() {
        let (seals, _) = seals();
        let (other, _) = self::seals();
        let sealed = seal(&other.offer().unwrap(), b"x");
        assert_eq!(seals.open(&sealed).unwrap_err().class, Class::Conflict, "another server's nonce");
        for at in (0..sealed.len()).step_by(7) {
            let mut bytes = seal(&seals.offer().unwrap(), b"x").into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(seals.open(str::from_utf8(&bytes).unwrap()).is_err(), "{at}");
        }
        for text in ["", ".", "...", "....", "a.b.c.d", &"A".repeat(SEALED + 1)] {
            assert_eq!(seals.open(text).unwrap_err().class, Class::Invalid);
        }
    }

    #[test]
    fn a_flood_fills_no_memory() {
        let mut state = State::default();
        let now = Timestamp(0);
        for n in 0..SPENT as u128 + 10 {
            state.spend(n.to_be_bytes(), now).unwrap();
        }
        assert!(state.spent.len() <= SPENT);
    }
}
