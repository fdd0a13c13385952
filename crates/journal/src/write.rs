//! The writer: gathers events, links them, commits them together.

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
        let writer = Self { db, node, months, month, head: found.unwrap_or(START), receiver, urgent };
        // It may have ended while nothing ran.
        if let Some(ended) = known.last().filter(|last| **last < month) {
            writer.close_month(*ended).await?;
        }
        Ok(writer)
    }

    pub async fn run(mut self) {
        let mut messages = Vec::with_capacity(BATCH);
        while self.receiver.recv_many(&mut messages, BATCH).await > 0 {
            if !messages.iter().any(is_urgent) {
                // Whichever ends first: what came meanwhile goes along.
                let _ = tokio::time::timeout(GATHER, self.urgent.notified()).await;
                while messages.len() < BATCH
                    && let Ok(message) = self.receiver.try_recv()
                {
                    messages.push(message);
                }
            }
            self.write_all(&mut messages).await;
        }
    }

    /// Writes a batch, month by month, in the order of arrival.
    async fn write_all(&mut self, messages: &mut Vec<Message>) {
        let mut group = Group::default();
        for message in messages.drain(..) {
            let month = message.month().map_or(self.month, |month| month.max(self.month));
            if month != self.month {
                self.write(std::mem::take(&mut group)).await;
                self.begin_month(month).await;
            }
            group.add(message);
        }
        self.write(group).await;
    }

    /// Writes one group. When it fails, those who wait are told, their events are left out, and the rest is tried until it
    /// succeeds: nothing is dropped, and whoever appends meanwhile waits.
    async fn write(&mut self, mut group: Group) {
        while !group.is_empty() {
            match self.commit(&group).await {
                Ok(head) => {
                    self.head = head;
                    return group.answer(None);
                }
                Err(error) => {
                    tracing::error!(error = error.chain(), "the journal cannot be written; trying again");
                    let had_waiters = group.answer_and_drop_waiters(&error);
                    if !had_waiters {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        }
    }

    async fn commit(&self, group: &Group) -> Result<Head> {
        let durability = if group.waiters.is_empty() { Durability::Deferred } else { Durability::Sync };
        let (node, month, carried, events) = (self.node, self.month, self.head, group.events.clone());
        let work = move |tx: &mut Tx<'_>| append(tx, node, month, carried, &events);
        self.db.write(Place::Journal(month), durability, work).await
    }

    async fn begin_month(&mut self, month: u32) {
        // The new month goes on from the old one's end, so that end must be durable first.
        while let Err(error) = self.close_month(self.month).await {
            tracing::error!(error = error.chain(), "the journal's month cannot be closed; trying again");
            tokio::time::sleep(PAUSE).await;
        }
        self.month = month;
        self.months.add(month);
    }

    async fn close_month(&self, month: u32) -> Result<()> {
        let node = self.node;
        self.db.write(Place::Journal(month), Durability::Sync, move |tx| index::finish(tx, node)).await
    }
}

impl Message {
    fn month(&self) -> Option<u32> {
        match self {
            Self::Event { at, .. } => Some(month_of(*at)),
            Self::Flush(_) => None,
        }
    }
}

fn is_urgent(message: &Message) -> bool {
    matches!(message, Message::Flush(_) | Message::Event { done: Some(_), .. })
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
            Message::Flush(done) => self.waiters.push((None, done)),
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

    /// Tells those who wait that it failed, and leaves their events out. Tells whether there were any.
    fn answer_and_drop_waiters(&mut self, error: &Error) -> bool {
        let waiters = std::mem::take(&mut self.waiters);
        let had_waiters = !waiters.is_empty();
        let left_out: Vec<usize> = waiters.iter().filter_map(|(index, _)| *index).collect();
        let mut index = 0;
        Arc::make_mut(&mut self.events).retain(|_| {
            index += 1;
            !left_out.contains(&(index - 1))
        });
        Group { events: Arc::default(), waiters }.answer(Some(error));
        had_waiters
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
