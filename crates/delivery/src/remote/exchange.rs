//! Which hosts take the mail of a domain (RFC 5321 §5.1), and by which addresses.

use std::net::{IpAddr, SocketAddr};

use anser_base::Entropy;
use anser_net::dns::{Answer, Data, RecordType, Resolver, Status, ascii_name};
use anser_net::network::is_public;

use super::Outward;
use super::stop::Stop;

/// Mail exchanges of one domain that are looked at, the preferred first.
const EXCHANGES: usize = 20;
/// Addresses of one host that are tried.
const ADDRESSES: usize = 8;

/// The hosts of a domain, in the order in which they are to be tried.
#[derive(Debug)]
pub(super) struct Exchange {
    pub hosts: Vec<String>,
    /// Whether DNSSEC vouches for the list.
    pub is_secure: bool,
}

/// A host that can be connected to.
#[derive(Debug)]
pub(super) struct Reach {
    pub addresses: Vec<SocketAddr>,
    /// Whether DNSSEC vouches for the addresses and every CNAME on the way.
    pub is_secure: bool,
    /// The name at the end of the CNAMEs.
    pub canonical: String,
}

/// The hosts for a domain of recipients.
pub(super) async fn of_domain(
    resolver: &Resolver,
    entropy: &Entropy,
    hostname: &str,
    domain: &str,
) -> Result<Exchange, Stop> {
    if let Some(literal) = domain.strip_prefix('[') {
        let host = literal.trim_end_matches(']').to_owned();
        return match address_literal(&host) {
            Some(_) => Ok(Exchange { hosts: vec![host], is_secure: false }),
            None => Err(Stop::never(format!("5.1.2 {domain} is no address that mail can go to"))),
        };
    }
    let Some(name) = ascii_name(domain) else {
        return Err(Stop::never(format!("5.1.2 {domain} is no domain name")));
    };
    let answer = resolver.lookup(&name, RecordType::Mx).await;
    let is_secure = answer.is_secure();
    let hosts = match &answer.status {
        Status::Failed(why) => return Err(no_lookup(domain, why)),
        Status::NxDomain => return Err(Stop::never(format!("5.1.2 there is no domain {domain}"))),
        // The domain is its own mail exchange (RFC 5321 §5.1).
        Status::NoData => vec![name],
        Status::Found(records) => in_order(records, entropy, hostname, domain)?,
    };
    Ok(Exchange { hosts, is_secure })
}

/// By preference, those of equal preference in random order. Where this server is among them, only those that are preferred to it
/// are left, so that no mail goes in a circle (RFC 5321 §5.1).
fn in_order(records: &[Data], entropy: &Entropy, hostname: &str, domain: &str) -> Result<Vec<String>, Stop> {
    let mut exchanges: Vec<(u16, u64, &str)> = records
        .iter()
        .filter_map(|data| match data {
            Data::Mx { preference, exchange } => Some((*preference, entropy.u64(), exchange.as_str())),
            _ => None,
        })
        .collect();
    if exchanges.iter().all(|(.., name)| name.is_empty()) {
        return Err(Stop::never(format!("5.1.10 {domain} takes no mail (null MX)")));
    }
    exchanges.retain(|(.., name)| !name.is_empty());
    exchanges.sort_unstable();
    let ours = ascii_name(hostname).unwrap_or_default();
    if let Some(own) = exchanges.iter().find(|(.., name)| *name == ours).map(|(preference, ..)| *preference) {
        exchanges.retain(|(preference, ..)| *preference < own);
        if exchanges.is_empty() {
            return Err(Stop::never(format!(
                "5.4.6 the mail of {domain} comes back to this server, which does not keep it"
            )));
        }
    }
    let mut hosts: Vec<String> = Vec::new();
    for (.., name) in exchanges.into_iter().take(EXCHANGES) {
        if !hosts.iter().any(|known| known == name) {
            hosts.push(name.to_owned());
        }
    }
    Ok(hosts)
}

/// The addresses of a host: IPv6 first where we have such an address to speak from. A host that names only private addresses is not
/// spoken to, unless the boot file allows it.
pub(super) async fn reach(outward: &Outward, host: &str) -> Result<Reach, Stop> {
    let (six, four) = match address_literal(host) {
        Some(address) => return allowed(outward, host, vec![address], false, host.to_owned()),
        None => {
            tokio::join!(outward.resolver.lookup(host, RecordType::Aaaa), outward.resolver.lookup(host, RecordType::A))
        }
    };
    if let (Some(why), false) = (failure(&six).or(failure(&four)), has_some(&six) || has_some(&four)) {
        return Err(no_lookup(host, why));
    }
    // One look-up that is made to fail must not take the other's security away.
    let is_secure = [&six, &four].iter().all(|answer| answer.is_secure() || answer.is_failure());
    let found: Vec<IpAddr> = six.addresses().chain(four.addresses()).collect();
    if found.is_empty() {
        return Err(Stop::later(format!("4.4.4 {host} has no address")));
    }
    let canonical = if has_some(&six) { six.canonical } else { four.canonical };
    allowed(outward, host, found, is_secure, canonical)
}

/// The addresses of a server that an operator named, private ones too; `None` when the DNS has none, or the name is no DNS name.
pub(super) async fn of_hop(outward: &Outward, host: &str, port: u16) -> Result<Option<Vec<SocketAddr>>, Stop> {
    let at = |address| SocketAddr::new(address, port);
    if let Some(address) = address_literal(host) {
        return Ok(Some(vec![at(address)]));
    }
    if !host.trim_end_matches('.').contains('.') {
        return Ok(None);
    }
    let (six, four) =
        tokio::join!(outward.resolver.lookup(host, RecordType::Aaaa), outward.resolver.lookup(host, RecordType::A));
    let found = six.addresses().chain(four.addresses()).filter(|address| outward.speaks(*address));
    let found: Vec<SocketAddr> = found.take(ADDRESSES).map(at).collect();
    match failure(&six).or(failure(&four)) {
        Some(why) if found.is_empty() => Err(no_lookup(host, why)),
        _ => Ok(Some(found).filter(|found| !found.is_empty())),
    }
}

fn allowed(
    outward: &Outward,
    host: &str,
    mut found: Vec<IpAddr>,
    is_secure: bool,
    canonical: String,
) -> Result<Reach, Stop> {
    found.retain(|address| outward.private || is_public(*address));
    if found.is_empty() {
        return Err(Stop::never(format!("5.4.4 {host} has no address on the public Internet")));
    }
    found.retain(|address| outward.speaks(*address));
    found.truncate(ADDRESSES);
    match found.is_empty() {
        true => Err(Stop::later(format!("4.4.4 {host} has no address of a kind that this server can speak from"))),
        false => {
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, outward.port)).collect();
            Ok(Reach { addresses, is_secure, canonical })
        }
    }
}

fn failure(answer: &Answer) -> Option<&str> {
    match &answer.status {
        Status::Failed(why) => Some(why),
        _ => None,
    }
}

fn has_some(answer: &Answer) -> bool {
    !answer.records().is_empty()
}

fn no_lookup(name: &str, why: &str) -> Stop {
    Stop::later(format!("4.4.3 the DNS does not tell about {name}: {why}"))
}

/// `192.0.2.1`, or `IPv6:2001:db8::1` as an address literal has it (RFC 5321 §4.1.3).
fn address_literal(text: &str) -> Option<IpAddr> {
    let six = text.get(..5).filter(|tag| tag.eq_ignore_ascii_case("ipv6:")).map(|_| &text[5..]);
    six.unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(records: &[(u16, &str)]) -> Result<Vec<String>, Stop> {
        let records: Vec<Data> = records
            .iter()
            .map(|(preference, exchange)| Data::Mx { preference: *preference, exchange: (*exchange).into() })
            .collect();
        in_order(&records, &Entropy::seeded(1), "Mail.Anser.test", "there.test")
    }

    #[test]
    fn the_preferred_come_first_and_equals_in_random_order() {
        assert_eq!(order(&[(20, "b"), (10, "a"), (20, "b")]).unwrap(), ["a", "b"]);
        let mut firsts = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let records = ["a", "b", "c"].map(|name| Data::Mx { preference: 5, exchange: name.into() });
            firsts.insert(in_order(&records, &Entropy::seeded(seed), "x", "y").unwrap().remove(0));
        }
        assert_eq!(firsts.len(), 3);
    }

    #[test]
    fn nothing_goes_to_ourselves_or_to_those_behind_us() {
        assert_eq!(order(&[(5, "a"), (10, "mail.anser.test"), (10, "b"), (20, "c")]).unwrap(), ["a"]);
        let alone = order(&[(10, "mail.anser.test"), (20, "c")]).unwrap_err();
        assert!(alone.why().starts_with("5.4.6 "), "{}", alone.why());
    }

    #[test]
    fn a_null_mx_takes_no_mail() {
        assert!(order(&[(0, "")]).unwrap_err().why().starts_with("5.1.10 "));
        assert_eq!(order(&[(0, ""), (10, "a")]).unwrap(), ["a"]);
    }

    #[test]
    fn literals_are_addresses() {
        assert_eq!(address_literal("IPv6:2001:db8::1"), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(address_literal("192.0.2.1"), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(address_literal("例"), None);
        assert_eq!(address_literal("ipv6:x"), None);
    }
}
