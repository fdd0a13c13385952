//! A small house to send mail to: people, a queue, a journal, and the three services on sockets of the loopback.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Address, Clock, Disk, Entropy};
use anser_blob::Blobs;
use anser_db::{Db, Embedded, Engine, Schemas};
use anser_directory::{AliasTarget, Directory, NewAccount, NewDomain, Password, Role, Services};
use anser_journal::{Event, Journal, Query};
use anser_net::{CertificateSource, ServeOptions, Shutdown, TlsAcceptor, bind, serve};
use anser_queue::{Entry, Queue, Settlement};
use anser_smtp::{Deps, Limits, Rates, Service, session};
use anser_testkit::engines::{NO_SCHEMAS, World};
use anser_testkit::sim::SimDisk;
use tokio::runtime::Runtime;

/// The tables that the door needs.
pub const SCHEMAS: Schemas = Schemas {
    server: anser_directory::SCHEMA,
    queue: anser_queue::SCHEMA,
    journal: anser_journal::SCHEMA,
    peers: anser_peers::SCHEMA,
    ..NO_SCHEMAS
};

/// Everybody's password.
pub const PASSWORD: &str = "wild goose";

pub struct House {
    pub runtime: Runtime,
    pub deps: Arc<Deps>,
    shutdown: Shutdown,
}

/// A message that the queue took.
pub struct Mail {
    pub entry: Arc<Entry>,
    pub body: Vec<u8>,
}

impl House {
    /// A house in which limits per source count for the loopback too, and nobody waits.
    pub fn new(world: &World) -> Self {
        Self::with(world, |_| {})
    }

    /// The same, changed before it opens.
    pub fn with(world: &World, change: impl FnOnce(&mut Deps)) -> Self {
        Self::over(world.open(), world.blobs(), change)
    }

    pub fn over(db: Db, blobs: Blobs, change: impl FnOnce(&mut Deps)) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut deps = runtime.block_on(deps(db, blobs));
        change(&mut deps);
        deps.rates = Rates::new(&deps.limits, &deps.clock);
        Self { runtime, deps: Arc::new(deps), shutdown: Shutdown::new() }
    }

    /// Opens a service on a port of its own.
    pub fn open(&self, service: Service) -> SocketAddr {
        self.open_with(service, ServeOptions::new("test"))
    }

    pub fn open_with(&self, service: Service, options: ServeOptions) -> SocketAddr {
        let listeners = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = listeners[0].address();
        let (deps, shutdown) = (self.deps.clone(), self.shutdown.clone());
        let handler = move |stream, shutdown| session(stream, service, deps.clone(), shutdown);
        self.runtime.spawn(serve(listeners, options, shutdown, handler));
        address
    }

    /// The messages in the queue, which are taken out.
    pub fn mail(&self) -> Vec<Mail> {
        self.runtime.block_on(async {
            let mut all = Vec::new();
            while let Some(lease) = self.deps.queue.try_next_due().await.unwrap() {
                let body = match (&lease.body.raw, &lease.body.stored) {
                    (Some(raw), _) => raw.to_vec(),
                    (None, Some(stored)) => {
                        anser_blob::Prepared::from_stored(stored.clone()).unwrap().raw().unwrap().to_vec()
                    }
                    (None, None) => {
                        self.deps.blobs.read(lease.envelope.tenant.unwrap(), lease.body.id).unwrap().to_vec()
                    }
                };
                all.push(Mail { entry: lease.entry(), body });
                self.deps.queue.settle_after_sync(&[Settlement::done(lease)]).await.unwrap();
            }
            all
        })
    }

    /// What the journal says of an address or a Message-ID.
    pub fn events(&self, text: &str) -> Vec<Event> {
        self.runtime.block_on(async {
            self.deps.journal.flush().await.unwrap();
            self.deps.journal.trace(Query::Any(text.to_owned()), 1000).await.unwrap()
        })
    }

    pub fn stop(&self) {
        self.shutdown.begin(Duration::from_secs(20));
    }

    pub fn account(&self, address: &str) -> AccountId {
        let address = Address::parse(address).unwrap();
        self.runtime.block_on(self.deps.directory.account_by_address(&address)).unwrap().unwrap().id
    }
}

async fn deps(db: Db, blobs: Blobs) -> Deps {
    let (clock, entropy) = (Clock::System, Entropy::seeded(7));
    let directory = Directory::new(anser_directory::Deps {
        db: db.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        hostname: "mx.example.org".into(),
        literals: vec!["192.0.2.25".parse().unwrap()],
    });
    people(&directory).await;
    let queue = Queue::open(anser_queue::Deps { db: db.clone(), clock: clock.clone(), name: None }).await.unwrap();
    let journal = anser_journal::Deps { db, clock: clock.clone(), node: 0, months: BTreeSet::new() };
    let limits = Limits { exempt: Vec::new(), unknown_delay: Duration::ZERO, ..Limits::default() };
    let (chain, key) = anser_net::certificate::self_signed(&["mx.example.org".into()]).unwrap();
    Deps {
        queue,
        directory,
        journal: Journal::open(journal).await.unwrap(),
        blobs,
        tls: Some(TlsAcceptor::new(vec![CertificateSource::Pem(chain, key)]).unwrap()),
        entropy,
        rates: Rates::new(&limits, &clock),
        clock,
        hostname: "mx.example.org".into(),
        limits,
        allow_plaintext_auth: true,
        local_only: false,
        senders: None,
        callout: None,
        over_quota: None,
    }
}

/// `example.org` with ann, bob, 陈雁, the suspended `gone`, the secluded `inside`, the alias `sales` of ann, the group `team`,
/// the forward address `away`, and `admin`, who reads `postmaster`; and the domain `closed.org`, which is switched off.
async fn people(directory: &Directory) {
    directory.add_domain(NewDomain::new("example.org")).await.unwrap();
    directory.add_domain(NewDomain::new("closed.org")).await.unwrap();
    directory.set_domain_disabled("closed.org", true).await.unwrap();
    directory.set_default_domain("example.org").await.unwrap();
    let secret = directory.make_secret(PASSWORD.as_bytes()).await.unwrap();
    let person = |name: &str| NewAccount::new(address(name), Password::Made(secret.clone()));
    let mut inside = person("inside");
    inside.services = Services::ALL.without(Services::OUTSIDE_MAIL);
    let mut admin = person("admin");
    admin.role = Role::System;
    let new = vec![person("ann"), person("bob"), person("陈雁"), person("gone"), inside, admin];
    let ids = directory.add_accounts(new).await.unwrap();
    directory.suspend(ids[3]).await.unwrap();
    directory.add_alias(&address("sales"), AliasTarget::Account(ids[0])).await.unwrap();
    let elsewhere = Address::parse("ann@elsewhere.net").unwrap();
    directory.add_alias(&address("away"), AliasTarget::Outside(elsewhere)).await.unwrap();
    let team = directory.add_group(&address("team"), "Team").await.unwrap();
    directory.add_members(team, vec![address("ann"), address("bob")]).await.unwrap();
}

fn address(name: &str) -> Address {
    Address::parse(&format!("{name}@example.org")).unwrap()
}

/// The tables on a simulated disk.
pub fn sim_db(disk: &SimDisk) -> Db {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    shared.create_dir_all("/data".as_ref()).unwrap();
    let mut embedded = Embedded::new("/data", shared);
    embedded.vfs = Some(disk.vfs_name().to_owned());
    Db::open(Engine::Embedded(embedded), SCHEMAS).unwrap()
}

/// The bodies on a simulated disk.
pub fn sim_blobs(disk: &SimDisk) -> Blobs {
    Blobs::new(Arc::new(disk.clone()), "/data/blobs".into())
}

/// A peer that writes what it likes and reads replies.
pub struct Peer {
    tcp: TcpStream,
    kept: Vec<u8>,
}

impl Peer {
    pub fn connect(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        tcp.set_nodelay(true).unwrap();
        Self { tcp, kept: Vec::new() }
    }

    /// Connects and goes through the greeting.
    pub fn greeted(address: SocketAddr, hello: &str) -> Self {
        let mut peer = Self::connect(address);
        assert!(peer.reply().starts_with("220 "));
        assert!(peer.ask(&format!("{hello} client.example.net")).contains("250"));
        peer
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.tcp.write_all(bytes.as_ref()).unwrap();
    }

    /// The next reply, all of its lines; empty when the server has closed.
    pub fn reply(&mut self) -> String {
        let mut reply = String::new();
        while let Some(line) = self.line() {
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
            reply.push('\n');
        }
        reply
    }

    pub fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n"));
        self.reply()
    }

    /// Sends a whole message and returns the replies to MAIL, RCPT, DATA and the end of data, as far as it came.
    pub fn mail(&mut self, from: &str, to: &str, message: &[u8]) -> String {
        for command in [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>"), "DATA".to_owned()] {
            let reply = self.ask(&command);
            if !reply.starts_with(['2', '3']) {
                self.ask("RSET");
                return reply;
            }
        }
        self.send(message);
        self.send("\r\n.\r\n");
        self.reply()
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.kept.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.kept.drain(..=at).collect();
                assert!(line.ends_with(b"\r\n"), "a reply line without CR LF");
                return Some(String::from_utf8(line[..line.len() - 2].to_vec()).unwrap());
            }
            let mut piece = [0; 4096];
            match self.tcp.read(&mut piece) {
                Ok(0) => return None,
                Ok(count) => self.kept.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
