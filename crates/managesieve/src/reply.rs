//! Answers, and how errors become them.

use std::borrow::Cow;

use anser_base::{Class, Error, Language, Text};
use anser_wire::managesieve::{Code, Wrong, answer};

/// The answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Ok(Option<Code>, Text),
    No(Option<Code>, Text),
    Bye(Option<Code>, Text),
}

impl Reply {
    pub fn done() -> Self {
        Self::ok("Done", "完成")
    }

    pub fn ok(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::Ok(None, Text::new(en, zh))
    }

    pub fn no(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::No(None, Text::new(en, zh))
    }

    pub fn bye(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::Bye(None, Text::new(en, zh))
    }

    /// The octets with their CRLF.
    pub fn octets(&self, language: Language) -> Vec<u8> {
        let (word, code, text) = match self {
            Self::Ok(code, text) => ("OK", code, text),
            Self::No(code, text) => ("NO", code, text),
            Self::Bye(code, text) => ("BYE", code, text),
        };
        answer(word, code.as_ref(), language.of_text(text))
    }
}

/// Why a command does not come to its usual end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// This is the answer, and the session goes on.
    Reply(Reply),
    /// As above, and it counts: the line was no command in this state.
    Bad(Reply),
    /// This is the last answer.
    Bye(Reply),
    /// The connection is of no use any more.
    Gone(Error),
}

pub(crate) type Outcome = Result<Reply, Trouble>;

impl From<Error> for Trouble {
    /// The one place where an error of the house becomes an answer, and is logged.
    fn from(error: Error) -> Self {
        let code = match error.class {
            Class::NotFound => Some(Code::NonExistent),
            Class::Exists => Some(Code::AlreadyExists),
            Class::Conflict => Some(Code::Active),
            Class::Limit => Some(Code::QuotaMaxScripts),
            Class::OverQuota => Some(Code::QuotaMaxSize),
            Class::Invalid | Class::Forbidden | Class::Unauthenticated => None,
            Class::Full | Class::Damaged | Class::Unavailable => {
                tracing::error!(error = error.chain(), "a ManageSieve command failed");
                Some(Code::TryLater)
            }
        };
        Self::Reply(Reply::No(code, error.text))
    }
}

impl From<Wrong> for Trouble {
    fn from(wrong: Wrong) -> Self {
        if wrong.is_too_large() {
            return Self::Reply(Reply::No(Some(Code::QuotaMaxSize), Text::new(wrong.text, "内容过大")));
        }
        Self::Bad(Reply::no(wrong.text, "命令格式错误"))
    }
}
