//! One command line.

use super::{AUTH_LINE_MAX, COMMAND_LINE_MAX};
use crate::Secret;
use crate::sasl::decode_base64;

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

impl Command {
    /// Parses one line without its CRLF.
    ///
    /// Errors: the text of the `-ERR` to give; the session goes on (the caller counts errors).
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        let end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        let keyword = line[..end].to_ascii_uppercase();
        let limit = if keyword == b"AUTH" { AUTH_LINE_MAX } else { COMMAND_LINE_MAX };
        if line.len() + 2 > limit {
            return Err(CommandError { text: "Line too long" });
        }
        let argument = line.get(end + 1..).unwrap_or_default();
        if keyword == b"PASS" {
            return pass(argument);
        }
        let mut words = words(argument)?;
        let command = match keyword.as_slice() {
            b"USER" => Command::User(user(argument)?),
            b"APOP" => Command::Apop { name: words.wanted()?.to_owned(), digest: words.wanted()?.to_owned() },
            b"STAT" => Command::Stat,
            b"LIST" => Command::List(words.number()?),
            b"RETR" => Command::Retr(words.message()?),
            b"DELE" => Command::Dele(words.message()?),
            b"NOOP" => Command::Noop,
            b"RSET" => Command::Rset,
            b"QUIT" => Command::Quit,
            b"TOP" => Command::Top { message: words.message()?, lines: words.number()?.ok_or(WANTED)? },
            b"UIDL" => Command::Uidl(words.number()?),
            b"CAPA" => Command::Capa,
            b"STLS" => Command::Stls,
            b"AUTH" => {
                Command::Auth { mechanism: words.next().map(str::to_ascii_uppercase), initial: initial(words.next())? }
            }
            b"UTF8" => Command::Utf8,
            b"LANG" => Command::Lang(words.next().map(str::to_owned)),
            _ => return unknown(&keyword),
        };
        let rest = if matches!(command, Command::User(_)) { None } else { words.next() };
        if rest.is_some() { Err(CommandError { text: "Too many arguments" }) } else { Ok(command) }
    }
}

const WANTED: CommandError = CommandError { text: "An argument is wanted" };

/// The words of an argument.
struct Words<'a>(std::str::Split<'a, char>);

fn words(argument: &[u8]) -> Result<Words<'_>, CommandError> {
    let text = std::str::from_utf8(argument).map_err(|_| CommandError { text: "Command is not UTF-8" })?;
    if text.chars().any(char::is_control) {
        return Err(CommandError { text: "Control character in command" });
    }
    Ok(Words(text.split(' ')))
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.0.by_ref().find(|word| !word.is_empty())
    }

    fn wanted(&mut self) -> Result<&'a str, CommandError> {
        self.next().ok_or(WANTED)
    }

    fn number(&mut self) -> Result<Option<u32>, CommandError> {
        self.next().map(number).transpose()
    }

    /// Messages are counted from 1; 0 is left to the caller, who has no such message.
    fn message(&mut self) -> Result<u32, CommandError> {
        number(self.wanted()?)
    }
}

fn number(word: &str) -> Result<u32, CommandError> {
    let digits = word.bytes().all(|b| b.is_ascii_digit());
    word.parse().ok().filter(|_| digits).ok_or(CommandError { text: "A number is wanted" })
}

/// The name may hold spaces: some users have them.
fn user(argument: &[u8]) -> Result<String, CommandError> {
    match std::str::from_utf8(argument).map(|text| text.trim_matches(' ')) {
        Ok("") | Err(_) => Err(WANTED),
        Ok(name) => Ok(name.to_owned()),
    }
}

fn pass(argument: &[u8]) -> Result<Command, CommandError> {
    if argument.is_empty() {
        return Err(WANTED);
    }
    if argument.iter().any(|b| matches!(b, 0 | b'\r' | b'\n')) {
        return Err(CommandError { text: "Control character in command" });
    }
    Ok(Command::Pass(Secret::new(argument)))
}

fn initial(word: Option<&str>) -> Result<Option<Secret>, CommandError> {
    match word {
        None => Ok(None),
        Some("=") => Ok(Some(Secret::new([]))),
        Some(word) => match decode_base64(word.as_bytes()) {
            Ok(octets) => Ok(Some(Secret::new(octets))),
            Err(_) => Err(CommandError { text: "Cannot decode base64" }),
        },
    }
}

fn unknown(keyword: &[u8]) -> Result<Command, CommandError> {
    match std::str::from_utf8(keyword) {
        Ok(text) if !text.is_empty() && keyword.iter().all(u8::is_ascii_graphic) => {
            Ok(Command::Unknown(text.to_owned()))
        }
        _ => Err(CommandError { text: "Bad command" }),
    }
}
