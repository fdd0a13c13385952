//! Where a domain wants its reports, and whether they may go there.

use super::{Record, is_record, walk};
use crate::dns::{self, Dns, Trouble};

/// A domain's present record, and the addresses of its `rua=` that reports may go to. A domain of another organization has to say by a
/// record at `<domain>._report._dmarc.<its own name>` that it wants them (RFC 7489 §7.1): nobody can have reports sent to
/// strangers. `None` when the domain wants none any more; [`Trouble`] when the DNS cannot say now.
pub async fn destinations(dns: &Dns<'_>, domain: &str) -> Result<Option<(Record, Vec<String>)>, Trouble> {
    let texts = dns.texts(&format!("_dmarc.{domain}")).await?;
    let mut records = texts.iter().filter(|text| is_record(text));
    let (Some(text), None) = (records.next(), records.next()) else { return Ok(None) };
    let Some(record) = Record::parse(text) else { return Ok(None) };
    let (mut addresses, mut trouble) = (Vec::new(), None);
    for address in &record.reports {
        match is_wanted(dns, domain, address).await {
            Ok(true) => addresses.push(address.clone()),
            Ok(false) => {}
            Err(failed) => trouble = Some(failed),
        }
    }
    match trouble {
        Some(trouble) if addresses.is_empty() => Err(trouble),
        _ => Ok((!addresses.is_empty()).then_some((record, addresses))),
    }
}

async fn is_wanted(dns: &Dns<'_>, domain: &str, address: &str) -> Result<bool, Trouble> {
    let Some(host) = address.rsplit_once('@').and_then(|(_, host)| dns::domain(host)) else { return Ok(false) };
    let (ours, theirs) = (walk(dns, domain).await?, walk(dns, &host).await?);
    if dns::is_within(&host, domain) || ours.organization(domain) == theirs.organization(&host) {
        return Ok(true);
    }
    let texts = dns.texts(&format!("{domain}._report._dmarc.{host}")).await?;
    Ok(texts.iter().any(|text| is_record(text)))
}
