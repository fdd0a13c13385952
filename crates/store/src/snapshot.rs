//! The list of a mailbox as one shared, immutable value. A change copies one chunk and the spine, so that a snapshot of 100,000
//! messages moves forward in microseconds while any number of sessions hold older ones.

use std::sync::Arc;

use anser_base::MailboxId;

use crate::model::Entry;

/// Entries of one chunk at most.
const CHUNK: usize = 256;

/// A mailbox's messages in UID order at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Whose list.
    pub mailbox: MailboxId,
    /// RFC 9051 §2.3.1.1.
    pub uidvalidity: u32,
    /// The next UID.
    pub uidnext: u32,
    /// HIGHESTMODSEQ (RFC 7162).
    pub modseq: u64,
    /// Whether older messages still come in between: see [`Mailbox::is_filling`](crate::Mailbox::is_filling).
    pub is_filling: bool,
    len: usize,
    chunks: Vec<Chunk>,
}

#[derive(Clone, Debug)]
struct Chunk {
    /// Entries in the chunks before this one.
    before: usize,
    entries: Arc<Vec<Entry>>,
}

impl Snapshot {
    /// A snapshot without messages.
    pub fn empty(mailbox: MailboxId, uidvalidity: u32, uidnext: u32, modseq: u64) -> Self {
        Self { mailbox, uidvalidity, uidnext, modseq, is_filling: false, len: 0, chunks: Vec::new() }
    }

    /// Appends an entry while loading or merging. UIDs must ascend.
    pub fn push(&mut self, entry: Entry) {
        self.len += 1;
        match self.chunks.last_mut() {
            Some(chunk) if chunk.entries.len() < CHUNK => Arc::make_mut(&mut chunk.entries).push(entry),
            _ => self.chunks.push(Chunk { before: self.len - 1, entries: Arc::new(vec![entry]) }),
        }
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The message with this sequence number, which counts from 1.
    pub fn by_seq(&self, seq: u32) -> Option<&Entry> {
        let index = (seq as usize).checked_sub(1)?;
        let at = self.chunks.partition_point(|chunk| chunk.before <= index).checked_sub(1)?;
        let chunk = &self.chunks[at];
        chunk.entries.get(index - chunk.before)
    }

    /// The message with this UID.
    pub fn by_uid(&self, uid: u32) -> Option<&Entry> {
        let (at, inside) = self.find(uid).ok()?;
        self.chunks[at].entries.get(inside)
    }

    /// The sequence number of this UID.
    pub fn seq_of(&self, uid: u32) -> Option<u32> {
        let (at, inside) = self.find(uid).ok()?;
        Some((self.chunks[at].before + inside + 1) as u32)
    }

    /// How many messages have a UID below this one: the first message at or above it has this number plus one.
    pub fn count_below(&self, uid: u32) -> usize {
        match self.find(uid) {
            Ok((at, inside)) | Err((at, inside)) => self.chunks.get(at).map_or(self.len, |chunk| chunk.before + inside),
        }
    }

    /// The messages with UIDs in `first..=last`, in order.
    pub(crate) fn between(&self, first: u32, last: u32) -> impl Iterator<Item = &Entry> {
        let seq = self.count_below(first) as u32 + 1;
        self.range(seq, u32::MAX).map(|(_, entry)| entry).take_while(move |entry| entry.uid <= last)
    }

    /// Every message, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.chunks.iter().flat_map(|chunk| chunk.entries.iter())
    }

    /// The messages with sequence numbers `first..=last`, with their numbers; the range is cut to what exists.
    pub fn range(&self, first: u32, last: u32) -> impl Iterator<Item = (u32, &Entry)> {
        let start = first.max(1) as usize - 1;
        let end = (last as usize).min(self.len);
        let from = self.chunks.partition_point(|chunk| chunk.before + chunk.entries.len() <= start);
        self.chunks[from..]
            .iter()
            .take_while(move |chunk| chunk.before < end)
            .flat_map(move |chunk| chunk.entries.iter().enumerate().map(move |(i, entry)| (chunk.before + i, entry)))
            .filter(move |(index, _)| (start..end).contains(index))
            .map(|(index, entry)| ((index + 1) as u32, entry))
    }

    /// The highest UID present.
    pub fn last_uid(&self) -> Option<u32> {
        self.chunks.last().and_then(|chunk| chunk.entries.last()).map(|entry| entry.uid)
    }

    /// Puts in a new entry, or replaces the one with its UID.
    pub(crate) fn put(&mut self, entry: Entry) {
        match self.find(entry.uid) {
            Ok((at, inside)) => Arc::make_mut(&mut self.chunks[at].entries)[inside] = entry,
            Err(_) if self.last_uid().is_none_or(|last| last < entry.uid) => self.push(entry),
            Err((at, inside)) => {
                let entries = Arc::make_mut(&mut self.chunks[at].entries);
                entries.insert(inside, entry);
                // A mailbox that fills from its newest message down would else become one chunk, copied at every change.
                if entries.len() > CHUNK {
                    let rest = Arc::new(entries.split_off(CHUNK / 2));
                    self.chunks.insert(at + 1, Chunk { before: 0, entries: rest });
                }
                self.len += 1;
                self.recount(at);
            }
        }
    }

    /// Takes out the entry with this UID.
    pub(crate) fn remove(&mut self, uid: u32) {
        if let Ok((at, inside)) = self.find(uid) {
            Arc::make_mut(&mut self.chunks[at].entries).remove(inside);
            if self.chunks[at].entries.is_empty() {
                self.chunks.remove(at);
            }
            self.len -= 1;
            self.recount(at);
        }
    }

    fn recount(&mut self, from: usize) {
        let mut before = from.checked_sub(1).map_or(0, |i| self.chunks[i].before + self.chunks[i].entries.len());
        for chunk in &mut self.chunks[from..] {
            chunk.before = before;
            before += chunk.entries.len();
        }
    }

    /// Chunk and place of a UID, or where it would stand.
    fn find(&self, uid: u32) -> Result<(usize, usize), (usize, usize)> {
        let at = self.chunks.partition_point(|chunk| chunk.entries.last().is_some_and(|entry| entry.uid < uid));
        match self.chunks.get(at) {
            Some(chunk) => match chunk.entries.binary_search_by_key(&uid, |entry| entry.uid) {
                Ok(inside) => Ok((at, inside)),
                Err(inside) => Err((at, inside)),
            },
            None => Err((at, 0)),
        }
    }

    /// What a session that has seen `self` must be told to have seen `new`: one pass over the chunks that differ.
    pub fn diff(&self, new: &Snapshot) -> Diff {
        let mut diff = Diff::default();
        let (mut old_at, mut new_at) = (Cursor::new(self), Cursor::new(new));
        loop {
            if old_at.skip_shared(&mut new_at) {
                continue;
            }
            match (old_at.entry(), new_at.entry()) {
                (None, None) => return diff,
                (Some(old), None) => {
                    diff.expunged.push(old.uid);
                    old_at.step();
                }
                (None, Some(entry)) => {
                    diff.added.push(entry.clone());
                    new_at.step();
                }
                (Some(old), Some(entry)) if old.uid == entry.uid => {
                    if old != entry {
                        diff.changed.push(entry.clone());
                    }
                    old_at.step();
                    new_at.step();
                }
                (Some(old), Some(entry)) if old.uid < entry.uid => {
                    diff.expunged.push(old.uid);
                    old_at.step();
                }
                (Some(_), Some(entry)) => {
                    diff.added.push(entry.clone());
                    new_at.step();
                }
            }
        }
    }

    /// `new`, with those messages of `self` that are expunged in it kept in their places: what a session sees while RFC 9051
    /// §7.5.1 forbids telling it of expunges.
    pub fn advance_holding(&self, new: &Snapshot, diff: &Diff) -> Snapshot {
        let mut held = new.clone();
        for uid in &diff.expunged {
            if let Some(entry) = self.by_uid(*uid) {
                held.put(entry.clone());
            }
        }
        held
    }
}

/// What lies between two snapshots of one mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// UIDs that are gone, ascending.
    pub expunged: Vec<u32>,
    /// Messages whose flags, keywords or modseq changed, ascending.
    pub changed: Vec<Entry>,
    /// Messages that are new, ascending.
    pub added: Vec<Entry>,
}

impl Diff {
    /// Whether nothing lies between them.
    pub fn is_empty(&self) -> bool {
        self.expunged.is_empty() && self.changed.is_empty() && self.added.is_empty()
    }
}

struct Cursor<'a> {
    chunks: &'a [Chunk],
    inside: usize,
}

impl<'a> Cursor<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        Self { chunks: &snapshot.chunks, inside: 0 }
    }

    fn entry(&self) -> Option<&'a Entry> {
        self.chunks.first().and_then(|chunk| chunk.entries.get(self.inside))
    }

    fn step(&mut self) {
        self.inside += 1;
        if self.chunks.first().is_some_and(|chunk| self.inside >= chunk.entries.len()) {
            self.chunks = &self.chunks[1..];
            self.inside = 0;
        }
    }

    /// Skips a chunk that both sides share, when both stand at its start.
    fn skip_shared(&mut self, other: &mut Cursor<'a>) -> bool {
        match (self.chunks.first(), other.chunks.first()) {
            (Some(mine), Some(theirs))
                if self.inside == 0 && other.inside == 0 && Arc::ptr_eq(&mine.entries, &theirs.entries) =>
            {
                self.chunks = &self.chunks[1..];
                other.chunks = &other.chunks[1..];
                true
            }
            _ => false,
        }
    }
}
