//! A queue on each engine, and messages to put.

use std::future::Future;

use anser_base::{Address, BlobId, Clock, EntryId, Timestamp};
use anser_db::{Db, Engine, Schemas};
use anser_queue::{Body, Deps, Envelope, Lease, Origin, Outcome, Queue, Recipient, SCHEMA};
use anser_testkit::engines::{NO_SCHEMAS, each_engine};

pub const SCHEMAS: Schemas = Schemas { queue: SCHEMA, ..NO_SCHEMAS };
pub const START: Timestamp = Timestamp(1_800_000_000_000);

/// Runs a scenario on every engine, with a clock that stands still.
pub fn on_each_engine<F: Future<Output = ()>>(scenario: impl Fn(Data) -> F) {
    each_engine(SCHEMAS, |world| runtime().block_on(scenario(Data::new(world.engine.clone()))));
}

/// Data that queues can be opened on, one after the other or, with PostgreSQL, at the same time.
#[derive(Clone)]
pub struct Data {
    pub engine: Engine,
    pub clock: Clock,
}

impl Data {
    pub fn new(engine: Engine) -> Self {
        Self { engine, clock: Clock::manual(START) }
    }

    /// Opens a queue, as a start of a server does that nothing is known of.
    pub async fn queue(&self) -> Queue {
        self.queue_of(None).await
    }

    /// Opens a queue, as a start of the server of this name does.
    pub async fn queue_of(&self, name: Option<&str>) -> Queue {
        // Opening blocks, which a thread that drives a runtime must not.
        let engine = self.engine.clone();
        let db = std::thread::spawn(|| Db::open(engine, SCHEMAS).unwrap()).join().unwrap();
        Queue::open(Deps { db, clock: self.clock.clone(), name: name.map(str::to_owned) }).await.unwrap()
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn recipient(text: &str) -> Recipient {
    Recipient::new(Address::parse(text).unwrap())
}

pub fn envelope(recipients: &[&str]) -> Envelope {
    let recipients = recipients.iter().map(|text| recipient(text)).collect();
    Envelope::new(Address::parse("bob@anser.test"), recipients, Origin::internal(), START)
}

pub fn body(text: &str) -> Body {
    Body::inline(BlobId::of(text.as_bytes()), text.len() as u64, text.as_bytes().to_vec())
}

/// Puts a message for ann whose body is this text.
pub async fn put(queue: &Queue, text: &str) -> EntryId {
    queue.put(envelope(&["ann@anser.test"]), body(text)).await.unwrap()
}

/// The stored form of a lease's body.
pub fn text_of(lease: &Lease) -> &str {
    std::str::from_utf8(lease.body.stored.as_deref().unwrap()).unwrap()
}

pub fn retry() -> Outcome {
    Outcome::Retry { after: None, why: "451 later".into() }
}

/// Settles a lease with the same outcome for every recipient.
pub async fn settle(queue: &Queue, lease: &Lease, outcome: Outcome, now: Timestamp) {
    let outcomes = (0..lease.progress.len()).map(|index| (index, outcome.clone()));
    queue.settle(lease, &lease.plan(outcomes, now), Vec::new()).await.unwrap();
}
