//! Messages of an open folder: their list in windows, and their bodies in batches. Answers are told apart by UID, never by their
//! order or by the command that they follow: servers mix the answers of pipelined commands.

use std::collections::{BTreeMap, HashMap, VecDeque};

use anser_base::{Error, TenantId};
use anser_store::{BodyWriter, Content, Flags, Keywords, Store};
use anser_wire::imap::client::{Fetched, Response, sets};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::connection::{Got, Imap, well};
use super::folder::Standing;
use crate::trouble::Trouble;

/// Messages that one window of a list is meant to hold.
const WINDOW: u64 = 5_000;
/// Messages that one window may hold whatever the server says, before the connection is given up.
const WINDOW_MAX: usize = 1_000_000;
/// A body up to this size, in bytes, travels in memory.
const IN_MEMORY: u64 = 1024 * 1024;
/// Bytes of a body that lie between socket and disk are at most this many pieces of 64 KiB.
const PIECES: usize = 8;
/// Longest date that is kept, in bytes.
const DATE: usize = 64;

/// A message as the list tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its UID.
    pub uid: u32,
    /// System flags.
    pub flags: Flags,
    /// Keywords.
    pub keywords: Keywords,
    /// INTERNALDATE, as written.
    pub received: String,
    /// RFC822.SIZE, which may be wrong.
    pub size: u64,
}

/// The UIDs of a window, both ends included; the last window ends with the highest UID there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// Windows over all UIDs of a folder from one on.
pub fn windows(standing: &Standing, from: u32) -> impl Iterator<Item = Window> + use<> {
    let (messages, next) = (standing.messages.max(1), u64::from(standing.uidnext));
    // Where messages are spread evenly a window holds as many as it is meant to.
    let step = if next == 0 { u64::from(u32::MAX) } else { (next * WINDOW / messages).max(WINDOW) };
    let mut first = u64::from(from.max(1));
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let last = first + step - 1;
        ended = next == 0 || last + 1 >= next;
        let last = if ended { u64::from(u32::MAX) } else { last };
        let window = Window { first: first as u32, last: last as u32 };
        first = last + 1;
        Some(window)
    })
}

impl Imap {
    /// What the messages of a window look like; with `since`, only those that changed after that modification sequence.
    pub async fn list(&mut self, window: Window, since: Option<u64>) -> Result<BTreeMap<u32, Seen>, Trouble> {
        let last = if window.last == u32::MAX { "*".to_owned() } else { window.last.to_string() };
        let since = since.map_or(String::new(), |modseq| format!(" (CHANGEDSINCE {modseq})"));
        let command = format!("UID FETCH {}:{last} (UID FLAGS INTERNALDATE RFC822.SIZE){since}", window.first);
        let mut seen = BTreeMap::new();
        let mut too_many = false;
        self.run(&command, |response| {
            if let Response::Fetch(fetched) = response {
                too_many |= seen.len() >= WINDOW_MAX;
                // `9:*` names the last message whatever its UID.
                if let Some(one) =
                    seen_of(fetched).filter(|one| !too_many && one.uid >= window.first && one.uid <= window.last)
                {
                    seen.insert(one.uid, one);
                }
            }
        })
        .await?;
        if too_many { Err(Trouble::lost("the server lists messages without end")) } else { Ok(seen) }
    }
}

fn seen_of(fetched: Fetched) -> Option<Seen> {
    let (flags, keywords) = flags_of(&fetched.flags?);
    let mut date = fetched.internal_date.unwrap_or_default();
    date.truncate(DATE);
    let received = String::from_utf8_lossy(&date).into_owned();
    Some(Seen { uid: fetched.uid?, flags, keywords, received, size: fetched.size.unwrap_or(0) })
}

/// System flags and keywords. A flag with a backslash that nobody defined becomes a keyword without it; `\Recent` is the session's.
pub fn flags_of(words: &[String]) -> (Flags, Keywords) {
    let (mut flags, mut keywords) = (Flags::default(), Vec::new());
    for word in words {
        match Flags::named(word) {
            Some(flag) => flags = flags.with(flag),
            None if word.eq_ignore_ascii_case("\\Recent") || word == "\\*" => {}
            None => keywords.push(word.trim_start_matches('\\')),
        }
    }
    (flags, Keywords::new(keywords))
}

/// A body that arrived.
#[derive(Debug)]
pub enum Taken {
    /// In memory.
    Memory(Vec<u8>),
    /// Put where bodies are, not yet durable.
    Stored(Box<Content>),
}

/// What one command brought.
#[derive(Debug)]
pub struct Batch {
    /// The UIDs that were asked for, ascending.
    pub wanted: Vec<u32>,
    /// What came of them.
    pub arrived: HashMap<u32, Taken>,
    /// What the server said when it did not do all.
    pub refused: Option<String>,
}

/// Bodies of an open folder, several commands at a time.
pub struct Fetcher<'a> {
    imap: &'a mut Imap,
    store: Store,
    tenant: TenantId,
    under_way: VecDeque<(String, Vec<u32>)>,
    arrived: HashMap<u32, Taken>,
    /// The body that is arriving.
    current: Option<Incoming>,
}

impl<'a> Fetcher<'a> {
    /// Over an open folder; large bodies go to this tenant's bodies at once.
    pub fn new(imap: &'a mut Imap, store: Store, tenant: TenantId) -> Self {
        Self { imap, store, tenant, under_way: VecDeque::new(), arrived: HashMap::new(), current: None }
    }

    /// Commands that were not answered yet.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Asks for some bodies, by ascending UIDs of few ranges.
    pub async fn ask(&mut self, uids: Vec<u32>) -> Result<(), Trouble> {
        self.ask_for(uids, "BODY.PEEK[]").await
    }

    /// The same by another data item.
    pub async fn ask_for(&mut self, uids: Vec<u32>, item: &str) -> Result<(), Trouble> {
        let set = sets(&uids).join(",");
        let tag = self.imap.send(&format!("UID FETCH {set} (UID {item})")).await?;
        self.under_way.push_back((tag, uids));
        Ok(())
    }

    /// What the oldest command brought.
    pub async fn receive(&mut self) -> Result<Batch, Trouble> {
        loop {
            match self.imap.next().await? {
                Got::Body(size) => self.current = Some(Incoming::begin(size, &self.store, self.tenant)),
                Got::Octets(count) => {
                    if let Some(current) = &mut self.current {
                        current.take(&self.imap.octets()[..count]).await?;
                    }
                    self.imap.used(count);
                }
                Got::Response(Response::Fetch(fetched)) => self.keep(fetched).await?,
                Got::Response(Response::Condition(condition)) if condition.tag.is_some() => {
                    if let Some(batch) = self.end(condition)? {
                        return Ok(batch);
                    }
                }
                Got::Response(_) => {}
            }
        }
    }

    /// The end of a message's answer: now it is known whose body it was.
    async fn keep(&mut self, fetched: Fetched) -> Result<(), Trouble> {
        let current = self.current.take();
        let taken = match (current, fetched.body) {
            (Some(current), _) => current.end().await?,
            (None, Some(body)) => Taken::Memory(body),
            (None, None) => return Ok(()),
        };
        let wanted = |uid: &u32| self.under_way.iter().any(|(_, uids)| uids.binary_search(uid).is_ok());
        if let Some(uid) = fetched.uid.filter(wanted) {
            self.arrived.entry(uid).or_insert(taken);
        }
        Ok(())
    }

    fn end(&mut self, condition: anser_wire::imap::client::Condition) -> Result<Option<Batch>, Trouble> {
        let Some(at) = self.under_way.iter().position(|(tag, _)| Some(tag) == condition.tag.as_ref()) else {
            return Ok(None);
        };
        let Some((_, wanted)) = self.under_way.remove(at) else { return Ok(None) };
        let refused = match well(condition, "UID FETCH") {
            Ok(_) => None,
            Err(Trouble::Refused(why)) => Some(why),
            Err(other) => return Err(other),
        };
        let mut arrived = HashMap::new();
        for uid in &wanted {
            arrived.extend(self.arrived.remove(uid).map(|taken| (*uid, taken)));
        }
        Ok(Some(Batch { wanted, arrived, refused }))
    }
}

/// A body on its way: in memory, or through a thread that writes it.
enum Incoming {
    Memory(Vec<u8>),
    Disk(mpsc::Sender<Bytes>, JoinHandle<anser_base::Result<Content>>),
}

impl Incoming {
    fn begin(size: u64, store: &Store, tenant: TenantId) -> Self {
        if size <= IN_MEMORY {
            return Self::Memory(Vec::with_capacity(size as usize));
        }
        let (pieces, incoming) = mpsc::channel(PIECES);
        let store = store.clone();
        let writing = tokio::task::spawn_blocking(move || write(store.body_writer(tenant)?, incoming, size));
        Self::Disk(pieces, writing)
    }

    async fn take(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        match self {
            Self::Memory(body) => body.extend_from_slice(octets),
            // When the writer gave up, its reason comes at the end.
            Self::Disk(pieces, _) => drop(pieces.send(Bytes::copy_from_slice(octets)).await),
        }
        Ok(())
    }

    async fn end(self) -> Result<Taken, Trouble> {
        match self {
            Self::Memory(body) => Ok(Taken::Memory(body)),
            Self::Disk(pieces, writing) => {
                drop(pieces);
                let content = writing.await.map_err(Error::unavailable)??;
                Ok(Taken::Stored(Box::new(content)))
            }
        }
    }
}

/// A connection that breaks leaves a body unfinished: it is thrown away, because fewer bytes came than were announced.
fn write(mut body: BodyWriter, mut incoming: mpsc::Receiver<Bytes>, size: u64) -> anser_base::Result<Content> {
    while let Some(piece) = incoming.blocking_recv() {
        body.write(&piece)?;
    }
    match body.size() == size {
        true => body.finish(anser_base::Durability::Deferred),
        false => Err(Error::unavailable("a body ended early")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_every_uid_once() {
        for (messages, uidnext) in [(0, 1), (10, 11), (10, 4_000_000_000), (20_000, 20_001), (20_000, 100_000), (7, 0)]
        {
            let standing = Standing { messages, uidnext, ..Standing::default() };
            let all: Vec<Window> = windows(&standing, 1).collect();
            assert_eq!(all[0].first, 1);
            assert_eq!(all[all.len() - 1].last, u32::MAX);
            assert!(all.windows(2).all(|two| two[0].last + 1 == two[1].first), "{all:?}");
            assert!(all.len() < 10, "{all:?}");
        }
    }

    #[test]
    fn flags_that_nobody_defined_become_keywords() {
        let words = ["\\Seen", "\\RECENT", "$Forwarded", "\\FORWARDED", "NonJunk"].map(str::to_owned);
        let (flags, keywords) = flags_of(&words);
        assert_eq!(flags, Flags::SEEN);
        assert_eq!(keywords.iter().collect::<Vec<_>>(), ["$Forwarded", "FORWARDED", "NonJunk"]);
    }
}
