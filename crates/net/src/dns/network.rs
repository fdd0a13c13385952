//! Over the network: recursive name servers are asked, and what they say is validated here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Error, Result};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::{DnssecSummary, Proof, TrustAnchors};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{self, Name, RData, Record};
use hickory_resolver::{Resolver, TokioResolver};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::answer::{Answer, Data, RecordType, Security, Status};
use super::cache::Cache;
use super::{
    AT_ONCE, CACHE_BYTES, CHAIN, DEADLINE, LONGEST_NEGATIVE_TTL, LONGEST_TTL, RECORD_BYTES, RECORDS, SERVERS, Settings,
};

/// Where systems keep the addresses of their name servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Bytes of it that are read.
const RESOLV_CONF_BYTES: usize = 64 * 1024;
/// One question to one server.
const QUESTION: Duration = Duration::from_secs(3);
/// How often a question is repeated.
const REPEATS: usize = 1;
/// An absence that does not say how long it holds is remembered this long.
pub(super) const NEGATIVE_TTL: Duration = Duration::from_secs(60);
/// Servers that hand out no signatures are tried again for them after this long.
const SIGNATURES_AGAIN: Duration = Duration::from_secs(600);

pub(super) struct Network {
    validating: TokioResolver,
    /// For servers that hand out no signatures: with them nothing can be validated, and all would be bogus.
    plain: TokioResolver,
    ability: Mutex<Ability>,
    cache: Cache,
    turns: Semaphore,
}

/// Whether the servers hand out what DNSSEC needs, as far as is known.
#[derive(Clone, Copy)]
enum Ability {
    Unknown,
    Signatures,
    NoneUntil(Instant),
}

impl Network {
    pub fn new(settings: &Settings) -> Result<Self> {
        let servers = match settings.servers.is_empty() {
            true => system_servers(),
            false => settings.servers.clone(),
        };
        let anchors = match &settings.trust_anchor {
            Some(text) => text.parse::<TrustAnchors>().map_err(|error| {
                Error::invalid("the DNS trust anchor cannot be read", "无法读取 DNS 信任锚").caused_by(error)
            })?,
            None => TrustAnchors::default(),
        };
        Ok(Self {
            validating: resolver(&servers, Some(anchors))?,
            plain: resolver(&servers, None)?,
            ability: Mutex::new(Ability::Unknown),
            cache: Cache::new(CACHE_BYTES),
            turns: Semaphore::new(AT_ONCE),
        })
    }

    pub async fn lookup(&self, name: &str, kind: RecordType) -> Answer {
        if let Some(known) = self.cache.get(name, kind) {
            return known;
        }
        let answer = match timeout(DEADLINE, self.ask(name, kind)).await {
            Ok(answer) => answer,
            Err(_) => Answer::failed(name, Security::Indeterminate, "no answer in time"),
        };
        match &answer.status {
            Status::Found(_) => self.cache.put(name, kind, &answer, LONGEST_TTL),
            Status::NoData | Status::NxDomain => self.cache.put(name, kind, &answer, LONGEST_NEGATIVE_TTL),
            Status::Failed(why) => tracing::debug!(name, ?kind, why, "a look-up failed"),
        }
        answer
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Answer {
        let Ok(_turn) = self.turns.acquire().await else {
            return Answer::failed(name, Security::Indeterminate, "the resolver ends");
        };
        let Ok(absolute) = Name::from_ascii(format!("{name}.")) else { return Answer::impossible(name) };
        let validates = self.validates().await;
        let resolver = if validates { &self.validating } else { &self.plain };
        match resolver.lookup(absolute, record_type(kind)).await {
            Ok(found) => positive(name, kind, found.answers(), validates),
            Err(error) if is_cut_off(resolver, &error).await => without_end(name, Security::Indeterminate),
            Err(error) => negative(name, error, validates),
        }
    }

    /// Whether the servers hand out what validation needs: shown by the root's own signatures. Servers that answer nothing at all
    /// are taken to.
    async fn validates(&self) -> bool {
        let ability = *self.ability.lock().unwrap_or_else(PoisonError::into_inner);
        match ability {
            Ability::Signatures => return true,
            Ability::NoneUntil(again) if Instant::now() < again => return false,
            Ability::NoneUntil(_) | Ability::Unknown => {}
        }
        let found = match self.validating.lookup(Name::root(), rr::RecordType::NS).await {
            Ok(root) if DnssecSummary::from_records(root.answers().iter()) == DnssecSummary::Secure => {
                Ability::Signatures
            }
            Err(NetError::Timeout | NetError::Io(_) | NetError::NoConnections | NetError::Busy) => return true,
            other => {
                let why = other.err().map(|error| error.to_string()).unwrap_or_default();
                tracing::warn!(why, "the name servers hand out no DNSSEC signatures: DANE is not possible");
                Ability::NoneUntil(Instant::now() + SIGNATURES_AGAIN)
            }
        };
        *self.ability.lock().unwrap_or_else(PoisonError::into_inner) = found;
        matches!(found, Ability::Signatures)
    }
}

/// Our cache, not the library's: that one counts answers and not their bytes.
fn resolver(servers: &[SocketAddr], anchors: Option<TrustAnchors>) -> Result<TokioResolver> {
    let servers = servers.iter().take(SERVERS).map(|address| {
        let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
        (udp.port, tcp.port) = (address.port(), address.port());
        NameServerConfig::new(address.ip(), true, vec![udp, tcp])
    });
    let config = ResolverConfig::from_name_servers(servers.collect());
    let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options: &mut ResolverOpts = builder.options_mut();
    options.timeout = QUESTION;
    options.attempts = REPEATS;
    options.edns0 = true;
    options.validate = anchors.is_some();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.max_active_requests = 2 * AT_ONCE;
    // The weakest link of a chain of CNAMEs counts, so all of them are wanted.
    options.preserve_intermediates = true;
    if let Some(anchors) = anchors {
        builder = builder.with_trust_anchor(Arc::new(anchors));
    }
    builder.build().map_err(Error::unavailable)
}

/// The servers of the system; this machine when it names none.
fn system_servers() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string(RESOLV_CONF).unwrap_or_default();
    let found = servers_in(&text[..text.floor_char_boundary(RESOLV_CONF_BYTES)]);
    if found.is_empty() { vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 53))] } else { found }
}

fn servers_in(resolv_conf: &str) -> Vec<SocketAddr> {
    let server = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = (words.next()? == "nameserver").then(|| words.next())??;
        address.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53))
    };
    resolv_conf.lines().filter_map(server).take(SERVERS).collect()
}

pub(super) fn positive(name: &str, kind: RecordType, records: &[Record], validates: bool) -> Answer {
    let security = match (validates, DnssecSummary::from_records(records.iter())) {
        (false, _) => Security::Indeterminate,
        (true, DnssecSummary::Secure) => Security::Secure,
        (true, DnssecSummary::Insecure) => Security::Insecure,
        (true, DnssecSummary::Bogus) => return bogus(name),
    };
    let canonical = match kind {
        RecordType::Cname => Some(name.to_owned()),
        _ => canonical(name, records),
    };
    let Some(canonical) = canonical else { return without_end(name, security) };
    let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
    let found: Vec<Data> = records
        .iter()
        .filter(|record| text(&record.name) == canonical)
        .filter_map(|record| data(&record.data))
        .filter(|data| data.kind() == kind)
        .take(RECORDS + 1)
        .collect();
    // A part of an answer would be another answer: the part of a policy, or of the keys that are good.
    if found.len() > RECORDS || found.iter().map(Data::weight).sum::<usize>() > RECORD_BYTES {
        return Answer::failed(name, security, "the answer is too large");
    }
    let (status, ttl) = match found.is_empty() {
        true => (Status::NoData, NEGATIVE_TTL),
        false => (Status::Found(found), Duration::from_secs(ttl.into())),
    };
    Answer { status, security, ttl, canonical }
}

/// Whether what looks like an absence is a chain of CNAMEs that the library gave up: at its end it has neither a zone nor a proof, but
/// one more CNAME.
async fn is_cut_off(resolver: &TokioResolver, error: &NetError) -> bool {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return false };
    if none.soa.is_some() || none.authorities.is_some() || none.response_code != ResponseCode::NoError {
        return false;
    }
    let last = resolver.lookup(none.query.name().clone(), rr::RecordType::CNAME).await;
    last.is_ok_and(|found| found.answers().iter().any(|record| matches!(record.data, RData::CNAME(_))))
}

fn without_end(name: &str, security: Security) -> Answer {
    Answer::failed(name, security, "a chain of CNAMEs without end")
}

/// The end of the chain of CNAMEs that begins at the name, in whatever order they came; `None` for one that never ends, or after
/// more links than are followed.
fn canonical(name: &str, records: &[Record]) -> Option<String> {
    let mut at = name.to_owned();
    for _ in 0..=CHAIN {
        let next = records.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if text(&record.name) == at => Some(text(target)),
            _ => None,
        });
        match next {
            Some(next) => at = next,
            None => return Some(at),
        }
    }
    None
}

fn negative(name: &str, error: NetError, validates: bool) -> Answer {
    let absent = |code: ResponseCode, security, soa_ttl: Option<u32>| {
        let status = if code == ResponseCode::NXDomain { Status::NxDomain } else { Status::NoData };
        let ttl = soa_ttl.map_or(NEGATIVE_TTL, |seconds| Duration::from_secs(seconds.into()));
        Answer { status, security, ttl, canonical: name.to_owned() }
    };
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            let proof = none.authorities.as_deref().unwrap_or_default();
            let security = match (validates, DnssecSummary::from_records(proof.iter())) {
                (false, _) => Security::Indeterminate,
                (true, DnssecSummary::Secure) => Security::Secure,
                (true, DnssecSummary::Insecure) => Security::Insecure,
                (true, DnssecSummary::Bogus) => return bogus(name),
            };
            let soa_ttl = none.soa.as_ref().map(|soa| soa.ttl.min(soa.data.minimum));
            absent(none.response_code, security, soa_ttl)
        }
        NetError::Dns(DnsError::Nsec { response, proof, .. }) => match proof {
            Proof::Bogus => bogus(name),
            _ => absent(response.response_code, Security::Insecure, response.negative_ttl()),
        },
        NetError::Dns(DnsError::DnssecBogus) => bogus(name),
        other => Answer::failed(name, Security::Indeterminate, other.to_string()),
    }
}

fn bogus(name: &str) -> Answer {
    Answer::failed(name, Security::Bogus, "the DNSSEC signatures do not hold")
}

/// Presentation form in lower case, without the last dot.
pub(super) fn text(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    text.truncate(text.strip_suffix('.').unwrap_or(&text).len());
    text
}

pub(super) fn record_type(kind: RecordType) -> rr::RecordType {
    match kind {
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Txt => rr::RecordType::TXT,
        RecordType::Tlsa => rr::RecordType::TLSA,
        RecordType::Ptr => rr::RecordType::PTR,
        RecordType::Ns => rr::RecordType::NS,
        RecordType::Soa => rr::RecordType::SOA,
        RecordType::Cname => rr::RecordType::CNAME,
        RecordType::Srv => rr::RecordType::SRV,
    }
}

fn data(data: &RData) -> Option<Data> {
    Some(match data {
        RData::A(a) => Data::A(a.0),
        RData::AAAA(a) => Data::Aaaa(a.0),
        RData::MX(mx) => Data::Mx { preference: mx.preference, exchange: text(&mx.exchange) },
        RData::TXT(txt) => Data::Txt(txt.txt_data.concat()),
        RData::TLSA(tlsa) => Data::Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        },
        RData::PTR(name) => Data::Ptr(text(name)),
        RData::NS(name) => Data::Ns(text(name)),
        RData::CNAME(name) => Data::Cname(text(name)),
        RData::SOA(soa) => {
            let (mname, rname) = (text(&soa.mname), text(&soa.rname));
            Data::Soa { mname, rname, serial: soa.serial, minimum: soa.minimum }
        }
        RData::SRV(srv) => {
            let target = text(&srv.target);
            Data::Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_of_the_system_are_read() {
        let text = "# comment\nsearch example.org\nnameserver 192.0.2.1\nnameserver  2001:db8::1 \nnameserver x\n";
        let found = servers_in(text);
        assert_eq!(found, ["192.0.2.1:53".parse().unwrap(), "[2001:db8::1]:53".parse().unwrap()]);
    }
}
