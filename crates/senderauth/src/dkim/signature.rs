//! `DKIM-Signature` and `ARC-Message-Signature` as claims, before anything is verified (RFC 6376 §3.5, RFC 8617 §4.1.2).

use anser_mime::header::unfold;

use super::canon::Canon;
use crate::dns;
use crate::tags::{Tags, number, octets};

/// Names in `h=`; a signature with more is not looked at.
pub const SIGNED_NAMES: usize = 500;
/// Longest value of such a field, in bytes.
pub const VALUE: usize = 32 * 1024;

/// With what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Not accepted any more (RFC 8301 §3.1).
    RsaSha1,
    /// RFC 6376 §3.3.2.
    RsaSha256,
    /// RFC 8463 §3.
    Ed25519Sha256,
}

impl Algorithm {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "rsa-sha1" => Some(Self::RsaSha1),
            "rsa-sha256" => Some(Self::RsaSha256),
            "ed25519-sha256" => Some(Self::Ed25519Sha256),
            _ => None,
        }
    }

    /// The word of `a=`.
    pub fn word(self) -> &'static str {
        match self {
            Self::RsaSha1 => "rsa-sha1",
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }
}

/// What a signature says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// `a=`.
    pub algorithm: Algorithm,
    /// `c=`, for fields.
    pub header: Canon,
    /// `c=`, for the body.
    pub body: Canon,
    /// `d=`, in A-labels and lower case.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// The domain of `i=`, when it is not `d=`.
    pub agent_domain: Option<String>,
    /// `i=` of ARC.
    pub instance: u32,
    /// `h=`, in lower case.
    pub names: Vec<String>,
    /// `bh=`.
    pub body_hash: Vec<u8>,
    /// `b=`.
    pub signature: Vec<u8>,
    /// `l=`.
    pub length: Option<u64>,
    /// `t=`, seconds since 1970.
    pub signed: Option<u64>,
    /// `x=`, seconds since 1970.
    pub expires: Option<u64>,
}

impl Signature {
    /// Reads the value of a `DKIM-Signature` field. The error says what is wrong with it.
    pub fn dkim(value: &[u8]) -> Result<Self, &'static str> {
        let text = text_of(value)?;
        let tags = Tags::parse(&text).ok_or("no tag list")?;
        if tags.get("v") != Some("1") {
            return Err("unknown version");
        }
        let mut signature = Self::common(&tags)?;
        if !signature.names.iter().any(|name| name == "from") {
            return Err("From is not signed");
        }
        if let Some(agent) = tags.get("i") {
            let (_, domain) = agent.rsplit_once('@').ok_or("bad i=")?;
            let domain = dns::domain(domain).ok_or("bad i=")?;
            if !dns::is_within(&domain, &signature.domain) {
                return Err("i= is not within d=");
            }
            signature.agent_domain = (domain != signature.domain).then_some(domain);
        }
        let methods = tags.get("q").unwrap_or("dns/txt");
        if !methods.split(':').any(|method| method.trim_ascii() == "dns/txt") {
            return Err("no known query method");
        }
        Ok(signature)
    }

    /// Reads the value of an `ARC-Message-Signature` field.
    pub fn arc(value: &[u8]) -> Result<Self, &'static str> {
        let text = text_of(value)?;
        let tags = Tags::parse(&text).ok_or("no tag list")?;
        let mut signature = Self::common(&tags)?;
        if signature.names.iter().any(|name| name == "arc-seal") {
            return Err("ARC-Seal is signed");
        }
        signature.instance = instance(&tags)?;
        Ok(signature)
    }

    fn common(tags: &Tags<'_>) -> Result<Self, &'static str> {
        let (header, body) = match tags.get("c").unwrap_or("simple/simple").split_once('/') {
            Some((header, body)) => (Canon::parse(header), Canon::parse(body)),
            None => (tags.get("c").and_then(Canon::parse), Some(Canon::Simple)),
        };
        let (signed, expires) = (optional_number(tags, "t")?, optional_number(tags, "x")?);
        if matches!((signed, expires), (Some(signed), Some(expires)) if expires < signed) {
            return Err("x= is before t=");
        }
        Ok(Self {
            algorithm: tags.get("a").and_then(Algorithm::parse).ok_or("unknown algorithm")?,
            header: header.ok_or("unknown canonicalization")?,
            body: body.ok_or("unknown canonicalization")?,
            domain: tags.get("d").and_then(dns::domain).ok_or("bad d=")?,
            selector: tags.get("s").and_then(dns::domain).ok_or("bad s=")?,
            agent_domain: None,
            instance: 0,
            names: names(tags.get("h").ok_or("no h=")?)?,
            body_hash: tags.get("bh").and_then(octets).ok_or("bad bh=")?,
            signature: tags.get("b").and_then(octets).filter(|octets| !octets.is_empty()).ok_or("bad b=")?,
            length: optional_length(tags)?,
            signed,
            expires,
        })
    }
}

/// `i=` of an ARC field (RFC 8617 §4.2.1).
pub fn instance(tags: &Tags<'_>) -> Result<u32, &'static str> {
    let number = tags.get("i").and_then(number).and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (1..=crate::arc::SETS as u32).contains(number)).ok_or("bad i=")
}

/// The unfolded value of a field that is a tag list.
pub fn text_of(value: &[u8]) -> Result<String, &'static str> {
    if value.len() > VALUE {
        return Err("too long");
    }
    String::from_utf8(unfold(value).into_owned()).map_err(|_| "not UTF-8")
}

fn names(list: &str) -> Result<Vec<String>, &'static str> {
    let names: Vec<String> = list.split(':').map(|name| name.trim_ascii().to_ascii_lowercase()).collect();
    if names.len() > SIGNED_NAMES || names.iter().any(String::is_empty) { Err("bad h=") } else { Ok(names) }
}

fn optional_number(tags: &Tags<'_>, name: &str) -> Result<Option<u64>, &'static str> {
    tags.get(name).map(|value| number(value).ok_or("bad number")).transpose()
}

/// `l=` has up to 76 digits (RFC 6376 §3.5); more than any message has is all of it and more.
fn optional_length(tags: &Tags<'_>) -> Result<Option<u64>, &'static str> {
    let Some(value) = tags.get("l") else { return Ok(None) };
    let fine = !value.is_empty() && value.len() <= 76 && value.bytes().all(|byte| byte.is_ascii_digit());
    if fine { Ok(Some(value.parse().unwrap_or(u64::MAX))) } else { Err("bad l=") }
}
