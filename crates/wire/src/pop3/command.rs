//! One command line.

use crate::Secret;

/// A command of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// USER
    User(String),
    /// PASS with everything behind its one space, spaces included (RFC 1939 §7).
    Pass(Secret),
    /// APOP: recognised so that the refusal can be exact.
    Apop {
        /// The mailbox name.
        name: String,
        /// The digest as sent.
        digest: String,
    },
    /// STAT
    Stat,
    /// LIST, of one message or of all.
    List(Option<u32>),
    /// RETR
    Retr(u32),
    /// DELE
    Dele(u32),
    /// NOOP
    Noop,
    /// RSET
    Rset,
    /// QUIT
    Quit,
    /// TOP
    Top {
        /// Message number.
        message: u32,
        /// Body lines wanted behind the header.
        lines: u32,
    },
    /// UIDL, of one message or of all.
    Uidl(Option<u32>),
    /// CAPA
    Capa,
    /// STLS. The caller drops whatever was read behind this line.
    Stls,
    /// AUTH; without a mechanism old clients ask for the list.
    Auth {
        /// The mechanism in upper case.
        mechanism: Option<String>,
        /// The initial response after base64 decoding; `=` gives an empty one.
        initial: Option<Secret>,
    },
    /// UTF8 (RFC 6856 §2.1).
    Utf8,
    /// LANG with its tag (RFC 6856 §3).
    Lang(Option<String>),
    /// A keyword that is none of these, in upper case.
    Unknown(String),
}

/// A line that is no command: answer `-ERR` with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandError {
    /// What to tell the peer.
    pub text: &'static str,
}
