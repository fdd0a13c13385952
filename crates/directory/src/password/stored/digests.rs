//! Bare and salted digests.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::Digest as _;

use super::{Digest, Encoding, equal};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

pub(super) fn verify(password: &[u8], hash: &str, digest: Digest, salted: bool, encoding: Encoding) -> Option<bool> {
    let bytes = decode(hash, encoding, digest.len(), salted)?;
    let (expected, salt) = bytes.split_at_checked(digest.len())?;
    // A salted hash without salt, or a bare one with something behind it, was cut or glued.
    (salted != salt.is_empty()).then(|| equal(&digest.of(&[password, salt]), expected))
}

/// The hash that Windows and Samba keep.
pub(super) fn nt(password: &[u8], hash: &str, encoding: Encoding) -> Option<bool> {
    let expected = decode(hash, encoding, 16, false)?;
    let units = str::from_utf8(password).ok()?.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let found = md4::Md4::digest(units);
    (expected.len() == 16).then(|| equal(&found, &expected))
}

/// `{SSHA512}` of a password.
pub(super) fn salted(password: &[u8], salt: [u8; 16]) -> String {
    let digest = Digest::Sha512.of(&[password, &salt]);
    format!("{{SSHA512}}{}", STANDARD.encode([digest.as_slice(), &salt].concat()))
}

fn decode(text: &str, encoding: Encoding, len: usize, salted: bool) -> Option<Vec<u8>> {
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len().is_multiple_of(2);
    let fits = if salted { text.len() > len * 2 } else { text.len() == len * 2 };
    match encoding {
        Encoding::Hex => unhex(text),
        Encoding::Either if digits && fits => unhex(text),
        Encoding::Either | Encoding::Base64 => base64(text),
    }
}

pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some((digit(pair[0])? * 16 + digit(*pair.get(1)?)?) as u8)).collect()
}

impl Digest {
    /// Length of its output, in bytes.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn of(self, parts: &[&[u8]]) -> Vec<u8> {
        let whole = parts.concat();
        match self {
            Self::Md5 => md5::Md5::digest(whole).to_vec(),
            Self::Sha1 => sha1::Sha1::digest(whole).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(whole).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(whole).to_vec(),
        }
    }
}
