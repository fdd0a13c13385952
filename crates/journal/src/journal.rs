//! The handle: appending, flushing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::{Clock, Error, Result, Timestamp};
use anser_db::{Db, Place};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::event::{Entry, KINDS, to_bytes};
use crate::months::month_of;
use crate::schema::NODES;
use crate::write::{Message, Writer};

/// Events on their way to the writer at most; who appends more waits.
const QUEUE: usize = 4096;

/// What the journal works with.
pub struct Deps {
    /// The engine; its schema for `Place::Journal` is [`crate::SCHEMA`].
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// The number of this node, below 262,144; each node of an installation has its own. 0 on a single machine.
    pub node: u32,
    /// The months that have a file, from [`crate::months_in`]. Empty on PostgreSQL.
    pub months: BTreeSet<u32>,
}

/// The journal; cheap to clone.
#[derive(Clone)]
pub struct Journal {
    pub(crate) db: Db,
    clock: Clock,
    sender: mpsc::Sender<Message>,
    urgent: Arc<Notify>,
    months: Months,
    tally: Arc<[AtomicU64; KINDS.len()]>,
}

/// The months that have events, shared with the writer.
#[derive(Clone, Default)]
pub(crate) struct Months(Arc<Mutex<BTreeSet<u32>>>);

impl Months {
    /// Adds a month.
    pub fn add(&self, month: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(month);
    }

    /// All months, oldest first.
    pub fn all(&self) -> Vec<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

impl Journal {
    /// Opens the journal and starts its writer on the current runtime; it ends when the last handle is dropped, after writing
    /// what it was given. `Class::Damaged` when the end of the chain cannot be read.
    pub async fn open(deps: Deps) -> Result<Self> {
        let Deps { db, clock, node, months } = deps;
        if node >= NODES {
            return Err(Error::invalid("the node number is too high", "节点编号过大"));
        }
        let months = Months(Arc::new(Mutex::new(months)));
        let (sender, receiver) = mpsc::channel(QUEUE);
        let urgent = Arc::new(Notify::new());
        let now = month_of(clock.now());
        let writer = Writer::open(db.clone(), node, months.clone(), now, receiver, urgent.clone()).await?;
        tokio::spawn(writer.run());
        Ok(Self { db, clock, sender, urgent, months, tally: Arc::default() })
    }

    /// Notes an event. Returns at once unless 4,096 events are on their way; then it waits, and nothing is dropped.
    /// `Class::Unavailable` when the writer has ended.
    pub async fn append(&self, entry: Entry) -> Result<()> {
        let (at, event) = self.encode(entry)?;
        self.send(Message::Event { at, event, done: None }).await
    }

    /// Notes an event that must be durable before its act is answered. On an error it was not noted.
    pub async fn append_durable(&self, entry: Entry) -> Result<()> {
        let (at, event) = self.encode(entry)?;
        let (done, noted) = oneshot::channel();
        self.send(Message::Event { at, event, done: Some(done) }).await?;
        self.urgent.notify_one();
        noted.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Returns when all that was appended before is durable.
    pub async fn flush(&self) -> Result<()> {
        let (done, flushed) = oneshot::channel();
        self.send(Message::Flush(done)).await?;
        self.urgent.notify_one();
        flushed.await.unwrap_or_else(|_| Err(ended()))
    }

    /// [`Self::flush`], after which the writer has ended and let go of the engine. What is appended later fails.
    pub async fn close(&self) -> Result<()> {
        let (done, closed) = oneshot::channel();
        self.send(Message::Close(done)).await?;
        self.urgent.notify_one();
        closed.await.unwrap_or_else(|_| Err(ended()))
    }

    /// How many events of each kind were noted since the journal was opened, for the metrics.
    pub fn tally(&self) -> impl Iterator<Item = (&'static str, u64)> {
        KINDS.into_iter().zip(self.tally.iter().map(|count| count.load(Ordering::Relaxed)).collect::<Vec<_>>())
    }

    /// Events on their way to the writer.
    pub fn backlog(&self) -> usize {
        QUEUE - self.sender.capacity()
    }

    fn encode(&self, mut entry: Entry) -> Result<(Timestamp, Vec<u8>)> {
        entry.what.shorten();
        self.tally[entry.what.kind()].fetch_add(1, Ordering::Relaxed);
        let at = self.clock.now();
        Ok((at, to_bytes(at, &entry)?))
    }

    async fn send(&self, message: Message) -> Result<()> {
        self.sender.send(message).await.map_err(|_| ended())
    }

    /// Where events are, oldest first. On PostgreSQL all months share their tables.
    pub(crate) fn places(&self) -> Vec<Place> {
        let months = self.months.all();
        let skip = if self.db.is_postgres() { months.len().saturating_sub(1) } else { 0 };
        months.into_iter().skip(skip).map(Place::Journal).collect()
    }
}

fn ended() -> Error {
    Error::unavailable("the journal's writer has ended")
}
