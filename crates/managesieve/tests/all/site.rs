//! A ManageSieve service over a fresh world.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_base::{AccountId, Address, Clock, Entropy, Timestamp};
use anser_db::{Db, Schemas};
use anser_directory::{Directory, Locale, NewAccount, NewDomain, Password, Secret};
use anser_journal::{Journal, What};
use anser_managesieve::{Deps, Limits};
use anser_net::certificate::self_signed;
use anser_net::{CertificateSource, ServeOptions, Shutdown, TlsAcceptor, bind, serve};
use anser_testkit::engines::{NO_SCHEMAS, World, each_engine};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

pub const SCHEMAS: Schemas = Schemas { server: anser_directory::SCHEMA, journal: anser_journal::SCHEMA, ..NO_SCHEMAS };
/// The password of everybody.
pub const PASSWORD: &str = "wild-goose";
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Hashed once for all tests: Argon2id is meant to be slow.
static SECRET: Mutex<Option<Secret>> = Mutex::new(None);
/// Made once for all tests.
static CERTIFICATE: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Services over one world: one that takes logins in plain, one that does not, one inside TLS.
pub struct Site {
    pub runtime: Runtime,
    pub deps: Arc<Deps>,
    pub plain: SocketAddr,
    pub strict: SocketAddr,
    pub tls: SocketAddr,
    shutdown: Shutdown,
    services: Vec<JoinHandle<anser_base::Result<()>>>,
}

/// Runs a test on every engine, over a world with `ann`, `bob` and `chen` of `anser.test`.
pub fn each_site(test: impl Fn(&Site)) {
    each_site_with(Limits::default(), test);
}

pub fn each_site_with(limits: Limits, test: impl Fn(&Site)) {
    each_engine(SCHEMAS, |world| {
        let site = Site::start(world, limits);
        site.populate();
        test(&site);
        site.stop();
    });
}

/// Certificate and key of `mail.anser.test`, in PEM.
pub fn certificate() -> (String, String) {
    let mut made = CERTIFICATE.lock().unwrap();
    made.get_or_insert_with(|| self_signed(&["mail.anser.test".to_owned(), "localhost".to_owned()]).unwrap()).clone()
}

impl Site {
    pub fn start(world: &World, limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (certificate, key) = certificate();
        let acceptor = TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap();
        let deps = runtime.block_on(deps(world.open(), limits, acceptor.clone()));
        let mut site = Self {
            plain: ([127, 0, 0, 1], 0).into(),
            strict: ([127, 0, 0, 1], 0).into(),
            tls: ([127, 0, 0, 1], 0).into(),
            deps: Arc::new(deps.clone()),
            runtime,
            shutdown: Shutdown::new(),
            services: Vec::new(),
        };
        let strict = Arc::new(Deps { allow_plaintext_auth: false, ..deps });
        site.plain = site.serve(site.deps.clone(), None);
        site.strict = site.serve(strict.clone(), None);
        site.tls = site.serve(strict, Some(acceptor));
        site
    }

    fn serve(&mut self, deps: Arc<Deps>, tls: Option<TlsAcceptor>) -> SocketAddr {
        let listeners = bind(&[([127, 0, 0, 1], 0).into()]).unwrap();
        let address = listeners[0].address();
        let options = ServeOptions { tls, ..ServeOptions::new("managesieve") };
        let handler = move |stream, shutdown| anser_managesieve::session(stream, deps.clone(), shutdown);
        self.services.push(self.runtime.spawn(serve(listeners, options, self.shutdown.clone(), handler)));
        address
    }

    /// Tells every session to end.
    pub fn shut_down(&self) {
        self.shutdown.begin(Duration::from_secs(10));
    }

    /// Ends everything and lets go of the world.
    pub fn stop(self) {
        self.shut_down();
        let Self { runtime, services, deps, .. } = self;
        runtime.block_on(async {
            for service in services {
                service.await.unwrap().unwrap();
            }
        });
        drop(deps);
    }

    /// Adds the people.
    pub fn populate(&self) {
        self.runtime.block_on(async {
            self.deps.directory.add_domain(NewDomain::new("anser.test")).await.unwrap();
            for name in ["ann", "bob", "chen"] {
                self.add(name).await;
            }
        });
    }

    async fn add(&self, name: &str) {
        let known = SECRET.lock().unwrap().clone();
        let secret = match known {
            Some(secret) => secret,
            None => {
                let secret = self.deps.directory.make_secret(PASSWORD.as_bytes()).await.unwrap();
                SECRET.lock().unwrap().insert(secret).clone()
            }
        };
        let address = Address::parse(&format!("{name}@anser.test")).unwrap();
        let new = NewAccount { locale: Locale::En, ..NewAccount::new(address, Password::Made(secret)) };
        self.deps.directory.add_account(new).await.unwrap();
    }

    pub fn account(&self, name: &str) -> AccountId {
        let address = Address::parse(&format!("{name}@anser.test")).unwrap();
        let found = self.runtime.block_on(self.deps.directory.account_by_address(&address));
        found.unwrap().unwrap().id
    }

    /// What the journal was told about an address.
    pub fn journal(&self, about: &str) -> Vec<What> {
        self.runtime.block_on(async {
            self.deps.journal.flush().await.unwrap();
            let events = self.deps.journal.trace(anser_journal::Query::parse(about), 1000).await.unwrap();
            events.into_iter().map(|event| event.what).collect()
        })
    }
}

async fn deps(db: Db, limits: Limits, acceptor: TlsAcceptor) -> Deps {
    let clock = Clock::manual(NOW);
    let directory = Directory::new(anser_directory::Deps {
        db: db.clone(),
        clock: clock.clone(),
        entropy: Entropy::system(),
        hostname: "mail.anser.test".into(),
        literals: Vec::new(),
    });
    let (journal_clock, months) = (clock.clone(), Default::default());
    let journal = anser_journal::Deps { db, clock: journal_clock, node: 0, months };
    Deps {
        directory,
        journal: Journal::open(journal).await.unwrap(),
        tls: Some(acceptor),
        limits,
        allow_plaintext_auth: true,
    }
}
