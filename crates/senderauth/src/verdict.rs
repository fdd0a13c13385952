//! Everything that can be known of who sent a message, as one value.

use std::net::IpAddr;

use anser_base::Address;
use futures_util::future::{join, join_all, join3};

use crate::arc::{self, Chain};
use crate::author::Author;
use crate::dmarc::{self, Identifiers, Policy};
use crate::dns::{self, Dns, Resolver};
use crate::message::Passed;
use crate::{dkim, iprev, results, spf};

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// The peer's address.
    pub ip: IpAddr,
    /// What it called itself in EHLO.
    pub helo: &'a str,
    /// MAIL FROM; `None` is the null sender.
    pub sender: Option<&'a Address>,
    /// The name of this server.
    pub receiver: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// What SPF said, and of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpfVerdict {
    /// The outcome.
    pub outcome: spf::Outcome,
    /// The domain that was checked, in A-labels; empty when there was no usable one.
    pub domain: String,
    /// The domain is that of EHLO, for there was no sender (RFC 7208 §2.4).
    pub of_helo: bool,
    /// The sender, as far as it can be shown in results.
    pub sender: Option<Address>,
}

/// What is known of the sender of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The peer.
    pub ip: IpAddr,
    /// Who the message says it is from.
    pub author: Author,
    /// Whether the peer has a true name.
    pub iprev: iprev::Outcome,
    /// Whether the peer may use the sender's domain.
    pub spf: SpfVerdict,
    /// One outcome for each signature.
    pub dkim: Vec<dkim::Outcome>,
    /// What servers on the way vouch for.
    pub arc: Chain,
    /// Whether the author's domain was authenticated, and what it wants done if not.
    pub dmarc: dmarc::Outcome,
    /// What is done to the message: nothing, until whoever decides says otherwise here.
    pub applied: Policy,
}

/// Checks a message. Never fails: trouble is a result. All questions are asked through `resolver`, which sets the time that this may
/// take; the rest is bounded by the limits of each method.
pub async fn check(resolver: &dyn Resolver, message: &Passed, peer: Peer<'_>) -> Verdict {
    let dns = Dns::new(resolver);
    let author = Author::of(message);
    let ahead = join_all(author.domains.iter().map(|domain| dmarc::prepare(&dns, domain)));
    let checks = join3(check_spf(&dns, peer), dkim::verify(&dns, message, peer.now), arc::validate(&dns, message));
    let ((spf, dkim, arc), (iprev, _)) = join(checks, join(iprev::check(&dns, peer.ip), ahead)).await;
    let dmarc = check_dmarc(&dns, &author, &spf, &dkim).await;
    Verdict { ip: dns::plain(peer.ip), author, iprev, spf, dkim, arc, dmarc, applied: Policy::None }
}

async fn check_spf(dns: &Dns<'_>, peer: Peer<'_>) -> SpfVerdict {
    let (local, domain) = peer.sender.map_or(("postmaster", peer.helo), |sender| (sender.local(), sender.domain()));
    let Peer { ip, helo, receiver, now, .. } = peer;
    let outcome = spf::check(dns, spf::Question { ip, helo, local, domain, receiver, now }).await;
    SpfVerdict {
        outcome,
        domain: dns::domain(domain).unwrap_or_default(),
        of_helo: peer.sender.is_none(),
        sender: peer.sender.cloned(),
    }
}

async fn check_dmarc(dns: &Dns<'_>, author: &Author, spf: &SpfVerdict, dkim: &[dkim::Outcome]) -> dmarc::Outcome {
    let passed = |result| dkim.iter().filter(move |one| one.result == result).map(|one| one.domain.as_str());
    let mut troubled: Vec<&str> = passed(dkim::Result::TempError).collect();
    if spf.outcome.result == spf::Result::TempError {
        troubled.push(&spf.domain);
    }
    let identifiers = Identifiers {
        spf: (spf.outcome.result == spf::Result::Pass).then_some(spf.domain.as_str()),
        dkim: passed(dkim::Result::Pass).collect(),
        troubled,
    };
    let mut outcomes = Vec::new();
    for domain in &author.domains {
        outcomes.push(dmarc::check(dns, domain, &identifiers).await);
    }
    combine(author, outcomes)
}

/// One outcome for a message that claims several authors: the strictest of those that do not pass. When readers may be shown different
/// authors it is an error, with the strictest wish of them all (RFC 9989 §10.5).
fn combine(author: &Author, outcomes: Vec<dmarc::Outcome>) -> dmarc::Outcome {
    let failing = |outcome: &dmarc::Outcome| !matches!(outcome.result, dmarc::Result::Pass | dmarc::Result::None);
    let strictest = outcomes.into_iter().max_by_key(|outcome| {
        (author.clean && failing(outcome), outcome.policy, outcome.result == dmarc::Result::Fail)
    });
    match strictest {
        None => dmarc::Outcome::of("", dmarc::Result::PermError),
        Some(outcome) if !author.clean => dmarc::Outcome { result: dmarc::Result::PermError, ..outcome },
        Some(outcome) => outcome,
    }
}

impl Verdict {
    /// What the author's domain wants done with this message: nothing, unless DMARC fails or cannot be decided because of how the
    /// message is made.
    pub fn asks(&self) -> Policy {
        match self.dmarc.result {
            dmarc::Result::Fail | dmarc::Result::PermError => self.dmarc.policy,
            _ => Policy::None,
        }
    }

    /// The server that vouches for the message: the newest of an unbroken chain, when it is one of `trusted` (or below one) and says
    /// that DMARC passed for this very author (RFC 8617 §5.2, §7.2.1).
    pub fn vouched_by(&self, trusted: &[String]) -> Option<&str> {
        let newest = self.arc.sets.last().filter(|_| self.arc.status == arc::Status::Pass)?;
        let known = trusted.iter().any(|domain| dns::is_within(&newest.domain, domain));
        let [author] = self.author.domains.as_slice() else { return None };
        (known && self.author.clean && results::says_pass(&newest.results, author)).then_some(&newest.domain)
    }

    /// The first domain within one of `domains` that SPF or a signature shows to be genuine: that of a mailing list, perhaps.
    pub fn authenticated_within(&self, domains: &[String]) -> Option<&str> {
        let spf = (self.spf.outcome.result == spf::Result::Pass).then_some(&self.spf.domain);
        let dkim = self.dkim.iter().filter(|one| one.result == dkim::Result::Pass).map(|one| &one.domain);
        let known = |domain: &&String| domains.iter().any(|known| dns::is_within(domain, known));
        spf.into_iter().chain(dkim).find(known).map(String::as_str)
    }

    /// The results behind the authserv-id, for [`results::field`] and for [`crate::arc::seal`].
    pub fn results(&self) -> String {
        results::text(self)
    }
}
