//! What other servers tell of our domains.

use anser_base::{Error, Result, Timestamp};
use anser_peers::Kind;
use anser_peers::received::{Received, Summed, Wanted};

use crate::Admin;
use crate::answer::{Item, Out, ReceivedView, Report, SeenView};
use crate::request::ReportsAsked;

impl Admin {
    /// What others reported of our domains: summed up, or report by report. `Class::NotFound` for a domain that is not ours.
    pub async fn reports(&self, asked: ReportsAsked, out: &Out) -> Result<Report> {
        let ReportsAsked { domain, kind, days, each } = asked;
        if let Some(domain) = &domain
            && self.deps.directory.domain(domain).await?.is_none()
        {
            return Err(Error::not_found(format!("there is no domain {domain}"), format!("没有域名 {domain}")));
        }
        let kind = kind.map(|kind| if kind == Kind::Tls.word() { Kind::Tls } else { Kind::Dmarc });
        let wanted = Wanted { domain, kind, days };
        if each {
            for report in self.deps.peers.reports(&wanted).await? {
                out.item(Item::Received(received(report))).await?;
            }
            return Ok(Report::Done);
        }
        for seen in self.deps.peers.findings(&wanted).await? {
            out.item(Item::Seen(seen_view(seen))).await?;
        }
        Ok(Report::Done)
    }
}

fn seen_view(seen: Summed) -> SeenView {
    let Summed { kind, domain, finding, reports, verified } = seen;
    SeenView {
        kind: kind.word().to_owned(),
        domain,
        source: finding.source,
        about: finding.about,
        passed: finding.passed,
        detail: finding.detail,
        count: finding.count,
        reports,
        verified,
    }
}

fn received(report: Received) -> ReceivedView {
    let Received { kind, domain, meta, sender, verified, .. } = report;
    ReceivedView {
        kind: kind.word().to_owned(),
        domain,
        organization: meta.organization,
        id: meta.id,
        sender,
        verified,
        begin: Timestamp::from_secs(meta.begin).to_string(),
        end: Timestamp::from_secs(meta.end).to_string(),
    }
}
