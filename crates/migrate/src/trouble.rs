//! Why a pass, or a command to an old server, ended early, and what comes next.

use std::time::Duration;

use anser_base::{Class, Error};
use anser_store::LedgerState;

use crate::model::{Mailbox, State};
use crate::words::in_chinese;
use crate::{hours, own, run};

/// What went wrong, sorted by what is to be done.
#[derive(Debug)]
pub enum Trouble {
    /// Try again, not before this pause: the connection broke, the server has no time, it asks for patience.
    Later {
        /// What happened.
        why: String,
        /// How long the server asks us to stay away.
        pause: Option<Duration>,
    },
    /// Nothing is wrong there: something else comes first, and it is looked at again after this pause.
    NotYet {
        /// What comes first.
        why: String,
        /// When to look again.
        pause: Duration,
    },
    /// The server does not let this login in: a person has to look. `kind` is one of `wrong`, `locked`, `imap-off`, `app-password`,
    /// `second-factor`, `must-change`, `not-connected` (let in, and nothing can be opened), `form` (no way to say it), `no-password` (none is
    /// known), `account` (the login has none), `missing` (its files are), `consent` (its owner has to allow it again), `declined` and
    /// `expired` (its owner did not allow it, or not in time), `client` (the provider does not take this program).
    Login {
        /// What kind of refusal.
        kind: &'static str,
        /// What the server said.
        why: String,
    },
    /// The server refuses one command; the connection is well.
    Refused(String),
    /// The old server lost mail: a person has to say whether that was meant.
    Question(String),
    /// The move was paused, others wait for their turn, the server stops, or another engine has the mailbox.
    Stopped,
    /// Trouble of our own.
    Own(Error),
}

impl Trouble {
    /// The connection is of no use any more.
    pub fn lost(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), pause: None }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Later { why, .. } | Self::NotYet { why, .. } | Self::Login { why, .. } => why.clone(),
            Self::Refused(why) | Self::Question(why) => why.clone(),
            Self::Stopped => "stopped".to_owned(),
            Self::Own(error) => error.chain(),
        }
    }
}

/// What keeps a mailbox from moving on, as a word by which many are counted and chosen: the kind of a login that is refused; `question`;
/// `old-server`, `this-server`, `full`, `hours`, `budget` or `slow` where it waits; `failed` where the old server does not hand everything out.
pub(crate) fn class_of(mailbox: &Mailbox) -> Option<String> {
    let failed = mailbox.tally.is_some_and(|tally| tally[LedgerState::Failed as usize] > 0);
    if mailbox.state == State::Settled {
        return failed.then(|| "failed".to_owned());
    }
    let note = mailbox.note.as_deref()?;
    let (kind, _) = note.split_once(':').unwrap_or((note, ""));
    match mailbox.state {
        State::Refused => Some(kind.to_owned()),
        State::Asking => Some("question".to_owned()),
        State::Waiting if kind == own::OWN => Some("this-server".to_owned()),
        State::Waiting if [own::FULL, own::TURN, hours::HOURS, hours::BUDGET, run::CRAWLS].contains(&kind) => {
            Some(kind.to_owned())
        }
        State::Waiting => Some("old-server".to_owned()),
        _ => None,
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Own(error) => error,
            Trouble::Login { why, .. } => Error::new(
                Class::Unauthenticated,
                format!("the old server refuses the login: {why}"),
                format!("旧服务器拒绝登录：{}", in_chinese(&why)),
            ),
            other => Error::new(
                Class::Unavailable,
                format!("the old server: {}", other.words()),
                format!("旧服务器：{}", in_chinese(&other.words())),
            ),
        }
    }
}
