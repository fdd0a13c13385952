//! Takes entries as they fall due and works on many at once.

use std::sync::Arc;

use anser_journal::{Entry as Note, Origin, What};
use anser_net::Shutdown;
use anser_queue::{Change, Lease, Outcome, Plan, Submission};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::Delivery;
use crate::report::Beyond;
use crate::route::Routed;
use crate::settle::{self, Finished};

/// Entries worked on at once.
pub const LOCAL_ATTEMPTS: usize = 128;
/// Entries talking to another server at once.
pub const REMOTE_ATTEMPTS: usize = 50;
/// Finished entries waiting for their settlement.
const FINISHED: usize = 1024;

impl Delivery {
    /// Delivers until the shutdown begins, then finishes what is under way and settles it.
    pub async fn run(&self, shutdown: Shutdown) {
        let (finished, settling) = mpsc::channel(FINISHED);
        let settler = tokio::spawn(settle::run(self.deps.clone(), settling));
        let attempts = Arc::new(Semaphore::new(LOCAL_ATTEMPTS));
        let remote = Arc::new(Semaphore::new(REMOTE_ATTEMPTS));
        let mut tasks = JoinSet::new();
        loop {
            let next = async {
                let permit = attempts.clone().acquire_owned().await.ok()?;
                Some((permit, self.deps.queue.next_due().await))
            };
            let Some(Some((permit, lease))) = shutdown.or(next).await else { break };
            while tasks.try_join_next().is_some() {}
            let (this, remote, finished) = (self.clone(), remote.clone(), finished.clone());
            tasks.spawn(async move { this.attempt(lease, permit, &remote, &finished).await });
        }
        while tasks.join_next().await.is_some() {}
        drop(finished);
        if let Err(panic) = settler.await {
            tracing::error!(%panic, "the settler ended badly; what it held is delivered again at the next start");
        }
    }

    /// One attempt at one entry: route, deliver, report, hand over for settlement.
    async fn attempt(
        &self,
        lease: Lease,
        permit: OwnedSemaphorePermit,
        remote: &Semaphore,
        finished: &mpsc::Sender<Finished>,
    ) {
        let routed = self.route(&lease).await;
        // Waiting for another server must not keep local mail waiting.
        let permit = if routed.remote.is_empty() { Some(permit) } else { None };
        let Results { outcomes, beyond, follow_up } = self.deliver_routed(&lease, routed, remote).await;
        let plan = lease.plan(outcomes.iter().cloned(), self.deps.clock.now());
        self.note(&lease, &plan, &outcomes).await;
        let mut reports = self.reports(&lease, &plan, &outcomes, &beyond).await;
        reports.extend(follow_up);
        drop(permit);
        // The settler ends only after the last sender.
        let _ = finished.send(Finished { lease, plan, reports }).await;
    }

    async fn deliver_routed(&self, lease: &Lease, routed: Routed, remote: &Semaphore) -> Results {
        let mut outcomes = routed.decided;
        outcomes.extend(self.deliver_local(lease, routed.local).await);
        let (forwarded, follow_up) = self.forward(lease, routed.forward, &mut outcomes).await;
        let mut beyond: Vec<_> = forwarded.iter().map(|(index, _)| (*index, Beyond::Reporting)).collect();
        outcomes.extend(forwarded);
        if !routed.remote.is_empty() {
            let _permit = remote.acquire().await;
            for relayed in self.relay.attempt(lease, &routed.remote).await {
                let place = if relayed.reports_success { Beyond::Reporting } else { Beyond::Silent };
                beyond.push((relayed.index, place));
                outcomes.push((relayed.index, relayed.outcome));
            }
        }
        Results { outcomes, beyond, follow_up }
    }

    /// Writes down what did not end with a mailbox; a local delivery is noted where it happens.
    async fn note(&self, lease: &Lease, plan: &Plan, outcomes: &[(usize, Outcome)]) {
        for (index, change) in &plan.changes {
            let Some(recipient) = lease.envelope.recipients.get(*index) else { continue };
            let why = outcomes.iter().find(|(at, _)| at == index).and_then(|(_, outcome)| outcome_text(outcome));
            let (entry, recipient, why) = (lease.id, recipient.address.to_string(), why.unwrap_or_default().to_owned());
            let what = match change {
                Change::Done => continue,
                Change::Failed | Change::Expired => What::Failed { entry, recipient, host: None, why, report: None },
                Change::Retry { at, .. } => What::Deferred { entry, recipient, host: None, why, next: at.0 },
            };
            self.journal(what).await;
        }
    }

    /// Notes an event of the house's own doing. A journal that cannot be written is logged and stops no mail.
    pub(crate) async fn journal(&self, what: What) {
        if let Err(error) = self.deps.journal.append(Note { origin: Origin::internal(), what }).await {
            tracing::error!(error = error.chain(), "an event could not be written to the journal");
        }
    }
}

/// What an attempt brought.
struct Results {
    outcomes: Vec<(usize, Outcome)>,
    /// Where recipients went that are not in a mailbox here.
    beyond: Vec<(usize, Beyond)>,
    /// New entries that follow.
    follow_up: Vec<Submission>,
}

/// The explanation in an outcome.
pub(crate) fn outcome_text(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Done => None,
        Outcome::Retry { why, .. } | Outcome::Fail { why } => Some(why),
    }
}
