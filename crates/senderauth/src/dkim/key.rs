//! Public keys in the DNS (RFC 6376 §3.6.1, RFC 8301 §3.2, RFC 8463 §4).

use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY};

use super::signature::Algorithm;
use crate::tags::{Tags, octets};

/// Smallest RSA key whose signatures count, in bits (RFC 8301 §3.2).
pub const RSA_BITS: usize = 1024;
/// Largest RSA key that is tried, in bits: verifying gets dearer with the square.
pub const RSA_BITS_MOST: usize = 8192;
/// Longest text of a key record, in bytes.
const RECORD: usize = 4096;

/// A key record.
#[derive(Debug)]
pub struct Key {
    kind: Kind,
    /// `t=y`: the domain is trying DKIM out.
    pub testing: bool,
    /// `t=s`: `i=` must be of exactly `d=`.
    pub strict: bool,
}

#[derive(Debug)]
enum Kind {
    Rsa(ParsedPublicKey),
    Ed25519(ParsedPublicKey),
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Not a key record at all.
    NoKey,
    /// `p=` is empty: the key was withdrawn.
    Revoked,
    /// An RSA key of less than [`RSA_BITS`].
    Weak,
    /// It is a key, but not for this: another hash, service or type.
    OtherUse,
}

impl Unfit {
    /// For the reason in the results.
    pub fn why(self) -> &'static str {
        match self {
            Self::NoKey => "the key record is broken",
            Self::Revoked => "the key is revoked",
            Self::Weak => "the key is shorter than 1024 bits",
            Self::OtherUse => "the key is not for this use",
        }
    }
}

impl Key {
    /// Reads a key record.
    pub fn parse(text: &[u8]) -> Result<Self, Unfit> {
        let text = str::from_utf8(text).ok().filter(|text| text.len() <= RECORD).ok_or(Unfit::NoKey)?;
        let tags = Tags::parse(text).ok_or(Unfit::NoKey)?;
        // When there is a version it comes first and is this one.
        if tags.get("v").is_some() && tags.first() != Some(("v", "DKIM1")) {
            return Err(Unfit::NoKey);
        }
        let octets = tags.get("p").and_then(octets).ok_or(Unfit::NoKey)?;
        if octets.is_empty() {
            return Err(Unfit::Revoked);
        }
        let has = |name, wanted: &[&str]| {
            let list = tags.get(name).unwrap_or(wanted[0]);
            list.split(':').any(|one| wanted.contains(&one.trim_ascii()))
        };
        if !has("h", &["sha256"]) || !has("s", &["*", "email"]) {
            return Err(Unfit::OtherUse);
        }
        let kind = match tags.get("k").unwrap_or("rsa") {
            "rsa" => Kind::Rsa(rsa(&octets)?),
            "ed25519" => Kind::Ed25519(ParsedPublicKey::new(&ED25519, &octets[..]).map_err(|_| Unfit::NoKey)?),
            _ => return Err(Unfit::OtherUse),
        };
        let flag = |wanted| tags.get("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim_ascii() == wanted));
        Ok(Self { kind, testing: flag("y"), strict: flag("s") })
    }

    /// Whether the key can verify what was signed so.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        matches!(
            (&self.kind, algorithm),
            (Kind::Rsa(_), Algorithm::RsaSha256) | (Kind::Ed25519(_), Algorithm::Ed25519Sha256)
        )
    }

    /// Whether the signature is of these octets.
    pub fn verifies(&self, octets: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::Rsa(key) => key.verify_sig(octets, signature).is_ok(),
            Kind::Ed25519(key) => {
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets);
                key.verify_sig(digest.as_ref(), signature).is_ok()
            }
        }
    }
}

/// An RSA key, alone or with its algorithm around it: both are found in the DNS.
fn rsa(der: &[u8]) -> Result<ParsedPublicKey, Unfit> {
    let bits = modulus_bits(der).ok_or(Unfit::NoKey)?;
    if bits < RSA_BITS {
        return Err(Unfit::Weak);
    }
    if bits > RSA_BITS_MOST {
        return Err(Unfit::OtherUse);
    }
    ParsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, der).map_err(|_| Unfit::NoKey)
}

/// Bits of the modulus in a `SubjectPublicKeyInfo` or a bare `RSAPublicKey` (RFC 8017 §A.1.1).
fn modulus_bits(der: &[u8]) -> Option<usize> {
    let (0x30, outer, _) = element(der)? else { return None };
    let (tag, first, rest) = element(outer)?;
    let modulus = if tag == 0x30 {
        let (0x03, bits, _) = element(rest)? else { return None };
        let (0x30, inner, _) = element(bits.strip_prefix(&[0])?)? else { return None };
        element(inner)?.1
    } else {
        first
    };
    let start = modulus.iter().position(|byte| *byte != 0)?;
    Some((modulus.len() - start) * 8 - modulus[start].leading_zeros() as usize)
}

/// The tag, the content and the rest of a DER element of at most 64 KiB.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), &rest[2..]),
        _ => return None,
    };
    Some((tag, rest.get(..length)?, &rest[length..]))
}
