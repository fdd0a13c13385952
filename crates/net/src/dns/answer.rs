//! What a look-up brings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// The type of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordType {
    /// An IPv4 address (RFC 1035 §3.4.1).
    A,
    /// An IPv6 address (RFC 3596 §2.1).
    Aaaa,
    /// A mail exchange (RFC 1035 §3.3.9).
    Mx,
    /// Texts (RFC 1035 §3.3.14).
    Txt,
    /// A certificate association (RFC 6698 §2).
    Tlsa,
    /// A pointer to a name (RFC 1035 §3.3.12).
    Ptr,
    /// A name server (RFC 1035 §3.3.11).
    Ns,
    /// The start of a zone (RFC 1035 §3.3.13).
    Soa,
    /// A canonical name (RFC 1035 §3.3.1).
    Cname,
    /// The place of a service (RFC 2782).
    Srv,
}

/// What a record holds. Names are in lower case, without the last dot; the root is the empty name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The fields have the names that the RFCs give them.
pub enum Data {
    /// [`RecordType::A`]
    A(Ipv4Addr),
    /// [`RecordType::Aaaa`]
    Aaaa(Ipv6Addr),
    /// [`RecordType::Mx`]
    Mx { preference: u16, exchange: String },
    /// [`RecordType::Txt`]: its strings joined without a space, as SPF, DKIM and the like want them (RFC 7208 §3.3).
    Txt(Vec<u8>),
    /// [`RecordType::Tlsa`]
    Tlsa { usage: u8, selector: u8, matching: u8, data: Vec<u8> },
    /// [`RecordType::Ptr`]
    Ptr(String),
    /// [`RecordType::Ns`]
    Ns(String),
    /// [`RecordType::Soa`]
    Soa { mname: String, rname: String, serial: u32, minimum: u32 },
    /// [`RecordType::Cname`]
    Cname(String),
    /// [`RecordType::Srv`]
    Srv { priority: u16, weight: u16, port: u16, target: String },
}

impl Data {
    /// Its type.
    pub fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Mx { .. } => RecordType::Mx,
            Self::Txt(_) => RecordType::Txt,
            Self::Tlsa { .. } => RecordType::Tlsa,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Ns(_) => RecordType::Ns,
            Self::Soa { .. } => RecordType::Soa,
            Self::Cname(_) => RecordType::Cname,
            Self::Srv { .. } => RecordType::Srv,
        }
    }

    /// Bytes of memory that it holds, roughly.
    pub(super) fn weight(&self) -> usize {
        let inside = match self {
            Self::A(_) | Self::Aaaa(_) => 0,
            Self::Mx { exchange: name, .. } | Self::Ptr(name) | Self::Ns(name) | Self::Cname(name) => name.len(),
            Self::Srv { target, .. } => target.len(),
            Self::Txt(bytes) | Self::Tlsa { data: bytes, .. } => bytes.len(),
            Self::Soa { mname, rname, .. } => mname.len() + rname.len(),
        };
        inside + size_of::<Self>()
    }
}

/// What DNSSEC says of an answer (RFC 4033 §5). A chain of CNAMEs is as good as its weakest link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// Signed, with an unbroken chain from the root.
    Secure,
    /// Proven not to be signed.
    Insecure,
    /// Ought to be signed, and its signatures do not hold. The answer is a failure.
    Bogus,
    /// Nobody can tell: the name servers hand out no signatures.
    Indeterminate,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Records of the type that was asked for, at least one.
    Found(Vec<Data>),
    /// The name exists and has no record of this type (RFC 2308 §2.2).
    NoData,
    /// The name does not exist (RFC 2308 §2.1).
    NxDomain,
    /// Nobody knows at present; ask again later. Why, for the log.
    Failed(String),
}

/// The answer to a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was found.
    pub status: Status,
    /// What DNSSEC says of it; of an absence too.
    pub security: Security,
    /// How long it holds; zero for a failure.
    pub ttl: Duration,
    /// The name at the end of the CNAMEs; the name that was asked for when there are none.
    pub canonical: String,
}

impl Answer {
    pub(super) fn failed(name: &str, security: Security, why: impl Into<String>) -> Self {
        let status = Status::Failed(why.into());
        Self { status, security, ttl: Duration::ZERO, canonical: name.to_owned() }
    }

    /// For a name that cannot be looked up, and so does not exist.
    pub(super) fn impossible(name: &str) -> Self {
        let (status, ttl) = (Status::NxDomain, Duration::ZERO);
        Self { status, security: Security::Indeterminate, ttl, canonical: name.to_owned() }
    }

    /// The records; none unless some were found.
    pub fn records(&self) -> &[Data] {
        match &self.status {
            Status::Found(records) => records,
            _ => &[],
        }
    }

    /// Whether it is a temporary failure.
    pub fn is_failure(&self) -> bool {
        matches!(self.status, Status::Failed(_))
    }

    /// Whether it holds by DNSSEC.
    pub fn is_secure(&self) -> bool {
        self.security == Security::Secure
    }

    /// The addresses among the records.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.records().iter().filter_map(|data| match data {
            Data::A(v4) => Some(IpAddr::V4(*v4)),
            Data::Aaaa(v6) => Some(IpAddr::V6(*v6)),
            _ => None,
        })
    }

    /// The texts among the records.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> + '_ {
        self.records().iter().filter_map(|data| match data {
            Data::Txt(text) => Some(&**text),
            _ => None,
        })
    }

    /// The names among the records: of PTR, NS and CNAME.
    pub fn names(&self) -> impl Iterator<Item = &str> + '_ {
        self.records().iter().filter_map(|data| match data {
            Data::Ptr(name) | Data::Ns(name) | Data::Cname(name) => Some(&**name),
            _ => None,
        })
    }
}
