//! The task that keeps indexes close behind the mail.
//!
//! Accounts stand in a queue; each is given one batch at a time and then goes to its end, so that a huge account delays nobody. One batch
//! runs at a time. It begins a moment after the last of the changes that called for it, so that a burst of mail is one batch.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anser_base::{AccountId, Error, Result, TenantId};
use anser_db::Place;
use tokio::time::{Instant, timeout_at};

use super::Readers;
use super::waiting::Next;
use crate::Store;

/// Rest after a failure, so that a full disk is not asked all the time.
const REST: Duration = Duration::from_secs(30);

/// How much the indexer gives way where the processor is short: a third of the share of a session, so that it goes on whatever the load.
const NICE: i32 = 5;

/// Brings accounts' messages into their indexes.
pub struct Indexer {
    store: Store,
}

impl Store {
    /// Names who reads documents, once; until then they are read where the search runs.
    pub fn read_documents_with(&self, readers: Readers) {
        // The first one stays.
        let _ = self.shared.search.readers.set(readers);
    }

    /// Has an account looked at by the indexer, without a change of its own.
    pub fn stir_index(&self, account: AccountId) {
        self.shared.search.stir(account);
    }

    /// The task's body.
    pub fn indexer(&self) -> Indexer {
        Indexer { store: self.clone() }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.store.shared.search.stopping.store(true, Ordering::Relaxed);
    }
}

impl Indexer {
    /// Runs until it is dropped. `tenant_of` finds an account's tenant; `None` for an account that is gone. What is under way when it is
    /// dropped ends at the next message and is undone; nothing is indexed by this process any more.
    pub async fn run<F: Future<Output = Result<Option<TenantId>>>>(self, tenant_of: impl Fn(AccountId) -> F) {
        loop {
            let search = &self.store.shared.search;
            let next = search.waiting().next(Instant::now());
            match next {
                Next::Account(account) => {
                    if let Err(error) = self.step(account, &tenant_of).await {
                        tracing::warn!(%account, error = error.chain(), "messages could not be indexed; searches read them");
                        tokio::time::sleep(REST).await;
                    }
                }
                // Who is wanted meanwhile does not wait for that.
                Next::At(due) => drop(timeout_at(due, search.wake.notified()).await),
                Next::Nobody => search.wake.notified().await,
            }
        }
    }

    async fn step<F>(&self, account: AccountId, tenant_of: &impl Fn(AccountId) -> F) -> Result<()>
    where
        F: Future<Output = Result<Option<TenantId>>>,
    {
        if !self.store.db.exists(Place::Account(account)) {
            return Ok(());
        }
        let Some(tenant) = tenant_of(account).await? else { return Ok(()) };
        let store = self.store.clone();
        let work = move || behind_others(|| store.index_some(account, tenant));
        if tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??.more {
            self.store.shared.search.want(account);
        }
        Ok(())
    }
}

/// Runs some work on a thread that leaves the processor to others, as do the threads that it starts. A thread that gave way cannot take
/// it back, so that one of the pool must not.
fn behind_others<R: Send>(work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    let polite = || {
        // A system that refuses indexes at full speed.
        let _ = rustix::process::nice(NICE);
        work()
    };
    std::thread::scope(|scope| scope.spawn(polite).join())
        .unwrap_or_else(|_| Err(Error::unavailable("indexing panicked")))
}
