//! A journal on each engine, and things that happen.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use anser_base::{AccountId, Clock, Disk, EntryId, MailboxId, MessageId, Timestamp};
use anser_db::{Db, Engine, Schemas};
use anser_journal::{Deps, Entry, Journal, Origin, SCHEMA, What, months_in};
use anser_testkit::engines::{NO_SCHEMAS, each_engine};

pub const SCHEMAS: Schemas = Schemas { journal: SCHEMA, ..NO_SCHEMAS };
/// 2026-11-21.
pub const START: Timestamp = Timestamp(1_795_219_200_000);

/// Runs a scenario on every engine.
pub fn on_each_engine<F: Future<Output = ()>>(scenario: impl Fn(Data) -> F) {
    each_engine(SCHEMAS, |world| runtime().block_on(scenario(Data::new(world.engine.clone()))));
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Data that journals can be opened on, one after the other.
#[derive(Clone)]
pub struct Data {
    pub engine: Engine,
    pub clock: Clock,
}

impl Data {
    pub fn new(engine: Engine) -> Self {
        Self { engine, clock: Clock::manual(START) }
    }

    /// Opens the engine. Opening blocks, which a thread that drives a runtime must not.
    pub fn db(&self) -> Db {
        let engine = self.engine.clone();
        std::thread::spawn(|| Db::open(engine, SCHEMAS).unwrap()).join().unwrap()
    }

    fn files(&self) -> Option<(Arc<dyn Disk>, PathBuf)> {
        match &self.engine {
            Engine::Embedded(embedded) => Some((embedded.disk.clone(), embedded.dir.clone())),
            Engine::Postgres(_) => None,
        }
    }

    pub fn months(&self) -> BTreeSet<u32> {
        self.files().map(|(disk, dir)| months_in(&*disk, &dir).unwrap()).unwrap_or_default()
    }

    /// Opens a journal, as a start of the server does.
    pub async fn journal(&self) -> Journal {
        self.journal_of(0).await
    }

    pub async fn journal_of(&self, node: u32) -> Journal {
        let deps = Deps { db: self.db(), clock: self.clock.clone(), node, months: self.months() };
        Journal::open(deps).await.unwrap()
    }
}

pub fn peer() -> Origin {
    Origin::peer("smtp", "192.0.2.7".parse().unwrap())
}

pub fn accepted(entry: u64, id: &str, to: &str) -> Entry {
    let what = What::Accepted {
        entry: EntryId(entry),
        message_id: Some(id.into()),
        sender: "bob@far.test".into(),
        recipients: vec![to.into()],
        size: 20_000,
        account: None,
        parent: None,
    };
    Entry { origin: peer(), what }
}

pub fn delivered(entry: u64, to: &str) -> Entry {
    let what = What::Delivered {
        entry: EntryId(entry),
        recipient: to.into(),
        account: AccountId(7),
        mailbox: MailboxId(1),
        message: MessageId(entry),
    };
    Entry { origin: Origin::internal(), what }
}

pub fn started() -> Entry {
    Entry { origin: Origin::internal(), what: What::Started { version: "1".into() } }
}
