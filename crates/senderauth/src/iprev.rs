//! Whether the name of the peer's address leads back to it (RFC 8601 §3).

use std::net::IpAddr;

use crate::dns::{self, Dns};

/// Names of one address that are followed.
pub const NAMES: usize = 5;

anser_base::words! {
    /// The outcome (RFC 8601 §2.7.3).
    pub enum Result {
        /// A name leads back.
        Pass = "pass",
        /// Names there are, but none leads back.
        Fail = "fail",
        /// The DNS failed; later may work.
        TempError = "temperror",
        /// The address has no name.
        PermError = "permerror",
    }
}

/// The outcome with the name that was found to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The outcome.
    pub result: Result,
    /// Of a pass, the name.
    pub name: Option<String>,
}

/// Checks an address.
pub async fn check(dns: &Dns<'_>, ip: IpAddr) -> Outcome {
    let ip = dns::plain(ip);
    let of = |result| Outcome { result, name: None };
    let Ok(names) = dns.names(ip).await else { return of(Result::TempError) };
    let mut result = if names.is_empty() { Result::PermError } else { Result::Fail };
    for name in names.iter().take(NAMES).filter_map(|name| dns::domain(name)) {
        match dns.addresses(&name, ip).await {
            Ok(addresses) if addresses.contains(&ip) => return Outcome { result: Result::Pass, name: Some(name) },
            Ok(_) => {}
            Err(_) => result = Result::TempError,
        }
    }
    of(result)
}
