//! Moves due entries of the queue: into local mailboxes, to another server, back to the sender as a report.
//!
//! ```text
//! Queue::next_due ─▶ dispatcher: one task an entry ─▶ route: what each recipient is
//!                                                      ├─▶ local:   rules, then store::append (deferred)
//!                                                      ├─▶ remote:  SMTP to mail exchanges, or to the smarthost
//!                                                      └─▶ forward: a new entry
//!                    settler ◀── outcomes, reports ◀────┘
//!                    └─▶ one sync of the data folder, then Queue::settle…
//! ```
//!
//! A local delivery commits without a sync of its own: the queue's row can redo it, carries the idempotence key, and is settled only
//! after one sync of the data folder for many of them. [`Delivery::recover`] closes what a power cut leaves open, before any door opens.
//!
//! Only this crate decides between retry, bounce and done. The explanation of an [`Outcome`](anser_queue::Outcome) starts with the
//! enhanced status code (RFC 3463) that a report gives.

mod content;
mod dispatcher;
mod feedback;
mod forward;
mod guard;
mod local;
mod recover;
mod remote;
mod report;
mod route;
mod rules;
mod settle;

use std::sync::Arc;

use anser_base::{Address, Clock, Entropy, EntryId, Result};
use anser_directory::{DEFAULT_TENANT, Directory, Route, Standing};
use anser_journal::{Journal, What};
use anser_mime::header;
use anser_mime::summary::message_id;
use anser_net::Resolver;
use anser_peers::Peers;
use anser_queue::{Envelope, Queue};
use anser_store::Store;

pub use dispatcher::{LOCAL_ATTEMPTS, REMOTE_ATTEMPTS, REMOTE_WAITING};
pub use remote::{Door, Handed, NotHanded, Outward, Smarthost, SmarthostTls};
pub use rules::{Applying, Deps as RulesDeps, Findings, Given, Jobs, REVIEWED, Review, Reviewed, Rules};

/// What delivery works with.
#[derive(Clone)]
pub struct Deps {
    /// Where entries come from and go back to.
    pub queue: Queue,
    /// Where local mail goes. With the embedded engine its bodies are in a folder below the engine's, so that one sync covers both.
    pub store: Store,
    /// Who an address is.
    pub directory: Directory,
    /// Where outcomes are written down.
    pub journal: Journal,
    /// The clock.
    pub clock: Clock,
    /// Randomness for boundaries and Message-IDs.
    pub entropy: Entropy,
    /// This server's name, in EHLO and reports.
    pub hostname: String,
    /// Where mail for all other domains goes, instead of to their own servers.
    pub smarthost: Option<Smarthost>,
    /// How it finds their own servers; without this and a smarthost it waits.
    pub outward: Option<Outward>,
    /// What is known of other servers, and what they are told.
    pub peers: Peers,
    /// The DNS, for where reports go.
    pub resolver: Resolver,
}

/// The courier of the house; cheap to clone.
#[derive(Clone)]
pub struct Delivery {
    deps: Arc<Deps>,
    relay: Arc<remote::Relay>,
    rules: Rules,
    jobs: Jobs,
    guard: Arc<guard::Guard>,
}

impl Delivery {
    /// A courier that does nothing until [`Delivery::run`].
    pub fn new(deps: Deps) -> Self {
        let relay = Arc::new(remote::Relay::new(&deps));
        let rules = Rules::new(RulesDeps {
            store: deps.store.clone(),
            directory: deps.directory.clone(),
            clock: deps.clock.clone(),
            entropy: deps.entropy.clone(),
            hostname: deps.hostname.clone(),
        });
        let jobs = Jobs::new(rules.clone(), deps.journal.clone());
        Self { deps: Arc::new(deps), relay, rules, jobs, guard: Arc::default() }
    }

    /// Puts a message that the house writes into the queue, and notes that it did; it is signed on its way out. `Class::Full` without
    /// room for it.
    pub async fn send(&self, envelope: Envelope, raw: &[u8]) -> Result<EntryId> {
        let body = content::body_of(&self.deps.store, envelope.tenant.unwrap_or(DEFAULT_TENANT), raw).await?;
        let recipients = envelope.recipients.iter().map(|one| one.address.to_string()).collect();
        let sender = envelope.sender.as_ref().map(ToString::to_string).unwrap_or_default();
        let entry = self.deps.queue.put(envelope, body).await?;
        let message_id = header::value(raw, "Message-ID").and_then(|value| message_id(&value));
        let size = raw.len() as u64;
        let what = What::Accepted { entry, message_id, sender, recipients, size, account: None, parent: None };
        self.journal(what).await;
        Ok(entry)
    }

    /// Rules over mail that is stored.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// What the server at the end of a route knows of an address: asked, or remembered. Takes 45 seconds at most.
    pub async fn standing(&self, route: &Route, address: &Address) -> Standing {
        self.relay.standing(route, address).await
    }
}
