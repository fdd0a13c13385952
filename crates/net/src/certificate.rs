//! What TLS needs to know of an X.509 certificate, and self-signed ones for a first start.

use anser_base::{Error, Result, Timestamp};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// `1.2.840.113549.1.1`, the RSA signature algorithms of PKCS #1, less their last number.
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// `1.2.840.10045.4.3`, ECDSA with SHA-2, less its last number.
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
/// `1.2.840.10045.4.1`, ECDSA with SHA-1.
const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
/// `2.16.840.1.101.3.4.2`, the hashes of NIST, less their last number.
const NIST_HASH: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
/// `2.5.29.17`, the names that a certificate is for.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// `2.5.4.3`, a common name, and `2.5.4.10`, an organisation.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
/// Names of a certificate that are told.
const NAMES: usize = 100;
/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const EXPLICIT_0: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SET: u8 = 0x31;
const EXPLICIT_3: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

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

/// What people want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The host names that it is for (RFC 5280 §4.2.1.6), at most 100; the subject's common name where it names none.
    pub names: Vec<String>,
    /// Who gave it: the common name, else the organisation.
    pub issuer: String,
    /// Whether it vouches for itself.
    pub self_signed: bool,
    /// From when on it is good.
    pub begins: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

/// What a DER certificate says of itself (RFC 5280 §4.1.2). `None` when it cannot be read.
pub fn summary(certificate: &[u8]) -> Option<Summary> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (fields, _) = element(certificate, SEQUENCE)?;
    let rest = element(fields, EXPLICIT_0).map_or(fields, |(_version, rest)| rest);
    let (_serial, rest) = element(rest, INTEGER)?;
    let (_signature, rest) = element(rest, SEQUENCE)?;
    let (issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, rest) = element(rest, SEQUENCE)?;
    let (subject, rest) = element(rest, SEQUENCE)?;
    let (begins, ends) = time(validity)?;
    let (ends, _) = time(ends)?;
    let (_key, mut rest) = element(rest, SEQUENCE)?;
    let mut names = Vec::new();
    while let Some((tag, content, after)) = any_element(rest) {
        if tag == EXPLICIT_3 {
            names = host_names(content).unwrap_or_default();
        }
        rest = after;
    }
    if names.is_empty() {
        names.extend(attribute(subject, COMMON_NAME));
    }
    let by = attribute(issuer, COMMON_NAME).or_else(|| attribute(issuer, ORGANISATION));
    Some(Summary { names, issuer: by.unwrap_or_default(), self_signed: issuer == subject, begins, ends })
}

/// From when to when a DER certificate is good (RFC 5280 §4.1.2.5). `None` when it cannot be read.
pub fn validity(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    summary(certificate).map(|summary| (summary.begins, summary.ends))
}

/// The DNS names among the extensions.
fn host_names(extensions: &[u8]) -> Option<Vec<String>> {
    let (mut rest, _) = element(extensions, SEQUENCE)?;
    while let Some((extension, after)) = element(rest, SEQUENCE) {
        rest = after;
        let (id, mut value) = element(extension, OBJECT_IDENTIFIER)?;
        if id != SUBJECT_ALT_NAME {
            continue;
        }
        // Whether it is critical may stand before the value.
        while let Some((tag, content, after)) = any_element(value) {
            value = after;
            if tag == OCTET_STRING {
                let (mut all, _) = element(content, SEQUENCE)?;
                let mut names = Vec::new();
                while let Some((tag, name, after)) = any_element(all) {
                    all = after;
                    if tag == DNS_NAME && names.len() < NAMES {
                        names.push(String::from_utf8_lossy(name).into_owned());
                    }
                }
                return Some(names);
            }
        }
    }
    None
}

/// The first value of an attribute in a distinguished name (RFC 5280 §4.1.2.4).
fn attribute(name: &[u8], wanted: &[u8]) -> Option<String> {
    let mut rest = name;
    while let Some((set, after)) = element(rest, SET) {
        rest = after;
        let mut set = set;
        while let Some((pair, after)) = element(set, SEQUENCE) {
            set = after;
            let (id, value) = element(pair, OBJECT_IDENTIFIER)?;
            if id == wanted {
                let (_string, text, _) = any_element(value)?;
                return Some(String::from_utf8_lossy(text).into_owned());
            }
        }
    }
    None
}

/// A time as certificates write it, in UTC with seconds (RFC 5280 §4.1.2.5.1, §4.1.2.5.2), and what follows it.
fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (year_digits, (text, rest)) = match element(bytes, UTC_TIME) {
        Some(found) => (2, found),
        None => (4, element(bytes, GENERALIZED_TIME)?),
    };
    let (year, others) = text.strip_suffix(b"Z")?.split_at_checked(year_digits)?;
    let number = |digits: &[u8]| {
        let value = digits.iter().try_fold(0u32, |value, digit| Some(value * 10 + (*digit as char).to_digit(10)?));
        value.map(i64::from)
    };
    let year = match (number(year)?, year_digits) {
        (short @ 50.., 2) => 1900 + short,
        (short, 2) => 2000 + short,
        (whole, _) => whole,
    };
    let [month, day, hour, minute, second] =
        others.chunks(2).map(number).collect::<Option<Vec<_>>>()?.try_into().ok()?;
    if others.len() != 10 || !(1..=12).contains(&month) {
        return None;
    }
    // Days since 1970 by counting years from March.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years.div_euclid(4) - years.div_euclid(100)
        + years.div_euclid(400)
        + (months * 153 + 2) / 5
        + day
        - 719_469;
    Some((Timestamp((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000), rest))
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
    any_element(bytes).filter(|(tag, ..)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

/// Tag and content of the DER element at the front, and what follows it.
fn any_element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
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
    rest.split_at_checked(length).map(|(content, rest)| (tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_certificates_are_read() {
        for (raw, seconds) in [
            (&b"\x17\x0d700101000000Z"[..], Some(0)),
            (b"\x17\x0d260131235959Z", Some(1_769_903_999)),
            (b"\x17\x0d240229120000Z", Some(1_709_208_000)),
            (b"\x17\x0d500101000000Z", Some(-631_152_000)),
            (b"\x18\x0f20500101000000Z", Some(2_524_608_000)),
            (b"\x18\x0f99991231235959Z", Some(253_402_300_799)),
            (b"\x17\x0b2601312359Z", None),
            (b"\x17\x0d26xx31235959Z", None),
            (b"\x17\x0d261331235959Z", None),
            (b"\x17\x0d26", None),
        ] {
            assert_eq!(time(raw).map(|(time, _)| time.secs()), seconds, "{raw:?}");
        }
    }

    #[test]
    fn the_life_of_a_certificate_is_read() {
        let (pem, _) = self_signed(&["mail.example.org".to_owned()]).unwrap();
        let (begins, ends) = validity(&der_of_pem(pem.as_bytes()).unwrap()).unwrap();
        assert!(begins < ends);
        assert_eq!(validity(b""), None);
    }

    #[test]
    fn names_and_issuer_of_a_certificate_are_read() {
        use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::OrganizationName, "The Authority");
        authority.distinguished_name.push(DnType::CommonName, "R 1");
        let issuer = Issuer::new(authority, &key);
        let names = ["mail.example.org".to_owned(), "mta-sts.example.org".to_owned()];
        let leaf = CertificateParams::new(names.to_vec()).unwrap().signed_by(&key, &issuer).unwrap();
        let found = summary(leaf.der()).unwrap();
        assert_eq!((&found.names[..], found.issuer.as_str(), found.self_signed), (&names[..], "R 1", false));
        for end in 0..leaf.der().len() {
            summary(&leaf.der()[..end]);
        }
        let (pem, _) = self_signed(&["a.example".to_owned()]).unwrap();
        let found = summary(&der_of_pem(pem.as_bytes()).unwrap()).unwrap();
        assert_eq!((found.names, found.self_signed), (vec!["a.example".to_owned()], true));
    }
}
