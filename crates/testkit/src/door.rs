//! A door under test: its three services over fresh tables, and people who may log in. With the feature `door`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_base::{AccountId, Address, Clock, Entropy, Timestamp};
use anser_db::Db;
use anser_directory::{Directory, NewAccount, NewDomain, Password, Secret};
use anser_journal::{Journal, Query, What};
use anser_net::certificate::self_signed;
use anser_net::{CertificateSource, ServeOptions, Shutdown, Stream, TlsAcceptor, bind, serve};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The password of everybody.
pub const PASSWORD: &str = "wild-goose";
/// The name of the server.
pub const HOST: &str = "mail.anser.test";
/// Who is in the domain `anser.test`.
pub const PEOPLE: [&str; 3] = ["ann", "bob", "chen"];
/// What the clock says, for ever.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Hashed once for all tests: Argon2id is meant to be slow.
static SECRET: Mutex<Option<Secret>> = Mutex::new(None);
/// Made once for all tests.
static CERTIFICATE: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Certificate and key of [`HOST`], in PEM.
pub fn certificate() -> (String, String) {
    let mut made = CERTIFICATE.lock().unwrap();
    made.get_or_insert_with(|| self_signed(&[HOST.to_owned(), "localhost".to_owned()]).unwrap()).clone()
}

/// What every door works with.
pub struct House {
    /// The tables.
    pub db: Db,
    /// A clock that stands still at [`NOW`].
    pub clock: Clock,
    /// Nobody yet, see [`Door::populate`].
    pub directory: Directory,
    /// An empty journal.
    pub journal: Journal,
    /// TLS with [`certificate`].
    pub tls: TlsAcceptor,
}

impl House {
    async fn over(db: Db) -> Self {
        let clock = Clock::manual(NOW);
        let directory = Directory::new(anser_directory::Deps {
            db: db.clone(),
            clock: clock.clone(),
            entropy: Entropy::system(),
            hostname: HOST.into(),
            literals: Vec::new(),
        });
        let journal = anser_journal::Deps { db: db.clone(), clock: clock.clone(), node: 0, months: Default::default() };
        let journal = Journal::open(journal).await.unwrap();
        let (certificate, key) = certificate();
        let tls = TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap();
        Self { db, clock, directory, journal, tls }
    }
}

/// A door's dependencies for its services: what most tests want, and what a service gives that takes no logins without TLS.
pub struct Pair<D> {
    /// For a service that takes logins in plain.
    pub plain: D,
    /// For one that does not, and for the one inside TLS.
    pub strict: D,
}

/// Services of one door: one that takes logins in plain, one that does not, one inside TLS.
pub struct Door<D> {
    /// Where everything runs.
    pub runtime: Runtime,
    /// What the sessions of the plain service work with.
    pub deps: Arc<D>,
    /// The house's accounts.
    pub directory: Directory,
    /// The house's journal.
    pub journal: Journal,
    /// Where logins are taken in plain.
    pub plain: SocketAddr,
    /// Where they are not.
    pub strict: SocketAddr,
    /// The one inside TLS.
    pub tls: SocketAddr,
    shutdown: Shutdown,
    services: Vec<JoinHandle<anser_base::Result<()>>>,
}

impl<D: Send + Sync + 'static> Door<D> {
    /// Opens the services over tables, which stay as they are.
    pub fn open<S, F>(db: Db, deps: impl FnOnce(&House) -> Pair<D>, session: S) -> Self
    where
        S: Fn(Stream, Arc<D>, Shutdown) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let house = runtime.block_on(House::over(db));
        let Pair { plain, strict } = {
            // What they make may run tasks of its own.
            let _inside = runtime.enter();
            deps(&house)
        };
        let (deps, strict) = (Arc::new(plain), Arc::new(strict));
        let shutdown = Shutdown::new();
        let mut services = Vec::new();
        let mut serve = |deps: &Arc<D>, tls| {
            let listeners = bind(&[([127, 0, 0, 1], 0).into()]).unwrap();
            let address = listeners[0].address();
            let options = ServeOptions { tls, ..ServeOptions::new("door") };
            let deps = deps.clone();
            let handler = move |stream, shutdown| session(stream, deps.clone(), shutdown);
            services.push(runtime.spawn(serve(listeners, options, shutdown.clone(), handler)));
            address
        };
        let (plain, strict, tls) = (serve(&deps, None), serve(&strict, None), serve(&strict, Some(house.tls)));
        let House { directory, journal, .. } = house;
        Self { runtime, deps, directory, journal, plain, strict, tls, shutdown, services }
    }

    /// Tells every session to end.
    pub fn shut_down(&self) {
        self.shutdown.begin(Duration::from_secs(10));
    }

    /// Ends everything and lets go of the tables.
    pub fn stop(self) {
        self.shut_down();
        let Self { runtime, services, deps, directory, journal, .. } = self;
        runtime.block_on(async {
            for service in services {
                service.await.unwrap().unwrap();
            }
        });
        drop((deps, directory, journal));
    }

    /// Adds [`PEOPLE`].
    pub fn populate(&self) {
        self.runtime.block_on(async {
            self.directory.add_domain(NewDomain::new("anser.test")).await.unwrap();
            for name in PEOPLE {
                let secret = self.secret().await;
                let new = NewAccount::new(address(name), Password::Made(secret));
                self.directory.add_account(new).await.unwrap();
            }
        });
    }

    async fn secret(&self) -> Secret {
        let known = SECRET.lock().unwrap().clone();
        match known {
            Some(secret) => secret,
            None => {
                let secret = self.directory.make_secret(PASSWORD.as_bytes()).await.unwrap();
                SECRET.lock().unwrap().insert(secret).clone()
            }
        }
    }

    /// The account of one of [`PEOPLE`].
    pub fn account(&self, name: &str) -> AccountId {
        self.runtime.block_on(self.directory.account_by_address(&address(name))).unwrap().unwrap().id
    }

    /// What the journal was told about an address.
    pub fn journal(&self, about: &str) -> Vec<What> {
        self.runtime.block_on(async {
            self.journal.flush().await.unwrap();
            let events = self.journal.trace(Query::parse(about), 1000).await.unwrap();
            events.into_iter().map(|event| event.what).collect()
        })
    }
}

fn address(name: &str) -> Address {
    Address::parse(&format!("{name}@anser.test")).unwrap()
}
