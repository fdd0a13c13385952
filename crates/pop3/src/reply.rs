//! Answers, and how errors become them.

use std::borrow::Cow;

use anser_base::{Class, Error, Language, Text};

/// A response code of `-ERR` (RFC 2449 §8, RFC 3206).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    None,
    /// The credentials are the problem.
    Auth,
    /// The server is, and later may work.
    SysTemp,
    /// The server is, and somebody must do something.
    SysPerm,
    /// Another session has the maildrop.
    InUse,
    /// Too early to try again.
    LoginDelay,
}

impl Code {
    fn words(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Auth => "[AUTH] ",
            Self::SysTemp => "[SYS/TEMP] ",
            Self::SysPerm => "[SYS/PERM] ",
            Self::InUse => "[IN-USE] ",
            Self::LoginDelay => "[LOGIN-DELAY] ",
        }
    }

    /// What a class of errors means to a client.
    pub fn of(class: Class) -> Self {
        match class {
            Class::Damaged => Self::SysPerm,
            class if class.is_temporary() => Self::SysTemp,
            _ => Self::None,
        }
    }
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Ok(Text),
    /// `+OK` with a text that programs read.
    Exact(String),
    Err(Code, Text),
    /// The command wrote its answer itself.
    Written,
}

impl Reply {
    pub fn ok(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::Ok(Text::new(en, zh))
    }

    pub fn err(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::Err(Code::None, Text::new(en, zh))
    }

    pub fn coded(code: Code, en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::Err(code, Text::new(en, zh))
    }

    /// The line with its CRLF; empty for [`Reply::Written`].
    pub fn line(&self, language: Language) -> String {
        match self {
            Self::Ok(text) => format!("+OK {}\r\n", language.of_text(text)),
            Self::Exact(text) => format!("+OK {text}\r\n"),
            Self::Err(code, text) => format!("-ERR {}{}\r\n", code.words(), language.of_text(text)),
            Self::Written => String::new(),
        }
    }
}

/// Why a command does not come to its usual end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// This is the answer, and the session goes on.
    Reply(Reply),
    /// As above, and it counts: the line was no command in this state.
    Bad(Reply),
    /// This is the last answer. Nothing is removed.
    Bye(Reply),
    /// The client was silent for too long, or lost its maildrop so: RFC 1939 §3 wants the connection closed without a word.
    Silent,
    /// The connection is of no use any more.
    Gone(Error),
}

pub(crate) type Outcome = Result<Reply, Trouble>;

impl From<Reply> for Trouble {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl From<Error> for Trouble {
    /// The one place where an error of the house becomes an answer, and is logged.
    fn from(error: Error) -> Self {
        if error.class.is_temporary() {
            tracing::error!(error = error.chain(), "a POP3 command failed");
        }
        Self::Reply(Reply::Err(Code::of(error.class), error.text))
    }
}
