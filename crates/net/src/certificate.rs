//! What TLS needs to know of an X.509 certificate, and self-signed ones for a first start.

use anser_base::{Error, Result};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// `1.2.840.113549.1.1`, the RSA signature algorithms of PKCS #1, less their last number.
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// `1.2.840.10045.4.3`, ECDSA with SHA-2, less its last number.
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
/// `1.2.840.10045.4.1`, ECDSA with SHA-1.
const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
/// `2.16.840.1.101.3.4.2`, the hashes of NIST, less their last number.
const NIST_HASH: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const EXPLICIT_0: u8 = 0xa0;

/// A certificate for these names that vouches for itself, and its key, both as PEM. For trials: no client trusts it unasked.
/// [`anser_base::Class::Invalid`] when a name is neither a host name nor an address.
pub fn self_signed(names: &[String]) -> Result<(String, String)> {
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| {
        Error::invalid("cannot make a certificate for these names", "无法为这些名称生成证书").caused_by(error)
    })?;
    Ok((made.cert.pem(), made.signing_key.serialize_pem()))
}

/// The first certificate of a PEM text, as DER.
pub fn der_of_pem(pem: &[u8]) -> Option<Vec<u8>> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    CertificateDer::pem_slice_iter(pem).find_map(Result::ok).map(|certificate| certificate.to_vec())
}

/// The channel binding `tls-server-end-point` of a DER certificate: its hash under the hash of its own signature, where MD5
/// and SHA-1 count as SHA-256 (RFC 5929 §4.1). `None` where the RFC defines none, as for Ed25519.
pub fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(match signature_hash(certificate)? {
        Hash::Sha224 => Sha224::digest(certificate).to_vec(),
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The hash within `signatureAlgorithm` (RFC 5280 §4.1.1.2).
fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (_to_be_signed, rest) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(rest, SEQUENCE)?;
    let (id, parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    match id.split_last()? {
        (4 | 5, PKCS1) => Some(Hash::Sha256),
        (10, PKCS1) => pss_hash(parameters),
        (11, PKCS1) => Some(Hash::Sha256),
        (12, PKCS1) => Some(Hash::Sha384),
        (13, PKCS1) => Some(Hash::Sha512),
        (14, PKCS1) | (1, ECDSA_SHA2) => Some(Hash::Sha224),
        (2, ECDSA_SHA2) => Some(Hash::Sha256),
        (3, ECDSA_SHA2) => Some(Hash::Sha384),
        (4, ECDSA_SHA2) => Some(Hash::Sha512),
        _ if id == ECDSA_SHA1 => Some(Hash::Sha256),
        _ => None,
    }
}

/// The hash of RSASSA-PSS (RFC 4055 §3.1); SHA-1 when it is not named.
fn pss_hash(parameters: &[u8]) -> Option<Hash> {
    let (parameters, _) = element(parameters, SEQUENCE)?;
    let Some((hash, _)) = element(parameters, EXPLICIT_0) else {
        return Some(Hash::Sha256);
    };
    let (hash, _) = element(hash, SEQUENCE)?;
    let (id, _) = element(hash, OBJECT_IDENTIFIER)?;
    match id.split_last()? {
        (1, NIST_HASH) => Some(Hash::Sha256),
        (2, NIST_HASH) => Some(Hash::Sha384),
        (3, NIST_HASH) => Some(Hash::Sha512),
        (4, NIST_HASH) => Some(Hash::Sha224),
        _ => Some(Hash::Sha256),
    }
}

/// The content of the DER element with this tag at the front, and what follows it.
fn element(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (tag == wanted).then(|| rest.split_at_checked(length)).flatten()
}
