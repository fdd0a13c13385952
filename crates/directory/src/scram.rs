//! The directory's half of SCRAM-SHA-256 (RFC 5802, RFC 7677): keys that are stored, and the proof checked against them. The
//! messages themselves are taken apart in `wire`.

use std::fmt;
use std::net::IpAddr;

use anser_base::Result;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::login::{Login, Via};
use crate::model::Service;
use crate::refusal::AuthFailure;
use crate::{Attempt, Directory};

/// Iterations of PBKDF2; RFC 7677 §4 asks for 4096 at least.
pub const ITERATIONS: u32 = 10_000;
/// Length of a salt, in bytes.
pub const SALT: usize = 16;

/// What the server keeps of a password for SCRAM (RFC 5802 §3): cannot be used to log in, but to pose as the server.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// The salt, random.
    pub salt: [u8; SALT],
    /// Iterations of PBKDF2.
    pub iterations: u32,
    /// `H(ClientKey)`.
    pub stored_key: [u8; 32],
    /// `HMAC(SaltedPassword, "Server Key")`.
    pub server_key: [u8; 32],
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys")
    }
}

impl ScramKeys {
    /// Of a password; `None` when SASLprep (RFC 4013) does not allow it, so that no client could send it either.
    pub fn derive(password: &[u8], salt: [u8; SALT]) -> Option<Self> {
        let prepared = stringprep::saslprep(str::from_utf8(password).ok()?).ok()?;
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(prepared.as_bytes(), &salt, ITERATIONS, &mut salted);
        let stored_key = Sha256::digest(hmac(&salted, b"Client Key")).into();
        Some(Self { salt, iterations: ITERATIONS, stored_key, server_key: hmac(&salted, b"Server Key") })
    }

    /// Checks the client's proof over `AuthMessage` (RFC 5802 §3). Gives the server's signature to send back, or `None` when
    /// the proof is wrong.
    pub fn verify(&self, auth_message: &[u8], proof: &[u8]) -> Option<[u8; 32]> {
        let proof: [u8; 32] = proof.try_into().ok()?;
        let signature = hmac(&self.stored_key, auth_message);
        let client_key: [u8; 32] = std::array::from_fn(|at| proof[at] ^ signature[at]);
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        // Compared as keyed hashes, so that time tells nothing.
        let equal =
            blake3::keyed_hash(&self.server_key, &stored_key) == blake3::keyed_hash(&self.server_key, &self.stored_key);
        equal.then(|| hmac(&self.server_key, auth_message))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let iterations = self.iterations.to_be_bytes();
        [&self.salt[..], &iterations, &self.stored_key, &self.server_key].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (salt, rest) = bytes.split_first_chunk()?;
        let (iterations, rest) = rest.split_first_chunk()?;
        let (stored_key, rest) = rest.split_first_chunk()?;
        let server_key = rest.try_into().ok()?;
        Some(Self { salt: *salt, iterations: u32::from_be_bytes(*iterations), stored_key: *stored_key, server_key })
    }
}

pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// What a door needs for its side of the exchange, and hands back to [`Directory::scram_finish`].
#[derive(Clone, Debug)]
pub struct ScramLookup {
    /// Salt, iterations and keys. For a name that is nobody's, or has no such keys: the same salt each time, and keys that no
    /// proof fits.
    pub keys: ScramKeys,
    pub(crate) name: Vec<u8>,
}

impl Directory {
    /// Begins an exchange: the keys of a login name. Fails like [`Directory::authenticate`] when name or source are locked.
    pub async fn scram_lookup(&self, name: &[u8], source: IpAddr) -> Result<ScramLookup, AuthFailure> {
        let known = self.scram_credentials(name, source).await?;
        let keys = match known {
            Some(keys) => keys,
            None => self.keys_of_nobody(name).await?,
        };
        Ok(ScramLookup { keys, name: name.to_vec() })
    }

    /// Ends an exchange: `proof_good` says whether [`ScramKeys::verify`] took the client's proof. Counts success and failure and
    /// applies the same rules as [`Directory::authenticate`].
    pub async fn scram_finish(
        &self,
        lookup: ScramLookup,
        proof_good: bool,
        service: Service,
        source: IpAddr,
        tls: bool,
    ) -> Result<Login, AuthFailure> {
        let attempt = Attempt { name: &lookup.name, password: b"", service, source, tls };
        self.finish_proven(attempt, proof_good.then_some(Via::Scram), &lookup.keys).await
    }

    async fn keys_of_nobody(&self, name: &[u8]) -> Result<ScramKeys> {
        let known = crate::names::LoginName::parse(name);
        let mut hasher = blake3::Hasher::new_keyed(&self.secrets().await?.unknown_names);
        hasher.update(format!("{known:?}").as_bytes());
        let mut salt = [0; SALT];
        hasher.finalize_xof().fill(&mut salt);
        let entropy = &self.inner.deps.entropy;
        Ok(ScramKeys { salt, iterations: ITERATIONS, stored_key: entropy.bytes(), server_key: entropy.bytes() })
    }
}
