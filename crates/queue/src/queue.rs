//! Putting entries in and handing them out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anser_base::limits::{INLINE_BODY, RECIPIENTS};
use anser_base::{Clock, EntryId, Error, Result, Timestamp};
use anser_db::{Db, Durability, Place, Tx};

use crate::body::Body;
use crate::envelope::{Entry, Envelope, Home};
use crate::ids::Ids;
use crate::lease::Lease;
use crate::ready::{Ready, Room};
use crate::schema::{NOBODY, RELEASED};
use crate::{node, record, rows, settle};

/// Rows of each table that one look reads back; bodies of up to 256 KiB each.
const TAKE: usize = 32;
/// How long a look that failed is not repeated, and how long due rows may be kept waiting by new entries.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a node looks for rows that other nodes left, on PostgreSQL.
const LOOK: Duration = Duration::from_secs(5);
/// Longest sleep between looks, so that a clock that was set forward is noticed.
const SLEEP: Duration = Duration::from_secs(60);

/// What the queue works with.
pub struct Deps {
    /// The engine; its schema for `Place::Queue` is [`crate::SCHEMA`].
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// On PostgreSQL, a name that only one living process has: what an earlier run of this name held is free at once. Without a
    /// name it is free when its leases lapse.
    pub name: Option<String>,
}

/// A message to be put.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its envelope.
    pub envelope: Envelope,
    /// Its body.
    pub body: Body,
}

/// The queue; cheap to clone.
#[derive(Clone)]
pub struct Queue {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub db: Db,
    pub clock: Clock,
    pub node: i64,
    pub ready: Arc<Ready>,
    ids: Ids,
    /// On the embedded engine, entries below this number may have been attempted by an earlier run.
    pub born: EntryId,
    looking: tokio::sync::Mutex<()>,
    stranded: Mutex<Vec<Arc<Entry>>>,
    closed: AtomicBool,
}

impl Queue {
    /// Opens the queue: a new run begins, and what earlier runs of this node were working on is waiting again. On PostgreSQL a task
    /// on the current runtime renews the node's leases and frees those of dead nodes until the last handle is dropped.
    pub async fn open(deps: Deps) -> Result<Self> {
        let Deps { db, clock, name } = deps;
        let now = clock.now();
        let node = db.write(Place::Queue, Durability::Sync, move |tx| node::start(tx, now, name.as_deref())).await?;
        let (ids, born) = Ids::open(db.clone()).await?;
        let (ready, looking, stranded, closed) = Default::default();
        let inner = Arc::new(Inner { db, clock, node, ready, ids, born, looking, stranded, closed });
        if inner.db.is_postgres() {
            tokio::spawn(keep_alive(Arc::downgrade(&inner)));
        }
        Ok(Self { inner })
    }

    /// Accepts a message. When this returns an id, the message is durable and 250 may be said. `Class::Invalid` when there is no
    /// recipient, too many of them, or a body that belongs into the blob store; `Class::Full` when there is no room: nothing of
    /// it is kept. Any other error says that its durability is not certain: the entry is taken back, unless the machine
    /// stops before that, so the sender must try again.
    pub async fn put(&self, envelope: Envelope, body: Body) -> Result<EntryId> {
        let prepared = self.inner.prepare(Submission { envelope, body }).await?;
        let (row, filing) = (prepared.row, prepared.filing);
        let id = row.entry.id;
        let work = move |tx: &mut Tx<'_>| row.insert(tx);
        let written = self.inner.db.write_then(Place::Queue, Durability::Sync, work, move |()| filing.done()).await;
        written.map(|()| id).inspect_err(|_| self.inner.take_back(id))
    }

    /// The next entry that is due, leased to the caller. Waits until there is one; cancel safe. A new entry comes straight from
    /// memory. Trouble with the tables is logged and waited out.
    pub async fn next_due(&self) -> Lease {
        loop {
            let now = self.inner.clock.now();
            if self.inner.should_look(now) {
                self.inner.look_or_pause(now).await;
            }
            if let Some(entry) = self.inner.ready.pop() {
                return Lease::new(entry, &self.inner);
            }
            let sleep = self.inner.until_next_look(now);
            // Whichever ends first, the loop looks at everything anew.
            let _ = tokio::time::timeout(sleep, self.inner.ready.filled.notified()).await;
        }
    }

    /// An entry that is due now, if there is one: [`Self::next_due`] without waiting.
    pub async fn try_next_due(&self) -> Result<Option<Lease>> {
        let mut entry = self.inner.ready.pop();
        if entry.is_none() {
            self.inner.look(self.inner.clock.now()).await?;
            entry = self.inner.ready.pop();
        }
        Ok(entry.map(|entry| Lease::new(entry, &self.inner)))
    }

    /// Has the tables looked at soon: after the clock was set, or when another node may have left something.
    pub fn wake(&self) {
        self.inner.ready.due_at(Timestamp(i64::MIN));
    }

    /// Ends the run in good order. The couriers stop first: a lease that is dropped from now on is left to the next run, and on
    /// PostgreSQL to the other nodes, which may take it at once, so that it can no longer be settled here.
    pub async fn close(&self) -> Result<()> {
        let node = self.inner.node;
        self.inner.closed.store(true, Ordering::Release);
        self.inner.ready.clear();
        if !self.inner.db.is_postgres() {
            return Ok(());
        }
        self.inner.db.write(Place::Queue, Durability::Sync, move |tx| node::end(tx, node)).await.map(|_| ())
    }

    /// Gives this node's sign of life and frees what dead nodes held; tells how many entries that were. On PostgreSQL it runs by
    /// itself every 10 seconds; on the embedded engine there is nothing to do.
    pub async fn renew(&self) -> Result<u64> {
        self.inner.renew().await
    }
}

/// A new entry with its room in memory.
pub(crate) struct Prepared {
    pub row: NewRow,
    pub filing: Filing,
}

/// What the transaction writes.
#[derive(Clone)]
pub(crate) struct NewRow {
    pub entry: Arc<Entry>,
    packed: Arc<[u8]>,
    lease: i64,
}

/// What happens once it is durable.
pub(crate) struct Filing {
    entry: Arc<Entry>,
    room: Option<Room>,
    ready: Arc<Ready>,
}

impl NewRow {
    pub fn insert(&self, tx: &mut Tx<'_>) -> Result<()> {
        rows::insert(tx, &self.entry, &self.packed, self.lease)
    }
}

impl Filing {
    pub fn done(self) {
        match (self.room, self.entry.home) {
            (Some(room), _) => room.fill(self.entry),
            (None, Home::Fresh) => self.ready.spilled(),
            (None, Home::Waiting) => self.ready.due_at(self.entry.envelope.not_before.unwrap_or_default()),
        }
    }
}

impl Inner {
    pub async fn prepare(&self, submission: Submission) -> Result<Prepared> {
        let Submission { envelope, body } = submission;
        check(&envelope, &body)?;
        let id = self.ids.next().await?;
        let packed = record::pack_envelope(&envelope, &body).into();
        let scheduled = envelope.not_before.is_some_and(|at| at > self.clock.now());
        let home = if scheduled { Home::Waiting } else { Home::Fresh };
        let room = if scheduled { None } else { self.ready.reserve(body.weight()) };
        let progress = rows::untouched(&envelope);
        let entry = Arc::new(Entry { id, envelope, progress, body, redelivery: false, home });
        let lease = if room.is_some() { self.node } else { NOBODY };
        let filing = Filing { entry: entry.clone(), room, ready: self.ready.clone() };
        Ok(Prepared { row: NewRow { entry, packed, lease }, filing })
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Removes what an uncertain commit may have left of a put that failed.
    fn take_back(&self, id: EntryId) {
        let work = move |tx: &mut Tx<'_>| {
            for home in [Home::Fresh, Home::Waiting] {
                settle::unless_lost(rows::delete(tx, id, home, None))?;
            }
            Ok(())
        };
        drop(self.db.write(Place::Queue, Durability::Deferred, work));
    }

    pub fn stranded(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.stranded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn should_look(&self, now: Timestamp) -> bool {
        let state = self.ready.lock();
        let rested = now >= state.looked.after(PAUSE) || now < state.looked;
        let low = state.waiting() < TAKE;
        (low && state.backlog)
            || (state.wake <= now && (low || rested))
            || (low && self.db.is_postgres() && now >= state.looked.after(LOOK))
    }

    fn until_next_look(&self, now: Timestamp) -> Duration {
        let state = self.ready.lock();
        let most = if self.db.is_postgres() { LOOK } else { SLEEP };
        state.wake.since(now).clamp(Duration::from_millis(1), most)
    }

    async fn look_or_pause(self: &Arc<Self>, now: Timestamp) {
        if let Err(error) = self.look(now).await {
            tracing::error!(error = error.chain(), "the queue cannot read its tables; trying again");
            let _ = tokio::time::timeout(PAUSE, self.ready.filled.notified()).await;
        }
    }

    /// Reads due rows back into the list, leased to this node.
    async fn look(self: &Arc<Self>, now: Timestamp) -> Result<()> {
        let _one_at_a_time = self.looking.lock().await;
        let stranded = std::mem::take(&mut *self.stranded());
        stranded.into_iter().for_each(|entry| self.give_back(entry));
        let (node, born) = (self.node, self.born);
        let ready = self.ready.clone();
        let work = move |tx: &mut Tx<'_>| take(tx, node, born, now);
        let file =
            move |taken: &mut Taken| ready.file(std::mem::take(&mut taken.entries), taken.more_fresh, taken.wake, now);
        self.db.write_then(Place::Queue, Durability::Deferred, work, file).await.map(|_| ())
    }

    async fn renew(&self) -> Result<u64> {
        if !self.db.is_postgres() {
            return Ok(0);
        }
        let (node, now) = (self.node, self.clock.now());
        let (presumed_dead, freed) = self
            .db
            .write(Place::Queue, Durability::Sync, move |tx| Ok((node::renew(tx, node, now)?, node::bury(tx, now)?)))
            .await?;
        if presumed_dead {
            tracing::warn!(node, "this node was thought dead; others have its queue entries now");
            self.ready.clear();
        }
        if freed > 0 {
            self.ready.spilled();
            self.ready.due_at(now);
        }
        Ok(freed)
    }
}

fn check(envelope: &Envelope, body: &Body) -> Result<()> {
    if envelope.recipients.is_empty() || envelope.recipients.len() > RECIPIENTS {
        return Err(Error::invalid("a message needs 1 to 1000 recipients", "一封邮件须有 1 到 1000 个收件人"));
    }
    if body.stored.is_some() && body.size > INLINE_BODY as u64 {
        return Err(Error::invalid("the body is too large for the queue", "正文过大，无法放入队列"));
    }
    Ok(())
}

/// What one look found.
struct Taken {
    entries: Vec<Entry>,
    more_fresh: bool,
    wake: Option<Timestamp>,
}

fn take(tx: &mut Tx<'_>, node: i64, born: EntryId, now: Timestamp) -> Result<Taken> {
    let mut entries = Vec::new();
    let mut more_fresh = false;
    for home in [Home::Waiting, Home::Fresh] {
        let free = rows::free(tx, home, now, TAKE as i64)?;
        more_fresh = home == Home::Fresh && free.len() == TAKE;
        for (id, holder) in free {
            rows::lease(tx, id, home, node)?;
            let earlier_run = !tx.is_postgres() && id < born;
            let loaded = rows::load(tx, id, home)?;
            let entry = loaded.map(|loaded| loaded.unpack(id, home, holder == RELEASED || earlier_run)).transpose();
            entries.extend(entry.unwrap_or_else(|error| set_aside(id, &error)));
        }
    }
    let wake = rows::first_due(tx)?;
    Ok(Taken { entries, more_fresh, wake })
}

/// A damaged entry keeps its lease, so that the others go on; it is looked at again in the next run.
fn set_aside(id: EntryId, error: &Error) -> Option<Entry> {
    tracing::error!(entry = %id, error = error.chain(), "a queue entry is damaged and set aside; run anser check");
    None
}

async fn keep_alive(queue: Weak<Inner>) {
    loop {
        tokio::time::sleep(node::RENEW).await;
        let Some(inner) = queue.upgrade() else { return };
        if let Err(error) = inner.renew().await {
            tracing::warn!(error = error.chain(), "the queue's leases could not be renewed; trying again");
        }
    }
}
