//! Making the index: batches of messages become segments, segments are merged.
//!
//! Every step is a transaction after which the index is whole: a segment answers from the moment at which its last row is there, and
//! the state says up to which message. What a crash leaves behind is a segment that nobody asks; it is removed by the next step.
//! Commits are deferred: what a power cut takes is indexed again. It may also take messages that the index already has, and their
//! numbers may then be given to others: so a process compares the newest prints with the mail before it trusts an index.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anser_base::{AccountId, Class, Durability, Error, MessageId, Result, TenantId};
use anser_db::{Place, Tx};
use anser_mime::structure::Structure;
use anser_mime::summary::parse_message;
use anser_text::index::{Block, Builder, Input, SEGMENT, merge};
use anser_text::{Documents, Searchable};

use super::rows::{self, Indexed, Packed, Segment, State};
use crate::Store;
use crate::model::Message;
use crate::tx::MailTx;

/// Messages of one batch.
const BATCH: usize = 256;
/// Bytes of the messages of one batch, unless it is one message.
const BATCH_BYTES: u64 = 16 << 20;
/// Bytes of a message up to which it is held as a whole while it is read.
const WHOLE: u64 = 16 << 20;
/// Threads that read the texts of one batch.
const EXTRACTING: usize = 4;
/// Destroyed messages that are forgotten in one transaction.
const FORGET: usize = 1000;
/// Segments of about one size that are merged.
const FAN: usize = 4;
/// Bytes of blocks that are written in one transaction.
const WRITE: usize = 1 << 20;
/// Blocks that are removed in one transaction.
const REMOVE: u32 = 32;
/// Newest messages whose prints are compared with the mail; far more than can be delivered between two syncs.
const COMPARED: usize = 4096;

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Messages that came into the index.
    pub indexed: usize,
    /// Whether there is more to do.
    pub more: bool,
}

impl Store {
    /// Brings the next messages of an account into its index, in the order of their numbers. Call it until there is no more. Blocks;
    /// bounded in memory and, but for a merge and slow documents, in time. An error harms nothing: what is not indexed is
    /// searched all the same.
    pub fn index_some(&self, account: AccountId, tenant: TenantId) -> Result<Progress> {
        let _alone = self.shared.search.lock(account);
        if !self.db.exists(Place::Search(account)) && self.look(account, |tx| Ok(tx.messages()))? == 0 {
            return Ok(Progress::default());
        }
        let state = self.index_state(account)?;
        match self.index_step(account, tenant, state) {
            Err(error) if error.class == Class::Damaged => {
                tracing::warn!(%account, error = error.chain(), "the search index is damaged and made anew");
                self.discard_index(account)?;
                Ok(Progress { indexed: 0, more: true })
            }
            done => done,
        }
    }

    /// Throws an account's index away; it is made again. For a restore, and when it is damaged. Blocks.
    pub fn discard_index(&self, account: AccountId) -> Result<()> {
        self.shared.search.distrust(account);
        self.db.discard(Place::Search(account))
    }

    fn index_step(&self, account: AccountId, tenant: TenantId, mut state: State) -> Result<Progress> {
        self.clean_up(account)?;
        let forgot = self.forget_destroyed(account, &mut state)?;
        let mut messages = self.look(account, move |tx| tx.messages_after(state.through, BATCH))?;
        let mut bytes = 0;
        let fit = messages.iter().take_while(|message| {
            bytes += message.size();
            bytes <= BATCH_BYTES
        });
        let fit = fit.count().max(1).min(messages.len());
        let more = fit < messages.len() || messages.len() == BATCH || forgot;
        messages.truncate(fit);
        if !messages.is_empty() {
            self.add_segment(account, tenant, state, &messages)?;
        }
        self.merge_due(account)?;
        Ok(Progress { indexed: messages.len(), more })
    }

    /// Like [`Store::read`], on a thread that may wait.
    pub(super) fn look<R, F>(&self, account: AccountId, mut work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnMut(&mut MailTx<'_, '_>) -> Result<R> + Send + 'static,
    {
        let now = self.clock.now();
        self.db.read(Place::Account(account), move |db| work(&mut MailTx::begin(db, account, now, false)?)).wait()
    }

    /// The state of an index that can be trusted; makes one where there is none.
    pub(super) fn index_state(&self, account: AccountId) -> Result<State> {
        match self.trusted_state(account) {
            Ok(Some(state)) => return Ok(state),
            Ok(None) => {}
            Err(error) if matches!(error.class, Class::Damaged) => {
                tracing::warn!(%account, error = error.chain(), "the search index is damaged and made anew");
            }
            Err(error) => return Err(error),
        }
        self.discard_index(account)?;
        let epoch = self.clock.now().0;
        let state = State { epoch, through: MessageId(0), seen: 0, next_segment: 1 };
        let write = self
            .db
            .write(Place::Search(account), Durability::Deferred, move |tx| rows::write_state(tx, account, &state));
        write.wait()?;
        self.shared.search.trust(account);
        Ok(state)
    }

    /// The state of an index, unless there is none or it knows messages that never came to be.
    pub(super) fn trusted_state(&self, account: AccountId) -> Result<Option<State>> {
        let read = self.db.read(Place::Search(account), move |tx| rows::read_state(tx, account));
        let Some(state) = read.wait()? else { return Ok(None) };
        if !self.shared.search.is_trusted(account) {
            if !self.agrees_with_mail(account, &state)? {
                tracing::warn!(%account, "the search index knows messages that are not there; it is made anew");
                return Ok(None);
            }
            self.shared.search.trust(account);
        }
        Ok(Some(state))
    }

    fn agrees_with_mail(&self, account: AccountId, state: &State) -> Result<bool> {
        let newest = self.db.read(Place::Search(account), move |tx| {
            let mut newest: Vec<Indexed> = Vec::new();
            for (id, _) in rows::live_segments(tx, account)?.into_iter().rev() {
                if let Some(segment) = rows::read_segment(tx, account, id)? {
                    newest.extend(segment.messages.iter().rev().take(COMPARED - newest.len()));
                }
                if newest.len() >= COMPARED {
                    break;
                }
            }
            newest.reverse();
            Ok(newest)
        });
        let newest = newest.wait()?;
        let through = state.through;
        if self.look(account, |tx| Ok(tx.next_message()))? <= through {
            return Ok(false);
        }
        for batch in newest.chunks(BATCH) {
            let (first, last) = (batch[0].id, batch[batch.len() - 1].id);
            for message in self.look(account, move |tx| tx.messages_between(first, last))? {
                let known = batch.binary_search_by_key(&message.id, |indexed| indexed.id);
                if known.is_ok_and(|at| batch[at].print != rows::print_of(&message)) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Removes what an interrupted step left behind, or what a merge replaced.
    fn clean_up(&self, account: AccountId) -> Result<()> {
        let place = Place::Search(account);
        for id in self.db.read(place, move |tx| rows::unfinished_segments(tx, account)).wait()? {
            let remove = move |tx: &mut Tx<'_>| rows::remove_segment(tx, account, id, REMOVE);
            while !self.db.write(place, Durability::Deferred, remove).wait()? {}
        }
        Ok(())
    }

    /// Removes the texts of messages that were destroyed; whether there may be more.
    fn forget_destroyed(&self, account: AccountId, state: &mut State) -> Result<bool> {
        let seen = state.seen;
        let (now, destroyed) = self.look(account, move |tx| Ok((tx.state(), tx.destroyed_after(seen, FORGET)?)))?;
        let more = destroyed.len() == FORGET;
        // A full list may end within one transaction's; that one is looked at again, which does no harm unless it is all there is.
        let last = destroyed.last().map_or(now, |(modseq, _)| *modseq);
        state.seen = match more {
            true if destroyed.first().is_some_and(|(modseq, _)| *modseq < last) => last - 1,
            true => last,
            false => now,
        };
        if destroyed.is_empty() {
            // It is written with the next batch.
            return Ok(false);
        }
        let state = *state;
        let write = self.db.write(Place::Search(account), Durability::Deferred, move |tx| {
            for (_, id) in destroyed.iter().filter(|(_, id)| *id <= state.through) {
                rows::forget_message(tx, account, *id)?;
            }
            rows::write_state(tx, account, &state)
        });
        write.wait()?;
        Ok(more)
    }

    fn add_segment(&self, account: AccountId, tenant: TenantId, state: State, messages: &[Message]) -> Result<()> {
        let (mut builder, mut texts, mut indexed) = (Builder::default(), Vec::new(), Vec::new());
        self.extract(tenant, messages, |message, text, packed| {
            builder.add(&text);
            texts.push(packed);
            indexed.push(Indexed::of(message, text.is_cut || text.unreadable > 0));
        })?;
        let mut blocks = Vec::new();
        let directory = builder.finish(&mut |at, block| {
            blocks.push((at, block));
            Ok(())
        })?;
        let segment = Segment { id: state.next_segment, messages: indexed, directory };
        let through = segment.messages.last().map_or(state.through, |last| last.id);
        let new = State { through, next_segment: state.next_segment + 1, ..state };
        let write = self.db.write(Place::Search(account), Durability::Deferred, move |tx| {
            let found = rows::read_state(tx, account)?;
            if found.is_none_or(|found| (found.epoch, found.through) != (state.epoch, state.through)) {
                return Err(Error::new(Class::Conflict, "somebody else indexed meanwhile", "期间已有其他索引操作"));
            }
            for text in &texts {
                rows::write_text(tx, account, text)?;
            }
            for (at, block) in &blocks {
                rows::write_block(tx, account, segment.id, *at, block)?;
            }
            rows::finish_segment(tx, account, &segment)?;
            rows::write_state(tx, account, &new)
        });
        write.wait()
    }

    /// Hands the texts of messages to `each`, in order. They are read and compressed on several threads, each of which is at most two
    /// messages ahead.
    fn extract(
        &self,
        tenant: TenantId,
        messages: &[Message],
        mut each: impl FnMut(&Message, Searchable, Packed),
    ) -> Result<()> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(EXTRACTING).min(messages.len());
        std::thread::scope(|scope| {
            let texts: Vec<Receiver<Result<(Searchable, Packed)>>> = (0..threads)
                .map(|thread| {
                    let (sender, receiver) = sync_channel(1);
                    // Each thread has one message in turn, from that of its own number on.
                    let mine = messages.iter().skip(thread).step_by(threads);
                    scope.spawn(move || self.extract_some(tenant, mine, &sender));
                    receiver
                })
                .collect();
            for (message, texts) in messages.iter().zip(texts.iter().cycle()) {
                let (text, packed) =
                    texts.recv().map_err(|_| Error::unavailable("a thread of the indexer ended"))??;
                each(message, text, packed);
            }
            Ok(())
        })
    }

    /// Until all are told, or nobody listens.
    fn extract_some<'m>(
        &self,
        tenant: TenantId,
        messages: impl Iterator<Item = &'m Message>,
        to: &SyncSender<Result<(Searchable, Packed)>>,
    ) {
        let mut documents = self.shared.search.documents();
        let mut packer = match rows::packer() {
            Ok(packer) => packer,
            Err(error) => return drop(to.send(Err(error))),
        };
        for message in messages {
            let one = self.shared.search.go_on().and_then(|()| self.searchable(tenant, message, &mut *documents));
            let packed = one.and_then(|text| Packed::of(message.id, &text, &mut packer).map(|packed| (text, packed)));
            if to.send(packed).is_err() {
                return;
            }
        }
    }

    /// The text of a message. One whose body is lost has none.
    pub(super) fn searchable(
        &self,
        tenant: TenantId,
        message: &Message,
        documents: &mut dyn Documents,
    ) -> Result<Searchable> {
        let read = match message.size() <= WHOLE {
            true => self.searchable_whole(tenant, message, documents),
            false => self.searchable_in_ranges(tenant, message, documents),
        };
        match read {
            Err(error) if error.class == Class::Damaged => {
                tracing::error!(message = %message.id, error = error.chain(), "a body cannot be read and so not be searched");
                Ok(Searchable { is_cut: true, ..Searchable::default() })
            }
            other => other,
        }
    }

    fn searchable_whole(
        &self,
        tenant: TenantId,
        message: &Message,
        documents: &mut dyn Documents,
    ) -> Result<Searchable> {
        let (raw, shift) = (self.load(tenant, message)?, message.prefix.len());
        let parsed = message.parsed_structure();
        let structure = parsed.unwrap_or_else(|| parse_message(&raw[shift..]).structure);
        Ok(Searchable::of(&raw, shift, &structure, documents))
    }

    /// Holds no more of a message than what is looked at of one of its parts.
    fn searchable_in_ranges(
        &self,
        tenant: TenantId,
        message: &Message,
        documents: &mut dyn Documents,
    ) -> Result<Searchable> {
        let structure = match message.parsed_structure() {
            Some(structure) => structure,
            None => {
                let content = self.parse_body(tenant, message.blob)?;
                Structure::from_bytes(&content.structure)
                    .ok_or_else(|| Error::damaged("a structure that nobody reads"))?
            }
        };
        let (mut body, mut failed) = (self.body(tenant, message)?, None);
        let mut bytes = |range: Range<u64>| {
            let there = range.end.min(body.size()).saturating_sub(range.start);
            // All at once: what grows as it is filled takes half as much again.
            let mut out = Vec::with_capacity(usize::try_from(there).unwrap_or_default());
            let mut at = range.start;
            while at < range.end && failed.is_none() {
                match body.read_at(at, usize::try_from(range.end - at).unwrap_or(usize::MAX)) {
                    Ok(piece) if piece.is_empty() => break,
                    Ok(piece) => {
                        at += piece.len() as u64;
                        out.extend_from_slice(&piece);
                    }
                    Err(error) => failed = Some(error),
                }
            }
            Cow::Owned(out)
        };
        let found = Searchable::of_ranges(&mut bytes, message.prefix.len() as u64, &structure, documents);
        failed.map_or(Ok(found), Err)
    }

    /// Merges the newest segments when there are several of about one size.
    fn merge_due(&self, account: AccountId) -> Result<()> {
        let place = Place::Search(account);
        loop {
            let live = self.db.read(place, move |tx| rows::live_segments(tx, account)).wait()?;
            let Some(from) = due(&live) else { return Ok(()) };
            let ids: Vec<i64> = live[from..].iter().map(|(id, _)| *id).collect();
            self.merge_segments(account, &ids)?;
            self.clean_up(account)?;
        }
    }

    fn merge_segments(&self, account: AccountId, ids: &[i64]) -> Result<()> {
        let (place, wanted) = (Place::Search(account), ids.to_vec());
        let begun = self.db.write(place, Durability::Deferred, move |tx| {
            let mut state = rows::read_state(tx, account)?.ok_or_else(vanished)?;
            let new = state.next_segment;
            state.next_segment += 1;
            rows::write_state(tx, account, &state)?;
            rows::begin_segment(tx, account, new)?;
            let segments = wanted.iter().map(|id| rows::read_segment(tx, account, *id)?.ok_or_else(vanished));
            let segments: Vec<_> = segments.collect::<Result<_>>()?;
            let all = || segments.iter().flat_map(|segment| &segment.messages).map(|indexed| indexed.id);
            let none = MessageId(0);
            let (first, last) = (all().next().unwrap_or(none), all().next_back().unwrap_or(none));
            Ok((new, rows::gone(tx, account, first, last)?, segments))
        });
        let (new, gone, segments) = begun.wait()?;
        let (mut messages, mut inputs) = (Vec::new(), Vec::new());
        for segment in &segments {
            let map = segment.messages.iter().map(|indexed| {
                let stays = gone.binary_search(&indexed.id).is_err();
                stays.then(|| {
                    messages.push(*indexed);
                    messages.len() as u32 - 1
                })
            });
            inputs.push(Input { map: map.collect(), blocks: segment.directory.blocks() });
        }
        let mut writer = BlockWriter { store: self, account, segment: new, waiting: Vec::new(), bytes: 0 };
        let mut load = |input: usize, block: u32| {
            self.shared.search.go_on()?;
            let id = segments[input].id;
            self.db.read(place, move |tx| read_block(tx, account, id, block)).wait()
        };
        let directory = merge(&inputs, messages.len() as u32, &mut load, &mut |at, block| writer.push(at, block))?;
        writer.flush()?;
        let segment = Segment { id: new, messages, directory };
        let old: Vec<i64> = ids.to_vec();
        let finish = self.db.write(place, Durability::Deferred, move |tx| {
            rows::read_state(tx, account)?;
            if rows::count_blocks(tx, account, new)? != segment.directory.blocks() {
                return Err(vanished());
            }
            for id in &old {
                if !rows::retire_segment(tx, account, *id)? {
                    return Err(vanished());
                }
            }
            gone.iter().try_for_each(|id| rows::clear_gone(tx, account, *id))?;
            rows::finish_segment(tx, account, &segment)
        });
        finish.wait()
    }
}

/// Where the newest segments begin that are to become one.
fn due(live: &[(i64, u32)]) -> Option<usize> {
    let tier = |messages: u32| messages.max(1).ilog(FAN as u32);
    for wanted in 0..=tier(SEGMENT as u32) {
        let run = live.iter().rev().take_while(|(_, messages)| tier(*messages) <= wanted).count();
        let run = live.len() - run..live.len();
        let alike = run.clone().filter(|at| tier(live[*at].1) == wanted);
        if alike.clone().count() < FAN {
            continue;
        }
        let mut from = alike.min()?;
        let size = |from: usize| live[from..].iter().map(|(_, messages)| *messages as usize).sum::<usize>();
        while size(from) > SEGMENT {
            from += 1;
        }
        if from + 1 < live.len() {
            return Some(from);
        }
    }
    None
}

/// Writes blocks as they come, some at a time.
struct BlockWriter<'a> {
    store: &'a Store,
    account: AccountId,
    segment: i64,
    waiting: Vec<(u32, Block)>,
    bytes: usize,
}

impl BlockWriter<'_> {
    fn push(&mut self, at: u32, block: Block) -> Result<()> {
        self.bytes += block.terms.len() + block.postings.len();
        self.waiting.push((at, block));
        if self.bytes >= WRITE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let (account, segment, blocks) = (self.account, self.segment, std::mem::take(&mut self.waiting));
        self.bytes = 0;
        let write = self.store.db.write(Place::Search(account), Durability::Deferred, move |tx| {
            blocks.iter().try_for_each(|(at, block)| rows::write_block(tx, account, segment, *at, block))
        });
        write.wait()
    }
}

fn read_block(tx: &mut Tx<'_>, account: AccountId, segment: i64, block: u32) -> Result<Block> {
    let terms = rows::read_terms(tx, account, segment, block, block)?.pop().map(|(_, terms)| terms);
    let postings = rows::read_postings(tx, account, segment, block)?;
    match (terms, postings) {
        (Some(terms), Some(postings)) => Ok(Block { terms, postings }),
        _ => Err(Error::damaged("a block of the search index is missing")),
    }
}

/// Another node merged or threw the index away. The next step sees what is there.
fn vanished() -> Error {
    Error::new(Class::Conflict, "the index changed meanwhile", "期间索引已被更改")
}
