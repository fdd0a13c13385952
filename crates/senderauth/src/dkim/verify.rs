//! Verifying (RFC 6376 §6).

use std::collections::HashMap;

use futures_util::future::join_all;

use super::canon::Canon;
use super::key::{Key, Unfit};
use super::signature::{Algorithm, Signature};
use crate::dns::Dns;
use crate::message::{Passed, SIGNATURES};

/// How long before our time a signature may claim to be made, in seconds: clocks differ.
const SKEW: u64 = 24 * 3600;

anser_base::words! {
    /// The outcome for one signature (RFC 8601 §2.7.1).
    pub enum Result {
        /// There is no signature.
        None = "none",
        /// It is genuine and fits.
        Pass = "pass",
        /// It does not fit the message.
        Fail = "fail",
        /// It may be genuine, but is not accepted here: a weak key, an old algorithm, a part of the body unsigned.
        Policy = "policy",
        /// It cannot be understood.
        Neutral = "neutral",
        /// The DNS failed; later may work.
        TempError = "temperror",
        /// The key is missing, broken or withdrawn.
        PermError = "permerror",
    }
}

/// What came of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The outcome.
    pub result: Result,
    /// Why it is not a pass.
    pub reason: Option<&'static str>,
    /// `d=`; empty when it could not be read.
    pub domain: String,
    /// `s=`; empty when it could not be read.
    pub selector: String,
    /// `a=`.
    pub algorithm: Option<Algorithm>,
    /// The first eight characters of `b=`, which tell signatures of one domain apart (RFC 6008 §4).
    pub mark: String,
    /// The domain says that it is only trying (t=y).
    pub testing: bool,
}

type Judged = std::result::Result<bool, (Result, &'static str)>;

/// Verifies the first [`SIGNATURES`] signatures of a message. One outcome each, top down.
pub async fn verify(dns: &Dns<'_>, message: &Passed, now: i64) -> Vec<Outcome> {
    let fields = message.named("dkim-signature").take(SIGNATURES);
    join_all(fields.map(|(at, value)| one(dns, message, at, Signature::dkim(value), now))).await
}

async fn one(
    dns: &Dns<'_>,
    message: &Passed,
    at: usize,
    claim: std::result::Result<Signature, &'static str>,
    now: i64,
) -> Outcome {
    let blank = Outcome {
        result: Result::Neutral,
        reason: None,
        domain: String::new(),
        selector: String::new(),
        algorithm: None,
        mark: String::new(),
        testing: false,
    };
    let claim = match claim {
        Ok(claim) => claim,
        Err(reason) => return Outcome { result: Result::PermError, reason: Some(reason), ..blank },
    };
    let judged = judge(dns, message, at, &claim, now).await;
    let mut mark = crate::tags::base64(&claim.signature);
    mark.truncate(8);
    let (result, reason, testing) = match judged {
        Ok(testing) => (Result::Pass, None, testing),
        Err((result, reason)) => (result, Some(reason), false),
    };
    Outcome {
        result,
        reason,
        mark,
        testing,
        algorithm: Some(claim.algorithm),
        domain: claim.domain,
        selector: claim.selector,
    }
}

/// What costs nothing comes first: nobody is asked for the key of a signature that cannot pass.
async fn judge(dns: &Dns<'_>, message: &Passed, at: usize, claim: &Signature, now: i64) -> Judged {
    let now = u64::try_from(now).unwrap_or(0);
    if claim.expires.is_some_and(|expires| expires < now) {
        return Err((Result::Fail, "the signature has expired"));
    }
    if claim.signed.is_some_and(|signed| signed > now + SKEW) {
        return Err((Result::Fail, "the signature is from the future"));
    }
    check_body(message, claim)?;
    let key = key_of(dns, claim).await?;
    if key.strict && claim.agent_domain.is_some() {
        return Err((Result::PermError, "the key is for d= alone"));
    }
    if !key.verifies(&signed_octets(message, at, claim), &claim.signature) {
        return Err((Result::Fail, "the signature does not fit"));
    }
    Ok(key.testing)
}

/// The hash of the body, and all of the body: what `l=` leaves out could be anybody's (RFC 6376 §8.2).
pub(crate) fn check_body(message: &Passed, claim: &Signature) -> std::result::Result<(), (Result, &'static str)> {
    if claim.algorithm == Algorithm::RsaSha1 {
        return Err((Result::Policy, "rsa-sha1 is not accepted"));
    }
    let Some(hash) = message.hash(claim.body) else { return Err((Result::Neutral, "the body was not seen")) };
    match claim.length {
        Some(length) if length < hash.length => Err((Result::Policy, "a part of the body is not signed")),
        Some(length) if length > hash.length => Err((Result::Fail, "the body is shorter than l=")),
        _ if hash.sha256 != claim.body_hash => Err((Result::Fail, "the body was changed")),
        _ => Ok(()),
    }
}

/// The key of a signature. Of several records at one name the first that fits is taken (RFC 6376 §3.6.2.2 leaves it open).
pub(crate) async fn key_of(dns: &Dns<'_>, claim: &Signature) -> std::result::Result<Key, (Result, &'static str)> {
    key_at(dns, &claim.selector, &claim.domain, claim.algorithm).await
}

/// Records at one name that are tried as keys.
const KEYS: usize = 4;

pub(crate) async fn key_at(
    dns: &Dns<'_>,
    selector: &str,
    domain: &str,
    algorithm: Algorithm,
) -> std::result::Result<Key, (Result, &'static str)> {
    let name = format!("{selector}._domainkey.{domain}");
    let Ok(texts) = dns.texts(&name).await else { return Err((Result::TempError, "the key could not be looked up")) };
    let mut wrong = (Result::PermError, "there is no key");
    for text in texts.iter().take(KEYS) {
        match Key::parse(text) {
            Ok(key) if key.fits(algorithm) => return Ok(key),
            Ok(_) => wrong = (Result::PermError, Unfit::OtherUse.why()),
            Err(Unfit::Weak) => wrong = (Result::Policy, Unfit::Weak.why()),
            Err(unfit) => wrong = (Result::PermError, unfit.why()),
        }
    }
    Err(wrong)
}

/// What was signed: the fields of `h=`, the lowest of a name first, then the signature's own field without its `b=`
/// (RFC 6376 §3.7, §5.4.2).
pub(crate) fn signed_octets(message: &Passed, own: usize, claim: &Signature) -> Vec<u8> {
    let mut out = Vec::new();
    select(message, &claim.names, claim.header, &mut out);
    let mut last = Vec::new();
    claim.header.field(&without_signature(message.raw(own)), &mut last);
    out.extend_from_slice(last.strip_suffix(b"\r\n").unwrap_or(&last));
    out
}

/// Appends the fields of these names; a name that stands there once more than there are fields adds nothing.
pub(crate) fn select(message: &Passed, names: &[String], canon: Canon, out: &mut Vec<u8>) {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, field) in message.fields.iter().enumerate() {
        places.entry(field.name.as_str()).or_default().push(at);
    }
    for name in names {
        if let Some(at) = places.get_mut(name.as_str()).and_then(Vec::pop) {
            canon.field(message.raw(at), out);
        }
    }
}

/// The field with the value of its `b=` tag taken out, white space and all (RFC 6376 §3.5).
pub(crate) fn without_signature(raw: &[u8]) -> Vec<u8> {
    let colon = memchr::memchr(b':', raw).map_or(0, |at| at + 1);
    let mut out = raw[..colon].to_vec();
    let (value, end) = match raw[colon..].strip_suffix(b"\r\n") {
        Some(value) => (value, &b"\r\n"[..]),
        None => (&raw[colon..], &b""[..]),
    };
    for (index, tag) in value.split(|byte| *byte == b';').enumerate() {
        if index > 0 {
            out.push(b';');
        }
        match memchr::memchr(b'=', tag) {
            Some(equals) if tag[..equals].trim_ascii() == b"b" => out.extend_from_slice(&tag[..=equals]),
            _ => out.extend_from_slice(tag),
        }
    }
    out.extend_from_slice(end);
    out
}
