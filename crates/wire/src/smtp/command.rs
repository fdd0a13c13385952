//! One command line.

use super::parameters::{self, MailFrom, RcptTo};
use super::{AUTH_LINE_MAX, COMMAND_LINE_MAX, CommandError, DOMAIN_MAX};
use crate::Secret;
use crate::sasl::decode_base64;
use std::borrow::Cow;

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

impl Command {
    /// Parses one line without its CRLF. `smtputf8` says whether the transaction under way was begun with SMTPUTF8, so
    /// that RCPT may name an address in UTF-8; MAIL looks for its own parameter.
    ///
    /// Errors: the reply to give; the session goes on (the caller counts errors).
    pub fn parse(line: &[u8], smtputf8: bool) -> Result<Self, CommandError> {
        let verb_end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        let verb = line[..verb_end].to_ascii_uppercase();
        check_length(line, verb == b"AUTH")?;
        let lossy = matches!(verb.as_slice(), b"EHLO" | b"HELO" | b"LHLO");
        let text = checked_text(line, lossy)?;
        let (verb_text, argument) = text.split_at_checked(verb_end).unwrap_or((&text, ""));
        let argument = argument.trim_matches(' ');
        match verb.as_slice() {
            b"EHLO" => greeting(argument).map(Command::Ehlo),
            b"HELO" => greeting(argument).map(Command::Helo),
            b"LHLO" => greeting(argument).map(Command::Lhlo),
            b"MAIL" => MailFrom::parse(argument).map(Command::MailFrom),
            b"RCPT" => RcptTo::parse(argument, smtputf8).map(Command::RcptTo),
            b"DATA" => bare(Command::Data, argument),
            b"BDAT" => bdat(argument),
            b"RSET" => bare(Command::Rset, argument),
            b"NOOP" => Ok(Command::Noop),
            b"QUIT" => bare(Command::Quit, argument),
            b"VRFY" => Ok(Command::Vrfy(wanted(argument)?)),
            b"EXPN" => Ok(Command::Expn(wanted(argument)?)),
            b"HELP" => Ok(Command::Help(argument.to_owned())),
            b"STARTTLS" => bare(Command::StartTls, argument),
            b"AUTH" => auth(argument),
            _ => unknown(verb_text),
        }
    }
}

/// Reads a client's answer to a 334 challenge: base64, or `None` for the `*` by which it gives up (answer 501 5.7.0).
///
/// Errors: 501 5.5.2 for what is not base64, 500 5.5.6 for a line over [`AUTH_LINE_MAX`].
pub fn parse_auth_response(line: &[u8]) -> Result<Option<Secret>, CommandError> {
    check_length(line, true)?;
    match line {
        b"*" => Ok(None),
        _ => decode_base64(line).map(|octets| Some(Secret::new(octets))).map_err(|_| NOT_BASE64),
    }
}

const NOT_BASE64: CommandError = CommandError::new(501, (5, 5, 2), "Cannot decode base64");

fn check_length(line: &[u8], auth: bool) -> Result<(), CommandError> {
    match auth {
        true if line.len() + 2 > AUTH_LINE_MAX => Err(CommandError::new(500, (5, 5, 6), "Line too long")),
        false if line.len() + 2 > COMMAND_LINE_MAX => Err(CommandError::syntax("Line too long")),
        _ => Ok(()),
    }
}

/// The line as text. Control characters have no place in any command; a CR or LF here is an attempt to inject one.
/// A greeting may be in the charset of a user's computer, whose name it is; what is not UTF-8 in it is replaced.
fn checked_text(line: &[u8], greeting: bool) -> Result<Cow<'_, str>, CommandError> {
    if line.iter().any(u8::is_ascii_control) {
        return Err(CommandError::syntax("Control character in command"));
    }
    match String::from_utf8_lossy(line) {
        Cow::Owned(_) if !greeting => Err(CommandError::syntax("Command is not UTF-8")),
        text => Ok(text),
    }
}

/// The client's name. What it says is not judged here beyond being one word of printable text.
fn greeting(argument: &str) -> Result<String, CommandError> {
    if argument.is_empty() {
        return Err(CommandError::arguments("A host name is wanted"));
    }
    if argument.len() > DOMAIN_MAX || argument.contains([' ', '\t', '<', '>']) {
        return Err(CommandError::arguments("That is no host name"));
    }
    Ok(argument.to_owned())
}

fn bare(command: Command, argument: &str) -> Result<Command, CommandError> {
    if argument.is_empty() { Ok(command) } else { Err(CommandError::arguments("No argument is allowed")) }
}

fn wanted(argument: &str) -> Result<String, CommandError> {
    if argument.is_empty() { Err(CommandError::arguments("An argument is wanted")) } else { Ok(argument.to_owned()) }
}

fn bdat(argument: &str) -> Result<Command, CommandError> {
    let mut words = argument.split(' ').filter(|word| !word.is_empty());
    let size = words.next().and_then(parameters::number);
    let last = match words.next() {
        None => Some(false),
        Some(word) if word.eq_ignore_ascii_case("LAST") => Some(true),
        Some(_) => None,
    };
    match (size, last, words.next()) {
        (Some(size), Some(last), None) => Ok(Command::Bdat { size, last }),
        _ => Err(CommandError::arguments("BDAT wants a size and perhaps LAST")),
    }
}

fn auth(argument: &str) -> Result<Command, CommandError> {
    let mut words = argument.split(' ').filter(|word| !word.is_empty());
    let mechanism = words.next().ok_or(CommandError::arguments("A mechanism is wanted"))?.to_ascii_uppercase();
    let initial = match words.next() {
        None => None,
        Some("=") => Some(Secret::new([])),
        Some(word) => Some(Secret::new(decode_base64(word.as_bytes()).map_err(|_| NOT_BASE64)?)),
    };
    if words.next().is_some() {
        return Err(CommandError::arguments("AUTH wants a mechanism and perhaps one response"));
    }
    Ok(Command::Auth { mechanism, initial })
}

/// A verb of ASCII letters may be an extension; anything else is no command at all.
fn unknown(verb: &str) -> Result<Command, CommandError> {
    let good = !verb.is_empty() && verb.bytes().all(|b| b.is_ascii_graphic());
    if good { Ok(Command::Unknown(verb.to_ascii_uppercase())) } else { Err(CommandError::syntax("Bad command")) }
}
