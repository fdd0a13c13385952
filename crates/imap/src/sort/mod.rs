//! The order of SORT (RFC 5256 §3) and of its display keys (RFC 5957): keys come from the list and from the messages' rows, never from
//! bodies. Texts of a column stand behind each other in one buffer, so that a mailbox of any size is sorted in little memory.

mod casemap;
mod rows;

use std::cmp::Ordering;

use anser_mime::address::Address;
use anser_mime::charset;
use anser_mime::summary::{base_subject, subject_text};
use anser_store::{Entry, Listing, Snapshot};
use anser_wire::imap::SortKey;

pub(crate) use casemap::casemap;
pub(crate) use rows::fold_rows;

use crate::command::gather::blocking;
use crate::reply::Trouble;
use crate::session::Session;

/// The keys of one criterion, one for each message.
enum Column {
    Numbers(Vec<i64>),
    Texts(Texts),
}

#[derive(Default)]
struct Texts {
    all: String,
    /// Where each text ends.
    ends: Vec<usize>,
}

/// One criterion and its keys.
struct Criterion {
    key: SortKey,
    reverse: bool,
    column: Column,
}

/// Brings message numbers, which ascend, into the order of the criteria. Messages that are equal in all stay in order (RFC 5256 §3).
pub(crate) async fn order(
    session: &mut Session,
    tag: &str,
    list: &std::sync::Arc<Snapshot>,
    numbers: Vec<u32>,
    criteria: &[(SortKey, bool)],
) -> Result<Vec<u32>, Trouble> {
    let criteria: Vec<Criterion> = criteria.iter().map(|(key, reverse)| Criterion::new(*key, *reverse)).collect();
    let fold = |criteria: &mut Vec<Criterion>, entry: &Entry, listing: &Listing, _: &[i64]| {
        criteria.iter_mut().for_each(|criterion| criterion.push(entry, listing));
    };
    let needs_rows = criteria.iter().any(|criterion| !matches!(criterion.key, SortKey::Arrival | SortKey::Size));
    let criteria = match needs_rows {
        true => fold_rows(session, tag, list, &numbers, criteria, fold).await?,
        false => {
            let mut criteria = criteria;
            for entry in numbers.iter().filter_map(|seq| list.by_seq(*seq)) {
                fold(&mut criteria, entry, &Listing::default(), &[]);
            }
            criteria
        }
    };
    Ok(blocking(move || Ok(sorted(&criteria, numbers))).await?)
}

fn sorted(criteria: &[Criterion], numbers: Vec<u32>) -> Vec<u32> {
    let mut places: Vec<u32> = (0..numbers.len() as u32).collect();
    places.sort_by(|a, b| {
        let orders = criteria.iter().map(|criterion| criterion.compare(*a as usize, *b as usize));
        orders.reduce(Ordering::then).unwrap_or(Ordering::Equal)
    });
    places.into_iter().filter_map(|place| numbers.get(place as usize).copied()).collect()
}

impl Criterion {
    fn new(key: SortKey, reverse: bool) -> Self {
        let column = match key {
            SortKey::Arrival | SortKey::Date | SortKey::Size => Column::Numbers(Vec::new()),
            _ => Column::Texts(Texts::default()),
        };
        Self { key, reverse, column }
    }

    fn push(&mut self, entry: &Entry, listing: &Listing) {
        match &mut self.column {
            Column::Numbers(numbers) => numbers.push(number_key(self.key, entry, listing)),
            Column::Texts(texts) => {
                texts.all.push_str(&casemap(&text_key(self.key, listing)));
                texts.ends.push(texts.all.len());
            }
        }
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        let order = match &self.column {
            Column::Numbers(numbers) => numbers.get(a).cmp(&numbers.get(b)),
            Column::Texts(texts) => texts.get(a).cmp(texts.get(b)),
        };
        if self.reverse { order.reverse() } else { order }
    }
}

impl Texts {
    fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start..self.ends[at]]
    }
}

fn number_key(key: SortKey, entry: &Entry, listing: &Listing) -> i64 {
    match key {
        SortKey::Size => entry.size as i64,
        SortKey::Date => sent(entry, listing),
        _ => entry.received.secs(),
    }
}

/// The sent date in seconds (RFC 5256 §2.2): a message without a good Date field has that of its arrival.
pub(crate) fn sent(entry: &Entry, listing: &Listing) -> i64 {
    listing.sent.unwrap_or(entry.received.secs())
}

fn text_key(key: SortKey, listing: &Listing) -> String {
    let envelope = &listing.envelope;
    match key {
        SortKey::Subject => base_subject(&subject_text(envelope.subject.as_deref().unwrap_or_default())),
        SortKey::From => mailbox(&envelope.from),
        SortKey::To => mailbox(&envelope.to),
        SortKey::Cc => mailbox(&envelope.cc),
        SortKey::DisplayFrom => display(&envelope.from),
        SortKey::DisplayTo => display(&envelope.to),
        SortKey::Arrival | SortKey::Date | SortKey::Size => String::new(),
    }
}

/// The local part of the first address; of a group its name.
fn mailbox(list: &[Address]) -> String {
    let mailbox = list.first().and_then(|address| address.mailbox.as_deref());
    mailbox.map(|mailbox| charset::decode(None, mailbox)).unwrap_or_default()
}

/// The display name of the first address, else the address itself (RFC 5957 §3).
fn display(list: &[Address]) -> String {
    let Some(address) = list.first() else { return String::new() };
    let name = address.name_text();
    if name.trim().is_empty() { address.email().unwrap_or_default() } else { name }
}
