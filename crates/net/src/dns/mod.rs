//! Look-ups in the DNS (RFC 1035): typed, bounded, with their DNSSEC status (RFC 4033 §5).
//!
//! A [`Resolver`] asks recursive name servers, validates what they say by itself, and remembers it for its TTL. Its second
//! implementation, a [`Zone`] in memory, is for tests.
//!
//! Whoever runs the DNS of a peer chooses what is answered here. So an answer with more than [`RECORDS`] records or
//! [`RECORD_BYTES`] bytes is a failure, a chain of CNAMEs has at most [`CHAIN`] links, a look-up ends after [`DEADLINE`], [`AT_ONCE`] of them
//! run at once, and the cache holds [`CACHE_BYTES`].
//!
//! ```
//! use anser_net::dns::{Data, RecordType, Resolver, Zone};
//!
//! # async fn example() {
//! let zone = Zone::new();
//! zone.add("example.org", Data::Mx { preference: 10, exchange: "mx.example.org".into() });
//! let answer = Resolver::zone(zone).lookup("example.org", RecordType::Mx).await;
//! assert_eq!(answer.records().len(), 1);
//! # }
//! ```

mod answer;
mod cache;
mod direct;
mod network;
mod senders;
mod zone;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anser_base::Result;

pub use answer::{Answer, Data, RecordType, Security, Status};
pub use direct::{Authority, NameServer};
pub use zone::Zone;

/// Most records of one answer.
pub const RECORDS: usize = 100;
/// Most bytes that the records of one answer hold together.
pub const RECORD_BYTES: usize = 32 * 1024;
/// Most links of a chain of CNAMEs.
pub const CHAIN: usize = 8;
/// How long a look-up may take, with all its retries and the proofs of DNSSEC.
pub const DEADLINE: Duration = Duration::from_secs(15);
/// Look-ups that are under way at once; others wait their turn within their deadline.
pub const AT_ONCE: usize = 200;
/// Bytes of answers that are remembered, roughly.
pub const CACHE_BYTES: usize = 32 * 1024 * 1024;
/// Longest time that an answer is remembered, whatever its TTL.
pub const LONGEST_TTL: Duration = Duration::from_secs(24 * 3600);
/// Longest time that an absence is remembered (RFC 2308 §5 recommends one to three hours).
pub const LONGEST_NEGATIVE_TTL: Duration = Duration::from_secs(3600);
/// Name servers that are asked.
pub const SERVERS: usize = 8;

/// Whom to ask, and whom to believe.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Recursive name servers; none stands for those of `/etc/resolv.conf`.
    pub servers: Vec<SocketAddr>,
    /// The root's keys as DNSKEY records in the form of a zone file, where the root is not the world's.
    pub trust_anchor: Option<String>,
}

/// Asks the DNS. Clones share the cache.
#[derive(Clone)]
pub struct Resolver {
    source: Arc<Source>,
}

enum Source {
    Network(Box<network::Network>),
    Zone(Zone),
}

impl Resolver {
    /// A resolver over the network; no packet is sent before the first look-up. [`anser_base::Class::Invalid`] when the trust
    /// anchor cannot be read.
    pub fn network(settings: &Settings) -> Result<Self> {
        let network = network::Network::new(settings)?;
        Ok(Self { source: Arc::new(Source::Network(Box::new(network))) })
    }

    /// A resolver that knows this zone and nothing else.
    pub fn zone(zone: Zone) -> Self {
        Self { source: Arc::new(Source::Zone(zone)) }
    }

    /// The records of this type at this name, CNAMEs followed unless they are what is asked for. The name is absolute, with or
    /// without its last dot, in A-labels or U-labels (RFC 5890). Never fails: trouble is a [`Status`].
    pub async fn lookup(&self, name: &str, kind: RecordType) -> Answer {
        let Some(name) = ascii_name(name) else { return Answer::impossible(name) };
        match &*self.source {
            Source::Network(network) => network.lookup(&name, kind).await,
            Source::Zone(zone) => zone.lookup(&name, kind),
        }
    }

    /// The name that an address points back to (RFC 1035 §3.5, RFC 3596 §2.5).
    pub async fn reverse(&self, address: IpAddr) -> Answer {
        self.lookup(&reverse_name(address), RecordType::Ptr).await
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

/// A name as it is looked up: A-labels in lower case, without the last dot; empty for the root. `None` for what no name can be.
pub fn ascii_name(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let ascii = match name.is_ascii() {
        true => name.to_ascii_lowercase(),
        false => idna::domain_to_ascii(name).ok()?,
    };
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/+=*".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(fits)
    };
    let is_name = ascii.is_empty() || (ascii.len() <= 253 && ascii.split('.').all(is_label));
    is_name.then_some(ascii)
}

/// The name under which the PTR record of an address is.
pub fn reverse_name(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let digits = v6.octets().into_iter().rev().map(|byte| format!("{:x}.{:x}.", byte & 15, byte >> 4));
            digits.collect::<String>() + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_brought_into_one_form() {
        assert_eq!(ascii_name("Mail.Example.ORG.").as_deref(), Some("mail.example.org"));
        assert_eq!(ascii_name("例子.中国").as_deref(), Some("xn--fsqu00a.xn--fiqs8s"));
        assert_eq!(ascii_name("_25._tcp.mx.example.org").as_deref(), Some("_25._tcp.mx.example.org"));
        assert_eq!(ascii_name(".").as_deref(), Some(""));
        let long = "a".repeat(64);
        for bad in ["a..b", ".a", "a b", "a\\b", "a\"b", "a\0b", &long, &"a.".repeat(128)] {
            assert_eq!(ascii_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn addresses_point_back() {
        assert_eq!(reverse_name("192.0.2.1".parse().unwrap()), "1.2.0.192.in-addr.arpa");
        let v6 = reverse_name("2001:db8::567:89ab".parse().unwrap());
        assert_eq!(v6, "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    }
}
