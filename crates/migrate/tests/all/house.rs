//! An account that mail comes to, and passes over a fake server.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anser_base::{AccountId, Clock, Durability, MailboxId, TenantId, Timestamp};
use anser_db::Schemas;
use anser_migrate::adopt::Read;
use anser_migrate::pass::{Outcome, Pass, Watcher};
use anser_migrate::source::{Allowance, Origin};
use anser_migrate::trouble::Trouble;
use anser_migrate::{Kind, Source, Tls};
use anser_store::{Keywords, MailTx, SCHEMA, SEARCH_SCHEMA, Store};
use anser_testkit::engines::{NO_SCHEMAS, World};
use anser_wire::Secret;

use crate::fake::Fake;

pub const ANN: AccountId = AccountId(7);
pub const TENANT: TenantId = TenantId(1);
const SCHEMAS: Schemas = Schemas { account: SCHEMA, search: SEARCH_SCHEMA, ..NO_SCHEMAS };

/// What an account holds: by the path of each mailbox that holds any, UID, flags, keywords, date in seconds, bytes.
pub type Held = BTreeMap<String, Vec<(u32, u32, String, i64, Vec<u8>)>>;

/// A house with one account.
pub struct House {
    pub store: Store,
    db: anser_db::Db,
    passes: AtomicU64,
    read: Arc<Read>,
    world: World,
}

/// Watches, and says nothing.
#[derive(Default)]
pub struct Quiet {
    stopped: AtomicBool,
}

impl Watcher for Quiet {
    fn total(&self, _: u64) {}
    fn done(&self, _: u64, _: u64) {}
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Runs a test over both engines.
pub fn each_house(test: impl AsyncFn(&House)) {
    one_house(&test);
    if let Some(world) = World::postgres(SCHEMAS) {
        run(world, &test);
    }
}

/// Runs a test over the embedded engine.
pub fn one_house(test: impl AsyncFn(&House)) {
    run(World::embedded(SCHEMAS), &test);
}

fn run(world: World, test: &impl AsyncFn(&House)) {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    let db = world.open();
    let store = Store::new(anser_store::Deps { db: db.clone(), blobs: world.blobs(), clock });
    let house = House { store, db, passes: AtomicU64::new(0), read: Arc::default(), world };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        house.store.ensure(ANN).await.unwrap();
        test(&house).await;
    });
}

impl House {
    /// One pass.
    pub async fn pass(&self, fake: &Fake) -> Result<Outcome, Trouble> {
        self.pass_with(fake, false, false).await
    }

    /// One pass; careful, or with losses that were meant.
    pub async fn pass_with(&self, fake: &Fake, careful: bool, losses_are_meant: bool) -> Result<Outcome, Trouble> {
        let password = Secret::new(fake.state.lock().unwrap().password.clone());
        let user = fake.state.lock().unwrap().user.clone();
        self.pass_over(Origin::open(&fake.source(), &user, Some(&password)).await?, careful, losses_are_meant).await
    }

    /// One pass over whatever source.
    pub async fn pass_over(&self, origin: Origin, careful: bool, losses_are_meant: bool) -> Result<Outcome, Trouble> {
        // The habits of this provider do no harm with others.
        self.pass_as("qq", origin, careful, losses_are_meant).await
    }

    /// One pass into an account that may hold so many bytes.
    pub async fn pass_within(&self, fake: &Fake, quota: u64) -> Result<Outcome, Trouble> {
        let used = self.store.read(ANN, |tx| Ok(tx.used())).await?;
        let allowance = Allowance::within(Some(quota), used, u64::MAX, Default::default());
        self.pass_allowed(fake, allowance, false).await
    }

    /// One pass that brings what is allowed; careful or not.
    pub async fn pass_allowed(&self, fake: &Fake, allowance: Allowance, careful: bool) -> Result<Outcome, Trouble> {
        let password = Secret::new(fake.state.lock().unwrap().password.clone());
        let mut origin = Origin::open(&fake.source(), "ann", Some(&password)).await?;
        let watch = Quiet::default();
        let pass = self.to_pass("generic", &watch);
        Pass { allowance, careful, ..pass }.run(&mut origin).await
    }

    /// One careful pass that has no patience any more with a server that asks for it.
    pub async fn pass_impatiently(&self, fake: &Fake) -> Result<Outcome, Trouble> {
        let password = Secret::new(fake.state.lock().unwrap().password.clone());
        let mut origin = Origin::open(&fake.source(), "ann", Some(&password)).await?;
        let watch = Quiet::default();
        Pass { careful: true, patient: false, ..self.to_pass("generic", &watch) }.run(&mut origin).await
    }

    /// The next pass, over all there is.
    pub fn to_pass<'a>(&self, profile: &str, watch: &'a (dyn Watcher + Sync)) -> Pass<'a> {
        Pass {
            store: self.store.clone(),
            tenant: TENANT,
            account: ANN,
            id: 1,
            profile: anser_migrate::profile::of(profile),
            number: self.passes.fetch_add(1, Ordering::Relaxed) as u32 + 1,
            limit: None,
            allowance: Allowance::default(),
            read: self.read.clone(),
            names: Default::default(),
            overlap: None,
            losses_are_meant: false,
            rule: Default::default(),
            careful: false,
            patient: true,
            places: anser_migrate::pass::Places::Theirs,
            reopen: None,
            beside: None,
            choice: Default::default(),
            watch,
        }
    }

    /// One pass over a source of some profile.
    pub async fn pass_as(
        &self,
        profile: &str,
        mut origin: Origin,
        careful: bool,
        losses_are_meant: bool,
    ) -> Result<Outcome, Trouble> {
        let watch = Quiet::default();
        let pass = Pass { losses_are_meant, careful, ..self.to_pass(profile, &watch) };
        pass.run(&mut origin).await
    }

    /// Changes rows of the account as no program should, behind its log.
    pub async fn tamper(&self, sql: &'static str) {
        let work = move |tx: &mut anser_db::Tx<'_>| tx.execute(sql, &[]);
        let changed = self.db.write(anser_db::Place::Account(ANN), anser_db::Durability::Sync, work).await.unwrap();
        assert!(changed > 0, "{sql}");
    }

    /// Takes a body away from where bodies are.
    pub fn lose_body(&self, name: &str) {
        let path = self.world.dir.path().join("blobs").join(TENANT.to_string()).join(&name[..3]).join(name);
        std::fs::remove_file(path).unwrap();
    }

    /// Passes until one goes through, at most so many.
    pub async fn settle(&self, fake: &Fake, most: usize) {
        for _ in 0..most {
            match self.pass(fake).await {
                Ok(_) => return,
                Err(Trouble::Later { .. }) => {}
                Err(other) => panic!("{}", other.words()),
            }
        }
        panic!("no pass went through");
    }

    /// Changes the account as its owner would.
    pub async fn change(&self, mut act: impl FnMut(&mut MailTx<'_, '_>) + Send + 'static) {
        let work = move |tx: &mut MailTx<'_, '_>| {
            act(tx);
            Ok(())
        };
        self.store.write(ANN, Durability::Sync, work).await.unwrap();
    }

    /// The mailbox at a path.
    pub async fn mailbox(&self, path: &str) -> MailboxId {
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        let find = move |tx: &mut MailTx<'_, '_>| {
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            tx.mailbox_at(&names)
        };
        self.store.read(ANN, find).await.unwrap().expect("the mailbox is there").id
    }

    /// Everything that is here.
    pub async fn held(&self) -> Held {
        held(&self.store, ANN, TENANT).await
    }

    /// The unique ids that messages of a mailbox came with, in its order.
    pub async fn uidls(&self, path: &str) -> Vec<String> {
        let mailbox = self.mailbox(path).await;
        let mut all = self.store.read(ANN, move |tx| tx.imported_uidls(mailbox)).await.unwrap();
        all.sort();
        all.into_iter().map(|(_, id)| id).collect()
    }

    /// UIDs of a mailbox, ascending.
    pub async fn uids(&self, path: &str) -> Vec<u32> {
        self.held().await.remove(path).unwrap_or_default().iter().map(|one| one.0).collect()
    }
}

/// An old server's files, at a place as an administrator writes it (`/srv/%u`).
pub fn source_of_files(kind: Kind, place: &str) -> Source {
    let (name, profile, host) = ("old".to_owned(), "generic".to_owned(), place.to_owned());
    Source {
        id: 1,
        name,
        kind,
        host,
        port: 0,
        tls: Tls::None,
        profile,
        connections: 1,
        admin: None,
        rules: Default::default(),
    }
}

/// Files at a path, to be read.
pub async fn files_at(kind: Kind, path: &Path) -> Origin {
    let source = source_of_files(kind, path.to_str().unwrap());
    Origin::open(&source, "ann", None).await.map_err(|trouble| trouble.words()).unwrap()
}

/// Everything that an account holds.
pub async fn held(store: &Store, account: AccountId, tenant: TenantId) -> Held {
    let rows = |tx: &mut MailTx<'_, '_>| {
        let mut all = Vec::new();
        for mailbox in tx.mailboxes()? {
            let path = tx.path(mailbox.id)?.join("/");
            for entry in tx.entries(mailbox.id, 1, u32::MAX)? {
                let message = tx.message(entry.message)?.expect("an entry has a message");
                all.push((path.clone(), entry, message));
            }
        }
        Ok(all)
    };
    let mut held = Held::new();
    for (path, entry, message) in store.read(account, rows).await.unwrap() {
        let body = store.blobs().read(tenant, message.blob).unwrap().to_vec();
        let words = words(&entry.keywords);
        held.entry(path).or_default().push((entry.uid, entry.flags.0, words, entry.received.secs(), body));
    }
    held
}

fn words(keywords: &Keywords) -> String {
    keywords.iter().collect::<Vec<_>>().join(" ")
}
