//! What concerns somebody, a page at a time, the newest first.
//!
//! Whoever turns the pages may be anybody with an account, and the mailbox may be one that everything is sent to. So a page costs no
//! more however much there is: it looks at [`LOOKS`] events and at [`PIECES`] pieces of the index, a few in each transaction, and may then
//! be short.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use anser_base::{AccountId, EntryId, Result};
use anser_db::Place;

use crate::event::Event;
use crate::index::{Key, Sought, candidates, nodes};
use crate::journal::Journal;
use crate::schema;

/// Events of one page at most.
pub const EVENTS: usize = 200;
/// Events that are looked at for one page at most.
const LOOKS: usize = 20_000;
/// Events that are looked at in one transaction, so that what is written meanwhile does not wait.
const STEP: usize = 256;
/// Pieces of the index that are looked at for one page at most: of some ten thousand events each.
const PIECES: usize = 1_000;
/// Nodes that a mark tells of.
const NODES: usize = 1024;

/// A place between events, from which the next page goes on: of each node the number of the event before which it does; without
/// one it begins at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark(BTreeMap<u32, u64>);

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (node, seq)) in self.0.iter().enumerate() {
            write!(f, "{}{node}-{seq}", if at > 0 { "." } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut all = BTreeMap::new();
        for part in text.split('.') {
            let (node, seq) = part.split_once('-').ok_or(())?;
            let (node, seq) = (node.parse().map_err(drop)?, seq.parse().map_err(drop)?);
            if node >= schema::NODES || seq > schema::LAST || all.len() == NODES || all.insert(node, seq).is_some() {
                return Err(());
            }
        }
        Ok(Self(all))
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What happened, the newest first.
    pub events: Vec<Event>,
    /// From where it goes on, be the page full or not; `None` at the end.
    pub next: Option<Mark>,
}

/// The events of one node in one place.
struct Lane {
    node: u32,
    /// Its first event here.
    first: u64,
    /// The index was looked at down to here.
    before: u64,
    /// What is still to be looked at, ascending.
    ids: Vec<i64>,
    /// What was looked at and is sought, the newest first.
    ready: VecDeque<Event>,
}

impl Journal {
    /// The newest events of an account or that name one of these addresses, of which `is` holds, and that lie before a mark: at most
    /// `limit` (and 200), and fewer where `is` holds of few. Sees what [`Journal::trace`] sees.
    pub async fn leaf(
        &self,
        account: AccountId,
        addresses: &[String],
        is: impl Fn(&Event) -> bool + Send + Sync + 'static,
        before: Option<Mark>,
        limit: usize,
    ) -> Result<Leaf> {
        let keys = addresses.iter().map(|name| Key::address(name)).chain([Key::Account(account)]).collect();
        self.page(Sought { keys, is: Arc::new(is) }, before, limit.clamp(1, EVENTS)).await
    }

    /// The newest events of an entry of the queue that lie before a mark: at most 10,000.
    pub async fn entry_leaf(&self, entry: EntryId, before: Option<Mark>) -> Result<Leaf> {
        self.page(Sought::all([Key::Entry(entry)].into()), before, crate::trace::EVENTS).await
    }

    async fn page(&self, sought: Sought, before: Option<Mark>, limit: usize) -> Result<Leaf> {
        let (mut mark, mut events) = (before.unwrap_or_default(), Vec::new());
        let (mut looks, mut pieces) = (LOOKS, PIECES);
        for place in self.places().into_iter().rev() {
            let mut lanes = self.lanes(place, &mark).await?;
            // However many they are, all come to something.
            let step = (LOOKS / 2 / lanes.len().max(1)).clamp(1, STEP);
            loop {
                for lane in &mut lanes {
                    while lane.ready.is_empty() && (!lane.ids.is_empty() || lane.first < lane.before) {
                        if looks == 0 || pieces == 0 {
                            return Ok(Leaf { events, next: Some(mark) });
                        }
                        let passed = match lane.ids.len() {
                            0 => {
                                pieces -= 1;
                                self.refill(place, &sought, lane).await?;
                                lane.ids.is_empty().then_some(lane.before)
                            }
                            length => {
                                let ids = lane.ids.split_off(length - step.min(looks).min(length));
                                looks -= ids.len();
                                let oldest = ids.first().map(|id| schema::seq_of(*id));
                                lane.ready = self.look(place, &sought, ids).await?.into();
                                oldest.filter(|_| lane.ready.is_empty())
                            }
                        };
                        mark.0.extend(passed.map(|seq| (lane.node, seq)));
                    }
                }
                let newest = lanes.iter_mut().max_by_key(|lane| lane.ready.front().map(|event| event.at));
                let Some(event) = newest.and_then(|lane| lane.ready.pop_front()) else { break };
                if events.len() == limit {
                    return Ok(Leaf { events, next: Some(mark) });
                }
                mark.0.insert(event.node, event.seq);
                events.push(event);
            }
        }
        Ok(Leaf { events, next: None })
    }

    /// The nodes that have something in a place, before the mark.
    async fn lanes(&self, place: Place, mark: &Mark) -> Result<Vec<Lane>> {
        let nodes = self.db.read(place, nodes).await?.into_iter();
        let lanes = nodes.map(|(node, first)| {
            let before = mark.0.get(&node).copied().unwrap_or(schema::LAST);
            Lane { node, first, before, ids: Vec::new(), ready: VecDeque::new() }
        });
        Ok(lanes.filter(|lane| lane.first < lane.before).collect())
    }

    /// What may be sought in the next piece of the index.
    async fn refill(&self, place: Place, sought: &Sought, lane: &mut Lane) -> Result<()> {
        let (node, before, keys) = (lane.node, lane.before, sought.keys.clone());
        (lane.ids, lane.before) = self.db.read(place, move |tx| candidates(tx, node, &keys, before)).await?;
        Ok(())
    }

    /// Those of some events that are sought, the newest first.
    async fn look(&self, place: Place, sought: &Sought, ids: Vec<i64>) -> Result<Vec<Event>> {
        let sought = sought.clone();
        let read = self.db.read(place, move |tx| {
            let mut found = Vec::new();
            for id in ids.iter().rev() {
                found.extend(sought.read(tx, *id)?);
            }
            Ok(found)
        });
        read.await
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
        let mark = Mark([(0, 17), (3, schema::LAST)].into());
        assert_eq!(mark.to_string().parse(), Ok(mark));
        let many: Vec<String> = (0..=NODES).map(|node| format!("{node}-1")).collect();
        let far = format!("0-{}", schema::LAST + 1);
        for wrong in ["", "1", "1-2-3", "1-2-x", "x-2", "1-2.", "1-2.1-3", "262144-1", "1--3", &far, &many.join(".")] {
            assert_eq!(wrong.parse::<Mark>(), Err(()), "{wrong}");
        }
    }
}
