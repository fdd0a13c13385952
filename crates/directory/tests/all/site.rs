//! A directory with a few people in it.

use std::future::Future;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use anser_base::{AccountId, Address, Clock, Entropy, Timestamp};
use anser_db::{Db, Schemas};
use anser_directory::{
    Account, Attempt, AuthFailure, Deps, Directory, Login, NewAccount, NewDomain, Password, Role, SCHEMA, Secret,
    Service,
};
use anser_testkit::engines::{NO_SCHEMAS, World, each_engine};

const SCHEMAS: Schemas = Schemas { server: SCHEMA, ..NO_SCHEMAS };

/// The password of everybody.
pub const PASSWORD: &[u8] = b"wild-goose";
/// Where people usually are.
pub const HOME: &str = "192.0.2.7";

/// Hashed once for all tests: Argon2id is meant to be slow.
static SECRET: LazyLock<std::sync::Mutex<Option<Secret>>> = LazyLock::new(Default::default);

/// A directory over a fresh engine.
pub struct Site {
    pub directory: Directory,
    pub clock: Clock,
    pub db: Db,
}

impl Site {
    fn new(world: &World) -> Self {
        Self::over(world.open(), Clock::manual(Timestamp::from_secs(1_795_000_000)))
    }

    fn over(db: Db, clock: Clock) -> Self {
        let directory = Directory::new(Deps {
            db: db.clone(),
            clock: clock.clone(),
            entropy: Entropy::system(),
            hostname: "mail.anser.test".into(),
            literals: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        });
        Self { directory, clock, db }
    }

    /// Another node over the same tables, with the same clock.
    pub fn another_node(&self) -> Self {
        Self::over(self.db.clone(), self.clock.clone())
    }

    /// Domain `anser.test` with `ann`, `bob` and the administrator `root`.
    async fn populate(&self) {
        self.directory.add_domain(NewDomain::new("anser.test")).await.unwrap();
        for (name, role) in [("ann", Role::None), ("bob", Role::None), ("root", Role::System)] {
            let new = self.person(&format!("{name}@anser.test")).await;
            self.directory.add_account(NewAccount { role, ..new }).await.unwrap();
        }
    }

    /// Somebody with the usual password, not added yet.
    pub async fn person(&self, text: &str) -> NewAccount {
        let known = SECRET.lock().unwrap().clone();
        let secret = match known {
            Some(secret) => secret,
            None => {
                let secret = self.directory.make_secret(PASSWORD).await.unwrap();
                SECRET.lock().unwrap().insert(secret).clone()
            }
        };
        NewAccount::new(address(text), Password::Made(secret))
    }

    /// Adds somebody with the usual password.
    pub async fn add(&self, text: &str) -> AccountId {
        let new = self.person(text).await;
        self.directory.add_account(new).await.unwrap()
    }

    pub async fn account(&self, text: &str) -> Arc<Account> {
        self.directory.account_by_address(&address(text)).await.unwrap().unwrap()
    }

    pub async fn login(&self, name: &str, password: &[u8], source: &str) -> Result<Login, AuthFailure> {
        self.login_at(Service::Imap, name, password, source).await
    }

    pub async fn login_at(
        &self,
        service: Service,
        name: &str,
        password: &[u8],
        source: &str,
    ) -> Result<Login, AuthFailure> {
        let source: IpAddr = source.parse().unwrap();
        let attempt = Attempt { name: name.as_bytes(), password, service, source, tls: true };
        self.directory.authenticate(attempt).await
    }
}

/// Runs a test on each engine.
pub fn each_site<F: Future<Output = ()>>(test: impl Fn(Rc<Site>) -> F) {
    each_engine(SCHEMAS, |world| {
        let site = Rc::new(Site::new(world));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            site.populate().await;
            test(site.clone()).await;
        });
    });
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}
