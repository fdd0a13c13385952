//! The end of a lease: what the attempts brought becomes durable.

use std::sync::{Arc, Weak};

use anser_base::{Class, EntryId, Result, Timestamp};
use anser_db::{Durability, Place};

use crate::envelope::Entry;
use crate::lease::Lease;
use crate::queue::{Inner, Queue, Submission};
use crate::rows;
use crate::state::Plan;

/// A lease and what is to become of its entry.
#[derive(Debug)]
pub struct Settlement {
    /// The lease.
    pub lease: Lease,
    /// What follows from its outcomes.
    pub plan: Plan,
}

impl Settlement {
    /// All recipients of the lease have the message.
    pub fn done(lease: Lease) -> Self {
        let plan = lease.all_done();
        Self { lease, plan }
    }
}

impl Queue {
    /// Settles one lease and puts the reports (and other mail) that follow from it, in one durable transaction: either all of it
    /// stands or nothing. Returns the reports' entries in their order.
    ///
    /// `Class::Conflict`: the lease was lost (an operator removed the entry, the node was thought dead); nothing was changed, no
    /// report was put, there is nothing left to do. Any other error: nothing was changed, call again with the same plan, for
    /// what a remote server took must not be sent twice.
    pub async fn settle(&self, lease: &Lease, plan: &Plan, reports: Vec<Submission>) -> Result<Vec<EntryId>> {
        let inner = &self.inner;
        let mut prepared = Vec::with_capacity(reports.len());
        for report in reports {
            prepared.push(inner.prepare(report).await?);
        }
        let (entries, filings): (Vec<_>, Vec<_>) = prepared.into_iter().map(|p| (p.row.clone(), p.filing)).unzip();
        let ids = entries.iter().map(|row| row.entry.id).collect();
        let (entry, steps, node) = (lease.entry(), plan.clone(), inner.node);
        let (ready, due) = (inner.ready.clone(), plan.due());
        let outcome = inner
            .db
            .write_then(
                Place::Queue,
                Durability::Sync,
                move |tx| {
                    rows::settle(tx, &entry, &steps, node)?;
                    entries.iter().try_for_each(|row| row.insert(tx))
                },
                move |_| {
                    ready.note_due(due);
                    filings.into_iter().for_each(|filing| filing.done());
                },
            )
            .await;
        finish(lease, &outcome);
        outcome.map(|()| ids)
    }

    /// Settles attempts from which no other mail follows, local deliveries whose own transactions were deferred among them. Call it only
    /// after `Disk::sync_all` made those durable. All go in one transaction that is itself not synced: should it be lost, the entries come
    /// back marked as possible redeliveries, and accounts know them by their ids. A lease that was lost is passed over.
    ///
    /// On an error nothing was changed; call again with the same batch.
    pub async fn settle_after_sync(&self, batch: &[Settlement]) -> Result<()> {
        let inner = &self.inner;
        let steps: Vec<(Arc<Entry>, Plan)> = batch.iter().map(|s| (s.lease.entry(), s.plan.clone())).collect();
        let due = batch.iter().filter_map(|settlement| settlement.plan.due()).min();
        let (ready, node) = (inner.ready.clone(), inner.node);
        let outcome = inner
            .db
            .write_then(
                Place::Queue,
                Durability::Deferred,
                move |tx| steps.iter().try_for_each(|(entry, plan)| unless_lost(rows::settle(tx, entry, plan, node))),
                move |_| ready.note_due(due),
            )
            .await;
        batch.iter().for_each(|settlement| finish(&settlement.lease, &outcome));
        outcome
    }
}

impl Inner {
    /// Ends a lease that nobody settled. After [`Queue::close`] the next run does so. Should even that fail, the entry is kept in mind and tried again with the next look at
    /// the tables.
    pub fn give_back(self: &Arc<Self>, entry: Arc<Entry>) {
        if self.is_closed() {
            return;
        }
        let plan = entry.interrupted(self.clock.now());
        let (node, due) = (self.node, plan.due());
        let keeper = Keeper { inner: Arc::downgrade(self), entry: Some(entry.clone()) };
        let work = self.db.write_then(
            Place::Queue,
            Durability::Deferred,
            move |tx| unless_lost(rows::settle(tx, &entry, &plan, node)),
            move |_| keeper.given_back(due),
        );
        drop(work);
    }
}

/// Keeps an entry in mind unless it was given back. Work under way does not keep the queue open.
struct Keeper {
    inner: Weak<Inner>,
    entry: Option<Arc<Entry>>,
}

impl Keeper {
    fn given_back(mut self, due: Option<Timestamp>) {
        self.entry = None;
        if let Some(inner) = self.inner.upgrade() {
            inner.ready.note_due(due);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some((entry, inner)) = self.entry.take().zip(self.inner.upgrade()) {
            inner.stranded().push(entry);
        }
    }
}

pub fn unless_lost(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.class == Class::Conflict => Ok(()),
        other => other,
    }
}

fn finish<T>(lease: &Lease, outcome: &Result<T>) {
    if outcome.as_ref().err().is_none_or(|error| error.class == Class::Conflict) {
        lease.end();
    }
}
