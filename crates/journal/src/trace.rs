//! The life of a message, and what an address has to do with.

use std::collections::BTreeSet;

use anser_base::{EntryId, Result};

use crate::event::{Event, What};
use crate::index::{Key, Sought, find};
use crate::journal::Journal;

/// Entries of the queue that one message is followed through at most.
const ENTRIES: usize = 200;
/// Events of one answer at most.
pub(crate) const EVENTS: usize = 10_000;

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// A Message-ID, with or without angle brackets.
    Message(String),
    /// An address, as sender, recipient, or login name.
    Address(String),
    /// An entry of the queue.
    Entry(EntryId),
    /// A Message-ID or an address: whatever it turns out to be.
    Any(String),
}

impl Query {
    /// What an operator typed: `<…>` is a Message-ID, digits are an entry, anything else may be both.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        match text.parse() {
            Ok(number) => Self::Entry(EntryId(number)),
            Err(_) if text.starts_with('<') => Self::Message(text.to_owned()),
            Err(_) => Self::Any(text.to_owned()),
        }
    }

    fn keys(&self) -> BTreeSet<Key> {
        match self {
            Self::Message(id) => [Key::message(id)].into(),
            Self::Address(address) => [Key::address(address)].into(),
            Self::Entry(id) => [Key::Entry(*id)].into(),
            Self::Any(text) => [Key::message(text), Key::address(text)].into(),
        }
    }
}

impl Journal {
    /// The newest events that the query finds, at most `limit` (and 10,000), in the order of time. A message that was found by
    /// its Message-ID, or an entry, is followed through the queue: its deliveries, and the reports and copies that came of it.
    /// Sees what was appended before the last [`Journal::flush`], and usually all but the last 20 ms.
    pub async fn trace(&self, query: Query, limit: usize) -> Result<Vec<Event>> {
        let limit = limit.min(EVENTS);
        let wanted = query.keys();
        let mut found = self.find_all(Sought::all(wanted.clone()), limit).await?;
        let mut known: BTreeSet<EntryId> = BTreeSet::new();
        loop {
            let followed = followed(&found, &wanted, &known);
            let fresh: BTreeSet<EntryId> = followed.difference(&known).take(ENTRIES - known.len()).copied().collect();
            if fresh.is_empty() {
                return Ok(newest(found, limit));
            }
            let more = self.find_all(Sought::all(fresh.iter().copied().map(Key::Entry).collect()), limit).await?;
            known.extend(fresh);
            found.extend(more);
        }
    }

    pub(crate) async fn find_all(&self, wanted: Sought, limit: usize) -> Result<Vec<Event>> {
        let mut all = Vec::new();
        for place in self.places().into_iter().rev() {
            let wanted = wanted.clone();
            all.append(&mut self.db.read(place, move |tx| find(tx, &wanted, limit)).await?);
            if all.len() >= limit {
                break;
            }
        }
        Ok(all)
    }
}

/// The entries whose events belong to the answer: those accepted under a wanted Message-ID or number, and their offspring.
fn followed(found: &[Event], wanted: &BTreeSet<Key>, known: &BTreeSet<EntryId>) -> BTreeSet<EntryId> {
    let accepted = found.iter().filter_map(|event| match &event.what {
        What::Accepted { entry, message_id, parent, .. } => {
            Some((*entry, message_id.as_deref().map(Key::message), *parent))
        }
        _ => None,
    });
    accepted
        .filter(|(entry, id, parent)| {
            wanted.contains(&Key::Entry(*entry))
                || id.as_ref().is_some_and(|id| wanted.contains(id))
                || parent.is_some_and(|parent| known.contains(&parent) || wanted.contains(&Key::Entry(parent)))
        })
        .map(|(entry, ..)| entry)
        .collect()
}

fn newest(mut found: Vec<Event>, limit: usize) -> Vec<Event> {
    found.sort_by_key(|event| (event.at, event.node, event.seq));
    found.dedup_by_key(|event| (event.node, event.seq));
    let surplus = found.len().saturating_sub(limit);
    found.drain(..surplus);
    found
}
