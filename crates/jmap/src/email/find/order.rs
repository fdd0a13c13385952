//! The order of results (RFC 8621 §4.4.2). Messages that are equal in all stand newest first.

use std::cmp::Ordering;
use std::collections::HashSet;

use anser_base::{MessageId, Result, ThreadId};
use anser_mime::address::Address;
use anser_mime::summary::{base_subject, subject_text};
use anser_store::{Entry, Listing};

use super::super::load::has_keyword;
use super::{Finder, ROWS};
use crate::error::MethodError;
use crate::law::query::Comparator;

const BY_LIST: [&str; 5] = ["receivedAt", "size", "hasKeyword", "allInThreadHaveKeyword", "someInThreadHaveKeyword"];
const BY_ROW: [&str; 4] = ["sentAt", "from", "to", "subject"];

/// What a message is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Number(i64),
    Text(String),
}

/// Refuses what nobody sorts by.
pub(super) fn check(sort: &[Comparator]) -> std::result::Result<(), MethodError> {
    for by in sort {
        let property = by.property.as_str();
        if !BY_LIST.contains(&property) && !BY_ROW.contains(&property) {
            return Err(MethodError::new("unsupportedSort", format!("{property} is nothing to sort by")));
        }
        if property.ends_with("Keyword") != by.keyword.is_some() {
            return Err(MethodError::invalid("a keyword belongs to those sorts that name one"));
        }
    }
    Ok(())
}

/// Brings messages into order.
pub(super) async fn order(finder: &Finder<'_>, entries: &[&Entry]) -> Result<Vec<MessageId>> {
    let mut columns: Vec<(bool, Vec<SortKey>)> = Vec::new();
    for by in &finder.wish.sort {
        let keys = match BY_ROW.contains(&by.property.as_str()) {
            true => by_row(finder, by, entries).await?,
            false => by_list(finder, by, entries),
        };
        columns.push((by.ascending, keys));
    }
    let mut places: Vec<usize> = (0..entries.len()).collect();
    let compare = |a: &usize, b: &usize| {
        let one = |(ascending, keys): &(bool, Vec<SortKey>)| {
            let order = keys[*a].cmp(&keys[*b]);
            if *ascending { order } else { order.reverse() }
        };
        columns
            .iter()
            .map(one)
            .fold(Ordering::Equal, Ordering::then)
            .then(entries[*b].message.cmp(&entries[*a].message))
    };
    places.sort_by(compare);
    Ok(places.into_iter().map(|at| entries[at].message).collect())
}

/// Between those that have a keyword and those that do not; no date in milliseconds and no size comes near it.
const APART: i64 = 1 << 60;

/// What a sort is by, where that is one number of each message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    /// Whether those that have a keyword come last, or first, whatever else they are.
    keyword: Option<(&'a str, bool)>,
    by: By,
    ascends: bool,
}

#[derive(Clone, Copy, Debug)]
enum By {
    Received,
    Size,
}

/// The number that a sort is by, if it is by nothing else.
pub(super) fn number(sort: &[Comparator]) -> Option<Number<'_>> {
    let (keyword, rest) = match sort {
        [] => return Some(Number { keyword: None, by: By::Received, ascends: false }),
        [first, rest @ ..] if first.property == "hasKeyword" => {
            (first.keyword.as_deref().map(|keyword| (keyword, first.ascending)), rest)
        }
        all => (None, all),
    };
    let [last] = rest else { return None };
    let by = match last.property.as_str() {
        "receivedAt" => By::Received,
        "size" => By::Size,
        _ => return None,
    };
    Some(Number { keyword, by, ascends: last.ascending })
}

impl Number<'_> {
    /// What it is of a message, so that it ascends.
    pub fn of(self, entry: &Entry) -> i64 {
        let number = match self.by {
            By::Received => entry.received.0,
            By::Size => entry.size as i64,
        };
        let is_last = self.keyword.is_some_and(|(keyword, last)| has_keyword(entry, keyword) == last);
        (if self.ascends { number } else { -number }) + if is_last { APART } else { 0 }
    }

    /// Messages in this order.
    pub fn sorted(self, entries: &[&Entry]) -> Vec<(i64, MessageId)> {
        let mut all: Vec<(i64, i64)> = entries.iter().map(|entry| (self.of(entry), -entry.message.to_sql())).collect();
        // A list ascends as mail arrives: turned around it is nearly in order.
        if matches!(self.by, By::Received) && !self.ascends {
            all.reverse();
        }
        all.sort();
        all.into_iter().map(|(number, id)| (number, MessageId::from_sql(-id))).collect()
    }
}

fn by_list(finder: &Finder<'_>, by: &Comparator, entries: &[&Entry]) -> Vec<SortKey> {
    let keyword = by.keyword.as_deref().unwrap_or_default();
    let number = |number: i64| SortKey::Number(number);
    match by.property.as_str() {
        "receivedAt" => entries.iter().map(|entry| number(entry.received.0)).collect(),
        "size" => entries.iter().map(|entry| number(entry.size as i64)).collect(),
        "hasKeyword" => entries.iter().map(|entry| number(has_keyword(entry, keyword).into())).collect(),
        property => {
            let all = property == "allInThreadHaveKeyword";
            let (mut hint, mut told) = (0, 0);
            let telling = finder.lists.of(|_| true).filter(|entry| has_keyword(entry, keyword) != all);
            let threads: HashSet<ThreadId> = telling.map(|entry| finder.thread(entry.message, &mut hint)).collect();
            let is = |entry: &&Entry| threads.contains(&finder.thread(entry.message, &mut told)) != all;
            entries.iter().map(is).map(|is| number(is.into())).collect()
        }
    }
}

async fn by_row(finder: &Finder<'_>, by: &Comparator, entries: &[&Entry]) -> Result<Vec<SortKey>> {
    let mut keys = Vec::with_capacity(entries.len());
    for piece in entries.chunks(ROWS) {
        let ids: Vec<MessageId> = piece.iter().map(|entry| entry.message).collect();
        let rows = finder.door.deps.store.read(finder.access.owner.id, move |tx| tx.listing_rows(&ids)).await?;
        for (entry, row) in piece.iter().zip(rows) {
            keys.push(row_key(&by.property, entry, &row.unwrap_or_default().listing()));
        }
    }
    Ok(keys)
}

fn row_key(property: &str, entry: &Entry, listing: &Listing) -> SortKey {
    let envelope = &listing.envelope;
    match property {
        "sentAt" => SortKey::Number(listing.sent.unwrap_or(entry.received.secs())),
        "from" => SortKey::Text(person(&envelope.from)),
        "to" => SortKey::Text(person(&envelope.to)),
        _ => SortKey::Text(base_subject(&subject_text(envelope.subject.as_deref().unwrap_or_default())).to_lowercase()),
    }
}

/// The name of the first address, else the address.
fn person(list: &[Address]) -> String {
    let Some(address) = list.iter().find(|address| address.host.is_some()) else { return String::new() };
    let name = address.name_text();
    let shown = if name.trim().is_empty() { address.email().unwrap_or_default() } else { name };
    shown.trim().to_lowercase()
}
