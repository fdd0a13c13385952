//! The name servers of a zone themselves, asked as resolvers ask them: for what each says now, not what somebody remembers of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anser_base::{Error, Result};
use futures_util::future::join_all;
use hickory_resolver::proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::answer::{Answer, RecordType, Security, Status};
use super::network::{NEGATIVE_TTL, positive, record_type, text};
use super::{Resolver, SERVERS};

/// One question over UDP, and how often it is asked.
const QUESTION: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// One question over TCP, where an answer is too long for UDP.
const OVER_TCP: Duration = Duration::from_secs(5);
/// Bytes that an answer over UDP may have: no network cuts such packets into pieces.
const PACKET: u16 = 1232;
/// Addresses of one server that are tried: one of each family is enough.
const ADDRESSES: usize = 4;
/// Levels above a name at which its zone is looked for.
const LEVELS: usize = 10;
/// Servers of a parent that are asked where they send the world.
const PARENTS: usize = 3;

/// A zone, as its parent and it name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its name; empty for the root.
    pub zone: String,
    /// Its name servers by name, at most [`SERVERS`].
    pub servers: Vec<NameServer>,
}

/// A name server of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Its name.
    pub name: String,
    /// Where it listens, IPv4 first; none when its name leads nowhere.
    pub addresses: Vec<SocketAddr>,
}

impl Resolver {
    /// The zone that a name is in, and its name servers; `port` is 53 but in a loopback internet. `None` when nobody can say.
    pub async fn authority(&self, name: &str, port: u16) -> Option<Authority> {
        let name = super::ascii_name(name)?;
        let above = name.match_indices('.').map(|(at, _)| &name[at + 1..]);
        for zone in std::iter::once(name.as_str()).chain(above).take(LEVELS) {
            let found = self.lookup(zone, RecordType::Ns).await;
            if found.is_failure() {
                return None;
            }
            let mut names: Vec<&str> = found.names().collect();
            // At the end of a CNAME are the servers of another zone.
            if names.is_empty() || found.canonical != zone {
                continue;
            }
            names.sort_unstable();
            let mut servers = Vec::new();
            for name in names.into_iter().take(SERVERS) {
                let (four, six) = tokio::join!(self.lookup(name, RecordType::A), self.lookup(name, RecordType::Aaaa));
                let addresses = four.addresses().chain(six.addresses()).take(ADDRESSES);
                let addresses = addresses.map(|address| SocketAddr::new(address, port)).collect();
                servers.push(NameServer { name: name.to_owned(), addresses });
            }
            return Some(Authority { zone: zone.to_owned(), servers });
        }
        None
    }

    /// Where the parent of a zone sends the world for it (RFC 1034 §4.3.2, a referral): all name servers that its first servers name, with
    /// the addresses that these give, or else those that they have. That may be others than [`Self::authority`] finds, where this network has
    /// a DNS of its own. `None` when no server of the parent tells.
    pub async fn delegation(&self, zone: &str, port: u16) -> Option<Authority> {
        let (_, above) = zone.split_once('.')?;
        let parent = self.authority(above, port).await?;
        let asked = parent.servers.iter().take(PARENTS).map(|server| server.referral(zone));
        let mut told: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for (name, addresses) in join_all(asked).await.into_iter().flatten() {
            // Not every server of a parent gives addresses.
            let known = told.entry(name).or_default();
            if known.is_empty() {
                *known = addresses;
            }
        }
        let mut servers = Vec::new();
        for (name, mut addresses) in told.into_iter().take(SERVERS) {
            if addresses.is_empty() {
                let (four, six) = tokio::join!(self.lookup(&name, RecordType::A), self.lookup(&name, RecordType::Aaaa));
                addresses.extend(four.addresses().chain(six.addresses()));
            }
            addresses.sort_by_key(IpAddr::is_ipv6);
            let addresses = addresses.into_iter().take(ADDRESSES).map(|address| SocketAddr::new(address, port));
            servers.push(NameServer { name, addresses: addresses.collect() });
        }
        (!servers.is_empty()).then(|| Authority { zone: zone.to_owned(), servers })
    }
}

impl NameServer {
    /// The name servers to which this one refers whoever asks for a zone below its own, with the addresses that it gives; none when it
    /// does not answer. One that has the zone itself names the servers that stand in it.
    async fn referral(&self, zone: &str) -> Vec<(String, Vec<IpAddr>)> {
        let (Some(address), Some(question)) = (self.addresses.first(), question(zone, RecordType::Ns)) else {
            return Vec::new();
        };
        let Ok(answer) = exchange(*address, &question).await else { return Vec::new() };
        let named = answer.answers.iter().chain(&answer.authorities).filter(|record| text(&record.name) == zone);
        let named = named.filter_map(|record| match &record.data {
            RData::NS(name) => Some(text(name)),
            _ => None,
        });
        let glue = |name: &str| {
            let of = answer.additionals.iter().filter(|record| text(&record.name) == *name);
            let addresses = of.filter_map(|record| match &record.data {
                RData::A(a) => Some(IpAddr::V4(a.0)),
                RData::AAAA(a) => Some(IpAddr::V6(a.0)),
                _ => None,
            });
            addresses.collect()
        };
        named.map(|name| (name.clone(), glue(&name))).collect()
    }

    /// What this server itself says, at the first of its addresses that answers. CNAMEs are followed as far as it knows them: where
    /// [`Answer::canonical`] is another name, the rest is for others to say. A failure when it does not answer, or has not the zone.
    pub async fn ask(&self, name: &str, kind: RecordType) -> Answer {
        let mut last = Answer::failed(name, Security::Indeterminate, "its name has no address");
        for address in &self.addresses {
            match ask(*address, name, kind).await {
                Ok(answer) => return answer,
                Err(error) => last = Answer::failed(name, Security::Indeterminate, error.chain().to_string()),
            }
        }
        last
    }
}

async fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Result<Answer> {
    let Some(question) = question(name, kind) else { return Ok(Answer::impossible(name)) };
    Ok(read(name, kind, &exchange(server, &question).await?))
}

/// A question that the server is to answer by itself; `None` for what no name can be.
fn question(name: &str, kind: RecordType) -> Option<Message> {
    let absolute = Name::from_ascii(format!("{name}.")).ok()?;
    let mut question = Message::query();
    let mut edns = Edns::new();
    edns.set_max_payload(PACKET);
    question.set_edns(edns);
    question.metadata.recursion_desired = false;
    question.add_query(Query::query(absolute, record_type(kind)));
    Some(question)
}

async fn exchange(server: SocketAddr, question: &Message) -> Result<Message> {
    let answer = over_udp(server, question).await?;
    if answer.metadata.truncation { over_tcp(server, question).await } else { Ok(answer) }
}

fn read(name: &str, kind: RecordType, answer: &Message) -> Answer {
    let failed = |why: String| Answer::failed(name, Security::Indeterminate, why);
    let code = answer.metadata.response_code;
    match code {
        ResponseCode::NoError | ResponseCode::NXDomain if !answer.metadata.authoritative => {
            failed("it does not have the zone".to_owned())
        }
        ResponseCode::NoError if !answer.answers.is_empty() => positive(name, kind, &answer.answers, false),
        ResponseCode::NoError | ResponseCode::NXDomain => {
            let ttl = answer.authorities.iter().find_map(|record| match &record.data {
                RData::SOA(soa) => Some(Duration::from_secs(record.ttl.min(soa.minimum).into())),
                _ => None,
            });
            let status = if code == ResponseCode::NXDomain { Status::NxDomain } else { Status::NoData };
            let (security, ttl) = (Security::Indeterminate, ttl.unwrap_or(NEGATIVE_TTL));
            Answer { status, security, ttl, canonical: name.to_owned() }
        }
        code => failed(format!("it says {code}")),
    }
}

async fn over_udp(server: SocketAddr, question: &Message) -> Result<Message> {
    let here: SocketAddr = match server.ip() {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let packet = question.to_vec().map_err(Error::unavailable)?;
    let socket = UdpSocket::bind(here).await.map_err(Error::unavailable)?;
    socket.connect(server).await.map_err(Error::unavailable)?;
    for _ in 0..TRIES {
        socket.send(&packet).await.map_err(Error::unavailable)?;
        let answer = async {
            let mut buffer = [0; PACKET as usize];
            loop {
                let length = socket.recv(&mut buffer).await.map_err(Error::unavailable)?;
                // What is no answer to this question may come from anybody.
                if let Some(answer) = answer_to(question, &buffer[..length]) {
                    return Ok(answer);
                }
            }
        };
        if let Ok(answer) = timeout(QUESTION, answer).await {
            return answer;
        }
    }
    Err(Error::unavailable("it does not answer"))
}

async fn over_tcp(server: SocketAddr, question: &Message) -> Result<Message> {
    let packet = question.to_vec().map_err(Error::unavailable)?;
    let length = u16::try_from(packet.len()).map_err(Error::unavailable)?;
    let exchange = async {
        let mut stream = TcpStream::connect(server).await.map_err(Error::unavailable)?;
        let sent = [&length.to_be_bytes()[..], &packet].concat();
        stream.write_all(&sent).await.map_err(Error::unavailable)?;
        let length = stream.read_u16().await.map_err(Error::unavailable)?;
        let mut buffer = vec![0; length.into()];
        stream.read_exact(&mut buffer).await.map_err(Error::unavailable)?;
        answer_to(question, &buffer).ok_or_else(|| Error::unavailable("it answers something else"))
    };
    timeout(OVER_TCP, exchange).await.map_err(|_| Error::unavailable("it does not answer over TCP"))?
}

fn answer_to(question: &Message, packet: &[u8]) -> Option<Message> {
    let answer = Message::from_vec(packet).ok()?;
    let fits = answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && same(answer.queries.first()?, question.queries.first()?);
    fits.then_some(answer)
}

fn same(one: &Query, other: &Query) -> bool {
    one.query_type() == other.query_type() && text(one.name()) == text(other.name())
}
