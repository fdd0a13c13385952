//! What a browser brings from an authenticator (Web Authentication Level 3), read and verified. Pure: it knows no account and no clock.
//!
//! ```text
//! registration: client data (type, challenge, origin), attestation object { authData: rpIdHash, flags, counter, credential id, key }
//! assertion:    client data (type, challenge, origin), authenticator data { rpIdHash, flags, counter }, signature over both
//! ```
//!
//! Attestation is asked of nobody: which make an authenticator is decides nothing here, so that a statement about it is not looked at.

use anser_base::{Error, Result};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::cbor::{self, Item};

/// The algorithms of COSE that keys may have, the best first: ES256, EdDSA, RS256 (RFC 9053 §2.1, §2.2, RFC 8812 §2).
pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;
/// Longest credential id (WebAuthn §4), in bytes.
pub const CREDENTIAL_ID: usize = 1023;
/// Longest public key as COSE writes it, in bytes: one of RSA with 8192 bits has 1,040.
const KEY: usize = 2048;
/// Longest part that a browser sends, in bytes.
pub const PART: usize = 16 * 1024;

/// Flags of authenticator data (WebAuthn §6.1).
const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;

/// The site that keys are made for (WebAuthn §5.4.2): this server as browsers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// The host.
    pub id: String,
    /// Scheme, host, and port where it is no usual one.
    pub origin: String,
}

impl RelyingParty {
    /// Of a URL that has nothing after its port.
    pub fn of(url: &str) -> Self {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let id = host.rsplit_once(':').map_or(host, |(host, _)| host);
        Self { id: id.to_ascii_lowercase(), origin: url.to_ascii_lowercase() }
    }
}

/// What `navigator.credentials.create()` gave.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// `clientDataJSON`
    pub client_data: &'a [u8],
    /// `attestationObject`
    pub attestation: &'a [u8],
}

/// What `navigator.credentials.get()` gave.
#[derive(Clone, Copy, Debug)]
pub struct Assertion<'a> {
    /// `rawId`
    pub id: &'a [u8],
    /// `clientDataJSON`
    pub client_data: &'a [u8],
    /// `authenticatorData`
    pub authenticator_data: &'a [u8],
    /// `signature`
    pub signature: &'a [u8],
    /// `userHandle`, where the authenticator tells it.
    pub user: Option<&'a [u8]>,
}

/// A credential that was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: Vec<u8>,
    /// The public key, as COSE writes it (RFC 9052 §7).
    pub key: Vec<u8>,
    /// How often it was used, where its authenticator counts.
    pub count: u32,
}

/// What an assertion shows beside that the key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Somebody was recognised by the authenticator, by a PIN, a finger, a face.
    pub verified: bool,
    /// How often the key was used, where its authenticator counts.
    pub count: u32,
}

impl Registration<'_> {
    /// The challenge that this answers; it has to be looked at before anything else is believed.
    pub fn challenge(&self) -> Result<Vec<u8>> {
        challenge(self.client_data)
    }

    /// The credential (WebAuthn §7.1, without attestation). `Class::Invalid` for whatever is not a new key of this site.
    pub fn verify(&self, site: &RelyingParty) -> Result<Credential> {
        check_client(self.client_data, "webauthn.create", site)?;
        if self.attestation.len() > PART {
            return Err(unsound("it is too large"));
        }
        let (object, _) = cbor::first(self.attestation).ok_or_else(|| unsound("its attestation cannot be read"))?;
        let data =
            object.named("authData").and_then(Item::bytes).ok_or_else(|| unsound("it has no authenticator data"))?;
        let data = AuthenticatorData::parse(data, site)?;
        credential(data.count, data.attested.ok_or_else(|| unsound("it has no key"))?)
    }
}

impl Assertion<'_> {
    /// The challenge that this answers; it has to be looked at before anything else is believed.
    pub fn challenge(&self) -> Result<Vec<u8>> {
        challenge(self.client_data)
    }

    /// Whether the key signed this for us (WebAuthn §7.2). `Class::Invalid` when it did not.
    pub fn verify(&self, site: &RelyingParty, key: &[u8]) -> Result<Shown> {
        check_client(self.client_data, "webauthn.get", site)?;
        let data = AuthenticatorData::parse(self.authenticator_data, site)?;
        let signed = [self.authenticator_data, digest(&SHA256, self.client_data).as_ref()].concat();
        let (key, _) = cbor::first(key).ok_or_else(|| unsound("its key cannot be read"))?;
        PublicKey::of(&key)
            .and_then(|key| key.verify(&signed, self.signature))
            .ok_or_else(|| unsound("its signature is wrong"))?;
        Ok(Shown { verified: data.verified, count: data.count })
    }
}

fn challenge(client_data: &[u8]) -> Result<Vec<u8>> {
    let said = client(client_data)?;
    let challenge = said["challenge"].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    challenge.ok_or_else(|| unsound("it answers nothing"))
}

fn client(client_data: &[u8]) -> Result<Value> {
    if client_data.len() > PART {
        return Err(unsound("it is too large"));
    }
    serde_json::from_slice(client_data).map_err(|_| unsound("what the browser says of it cannot be read"))
}

/// WebAuthn §7.1 and §7.2, the steps about client data; the challenge is the caller's.
fn check_client(client_data: &[u8], kind: &str, site: &RelyingParty) -> Result<()> {
    let said = client(client_data)?;
    if said["type"] != kind {
        return Err(unsound("it is for something else"));
    }
    if said["origin"].as_str().is_none_or(|origin| !origin.eq_ignore_ascii_case(&site.origin)) {
        return Err(unsound("it is for another site"));
    }
    // A page of ours inside one of another's (§13.4.9).
    if said["crossOrigin"] == true || !said["topOrigin"].is_null() {
        return Err(unsound("it comes from inside another site"));
    }
    Ok(())
}

/// WebAuthn §6.1.
struct AuthenticatorData<'a> {
    verified: bool,
    count: u32,
    /// Behind the counter: attested credential data, then extensions.
    attested: Option<&'a [u8]>,
}

impl<'a> AuthenticatorData<'a> {
    fn parse(data: &'a [u8], site: &RelyingParty) -> Result<Self> {
        let short = || unsound("its authenticator data is cut short");
        let (of, rest) = data.split_first_chunk::<32>().ok_or_else(short)?;
        let ([flags], rest) = rest.split_first_chunk::<1>().ok_or_else(short)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        if digest(&SHA256, site.id.as_bytes()).as_ref() != of {
            return Err(unsound("it is for another site"));
        }
        if flags & USER_PRESENT == 0 {
            return Err(unsound("nobody was there"));
        }
        if flags & BACKED_UP != 0 && flags & BACKUP_ELIGIBLE == 0 {
            return Err(unsound("its flags contradict each other"));
        }
        Ok(Self {
            verified: flags & USER_VERIFIED != 0,
            count: u32::from_be_bytes(*count),
            attested: (flags & ATTESTED != 0).then_some(rest),
        })
    }
}

/// WebAuthn §6.5.1: the maker's id, the length, the credential id, the key.
fn credential(count: u32, attested: &[u8]) -> Result<Credential> {
    let short = || unsound("its key is cut short");
    let (_maker, rest) = attested.split_first_chunk::<16>().ok_or_else(short)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (id, rest) = rest.split_at_checked(length).ok_or_else(short)?;
    if id.is_empty() || id.len() > CREDENTIAL_ID {
        return Err(unsound("its id is too long or empty"));
    }
    let (key, behind) = cbor::first(rest).ok_or_else(short)?;
    PublicKey::of(&key).ok_or_else(|| unsound("its key is of a kind that is not known here"))?;
    let key = &rest[..rest.len() - behind.len()];
    if key.len() > KEY {
        return Err(unsound("its key is too large"));
    }
    Ok(Credential { id: id.to_vec(), key: key.to_vec(), count })
}

/// A key of COSE (RFC 9052 §7, RFC 9053 §7, RFC 8230 §4).
enum PublicKey<'a> {
    /// The point, uncompressed.
    Es256(Vec<u8>),
    EdDsa(&'a [u8]),
    Rs256(PublicKeyComponents<&'a [u8]>),
}

impl<'a> PublicKey<'a> {
    fn of(key: &Item<'a>) -> Option<Self> {
        let number = |label| key.labelled(label).and_then(Item::integer);
        let bytes = |label| key.labelled(label).and_then(Item::bytes);
        match (number(1)?, number(3)?) {
            (2, ES256) if number(-1) == Some(1) => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                (x.len() == 32 && y.len() == 32).then(|| Self::Es256([&[4], x, y].concat()))
            }
            (1, EDDSA) if number(-1) == Some(6) => Some(Self::EdDsa(bytes(-2).filter(|x| x.len() == 32)?)),
            (3, RS256) => Some(Self::Rs256(PublicKeyComponents { n: bytes(-1)?, e: bytes(-2)? })),
            _ => None,
        }
    }

    fn verify(&self, signed: &[u8], signature: &[u8]) -> Option<()> {
        let by = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(signed, signature).ok()
        };
        match self {
            Self::Es256(point) => by(&ECDSA_P256_SHA256_ASN1, point),
            Self::EdDsa(key) => by(&ED25519, key),
            Self::Rs256(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).ok(),
        }
    }
}

fn unsound(why: &'static str) -> Error {
    Error::invalid("the passkey was not accepted; try again", "通行密钥未被接受，请重试").caused_by(why)
}
