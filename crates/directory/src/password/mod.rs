//! Passwords: made with Argon2id and SCRAM keys, verified in every form that an import may bring.
//!
//! | module | holds |
//! |---|---|
//! | here | bounded hashing off the reactor |
//! | [`policy`] | what a password must be like that its owner chooses |
//! | [`stored`] | verification of a stored hash of any scheme |

pub mod policy;
pub mod stored;

use std::fmt;
use std::sync::Arc;

use anser_base::{Entropy, Error, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization;

use crate::scram::ScramKeys;

/// Memory of one Argon2id run, in KiB (19 MiB).
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Passes of Argon2id over its memory.
pub const ARGON2_PASSES: u32 = 2;
/// Lanes of Argon2id.
pub const ARGON2_LANES: u32 = 1;
/// Length of an Argon2id salt, in bytes.
const SALT: usize = 16;
/// Length of an Argon2id hash, in bytes.
const OUTPUT: usize = 32;
/// Longest password, in bytes.
pub const PASSWORD: usize = 1024;
/// Hashes computed at once; bounds their memory to about 80 MB.
const CONCURRENT: usize = 4;

/// What is stored for a password. It opens nothing by itself, but belongs into no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub(crate) hash: String,
    pub(crate) scram: Option<ScramKeys>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Hashes and verifies on blocking threads, a few at a time.
#[derive(Clone)]
pub(crate) struct Hasher {
    entropy: Entropy,
    permits: Arc<Semaphore>,
}

impl Hasher {
    pub fn new(entropy: Entropy) -> Self {
        Self { entropy, permits: Arc::new(Semaphore::new(CONCURRENT)) }
    }

    /// Makes what is stored for a new password. Fails with `Class::Invalid` for an empty or over-long one, or
    /// one with a NUL, which no client could send.
    pub async fn make(&self, password: &[u8]) -> Result<Secret> {
        if password.is_empty() || password.len() > PASSWORD || password.contains(&0) {
            return Err(Error::invalid(
                "a password has 1 to 1024 bytes, none of them NUL",
                "密码须为 1 到 1024 字节，且不含空字符",
            ));
        }
        let (password, salt) = (normal(password), self.entropy.bytes::<SALT>());
        let scram_salt = self.entropy.bytes();
        run(self.turn().await?, move || {
            let hash = argon2id(&password, &salt)?;
            Ok(Secret { hash, scram: ScramKeys::derive(&password, scram_salt) })
        })
        .await?
    }

    /// Waits until it is the caller's turn to hash.
    pub async fn turn(&self) -> Result<Turn> {
        self.permits.clone().acquire_owned().await.map_err(Error::unavailable)
    }

    /// Whether a password is the one behind a stored hash. Takes as long without a hash as with one of ours.
    pub async fn verify(&self, turn: Turn, password: &[u8], hash: Option<&str>) -> Result<bool> {
        if password.len() > PASSWORD {
            return Ok(false);
        }
        let (password, hash) = (password.to_vec(), hash.map(str::to_owned));
        run(turn, move || {
            let good = hash.as_deref().is_some_and(|hash| verify_either_form(&password, hash));
            // A hash of another scheme, or none at all, must not answer faster than one of ours.
            if !good && !hash.as_deref().is_some_and(is_current) {
                let _ = argon2id(&password, &[0; SALT]);
            }
            good
        })
        .await
    }
}

/// The right to hash once.
pub(crate) type Turn = OwnedSemaphorePermit;

async fn run<R: Send + 'static>(turn: Turn, work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)
}

/// The form in which passwords are hashed: NFC when they are text (RFC 8265 §4.2.2).
fn normal(password: &[u8]) -> Vec<u8> {
    str::from_utf8(password).map_or_else(|_| password.to_vec(), |text| text.nfc().collect::<String>().into_bytes())
}

fn verify_either_form(password: &[u8], hash: &str) -> bool {
    let normal = normal(password);
    stored::verify(&normal, hash) || (normal != password && stored::verify(password, hash))
}

/// Whether a hash has today's scheme and parameters; any other is replaced at the next good login.
pub(crate) fn is_current(hash: &str) -> bool {
    hash.starts_with(&prefix())
}

fn prefix() -> String {
    format!("$argon2id$v=19$m={ARGON2_MEMORY_KIB},t={ARGON2_PASSES},p={ARGON2_LANES}$")
}

fn argon2id(password: &[u8], salt: &[u8]) -> Result<String> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, Some(OUTPUT));
    let params = params.map_err(|error| Error::unavailable(error.to_string()))?;
    let mut out = [0; OUTPUT];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt, &mut out)
        .map_err(|error| Error::unavailable(error.to_string()))?;
    Ok(format!("{}{}${}", prefix(), STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(out)))
}
