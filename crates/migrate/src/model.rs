//! The nouns of a move.

use anser_base::{AccountId, Timestamp, words};
use serde::{Deserialize, Serialize};

use crate::entry::Admin;
use crate::rules::Rules;

words! {
    /// What is with a move as a whole.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum MoveState {
        /// Nothing is copied by itself.
        Draft = "draft",
        /// Accounts that wait are worked on.
        Running = "running",
        /// Work stops, and goes on where it stopped.
        Paused = "paused",
    }
}

words! {
    /// What is with one mailbox of a move; the table of [`crate`] says what leads where.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum State {
        /// Listed, and nothing tried.
        New = "new",
        /// The login was tried, and it works.
        Ready = "ready",
        /// The old server refused the login: somebody has to look.
        Refused = "refused",
        /// It is worked on when its time has come and a connection is free.
        Waiting = "waiting",
        /// A pass is under way, under a lease.
        Copying = "copying",
        /// The last pass went over everything.
        Settled = "settled",
        /// The old server lost mail since the last pass: somebody has to say whether that was meant.
        Asking = "asking",
        /// It was taken out of the move; what was brought stays here.
        Abandoned = "abandoned",
    }
}

words! {
    /// What the next pass over a mailbox does.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Task {
        /// Logs in, opens the inbox, and leaves.
        Check = "check",
        /// Brings a few messages of each folder.
        Trial = "trial",
        /// Brings everything that is not here, and what changed.
        Copy = "copy",
        /// The same; what the old server lost was said to be meant.
        CopyAfterLoss = "copy-after-loss",
        /// Brings everything, ends the sessions that are passed through, brings the rest: the mailbox lives here from then on.
        Last = "last",
        /// Gives the old server what is new here: mail, flags, folders. The mailbox lives there again.
        Return = "return",
        /// The same; what was removed here was said to be meant.
        ReturnAfterLoss = "return-after-loss",
    }
}

words! {
    /// Who is worked on first among those that are due. It ends with the pass that brought everything.
    #[derive(Serialize, Deserialize, Default, PartialOrd, Ord)]
    #[serde(rename_all = "kebab-case")]
    pub enum Priority {
        /// In the order in which they are due.
        #[default]
        Usual = "usual",
        /// An administrator wants it before the others.
        First = "first",
        /// Its owner logged in, and waits for it.
        Awaited = "awaited",
    }
}

words! {
    /// Where a mailbox lives: where its owner's sessions and its new mail go.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Home {
        /// Here.
        Here = "here",
        /// At the old server: sessions are passed through.
        There = "there",
        /// It is turning from there to here: sessions end, logins wait.
        Turning = "turning",
    }
}

words! {
    /// When the mailboxes of a move turn from there to here.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Passing {
        /// They are here from the beginning; nothing is passed through.
        Off = "off",
        /// When it is said, mailbox by mailbox, wave by wave, or all at once.
        UntilCutover = "until-cutover",
        /// Each as soon as all of it was brought.
        UntilReady = "until-ready",
    }
}

words! {
    /// What an old server speaks, or what its mail lies in.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Kind {
        /// IMAP4rev1 (RFC 3501) or later.
        Imap = "imap",
        /// POP3 (RFC 1939): the inbox alone.
        Pop3 = "pop3",
        /// JMAP for Mail (RFC 8621).
        Jmap = "jmap",
        /// Maildir, with what Dovecot and Courier keep beside the messages.
        Maildir = "maildir",
        /// mbox files.
        Mbox = "mbox",
        /// One message a file, or a member of a zip or tar file.
        Eml = "eml",
        /// A data file of Outlook's.
        Pst = "pst",
        /// An mbox of Google Takeout, with labels.
        Takeout = "takeout",
        /// The spool of a Cyrus IMAP server.
        Cyrus = "cyrus",
    }
}

words! {
    /// How the way to an old server is protected.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Tls {
        /// TLS from the first byte, with a certificate that the system's authorities vouch for.
        Implicit = "implicit",
        /// STARTTLS (RFC 9051 §6.2.1), likewise.
        Starttls = "starttls",
        /// TLS from the first byte, with whatever certificate: by explicit wish only.
        ImplicitAny = "implicit-any",
        /// STARTTLS with whatever certificate: by explicit wish only.
        StarttlsAny = "starttls-any",
        /// No protection: passwords can be read on the way. By explicit wish only.
        None = "none",
    }
}

impl Kind {
    /// Whether it is files, on this machine, that no password protects.
    pub fn is_files(self) -> bool {
        matches!(self, Self::Maildir | Self::Mbox | Self::Eml | Self::Pst | Self::Takeout | Self::Cyrus)
    }
}

/// An organisation's project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Its number.
    pub id: u64,
    /// Its name, unique.
    pub name: String,
    /// What is with it.
    pub state: MoveState,
    /// When it was made.
    pub created: Timestamp,
    /// Whether sessions are passed through.
    pub passing: Passing,
    /// The old server's SMTP, `HOST:PORT`: mail for mailboxes that live there goes to it. `None` leaves mail alone.
    pub relay: Option<String>,
}

/// An old server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its number; 0 before it has one.
    #[serde(default)]
    pub id: u64,
    /// Its name, unique in the move.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// Its name or address; of files the path, with `%u`, `%n` and `%d` for the login and its parts.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is protected.
    pub tls: Tls,
    /// The profile of its provider: see `profile`.
    pub profile: String,
    /// Mailboxes that are worked on at once, at most: how many are is learned, see `throttle`.
    pub connections: u32,
    /// Who logs in there for everybody; nobody where each mailbox has a password of its own.
    #[serde(default)]
    pub admin: Option<Admin>,
    /// What is left out of it.
    #[serde(default)]
    pub rules: Rules,
}

impl Source {
    /// Whether each mailbox there is opened with a password of its own.
    pub fn takes_passwords(&self) -> bool {
        !self.kind.is_files() && self.admin.is_none()
    }
}

/// One mailbox that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Its number, by which the ledger knows the login.
    pub id: u64,
    /// The move.
    pub of: u64,
    /// The old server.
    pub source: u64,
    /// The name there.
    pub login: String,
    /// The address here.
    pub address: String,
    /// The account here.
    pub account: AccountId,
    /// The password there, sealed.
    pub secret: Option<Vec<u8>>,
    /// What is with it.
    pub state: State,
    /// What the next pass does.
    pub task: Task,
    /// Why it is in this state, in words.
    pub note: Option<String>,
    /// Not worked on before.
    pub due: Timestamp,
    /// Failures in a row.
    pub tries: u32,
    /// Passes that began.
    pub pass: u32,
    /// Messages that the last pass looked at so far.
    pub done: u64,
    /// Messages at the source, as far as they are known.
    pub total: u64,
    /// Bytes that were brought here.
    pub bytes: u64,
    /// Where it lives.
    pub home: Home,
    /// When it was cut over; 0 before that. Late mail is swept from then on.
    pub cut: Timestamp,
    /// Who comes first.
    pub priority: Priority,
    /// The wave that it belongs to.
    pub wave: Option<String>,
    /// Messages by what the ledger said of them at the end of the last pass, in the order of its states.
    pub tally: Option<[u64; 6]>,
}
