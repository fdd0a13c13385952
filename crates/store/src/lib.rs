//! What accounts hold: mailboxes, messages in one or several of them, UIDs, flags, conversations, the change log.
//!
//! ```text
//! door ── store.write(account, |tx| …) ──▶ worker of the account: MailTx ──▶ commit ──▶ Changes ──▶ snapshots move forward
//!                                                                                          └──▶ everyone who watches
//! ```
//!
//! | state of a message | left by |
//! |---|---|
//! | absent | [`MailTx::append`] → placed; [`MailTx::copy`] makes another message of the same body |
//! | placed in one or more mailboxes | [`MailTx::add_place`], [`MailTx::move_to`] → placed; [`MailTx::store_flags`] → placed; [`MailTx::expunge`] of the last place → destroyed |
//! | destroyed | never comes back; its UIDs stay in the vanished history, its number is never used again |
//!
//! | file | holds |
//! |---|---|
//! | `model` | the nouns |
//! | `tx`, `mailbox`, `message`, `flag`, `thread` | [`MailTx`]: every change and every look-up |
//! | `block` | a large mailbox's list in few rows |
//! | `bulk`, `rows` | many rows by few statements; what was parsed out of many messages |
//! | `acl`, `subscription`, `annotation` | who else may use a mailbox, which of others' one subscribes to, notes on mailboxes |
//! | `ledger` | what a move brought into the account, and from where |
//! | `reserve` | UIDs of the old server, and why a mailbox is closed to some doors meanwhile |
//! | `uidl` | unique ids of POP3 that the old server would make too |
//! | `record` | what programs keep with an account besides mail |
//! | `upload` | bodies that clients uploaded and nothing refers to yet |
//! | `remembered` | what rules leave behind: keys for a while, mail that follows from a delivery |
//! | `snapshot`, `cache` | a mailbox's list as one shared value, and where the newest ones are kept |
//! | `change`, `watch` | what a transaction changed, and who is told |
//! | `log` | the change log, read; which conversation each message is in |
//! | `search` | the full-text index, made from all that and made again when it is lost |
//! | `content` | bodies on their way in and out |
//! | `fields` | the header fields that lists of messages show |
//! | `check` | every invariant, verified and mended |
//!
//! UIDs ascend and are never reused; UIDVALIDITY changes never but by a move into a mailbox that was never used; counters, change log
//! and vanished history are written in the same transaction as what they tell of.

mod acl;
mod annotation;
mod block;
mod bulk;
mod cache;
mod change;
mod check;
mod codec;
mod content;
mod fields;
mod flag;
mod job;
mod ledger;
mod log;
mod mailbox;
mod message;
mod model;
mod names;
mod record;
mod remembered;
mod reserve;
mod rows;
mod schema;
mod search;
mod share;
mod snapshot;
mod subscription;
mod thread;
mod tx;
mod uidl;
mod upload;
mod watch;

use std::sync::Arc;

use anser_base::{AccountId, Clock, Durability, MailboxId, Result};
use anser_blob::Blobs;
use anser_db::{Db, Pending, Place};

use block::Loaded;
use cache::Cache;

pub use acl::{ACL_ENTRIES, Grant, Rights, RightsAct, Subject, Who};
pub use annotation::{ACCOUNT_ITSELF, ANNOTATION, ANNOTATION_NAME, ANNOTATIONS, Annotation};
pub use change::{Action, Change, Changes, Object};
pub use check::{FINDINGS, Finding, Level, Report};
pub use content::{Body, BodyWriter, Listing, ListingRow};
pub use fields::{are_kept, kept_of};
pub use flag::{FlagAct, Stored};
pub use job::{Job, JobState, NewJob, Tally};
pub use ledger::{LedgerFolder, LedgerKey, LedgerRow, LedgerState, LedgerTally};
pub use log::{LogLine, LogPoint, Logged, Threads};
pub use mailbox::MAILBOXES;
pub use model::{
    Appended, Content, Entry, Flags, KEYWORD, KEYWORDS, Keywords, Mailbox, Message, NewMessage, Role, ThreadKeys,
};
pub use names::role_of;
pub use record::{RECORD, RECORDS, RecordKind};
pub use remembered::{Key, REMEMBERED};
pub use rows::{Columns, MessageRow, MessageRows};
pub use schema::SCHEMA;
pub use search::{Found, Indexer, Progress, Readers, SEARCH_SCHEMA, Searching, WORKER, documents_in, work_as_worker};
pub use share::{OF_ONE_OWNER, SHARE_NOTICES, ShareChange, ShareNotice};
pub use snapshot::{Diff, Snapshot};
pub use subscription::SUBSCRIPTIONS;
pub use tx::MailTx;
pub use uidl::UidlForm;
pub use upload::{UPLOAD_BYTES, UPLOAD_KEPT, UPLOADS};
pub use watch::Watch;

/// What the store works with.
#[derive(Clone)]
pub struct Deps {
    /// The engine.
    pub db: Db,
    /// Bodies.
    pub blobs: Blobs,
    /// The clock.
    pub clock: Clock,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
    blobs: Blobs,
    clock: Clock,
    shared: Arc<Shared>,
}

/// What every clone shares: the newest snapshots and the watchers.
#[derive(Default)]
struct Shared {
    cache: Cache,
    watchers: watch::Watchers,
    search: search::Search,
}

impl Shared {
    /// Runs on the account's worker, right after the commit.
    fn publish(&self, account: AccountId, changes: Changes) {
        if !changes.list.is_empty() {
            self.cache.advance(account, &changes);
            if changes.list.iter().any(Change::is_of_content) {
                self.search.stir(account);
            }
            self.watchers.tell(account, changes);
        }
    }
}

impl Store {
    /// A store over an engine that was opened with [`SCHEMA`].
    pub fn new(deps: Deps) -> Self {
        Self { db: deps.db, blobs: deps.blobs, clock: deps.clock, shared: Arc::default() }
    }

    /// Runs a closure in one write transaction of an account; its changes are published after the commit. The closure may run more
    /// than once. Resolves when the outcome is as durable as asked for.
    pub async fn write<R, F>(&self, account: AccountId, durability: Durability, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnMut(&mut MailTx<'_, '_>) -> Result<R> + Send + 'static,
    {
        Ok(self.begin_to_write(account, durability, work).await?.0)
    }

    /// The same, done whether or not somebody waits for it.
    fn begin_to_write<R, F>(
        &self,
        account: AccountId,
        durability: Durability,
        mut work: F,
    ) -> Pending<(R, Option<Changes>)>
    where
        R: Send + 'static,
        F: FnMut(&mut MailTx<'_, '_>) -> Result<R> + Send + 'static,
    {
        let (clock, shared) = (self.clock.clone(), self.shared.clone());
        self.db.write_then(
            Place::Account(account),
            durability,
            move |db| {
                let mut tx = MailTx::begin(db, account, clock.now(), true)?;
                let result = work(&mut tx)?;
                Ok((result, Some(tx.finish()?)))
            },
            move |(_, changes)| {
                if let Some(changes) = changes.take() {
                    shared.publish(account, changes);
                }
            },
        )
    }

    /// Runs a closure in one read transaction of an account.
    pub async fn read<R, F>(&self, account: AccountId, mut work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnMut(&mut MailTx<'_, '_>) -> Result<R> + Send + 'static,
    {
        let clock = self.clock.clone();
        let place = Place::Account(account);
        self.db.read(place, move |db| work(&mut MailTx::begin(db, account, clock.now(), false)?)).await
    }

    /// Furnishes an account that was never used; does nothing to one that was.
    pub async fn ensure(&self, account: AccountId) -> Result<()> {
        match self.read(account, |tx| Ok(tx.state())).await? {
            0 => self.write(account, Durability::Sync, |_| Ok(())).await,
            _ => Ok(()),
        }
    }

    /// The newest list of a mailbox. `Class::NotFound` when there is no such mailbox.
    pub async fn snapshot(&self, account: AccountId, mailbox: MailboxId) -> Result<Arc<Snapshot>> {
        if let Some(found) = self.shared.cache.get(account, mailbox) {
            return Ok(found);
        }
        let shared = self.shared.clone();
        // The load puts the list into the cache on the account's worker, so that no commit can come between.
        let load = move |tx: &mut MailTx<'_, '_>| {
            let Loaded { snapshot, missing } = tx.load(mailbox)?;
            let snapshot = Arc::new(snapshot);
            shared.cache.put(account, snapshot.clone());
            Ok((snapshot, missing))
        };
        let (snapshot, missing) = self.read(account, load).await?;
        if !missing.is_empty() {
            let list = snapshot.clone();
            // Nobody waits for it: where it fails, the next who reads the mailbox tries again.
            drop(self.begin_to_write(account, Durability::Deferred, move |tx| tx.make_blocks(&list, &missing)));
        }
        Ok(snapshot)
    }

    /// Follows an account's changes from now on.
    pub fn watch(&self, account: AccountId) -> Watch {
        self.shared.watchers.watch(account)
    }

    /// The bodies.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The engine.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
