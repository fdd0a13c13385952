//! The engine itself over tables of its own: moves, their mailboxes, and who works on them.

use std::sync::Arc;

use anser_base::{AccountId, Address, Clock, Entropy};
use anser_blob::Blobs;
use anser_db::{Db, Schemas};
use anser_directory::{Account, Directory, NewAccount, NewDomain};
use anser_migrate::own::Client;
use anser_migrate::{Deps, MailboxView, Migrate, NewMailbox, OwnMove, OwnState, Password, Said, Source, Wish};
use anser_net::{Network, Shutdown};
use anser_store::{SCHEMA, SEARCH_SCHEMA, Store};
use anser_testkit::engines::{NO_SCHEMAS, World};
use tokio::task::JoinHandle;

pub const SCHEMAS: Schemas = Schemas {
    server: anser_directory::SCHEMA,
    moves: anser_migrate::SCHEMA,
    account: SCHEMA,
    search: SEARCH_SCHEMA,
    ..NO_SCHEMAS
};
/// The name of every move.
pub const MOVE: &str = "house";

/// The engine and what it works with.
pub struct Office {
    pub migrate: Migrate,
    pub store: Store,
    pub directory: Directory,
    pub db: Db,
    pub clock: Clock,
}

/// Runs a test over both engines; persons may move from servers of these networks.
pub fn each_office(allowed: &[Network], clock: &Clock, test: impl AsyncFn(&Office)) {
    each_known_office(allowed, &[], clock, test);
}

/// One for each engine that providers know.
pub fn each_known_office(allowed: &[Network], clients: &[Client], clock: &Clock, test: impl AsyncFn(&Office)) {
    for world in [Some(World::embedded(SCHEMAS)), World::postgres(SCHEMAS)].into_iter().flatten() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let office = Office::at(clock.clone(), world.open(), world.blobs(), allowed.into(), clients.into());
        runtime.block_on(test(&office));
    }
}

/// A wish to move all from a fake server.
pub fn wish(of: &Source) -> Wish {
    Wish {
        email: "ann@old.test".into(),
        kind: of.kind,
        host: of.host.clone(),
        port: of.port,
        tls: of.tls,
        login: "ann".into(),
        password: Some(Password(b"secret".to_vec())),
        every: None,
        target: None,
        choice: Default::default(),
        is_paused: false,
    }
}

impl Office {
    pub fn open(db: Db, blobs: Blobs) -> Self {
        Self::at(Clock::System, db, blobs, Vec::new(), Vec::new())
    }

    /// One whose persons may move from servers of these networks.
    fn at(clock: Clock, db: Db, blobs: Blobs, allowed: Vec<Network>, clients: Vec<Client>) -> Self {
        let entropy = Entropy::system();
        let store = Store::new(anser_store::Deps { db: db.clone(), blobs, clock: clock.clone() });
        let directory = Directory::new(anser_directory::Deps {
            db: db.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            hostname: "mail.anser.test".into(),
            literals: Vec::new(),
        });
        let deps = Deps {
            db: db.clone(),
            store: store.clone(),
            directory: directory.clone(),
            clock: clock.clone(),
            entropy,
            key: [7; 32],
            allowed: allowed.into(),
            clients: clients.into(),
        };
        Self { migrate: Migrate::new(deps).unwrap(), store, directory, db, clock }
    }

    /// Makes accounts, and a move with these mailboxes at each source: all have the login and password of a fake server.
    pub async fn plan(&self, sources: &[(Source, &[&str])]) -> Vec<AccountId> {
        self.directory.add_domain(NewDomain::new("anser.test")).await.unwrap();
        let mut made = Vec::new();
        for (source, names) in sources {
            self.migrate.plan(MOVE, source.clone()).await.unwrap();
            for name in *names {
                let address = format!("{name}@anser.test");
                let parsed = Address::parse(&address).unwrap();
                let new = NewAccount::new(parsed, anser_directory::Password::None);
                made.push(self.directory.add_account(new).await.unwrap());
                let login = if names.len() == 1 { "ann".to_owned() } else { (*name).to_owned() };
                let password = Some(Password(b"secret".to_vec()));
                let mailbox = NewMailbox { login, password, address };
                self.migrate.add_mailboxes(MOVE, Some(source.name.clone()), vec![mailbox]).await.unwrap();
            }
        }
        made
    }

    /// An account with so many bytes of room; 0 for any.
    pub async fn person(&self, name: &str, quota_bytes: u64) -> AccountId {
        // It may be there.
        let _ = self.directory.add_domain(NewDomain::new("anser.test")).await;
        let address = Address::parse(&format!("{name}@anser.test")).unwrap();
        let new = NewAccount::new(address, anser_directory::Password::None);
        self.directory.add_account(NewAccount { quota_bytes, ..new }).await.unwrap()
    }

    /// An account.
    pub async fn account(&self, id: AccountId) -> Arc<Account> {
        self.directory.account(id).await.unwrap().unwrap()
    }

    /// Until the only move of an account's own rests.
    pub async fn rests(&self, ann: &Account) -> OwnMove {
        let mut changes = self.migrate.changes();
        loop {
            let one = self.migrate.own_moves(ann).await.unwrap().remove(0);
            if !matches!(one.state, OwnState::Checking | OwnState::Running) {
                return one;
            }
            changes.changed().await.unwrap();
        }
    }

    /// How a mailbox stands.
    pub async fn view(&self, address: &str) -> MailboxView {
        self.migrate.mailbox_views(MOVE, vec![address.to_owned()]).await.unwrap().remove(0)
    }

    /// Until a mailbox is as it should be.
    pub async fn until(&self, address: &str, is_so: impl Fn(&MailboxView) -> bool) -> MailboxView {
        let mut changes = self.migrate.changes();
        loop {
            let view = self.view(address).await;
            if is_so(&view) {
                return view;
            }
            changes.changed().await.unwrap();
        }
    }

    /// A source with one mailbox, whose login is that of a fake server, for an account that is there.
    pub async fn plan_for(&self, source: &Source, name: &str) {
        self.migrate.plan(MOVE, source.clone()).await.unwrap();
        let (login, password) = ("ann".to_owned(), Some(Password(b"secret".to_vec())));
        let mailbox = NewMailbox { login, password, address: format!("{name}@anser.test") };
        self.migrate.add_mailboxes(MOVE, Some(source.name.clone()), vec![mailbox]).await.unwrap();
    }

    /// One more source with one mailbox, whose login is that of a fake server; the account here has this name.
    pub async fn plan_more(&self, source: &Source, name: &str) -> AccountId {
        // It may be there.
        let _ = self.directory.add_domain(NewDomain::new("anser.test")).await;
        self.migrate.plan(MOVE, source.clone()).await.unwrap();
        let address = format!("{name}@anser.test");
        let new = NewAccount::new(Address::parse(&address).unwrap(), anser_directory::Password::None);
        let id = self.directory.add_account(new).await.unwrap();
        let mailbox = NewMailbox { login: "ann".into(), password: None, address };
        self.migrate.add_mailboxes(MOVE, Some(source.name.clone()), vec![mailbox]).await.unwrap();
        id
    }

    /// Ends a move for somebody who takes every gate for passed.
    pub async fn close(&self, name: &str) {
        let accepted = ["mx", "probe", "tickets", "late", "loss=nobody needs it"].map(str::to_owned).to_vec();
        let said = Said { accepted, who: "root".into(), ..Said::default() };
        self.migrate.look_at_gates(name, &[], said).await.unwrap();
        self.migrate.close_move(name, &[]).await.unwrap();
    }

    /// Begins to work on what is due.
    pub fn run(&self) -> (Shutdown, JoinHandle<()>) {
        let (shutdown, migrate) = (Shutdown::new(), self.migrate.clone());
        let until = shutdown.clone();
        (shutdown, tokio::spawn(async move { migrate.run(until).await }))
    }
}
