//! What an act answers: items while it goes on, one report at its end.

mod feedback;
mod moving_in;

use std::net::IpAddr;

use anser_base::{Class, Error, Result};
use anser_journal::What;
use anser_migrate::{MailboxView, MoveView, Proof};
use anser_sieve::form::Form;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub use feedback::{ReceivedView, SeenView};
pub use moving_in::{ColumnView, FrontDoorView, LineView, SchemeView, SlipView};

/// Events that wait for a slow reader.
const WAITING: usize = 64;

/// A message on its way in or out, without its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailHead {
    /// The mailbox, from the top down; `INBOX` alone is the inbox.
    pub folder: Vec<String>,
    /// `\Seen` and the like, as [`anser_store::Flags`] has them.
    pub flags: u32,
    /// Keywords.
    pub keywords: Vec<String>,
    /// INTERNALDATE in milliseconds since 1970; `None` when nothing tells it.
    pub received: Option<i64>,
    /// Its zone, in minutes east of UTC.
    pub zone: i16,
    /// When its file was written, in seconds since 1970: its date where nothing better is known.
    pub written: Option<i64>,
    /// Its UID, on the way out.
    pub uid: u32,
    /// Its length in bytes.
    pub size: u64,
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What is known of it.
    pub head: MailHead,
    /// Its bytes.
    pub body: Bytes,
}

/// What comes back while an act goes on.
#[derive(Clone, Debug)]
pub enum Event {
    /// How far it is.
    Progress {
        /// Done so far.
        done: u64,
        /// Of how many; 0 when nobody knows.
        total: u64,
    },
    /// One thing of a list.
    Item(Box<Item>),
    /// One message of an export.
    Mail(Mail),
}

/// Where an act puts what it has to say.
#[derive(Clone, Debug)]
pub struct Out(mpsc::Sender<Event>);

impl Out {
    /// An end to put events into and one to take them from.
    pub fn new() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// One thing of a list; waits for a slow reader. [`Class::Unavailable`] when nobody reads any more.
    pub async fn item(&self, item: Item) -> Result<()> {
        self.send(Event::Item(Box::new(item))).await
    }

    /// One message of an export; like [`Self::item`].
    pub async fn mail(&self, mail: Mail) -> Result<()> {
        self.send(Event::Mail(mail)).await
    }

    /// How far the act is; left out when the reader is slow.
    pub fn progress(&self, done: u64, total: u64) {
        let _ = self.0.try_send(Event::Progress { done, total });
    }

    async fn send(&self, event: Event) -> Result<()> {
        self.0.send(event).await.map_err(|_| Error::unavailable("nobody reads the answer any more"))
    }
}

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainView {
    /// Its name.
    pub name: String,
    /// Whether it is switched off.
    pub disabled: bool,
    /// The domain whose addresses it repeats.
    pub alias_of: Option<String>,
    /// Where mail to unknown addresses goes.
    pub catch_all: Option<String>,
    /// Who reads `postmaster@` it.
    pub postmaster: Option<String>,
    /// Whether login names without a domain are sought in it.
    pub default: bool,
}

/// A key that mail is signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimView {
    /// Where its record belongs: `selector._domainkey.example.org`.
    pub name: String,
    /// `rsa-sha256` or `ed25519-sha256`.
    pub algorithm: String,
    /// `waiting`, `active`, `retiring`.
    pub state: String,
    /// When it was made (RFC 3339).
    pub created: String,
    /// The text of its record.
    pub record: String,
}

/// Recipients elsewhere that somebody may write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsView {
    /// Whose limits they are.
    pub scope: String,
    /// In an hour.
    pub per_hour: u32,
    /// In a day.
    pub per_day: u32,
    /// Of them new ones, in a day.
    pub new_per_day: u32,
}

/// An account whose mail to others is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// Its address.
    pub address: String,
    /// Since when (RFC 3339).
    pub since: String,
    /// Why.
    pub why: String,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteView {
    /// Whom it is for.
    pub pattern: String,
    /// `HOST:PORT`, `mx`, `mx=DOMAIN`, `hold`, `discard`.
    pub way: String,
    /// `opportunistic`, `required`, `implicit`, `never`; of a server only.
    pub tls: Option<String>,
    /// Who we are there.
    pub user: Option<String>,
    /// Mail for the domain is taken from everybody, and who knows its addresses: `all`, `list`, `callout`.
    pub accept: Option<String>,
    /// Unknown addresses are taken while the server cannot be asked.
    pub open_when_down: bool,
    /// When mail goes this way, in UTC.
    pub hours: Option<String>,
    /// Until when it counts (RFC 3339).
    pub until: Option<String>,
    /// It counts no more.
    pub over: bool,
}

/// A record that a domain needs in the DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// Its name, without a final dot.
    pub name: String,
    /// `A`, `MX`, `TXT` and the like.
    pub kind: String,
    /// What it holds, as a zone file has it; `<IPv4>` stands for what only the operator knows.
    pub value: String,
    /// Mail suffers without it.
    pub needed: bool,
    /// What it is for, in English.
    pub en: String,
    /// What it is for, in Chinese.
    pub zh: String,
    /// What the world answers: `ok`, `missing`, `absent` (and not needed), `wrong`, `unknown`; empty when it was not asked.
    pub state: String,
    /// What is wrong and how to mend it, in English.
    pub problem_en: Option<String>,
    /// The same in Chinese.
    pub problem_zh: Option<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its number.
    pub id: u64,
    /// Its address.
    pub address: String,
    /// The name shown beside it.
    pub name: String,
    /// `active`, `suspended`, `removed`.
    pub state: String,
    /// Room in bytes; 0 is no limit.
    pub quota: u64,
    /// `zh` or `en`.
    pub locale: String,
    /// The IANA name of its time zone: the one that was set, else that of the language.
    pub time_zone: String,
    /// The services that are on.
    pub services: Vec<String>,
    /// `system` and the like; empty for none.
    pub role: String,
    /// When it was made (RFC 3339).
    pub created: String,
    /// Whether its owner must choose a new password first.
    pub must_change: bool,
    /// How many days of its inbox POP3 shows; nothing for all.
    pub pop3_days: Option<u32>,
    /// When it was removed.
    pub removed: Option<String>,
    /// Bytes that its mail takes; only where one account is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// Its messages; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Its aliases; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<String>>,
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasView {
    /// The address.
    pub address: String,
    /// Where it leads.
    pub target: String,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    /// Its address.
    pub address: String,
    /// The name shown beside it.
    pub name: String,
    /// Its members; only where one group is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
}

/// An app password or a token, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPasswordView {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What it opens.
    pub services: Vec<String>,
    /// When it was made (RFC 3339).
    pub created: String,
    /// When it was last used.
    pub last_used: Option<String>,
    /// From when on it opens nothing; nothing for never.
    pub expires: Option<String>,
}

/// One recipient of an entry of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientView {
    /// The address.
    pub address: String,
    /// `waiting`, `done`, `failed`, `expired`.
    pub state: String,
    /// Attempts that did not deliver.
    pub attempts: u32,
    /// When it is attempted next (RFC 3339).
    pub due: Option<String>,
    /// What the last attempt brought.
    pub why: Option<String>,
}

/// An entry of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    /// Its number.
    pub id: u64,
    /// The sender; empty for reports.
    pub sender: String,
    /// The recipients.
    pub recipients: Vec<RecipientView>,
    /// Bytes of its body.
    pub size: u64,
    /// When it was accepted (RFC 3339).
    pub accepted: String,
    /// When it expires.
    pub expires: String,
    /// When it is due; `None` when it is held.
    pub due: Option<String>,
    /// Whether it is held.
    pub held: bool,
    /// Whether it is being delivered right now.
    pub leased: bool,
    /// The door that it came through.
    pub protocol: String,
    /// The peer that brought it.
    pub client: Option<IpAddr>,
    /// The way that an operator chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

/// An event of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// When (RFC 3339).
    pub at: String,
    /// The node.
    pub node: u32,
    /// The number in the node's chain.
    pub seq: u64,
    /// The door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// A Sieve script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptView {
    /// Its name.
    pub name: String,
    /// Where it runs: `active`, `before`, `after`, `off`.
    pub place: String,
    /// Bytes.
    pub size: u64,
    /// When it was put last (RFC 3339).
    pub changed: String,
}

/// Something that a rule does with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActView {
    /// What.
    pub what: String,
    /// The script.
    pub script: String,
    /// Its line, from 1; 0 for its end.
    pub line: u32,
    /// The rule of the form that the line belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A stored message that rules touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchedView {
    /// Its UID.
    pub uid: u32,
    /// When it came (RFC 3339).
    pub received: String,
    /// Its subject.
    pub subject: String,
    /// What rules do with it.
    pub acts: Vec<ActView>,
}

/// A job that applies rules to stored mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// The account.
    pub address: String,
    /// The mailbox, its levels joined by `/`; nothing when it is gone.
    pub folder: Option<String>,
    /// `running`, `done`, `cancelled`, `failed`.
    pub state: String,
    /// Messages that there were to look at.
    pub total: u64,
    /// Messages looked at.
    pub looked: u64,
    /// Of these, changed ones.
    pub touched: u64,
    /// Of these, such that could not be changed, or on which a script failed.
    pub skipped: u64,
    /// When it was started (RFC 3339).
    pub started: String,
    /// When it ended.
    pub ended: Option<String>,
}

/// Something that `check` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// Where: an address, a file, `journal`, `queue`.
    pub place: String,
    /// What is wrong, in English.
    pub en: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// Whether it was mended.
    pub mended: bool,
}

/// One service of a running server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Sessions at this moment.
    pub live: u64,
    /// Sessions since the start.
    pub accepted: u64,
    /// Connections refused since the start.
    pub refused: u64,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// The program's version.
    pub version: String,
    /// This server's name.
    pub hostname: String,
    /// `embedded` or `postgres`.
    pub engine: String,
    /// Whether a server runs.
    pub running: bool,
    /// Its process.
    pub process: Option<u32>,
    /// When it started (RFC 3339).
    pub started: Option<String>,
    /// Its services.
    pub services: Vec<ServiceView>,
    /// Accounts that are not removed.
    pub accounts: u64,
    /// Entries of the queue that were never put off.
    pub queue_fresh: u64,
    /// Entries that wait.
    pub queue_waiting: u64,
    /// Entries that are held.
    pub queue_held: u64,
}

/// One thing of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // Each variant is its view.
pub enum Item {
    Domain(DomainView),
    Account(AccountView),
    Alias(AliasView),
    Group(GroupView),
    AppPassword(AppPasswordView),
    Entry(EntryView),
    Event(EventView),
    Finding(FindingView),
    Script(ScriptView),
    Touched(TouchedView),
    Job(JobView),
    Dkim(DkimView),
    Record(RecordView),
    Route(RouteView),
    Limits(LimitsView),
    Hold(HoldView),
    Seen(SeenView),
    Received(ReceivedView),
    Address(String),
    Column(ColumnView),
    Line(LineView),
    Slip(SlipView),
    FrontDoor(FrontDoorView),
    Move(MoveView),
    MoveMailbox(MailboxView),
    MoveProof(Box<Proof>),
}

/// The end of an act that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "kebab-case")]
pub enum Report {
    /// Nothing to say.
    Done,
    /// So many things were touched.
    Counted {
        /// How many.
        count: u64,
    },
    /// The new app password or token, shown this once.
    AppPassword {
        /// Whether it is a token.
        token: bool,
        /// Its number.
        id: u64,
        /// The secret.
        password: String,
    },
    /// Messages went in or out.
    Mails {
        /// How many.
        messages: u64,
        /// Their bytes.
        bytes: u64,
        /// Messages that were left out; each was an item.
        skipped: u64,
    },
    /// People were brought in, or would be; each line was an item, and each slip.
    People {
        /// Nothing was done.
        dry_run: bool,
        /// Lines that make something.
        new: u64,
        /// Lines that change something.
        changed: u64,
        /// Lines that say what is so already.
        same: u64,
        /// Lines that cannot be.
        refused: u64,
        /// In which ways the old system stored passwords.
        schemes: Vec<SchemeView>,
    },
    /// What was checked.
    Checked {
        /// Accounts.
        accounts: u64,
        /// Bodies.
        bodies: u64,
        /// Journal events.
        events: u64,
        /// Findings; each was an item.
        findings: u64,
        /// Those that were mended.
        mended: u64,
    },
    /// What a backup holds, or a restore brought.
    BackedUp {
        /// Files of tables.
        parts: u64,
        /// Bodies.
        bodies: u64,
        /// Bytes of both.
        bytes: u64,
        /// Parts that could not be read; each was an item.
        skipped: u64,
    },
    /// What the sweeper saw and did.
    Swept {
        /// Bodies seen.
        files: u64,
        /// Bodies deleted.
        deleted: u64,
        /// Bytes freed.
        freed: u64,
        /// Bodies that the next look may delete.
        waiting: u64,
    },
    /// A script.
    Script {
        /// What its author wrote.
        text: String,
    },
    /// The form under a script.
    Form {
        /// The form.
        form: Form,
    },
    /// Rules were tried on stored mail, or done to it; what they touch was an item each.
    Tried {
        /// Messages looked at.
        looked: u64,
        /// Those that rules touch.
        touched: u64,
        /// Some were left out: the time was over, or they are too large.
        partial: bool,
    },
    /// How things stand.
    Status(Box<StatusView>),
}

/// The end of an act that was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of trouble, as a word: `not-found`.
    pub class: String,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// What caused it; the administrator may see it.
    pub cause: Option<String>,
}

/// Classes and their words.
const CLASSES: [(Class, &str); 11] = [
    (Class::Invalid, "invalid"),
    (Class::NotFound, "not-found"),
    (Class::Exists, "exists"),
    (Class::Forbidden, "forbidden"),
    (Class::Unauthenticated, "unauthenticated"),
    (Class::OverQuota, "over-quota"),
    (Class::Limit, "limit"),
    (Class::Conflict, "conflict"),
    (Class::Full, "full"),
    (Class::Damaged, "damaged"),
    (Class::Unavailable, "unavailable"),
];

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let word = CLASSES.iter().find(|(class, _)| *class == error.class).map_or("unavailable", |(_, word)| word);
        let cause = error.source.as_ref().map(|source| source.to_string());
        Self { class: word.to_owned(), en: error.text.en.into(), zh: error.text.zh.into(), cause }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let class =
            CLASSES.iter().find(|(_, word)| *word == failure.class).map_or(Class::Unavailable, |(class, _)| *class);
        let error = Error::new(class, failure.en, failure.zh);
        match failure.cause {
            Some(cause) => error.caused_by(cause),
            None => error,
        }
    }
}
