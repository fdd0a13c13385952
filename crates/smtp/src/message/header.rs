//! Third stage: what the header decides. Loops end here, nobody signs with another's name, and a submitted message gets what it
//! lacks (RFC 6409 §8).

use std::ops::Range;

use anser_base::limits::HOPS;
use anser_base::{Address, Timestamp};
use anser_mime::address::{MAX_ADDRESSES, parse_list};
use anser_mime::date::{DateTime, format_rfc5322};
use anser_mime::header::{Field, fields, unfold};
use anser_senderauth::results::without_forged;

use super::intake::{INLINE, Terms};
use crate::answer::Stop;
use crate::policy::{NOT_YOURS, may_sign_as};

/// Length of the random part of a Message-ID, in characters.
const ID_TOKEN: usize = 16;

/// What the rest of the path needs to know of a header.
#[derive(Debug)]
pub struct Head {
    /// The Message-ID without angle brackets, for the journal.
    pub message_id: Option<String>,
    /// It says that many get it.
    is_bulk: bool,
}

/// Recipients from which on a message is mail for many.
const MANY: usize = 50;
/// The priority of mail for many, where nobody asked for another (RFC 6710): people's letters do not wait behind it.
const BULK: i8 = -1;

impl Head {
    /// The priority of a message to so many recipients, where the sender named none.
    pub fn priority(&self, recipients: usize) -> i8 {
        if self.is_bulk || recipients >= MANY { BULK } else { 0 }
    }
}

/// One look at all fields.
#[derive(Default)]
struct Found {
    /// Length of the header without its blank line.
    length: usize,
    hops: usize,
    has_date: bool,
    message_id: Option<String>,
    is_bulk: bool,
    has_from: bool,
    /// The addresses of all From fields; `None` for what is no address.
    from: Vec<Option<Address>>,
    /// Where Bcc fields are.
    hidden: Vec<Range<usize>>,
}

/// Judges the header that `message` begins with, and mends that of a submitted message. `whole` says whether the message ends with
/// the buffer; if not, the blank line must be in it.
pub async fn judge(terms: &Terms, message: &mut Vec<u8>, whole: bool) -> Result<Head, Stop> {
    let mut found = look(message, terms.account.is_some());
    if found.length > INLINE || (!whole && found.length == message.len()) {
        return Err(Stop::refused(552, (5, 3, 4), format!("The header is larger than {INLINE} octets")));
    }
    if found.hops > HOPS {
        return Err(Stop::refused(554, (5, 4, 6), "Too many hops; the message runs in circles"));
    }
    if terms.account.is_some() {
        check_author(terms, &found).await?;
        mend(terms, message, &mut found);
    }
    if terms.clean {
        take_out_forged_results(terms, message);
    }
    Ok(Head { message_id: found.message_id, is_bulk: found.is_bulk })
}

/// `submitted` messages are looked at for their authors and for Bcc as well.
fn look(message: &[u8], submitted: bool) -> Found {
    let mut found = Found::default();
    let wanted = if submitted { &NOTES[..] } else { &NOTES[..EVERYWHERE] };
    for field in fields(message) {
        found.length = field.range.end;
        if let Some((_, note)) = wanted.iter().find(|(name, _)| name.eq_ignore_ascii_case(field.name)) {
            note(&mut found, &field);
        }
    }
    found
}

const EVERYWHERE: usize = 5;

type Note = fn(&mut Found, &Field<'_>);

/// What is noted of which field; the first [`EVERYWHERE`] at every service.
const NOTES: [(&[u8], Note); 9] = [
    (b"Received", |found, _| found.hops += 1),
    (b"Message-ID", |found, field| {
        found.message_id.get_or_insert_with(|| id_text(field.value));
    }),
    (b"List-Id", |found, _| found.is_bulk = true),
    (b"List-Unsubscribe", |found, _| found.is_bulk = true),
    (b"Precedence", |found, field| found.is_bulk |= is_bulk(field.value)),
    (b"Date", |found, _| found.has_date = true),
    (b"From", |found, field| found.note_author(field)),
    (b"Bcc", |found, field| found.hidden.push(field.range.clone())),
    (b"Resent-Bcc", |found, field| found.hidden.push(field.range.clone())),
];

impl Found {
    fn note_author(&mut self, field: &Field<'_>) {
        self.has_from = true;
        let list = parse_list(field.value);
        if list.len() >= MAX_ADDRESSES {
            self.from.push(None);
        }
        let people = list.iter().filter(|entry| entry.host.is_some());
        self.from.extend(people.map(|entry| {
            let (local, domain) = (entry.mailbox.as_deref()?, entry.host.as_deref()?);
            Address::new(str::from_utf8(local).ok()?, str::from_utf8(domain).ok()?)
        }));
    }
}

/// `Precedence` is in no standard, but mailing lists have always written it.
fn is_bulk(precedence: &[u8]) -> bool {
    let word = precedence.trim_ascii();
    ["bulk", "list", "junk"].iter().any(|bulk| word.eq_ignore_ascii_case(bulk.as_bytes()))
}

fn id_text(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(&unfold(value)).into_owned();
    text.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

/// All authors must be the account itself (RFC 6409 §6.1). A message without From claims nobody's name.
async fn check_author(terms: &Terms, found: &Found) -> Result<(), Stop> {
    let Some(account) = terms.account.as_ref().filter(|_| found.has_from) else { return Ok(()) };
    let all: Option<Vec<Address>> = found.from.iter().cloned().collect();
    match all {
        Some(all) if may_sign_as(&terms.deps.directory, account, &all).await? => Ok(()),
        _ => Err(NOT_YOURS.into()),
    }
}

/// Adds Date and Message-ID where they are missing, before everything else so that no signature breaks (RFC 6409 §8.2, §8.3), and
/// takes Bcc out. Everything else stays as it is.
fn mend(terms: &Terms, message: &mut Vec<u8>, found: &mut Found) {
    let now = terms.deps.clock.now();
    let mut added = String::new();
    if !found.has_date {
        let date = DateTime { unix: now.secs(), offset_minutes: 0 };
        added.push_str(&format!("Date: {}\r\n", format_rfc5322(date)));
    }
    if found.message_id.as_ref().is_none_or(String::is_empty) {
        let id = new_id(terms, now);
        added.push_str(&format!("Message-ID: <{id}>\r\n"));
        found.message_id = Some(id);
    }
    if added.is_empty() && found.hidden.is_empty() {
        return;
    }
    let mut mended = Vec::with_capacity(added.len() + message.len());
    mended.extend_from_slice(added.as_bytes());
    let mut from = 0;
    for range in &found.hidden {
        mended.extend_from_slice(&message[from..range.start]);
        from = range.end;
    }
    mended.extend_from_slice(&message[from..]);
    *message = mended;
}

/// Nobody else writes results in our name (RFC 8601 §5).
fn take_out_forged_results(terms: &Terms, message: &mut Vec<u8>) {
    let (header, _) = anser_senderauth::message::split(message);
    let length = header.len();
    if let Some(clean) = without_forged(header, &terms.deps.hostname) {
        message.splice(..length, clean);
    }
}

fn new_id(terms: &Terms, now: Timestamp) -> String {
    format!("{:x}.{}@{}", now.0, terms.deps.entropy.token(ID_TOKEN), terms.deps.hostname)
}
