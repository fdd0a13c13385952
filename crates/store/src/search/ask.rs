//! Queries.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anser_base::{AccountId, Class, Error, MessageId, Result, TenantId};
use anser_db::Place;
use anser_text::index::{Bits, Plan, union};
use anser_text::{Query, Searchable};

use super::rows::{self, Packed, Segment, State, Unpacker};
use crate::Store;

/// Messages that are not in the index and are looked through without indexing first.
const TAIL: usize = 64;
/// Blocks of terms that are read in one transaction: 2 MB.
const BLOCKS: usize = 64;
/// Blocks of postings that are read in one transaction.
const LISTS: usize = 32;
/// Texts that are read in one transaction; the next are on their way meanwhile.
const TEXTS: usize = 64;
/// How often a query begins anew because the index changed under it.
const TRIES: usize = 4;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// For each query the messages that match, ascending.
    pub messages: Vec<Vec<MessageId>>,
    /// Messages that match no query and of which some text could not be looked through, because it is beyond a limit or in a
    /// document that cannot be read.
    pub partly: u64,
}

/// How far a search is, for whoever waits for it. One that is dropped ends its search.
#[derive(Default)]
pub struct Searching {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    gone: AtomicBool,
    done: AtomicUsize,
}

impl Searching {
    /// Messages that were indexed or looked through so far; those that the index answers for at once do not count.
    pub fn done(&self) -> usize {
        self.shared.done.load(Ordering::Relaxed)
    }
}

impl Drop for Searching {
    fn drop(&mut self) {
        self.shared.gone.store(true, Ordering::Relaxed);
    }
}

impl Store {
    /// Which of these messages (ascending) match each of the queries, by the texts that they have now. Exact, but for what
    /// [`Found::partly`] counts. It ends, with `Class::Unavailable`, when `searching` is dropped.
    pub async fn search(
        &self,
        account: AccountId,
        tenant: TenantId,
        queries: Vec<Query>,
        among: Vec<MessageId>,
        searching: &Searching,
    ) -> Result<Found> {
        let (store, shared) = (self.clone(), searching.shared.clone());
        let work = move || Search { store: &store, account, tenant, queries: &queries, shared: &shared }.run(&among);
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }

    /// The text of a message in which texts are looked for, as it is stored or else as it is read now: for showing where a query was
    /// found. `Class::NotFound` when there is no such message. Blocks.
    pub fn searchable_text(&self, account: AccountId, tenant: TenantId, id: MessageId) -> Result<Searchable> {
        let read = self.db.read(Place::Search(account), move |tx| rows::read_text(tx, account, id));
        if let Ok(Some(packed)) = read.wait()
            && self.shared.search.is_trusted(account)
        {
            return packed.unpack();
        }
        let message = self.look(account, move |tx| tx.message(id))?;
        let message = message.ok_or_else(|| Error::not_found("no such message", "没有此邮件"))?;
        self.searchable(tenant, &message, &mut *self.shared.search.documents())
    }
}

/// One search.
pub(super) struct Search<'a> {
    pub(super) store: &'a Store,
    pub(super) account: AccountId,
    tenant: TenantId,
    pub(super) queries: &'a [Query],
    shared: &'a Shared,
}

/// Why a step of a search failed.
enum Trouble {
    /// The index changed meanwhile.
    Changed,
    Error(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Error(error)
    }
}

/// Matches of each query, and messages that were looked through in part.
pub(super) struct Matches {
    of: Vec<Vec<MessageId>>,
    partly: Vec<MessageId>,
}

impl Search<'_> {
    fn run(&self, among: &[MessageId]) -> Result<Found> {
        let mut by_row = self.no_matches();
        let among = &*self.ask_heads(among, &mut by_row)?;
        let mut matches = self.no_matches();
        let through = match self.ask_index(among, &mut matches) {
            Ok(through) => through,
            Err(error) => {
                self.give_up_if_gone()?;
                tracing::warn!(account = %self.account, error = error.chain(), "the search index cannot be used; texts are read");
                if error.class == Class::Damaged {
                    self.store.discard_index(self.account)?;
                }
                matches = self.no_matches();
                MessageId(0)
            }
        };
        let tail = &among[among.partition_point(|id| *id <= through)..];
        if !tail.is_empty() {
            self.store.shared.search.want(self.account);
            self.read_all(tail, &mut matches)?;
        }
        for (all, more) in matches.of.iter_mut().zip(by_row.of) {
            all.extend(more);
        }
        Ok(matches.finish())
    }

    fn no_matches(&self) -> Matches {
        Matches { of: vec![Vec::new(); self.queries.len()], partly: Vec::new() }
    }

    /// Asks the index; up to which message that answers.
    fn ask_index(&self, among: &[MessageId], matches: &mut Matches) -> Result<MessageId> {
        let newest = among.last().copied().unwrap_or(MessageId(0));
        let mut indexing = true;
        for _ in 0..TRIES {
            let mut state = self.store.trusted_state(self.account)?;
            let through = |state: &Option<State>| state.map_or(MessageId(0), |state| state.through);
            let unread = |through: MessageId| among.len() - among.partition_point(|id| *id <= through);
            while indexing && unread(through(&state)) > TAIL {
                self.give_up_if_gone()?;
                // Reading them takes as long as indexing them.
                match self.store.index_some(self.account, self.tenant) {
                    Ok(progress) => {
                        self.did(progress.indexed);
                        indexing = progress.more;
                    }
                    Err(error) => {
                        tracing::warn!(account = %self.account, error = error.chain(), "messages cannot be indexed");
                        indexing = false;
                    }
                }
                state = self.store.trusted_state(self.account)?;
            }
            let Some(state) = state else { return Ok(MessageId(0)) };
            let reach = newest.min(state.through);
            let covered = &among[..among.partition_point(|id| *id <= reach)];
            match self.ask_segments(&state, covered) {
                Ok(found) => {
                    *matches = found;
                    return Ok(state.through);
                }
                Err(Trouble::Changed) => {}
                Err(Trouble::Error(error)) => return Err(error),
            }
        }
        Err(Error::unavailable("the search index changes all the time"))
    }

    fn ask_segments(&self, state: &State, among: &[MessageId]) -> Result<Matches, Trouble> {
        let account = self.account;
        let live = self.store.db.read(Place::Search(account), move |tx| rows::live_segments(tx, account)).wait()?;
        let mut matches = self.no_matches();
        let plans: Vec<Plan> = self.queries.iter().map(Plan::of).collect();
        for (id, _) in live {
            let segment = self.segment(state, id)?;
            let Some(wanted) = wanted(&segment, among) else { continue };
            let mut open: Vec<(usize, Bits)> = Vec::new();
            for (at, plan) in plans.iter().enumerate() {
                let found = self.ask_segment(state, &segment, plan, &wanted)?;
                if plan.is_exact() {
                    matches.of[at].extend(found.iter().map(|ordinal| segment.messages[ordinal as usize].id));
                } else if found.count() > 0 {
                    open.push((at, found));
                }
            }
            self.judge_texts(&segment, &open, &mut matches)?;
            let partial = wanted.iter().map(|ordinal| &segment.messages[ordinal as usize]).filter(|one| one.is_partial);
            matches.partly.extend(partial.map(|one| one.id));
        }
        Ok(matches)
    }

    fn segment(&self, state: &State, id: i64) -> Result<Arc<Segment>, Trouble> {
        let (cache, account) = (&self.store.shared.search.cache, self.account);
        let key = (account, state.epoch, id);
        if let Some(segment) = cache.segment(key) {
            return Ok(segment);
        }
        let read = self.store.db.read(Place::Search(account), move |tx| rows::read_segment(tx, account, id));
        let segment = read.wait()?.ok_or(Trouble::Changed)?;
        cache.put_segment(key, segment.clone());
        Ok(segment)
    }

    /// The wanted messages of a segment that hold all pieces of a query.
    fn ask_segment(&self, state: &State, segment: &Segment, plan: &Plan, wanted: &Bits) -> Result<Bits, Trouble> {
        let mut found = wanted.clone();
        for piece in 0..plan.pieces() {
            let mut holds = Bits::none(wanted.len());
            let mut lists: Vec<(u32, Vec<u32>)> = Vec::new();
            let blocks: Vec<u32> = plan.blocks(piece, &segment.directory).collect();
            for blocks in blocks.chunks(BLOCKS) {
                self.give_up_if_gone()?;
                for (block, terms) in self.terms(state, segment.id, blocks)? {
                    let met = plan.find(piece, &terms);
                    if !met.is_empty() {
                        lists.push((block, met));
                    }
                }
            }
            for lists in lists.chunks(LISTS) {
                self.give_up_if_gone()?;
                for (terms, postings) in self.postings(segment.id, lists)? {
                    union(&postings, &terms, plan.zones(piece), &mut holds)?;
                }
            }
            found.keep(&holds);
            if found.count() == 0 {
                break;
            }
        }
        Ok(found)
    }

    /// The terms of some blocks, ascending.
    fn terms(&self, state: &State, segment: i64, blocks: &[u32]) -> Result<Vec<(u32, Arc<[u8]>)>, Trouble> {
        let (cache, account) = (&self.store.shared.search.cache, self.account);
        let key = (account, state.epoch, segment);
        let held: Vec<_> = blocks.iter().map_while(|block| Some((*block, cache.terms(key, *block)?))).collect();
        let (Some(first), Some(last)) = (blocks.get(held.len()).copied(), blocks.last().copied()) else {
            return Ok(held);
        };
        let read =
            self.store.db.read(Place::Search(account), move |tx| rows::read_terms(tx, account, segment, first, last));
        let mut all = held;
        for (block, terms) in read.wait()? {
            let terms: Arc<[u8]> = terms.into();
            cache.put_terms(key, block, terms.clone());
            all.push((block, terms));
        }
        if all.len() == blocks.len() { Ok(all) } else { Err(Trouble::Changed) }
    }

    fn postings(&self, segment: i64, lists: &[(u32, Vec<u32>)]) -> Result<Vec<(Vec<u32>, Vec<u8>)>, Trouble> {
        let (account, lists) = (self.account, lists.to_vec());
        let read = self.store.db.read(Place::Search(account), move |tx| {
            let each = lists.iter().map(|(block, terms)| {
                Ok(rows::read_postings(tx, account, segment, *block)?.map(|postings| (terms.clone(), postings)))
            });
            each.collect::<Result<Option<Vec<_>>>>()
        });
        read.wait()?.ok_or(Trouble::Changed)
    }

    /// Judges the candidates of a segment by their stored texts: some while the next are read.
    fn judge_texts(&self, segment: &Segment, open: &[(usize, Bits)], matches: &mut Matches) -> Result<(), Trouble> {
        let mut all = Bits::none(segment.messages.len() as u32);
        open.iter().for_each(|(_, bits)| all.add(bits));
        let with_body = open.iter().any(|(at, _)| self.queries[*at].needs_body());
        let candidates: Vec<MessageId> = all.iter().map(|at| segment.messages[at as usize].id).collect();
        let account = self.account;
        let read = |ids: &[MessageId]| {
            let ids = ids.to_vec();
            self.store.db.read(Place::Search(account), move |tx| rows::read_texts(tx, account, &ids, with_body))
        };
        let (mut unpacker, mut pieces) = (Unpacker::new()?, candidates.chunks(TEXTS));
        let mut coming = pieces.next().map(read);
        while let Some(pending) = coming.take() {
            self.give_up_if_gone()?;
            let texts = pending.wait()?;
            coming = pieces.next().map(read);
            for text in texts {
                self.judge_text(&text, segment, open, &mut unpacker, matches)?;
            }
        }
        Ok(())
    }

    /// The body first: what is looked for is there more often, and then the head is not unpacked.
    fn judge_text(
        &self,
        text: &Packed,
        segment: &Segment,
        open: &[(usize, Bits)],
        unpacker: &mut Unpacker,
        matches: &mut Matches,
    ) -> Result<()> {
        self.did(1);
        let Ok(ordinal) = segment.messages.binary_search_by_key(&text.id, |message| message.id) else { return Ok(()) };
        let asked = open.iter().filter(|(_, bits)| bits.has(ordinal as u32)).map(|(at, _)| *at);
        let (in_body, rest): (Vec<usize>, Vec<usize>) = match text.body.is_empty() {
            true => (Vec::new(), asked.collect()),
            false => {
                let body = unpacker.unpack(&text.body)?;
                asked.partition(|at| self.queries[*at].is_in("", body))
            }
        };
        in_body.into_iter().for_each(|at| matches.of[at].push(text.id));
        if rest.iter().any(|at| self.queries[*at].needs_head()) {
            let head = unpacker.unpack(&text.head)?;
            let in_head = rest.into_iter().filter(|at| self.queries[*at].is_in(head, ""));
            in_head.for_each(|at| matches.of[at].push(text.id));
        }
        Ok(())
    }

    /// Reads messages and looks through their texts.
    fn read_all(&self, ids: &[MessageId], matches: &mut Matches) -> Result<()> {
        let mut documents = self.store.shared.search.documents();
        for ids in ids.chunks(TEXTS) {
            let wanted = ids.to_vec();
            let messages = self.store.look(self.account, move |tx| tx.messages_of(&wanted))?;
            for message in messages.into_iter().flatten() {
                self.give_up_if_gone()?;
                let text = self.store.searchable(self.tenant, &message, &mut *documents)?;
                self.did(1);
                self.judge(message.id, &text.head, &text.body, matches);
                if text.is_cut || text.unreadable > 0 {
                    matches.partly.push(message.id);
                }
            }
        }
        Ok(())
    }

    /// Asks the queries of one message's text.
    pub(super) fn judge(&self, id: MessageId, head: &str, body: &str, matches: &mut Matches) {
        for (query, found) in self.queries.iter().zip(&mut matches.of) {
            if query.is_in(head, body) {
                found.push(id);
            }
        }
    }

    pub(super) fn did(&self, messages: usize) {
        self.shared.done.fetch_add(messages, Ordering::Relaxed);
    }

    pub(super) fn give_up_if_gone(&self) -> Result<()> {
        match self.shared.gone.load(Ordering::Relaxed) {
            true => Err(Error::unavailable("nobody waits for the search any more")),
            false => Ok(()),
        }
    }
}

impl Matches {
    fn finish(mut self) -> Found {
        let mut found: HashMap<MessageId, ()> = HashMap::new();
        for list in &mut self.of {
            list.sort_unstable();
            list.dedup();
            if !self.partly.is_empty() {
                found.extend(list.iter().map(|id| (*id, ())));
            }
        }
        let partly = self.partly.iter().filter(|id| !found.contains_key(id)).count() as u64;
        Found { messages: self.of, partly }
    }
}

/// Which messages of a segment are asked for, both ascending; `None` for none.
fn wanted(segment: &Segment, among: &[MessageId]) -> Option<Bits> {
    let (first, last) = (segment.messages.first()?.id, segment.messages.last()?.id);
    let from = among.partition_point(|id| *id < first);
    let among = among[from..].iter().take_while(|id| **id <= last);
    let (mut bits, mut at, mut any) = (Bits::none(segment.messages.len() as u32), 0, false);
    for id in among {
        while segment.messages.get(at).is_some_and(|message| message.id < *id) {
            at += 1;
        }
        if segment.messages.get(at).is_some_and(|message| message.id == *id) {
            bits.insert(at as u32)?;
            any = true;
        }
    }
    any.then_some(bits)
}
