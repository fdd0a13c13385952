//! Validating a chain (RFC 8617 §5.2).

use futures_util::future::join_all;

use super::SETS;
use crate::dkim::canon::Canon;
use crate::dkim::signature::{instance, text_of};
use crate::dkim::{self, Algorithm, Signature, check_body, key_at, key_of, signed_octets, without_signature};
use crate::dns::{self, Dns};
use crate::message::Passed;
use crate::tags::{Tags, octets};

anser_base::words! {
    /// Whether a chain holds (RFC 8617 §4.4).
    pub enum Status {
        /// There is no chain.
        None = "none",
        /// It holds.
        Pass = "pass",
        /// It is broken.
        Fail = "fail",
        /// The DNS failed; later may work. Told as it is, and never as a pass.
        TempError = "temperror",
    }
}

/// What is known of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Whether it holds.
    pub status: Status,
    /// Why it does not.
    pub reason: Option<&'static str>,
    /// Its sets, the oldest first; empty unless the chain is well-formed.
    pub sets: Vec<Set>,
    /// Highest instance that any field of the chain bears.
    pub highest: u32,
}

/// One set, as its server left it. Nothing in it is true unless the chain holds and the server is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// `d=` of the seal.
    pub domain: String,
    /// `s=` of the seal.
    pub selector: String,
    /// What the server saw: the value of `ARC-Authentication-Results` behind its instance.
    pub results: String,
}

/// The fields of a set, by their place.
#[derive(Clone, Copy, Default)]
struct Places {
    results: Option<usize>,
    message: Option<usize>,
    seal: Option<usize>,
}

/// A seal as a claim (RFC 8617 §4.1.3).
struct Seal {
    algorithm: Algorithm,
    domain: String,
    selector: String,
    signature: Vec<u8>,
    validation: String,
}

type Broken = (Status, &'static str);

/// Validates the chain of a message. Verifies at most one message signature and [`SETS`] seals.
pub async fn validate(dns: &Dns<'_>, message: &Passed) -> Chain {
    let (highest, sets) = gather(message);
    if highest == 0 && sets.is_ok() {
        return Chain { status: Status::None, reason: None, sets: Vec::new(), highest };
    }
    let judged = match sets {
        Ok(sets) => judge(dns, message, &sets).await,
        Err(reason) => Err((Status::Fail, reason)),
    };
    match judged {
        Ok(sets) => Chain { status: Status::Pass, reason: None, sets, highest },
        Err((status, reason)) => Chain { status, reason: Some(reason), sets: Vec::new(), highest },
    }
}

/// What was found of the chain when the message came, by the results that this house wrote then ([`crate::results::written_by`]): the DNS
/// is not asked again. Enough for [`super::seal`].
pub fn recalled(message: &Passed, results: &str) -> Chain {
    let (highest, _) = gather(message);
    let status = match crate::results::word_of(results, "arc").as_deref() {
        _ if highest == 0 => Status::None,
        Some("pass") => Status::Pass,
        Some("temperror") => Status::TempError,
        _ => Status::Fail,
    };
    Chain { status, reason: None, sets: Vec::new(), highest }
}

/// The sets in their order; each has to be there whole and once.
fn gather(message: &Passed) -> (u32, Result<Vec<Places>, &'static str>) {
    let mut found = vec![Places::default(); SETS];
    let (mut highest, mut wrong) = (0, None);
    let kinds: [(&str, fn(&mut Places) -> &mut Option<usize>); 3] = [
        ("arc-authentication-results", |places| &mut places.results),
        ("arc-message-signature", |places| &mut places.message),
        ("arc-seal", |places| &mut places.seal),
    ];
    for (name, place) in kinds {
        for (at, value) in message.named(name) {
            let Some(instance) = instance_of(value) else {
                wrong = Some("a field of the chain has no instance");
                continue;
            };
            highest = highest.max(instance);
            if place(&mut found[instance as usize - 1]).replace(at).is_some() {
                wrong = Some("a field of the chain is there twice");
            }
        }
    }
    found.truncate(highest as usize);
    if found.iter().any(|set| set.results.is_none() || set.message.is_none() || set.seal.is_none()) {
        wrong = Some("the chain has gaps");
    }
    (highest, wrong.map_or(Ok(found), Err))
}

/// `i=` at the start of `ARC-Authentication-Results`, or anywhere in the tag lists.
fn instance_of(value: &[u8]) -> Option<u32> {
    let text = text_of(value).ok()?;
    match Tags::parse(&text) {
        Some(tags) => instance(&tags).ok(),
        None => {
            let (first, _) = text.split_once(';')?;
            instance(&Tags::parse(first)?).ok()
        }
    }
}

async fn judge(dns: &Dns<'_>, message: &Passed, sets: &[Places]) -> Result<Vec<Set>, Broken> {
    let broken = |reason| (Status::Fail, reason);
    let seals: Vec<Seal> = sets.iter().map(|set| seal_of(message, set)).collect::<Result<_, _>>().map_err(broken)?;
    for (index, seal) in seals.iter().enumerate() {
        if seal.validation != if index == 0 { "none" } else { "pass" } {
            return Err(broken("a server on the way found the chain broken"));
        }
    }
    let Some(newest) = sets.last().and_then(|set| set.message) else { return Err(broken("the chain is empty")) };
    let claim = Signature::arc(value_at(message, newest)).map_err(broken)?;
    check_body(message, &claim).map_err(|(_, reason)| broken(reason))?;
    let key = key_of(dns, &claim).await.map_err(of_key)?;
    if !key.verifies(&signed_octets(message, newest, &claim), &claim.signature) {
        return Err(broken("the newest signature of the chain does not fit"));
    }
    let keys = join_all(seals.iter().map(|seal| key_at(dns, &seal.selector, &seal.domain, seal.algorithm))).await;
    // The newest first, for what is wrong is wrong there most often; `ends` says how much of the whole each seal covers.
    let (whole, ends) = covered(message, sets);
    for (index, key) in keys.into_iter().enumerate().rev() {
        let key = key.map_err(of_key)?;
        let mut octets = whole[..ends[index].0].to_vec();
        octets.extend_from_slice(&ends[index].1);
        if !key.verifies(&octets, &seals[index].signature) {
            return Err(broken("a seal of the chain does not fit"));
        }
    }
    Ok(sets.iter().zip(seals).map(|(set, seal)| set_of(message, set, seal)).collect())
}

fn of_key((result, reason): (dkim::Result, &'static str)) -> Broken {
    (if result == dkim::Result::TempError { Status::TempError } else { Status::Fail }, reason)
}

/// All sets in canonical form one after the other (RFC 8617 §5.1.1). For each seal: how much of that comes before it, and its own
/// field without the signature.
fn covered(message: &Passed, sets: &[Places]) -> (Vec<u8>, Vec<(usize, Vec<u8>)>) {
    let (mut whole, mut ends) = (Vec::new(), Vec::new());
    for set in sets {
        for at in [set.results, set.message].into_iter().flatten() {
            Canon::Relaxed.field(message.raw(at), &mut whole);
        }
        if let Some(at) = set.seal {
            let mut own = Vec::new();
            Canon::Relaxed.field(&without_signature(message.raw(at)), &mut own);
            own.truncate(own.len().saturating_sub(2));
            ends.push((whole.len(), own));
            Canon::Relaxed.field(message.raw(at), &mut whole);
        }
    }
    (whole, ends)
}

fn seal_of(message: &Passed, set: &Places) -> Result<Seal, &'static str> {
    let text = text_of(value_at(message, set.seal.ok_or("no seal")?))?;
    let tags = Tags::parse(&text).ok_or("a seal is no tag list")?;
    if tags.get("h").is_some() {
        return Err("a seal names fields");
    }
    Ok(Seal {
        algorithm: tags.get("a").and_then(Algorithm::parse).filter(|a| *a != Algorithm::RsaSha1).ok_or("bad a=")?,
        domain: tags.get("d").and_then(dns::domain).ok_or("bad d=")?,
        selector: tags.get("s").and_then(dns::domain).ok_or("bad s=")?,
        signature: tags.get("b").and_then(octets).ok_or("bad b=")?,
        validation: tags.get("cv").unwrap_or_default().to_ascii_lowercase(),
    })
}

fn set_of(message: &Passed, set: &Places, seal: Seal) -> Set {
    let text = set.results.and_then(|at| text_of(value_at(message, at)).ok()).unwrap_or_default();
    let results = text.split_once(';').map(|(_, rest)| rest.trim_ascii().to_owned()).unwrap_or_default();
    Set { domain: seal.domain, selector: seal.selector, results }
}

fn value_at(message: &Passed, at: usize) -> &[u8] {
    let raw = message.raw(at);
    &raw[memchr::memchr(b':', raw).map_or(0, |colon| colon + 1)..]
}

/// The canonical form of the sets of a message that another seal will cover.
pub(super) fn sealed_before(message: &Passed) -> Vec<u8> {
    let (_, sets) = gather(message);
    sets.map(|sets| covered(message, &sets).0).unwrap_or_default()
}

/// Whether the newest seal says already that the chain is broken.
pub(super) fn was_given_up(message: &Passed, highest: u32) -> bool {
    message.named("arc-seal").any(|(_, value)| {
        let Ok(text) = text_of(value) else { return false };
        let Some(tags) = Tags::parse(&text) else { return false };
        instance(&tags) == Ok(highest) && tags.get("cv").is_some_and(|word| word.eq_ignore_ascii_case("fail"))
    })
}
