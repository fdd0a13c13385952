//! Tokens that a provider signed: a JWS in its compact form (RFC 7515 §7.1) by a key of its set (RFC 7517), and the claims of an id token
//! (OpenID Connect Core §3.1.3.7). Pure.

use std::time::Duration;

use anser_base::Timestamp;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Longest token, in bytes.
pub const TOKEN: usize = 16 * 1024;
/// Most keys of a set that are looked at.
const KEYS: usize = 50;
/// How far clocks may be apart.
pub const SKEW: Duration = Duration::from_secs(120);
/// How old an id token may be when it comes.
const AGE: Duration = Duration::from_secs(15 * 60);

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// It is no JWS, or too long.
    Form,
    /// It is signed in a way that is not taken: with nothing, with a shared secret, with what a set says otherwise of.
    Algorithm,
    /// No key of the set is the one that it names.
    UnknownKey,
    /// The signature is not the key's.
    Signature,
    /// The claim of this name is missing or wrong.
    Claim(&'static str),
}

/// What an id token has to say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who made it.
    pub issuer: &'a str,
    /// For whom.
    pub client: &'a str,
    /// For which login.
    pub nonce: &'a str,
    /// What time it is.
    pub now: Timestamp,
}

/// The claims of an id token that one of these keys signed for this login. [`Unsound::UnknownKey`] is worth a look at a newer set.
pub fn verify(token: &str, keys: &Value, expected: Expected<'_>) -> Result<Value, Unsound> {
    let claims = open(token, keys)?;
    check(&claims, expected).map_err(Unsound::Claim)?;
    Ok(claims)
}

/// The payload of what one of these keys signed.
fn open(token: &str, keys: &Value) -> Result<Value, Unsound> {
    if token.len() > TOKEN {
        return Err(Unsound::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Unsound::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(Unsound::Form)?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Unsound::Form);
    let object = |part: &str| serde_json::from_slice(&bytes(part)?).ok().filter(Value::is_object).ok_or(Unsound::Form);
    let (header, payload, signature) = (object(header)?, object(payload)?, bytes(signature)?);
    // What must be understood and is not (RFC 7515 §4.1.11).
    if header.get("crit").is_some() {
        return Err(Unsound::Form);
    }
    let algorithm = header["alg"].as_str().and_then(Algorithm::of_name).ok_or(Unsound::Algorithm)?;
    let key = key_of(keys, &header, algorithm)?;
    algorithm.verify(key, signed.as_bytes(), &signature).ok_or(Unsound::Signature)?;
    Ok(payload)
}

/// The one key that is meant: by its id; without one, the only key that fits.
fn key_of<'a>(keys: &'a Value, header: &Value, algorithm: Algorithm) -> Result<&'a Value, Unsound> {
    let all = keys["keys"].as_array().into_iter().flatten().take(KEYS);
    let mut fitting = all.filter(|key| algorithm.fits(key));
    let found = match header["kid"].as_str() {
        Some(id) => fitting.find(|key| key["kid"] == id),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    };
    found.ok_or(Unsound::UnknownKey)
}

/// How tokens may be signed (RFC 7518 §3.1, RFC 8037 §3.1): by a key of which only a half is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa].into_iter().find(|one| one.name() == name)
    }

    /// Whether a key is of its kind, and for signing with it.
    fn fits(self, key: &Value) -> bool {
        let (kind, curve) = match self {
            Self::Rs256 | Self::Ps256 => ("RSA", None),
            Self::Es256 => ("EC", Some("P-256")),
            Self::EdDsa => ("OKP", Some("Ed25519")),
        };
        let is = |name: &str, wanted: &str| key.get(name).is_none_or(|value| value == wanted);
        key["kty"] == kind
            && curve.is_none_or(|curve| key["crv"] == curve)
            && is("use", "sig")
            && is("alg", self.name())
    }

    fn verify(self, key: &Value, signed: &[u8], signature: &[u8]) -> Option<()> {
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok();
        let by = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(signed, signature).ok()
        };
        match self {
            Self::Es256 => {
                let (x, y) = (part("x")?, part("y")?);
                (x.len() == 32 && y.len() == 32).then(|| by(&ECDSA_P256_SHA256_FIXED, &[&[4], &x[..], &y].concat()))?
            }
            Self::EdDsa => by(&ED25519, &part("x")?),
            Self::Rs256 | Self::Ps256 => {
                let key = PublicKeyComponents { n: part("n")?, e: part("e")? };
                let algorithm = match self {
                    Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                key.verify(algorithm, signed, signature).ok()
            }
        }
    }
}

fn check(claims: &Value, expected: Expected<'_>) -> Result<(), &'static str> {
    let Expected { issuer, client, nonce, now } = expected;
    if claims["iss"] != issuer {
        return Err("iss");
    }
    let is_for_us = match &claims["aud"] {
        Value::String(one) => one == client,
        Value::Array(all) => all.iter().any(|one| one == client),
        _ => false,
    };
    if !is_for_us {
        return Err("aud");
    }
    // Of a token for several, the one who asked is told.
    let is_asked = match claims.get("azp") {
        Some(azp) => azp == client,
        None => claims["aud"].as_array().is_none_or(|all| all.len() == 1),
    };
    if !is_asked {
        return Err("azp");
    }
    let (now, skew) = (now.secs(), SKEW.as_secs() as i64);
    // Numbers may have fractions (RFC 7519 §2, NumericDate).
    let time = |name: &str| claims.get(name).map(|value| value.as_f64().map_or(i64::MIN, |seconds| seconds as i64));
    if time("exp").is_none_or(|end| end.saturating_add(skew) <= now) {
        return Err("exp");
    }
    let is_young = |made: i64| made <= now + skew && made >= now - AGE.as_secs() as i64 - skew;
    if !time("iat").is_some_and(is_young) {
        return Err("iat");
    }
    if time("nbf").is_some_and(|from| from > now + skew || from == i64::MIN) {
        return Err("nbf");
    }
    if claims["nonce"] != nonce || nonce.is_empty() {
        return Err("nonce");
    }
    if claims["sub"].as_str().is_none_or(|sub| sub.is_empty() || sub.len() > 255) {
        return Err("sub");
    }
    Ok(())
}
