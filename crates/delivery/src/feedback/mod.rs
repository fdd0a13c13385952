//! Reports between servers: what we saw of other domains goes to them once a day, what they saw of ours is read as it comes.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | when a domain is told, and the message that tells it |
//! | `aggregate` | of mail in its name (DMARC, RFC 9990) |
//! | `tls` | of encryption on the way to it (RFC 8460) |
//! | `incoming` | reports for our postmasters |

mod aggregate;
mod incoming;
mod tls;

use std::time::Duration;

use anser_base::{Address, Error, Result};
use anser_directory::DEFAULT_TENANT;
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_peers::counts::Due;
use anser_peers::{DAY, Kind, Meta, pack};
use anser_queue::{Envelope, Origin, Recipient};
use anser_wire::smtp::Notify;

use crate::Delivery;
use crate::content::body_of;

/// How often it is looked whether a domain is to be told.
const EVERY: Duration = Duration::from_secs(3600);
/// How long after a start the first look is.
const FIRST: Duration = Duration::from_secs(300);
/// Domains are told within so many hours of the end of a day, not all at once.
const SPREAD: u64 = 4;
/// Longest name of a report, in bytes; it goes into a header and a file name.
const NAME: usize = 64;

/// Who reports.
struct Reporter {
    /// Our domain, which signs.
    domain: String,
    from: String,
}

/// A report in the making.
struct Letter<'a> {
    due: &'a Due,
    meta: &'a Meta,
    /// The packed report, its media type and its file name's end.
    packed: Vec<u8>,
    media_type: &'a str,
    extension: &'a str,
    to: Vec<Address>,
}

impl Delivery {
    /// Tells domains once a day what was seen of them, and keeps their policies fresh, for ever. What cannot be told now is tried again
    /// an hour later, and forgotten after some days.
    pub async fn run_feedback(&self) {
        tokio::time::sleep(FIRST).await;
        loop {
            if let Err(error) = self.send_feedback().await {
                tracing::error!(error = error.chain(), "reports could not be sent to other domains");
            }
            self.refresh_policies().await;
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Fetches MTA-STS policies of others anew that end within a day (RFC 8461 §3.3).
    pub async fn refresh_policies(&self) {
        self.relay.refresh_policies().await;
    }

    /// Tells the domains whose time has come. Returns how many reports went into the queue.
    pub async fn send_feedback(&self) -> Result<usize> {
        let reporter = self.reporter().await?;
        let mut sent = 0;
        for due in self.deps.peers.due().await?.iter().filter(|due| self.is_time(due)) {
            let told = match due.kind {
                Kind::Dmarc => self.send_aggregate(due, &reporter).await,
                Kind::Tls => self.send_tls(due, &reporter).await,
            };
            match told {
                Ok(was_sent) => {
                    sent += usize::from(was_sent);
                    self.deps.peers.told(due).await?;
                }
                Err(error) => {
                    let (domain, kind) = (&due.domain, due.kind.word());
                    tracing::info!(
                        domain,
                        kind,
                        error = error.chain(),
                        "a domain cannot be told now what was seen of it"
                    );
                }
            }
        }
        self.deps.peers.forget_untold().await?;
        Ok(sent)
    }

    /// Each domain has its time of the day.
    fn is_time(&self, due: &Due) -> bool {
        let hash = due.domain.bytes().fold(0u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let hours = 1 + (hash % SPREAD) as i64;
        self.deps.clock.now().secs() >= (due.day + 1) * DAY + hours * 3600
    }

    async fn reporter(&self) -> Result<Reporter> {
        let domain = self.deps.directory.default_domain().await?;
        let domain = domain.map_or_else(|| self.deps.hostname.clone(), |domain| domain.name);
        let from = format!("postmaster@{domain}");
        Ok(Reporter { domain, from })
    }

    /// The same for a day and a domain whenever it is made, so that one that comes twice is known again.
    fn meta(&self, due: &Due, reporter: &Reporter) -> Meta {
        let begin = due.day * DAY;
        let id: String = format!("{begin}.{}.{}", due.kind.word(), due.domain).chars().take(NAME).collect();
        Meta {
            organization: reporter.domain.clone(),
            contact: reporter.from.clone(),
            id: format!("{id}@{}", self.deps.hostname),
            begin,
            end: begin + DAY - 1,
        }
    }

    /// Puts the message with a report into the queue: from the null sender, so that nothing comes back; signed on its way out.
    async fn put_letter(&self, letter: Letter<'_>, reporter: &Reporter) -> Result<()> {
        let Letter { due, meta, packed, media_type, extension, to } = letter;
        let (deps, domain) = (&self.deps, &due.domain);
        // RFC 7489 §7.2.1.1, RFC 8460 §5.1.
        let file = format!("{}!{domain}!{}!{}.{extension}", deps.hostname, meta.begin, meta.end);
        let subject = format!("Report Domain: {domain} Submitter: {} Report-ID: <{}>", reporter.domain, meta.id);
        let all: Vec<String> = to.iter().map(ToString::to_string).collect();
        let mut headers = Headers::new()
            .date("Date", DateTime { unix: deps.clock.now().secs(), offset_minutes: 0 })
            .addresses("From", &[Mailbox { name: "", email: &reporter.from }])
            .structured("To", &all.join(", "))
            .text("Subject", &subject)
            .structured("Message-ID", &format!("<{}@{}>", deps.entropy.token(32), deps.hostname))
            .structured("Auto-Submitted", "auto-generated");
        let what = match due.kind {
            Kind::Dmarc => "mail in the name of",
            Kind::Tls => "encryption on the way to",
        };
        let text = format!("This is a report of {} on {what} {domain}, for programs.\r\n", reporter.domain);
        let parts = [
            Entity::text("plain", &text, TextEncoding::QuotedPrintable),
            Entity::attachment(media_type, &file, &packed),
        ];
        let boundary = deps.entropy.token(32);
        let entity = match due.kind {
            Kind::Dmarc => Entity::multipart("mixed", &boundary, &parts),
            Kind::Tls => {
                headers = headers
                    .structured("TLS-Report-Domain", domain)
                    .structured("TLS-Report-Submitter", &reporter.domain)
                    // A report on broken encryption has to arrive without it (RFC 8460 §3).
                    .structured("TLS-Required", "No");
                Entity::report("tlsrpt", &boundary, &parts)
            }
        };
        let raw = message(headers, entity);
        let body = body_of(&deps.store, DEFAULT_TENANT, &raw).await?;
        let recipient = |address| Recipient { notify: Notify::default(), ..Recipient::new(address) };
        let recipients = to.into_iter().map(recipient).collect();
        let plain = Envelope::new(None, recipients, Origin::internal(), deps.clock.now());
        deps.queue.put(Envelope { tenant: Some(DEFAULT_TENANT), ..plain }, body).await.map(drop)
    }
}

/// A report, packed, unless it would be larger than others take.
fn packed(report: &[u8]) -> Result<Vec<u8>> {
    let packed = pack::gzip(report);
    if packed.len() > pack::PACKED { Err(Error::unavailable("the report is too large")) } else { Ok(packed) }
}
