//! How sessions went, for the domains that want to be told of it (RFC 8460).

use std::net::IpAddr;

use anser_net::dns::{RecordType, Resolver, Status};
use anser_peers::tls::{Failure, Policy, Session};
use anser_peers::{Kind, Peers};

use super::protect::Dane;
use super::sts;

/// Destinations of one record that are looked at.
const DESTINATIONS: usize = 10;

/// A server of the policy's host does not fit the policy (RFC 8460 §4.3.2, §4.3.3).
pub(super) const NO_FIT: &str = "validation-failure";
/// It offers no STARTTLS (RFC 8460 §4.3.1).
pub(super) const NO_STARTTLS: &str = "starttls-not-supported";

/// Who may want to be told of a session, and what it was to keep to.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The recipients' domain.
    pub domain: String,
    /// What it asks for.
    pub policy: Policy,
}

impl Told {
    /// By what the domain publishes.
    pub fn of(domain: &str, dane: &Dane, sts: Option<&sts::Policy>) -> Self {
        let policy = match (dane, sts) {
            (Dane::Verified { associations, base }, _) => Policy {
                policy_type: "tlsa".into(),
                policy_string: associations.iter().map(ToString::to_string).collect(),
                policy_domain: base.clone(),
                mx_host: Vec::new(),
            },
            (_, Some(sts)) => Policy {
                policy_type: "sts".into(),
                policy_string: sts.lines(),
                policy_domain: domain.to_owned(),
                mx_host: sts.hosts().to_vec(),
            },
            _ => {
                Policy { policy_type: "no-policy-found".into(), policy_domain: domain.to_owned(), ..Policy::default() }
            }
        };
        Self { domain: domain.to_owned(), policy }
    }
}

/// Counts sessions.
pub(super) struct Outcomes {
    pub peers: Peers,
    pub resolver: Resolver,
    /// The address that we speak from, if one is set.
    pub source: Option<IpAddr>,
}

impl Outcomes {
    /// Counts a session with a server, or why there was none with the TLS that was wanted. What cannot be counted is left out.
    pub async fn note(&self, told: &Told, host: &str, address: Option<IpAddr>, failure: Option<&str>) {
        if !matches!(destinations(&self.resolver, &told.domain).await, Ok(found) if !found.is_empty()) {
            return;
        }
        let text = |address: Option<IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
        let failure = failure.map(|result| Failure {
            result_type: result.to_owned(),
            sending_mta_ip: text(self.source),
            receiving_mx_hostname: host.to_owned(),
            receiving_ip: text(address),
            failure_reason_code: String::new(),
        });
        let session = Session { policy: told.policy.clone(), failure };
        if let Err(error) = self.peers.count(Kind::Tls, &told.domain, &session).await {
            tracing::error!(error = error.chain(), "a session could not be counted for a report");
        }
    }
}

/// Where a domain wants reports on TLS: the URIs of the record at `_smtp._tls.` it (RFC 8460 §3); none when it wants none. An error
/// says why the DNS cannot tell.
pub(crate) async fn destinations(resolver: &Resolver, domain: &str) -> Result<Vec<String>, String> {
    let answer = resolver.lookup(&format!("_smtp._tls.{domain}"), RecordType::Txt).await;
    if let Status::Failed(why) = &answer.status {
        return Err(why.clone());
    }
    let mut records = answer.texts().filter_map(|text| {
        let text = std::str::from_utf8(text).ok()?;
        let mut fields = text.split(';').map(str::trim);
        (fields.next()? == "v=TLSRPTv1").then_some(())?;
        let list = fields.find_map(|field| field.strip_prefix("rua=")).unwrap_or_default();
        Some(
            list.split(',').map(|uri| uri.trim().to_owned()).filter(|uri| !uri.is_empty()).take(DESTINATIONS).collect(),
        )
    });
    let first: Option<Vec<String>> = records.next();
    Ok(if records.next().is_some() { Vec::new() } else { first.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use anser_net::dns::{Data, Zone};

    use super::*;

    #[tokio::test]
    async fn the_record_of_the_rfc_names_its_destinations() {
        let zone = Zone::new();
        let of = |name: &str, text: &str| zone.add(&format!("_smtp._tls.{name}"), Data::Txt(text.as_bytes().to_vec()));
        of("a.test", "v=TLSRPTv1;rua=mailto:reports@a.test");
        of("b.test", "v=TLSRPTv1; rua=https://b.test/v1, mailto:x@b.test");
        of("two.test", "v=TLSRPTv1;rua=mailto:a@two.test");
        of("two.test", "v=TLSRPTv1;rua=mailto:b@two.test");
        of("other.test", "v=TLSRPTv2;rua=mailto:a@other.test");
        zone.fail("_smtp._tls.down.test", RecordType::Txt);
        let resolver = Resolver::zone(zone);
        for (domain, found) in [
            ("a.test", &["mailto:reports@a.test"][..]),
            ("b.test", &["https://b.test/v1", "mailto:x@b.test"]),
            ("two.test", &[]),
            ("other.test", &[]),
            ("none.test", &[]),
        ] {
            assert_eq!(destinations(&resolver, domain).await.unwrap(), found, "{domain}");
        }
        assert!(destinations(&resolver, "down.test").await.is_err());
    }
}
