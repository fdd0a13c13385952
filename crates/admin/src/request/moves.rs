//! What is asked for about moves.

use anser_migrate::{
    Admin as Administrator, Grant, Level, NewMailbox, Occasion, Pace, Passing, Password, RulesChange, Source,
};
use serde::{Deserialize, Serialize};

/// What is done with a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MoveAct {
    /// Makes a move with an old server, or changes that.
    Plan(Source),
    /// Says who logs in at an old server for everybody there.
    Administrator {
        /// The old server, by its name.
        source: String,
        /// The administrator; nobody without.
        admin: Option<Administrator>,
        /// The password, which is sealed at once; `None` keeps the one that is known.
        password: Option<Password>,
    },
    /// Says for how long passwords of old servers are kept, at the most.
    Secrets {
        /// Days, 365 at the most; 0 forgets at once those that are known. Without it, and of those that come after 0, they are kept for 90
        /// days after the last login with one.
        days: Option<u32>,
    },
    /// Says whether sessions are passed through to the old server, and where mail goes meanwhile; what is not named stays.
    PassThrough {
        /// `off`, `until-cutover`, `until-ready`.
        passing: Option<Passing>,
        /// The old server's SMTP, `HOST:PORT`; empty for none.
        relay: Option<String>,
    },
    /// Says when an old server is asked, and for how much; what is not named stays.
    Pace {
        /// The old server, by its name; the first without.
        source: Option<String>,
        /// When, and how much.
        #[serde(flatten)]
        pace: Pace,
    },
    /// Says what is left out of an old server; what is not named stays.
    Rules {
        /// The old server, by its name; the first without.
        source: Option<String>,
        /// What is left out.
        #[serde(flatten)]
        rules: RulesChange,
    },
    /// Puts the mailboxes that are named into a wave, which is made when there is none of this name.
    Wave {
        /// Its name.
        wave: String,
        /// Takes them out of it.
        #[serde(default)]
        out: bool,
        /// Forgets the wave; its mailboxes stay, in none.
        #[serde(default)]
        remove: bool,
        /// In which hours its mailboxes are brought, empty for all day; what is not named stays.
        #[serde(default)]
        hours: Option<String>,
    },
    /// Puts the mailboxes that are named at the head of the queue.
    First,
    /// Lists logins of an old server.
    Accounts {
        /// The old server, by its name; the first without.
        source: Option<String>,
        /// The logins.
        logins: Vec<NewMailbox>,
    },
    /// Makes the old address of each mailbox an alias of its account here, with an identity to answer as.
    OldAddresses {
        /// The domain of logins that have none.
        domain: Option<String>,
        /// Only tell what that would be.
        dry_run: bool,
    },
    /// Lets a grant of OAuth 2.0 stand where passwords do, or asks owners for it: their codes are in the notes then.
    Consent {
        /// What the client is known by, and what it has.
        grant: Grant,
        /// Whether owners are asked.
        asks: bool,
    },
    /// Tries logins.
    Check,
    /// Brings a few messages of each folder.
    Trial,
    /// Begins to bring everything.
    Start,
    /// Another pass over what is settled.
    Delta,
    /// Puts answers into the survey form: questions by their names; shows it.
    Form(Vec<(String, String)>),
    /// The documents of the move, in both languages, signed, and the calendar.
    Documents,
    /// Looks at the old servers, into the mailboxes, and at the DNS of their domains.
    Survey,
    /// Cuts mailboxes over that were brought: those that are named, or everybody, once the gates are passed.
    Cutover {
        /// Only tell how the gates stand.
        check: bool,
        /// The users know.
        noticed: bool,
        /// Gates that are taken for passed.
        accepted: Vec<String>,
        /// End the move.
        close: bool,
        /// Send a letter into each domain and one out of it, and tell what became of them.
        #[serde(default)]
        probe: bool,
    },
    /// What users complain of.
    Ticket(TicketAct),
    /// Sends the letters of an occasion to whoever has not got them.
    Notify {
        /// `success`, `reminder`.
        occasion: Occasion,
        /// Only tell who that is.
        dry_run: bool,
    },
    /// Takes the mailboxes that are named out of the move, or everybody; what was brought stays.
    Abandon {
        /// Everybody, where nobody is named.
        all: bool,
    },
    /// Gives the old server what is new here.
    Rollback {
        /// Only tell what that would be.
        dry_run: bool,
    },
    /// The newest proofs as a signed document.
    Report {
        /// `html`, `csv`, `json`, `pdf`.
        format: String,
    },
    /// The public key that documents are signed by.
    ReportKey,
    /// Works again on what failed.
    Retry,
    /// Stops what is under way.
    Pause,
    /// Goes on.
    Resume {
        /// Whether losses at the old server were meant.
        losses_are_meant: bool,
    },
    /// Waits until nothing is under way.
    Wait,
    /// How each mailbox stands.
    Status,
    /// What the newest passes of each mailbox came to.
    Runs,
    /// Messages that the old servers do not hand out, one by one.
    Failed,
    /// Takes away what came and nobody touched, of the mailboxes that are named or of everybody.
    Undo {
        /// Only tell what that would be.
        dry_run: bool,
        /// Everybody, where nobody is named.
        #[serde(default)]
        all: bool,
    },
    /// How each mailbox stands, and then every change, with a sum of all for each look.
    Follow {
        /// Goes on when nothing is under way, for as long as somebody reads.
        stay: bool,
    },
    /// Holds both sides against each other.
    Verify {
        /// How much is read.
        level: Level,
    },
    /// The newest proofs.
    Proofs,
}

/// What is done with tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketAct {
    /// Lists them.
    List,
    /// Opens one.
    Open {
        /// What it is about.
        text: String,
    },
    /// Closes one.
    Close {
        /// Its number.
        id: u64,
        /// What was done about it.
        #[serde(default)]
        answer: String,
    },
}

impl MoveAct {
    /// Whether it tells how things are, and changes nothing but what is remembered of having looked.
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Status
            | Self::Runs
            | Self::Failed
            | Self::Undo { dry_run: true, .. }
            | Self::Follow { .. }
            | Self::Wait
            | Self::Proofs
            | Self::Report { .. }
            | Self::ReportKey
            | Self::Documents
            | Self::Notify { dry_run: true, .. }
            | Self::Ticket(TicketAct::List)
            | Self::OldAddresses { dry_run: true, .. }
            | Self::Rollback { dry_run: true } => true,
            Self::Form(said) => said.is_empty(),
            Self::Cutover { check, noticed, accepted, close, probe } => {
                *check && !noticed && accepted.is_empty() && !close && !probe
            }
            _ => false,
        }
    }
}
