//! A node on a temporary folder with one domain and a few accounts, and plain clients for it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Address, Clock, Entropy};
use anser_blob::{Blobs, RealDisk};
use anser_db::{Db, Embedded, Engine, Schemas};
use anser_directory::{Directory, NewAccount, NewDomain, Password, Role, Secret};
use anser_imap::{Deps, Limits, session};
use anser_journal::Journal;
use anser_net::certificate::self_signed;
use anser_net::{
    CertificateSource, ConnectOptions, Counters, Line, ServeOptions, Shutdown, Stream, TlsAcceptor, TlsConnector, bind,
    connect, serve,
};
use anser_store::Store;
use tempfile::TempDir;

pub const HOST: &str = "mail.example.org";
/// Accounts: the login name is the address, the password is `secret`. There are also `carl`, the administrator `root`, the shared account
/// `hall`, and the group `team`, which is bob.
pub const ACCOUNTS: [&str; 2] = ["ann@example.org", "bob@example.org"];

/// The tables of every place.
pub const SCHEMAS: Schemas = Schemas {
    server: anser_directory::SCHEMA,
    queue: anser_queue::SCHEMA,
    moves: anser_db::Schema(&[]),
    peers: anser_db::Schema(&[]),
    journal: anser_journal::SCHEMA,
    account: anser_store::SCHEMA,
    search: anser_store::SEARCH_SCHEMA,
};

/// A server that says nothing for this long has failed.
const SILENCE: Duration = Duration::from_secs(20);

pub struct Node {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
    pub counters: Arc<Counters>,
    pub store: Store,
    pub directory: Directory,
    pub journal: Journal,
    pub connector: TlsConnector,
    /// What sessions work with, for those that are started by hand.
    pub deps: Arc<Deps>,
    /// The password of every account, ready to be given to others.
    pub secret: Secret,
    _folder: TempDir,
}

/// What a test may want otherwise.
#[derive(Clone)]
pub struct Options {
    pub limits: Limits,
    pub allow_plaintext_auth: bool,
    pub jmap_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { limits: Limits::default(), allow_plaintext_auth: true, jmap_url: None }
    }
}

impl Node {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::on(embedded(&folder), folder, options).await
    }

    /// On a folder in memory where the system has one, so that a test of many changes does not wait for the disk.
    pub async fn in_memory(options: Options) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self::on(embedded(&folder), folder, options).await
    }

    /// On an engine, with bodies in a folder.
    pub async fn on(engine: Engine, folder: TempDir, options: Options) -> Self {
        let db = Db::open(engine, SCHEMAS).unwrap();
        let blobs = Blobs::new(Arc::new(RealDisk), folder.path().join("blobs"));
        let clock = Clock::System;
        let directory = Directory::new(anser_directory::Deps {
            db: db.clone(),
            clock: clock.clone(),
            entropy: Entropy::system(),
            hostname: HOST.to_owned(),
            literals: Vec::new(),
        });
        let journal = anser_journal::Deps { db: db.clone(), clock: clock.clone(), node: 0, months: BTreeSet::new() };
        let journal = Journal::open(journal).await.unwrap();
        let secret = people(&directory).await;
        let store = Store::new(anser_store::Deps { db, blobs, clock: clock.clone() });
        let (certificate, key) = self_signed(&[HOST.to_owned()]).unwrap();
        let connector = TlsConnector::verified_by_pem(certificate.as_bytes()).unwrap();
        let tls = TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap();
        let deps = Arc::new(Deps {
            store: store.clone(),
            directory: directory.clone(),
            journal: journal.clone(),
            tls: Some(tls),
            clock,
            hostname: HOST.to_owned(),
            jmap_url: options.jmap_url,
            limits: options.limits,
            allow_plaintext_auth: options.allow_plaintext_auth,
        });
        let listeners = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let (address, shutdown) = (listeners[0].address(), Shutdown::new());
        let serving = ServeOptions::new("imap");
        let counters = serving.counters.clone();
        let own = deps.clone();
        let handler = move |stream, shutdown| session(stream, own.clone(), shutdown);
        tokio::spawn(serve(listeners, serving, shutdown.clone(), handler));
        Self { address, shutdown, counters, store, directory, journal, connector, deps, secret, _folder: folder }
    }

    pub async fn connect(&self) -> Client {
        let mut stream = connect("127.0.0.1", self.address.port(), &ConnectOptions::default()).await.unwrap();
        stream.set_read_timeout(SILENCE);
        let mut client = Client { stream, tag: 0 };
        let greeting = client.line().await;
        assert!(greeting.starts_with("* OK [CAPABILITY IMAP4rev1"), "{greeting}");
        client
    }

    /// A client that logged in and selected the inbox.
    pub async fn inbox(&self, account: &str) -> Client {
        let mut client = self.connect().await;
        client.ok(&format!("LOGIN {account} secret")).await;
        client.ok("SELECT INBOX").await;
        client
    }
}

fn embedded(folder: &TempDir) -> Engine {
    Engine::Embedded(Embedded::new(folder.path(), Arc::new(RealDisk)))
}

async fn people(directory: &Directory) -> Secret {
    directory.add_domain(NewDomain::new("example.org")).await.unwrap();
    let secret = directory.make_secret(b"secret").await.unwrap();
    let named = |name: &str| {
        let address = Address::parse(&format!("{name}@example.org")).unwrap();
        NewAccount::new(address, Password::Made(secret.clone()))
    };
    let shared = NewAccount { shared: true, ..named("hall") };
    let root = NewAccount { role: Role::System, ..named("root") };
    let people = vec![named("ann"), named("bob"), named("carl"), shared, root];
    directory.add_accounts(people).await.unwrap();
    let team = Address::parse("team@example.org").unwrap();
    let group = directory.add_group(&team, "").await.unwrap();
    directory.add_members(group, vec![Address::parse(ACCOUNTS[1]).unwrap()]).await.unwrap();
    secret
}

/// A client that speaks line by line.
pub struct Client {
    pub stream: Stream,
    tag: u32,
}

impl Client {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next line without its end; empty when the server closed.
    pub async fn line(&mut self) -> String {
        match self.stream.read_line(100_000).await.unwrap() {
            Line::Full(line) => String::from_utf8_lossy(&line).trim_end().to_owned(),
            Line::Closed => String::new(),
            other => panic!("{other:?}"),
        }
    }

    /// Sends a command; returns its untagged lines (literals as their lines) and the tagged one.
    pub async fn command(&mut self, command: &str) -> (Vec<String>, String) {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        self.send(format!("{tag} {command}\r\n")).await;
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            assert!(!line.is_empty() || !lines.is_empty(), "the server closed after {command}");
            match line.strip_prefix(&format!("{tag} ")) {
                Some(end) => return (lines, end.to_owned()),
                None => lines.push(line),
            }
        }
    }

    /// [`Self::command`] that must succeed.
    pub async fn ok(&mut self, command: &str) -> Vec<String> {
        let (lines, end) = self.command(command).await;
        assert!(end.starts_with("OK"), "{command}: {end}");
        lines
    }

    /// Appends a message without waiting for the continuation.
    pub async fn append(&mut self, mailbox: &str, message: &[u8]) -> String {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        self.send(format!("{tag} APPEND {mailbox} {{{}+}}\r\n", message.len())).await;
        self.send(message).await;
        self.send("\r\n").await;
        loop {
            let line = self.line().await;
            if let Some(end) = line.strip_prefix(&format!("{tag} ")) {
                assert!(end.starts_with("OK"), "{end}");
                return end.to_owned();
            }
        }
    }
}
