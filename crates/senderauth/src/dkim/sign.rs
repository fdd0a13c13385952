//! Signing (RFC 6376 §5), and the keys to sign with.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKey, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};

use anser_base::{Error, Result};

use super::canon::Canon;
use super::signature::Algorithm;
use super::verify::select;
use crate::message::{Passed, SIGNATURES};
use crate::tags::base64;

/// Fields that are signed when they are there (RFC 6376 §5.4.1), and once more, so that none can be added (§5.4).
const SIGNED: [&str; 20] = [
    "from",
    "reply-to",
    "subject",
    "date",
    "to",
    "cc",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
    "sender",
    "resent-from",
    "resent-to",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
];
/// Of these, the ones that are signed once more than they are there: what a reader is shown, and how.
const OVERSIGNED: [&str; 10] = [
    "from",
    "reply-to",
    "subject",
    "date",
    "to",
    "cc",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];
/// Characters of a base64 line.
const LINE: usize = 72;

/// A private key.
pub struct SecretKey(Kind);

enum Kind {
    Rsa(Box<RsaKey>),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({})", self.algorithm().word())
    }
}

impl SecretKey {
    /// A new RSA key of 2048 bits: what every verifier knows. Takes a good part of a second of CPU.
    pub fn new_rsa() -> Result<Self> {
        RsaKey::generate(KeySize::Rsa2048).map(|key| Self(Kind::Rsa(Box::new(key)))).map_err(broken)
    }

    /// A new Ed25519 key.
    pub fn new_ed25519() -> Result<Self> {
        Ed25519KeyPair::generate().map(|key| Self(Kind::Ed25519(key))).map_err(broken)
    }

    /// From PKCS #8. [`anser_base::Class::Damaged`] when it is none, or a key of another kind.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self> {
        let kind = match algorithm {
            Algorithm::Ed25519Sha256 => Ed25519KeyPair::from_pkcs8(der).map(Kind::Ed25519),
            _ => RsaKey::from_pkcs8(der).map(|key| Kind::Rsa(Box::new(key))),
        };
        kind.map(Self).map_err(|rejected| Error::damaged(rejected.to_string()))
    }

    /// As PKCS #8, for keeping; secret.
    pub fn to_pkcs8(&self) -> Result<Vec<u8>> {
        match &self.0 {
            Kind::Rsa(key) => AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&**key)
                .map(|der| der.as_ref().to_vec())
                .map_err(broken),
            Kind::Ed25519(key) => key.to_pkcs8().map(|der| der.as_ref().to_vec()).map_err(broken),
        }
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Kind::Rsa(_) => Algorithm::RsaSha256,
            Kind::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    /// The text of the record at `selector._domainkey.domain` (RFC 6376 §3.6.1, RFC 8463 §4.2).
    pub fn record(&self) -> Result<String> {
        let (kind, octets) = match &self.0 {
            Kind::Rsa(key) => {
                let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = key.public_key().as_der().map_err(broken)?;
                ("rsa", der.as_ref().to_vec())
            }
            Kind::Ed25519(key) => ("ed25519", key.public_key().as_ref().to_vec()),
        };
        Ok(format!("v=DKIM1; k={kind}; p={}", base64(&octets)))
    }

    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>> {
        match &self.0 {
            Kind::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature).map_err(broken)?;
                Ok(signature)
            }
            Kind::Ed25519(key) => {
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets);
                Ok(key.sign(digest.as_ref()).as_ref().to_vec())
            }
        }
    }
}

fn broken(_: aws_lc_rs::error::Unspecified) -> Error {
    Error::unavailable("the cryptographic library refused a key")
}

/// With what, as whom and when.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// The key.
    pub key: &'a SecretKey,
    /// `d=`.
    pub domain: &'a str,
    /// `s=`.
    pub selector: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// A `DKIM-Signature` field with its line break, to go before the message. The message must have been taken by
/// [`crate::Message::to_sign`].
pub fn sign(message: &Passed, signer: Signer<'_>) -> Result<String> {
    let names = names(message);
    seal_message(message, signer, "DKIM-Signature: v=1;", names)
}

/// An `ARC-Message-Signature` field of an instance (RFC 8617 §4.1.2).
pub(crate) fn arc(message: &Passed, signer: Signer<'_>, instance: u32) -> Result<String> {
    let mut names = names(message);
    let signatures = message.named("dkim-signature").take(SIGNATURES).count();
    names.extend(std::iter::repeat_n("dkim-signature".to_owned(), signatures));
    seal_message(message, signer, &format!("ARC-Message-Signature: i={instance};"), names)
}

fn seal_message(message: &Passed, signer: Signer<'_>, start: &str, names: Vec<String>) -> Result<String> {
    let hash = message.hash(Canon::Relaxed).ok_or_else(|| Error::unavailable("the body was not hashed for signing"))?;
    let mut octets = Vec::new();
    select(message, &names, Canon::Relaxed, &mut octets);
    let Signer { key, domain, selector, now } = signer;
    let algorithm = key.algorithm().word();
    let start = format!("{start} a={algorithm}; c=relaxed/relaxed; d={domain}; s={selector};\r\n\tt={now};");
    let field = format!("{start} h={};\r\n\tbh={};\r\n\tb=", folded_names(&names), base64(&hash.sha256));
    finish(field, octets, key)
}

/// Signs what was gathered and the field so far, and puts the signature at the field's end.
pub(crate) fn finish(mut field: String, mut octets: Vec<u8>, key: &SecretKey) -> Result<String> {
    let mut own = Vec::new();
    Canon::Relaxed.field(format!("{field}\r\n").as_bytes(), &mut own);
    octets.extend_from_slice(own.strip_suffix(b"\r\n").unwrap_or(&own));
    let signature = base64(&key.sign(&octets)?);
    for (index, line) in signature.as_bytes().chunks(LINE).enumerate() {
        if index > 0 {
            field.push_str("\r\n\t");
        }
        field.push_str(&String::from_utf8_lossy(line));
    }
    field.push_str("\r\n");
    Ok(field)
}

/// The names to sign: each as often as it is there, some once more.
fn names(message: &Passed) -> Vec<String> {
    let mut names = Vec::new();
    for name in SIGNED {
        let count = message.named(name).take(20).count() + usize::from(OVERSIGNED.contains(&name));
        names.extend(std::iter::repeat_n(name.to_owned(), count));
    }
    names
}

fn folded_names(names: &[String]) -> String {
    let mut out = String::new();
    let mut line = 30;
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            out.push(':');
            line += 1;
        }
        if line + name.len() > LINE {
            out.push_str("\r\n\t ");
            line = 2;
        }
        out.push_str(name);
        line += name.len();
    }
    out
}
