//! What an act answers: items while it goes on, one report at its end.

mod domains;
mod feedback;
mod moving_in;
mod outward;
mod people;
mod rules;
mod sign_in;
mod state;

use anser_base::{Class, Error, Result};
use anser_migrate::{FailedView, FieldView, GateView, MailboxView, MoveView, Proof, RunView, SourceSurvey, Ticket};
use anser_sieve::form::Form;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::request::{ProviderSpec, SignInRules};

pub use domains::*;
pub use feedback::*;
pub use moving_in::*;
pub use outward::*;
pub use people::*;
pub use rules::*;
pub use sign_in::*;
pub use state::*;

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
    /// How the lines of its file ended, as [`anser_migrate::files::Ends`] has it: on the way in its bytes have CRLF instead; on the way out
    /// they are those of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_ends: Option<Vec<u8>>,
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
    /// One message of an export, or its beginning: [`MailHead::size`] says how long it is.
    Mail(Mail),
    /// More of the last message.
    Part(Bytes),
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

    /// More of the last message; like [`Self::item`].
    pub async fn part(&self, piece: Bytes) -> Result<()> {
        self.send(Event::Part(piece)).await
    }

    /// Waits until nobody reads any more.
    pub async fn is_left(&self) {
        self.0.closed().await;
    }

    /// How far the act is; left out when the reader is slow.
    pub fn progress(&self, done: u64, total: u64) {
        let _ = self.0.try_send(Event::Progress { done, total });
    }

    async fn send(&self, event: Event) -> Result<()> {
        self.0.send(event).await.map_err(|_| Error::unavailable("nobody reads the answer any more"))
    }
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
    AdminToken(AdminTokenView),
    Entry(EntryView),
    Event(EventView),
    Finding(FindingView),
    Script(ScriptView),
    Touched(TouchedView),
    Job(JobView),
    Dkim(DkimView),
    Record(RecordView),
    Route(RouteView),
    Session(SessionView),
    SecondFactor(SecondFactorView),
    /// Rules of signing in.
    SignInRules(SignInRules),
    Look(LookView),
    /// A provider of sign-in.
    Provider(ProviderSpec),
    Client(ClientView),
    Portal(PortalView),
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
    MoveProgress(ProgressView),
    MoveRun(RunView),
    MoveFailed(Box<FailedView>),
    MoveUndone(UndoneView),
    MoveProof(Box<Proof>),
    MoveUncompared(UncomparedView),
    MoveSurvey(Box<SourceSurvey>),
    MoveGate(GateView),
    MoveProbe(ProbeView),
    MoveNotice(NoticeView),
    MoveTicket(Ticket),
    Total(TotalView),
    MoveVisit(VisitView),
    MoveReturned(ReturnedView),
    MoveReport(String),
    MoveField(FieldView),
    MoveDocument(DocumentView),
}

/// A mailbox that did not go out as a whole, beside others that did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedMailbox {
    /// Its address.
    pub address: String,
    /// Why, in the language of whoever reads it.
    pub why: String,
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
    /// The new client or portal, and its secret if it has one, shown this once.
    Registered {
        /// Its name.
        id: String,
        /// The secret.
        secret: Option<String>,
    },
    /// Messages went in or out.
    Mails {
        /// How many.
        messages: u64,
        /// Their bytes.
        bytes: u64,
        /// Messages that were left out; each was an item.
        skipped: u64,
        /// Of several mailboxes, those that did not go out as a whole.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed: Vec<FailedMailbox>,
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
        /// Torn bodies that nothing refers to: what is left of puts that were cut off. No findings.
        #[serde(default)]
        torn: u64,
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
