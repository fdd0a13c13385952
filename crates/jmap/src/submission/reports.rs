//! Reports that come back on what was sent: on its delivery (RFC 3464), and that it was read (RFC 8098). They are known by the Message-ID that
//! they tell of. Whenever submissions are asked for, what came into the account since the last time is looked at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anser_base::{AccountId, Error, MessageId, Result};
use anser_mime::header::value;
use anser_mime::structure::Part;
use anser_store::{Action, LogPoint, Logged, MailTx, Message, Object};

use super::Submission;
use crate::access::Access;
use crate::email::Octets;
use crate::method::Call;

/// How long reports on a submission are waited for, in milliseconds.
const WATCHED: i64 = 30 * 24 * 3_600_000;
/// Lines of the log that are looked at in one go; what is behind them waits for the next.
const LINES: usize = 2_000;
/// Reports of one kind that are kept of one submission.
const REPORTS: usize = 100;
/// Bytes of a part that are looked at.
const FIELDS: usize = 64 * 1024;
/// Accounts of which is remembered up to where they were looked through; forgotten ones are looked through again.
const ACCOUNTS: usize = 20_000;

/// Up to where accounts were looked through.
#[derive(Default)]
pub(crate) struct Looked(Mutex<HashMap<AccountId, LogPoint>>);

impl Looked {
    fn of(&self, account: AccountId) -> Option<LogPoint> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&account).copied()
    }

    fn note(&self, account: AccountId, point: LogPoint) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ACCOUNTS {
            all.clear();
        }
        all.insert(account, point);
    }
}

/// A report.
#[derive(Debug, Default)]
pub(super) struct Report {
    message: u64,
    is_receipt: bool,
    /// The Message-IDs that it may be about, bare.
    about: Vec<String>,
    /// Who read the message.
    displayed: Option<String>,
}

impl Report {
    /// Notes it with the submission that it is about.
    pub fn note(&self, one: &mut Submission) {
        let own = one.message_id.as_deref().map(bare).filter(|id| !id.is_empty());
        if !own.is_some_and(|own| self.about.iter().any(|id| id == own)) {
            return;
        }
        let list = if self.is_receipt { &mut one.mdn } else { &mut one.dsn };
        if list.len() < REPORTS && !list.contains(&self.message) {
            list.push(self.message);
        }
        let reader = self.displayed.as_ref().filter(|reader| !one.displayed.contains(reader));
        one.displayed.extend(reader.filter(|_| one.displayed.len() < REPORTS).cloned());
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub reports: Vec<Report>,
    up_to: Option<LogPoint>,
}

impl Found {
    /// It is written down: the next look begins behind it.
    pub fn done(self, call: &Call, access: &Access) {
        if let Some(up_to) = self.up_to {
            call.door.reports.note(access.owner.id, up_to);
        }
    }
}

/// The reports that came since the last look, as far as there is a submission which they may be about.
pub(super) async fn since_last_look(call: &Call, access: &Access, known: &[(u64, Submission)]) -> Result<Found> {
    let (deps, owner) = (&call.door.deps, access.owner.id);
    let watched = known.iter().filter(|(_, one)| one.since > 0 && one.asked > deps.clock.now().0 - WATCHED);
    let Some(first) = watched.map(|(_, one)| one.since).min() else { return Ok(Found::default()) };
    let from = call.door.reports.of(owner).unwrap_or(LogPoint::after(first));
    let (messages, up_to) = deps.store.read(owner, move |tx| arrived(tx, from)).await?;
    let (store, tenant) = (deps.store.clone(), access.owner.tenant);
    let work = move || {
        let read = |message: &Message| {
            // One that cannot be read is no report: whoever opens it is told.
            Octets::open(&store, tenant, message).and_then(|octets| report(message, octets)).unwrap_or_else(|error| {
                tracing::error!(message = message.id.0, error = error.chain(), "a report cannot be read");
                None
            })
        };
        messages.iter().filter_map(read).collect::<Vec<Report>>()
    };
    let reports = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?;
    Ok(Found { reports, up_to: Some(up_to) })
}

/// The messages of the form of a report that came behind a place in the log, and up to where that is known.
fn arrived(tx: &mut MailTx<'_, '_>, from: LogPoint) -> Result<(Vec<Message>, LogPoint)> {
    let end = LogPoint::after(tx.state());
    // What the log does not tell any more is past.
    let Some(lines) = tx.logged_after(from, Logged::Messages, LINES)? else { return Ok((Vec::new(), end)) };
    let up_to = lines.last().filter(|_| lines.len() == LINES).map_or(end, |line| line.at);
    let new = lines.iter().filter(|line| line.action == Action::Created).filter_map(|line| match line.object {
        Object::Message(id) => Some(id),
        _ => None,
    });
    let ids: Vec<MessageId> = new.collect();
    let mut found = Vec::new();
    for ids in ids.chunks(256) {
        found.extend(tx.messages_of(ids)?.into_iter().flatten().filter(is_report));
    }
    Ok((found, up_to))
}

fn is_report(message: &Message) -> bool {
    message.parsed_structure().is_some_and(|structure| structure.parts.iter().any(|part| kind(part).is_some()))
}

/// Whether a part is that of a receipt, or that of another report.
fn kind(part: &Part) -> Option<bool> {
    match (part.media_type.as_str(), part.subtype.as_str()) {
        ("message", "disposition-notification" | "global-disposition-notification") => Some(true),
        ("message", "delivery-status" | "global-delivery-status") => Some(false),
        _ => None,
    }
}

fn report(message: &Message, mut octets: Octets) -> Result<Option<Report>> {
    let Some(structure) = message.parsed_structure() else { return Ok(None) };
    let mut report = Report { message: message.id.0, ..Report::default() };
    for part in &structure.parts {
        if let Some(is_receipt) = kind(part) {
            let (fields, _) = octets.decoded(part, FIELDS)?;
            report.is_receipt = is_receipt;
            report.about.extend(id_of(&fields, "Original-Message-ID"));
            let is_read =
                text_of(&fields, "Disposition").is_some_and(|text| text.to_ascii_lowercase().contains("displayed"));
            let reader = text_of(&fields, "Final-Recipient").filter(|_| is_receipt && is_read);
            report.displayed = reader.and_then(|reader| Some(reader.split_once(';')?.1.trim().to_owned()));
        }
        let of_original = matches!(
            (part.media_type.as_str(), part.subtype.as_str()),
            ("message", "rfc822" | "global" | "global-headers") | ("text", "rfc822-headers")
        );
        if of_original {
            let (header, _) = octets.decoded(part, FIELDS)?;
            report.about.extend(id_of(&header, "Message-ID"));
        }
    }
    let own = octets.range(0..FIELDS as u64, FIELDS)?;
    report.about.extend(id_of(&own, "In-Reply-To"));
    Ok((!report.about.is_empty()).then_some(report))
}

fn text_of(block: &[u8], name: &str) -> Option<String> {
    value(block, name).map(|value| String::from_utf8_lossy(&value).trim().to_owned())
}

fn id_of(block: &[u8], name: &str) -> Option<String> {
    text_of(block, name).map(|text| bare(&text).to_owned()).filter(|id| !id.is_empty())
}

/// A Message-ID without its angle brackets.
fn bare(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}
