//! Sender Policy Framework (RFC 7208): may this peer use that domain in MAIL FROM or EHLO?

mod macros;
mod record;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use macros::{MacroString, Values};
pub use record::Record;
use record::{Cidr, Mechanism, is_record};

use crate::dns::{self, Dns, Kind, Trouble};

/// Mechanisms and modifiers of one check that cause DNS questions (RFC 7208 §4.6.4).
pub const LOOKUPS: u32 = 10;
/// Questions of one check that may find nothing (RFC 7208 §4.6.4).
pub const VOID_LOOKUPS: u32 = 2;
/// Mail exchangers of one name (RFC 7208 §4.6.4); more are an error.
pub const EXCHANGERS: usize = 10;
/// Names of one address that are validated (RFC 7208 §4.6.4); others are not looked at.
pub const NAMES: usize = 10;

anser_base::words! {
    /// The outcome of a check (RFC 7208 §2.6).
    pub enum Result {
        /// There is no domain, or it says nothing.
        None = "none",
        /// The domain explicitly does not say.
        Neutral = "neutral",
        /// The peer may.
        Pass = "pass",
        /// The peer may not.
        Fail = "fail",
        /// The peer probably may not.
        SoftFail = "softfail",
        /// The DNS failed; later may work.
        TempError = "temperror",
        /// The domain's records are broken.
        PermError = "permerror",
    }
}

/// Who is checked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The peer.
    pub ip: IpAddr,
    /// What the peer called itself.
    pub helo: &'a str,
    /// The local part of the sender; `postmaster` when there is none (RFC 7208 §4.3).
    pub local: &'a str,
    /// The domain that is checked.
    pub domain: &'a str,
    /// The name of this server.
    pub receiver: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// The outcome with what the domain has to say about a failure. The explanation is a stranger's text (RFC 7208 §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The outcome.
    pub result: Result,
    /// Only for [`Result::Fail`], printable US-ASCII.
    pub explanation: Option<String>,
}

/// `check_host()` (RFC 7208 §4). Asks at most some 120 DNS questions; its other work is linear in the records.
pub async fn check(dns: &Dns<'_>, question: Question<'_>) -> Outcome {
    let Question { ip, helo, local, receiver, now, .. } = question;
    // A name that cannot be mailed to has no policy (RFC 7208 §4.3).
    let domain = dns::domain(question.domain).filter(|domain| domain.contains('.'));
    let Some(domain) = domain else { return Outcome::plain(Result::None) };
    let question = Question { ip: dns::plain(ip), helo, local, domain: &domain, receiver, now };
    let mut run = Run { dns, question, lookups: 0, voids: 0, name: None };
    match run.domain(domain.clone(), true).await {
        Ok(outcome) => outcome,
        Err(Stop::Temporary) => Outcome::plain(Result::TempError),
        Err(Stop::Permanent) => Outcome::plain(Result::PermError),
    }
}

impl Outcome {
    fn plain(result: Result) -> Self {
        Self { result, explanation: None }
    }
}

enum Stop {
    Temporary,
    Permanent,
}

impl From<Trouble> for Stop {
    fn from(_: Trouble) -> Self {
        Self::Temporary
    }
}

struct Run<'a, 'd> {
    dns: &'a Dns<'d>,
    question: Question<'a>,
    lookups: u32,
    voids: u32,
    /// The validated name of the peer for `%{p}`, once it was looked up.
    name: Option<String>,
}

type Running<'r, T> = Pin<Box<dyn Future<Output = std::result::Result<T, Stop>> + Send + 'r>>;

impl Run<'_, '_> {
    /// Runs the record of one domain. Recursion is bounded by [`LOOKUPS`].
    fn domain<'r>(&'r mut self, domain: String, explain: bool) -> Running<'r, Outcome> {
        Box::pin(async move {
            let Some(record) = self.record(&domain).await? else { return Ok(Outcome::plain(Result::None)) };
            for directive in &record.directives {
                if self.matches(&directive.mechanism, &domain).await? {
                    let explanation = match &record.explanation {
                        Some(exp) if explain && directive.result == Result::Fail => self.explain(exp, &domain).await,
                        _ => None,
                    };
                    return Ok(Outcome { result: directive.result, explanation });
                }
            }
            let Some(redirect) = &record.redirect else { return Ok(Outcome::plain(Result::Neutral)) };
            self.look_up()?;
            let target = self.expand(redirect, &domain).await?;
            match self.domain(target, explain).await? {
                Outcome { result: Result::None, .. } => Err(Stop::Permanent),
                outcome => Ok(outcome),
            }
        })
    }

    /// The one SPF record of a name (RFC 7208 §4.4, §4.5); two are an error.
    async fn record(&mut self, domain: &str) -> std::result::Result<Option<Record>, Stop> {
        let texts = self.dns.texts(domain).await?;
        let mut records = texts.iter().filter(|text| is_record(text));
        match (records.next(), records.next()) {
            (None, _) => Ok(None),
            (Some(text), None) => Record::parse(text).map(Some).ok_or(Stop::Permanent),
            (Some(_), Some(_)) => Err(Stop::Permanent),
        }
    }

    async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> std::result::Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(network, bits) => Ok(is_in(self.question.ip, (*network).into(), *bits)),
            Mechanism::Ip6(network, bits) => Ok(is_in(self.question.ip, (*network).into(), *bits)),
            Mechanism::Include(target) => self.include(target, domain).await,
            Mechanism::A(target, cidr) => {
                self.look_up()?;
                let name = self.target(target.as_ref(), domain).await?;
                self.has_address(&name, *cidr).await
            }
            Mechanism::Mx(target, cidr) => self.mx(target.as_ref(), *cidr, domain).await,
            Mechanism::Ptr(target) => self.ptr(target.as_ref(), domain).await,
            Mechanism::Exists(target) => {
                self.look_up()?;
                let name = self.expand(target, domain).await?;
                let answer = self.dns.ask(&name, Kind::A).await?;
                self.found(answer.records.is_empty())?;
                Ok(!answer.records.is_empty())
            }
        }
    }

    /// RFC 7208 §5.2: only a pass matches; a domain without a record is an error.
    async fn include(&mut self, target: &MacroString, domain: &str) -> std::result::Result<bool, Stop> {
        self.look_up()?;
        let name = self.expand(target, domain).await?;
        match self.domain(name, false).await?.result {
            Result::Pass => Ok(true),
            Result::None => Err(Stop::Permanent),
            _ => Ok(false),
        }
    }

    async fn mx(&mut self, target: Option<&MacroString>, cidr: Cidr, domain: &str) -> std::result::Result<bool, Stop> {
        self.look_up()?;
        let name = self.target(target, domain).await?;
        let answer = self.dns.ask(&name, Kind::Mx).await?;
        self.found(answer.records.is_empty())?;
        if answer.records.len() > EXCHANGERS {
            return Err(Stop::Permanent);
        }
        for record in answer.records {
            let dns::Record::Mx(_, exchanger) = record else { continue };
            // The null MX has no address (RFC 7505 §3).
            if !exchanger.is_empty() && exchanger != "." && self.has_address(&exchanger, cidr).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 7208 §5.5. Trouble with the DNS is no match.
    async fn ptr(&mut self, target: Option<&MacroString>, domain: &str) -> std::result::Result<bool, Stop> {
        self.look_up()?;
        let within = self.target(target, domain).await?.to_ascii_lowercase();
        Ok(self.validated_names().await.iter().any(|name| dns::is_within(name, &within)))
    }

    async fn has_address(&mut self, name: &str, cidr: Cidr) -> std::result::Result<bool, Stop> {
        let addresses = self.dns.addresses(name, self.question.ip).await?;
        self.found(addresses.is_empty())?;
        let bits = if self.question.ip.is_ipv4() { cidr.v4 } else { cidr.v6 };
        Ok(addresses.into_iter().any(|network| is_in(self.question.ip, network, bits)))
    }

    /// The names of the peer that lead back to it, at most [`NAMES`] of them looked at (RFC 7208 §5.5).
    async fn validated_names(&self) -> Vec<String> {
        let mut validated = Vec::new();
        for name in self.dns.names(self.question.ip).await.unwrap_or_default().into_iter().take(NAMES) {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let addresses = self.dns.addresses(&name, self.question.ip).await.unwrap_or_default();
            if addresses.contains(&self.question.ip) {
                validated.push(name);
            }
        }
        validated
    }

    /// One more mechanism that asks.
    fn look_up(&mut self) -> std::result::Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUPS { Err(Stop::Permanent) } else { Ok(()) }
    }

    /// Counts a question that found nothing.
    fn found(&mut self, nothing: bool) -> std::result::Result<(), Stop> {
        self.voids += u32::from(nothing);
        if self.voids > VOID_LOOKUPS { Err(Stop::Permanent) } else { Ok(()) }
    }

    async fn target(&mut self, target: Option<&MacroString>, domain: &str) -> std::result::Result<String, Stop> {
        match target {
            Some(target) => self.expand(target, domain).await,
            None => Ok(domain.to_owned()),
        }
    }

    async fn expand(&mut self, text: &MacroString, domain: &str) -> std::result::Result<String, Stop> {
        self.learn_name(text, domain).await;
        Ok(text.domain(&self.values(domain)))
    }

    /// Whatever goes wrong, there is no explanation then (RFC 7208 §6.2).
    async fn explain(&mut self, target: &MacroString, domain: &str) -> Option<String> {
        let name = self.expand(target, domain).await.ok()?;
        let texts = self.dns.texts(&name).await.ok()?;
        let [text] = texts.as_slice() else { return None };
        let text = MacroString::parse(str::from_utf8(text).ok()?, true)?;
        self.learn_name(&text, domain).await;
        let explanation = text.explanation(&self.values(domain));
        (explanation.is_ascii() && !explanation.is_empty()).then_some(explanation)
    }

    /// For `%{p}`: the validated name that is the domain, else one below it, else any (RFC 7208 §7.3).
    async fn learn_name(&mut self, text: &MacroString, domain: &str) {
        if self.name.is_some() || !text.needs_name() {
            return;
        }
        let names = self.validated_names().await;
        let domain = domain.to_ascii_lowercase();
        let exact = names.iter().find(|name| **name == domain);
        let best = exact.or_else(|| names.iter().find(|name| dns::is_within(name, &domain))).or(names.first());
        self.name = Some(best.cloned().unwrap_or_else(|| "unknown".to_owned()));
    }

    fn values<'v>(&'v self, domain: &'v str) -> Values<'v> {
        let Question { ip, helo, local, domain: sender_domain, receiver, now } = self.question;
        let local = if local.is_empty() { "postmaster" } else { local };
        let name = self.name.as_deref().unwrap_or("unknown");
        Values { local, sender_domain, domain, ip, name, helo, receiver, now }
    }
}

/// Whether an address has the first `bits` bits of a network's; families never mix.
fn is_in(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let differ = u32::from(ip) ^ u32::from(network);
            differ.checked_shr(32 - bits.min(32)).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let differ = u128::from(ip) ^ u128::from(network);
            differ.checked_shr(128 - bits.min(128)).unwrap_or(0) == 0
        }
        _ => false,
    }
}
