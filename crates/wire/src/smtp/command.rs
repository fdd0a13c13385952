//! One command line.

use super::parameters::{MailFrom, RcptTo};
use crate::Secret;

/// A command of the client, parsed from one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// EHLO with the client's name or address literal, unverified.
    Ehlo(String),
    /// HELO
    Helo(String),
    /// LHLO (RFC 2033 §4.1).
    Lhlo(String),
    /// MAIL FROM
    MailFrom(MailFrom),
    /// RCPT TO
    RcptTo(RcptTo),
    /// DATA
    Data,
    /// BDAT (RFC 3030): the next `size` octets are message data, whatever the answer will be.
    Bdat {
        /// Octets that follow the line.
        size: u64,
        /// Whether this chunk ends the message.
        last: bool,
    },
    /// RSET
    Rset,
    /// NOOP
    Noop,
    /// QUIT
    Quit,
    /// VRFY with its argument.
    Vrfy(String),
    /// EXPN with its argument.
    Expn(String),
    /// HELP with its argument, empty if none.
    Help(String),
    /// STARTTLS (RFC 3207). The caller drops whatever was read behind this line.
    StartTls,
    /// AUTH (RFC 4954).
    Auth {
        /// The mechanism in upper case.
        mechanism: String,
        /// The initial response after base64 decoding; `=` gives an empty one.
        initial: Option<Secret>,
    },
    /// A verb that is none of these, in upper case: answer 500 5.5.1.
    Unknown(String),
}
