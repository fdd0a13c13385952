//! The password once more sealed, inside TLS: what ends TLS in front of us, or writes requests down, does not see it.
//!
//! ```text
//! GET /auth/key ─▶ { "key": K, "nonce": N, "algorithm": … }            K: our P-256 point; N: good for NONCE_TIME, once
//! the page:  (p, P) = a fresh P-256 key
//!            key    = HKDF-SHA-256(salt: N, ikm: ECDH(p, K), info: "anser sign-in 1" || K || P)
//!            sealed = base64url(N) "." base64url(P) "." base64url(iv) "." base64url(AES-256-GCM(key, iv, password))
//! ```
//!
//! All points are uncompressed (SEC 1 §2.3.3), all base64url is without padding (RFC 4648 §5). Keys live for [`KEY_TIME`] and one time more
//! for nonces under way, shared by all nodes ([`anser_directory::ring`]); then they are deleted, so that what was recorded cannot be opened
//! later. A nonce is what seals a replay out: it is spent with the first look, whatever comes of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Class, Clock, Entropy, Error, Result, Timestamp};
use anser_directory::Directory;
use anser_directory::ring::RingKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// How long a key is given out.
pub const KEY_TIME: Duration = Duration::from_secs(10 * 60);
/// How long a nonce is good.
pub const NONCE_TIME: Duration = Duration::from_secs(5 * 60);
/// Longest sealed text.
const SEALED: usize = 4096;
/// Bytes of a nonce: number of the key, time, random, seal.
const NONCE: usize = 8 + 8 + 16 + 16;
/// An uncompressed point.
const POINT: usize = 65;
/// What the key is derived for.
const INFO: &[u8] = b"anser sign-in 1";
/// The ring of the keys.
const RING: &str = "sign-in";

/// The keys at work.
pub struct Seals {
    directory: Directory,
    clock: Clock,
    entropy: Entropy,
    /// Those that this node has seen, the newest last.
    keys: Mutex<Arc<[Key]>>,
}

struct Key {
    number: u64,
    made: Timestamp,
    private: PrivateKey,
    public: Vec<u8>,
    /// Seals nonces.
    nonces: [u8; 32],
}

impl Seals {
    /// Without a key yet.
    pub fn new(directory: &Directory, clock: &Clock, entropy: &Entropy) -> Self {
        let keys = Mutex::new(Arc::from([]));
        Self { directory: directory.clone(), clock: clock.clone(), entropy: entropy.clone(), keys }
    }

    /// What a page needs to seal one password.
    pub async fn offer(&self) -> Result<Value> {
        let now = self.clock.now();
        let is_young = |keys: &[Key]| keys.last().is_some_and(|key| now.since(key.made) < KEY_TIME);
        let mut keys = self.keys();
        if !is_young(&keys) {
            keys = self.look().await?;
        }
        let Some(key) = keys.last() else { return Err(Error::unavailable("no key was made")) };
        let nonce = key.nonce(now, self.entropy.bytes());
        Ok(json!({
            "algorithm": "ECDH-P256+HKDF-SHA256+A256GCM",
            "key": URL_SAFE_NO_PAD.encode(&key.public),
            "nonce": URL_SAFE_NO_PAD.encode(nonce),
        }))
    }

    /// Opens what a page sealed. `Class::Conflict` when its nonce is spent or too old, so that the page fetches another;
    /// `Class::Invalid` for anything that was not sealed so.
    pub async fn open(&self, sealed: &str) -> Result<Vec<u8>> {
        let sealed = Sealed::parse(sealed).ok_or_else(unreadable)?;
        let number = sealed.nonce.first_chunk().map_or(0, |number| u64::from_be_bytes(*number));
        let has = |keys: &[Key]| keys.iter().position(|key| key.number == number);
        let mut keys = self.keys();
        // Another node may have made it; older ones than those that are known are gone.
        if has(&keys).is_none() && keys.first().is_none_or(|oldest| oldest.number < number) {
            keys = self.look().await?;
        }
        let key = &keys[has(&keys).ok_or_else(stale)?];
        let now = self.clock.now();
        let is_good = key.made_nonce(&sealed.nonce, now) && now.since(key.made) < KEY_TIME * 2;
        if !is_good || !self.directory.use_once(&sealed.nonce, NONCE_TIME).await? {
            return Err(stale());
        }
        sealed.open(key).map_err(|_| unreadable())
    }

    fn keys(&self) -> Arc<[Key]> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks which keys there are, and makes one where that is wanted.
    async fn look(&self) -> Result<Arc<[Key]>> {
        let made: Result<EcPrivateKeyBin<'_>, Unspecified> =
            PrivateKey::generate(&ECDH_P256).and_then(|key| key.as_be_bytes());
        let fresh = made.map_err(no_key)?;
        let ring = self.directory.ring(RING, KEY_TIME, fresh.as_ref()).await?;
        let keys: Result<Vec<Key>> = ring.iter().map(Key::of).collect();
        let keys: Arc<[Key]> = keys?.into();
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = keys.clone();
        Ok(keys)
    }
}

impl Key {
    fn of(kept: &RingKey) -> Result<Self> {
        let private = PrivateKey::from_private_key(&ECDH_P256, &kept.key).map_err(|_| no_key(Unspecified))?;
        let public = private.compute_public_key().map_err(no_key)?.as_ref().to_vec();
        let nonces = blake3::derive_key("anser sign-in nonces", &kept.key);
        Ok(Self { number: kept.number, made: kept.made, private, public, nonces })
    }

    fn nonce(&self, now: Timestamp, random: [u8; 16]) -> [u8; NONCE] {
        let mut nonce = [0; NONCE];
        nonce[..8].copy_from_slice(&self.number.to_be_bytes());
        nonce[8..16].copy_from_slice(&now.0.to_be_bytes());
        nonce[16..32].copy_from_slice(&random);
        let seal = blake3::keyed_hash(&self.nonces, &nonce[..32]);
        nonce[32..].copy_from_slice(&seal.as_bytes()[..16]);
        nonce
    }

    /// Whether a nonce was made by this key and is not too old.
    fn made_nonce(&self, nonce: &[u8; NONCE], now: Timestamp) -> bool {
        let part = |from: usize| nonce[from..].first_chunk::<16>().copied().unwrap_or_default();
        let made = Timestamp(i64::from_be_bytes(part(8)[..8].try_into().unwrap_or_default()));
        let ours = self.nonce(made, part(16));
        // Hashes compare in constant time.
        blake3::hash(&ours) == blake3::hash(nonce) && now.since(made) < NONCE_TIME
    }
}

fn no_key(_: Unspecified) -> Error {
    Error::unavailable("no key was made")
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
    use anser_db::{Db, Schemas};
    use anser_testkit::engines::{NO_SCHEMAS, each_engine};

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

    const SCHEMAS: Schemas = Schemas { server: anser_directory::SCHEMA, ..NO_SCHEMAS };

    /// Two nodes over the same tables.
    fn each_pair<F: Future<Output = ()>>(test: impl Fn([Seals; 2], Clock) -> F) {
        each_engine(SCHEMAS, |world| {
            let (db, clock) = (world.open(), Clock::manual(Timestamp(1_800_000_000_000)));
            let node = |db: Db| {
                let directory = Directory::new(anser_directory::Deps {
                    db,
                    clock: clock.clone(),
                    entropy: Entropy::system(),
                    hostname: "mail.anser.test".into(),
                    literals: Vec::new(),
                });
                Seals::new(&directory, &clock, &Entropy::system())
            };
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(test([node(db.clone()), node(db)], clock.clone()));
        });
    }

    #[test]
    fn what_is_sealed_is_opened_once_at_whichever_node() {
        each_pair(|[one, other], clock| async move {
            let sealed = seal(&one.offer().await.unwrap(), "wild-goose 雁".as_bytes());
            assert_eq!(other.open(&sealed).await.unwrap(), "wild-goose 雁".as_bytes());
            assert_eq!(one.open(&sealed).await.unwrap_err().class, Class::Conflict, "a replay");
            let (first, second) = (one.offer().await.unwrap(), other.offer().await.unwrap());
            assert_eq!(first["key"], second["key"]);
            let late = seal(&first, b"x");
            clock.advance(NONCE_TIME);
            assert_eq!(one.open(&late).await.unwrap_err().class, Class::Conflict, "too late");
        });
    }

    #[test]
    fn keys_turn_and_those_under_way_stay_good() {
        each_pair(|[one, other], clock| async move {
            let first = one.offer().await.unwrap();
            clock.advance(KEY_TIME - Duration::from_secs(1));
            let last_of_first = one.offer().await.unwrap();
            assert_eq!(first["key"], last_of_first["key"]);
            clock.advance(Duration::from_secs(2));
            let second = other.offer().await.unwrap();
            assert_ne!(first["key"], second["key"]);
            assert_eq!(other.open(&seal(&last_of_first, b"x")).await.unwrap(), b"x");
            assert_eq!(one.open(&seal(&second, b"y")).await.unwrap(), b"y", "a key that this node has not seen");
            clock.advance(KEY_TIME * 2);
            let third = one.offer().await.unwrap();
            assert_ne!(second["key"], third["key"]);
            assert_eq!(one.keys().len(), 1, "old ones are deleted");
        });
    }

    #[test]
    fn what_was_not_sealed_so_is_refused() {
        each_pair(|[one, _], _| async move {
            for at in (0..seal(&one.offer().await.unwrap(), b"x").len()).step_by(17) {
                let mut bytes = seal(&one.offer().await.unwrap(), b"x").into_bytes();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                assert!(one.open(str::from_utf8(&bytes).unwrap()).await.is_err(), "{at}");
            }
            for text in ["", ".", "...", "....", "a.b.c.d", &"A".repeat(SEALED + 1)] {
                assert_eq!(one.open(text).await.unwrap_err().class, Class::Invalid);
            }
        });
    }
}
