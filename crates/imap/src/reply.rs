//! Tagged replies, and how errors become them.

use std::borrow::Cow;

use anser_base::{Class, Error, Language, Text};
use anser_wire::imap::write::Status;

use crate::words;

/// The tagged end of a command (RFC 9051 §7.1).
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: Status,
    /// The response code without its brackets; empty for none.
    pub code: Cow<'static, str>,
    /// In English.
    pub text: Cow<'static, str>,
    /// In Chinese, where `words` does not have it.
    pub zh: Option<Cow<'static, str>>,
}

/// Why a command did not come to a good end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The command is answered like this.
    Refused(Reply),
    /// Something below failed; its class gives the answer, its chain goes to the log.
    Failed(Error),
    /// The connection is broken: the session ends without a word.
    Gone(Error),
    /// The command has answered by itself.
    Answered,
    /// The session ends with this BYE.
    Bye(&'static str),
}

/// What a command's handler comes to.
pub(crate) type Outcome = Result<Reply, Trouble>;

impl Reply {
    pub fn ok(text: impl Into<Cow<'static, str>>) -> Self {
        Self::ok_with("", text)
    }

    pub fn ok_with(code: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status: Status::Ok, code: code.into(), text: text.into(), zh: None }
    }

    pub fn no(code: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status: Status::No, code: code.into(), text: text.into(), zh: None }
    }

    pub fn bad(text: impl Into<Cow<'static, str>>) -> Self {
        Self { status: Status::Bad, code: Cow::Borrowed(""), text: text.into(), zh: None }
    }

    /// NO with a text that comes in both languages.
    pub fn refusal(code: &'static str, text: Text) -> Self {
        Self { zh: Some(text.zh), ..Self::no(code, text.en) }
    }

    /// BAD with a text that comes in both languages.
    pub fn malformed(text: Text) -> Self {
        Self { zh: Some(text.zh), ..Self::bad(text.en) }
    }

    /// The text in a language.
    pub fn said_in(&self, language: Language) -> Cow<'_, str> {
        match &self.zh {
            Some(zh) if language == Language::Chinese => Cow::Borrowed(zh),
            _ => words::say(language, &self.text),
        }
    }

    /// For a command that wants message numbers under UIDONLY (RFC 9586 §3).
    pub fn uid_required() -> Self {
        Self { code: Cow::Borrowed("UIDREQUIRED"), ..Self::bad("Message numbers are not used in this session") }
    }

    /// The answer that an error's class stands for (RFC 5530).
    pub fn of(error: &Error) -> Self {
        let code = match error.class {
            Class::Invalid => "CANNOT",
            Class::NotFound => "NONEXISTENT",
            Class::Exists => "ALREADYEXISTS",
            Class::Forbidden => "CANNOT",
            Class::Unauthenticated => "AUTHENTICATIONFAILED",
            Class::OverQuota => "OVERQUOTA",
            Class::Limit => "LIMIT",
            Class::Conflict => "INUSE",
            Class::Full | Class::Unavailable => "UNAVAILABLE",
            // What is lost is not there later either: whoever fetches all of a mailbox goes on with the others.
            Class::Damaged => "CORRUPTION",
        };
        Self::refusal(code, error.text.clone())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Reply> for Trouble {
    fn from(reply: Reply) -> Self {
        Self::Refused(reply)
    }
}
