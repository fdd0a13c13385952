//! A store on each engine.

use std::future::Future;

use anser_base::{AccountId, Clock, Durability, MailboxId, Result, TenantId, Timestamp};
use anser_db::Schemas;
use anser_store::{Appended, Content, Deps, MailTx, NewMessage, SCHEMA, SEARCH_SCHEMA, Store};
use anser_testkit::engines::{NO_SCHEMAS, World, each_engine};

pub const ANN: AccountId = AccountId(7);
pub const TENANT: TenantId = TenantId(1);

/// Runs a scenario on every engine.
pub fn on_each_engine<F: Future<Output = ()>>(scenario: impl Fn(Store) -> F) {
    each_engine(schemas(), |world| runtime().block_on(scenario(store(world))));
}

pub fn schemas() -> Schemas {
    Schemas { account: SCHEMA, search: SEARCH_SCHEMA, ..NO_SCHEMAS }
}

pub fn store(world: &World) -> Store {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    Store::new(Deps { db: world.open(), blobs: world.blobs(), clock })
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub async fn write<R: Send + 'static>(
    store: &Store,
    work: impl FnMut(&mut MailTx<'_, '_>) -> Result<R> + Send + 'static,
) -> R {
    store.write(ANN, Durability::Sync, work).await.unwrap()
}

pub async fn read<R: Send + 'static>(
    store: &Store,
    work: impl FnMut(&mut MailTx<'_, '_>) -> Result<R> + Send + 'static,
) -> R {
    store.read(ANN, work).await.unwrap()
}

pub async fn inbox(store: &Store) -> MailboxId {
    store.ensure(ANN).await.unwrap();
    read(store, |tx| tx.inbox()).await.id
}

pub fn content(store: &Store, raw: &str) -> Content {
    store.put_body(TENANT, raw.as_bytes(), Durability::Sync).unwrap()
}

/// A message whose Message-ID, references and subject a test chooses.
pub fn mail(id: &str, references: &str, subject: &str) -> String {
    let refs = if references.is_empty() { String::new() } else { format!("References: {references}\r\n") };
    format!("Message-ID: <{id}>\r\n{refs}Subject: {subject}\r\nFrom: bob@anser.test\r\n\r\nbody of {id}\r\n")
}

pub async fn append(store: &Store, mailbox: MailboxId, raw: &str) -> Appended {
    let new = NewMessage::new(content(store, raw), mailbox, Timestamp::from_secs(1_700_000_000));
    write(store, move |tx| tx.append(&new)).await.unwrap()
}
