//! A POP3 service over a fresh world, and a plain client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::time::Duration;

use anser_base::{AccountId, Durability, MailboxId, TenantId};
use anser_blob::Blobs;
use anser_db::Schemas;
use anser_pop3::{Deps, Limits, Locks};
use anser_store::{NewMessage, Store};
use anser_testkit::door::{Door, HOST, House, Pair};
use anser_testkit::engines::{NO_SCHEMAS, World, each_engine};

pub use anser_testkit::door::{NOW, PASSWORD, certificate};

pub const SCHEMAS: Schemas = Schemas {
    server: anser_directory::SCHEMA,
    journal: anser_journal::SCHEMA,
    account: anser_store::SCHEMA,
    search: anser_store::SEARCH_SCHEMA,
    ..NO_SCHEMAS
};
pub const TENANT: TenantId = TenantId(1);
/// A client that hears nothing for this long has failed.
const SILENCE: Duration = Duration::from_secs(60);

/// The door, and what its people get.
pub struct Site(Door<Deps>);

impl Deref for Site {
    type Target = Door<Deps>;

    fn deref(&self) -> &Door<Deps> {
        &self.0
    }
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

impl Site {
    pub fn start(world: &World, limits: Limits) -> Self {
        Self(Door::open(world.open(), |house| deps(house, world.blobs(), limits), anser_pop3::session))
    }

    /// Ends everything and lets go of the world.
    pub fn stop(self) {
        self.0.stop();
    }

    pub fn inbox(&self, account: AccountId) -> MailboxId {
        let store = &self.deps.store;
        self.runtime.block_on(async {
            store.ensure(account).await.unwrap();
            store.read(account, |tx| tx.inbox()).await.unwrap().id
        })
    }

    /// Puts messages into somebody's inbox, in one transaction; returns their UIDs.
    pub fn deliver(&self, name: &str, messages: &[impl AsRef<[u8]>]) -> Vec<u32> {
        let whole = |raw: &_| self.message(name, AsRef::<[u8]>::as_ref(raw));
        self.append(name, messages.iter().map(whole).collect())
    }

    /// A message for somebody's inbox that may be changed before it is appended.
    pub fn message(&self, name: &str, raw: &[u8]) -> NewMessage {
        let content = self.deps.store.put_body(TENANT, raw, Durability::Deferred).unwrap();
        NewMessage::new(content, self.inbox(self.account(name)), NOW)
    }

    pub fn append(&self, name: &str, messages: Vec<NewMessage>) -> Vec<u32> {
        let account = self.account(name);
        let work = self.deps.store.write(account, Durability::Sync, move |tx| {
            messages.iter().map(|new| Ok(tx.append(new)?.unwrap().places[0].2)).collect()
        });
        self.runtime.block_on(work).unwrap()
    }

    /// What an IMAP client would do.
    pub fn expunge(&self, name: &str, uids: &[u32]) {
        let account = self.account(name);
        let (inbox, uids) = (self.inbox(account), uids.to_vec());
        let work = self.deps.store.write(account, Durability::Sync, move |tx| tx.expunge(inbox, &uids, false));
        self.runtime.block_on(work).unwrap();
    }

    /// UID and whether it is seen, of everything in somebody's inbox.
    pub fn inbox_now(&self, name: &str) -> Vec<(u32, bool)> {
        let account = self.account(name);
        let inbox = self.inbox(account);
        let entries = self.deps.store.read(account, move |tx| tx.entries(inbox, 1, u32::MAX));
        let seen = |entry: anser_store::Entry| (entry.uid, entry.flags.has(anser_store::Flags::SEEN));
        self.runtime.block_on(entries).unwrap().into_iter().map(seen).collect()
    }

    /// A client that has logged in, if need be after the server has seen that the one before is gone.
    pub fn login(&self, name: &str) -> Client {
        let mut client = Client::connect(self.plain);
        assert!(client.hear().starts_with("+OK "));
        loop {
            client.ask(&format!("USER {name}"));
            let answer = client.ask(&format!("PASS {PASSWORD}"));
            if !answer.starts_with("-ERR [IN-USE]") {
                assert!(answer.starts_with("+OK "), "{answer}");
                return client;
            }
        }
    }
}

fn deps(house: &House, blobs: Blobs, limits: Limits) -> Pair<Deps> {
    let plain = Deps {
        store: Store::new(anser_store::Deps { db: house.db.clone(), blobs, clock: house.clock.clone() }),
        directory: house.directory.clone(),
        journal: house.journal.clone(),
        tls: Some(house.tls.clone()),
        clock: house.clock.clone(),
        hostname: HOST.into(),
        limits,
        allow_plaintext_auth: true,
        locks: Locks::default(),
    };
    Pair { strict: Deps { allow_plaintext_auth: false, ..plain.clone() }, plain }
}

/// A line client.
pub struct Client {
    link: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(SILENCE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        Self { link: BufReader::new(tcp) }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.link.get_mut().write_all(bytes).unwrap();
    }

    /// Sends as much as the server takes.
    pub fn send_what_goes(&mut self, bytes: &[u8]) {
        let _ = self.link.get_mut().write_all(bytes);
    }

    /// Ends the client's direction.
    pub fn end(&mut self) {
        let _ = self.link.get_mut().shutdown(std::net::Shutdown::Write);
    }

    /// The next line without its end; empty when the server closed.
    pub fn hear(&mut self) -> String {
        String::from_utf8_lossy(&self.hear_bytes()).into_owned()
    }

    fn hear_bytes(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        self.link.read_until(b'\n', &mut line).unwrap_or_default();
        line.strip_suffix(b"\r\n").unwrap_or(&line).to_vec()
    }

    /// The first line of the answer to a command.
    pub fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n").as_bytes());
        self.hear()
    }

    /// The lines of a multi-line answer, undone.
    pub fn ask_lines(&mut self, command: &str) -> Vec<String> {
        let first = self.ask(command);
        assert!(first.starts_with("+OK"), "{command}: {first}");
        let text = String::from_utf8_lossy(&self.hear_body()).into_owned();
        text.lines().map(str::to_owned).collect()
    }

    /// A multi-line answer behind its first line: without dot-stuffing and end.
    pub fn hear_body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.hear_bytes();
            match line.strip_prefix(b".") {
                Some(b"") => return body,
                Some(rest) => body.extend_from_slice(rest),
                None => body.extend_from_slice(&line),
            }
            body.extend_from_slice(b"\r\n");
        }
    }

    /// A message.
    pub fn retr(&mut self, number: u32) -> Vec<u8> {
        let first = self.ask(&format!("RETR {number}"));
        assert!(first.starts_with("+OK"), "{first}");
        self.hear_body()
    }

    /// What comes until the server closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset ends it as well.
        let _ = self.link.read_to_end(&mut rest);
        rest
    }
}

/// A message whose Message-ID and body tell its number.
pub fn mail(number: u32) -> String {
    format!("Message-ID: <{number}@anser.test>\r\nSubject: message {number}\r\n\r\nbody of {number}\r\n")
}
