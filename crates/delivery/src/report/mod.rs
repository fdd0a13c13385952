//! Reports to senders: delivery status notifications (RFC 3461, RFC 3464, RFC 6522; for internationalized mail RFC 6533).
//!
//! | kind | when | asked for by |
//! |---|---|---|
//! | failed | a recipient failed or expired | NOTIFY=FAILURE, or no NOTIFY |
//! | delayed | it waits for 4 hours, once | NOTIFY=DELAY, or no NOTIFY |
//! | done | it is in a mailbox here, or with a server that reports nothing itself | NOTIFY=SUCCESS |
//!
//! Mail from the null sender is never reported on, so that no report causes another (RFC 5321 §4.5.5). A report has a part for
//! people, one for programs, and the header of the message, or all of it when the sender asked for that and it is small.

mod status;
mod words;

use anser_base::Address;
use anser_directory::DEFAULT_TENANT;
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_mime::header;
use anser_queue::{Body, Change, Entry, Envelope, Lease, Origin, Outcome, Plan, Recipient, Submission};
use anser_wire::smtp::{BodyType, Notify, Ret};

use crate::Delivery;
use crate::content::{Content, body_of, inline};
use crate::dispatcher::outcome_text;

/// Largest message that RET=FULL returns whole, in bytes.
const FULL: u64 = 64 * 1024;
/// Most of a message's header that is returned, in bytes.
const HEADER: usize = 32 * 1024;
/// Recipients of one report when it has to be small, because the blob store does not take a large one.
const FEW: usize = 20;
/// Characters of a boundary and of a Message-ID's left side, 5 random bits each.
const TOKEN: usize = 32;
/// Longest Message-ID that a report refers to, in bytes.
const MESSAGE_ID: usize = 250;

/// Where a recipient is that left this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// With somebody who reports success when it is asked for: a copy in the queue, a server that was given the DSN parameters.
    Reporting,
    /// With a server that does not report success.
    Silent,
}

/// What became of a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Failed { expired: bool },
    Delayed,
    Delivered,
    Relayed,
}

/// What one report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    Delayed,
    Done,
}

/// One recipient in a report.
#[derive(Clone, Copy)]
struct Told<'a> {
    recipient: &'a Recipient,
    action: Action,
    why: &'a str,
}

impl Action {
    fn kind(self) -> Kind {
        match self {
            Self::Failed { .. } => Kind::Failed,
            Self::Delayed => Kind::Delayed,
            Self::Delivered | Self::Relayed => Kind::Done,
        }
    }

    fn is_wanted(self, notify: Notify) -> bool {
        match self.kind() {
            Kind::Failed => notify.failure,
            Kind::Delayed => notify.delay,
            Kind::Done => notify.success,
        }
    }
}

impl Delivery {
    /// The reports that follow from an attempt: at most one of each kind, unless a large one cannot be stored. A message that cannot
    /// be read is reported on without it.
    pub(crate) async fn reports(
        &self,
        lease: &Lease,
        plan: &Plan,
        outcomes: &[(usize, Outcome)],
        beyond: &[(usize, Beyond)],
    ) -> Vec<Submission> {
        let (entry, Some(sender)): (&Entry, _) = (lease, &lease.envelope.sender) else { return Vec::new() };
        let told: Vec<Told<'_>> =
            plan.changes.iter().filter_map(|change| told(entry, *change, outcomes, beyond)).collect();
        if told.is_empty() {
            return Vec::new();
        }
        let mut original = Content::open(&self.deps.store, entry)
            .await
            .inspect_err(|error| tracing::warn!(error = error.chain(), "a report goes without its message"))
            .ok();
        let from = self.postmaster(sender).await;
        let mut reports = Vec::new();
        for kind in [Kind::Failed, Kind::Delayed, Kind::Done] {
            let told: Vec<_> = told.iter().copied().filter(|told| told.action.kind() == kind).collect();
            if !told.is_empty() {
                let report = Report { delivery: self, entry, sender, from: &from, kind };
                reports.extend(report.submissions(&told, original.as_mut()).await);
            }
        }
        reports
    }

    /// Reports come from a postmaster whom the sender's replies reach.
    async fn postmaster(&self, sender: &Address) -> String {
        let is_local = self.deps.directory.is_local_domain(sender.domain()).await.unwrap_or_default();
        format!("postmaster@{}", if is_local { sender.domain() } else { &self.deps.hostname })
    }
}

/// What the sender is told about one recipient, if anything.
fn told<'a>(
    entry: &'a Entry,
    (index, change): (usize, Change),
    outcomes: &'a [(usize, Outcome)],
    beyond: &[(usize, Beyond)],
) -> Option<Told<'a>> {
    let recipient = entry.envelope.recipients.get(index)?;
    let gone = beyond.iter().find(|(at, _)| *at == index).map(|(_, beyond)| *beyond);
    let action = match (change, gone) {
        (Change::Failed, _) => Action::Failed { expired: false },
        (Change::Expired, _) => Action::Failed { expired: true },
        (Change::Retry { late: true, .. }, _) => Action::Delayed,
        (Change::Done, None) => Action::Delivered,
        (Change::Done, Some(Beyond::Silent)) => Action::Relayed,
        (Change::Retry { late: false, .. } | Change::Held, _) | (Change::Done, Some(Beyond::Reporting)) => return None,
    };
    let outcome = outcomes.iter().find(|(at, _)| *at == index).map(|(_, outcome)| outcome);
    let why = outcome.and_then(outcome_text).unwrap_or_default();
    action.is_wanted(recipient.notify).then_some(Told { recipient, action, why })
}

/// One report in the making.
struct Report<'a> {
    delivery: &'a Delivery,
    entry: &'a Entry,
    sender: &'a Address,
    from: &'a str,
    kind: Kind,
}

impl Report<'_> {
    async fn submissions(&self, told: &[Told<'_>], original: Option<&mut Content>) -> Vec<Submission> {
        let header = original.as_ref().map(|content| content.header()).unwrap_or_default();
        let returned = match original {
            Some(content) => self.returned(content).await,
            None => None,
        };
        let raw = self.write(told, &header, returned.as_ref());
        let tenant = self.entry.envelope.tenant.unwrap_or(DEFAULT_TENANT);
        match body_of(&self.delivery.deps.store, tenant, &raw).await {
            Ok(body) => vec![self.submission(body, &raw)],
            Err(error) => {
                tracing::error!(error = error.chain(), "a large report cannot be stored; it goes in pieces");
                told.chunks(FEW)
                    .map(|part| self.write(part, &header, None))
                    .map(|raw| self.submission(inline(&raw), &raw))
                    .collect()
            }
        }
    }

    /// The third part: the message (RFC 3461 §4.3), or what comes first of it.
    async fn returned(&self, content: &mut Content) -> Option<Entity> {
        let wants_all = self.entry.envelope.ret == Some(Ret::Full) && self.kind == Kind::Failed;
        if wants_all
            && content.size() <= FULL
            && let Ok(whole) = content.whole().await
        {
            return Some(status::whole(&whole, content.has_ascii_header()));
        }
        Some(status::header(beginning(&content.header())))
    }

    fn write(&self, told: &[Told<'_>], header: &[u8], returned: Option<&Entity>) -> Vec<u8> {
        let deps = &self.delivery.deps;
        let subject = words::subject(self.kind);
        let now = DateTime { unix: deps.clock.now().secs(), offset_minutes: 0 };
        let from = Mailbox { name: "Mail Delivery System", email: self.from };
        let to = Mailbox { name: "", email: &self.sender.to_string() };
        let mut headers = Headers::new()
            .date("Date", now)
            .addresses("From", &[from])
            .structured("To", to.email)
            .text("Subject", subject)
            .structured("Message-ID", &format!("<{}@{}>", deps.entropy.token(TOKEN), deps.hostname))
            .structured("Auto-Submitted", "auto-replied");
        if let Some(id) = message_id(header) {
            headers = headers.structured("In-Reply-To", &id).structured("References", &id);
        }
        let text = words::explain(self, told, header);
        let mut parts = vec![Entity::text("plain", &text, TextEncoding::Base64), status::entity(self, told)];
        parts.extend(returned.cloned());
        message(headers, Entity::report("delivery-status", &deps.entropy.token(TOKEN), &parts))
    }

    fn submission(&self, body: Body, raw: &[u8]) -> Submission {
        let now = self.delivery.deps.clock.now();
        let recipient = Recipient { notify: Notify::default(), ..Recipient::new(self.sender.clone()) };
        let envelope = Envelope {
            tenant: self.entry.envelope.tenant,
            smtputf8: !self.sender.is_ascii() || !self.from.is_ascii(),
            body_type: if raw.is_ascii() { BodyType::SevenBit } else { BodyType::EightBitMime },
            requiretls: self.entry.envelope.requiretls,
            ..Envelope::new(None, vec![recipient], Origin::internal(), now)
        };
        Submission { envelope, body }
    }
}

/// Whole fields, up to [`HEADER`] bytes of them.
fn beginning(block: &[u8]) -> &[u8] {
    let end = header::fields(block).map(|field| field.range.end).take_while(|end| *end <= HEADER).last();
    &block[..end.unwrap_or(0)]
}

/// The Message-ID of the message, when it is one that can be referred to.
fn message_id(block: &[u8]) -> Option<String> {
    let value = header::value(block, "Message-ID")?;
    let id = std::str::from_utf8(&value).ok()?;
    let inner = id.strip_prefix('<')?.strip_suffix('>')?;
    let is_good = inner.contains('@') && inner.bytes().all(|b| b.is_ascii_graphic() && !b"<>".contains(&b));
    (is_good && id.len() <= MESSAGE_ID).then(|| id.to_owned())
}
