//! The one way to the DNS: a seam that a test replaces with a zone in memory, and the bounded view of it that one message gets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use futures_util::future::{FutureExt, Shared};

/// Questions that one message may cause, in all. It is above what the limits of each method come to (SPF 130, DKIM 10, ARC 51, DMARC
/// 150, iprev 11), so that no method can starve another.
pub const QUESTIONS: usize = 400;
/// Records of one answer that are looked at; more make the answer unusable.
pub const RECORDS: usize = 100;
/// Bytes of one TXT record that are looked at; more make the answer unusable.
pub const TXT: usize = 16 * 1024;
/// Longest name, in bytes (RFC 1035 §2.3.4, without the final dot).
pub const NAME: usize = 253;
/// Longest label, in bytes (RFC 1035 §2.3.4).
pub const LABEL: usize = 63;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Mail exchangers.
    Mx,
    /// Names of an address.
    Ptr,
    /// Texts.
    Txt,
}

/// One record of an answer. Names have no final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An address.
    Address(IpAddr),
    /// A mail exchanger with its preference.
    Mx(u16, String),
    /// A name of an address.
    Ptr(String),
    /// A text, its strings joined without space between them (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
    Txt(Vec<u8>),
}

/// What the DNS says of a name. Aliases were followed; records are of the kind asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The records; empty when there are none.
    pub records: Vec<Record>,
    /// The name exists, perhaps with records of other kinds only. False for NXDOMAIN.
    pub exists: bool,
}

/// The DNS gave no usable answer: a server failed, did not answer in time, or answered nonsense. Later may work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(pub String);

/// An answer that is still to come.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Answer, Trouble>> + Send + 'a>>;

/// The DNS. The real one asks servers and keeps answers for their time to live; a test gives a zone in memory. It must end within
/// a time of its own; whoever needs a whole check to end earlier lets its answers become [`Trouble`].
pub trait Resolver: Send + Sync {
    /// Asks. `name` is in lower case, has no final dot and at most [`NAME`] bytes.
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> Asking<'a>;
}

/// The DNS as one message sees it: each question is asked once, and there is an end to them.
pub struct Dns<'a> {
    resolver: &'a dyn Resolver,
    asked: Mutex<HashMap<(String, Kind), Shared<Asking<'a>>>>,
}

impl<'a> Dns<'a> {
    /// Nothing was asked yet.
    pub fn new(resolver: &'a dyn Resolver) -> Self {
        Self { resolver, asked: Mutex::default() }
    }

    /// Asks, or waits for the answer to the same question. A name that cannot be in the DNS does not exist; the question after the
    /// last allowed one fails.
    pub async fn ask(&self, name: &str, kind: Kind) -> Result<Answer, Trouble> {
        let Some(name) = askable(name) else { return Ok(Answer::default()) };
        let asking = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let many = asked.len() >= QUESTIONS;
            match asked.entry((name.clone(), kind)) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(_) if many => return Err(Trouble(format!("more than {QUESTIONS} questions"))),
                Entry::Vacant(new) => {
                    let resolver = self.resolver;
                    let asking: Asking<'a> = Box::pin(async move { resolver.ask(&name, kind).await.and_then(checked) });
                    new.insert(asking.shared()).clone()
                }
            }
        };
        asking.await
    }

    /// The texts of a name.
    pub async fn texts(&self, name: &str) -> Result<Vec<Vec<u8>>, Trouble> {
        let answer = self.ask(name, Kind::Txt).await?;
        Ok(answer
            .records
            .into_iter()
            .filter_map(|record| if let Record::Txt(text) = record { Some(text) } else { None })
            .collect())
    }

    /// The addresses of a name that are of the same family as `like`.
    pub async fn addresses(&self, name: &str, like: IpAddr) -> Result<Vec<IpAddr>, Trouble> {
        let kind = if like.is_ipv4() { Kind::A } else { Kind::Aaaa };
        let answer = self.ask(name, kind).await?;
        Ok(answer
            .records
            .into_iter()
            .filter_map(|record| if let Record::Address(ip) = record { Some(ip) } else { None })
            .collect())
    }

    /// The names of an address.
    pub async fn names(&self, ip: IpAddr) -> Result<Vec<String>, Trouble> {
        let answer = self.ask(&reverse(ip), Kind::Ptr).await?;
        Ok(answer
            .records
            .into_iter()
            .filter_map(|record| if let Record::Ptr(name) = record { Some(name) } else { None })
            .collect())
    }
}

fn checked(answer: Answer) -> Result<Answer, Trouble> {
    let long = |record: &Record| matches!(record, Record::Txt(text) if text.len() > TXT);
    if answer.records.len() > RECORDS || answer.records.iter().any(long) {
        return Err(Trouble("the answer is too large".into()));
    }
    Ok(answer)
}

/// The name in the form that is asked for; `None` when it cannot be in the DNS.
fn askable(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let fine = !name.is_empty()
        && name.len() <= NAME
        && name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\')
        && name.split('.').all(|label| !label.is_empty() && label.len() <= LABEL);
    fine.then(|| name.to_ascii_lowercase())
}

/// The name in A-labels and lower case, without a final dot (RFC 8616 §4, RFC 5890 §2.3); `None` when it is no name of letters, digits,
/// inner hyphens and underscores: keys and policies live at names with these.
pub fn domain(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let name = if name.is_ascii() { name.to_ascii_lowercase() } else { idna::domain_to_ascii(name).ok()? };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (name.len() <= NAME && name.split('.').all(label)).then_some(name)
}

/// Whether `name` is `parent` or lies below it. Both are in the form of [`domain`].
pub fn is_within(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The name at which the names of an address are (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse(ip: IpAddr) -> String {
    let suffix = if ip.is_ipv4() { "in-addr.arpa" } else { "ip6.arpa" };
    dotted(ip).to_ascii_lowercase().rsplit('.').chain([suffix]).collect::<Vec<_>>().join(".")
}

/// The address as labels: `192.0.2.1`, or each nibble of an IPv6 address (RFC 7208 §7.3).
pub fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
            nibbles.map(|nibble| format!("{nibble:X}")).collect::<Vec<_>>().join(".")
        }
    }
}

/// An IPv4 address that is written as an IPv6 one is an IPv4 address (RFC 7208 §5).
pub fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

impl From<Ipv4Addr> for Record {
    fn from(ip: Ipv4Addr) -> Self {
        Self::Address(ip.into())
    }
}

impl From<Ipv6Addr> for Record {
    fn from(ip: Ipv6Addr) -> Self {
        Self::Address(ip.into())
    }
}
