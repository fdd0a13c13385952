//! The writer: gathers events, links them, commits them together.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Error, Result, Timestamp};
use anser_db::{Db, Durability, Place, Tx, params};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::chain::{Hash, ORIGIN, link};
use crate::journal::Months;
use crate::months::month_of;
use crate::{index, schema};

/// Events of one commit at most.
const BATCH: usize = 1024;
/// Events that are kept while they cannot be written, at most about; then those who append wait.
const PENDING: usize = 8192;
/// How long events are gathered unless one must be durable now.
const GATHER: Duration = Duration::from_millis(20);
/// How long after a failed commit it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Who wants to know when it is durable.
type Done = oneshot::Sender<Result<()>>;

/// What goes to the writer.
pub enum Message {
    /// An event, and who waits for it.
    Event {
        /// When it happened.
        at: Timestamp,
        /// Its bytes.
        event: Vec<u8>,
        /// Who waits for it to be durable.
        done: Option<Done>,
    },
    /// Somebody waits for all before it.
    Flush(Done),
    /// Likewise, and nothing comes after it.
    Close(Done),
}

/// The end of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last event; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// What the chain of a node starts from.
pub const START: Head = Head { seq: 0, hash: ORIGIN };

pub struct Writer {
    db: Db,
    node: u32,
    months: Months,
    /// The month that is written; never goes back, even when the clock does.
    month: u32,
    /// The end of the chain as of the last commit.
    head: Head,
    receiver: mpsc::Receiver<Message>,
    urgent: Arc<Notify>,
    /// What is to be written, by month.
    pending: VecDeque<(u32, Group)>,
    /// Who waits for the end.
    closing: Option<Done>,
}

impl Writer {
    pub async fn open(
        db: Db,
        node: u32,
        months: Months,
        now: u32,
        receiver: mpsc::Receiver<Message>,
        urgent: Arc<Notify>,
    ) -> Result<Self> {
        let known = months.all();
        let mut found = None;
        for month in known.iter().rev().copied().chain(known.is_empty().then_some(now)) {
            found = db.read(Place::Journal(month), move |tx| head(tx, node)).await?;
            if found.is_some() {
                break;
            }
        }
        let month = known.last().copied().unwrap_or(now).max(now);
        months.add(month);
        let pending = VecDeque::new();
        let writer =
            Self { db, node, months, month, head: found.unwrap_or(START), receiver, urgent, pending, closing: None };
        // It may have ended while nothing ran.
        if let Some(ended) = known.last().filter(|last| **last < month) {
            writer.close_month(*ended).await?;
        }
        Ok(writer)
    }

    pub async fn run(mut self) {
        while self.receive().await {
            while let Some((month, group)) = self.pending.pop_front() {
                match self.commit(month, &group).await {
                    Ok(head) => {
                        self.head = head;
                        group.answer(None);
                    }
                    Err(error) => {
                        self.pending.push_front((month, group));
                        self.put_up_with(&error).await;
                        break;
                    }
                }
            }
            if self.pending.is_empty() && self.closing.is_some() {
                return self.close().await;
            }
        }
    }

    /// Takes what came, waiting for it unless something is pending. False when nothing can come any more and all is written.
    async fn receive(&mut self) -> bool {
        let mut messages = Vec::with_capacity(BATCH);
        if self.pending.is_empty() {
            if self.receiver.recv_many(&mut messages, BATCH).await == 0 {
                return false;
            }
            if !messages.iter().any(Message::is_urgent) {
                // Whichever ends first: what came meanwhile goes along.
                let _ = tokio::time::timeout(GATHER, self.urgent.notified()).await;
            }
        }
        let waiting: usize = self.pending.iter().map(|(_, group)| group.events.len()).sum();
        while messages.len() < BATCH
            && waiting < PENDING
            && let Ok(message) = self.receiver.try_recv()
        {
            messages.push(message);
        }
        messages.into_iter().for_each(|message| self.sort_in(message));
        true
    }

    /// Adds a message to the group of its month, in the order of arrival.
    fn sort_in(&mut self, message: Message) {
        let message = match message {
            Message::Close(done) => return self.closing = Some(done),
            other => other,
        };
        let newest = self.pending.back().map_or(self.month, |(month, _)| *month);
        let month = message.month().map_or(newest, |month| month.max(newest));
        match self.pending.back_mut().filter(|(last, group)| *last == month && group.events.len() < BATCH) {
            Some((_, group)) => group.add(message),
            None => {
                let mut group = Group::default();
                group.add(message);
                self.pending.push_back((month, group));
            }
        }
    }

    /// A commit failed. Those who wait for theirs are told, and their events are left out; the others stay and are tried again after
    /// a pause: nothing is dropped.
    async fn put_up_with(&mut self, error: &Error) {
        tracing::error!(error = error.chain(), "the journal cannot be written; trying again");
        self.pending.iter_mut().for_each(|(_, group)| group.refuse_waiters(error));
        self.pending.retain(|(_, group)| !group.is_empty());
        if let Some(done) = self.closing.take() {
            // Somebody who went away does not want to know.
            let _ = done.send(Err(copy(error)));
        }
        if !self.pending.is_empty() {
            let _ = tokio::time::timeout(PAUSE, self.urgent.notified()).await;
        }
    }

    async fn commit(&mut self, month: u32, group: &Group) -> Result<Head> {
        if month != self.month {
            // The new month goes on from the old one's end, so that end must be durable first.
            // It is read again, because a commit that failed may be there nonetheless.
            self.head = self.close_month(self.month).await?.unwrap_or(self.head);
            self.month = month;
            self.months.add(month);
        }
        let durability = if group.waiters.is_empty() { Durability::Deferred } else { Durability::Sync };
        let (node, carried, events) = (self.node, self.head, group.events.clone());
        let work = move |tx: &mut Tx<'_>| append(tx, node, month, carried, &events);
        self.db.write(Place::Journal(month), durability, work).await
    }

    /// Makes everything durable, lets go of the engine, and only then answers.
    async fn close(self) {
        let Self { db, node, month, receiver, closing, .. } = self;
        let outcome = db.write(Place::Journal(month), Durability::Sync, move |tx| head(tx, node)).await;
        drop((db, receiver));
        if let Some(done) = closing {
            // Somebody who went away does not want to know.
            let _ = done.send(outcome.map(|_| ()));
        }
    }

    /// Indexes what is left of a month and makes it durable; tells where its chain ends.
    async fn close_month(&self, month: u32) -> Result<Option<Head>> {
        let node = self.node;
        let work = move |tx: &mut Tx<'_>| {
            index::finish(tx, node)?;
            head(tx, node)
        };
        self.db.write(Place::Journal(month), Durability::Sync, work).await
    }
}

impl Message {
    fn month(&self) -> Option<u32> {
        match self {
            Self::Event { at, .. } => Some(month_of(*at)),
            Self::Flush(_) | Self::Close(_) => None,
        }
    }

    fn is_urgent(&self) -> bool {
        matches!(self, Self::Flush(_) | Self::Close(_) | Self::Event { done: Some(_), .. })
    }
}

/// Events of one month, and who waits for them.
#[derive(Default)]
struct Group {
    events: Arc<Vec<Arc<[u8]>>>,
    /// With the index of their own event; `None` waits for a flush.
    waiters: Vec<(Option<usize>, Done)>,
}

impl Group {
    fn add(&mut self, message: Message) {
        match message {
            Message::Event { event, done, .. } => {
                let events = Arc::make_mut(&mut self.events);
                self.waiters.extend(done.map(|done| (Some(events.len()), done)));
                events.push(event.into());
            }
            Message::Flush(done) | Message::Close(done) => self.waiters.push((None, done)),
        }
    }

    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.waiters.is_empty()
    }

    /// Tells those who wait; somebody who went away does not want to know.
    fn answer(self, error: Option<&Error>) {
        for (_, done) in self.waiters {
            let _ = done.send(error.map_or(Ok(()), |error| Err(copy(error))));
        }
    }

    /// Tells those who wait that it failed, and leaves their events out.
    fn refuse_waiters(&mut self, error: &Error) {
        let waiters = std::mem::take(&mut self.waiters);
        let left_out: Vec<usize> = waiters.iter().filter_map(|(index, _)| *index).collect();
        let mut index = 0;
        Arc::make_mut(&mut self.events).retain(|_| {
            index += 1;
            !left_out.contains(&(index - 1))
        });
        Self { events: Arc::default(), waiters }.answer(Some(error));
    }
}

fn copy(error: &Error) -> Error {
    Error { class: error.class, text: error.text.clone(), source: Some(error.chain().into()) }
}

/// Links events to the chain and writes them. `carried` is the end of the month before.
fn append(tx: &mut Tx<'_>, node: u32, month: u32, carried: Head, events: &[Arc<[u8]>]) -> Result<Head> {
    let mut end = head(tx, node)?.unwrap_or(carried);
    if events.is_empty() {
        return Ok(end);
    }
    tx.execute(
        "INSERT INTO journal_start (month, node, seq, hash) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (month, node) DO NOTHING",
        params![month, node, end.seq as i64, &end.hash[..]],
    )?;
    for event in events {
        let seq = end.seq + 1;
        end = Head { seq, hash: link(&end.hash, seq, event) };
        tx.execute(
            "INSERT INTO journal_event (id, hash, event) VALUES (?1, ?2, ?3)",
            params![schema::id(node, seq), &end.hash[..], &event[..]],
        )?;
    }
    index::extend(tx, node, end.seq)?;
    Ok(end)
}

/// The end of a node's chain in this place; `None` when it has nothing here.
fn head(tx: &mut Tx<'_>, node: u32) -> Result<Option<Head>> {
    let (first, last) = schema::range(node);
    let sql = "SELECT id, hash FROM journal_event WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
    tx.query_one(sql, params![first, last], |row| {
        Ok(Head { seq: schema::seq_of(row.int(0)?), hash: schema::hash(&row.blob(1)?)? })
    })
}
