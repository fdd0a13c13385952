//! What concerns somebody, a page at a time, the newest first.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use anser_base::{AccountId, EntryId, Result, Timestamp};

use crate::event::Event;
use crate::index::{Key, Sought};
use crate::journal::Journal;

/// Events of one page at most.
pub const EVENTS: usize = 200;

/// A place between two events, from which the next page goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    at: Timestamp,
    node: u32,
    seq: u64,
}

impl Mark {
    fn of(event: &Event) -> Self {
        Self { at: event.at, node: event.node, seq: event.seq }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.at.0, self.node, self.seq)
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or(());
        let (at, node, seq) = (next()?.parse(), next()?.parse(), next()?.parse());
        Ok(Self { at: Timestamp(at.map_err(drop)?), node: node.map_err(drop)?, seq: seq.map_err(drop)? })
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What happened, the newest first.
    pub events: Vec<Event>,
    /// From where it goes on; `None` at the end.
    pub next: Option<Mark>,
}

impl Journal {
    /// The newest events of an account or that name one of these addresses, of which `is` holds, and that lie before a mark: at most
    /// `limit` (and 200). Sees what [`Journal::trace`] sees.
    pub async fn leaf(
        &self,
        account: AccountId,
        addresses: &[String],
        is: impl Fn(&Event) -> bool + Send + Sync + 'static,
        before: Option<Mark>,
        limit: usize,
    ) -> Result<Leaf> {
        let limit = limit.clamp(1, EVENTS);
        let keys = addresses.iter().map(|name| Key::address(name)).chain([Key::Account(account)]).collect();
        let is = move |event: &Event| before.is_none_or(|mark| Mark::of(event) < mark) && is(event);
        self.page(Sought { keys, is: Arc::new(is) }, limit).await
    }

    /// The newest events of an entry of the queue that lie before a mark: at most 10,000.
    pub async fn entry_leaf(&self, entry: EntryId, before: Option<Mark>) -> Result<Leaf> {
        let keys = [Key::Entry(entry)].into();
        let is = move |event: &Event| before.is_none_or(|mark| Mark::of(event) < mark);
        self.page(Sought { keys, is: Arc::new(is) }, crate::trace::EVENTS).await
    }

    async fn page(&self, sought: Sought, limit: usize) -> Result<Leaf> {
        // One more than the page holds says whether there is another page.
        let mut events = self.find_all(sought, limit + 1).await?;
        events.sort_by_key(|event| Reverse(Mark::of(event)));
        events.dedup_by_key(|event| Mark::of(event));
        let goes_on = events.len() > limit;
        events.truncate(limit);
        let next = events.last().filter(|_| goes_on).map(Mark::of);
        Ok(Leaf { events, next })
    }

    /// The newest events of some entries of the queue, in no order: at most 10,000.
    pub async fn of_entries(&self, entries: BTreeSet<EntryId>) -> Result<Vec<Event>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.find_all(Sought::all(entries.into_iter().map(Key::Entry).collect()), crate::trace::EVENTS).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mark = Mark { at: Timestamp(1_795_219_200_000), node: 3, seq: u64::MAX };
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for wrong in ["", "1", "1-2", "1-2-x", "x-2-3", "1-2-3-4", "1--3"] {
            assert_eq!(wrong.parse::<Mark>(), Err(()), "{wrong}");
        }
    }
}
