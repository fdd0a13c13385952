//! The servers to which some recipients of an entry can go, one after the other, each with the protection that it needs.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use anser_mime::header;
use anser_queue::Entry;

use super::client::{Place, Protection, Target};
use super::exchange::{self, Exchange};
use super::outcome::{NO_FIT, Told};
use super::protect::{Dane, dane};
use super::stop::Stop;
use super::sts::{self, Mode, Policy};
use super::{Outward, Relay, Smarthost, SmarthostTls, Way};

/// Servers that are tried for one transaction, over all hosts and addresses.
const TRIES: usize = 10;

/// What the message asks of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// What the recipients' domain asks for.
    Usual,
    /// REQUIRETLS (RFC 8689 §4).
    Tls,
    /// `TLS-Required: No`: rather without protection than not at all (RFC 8689 §5).
    NoTls,
}

impl Needs {
    /// By the envelope, and by the header.
    pub fn of(entry: &Entry, block: &[u8]) -> Self {
        let says_no = || {
            let value = header::value(block, "TLS-Required");
            value.is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"no"))
        };
        match entry.envelope.requiretls {
            true => Self::Tls,
            false if says_no() => Self::NoTls,
            false => Self::Usual,
        }
    }
}

/// The servers that were not tried yet.
pub(super) struct Servers<'a> {
    relay: &'a Relay,
    outward: Option<&'a Outward>,
    /// Our name, where mail that leads back to us goes in a circle.
    own: Option<&'a str>,
    needs: Needs,
    rest: Rest<'a>,
    ready: VecDeque<Target>,
    tries: usize,
}

enum Rest<'a> {
    Nothing,
    Relay(&'a Smarthost, Option<IpAddr>),
    Domain(&'a str),
    Hosts { domain: &'a str, hosts: VecDeque<String>, is_secure: bool },
}

impl<'a> Servers<'a> {
    pub fn of(relay: &'a Relay, way: &'a Way, needs: Needs) -> Self {
        let rest = match way {
            Way::Relay(smarthost, from) => Rest::Relay(smarthost, *from),
            Way::Exchange(domain) => Rest::Domain(domain),
        };
        let (outward, own) = (relay.outward.as_ref(), Some(&*relay.hostname));
        Self { relay, outward, own, needs, rest, ready: VecDeque::new(), tries: 0 }
    }

    /// Those of a domain as any other server finds them, this one among them.
    pub fn of_the_world(relay: &'a Relay, outward: &'a Outward, domain: &'a str) -> Self {
        let (rest, needs) = (Rest::Domain(domain), Needs::Usual);
        Self { relay, outward: Some(outward), own: None, needs, rest, ready: VecDeque::new(), tries: 0 }
    }

    /// These.
    pub fn those(relay: &'a Relay, outward: &'a Outward, ready: VecDeque<Target>) -> Self {
        Self { relay, outward: Some(outward), own: None, needs: Needs::Usual, rest: Rest::Nothing, ready, tries: 0 }
    }

    /// The next server; `None` when there is none left. An error tells of servers that cannot be tried; go on asking.
    pub async fn next(&mut self) -> Result<Option<Target>, Stop> {
        if self.tries == TRIES {
            return Ok(None);
        }
        loop {
            if let Some(target) = self.ready.pop_front() {
                self.tries += 1;
                return Ok(Some(target));
            }
            match std::mem::replace(&mut self.rest, Rest::Nothing) {
                Rest::Nothing => return Ok(None),
                Rest::Relay(smarthost, from) => self.ready = hop(smarthost, from, self.outward).await?,
                Rest::Domain(domain) => {
                    let Some(outward) = self.outward else { return Ok(None) };
                    let (entropy, hostname) = (&self.relay.entropy, self.own.unwrap_or_default());
                    let Exchange { hosts, is_secure } =
                        exchange::of_domain(&outward.resolver, entropy, hostname, domain).await?;
                    self.rest = Rest::Hosts { domain, hosts: hosts.into(), is_secure };
                }
                Rest::Hosts { domain, mut hosts, is_secure } => {
                    let (Some(host), Some(outward)) = (hosts.pop_front(), self.outward) else { return Ok(None) };
                    self.rest = Rest::Hosts { domain, hosts, is_secure };
                    self.ready = self.host(outward, domain, host, is_secure).await?;
                }
            }
        }
    }

    async fn host(
        &self,
        outward: &Outward,
        domain: &str,
        host: String,
        is_secure: bool,
    ) -> Result<VecDeque<Target>, Stop> {
        let reach = exchange::reach(outward, &host).await?;
        let dane = match is_secure && self.needs != Needs::NoTls {
            true => dane(&outward.resolver, &host, &reach, outward.port).await?,
            false => Dane::None,
        };
        let authorities = outward.authorities.clone();
        let verified = Protection::Verified { authorities: authorities.clone(), implicit: false };
        let policy = match dane {
            Dane::Verified { .. } => None,
            _ => self.policy(outward, domain).await,
        };
        let told = Arc::new(Told::of(domain, &dane, policy.as_deref()));
        let asked = policy.as_ref().map(|policy| (policy.mode, policy.names(&host)));
        if let Some((Mode::Enforce | Mode::Testing, false)) = asked {
            self.relay.outcomes.note(&told, &host, None, Some(NO_FIT)).await;
        }
        let protection = match dane {
            Dane::Verified { associations, base } => {
                let names = vec![base.clone(), host.clone(), domain.to_owned()];
                Protection::Dane { associations, base, names }
            }
            _ if asked == Some((Mode::Enforce, true)) => verified,
            _ if asked == Some((Mode::Enforce, false)) => {
                let why = format!("4.7.5 {host} is none of the servers that the MTA-STS policy of {domain} names");
                return Err(Stop::later(why));
            }
            // The list of hosts is vouched for, so a certificate for one of them is enough (RFC 8689 §4.2.1).
            _ if self.needs == Needs::Tls && is_secure => verified,
            Dane::Encrypted => Protection::Encrypted,
            Dane::None if asked == Some((Mode::Testing, true)) => Protection::Tried { authorities },
            Dane::None => Protection::Opportunistic,
        };
        let target = |address| Target {
            host: host.clone(),
            place: Place::Address(address),
            protection: protection.clone(),
            login: None,
            from: outward.sources.clone(),
            told: Some(told.clone()),
            may_be_us: self.own.is_some(),
        };
        Ok(reach.addresses.into_iter().map(target).collect())
    }
}

impl Servers<'_> {
    /// The domain's MTA-STS policy (RFC 8461 §4).
    async fn policy(&self, outward: &Outward, domain: &str) -> Option<Arc<Policy>> {
        match self.needs {
            Needs::NoTls => None,
            _ => self.relay.policies.of(&outward.resolver, &sts::options(outward)?, domain).await,
        }
    }
}

/// The addresses of a server that is named in a route or the boot file. What our own DNS does not know the system may, from its own
/// list of hosts.
pub(super) async fn hop(
    smarthost: &Smarthost,
    from: Option<IpAddr>,
    outward: Option<&Outward>,
) -> Result<VecDeque<Target>, Stop> {
    let target = relay(smarthost, outward);
    let known = match outward {
        Some(outward) => exchange::of_hop(outward, &smarthost.host, smarthost.port).await?,
        None => None,
    };
    let Some(addresses) = known else { return Ok([target].into()) };
    let others = addresses.into_iter().filter(|address| Some(address.ip()) != from);
    let targets: VecDeque<Target> =
        others.map(|address| Target { place: Place::Address(address), ..target.clone() }).collect();
    match targets.is_empty() {
        true => Err(Stop::never(format!("5.4.6 the message came from {}, where it should go: a loop", smarthost.host))),
        false => Ok(targets),
    }
}

fn relay(smarthost: &Smarthost, outward: Option<&Outward>) -> Target {
    let verified = |file: &Option<_>, implicit| Protection::Verified { authorities: Option::clone(file), implicit };
    let protection = match &smarthost.tls {
        SmarthostTls::Opportunistic => Protection::Opportunistic,
        SmarthostTls::Required(file) => verified(file, false),
        SmarthostTls::Implicit(file) => verified(file, true),
        SmarthostTls::Never => Protection::Never,
    };
    Target {
        host: smarthost.host.clone(),
        place: Place::Port(smarthost.port),
        protection,
        login: smarthost.login.clone(),
        from: outward.map(|outward| outward.sources.clone()).unwrap_or_default(),
        told: None,
        may_be_us: false,
    }
}
