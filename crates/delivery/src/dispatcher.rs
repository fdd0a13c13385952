//! Takes entries as they fall due and works on many at once.

use std::sync::Arc;
use std::time::Duration;

use anser_base::{Error, Result};
use anser_journal::{Entry as Note, Origin, What};
use anser_net::Shutdown;
use anser_queue::{Change, Lease, Outcome, Plan, Submission};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::Delivery;
use crate::remote::{Relayed, Way};
use crate::report::Beyond;
use crate::route::{Routed, by_route};
use crate::settle::{self, Finished};

/// Entries worked on at once.
pub const LOCAL_ATTEMPTS: usize = 128;
/// Conversations with other servers at once.
pub const REMOTE_ATTEMPTS: usize = 100;
/// Entries in memory that talk to another server or wait for their turn to.
pub const REMOTE_WAITING: usize = 1000;
/// Pause of an entry that finds [`REMOTE_WAITING`] used up.
const CROWDED: Duration = Duration::from_secs(60);
/// Finished entries waiting for their settlement.
const FINISHED: usize = 1024;

impl Delivery {
    /// Delivers until the shutdown begins, then finishes what is under way and settles it. An error means that the disk lost what it
    /// was given: stop the whole server at once, without saying goodbye, and start it again.
    pub async fn run(&self, shutdown: Shutdown) -> Result<()> {
        let (finished, settling) = mpsc::channel(FINISHED);
        let mut settler = tokio::spawn(settle::run(self.deps.clone(), settling));
        let limits = Arc::new(Limits::default());
        let mut tasks = JoinSet::new();
        while !shutdown.is_shutting_down() {
            let next = async {
                let permit = limits.attempts.clone().acquire_owned().await.ok()?;
                Some((permit, self.deps.queue.next_due().await))
            };
            let next = tokio::select! {
                next = shutdown.or(next) => next.flatten(),
                ended = &mut settler => return ended.map_err(Error::unavailable)?,
            };
            let Some((permit, lease)) = next else { break };
            while tasks.try_join_next().is_some() {}
            let (this, limits, finished) = (self.clone(), limits.clone(), finished.clone());
            tasks.spawn(async move { this.attempt(lease, permit, &limits, &finished).await });
        }
        while tasks.join_next().await.is_some() {}
        drop(finished);
        settler.await.map_err(Error::unavailable)?
    }

    /// One attempt at one entry: route, deliver, report, hand over for settlement.
    async fn attempt(
        &self,
        lease: Lease,
        permit: OwnedSemaphorePermit,
        limits: &Limits,
        finished: &mpsc::Sender<Finished>,
    ) {
        let routed = self.route(&lease).await;
        // Waiting for another server must not keep local mail waiting.
        let permit = if routed.remote.is_empty() { Some(permit) } else { None };
        let Results { outcomes, beyond, follow_up, mails } = self.deliver_routed(&lease, routed, limits).await;
        let plan = lease.plan(outcomes.iter().cloned(), self.deps.clock.now());
        self.note(&lease, &plan, &outcomes).await;
        self.watch_ends(&lease, &plan).await;
        let mut reports = self.reports(&lease, &plan, &outcomes, &beyond).await;
        reports.extend(follow_up);
        // What rules sent for a recipient that is tried again is found again then, with the delivery that was made.
        let is_settled = |index: &usize| {
            plan.changes
                .iter()
                .any(|(at, change)| at == index && !matches!(change, Change::Retry { .. } | Change::Held))
        };
        reports.extend(mails.into_iter().filter(|(index, _)| is_settled(index)).map(|(_, mail)| mail));
        drop(permit);
        // The settler ends only after the last sender.
        let _ = finished.send(Finished { lease, plan, reports }).await;
    }

    async fn deliver_routed(&self, lease: &Lease, routed: Routed, limits: &Limits) -> Results {
        let mut outcomes = routed.decided;
        let local = self.deliver_local(lease, routed.local).await;
        self.read_feedback(lease, &local.outcomes).await;
        outcomes.extend(local.outcomes);
        let (forwarded, follow_up) = self.forward(lease, routed.forward, &mut outcomes).await;
        let mut beyond: Vec<_> = forwarded.iter().map(|(index, _)| (*index, Beyond::Reporting)).collect();
        outcomes.extend(forwarded);
        for (index, _) in routed.discarded {
            // Nobody is told, whatever the sender asked for.
            beyond.push((index, Beyond::Reporting));
            outcomes.push((index, Outcome::Done));
        }
        for relayed in self.relay_out(lease, routed.remote, limits).await {
            let place = if relayed.reports_success { Beyond::Reporting } else { Beyond::Silent };
            beyond.push((relayed.index, place));
            outcomes.push((relayed.index, relayed.outcome));
        }
        Results { outcomes, beyond, follow_up, mails: local.mails }
    }

    async fn relay_out(&self, lease: &Lease, recipients: Vec<(usize, Way)>, limits: &Limits) -> Vec<Relayed> {
        if recipients.is_empty() {
            return Vec::new();
        }
        let Ok(_waits) = limits.waiting.try_acquire() else {
            return recipients.iter().map(|(index, _)| crowded(*index)).collect();
        };
        self.relay.attempt(lease.entry(), recipients).await
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
                Change::Held => by_route(lease, recipient, &format!("hold: {why}"), ""),
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
    /// New entries that rules made, by recipient.
    mails: Vec<(usize, Submission)>,
}

/// How many entries are in hand at once.
struct Limits {
    attempts: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attempts: Arc::new(Semaphore::new(LOCAL_ATTEMPTS)), waiting: Semaphore::new(REMOTE_WAITING) }
    }
}

fn crowded(index: usize) -> Relayed {
    let why = "4.4.5 too many messages wait for other servers".into();
    Relayed { index, outcome: Outcome::Wait { after: CROWDED, why }, reports_success: false }
}

/// The explanation in an outcome.
pub(crate) fn outcome_text(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Done => None,
        Outcome::Retry { why, .. } | Outcome::Wait { why, .. } | Outcome::Hold { why } | Outcome::Fail { why } => {
            Some(why)
        }
    }
}
