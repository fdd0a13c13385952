//! Reports for our postmasters, read on their way into the mailbox. Whatever is wrong with one, it is delivered like other mail.

use anser_base::{Error, Result};
use anser_mime::encoding::decode;
use anser_mime::structure::{Limits, Part, StructureParser};
use anser_peers::received::Received;
use anser_peers::{Kind, aggregate, announced, pack, tls};
use anser_queue::{Entry, Outcome, Protocol};
use anser_senderauth::{Author, message, results};

use crate::Delivery;
use crate::content::Content;

/// Largest message that is opened, in bytes: a packed report in base64, and what is around it.
const MESSAGE: u64 = 2 * pack::PACKED as u64;
/// Parts of one message that are tried.
const PARTS: usize = 5;

impl Delivery {
    /// Reads what came for a postmaster of ours, if it says that it is a report.
    pub(crate) async fn read_feedback(&self, entry: &Entry, outcomes: &[(usize, Outcome)]) {
        if let Err(error) = self.try_to_read(entry, outcomes).await {
            tracing::warn!(error = error.chain(), "a report of another server could not be read");
        }
    }

    async fn try_to_read(&self, entry: &Entry, outcomes: &[(usize, Outcome)]) -> Result<()> {
        let arrived = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Done);
        let mut people = arrived.map(|(index, _)| &entry.envelope.recipients[*index].address);
        let Some(postmaster) = people.find(|address| address.local().eq_ignore_ascii_case("postmaster")) else {
            return Ok(());
        };
        if entry.body.size > MESSAGE || !self.deps.directory.is_local_domain(postmaster.domain()).await? {
            return Ok(());
        }
        let mut content = Content::open(&self.deps.store, entry).await?;
        let header = content.header();
        let Some(kind) = announced(&header) else { return Ok(()) };
        let (sender, verified) = self.sender_of(entry, &header);
        let raw = content.whole().await?;
        let read = move || received(kind, &raw, &sender, verified);
        let reports = tokio::task::spawn_blocking(read).await.map_err(Error::unavailable)?;
        for report in reports {
            if let Some(domain) = self.ours(&report.domain).await? {
                self.deps.peers.keep_report(Received { domain, ..report }).await?;
            }
        }
        Ok(())
    }

    /// The domain that the message is from, and whether that was shown to be true: by our own results, which nobody else can write.
    fn sender_of(&self, entry: &Entry, header: &[u8]) -> (String, bool) {
        let author = Author::of(&message::Message::new(header).finish());
        let domain = author.domains.into_iter().next().unwrap_or_default();
        let ours = results::written_by(header, &self.deps.hostname);
        let is_true = ours.is_some_and(|results| author.clean && results::says_pass(&results, &domain));
        (domain, is_true || entry.envelope.origin.protocol == Protocol::Internal)
    }

    /// Our domain that a name is, or is below.
    async fn ours(&self, name: &str) -> Result<Option<String>> {
        let mut name = name;
        loop {
            if self.deps.directory.is_local_domain(name).await? {
                return Ok(Some(name.to_owned()));
            }
            match name.split_once('.') {
                Some((_, above)) => name = above,
                None => return Ok(None),
            }
        }
    }
}

/// The reports in a message. Blocks.
fn received(kind: Kind, raw: &[u8], sender: &str, verified: bool) -> Vec<Received> {
    let mut parser = StructureParser::new(Limits::default());
    parser.feed(raw);
    let structure = parser.finish();
    for part in structure.parts.iter().filter(|part| may_hold_report(part)).take(PARTS) {
        let range = part.body_range();
        let Some(body) = raw.get(range.start as usize..range.end as usize) else { continue };
        let Some(report) = pack::unpack(&decode(part.transfer_encoding(), body)) else { continue };
        let found = match kind {
            Kind::Dmarc => aggregate::Report::read(&report)
                .map(|report| vec![Received::aggregate(report, sender, verified)])
                .unwrap_or_default(),
            Kind::Tls => {
                tls::Report::read(&report).map(|report| Received::tls(report, sender, verified)).unwrap_or_default()
            }
        };
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn may_hold_report(part: &Part) -> bool {
    let is_text = part.media_type == "text" && part.subtype != "xml";
    !is_text && !part.is_multipart() && !part.is_message()
}
