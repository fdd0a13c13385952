//! What a command brings: an answer, or a stop.

use anser_base::{Class, Error};
use anser_wire::smtp::{CommandError, Enhanced, Reply};

/// What the peer is told of a command that was carried out.
#[derive(Debug)]
pub enum Answer {
    /// One reply.
    One(Reply),
    /// A reply for each recipient (RFC 2033 §4.2).
    Each(Vec<Reply>),
    /// All was said already.
    Said,
}

/// Why a command was not carried out.
#[derive(Debug)]
pub enum Stop {
    /// The reply; the session goes on.
    Refused(Reply),
    /// The same reply for each recipient of an LMTP message.
    EachRefused(Reply, usize),
    /// The last reply; the session ends.
    Close(Reply),
    /// The session ends without a word: nobody is there to hear it.
    Gone,
}

impl Answer {
    /// A positive reply.
    pub fn ok(enhanced: Enhanced, text: impl Into<String>) -> Self {
        Self::One(Reply::new(250, Some(enhanced), text))
    }
}

impl Stop {
    /// A refusal.
    pub fn refused(code: u16, enhanced: Enhanced, text: impl Into<String>) -> Self {
        Self::Refused(Reply::new(code, Some(enhanced), text))
    }

    /// A last reply.
    pub fn close(code: u16, enhanced: Enhanced, text: impl Into<String>) -> Self {
        Self::Close(Reply::new(code, Some(enhanced), text))
    }

    /// The same as a last reply.
    pub fn and_close(self) -> Self {
        match self {
            Self::Refused(reply) => Self::Close(reply),
            other => other,
        }
    }

    /// The connection broke.
    pub fn gone(error: Error) -> Self {
        tracing::debug!(error = error.chain(), "the connection broke");
        Self::Gone
    }
}

impl From<CommandError> for Stop {
    fn from(error: CommandError) -> Self {
        Self::Refused(error.reply())
    }
}

/// Trouble in the house: what the peer hears follows from the class; the chain goes to the log here, once.
impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let (code, enhanced) = match error.class {
            Class::Full => (452, (4, 3, 1)),
            Class::OverQuota => (452, (4, 2, 2)),
            class if class.is_temporary() => (451, (4, 3, 0)),
            _ => (554, (5, 3, 0)),
        };
        tracing::error!(error = error.chain(), code, "smtp");
        Self::refused(code, enhanced, capitalised(&error.text.en))
    }
}

/// Texts of the house begin in lower case, replies in upper case.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}
