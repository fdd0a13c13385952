//! Searching texts of an account's messages (RFC 9051 §6.4.4, later RFC 8621 §4.4.1).
//!
//! [`Store::search`] answers exactly what looking through the texts of all messages would (`anser_text::Query::is_in`). What is in the
//! index is answered by it, and by stored texts where it gives only candidates; what is not yet in it is read and looked through.
//! So an answer is never behind the mail, whatever state the index is in: none, half made, damaged, thrown away.
//!
//! | file | holds |
//! |---|---|
//! | `schema`, `rows` | the tables, in `search.db` beside the account's mail |
//! | `write` | batches of messages become segments, segments are merged: [`Store::index_some`] |
//! | `ask` | queries |
//! | `heads` | header fields of messages that are not in the index yet |
//! | `cache` | lists and terms that were read before |
//! | `worker` | documents read in bounded processes |
//! | `indexer`, `waiting` | the task that keeps indexes close behind the mail, a batch of each account in turn |

mod ask;
mod cache;
mod heads;
mod indexer;
mod rows;
mod schema;
mod waiting;
mod worker;
mod write;

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anser_base::{AccountId, Error, Result};
use anser_text::{Documents, InProcess};
use tokio::sync::Notify;
use tokio::time::Instant;

pub use ask::{Found, Searching};
pub use indexer::Indexer;
pub use schema::SEARCH_SCHEMA;
pub use worker::{WORKER, documents_in, work_as_worker};
pub use write::Progress;

use waiting::Waiting;

/// Locks over which accounts are spread.
const LOCKS: usize = 64;

/// Makes something that reads documents.
pub type Readers = Arc<dyn Fn() -> Box<dyn Documents> + Send + Sync>;

/// What all clones of a store share for searching.
pub(crate) struct Search {
    cache: cache::Cache,
    /// Accounts whose index agreed with the mail when this process first looked.
    trusted: Mutex<HashSet<AccountId>>,
    locks: [Mutex<()>; LOCKS],
    readers: OnceLock<Readers>,
    waiting: Mutex<Waiting>,
    wake: Notify,
    /// Set when the indexer is dropped, so that a batch under way does not hold up the end of the process.
    stopping: AtomicBool,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            cache: cache::Cache::default(),
            trusted: Mutex::default(),
            locks: std::array::from_fn(|_| Mutex::default()),
            readers: OnceLock::new(),
            waiting: Mutex::default(),
            wake: Notify::new(),
            stopping: AtomicBool::new(false),
        }
    }
}

impl Search {
    /// Who holds it alone writes the account's index.
    fn lock(&self, account: AccountId) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(account) as usize;
        self.locks[hash % LOCKS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_trusted(&self, account: AccountId) -> bool {
        self.trusted.lock().unwrap_or_else(PoisonError::into_inner).contains(&account)
    }

    fn trust(&self, account: AccountId) {
        self.trusted.lock().unwrap_or_else(PoisonError::into_inner).insert(account);
    }

    fn distrust(&self, account: AccountId) {
        self.trusted.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
    }

    /// Between two messages or blocks: `Class::Unavailable` when the process is about to end.
    fn go_on(&self) -> Result<()> {
        match self.stopping.load(Ordering::Relaxed) {
            true => Err(Error::unavailable("indexing stops with the process")),
            false => Ok(()),
        }
    }

    fn documents(&self) -> Box<dyn Documents> {
        self.readers.get().map_or_else(|| Box::new(InProcess) as Box<dyn Documents>, |readers| readers())
    }

    /// The account has something to be indexed, when it has settled.
    pub(crate) fn stir(&self, account: AccountId) {
        if self.waiting().changed(account, Instant::now()) {
            self.wake.notify_one();
        }
    }

    /// The account has something to be indexed, as soon as can be.
    fn want(&self, account: AccountId) {
        if self.waiting().wanted(account, Instant::now()) {
            self.wake.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
