//! Verification of stored hashes: ours, and what other servers leave behind.
//!
//! | written as | is |
//! |---|---|
//! | `$argon2id$…`, `{ARGON2ID}…` | Argon2 in the PHC form (RFC 9106) |
//! | `$1$ $2a$ $2b$ $2y$ $5$ $6$ $y$ $sha1$ _…`, 13 characters, each also after `{CRYPT}` or `{…-CRYPT}` | crypt(5) |
//! | `{PLAIN} {CLEAR} {CLEARTEXT}` | the password itself |
//! | `{MD5} {SHA} {SHA256} {SHA512}`, also `{PLAIN-MD5} {LDAP-MD5} {SHA1}` | a bare digest (RFC 2307 §5.3) |
//! | `{SMD5} {SSHA} {SSHA256} {SSHA512}` | a digest of password and salt, the salt behind it |
//! | `{PBKDF2…}`, `$pbkdf2…$`, `pbkdf2_…$` | PBKDF2 (RFC 8018) as Dovecot, OpenLDAP, 389 Directory, passlib and Django write it |
//! | `{SCRAM-SHA-256}…` | SCRAM keys as Dovecot and PostgreSQL write them |
//! | `{NT} {NTLM}` | MD4 of the password in UTF-16 |
//!
//! Schemes are read without regard to case; `.HEX` and `.B64` behind a scheme choose the encoding, else its length tells.
//! A hash behind `!` or `*` is locked and opens nothing, as in `shadow(5)`.
//!
//! All costs are bounded: a hash that asks for more than the constants here opens nothing.

mod digests;
mod kdf;

/// Longest stored hash, in bytes.
pub const HASH: usize = 2048;

/// Whether a password is the one behind a stored hash. Anything unreadable is nobody's password. The empty one opens nothing,
/// and nothing with a NUL does: SASL cannot carry it (RFC 4616 §2), crypt(3) ends there, and PBKDF2 does not see it at the end.
pub fn verify(password: &[u8], stored: &str) -> bool {
    if password.is_empty() || password.contains(&0) {
        return false;
    }
    scheme(stored).is_some_and(|(scheme, hash)| match scheme {
        Scheme::Locked => false,
        Scheme::Plain => equal(password, hash.as_bytes()),
        Scheme::Crypt => kdf::crypt(password, hash),
        Scheme::Argon2 => kdf::argon2(password, hash).unwrap_or(false),
        Scheme::Pbkdf2(digest) => kdf::pbkdf2(password, hash, digest).unwrap_or(false),
        Scheme::Scram => kdf::scram(password, hash).unwrap_or(false),
        Scheme::Digest { digest, salted, encoding } => {
            digests::verify(password, hash, digest, salted, encoding).unwrap_or(false)
        }
        Scheme::Nt(encoding) => digests::nt(password, hash, encoding).unwrap_or(false),
    })
}

/// Whether the scheme of a hash is one that [`verify`] reads. The hash itself may still turn out unreadable.
pub fn is_known(stored: &str) -> bool {
    scheme(stored).is_some()
}

/// How much a stored hash withstands whoever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strength {
    /// Made to be slow: guessing costs.
    Good,
    /// Quick, or of eight characters only: a stolen one is soon guessed.
    Weak,
    /// Opens nothing.
    Locked,
}

/// The name of a hash's scheme and what it withstands; `None` for one that [`verify`] does not read.
pub fn describe(stored: &str) -> Option<(&'static str, Strength)> {
    let (scheme, hash) = scheme(stored)?;
    let slow = |name| (name, Strength::Good);
    let quick = |name| (name, Strength::Weak);
    Some(match scheme {
        Scheme::Locked => ("locked", Strength::Locked),
        Scheme::Plain => quick("clear"),
        Scheme::Crypt => match hash.get(..3) {
            Some("$2a" | "$2b" | "$2y") => slow("bcrypt"),
            Some("$5$") => slow("sha256-crypt"),
            Some("$6$") => slow("sha512-crypt"),
            Some("$y$") => slow("yescrypt"),
            Some("$1$") => quick("md5-crypt"),
            Some("$sh") => slow("sha1-crypt"),
            _ => quick("des-crypt"),
        },
        Scheme::Argon2 => slow("argon2"),
        Scheme::Pbkdf2(_) => slow("pbkdf2"),
        Scheme::Scram => slow("scram"),
        Scheme::Digest { digest, salted, .. } => quick(match (digest, salted) {
            (Digest::Md5, false) => "md5",
            (Digest::Md5, true) => "smd5",
            (Digest::Sha1, false) => "sha1",
            (Digest::Sha1, true) => "ssha1",
            (Digest::Sha256, false) => "sha256",
            (Digest::Sha256, true) => "ssha256",
            (Digest::Sha512, false) => "sha512",
            (Digest::Sha512, true) => "ssha512",
        }),
        Scheme::Nt(_) => quick("nt"),
    })
}

/// The password itself, where a stored one is in the clear.
pub(crate) fn clear(stored: &str) -> Option<&str> {
    scheme(stored).filter(|(scheme, _)| *scheme == Scheme::Plain).map(|(_, password)| password)
}

/// The form in which a hash from elsewhere is kept: as it is, but a password in the clear becomes a salted digest. That is quick,
/// so that a whole organisation can be imported, and stands only until the first good login.
pub(crate) fn for_keeping(stored: &str, salt: [u8; 16]) -> String {
    match scheme(stored) {
        Some((Scheme::Plain, password)) => digests::salted(password.as_bytes(), salt),
        _ => stored.to_owned(),
    }
}

/// How a hash is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Locked,
    Plain,
    Crypt,
    Argon2,
    Pbkdf2(Option<Digest>),
    Scram,
    Digest { digest: Digest, salted: bool, encoding: Encoding },
    Nt(Encoding),
}

/// A digest function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// Hexadecimal when every character is a digit of it and the length fits, else base64.
    Either,
    Hex,
    Base64,
}

fn scheme(stored: &str) -> Option<(Scheme, &str)> {
    let stored = stored.trim_end_matches(['\r', '\n']);
    if stored.len() > HASH || stored.contains('\0') {
        return None;
    }
    match stored.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((name, hash)) => Some((named(name, hash)?, hash)),
        None => bare(stored).map(|scheme| (scheme, stored)),
    }
}

/// The scheme of a hash without `{…}`.
fn bare(hash: &str) -> Option<Scheme> {
    if hash.is_empty() || hash.starts_with(['!', '*']) {
        return Some(Scheme::Locked);
    }
    if hash.starts_with("$argon2") {
        return Some(Scheme::Argon2);
    }
    if hash.starts_with("$pbkdf2") || hash.starts_with("pbkdf2_") {
        return Some(Scheme::Pbkdf2(None));
    }
    if hash.starts_with("SCRAM-SHA-256$") {
        return Some(Scheme::Scram);
    }
    let crypt = ["$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$sha1$"].iter().any(|id| hash.starts_with(id));
    let des = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/');
    let bsdi = hash.len() == 20 && hash.strip_prefix('_').is_some_and(|rest| rest.chars().all(des));
    (crypt || bsdi || (hash.len() == 13 && hash.chars().all(des))).then_some(Scheme::Crypt)
}

/// The scheme of a name between braces.
fn named(name: &str, hash: &str) -> Option<Scheme> {
    let name = name.to_ascii_uppercase();
    let (name, encoding) = match name.split_once('.') {
        None => (name.as_str(), Encoding::Either),
        Some((name, "HEX")) => (name, Encoding::Hex),
        Some((name, "B64" | "BASE64")) => (name, Encoding::Base64),
        Some(_) => return None,
    };
    let digest = |digest, salted| Scheme::Digest { digest, salted, encoding };
    Some(match name {
        "PLAIN" | "CLEAR" | "CLEARTEXT" => Scheme::Plain,
        _ if hash.is_empty() || hash.starts_with(['!', '*']) => Scheme::Locked,
        "CRYPT" | "MD5-CRYPT" | "BLF-CRYPT" | "SHA256-CRYPT" | "SHA512-CRYPT" | "DES-CRYPT" => bare(hash)?,
        "ARGON2" | "ARGON2I" | "ARGON2D" | "ARGON2ID" => Scheme::Argon2,
        "MD5" if hash.starts_with("$1$") => Scheme::Crypt,
        "MD5" | "PLAIN-MD5" | "LDAP-MD5" => digest(Digest::Md5, false),
        "SMD5" => digest(Digest::Md5, true),
        "SHA" | "SHA1" => digest(Digest::Sha1, false),
        "SSHA" | "SSHA1" => digest(Digest::Sha1, true),
        "SHA256" | "SHA-256" => digest(Digest::Sha256, false),
        "SSHA256" | "SSHA-256" => digest(Digest::Sha256, true),
        "SHA512" | "SHA-512" => digest(Digest::Sha512, false),
        "SSHA512" | "SSHA-512" => digest(Digest::Sha512, true),
        "NT" | "NTLM" => Scheme::Nt(encoding),
        "SCRAM-SHA-256" => Scheme::Scram,
        "PBKDF2" | "PBKDF2-SHA1" | "PBKDF2_SHA1" => Scheme::Pbkdf2(Some(Digest::Sha1)),
        "PBKDF2-SHA256" | "PBKDF2_SHA256" => Scheme::Pbkdf2(Some(Digest::Sha256)),
        "PBKDF2-SHA512" | "PBKDF2_SHA512" => Scheme::Pbkdf2(Some(Digest::Sha512)),
        _ => return None,
    })
}

/// Compares without telling by its time where the difference is.
fn equal(left: &[u8], right: &[u8]) -> bool {
    blake3::hash(left) == blake3::hash(right)
}
