//! Ends leases: many attempts, one sync, one transaction.

use std::sync::Arc;
use std::time::Duration;

use anser_base::{Class, EntryId, Error, Result};
use anser_journal::{Entry as Note, Origin, What};
use anser_queue::{Lease, Plan, Settlement, Submission};
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::Deps;

/// How long finished deliveries are gathered before they are synced together.
const GATHER: Duration = Duration::from_millis(250);
/// Deliveries gathered at most.
const BATCH: usize = 512;
/// Bytes of bodies gathered at most.
const BYTES: u64 = 32 * 1024 * 1024;
/// Pause before a settlement that failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// An attempt that ended.
pub(crate) struct Finished {
    pub lease: Lease,
    pub plan: Plan,
    pub reports: Vec<Submission>,
}

/// Settles until every sender is gone, or until a sync fails: then nobody can say which deliveries are still there, and only a new
/// start, which delivers what was not settled once more, puts it right.
pub(crate) async fn run(deps: Arc<Deps>, mut finished: mpsc::Receiver<Finished>) -> Result<()> {
    while let Some(first) = finished.recv().await {
        let batch = gather(first, &mut finished).await;
        let work = deps.clone();
        tokio::task::spawn_blocking(move || work.sync_all()).await.map_err(Error::unavailable)??;
        settle(&deps, batch).await;
    }
    Ok(())
}

async fn gather(first: Finished, finished: &mut mpsc::Receiver<Finished>) -> Vec<Finished> {
    let deadline = Instant::now() + GATHER;
    let mut bytes = first.lease.body.size;
    let mut batch = vec![first];
    while batch.len() < BATCH && bytes < BYTES {
        match timeout_at(deadline, finished.recv()).await {
            Ok(Some(next)) => {
                bytes += next.lease.body.size;
                batch.push(next);
            }
            Ok(None) | Err(_) => break,
        }
    }
    batch
}

impl Deps {
    /// Makes every deferred delivery durable, rows and bodies.
    fn sync_all(&self) -> Result<()> {
        let (db, blobs) = (self.store.db(), self.store.blobs());
        if db.is_postgres() { blobs.sync_all() } else { blobs.sync_with(|| db.sync_all()) }
    }
}

async fn settle(deps: &Deps, batch: Vec<Finished>) {
    let (plain, reporting): (Vec<_>, Vec<_>) = batch.into_iter().partition(|done| done.reports.is_empty());
    // Together, so that they share commits.
    join_all(reporting.into_iter().map(|done| settle_one(deps, done))).await;
    let plain: Vec<Settlement> =
        plain.into_iter().map(|Finished { lease, plan, .. }| Settlement { lease, plan }).collect();
    while let Err(error) = deps.queue.settle_after_sync(&plain).await {
        tracing::error!(error = error.chain(), "deliveries could not be settled; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn settle_one(deps: &Deps, done: Finished) {
    loop {
        match deps.queue.settle(&done.lease, &done.plan, done.reports.clone()).await {
            Ok(entries) => return note(deps, &done, &entries).await,
            Err(error) if error.class == Class::Conflict => return,
            Err(error) => tracing::error!(error = error.chain(), "an entry could not be settled; trying again"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Writes down what new mail followed from which entry, so that a trace goes on with it.
async fn note(deps: &Deps, done: &Finished, entries: &[EntryId]) {
    for (entry, Submission { envelope, body }) in entries.iter().zip(&done.reports) {
        let what = What::Accepted {
            entry: *entry,
            message_id: None,
            sender: envelope.sender.as_ref().map(ToString::to_string).unwrap_or_default(),
            recipients: envelope.recipients.iter().map(|recipient| recipient.address.to_string()).collect(),
            size: body.size,
            account: None,
            parent: Some(done.lease.id),
        };
        if let Err(error) = deps.journal.append(Note { origin: Origin::internal(), what }).await {
            tracing::error!(error = error.chain(), "an event could not be written to the journal");
        }
    }
}
