//! A server without doors: everything that delivery works with, over each engine, with a clock that stands still. Files are on a
//! simulated disk, so that no test waits for the machine's.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Address, Clock, Disk, Entropy, EntryId, Result, TenantId, Timestamp};
use anser_blob::{Blobs, Prepared};
use anser_db::{Db, Embedded, Engine, Schemas};
use anser_delivery::{Delivery, Deps, Outward, Smarthost};
use anser_directory::scripts::{Place, ScriptOwner};
use anser_directory::{Directory, NewAccount, NewDomain, Password};
use anser_journal::{Journal, What};
use anser_mime::encoding::{Encoding, decode};
use anser_net::Shutdown;
use anser_net::dns::{Resolver, Zone};
use anser_peers::Peers;
use anser_queue::{Body, Envelope, Listed, Origin, Queue, Recipient, State};
use anser_store::{MailTx, Store};
use anser_testkit::engines::{POSTGRES, World};
use anser_testkit::sim::SimDisk;
use anser_wire::smtp::Notify;
use tokio::task::JoinHandle;

pub const SCHEMAS: Schemas = Schemas {
    server: anser_directory::SCHEMA,
    queue: anser_queue::SCHEMA,
    moves: anser_db::Schema(&[]),
    peers: anser_peers::SCHEMA,
    journal: anser_journal::SCHEMA,
    account: anser_store::SCHEMA,
    search: anser_store::SEARCH_SCHEMA,
};
pub const START: Timestamp = Timestamp(1_800_000_000_000);
pub const HOSTNAME: &str = "mail.anser.test";
pub const TENANT: TenantId = TenantId(1);
/// `Received` and what else a door writes.
pub const TRACE: &str = "Received: from far.test by mail.anser.test; Fri, 15 Jan 2027 08:00:00 +0000\r\n";

/// Data that servers can be started on, one after the other.
pub struct Site {
    engine: Engine,
    blobs: Blobs,
    /// Keeps a database.
    _world: Option<World>,
}

/// The folder of all data on a simulated disk.
const DATA: &str = "/data";

impl Site {
    /// A fresh disk with the embedded engine.
    pub fn embedded() -> Self {
        Self::on(&SimDisk::new(1))
    }

    /// The embedded engine on a disk.
    pub fn on(disk: &SimDisk) -> Self {
        let mut engine = Embedded::new(PathBuf::from(DATA), Arc::new(disk.clone()));
        engine.vfs = Some(disk.vfs_name().to_owned());
        engine.workers = 2;
        Self { engine: Engine::Embedded(engine), blobs: blobs(disk), _world: None }
    }

    fn postgres() -> Option<Self> {
        let world = World::postgres(SCHEMAS)?;
        Some(Self { engine: world.engine.clone(), blobs: blobs(&SimDisk::new(1)), _world: Some(world) })
    }

    /// A start of the server.
    pub async fn open(&self, clock: &Clock, sending: impl Into<Sending>) -> Result<House> {
        // Opening blocks, which a thread that drives a runtime must not.
        let engine = self.engine.clone();
        let db = std::thread::spawn(|| Db::open(engine, SCHEMAS)).join().unwrap()?;
        House::over(db, self.blobs.clone(), clock, sending.into()).await
    }

    /// A start of the server, with its domain and its people.
    pub async fn furnished(&self, sending: impl Into<Sending>) -> House {
        let house = self.open(&Clock::manual(START), sending).await.unwrap();
        house.furnish().await;
        house
    }
}

fn blobs(disk: &SimDisk) -> Blobs {
    disk.create_dir_all(DATA.as_ref()).unwrap_or_default();
    Blobs::new(Arc::new(disk.clone()), PathBuf::from(DATA).join("blobs"))
}

/// Runs a test on the data of every engine there is.
pub fn on_each_site(test: impl Fn(&Site)) {
    test(&Site::embedded());
    match Site::postgres() {
        Some(site) => test(&site),
        None => eprintln!("{POSTGRES} is not set: the PostgreSQL half of this test did not run"),
    }
}

/// Runs a scenario on every engine, in a house with ann and bob.
pub fn on_each_engine<F: Future<Output = ()>>(scenario: impl Fn(House) -> F) {
    on_each_site(|site| runtime().block_on(async { scenario(site.furnished(None).await).await }));
}

/// How mail leaves.
#[derive(Default)]
pub struct Sending {
    pub smarthost: Option<Smarthost>,
    pub outward: Option<Outward>,
}

impl From<Option<Smarthost>> for Sending {
    fn from(smarthost: Option<Smarthost>) -> Self {
        Self { smarthost, outward: None }
    }
}

impl From<Outward> for Sending {
    fn from(outward: Outward) -> Self {
        Self { smarthost: None, outward: Some(outward) }
    }
}

/// One run of the server.
pub struct House {
    pub clock: Clock,
    pub queue: Queue,
    pub store: Store,
    pub directory: Directory,
    pub journal: Journal,
    pub delivery: Delivery,
    pub peers: Peers,
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

impl House {
    async fn over(db: Db, blobs: Blobs, clock: &Clock, sending: Sending) -> Result<Self> {
        let clock = clock.clone();
        let entropy = Entropy::seeded(1);
        let queue = Queue::open(anser_queue::Deps { db: db.clone(), clock: clock.clone(), name: None }).await?;
        let store = Store::new(anser_store::Deps { db: db.clone(), blobs, clock: clock.clone() });
        let directory = Directory::new(anser_directory::Deps {
            db: db.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            hostname: HOSTNAME.into(),
            literals: Vec::new(),
        });
        let months = BTreeSet::from([anser_journal::month_of(START)]);
        let journal = anser_journal::Deps { db: db.clone(), clock: clock.clone(), node: 0, months };
        let journal = Journal::open(journal).await?;
        let peers = Peers::new(anser_peers::Deps { db, clock: clock.clone() });
        let unknown = || Resolver::zone(Zone::new());
        let resolver = sending.outward.as_ref().map_or_else(unknown, |outward| outward.resolver.clone());
        let delivery = Delivery::new(Deps {
            queue: queue.clone(),
            store: store.clone(),
            directory: directory.clone(),
            peers: peers.clone(),
            resolver,
            journal: journal.clone(),
            clock: clock.clone(),
            entropy,
            hostname: HOSTNAME.into(),
            smarthost: sending.smarthost,
            outward: sending.outward,
        });
        Ok(Self { clock, queue, store, directory, journal, delivery, peers })
    }

    /// The domain and its people.
    pub async fn furnish(&self) {
        self.directory.add_domain(NewDomain::new("anser.test")).await.unwrap();
        for name in ["ann", "bob"] {
            self.add(&format!("{name}@anser.test")).await;
        }
    }

    pub async fn add(&self, address_text: &str) -> AccountId {
        self.directory.add_account(NewAccount::new(address(address_text), Password::None)).await.unwrap()
    }

    pub async fn account(&self, address_text: &str) -> AccountId {
        self.directory.account_by_address(&address(address_text)).await.unwrap().unwrap().id
    }

    /// Puts a message into the queue, inline as a door does.
    pub async fn put(&self, envelope: Envelope, raw: &str) -> EntryId {
        self.queue.put(envelope, body(raw)).await.unwrap()
    }

    /// Delivers until nothing is due.
    pub async fn run(&self) {
        while self.has_due(|_| true).await {
            self.run_once().await;
        }
    }

    /// Delivers what is due, and stops in good order, which settles at once.
    async fn run_once(&self) {
        let (shutdown, running) = self.start();
        while self.queue.counts().await.unwrap().ready > 0 || self.has_due(|entry| !entry.leased).await {
            tokio::task::yield_now().await;
        }
        shutdown.begin(Duration::ZERO);
        running.await.unwrap().unwrap();
    }

    /// Begins to deliver.
    pub fn start(&self) -> (Shutdown, JoinHandle<anser_base::Result<()>>) {
        let shutdown = Shutdown::new();
        let (delivery, handle) = (self.delivery.clone(), shutdown.clone());
        (shutdown, tokio::spawn(async move { delivery.run(handle).await }))
    }

    /// Lets time pass, then delivers.
    pub async fn run_after(&self, pause: Duration) {
        self.clock.advance(pause);
        self.run().await;
    }

    /// Whether an entry is due that fits.
    async fn has_due(&self, fits: impl Fn(&Listed) -> bool) -> bool {
        let now = self.clock.now();
        let is_due = |entry: &Listed| entry.progress.iter().any(|p| p.state == State::Waiting && p.due <= now);
        self.waiting().await.iter().any(|entry| is_due(entry) && fits(entry))
    }

    /// What is in the queue.
    pub async fn waiting(&self) -> Vec<Listed> {
        self.queue.list(anser_queue::Filter::default(), None, 10_000).await.unwrap().entries
    }

    /// The messages of somebody's inbox, with their UIDs.
    pub async fn inbox(&self, address_text: &str) -> Vec<(u32, String)> {
        let found = inbox(&self.store, self.account(address_text).await).await.unwrap();
        found.into_iter().map(|(_, uid, raw)| (uid, raw)).collect()
    }

    /// The texts of somebody's inbox.
    pub async fn mail(&self, address_text: &str) -> Vec<String> {
        self.inbox(address_text).await.into_iter().map(|(_, raw)| raw).collect()
    }

    /// Gives somebody a script, and makes it the active one.
    pub async fn script(&self, address_text: &str, text: &str) {
        let owner = ScriptOwner::Account(self.account(address_text).await);
        self.directory.put_script(owner, "main", text.as_bytes()).await.unwrap();
        self.directory.place_script(owner, "main", Place::Active).await.unwrap();
    }

    /// The texts of one of somebody's mailboxes, with flags and keywords before each; `None` when there is no such mailbox.
    pub async fn folder(&self, address_text: &str, path: &str) -> Option<Vec<String>> {
        let account = self.account(address_text).await;
        self.store.ensure(account).await.unwrap();
        let names: Vec<String> = path.split('/').map(str::to_owned).collect();
        let work = move |tx: &mut MailTx<'_, '_>| tx.mailbox_at(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let mailbox = self.store.read(account, work).await.unwrap()?;
        let mut found = Vec::new();
        for entry in self.store.snapshot(account, mailbox.id).await.unwrap().iter() {
            let id = entry.message;
            let message = self.store.read(account, move |tx| tx.message(id)).await.unwrap().unwrap();
            let raw = self.store.load(TENANT, &message).unwrap();
            found.push(format!("{} {:?} {}", entry.flags.0, entry.keywords, String::from_utf8_lossy(&raw)));
        }
        Some(found)
    }

    /// The only report in somebody's inbox.
    pub async fn report(&self, address_text: &str) -> Report {
        let mail = self.mail(address_text).await;
        assert_eq!(mail.len(), 1, "{mail:#?}");
        Report::parse(&mail[0])
    }

    /// What the journal has of somebody, in words.
    pub async fn told_about(&self, address_text: &str) -> Vec<String> {
        self.journal.flush().await.unwrap();
        let query = anser_journal::Query::Address(address_text.to_owned());
        self.journal.trace(query, 10_000).await.unwrap().into_iter().map(|event| word(&event.what)).collect()
    }

    /// What the journal has of an entry, in words.
    pub async fn told_of(&self, entry: EntryId) -> Vec<String> {
        self.journal.flush().await.unwrap();
        let events = self.journal.trace(anser_journal::Query::Entry(entry), 100).await.unwrap();
        events.into_iter().map(|event| word(&event.what)).collect()
    }
}

fn word(what: &What) -> String {
    match what {
        What::Filtered { act, script, line, rule, .. } => {
            format!("{act} by {script}:{line}{}", rule.as_ref().map(|rule| format!(" {rule}")).unwrap_or_default())
        }
        What::Accepted { recipients, parent: Some(_), .. } => format!("followed by mail to {}", recipients.join(" ")),
        What::Delivered { recipient, .. } => format!("delivered {recipient}"),
        What::Relayed { recipient, host, reply, .. } => format!("relayed {recipient} {host} {reply}"),
        What::Deferred { recipient, why, .. } => format!("deferred {recipient} {why}"),
        What::Failed { recipient, why, .. } => format!("failed {recipient} {why}"),
        other => format!("{other:?}"),
    }
}

/// The messages of an inbox as a client reads them: UIDVALIDITY, UID, text.
pub async fn inbox(store: &Store, account: AccountId) -> Result<Vec<(u32, u32, String)>> {
    store.ensure(account).await?;
    let mailbox = store.read(account, |tx| Ok(tx.inbox()?.id)).await?;
    let snapshot = store.snapshot(account, mailbox).await?;
    let mut found = Vec::new();
    for entry in snapshot.iter() {
        let id = entry.message;
        let message = store.read(account, move |tx| tx.message(id)).await?.unwrap();
        let raw = store.load(TENANT, &message)?;
        found.push((snapshot.uidvalidity, entry.uid, String::from_utf8(raw.to_vec()).unwrap()));
    }
    Ok(found)
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// From somebody elsewhere unless said otherwise; an empty sender is the null sender.
pub fn envelope(sender: &str, recipients: &[&str]) -> Envelope {
    let recipients = recipients.iter().map(|text| Recipient::new(address(text))).collect();
    let plain = Envelope::new(Address::parse(sender), recipients, Origin::internal(), START);
    Envelope { trace: TRACE.as_bytes().to_vec(), tenant: Some(TENANT), ..plain }
}

/// The same NOTIFY for every recipient.
pub fn notify(mut envelope: Envelope, notify: Notify) -> Envelope {
    envelope.recipients.iter_mut().for_each(|recipient| recipient.notify = notify);
    envelope
}

pub fn body(raw: &str) -> Body {
    let prepared = Prepared::new(raw.as_bytes());
    Body::inline(prepared.id, raw.len() as u64, prepared.stored)
}

pub const NEVER: Notify = Notify { success: false, failure: false, delay: false };
pub const SUCCESS: Notify = Notify { success: true, failure: false, delay: false };

/// A short message.
pub fn message(subject: &str) -> String {
    format!(
        "From: bob@anser.test\r\nTo: ann@anser.test\r\nSubject: {subject}\r\nMessage-ID: <{subject}@anser.test>\r\n\r\n\
         .dot\r\nbody of {subject}\r\n"
    )
}

/// A delivery status notification, taken apart.
#[derive(Debug)]
pub struct Report {
    /// The whole of it.
    pub raw: String,
    /// The part for people.
    pub text: String,
    /// The part for programs.
    pub status: String,
    /// What it returns of the message.
    pub returned: String,
}

impl Report {
    pub fn parse(raw: &str) -> Self {
        let (_, rest) = raw.split_once("report-type=delivery-status;").expect("a report");
        let (_, rest) = rest.split_once("boundary=\"").unwrap();
        let boundary = rest.split('"').next().unwrap();
        let parts: Vec<&str> = raw.split(&format!("--{boundary}")).collect();
        assert_eq!((parts.len(), parts[parts.len() - 1]), (5, "--\r\n"), "{raw}");
        let body = |part: &str| part.split_once("\r\n\r\n").unwrap().1.to_owned();
        let text = decode(Encoding::Base64, body(parts[1]).as_bytes());
        Self {
            raw: raw.to_owned(),
            text: String::from_utf8(text).unwrap().replace("\r\n", "\n"),
            status: body(parts[2]),
            returned: parts[3].trim_start().to_owned(),
        }
    }

    /// Whether the part for programs has this line.
    pub fn says(&self, line: &str) -> bool {
        self.status.replace("\r\n ", " ").lines().any(|found| found == line)
    }
}
