//! Slow hashes: crypt(5), Argon2, PBKDF2, SCRAM keys.

use argon2::{Algorithm, Argon2, Params, Version};
use pw_hash::{bcrypt, bsdi_crypt, md5_crypt, sha1_crypt, sha256_crypt, sha512_crypt, unix_crypt};
use sha2::Digest as _;
use yescrypt::{PasswordVerifier as _, Yescrypt};

use super::digests::{base64, unhex};
use super::{Digest, equal};
use crate::scram::hmac;

/// Most memory that a stored hash may ask for, in KiB (256 MiB).
const MEMORY_KIB: u32 = 256 * 1024;
/// Most passes over the memory.
const PASSES: u32 = 32;
/// Most lanes.
const LANES: u32 = 16;
/// Most iterations of PBKDF2.
const ITERATIONS: u32 = 5_000_000;
/// Most rounds of SHA-crypt.
const ROUNDS: u32 = 2_000_000;
/// Highest cost of bcrypt: 2^16 rounds, some seconds.
const BCRYPT_COST: u32 = 16;
/// Length of the hash in a yescrypt string, in characters.
const YESCRYPT_HASH: usize = 43;

/// crypt(5) by its prefix.
pub(super) fn crypt(password: &[u8], hash: &str) -> bool {
    let fields: Vec<&str> = hash.split('$').collect();
    match fields.as_slice() {
        ["", "1", _, _] => md5_crypt::verify(password, hash),
        ["", "2a" | "2b" | "2y", cost, _] => number(cost, BCRYPT_COST).is_some() && bcrypt::verify(password, hash),
        ["", "5", _, _] => sha256_crypt::verify(password, hash),
        ["", "6", _, _] => sha512_crypt::verify(password, hash),
        ["", "5", rounds, _, _] => is_rounds(rounds) && sha256_crypt::verify(password, hash),
        ["", "6", rounds, _, _] => is_rounds(rounds) && sha512_crypt::verify(password, hash),
        ["", "sha1", rounds, _, _] => number(rounds, ROUNDS).is_some() && sha1_crypt::verify(password, hash),
        ["", "y", params, _, digest] => {
            digest.len() == YESCRYPT_HASH
                && is_modest_yescrypt(params)
                && Yescrypt::default().verify_password(password, hash).is_ok()
        }
        [_] if hash.starts_with('_') => bsdi_crypt::verify(password, hash),
        [_] => unix_crypt::verify(password, hash),
        _ => false,
    }
}

fn number(text: &str, most: u32) -> Option<u32> {
    text.parse().ok().filter(|number| *number <= most)
}

fn is_rounds(field: &str) -> bool {
    field.strip_prefix("rounds=").is_some_and(|rounds| number(rounds, ROUNDS).is_some())
}

/// Only the usual parameters, without optional ones, and within the memory.
fn is_modest_yescrypt(params: &str) -> bool {
    let modest = |params: yescrypt::Params| {
        let bytes = params.n().checked_mul(128 * u64::from(params.r()));
        params.p() == 1 && bytes.is_some_and(|bytes| bytes <= u64::from(MEMORY_KIB) * 1024)
    };
    params.len() <= 4 && params.parse().is_ok_and(modest)
}

/// `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`; the version may be missing (then 16).
pub(super) fn argon2(password: &[u8], hash: &str) -> Option<bool> {
    let mut fields = hash.strip_prefix('$')?.split('$');
    let algorithm = match fields.next()? {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        _ => return None,
    };
    let mut costs = fields.next()?;
    let version = match costs.strip_prefix("v=") {
        Some(version) => {
            costs = fields.next()?;
            Version::try_from(version.parse::<u32>().ok()?).ok()?
        }
        None => Version::V0x10,
    };
    let (salt, expected) = (base64(fields.next()?)?, base64(fields.next()?)?);
    if fields.next().is_some() || !(16..=128).contains(&expected.len()) {
        return None;
    }
    let params = argon2_params(costs, expected.len())?;
    let mut out = vec![0; expected.len()];
    Argon2::new(algorithm, version, params).hash_password_into(password, &salt, &mut out).ok()?;
    Some(equal(&out, &expected))
}

fn argon2_params(text: &str, len: usize) -> Option<Params> {
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for part in text.split(',') {
        match part.split_once('=')? {
            ("m", value) => memory = number(value, MEMORY_KIB),
            ("t", value) => passes = number(value, PASSES),
            ("p", value) => lanes = number(value, LANES),
            _ => return None,
        }
    }
    Params::new(memory?, passes?, lanes?, Some(len)).ok()
}

/// PBKDF2 in the forms that are about:
/// Dovecot `$1$salt$iterations$hex`, OpenLDAP and passlib `iterations$salt$hash`, `$pbkdf2-sha256$iterations$salt$hash`,
/// Django `pbkdf2_sha256$iterations$salt$hash`, 389 Directory's bytes in base64.
pub(super) fn pbkdf2(password: &[u8], hash: &str, digest: Option<Digest>) -> Option<bool> {
    let fields: Vec<&str> = hash.split('$').collect();
    let (digest, iterations, salt, expected) = match (fields.as_slice(), digest) {
        (["", "1", salt, iterations, hex], Some(digest)) => {
            (digest, *iterations, salt.as_bytes().to_vec(), unhex(hex)?)
        }
        ([iterations, salt, hash], Some(digest)) => (digest, *iterations, adapted(salt)?, adapted(hash)?),
        (["", name, iterations, salt, hash], _) if name.starts_with("pbkdf2") => {
            (of_name(name)?, *iterations, adapted(salt)?, adapted(hash)?)
        }
        ([name, iterations, salt, hash], None) => {
            (of_name(name)?, *iterations, salt.as_bytes().to_vec(), base64(hash)?)
        }
        ([packed], Some(digest)) => return packed_pbkdf2(password, packed, digest),
        _ => return None,
    };
    // A shorter hash is one that was cut.
    (expected.len() == digest.len()).then_some(())?;
    check_pbkdf2(password, digest, number(iterations, ITERATIONS)?, &salt, &expected)
}

fn of_name(name: &str) -> Option<Digest> {
    match name.strip_prefix("pbkdf2")?.trim_start_matches(['-', '_']) {
        "" | "sha1" => Some(Digest::Sha1),
        "sha256" => Some(Digest::Sha256),
        "sha512" => Some(Digest::Sha512),
        _ => None,
    }
}

/// passlib's base64: `.` for `+`, no padding.
fn adapted(text: &str) -> Option<Vec<u8>> {
    base64(&text.replace('.', "+"))
}

/// 389 Directory: iterations in 4 bytes, 64 bytes of salt, 256 bytes of hash.
fn packed_pbkdf2(password: &[u8], packed: &str, digest: Digest) -> Option<bool> {
    let bytes = base64(packed)?;
    let (iterations, rest) = bytes.split_first_chunk::<4>()?;
    let (salt, expected) = rest.split_at_checked(64)?;
    let iterations = Some(u32::from_be_bytes(*iterations)).filter(|count| *count <= ITERATIONS)?;
    (expected.len() == 256).then_some(())?;
    check_pbkdf2(password, digest, iterations, salt, expected)
}

fn check_pbkdf2(password: &[u8], digest: Digest, iterations: u32, salt: &[u8], expected: &[u8]) -> Option<bool> {
    (iterations > 0).then_some(())?;
    let mut out = vec![0; expected.len()];
    match digest {
        Digest::Md5 => return None,
        Digest::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, salt, iterations, &mut out),
        Digest::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, iterations, &mut out),
        Digest::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, salt, iterations, &mut out),
    }
    Some(equal(&out, expected))
}

/// Dovecot `iterations,salt,StoredKey,ServerKey`, PostgreSQL `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.
pub(super) fn scram(password: &[u8], hash: &str) -> Option<bool> {
    let hash = hash.strip_prefix("SCRAM-SHA-256$").unwrap_or(hash);
    let fields: Vec<&str> = hash.split([',', ':', '$']).collect();
    let [iterations, salt, stored_key, _] = fields.as_slice() else { return None };
    let iterations = number(iterations, ITERATIONS).filter(|count| *count > 0)?;
    let prepared = stringprep::saslprep(str::from_utf8(password).ok()?).ok()?;
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(prepared.as_bytes(), &base64(salt)?, iterations, &mut salted);
    let found = sha2::Sha256::digest(hmac(&salted, b"Client Key"));
    Some(equal(&found, &base64(stored_key)?))
}
