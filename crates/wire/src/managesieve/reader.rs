//! Commands as they come in.

use super::ARGUMENTS_MAX;
use crate::Secret;
use crate::sasl::decode_base64;

/// A command of the client (RFC 5804 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// AUTHENTICATE
    Authenticate {
        /// The mechanism in upper case.
        mechanism: String,
        /// The initial response, decoded.
        initial: Option<Secret>,
    },
    /// STARTTLS. The caller drops whatever was read behind this line.
    StartTls,
    /// LOGOUT
    Logout,
    /// CAPABILITY
    Capability,
    /// HAVESPACE with name and size.
    HaveSpace(String, u64),
    /// PUTSCRIPT with name and script.
    PutScript(String, Vec<u8>),
    /// LISTSCRIPTS
    ListScripts,
    /// SETACTIVE; an empty name is none.
    SetActive(String),
    /// GETSCRIPT
    GetScript(String),
    /// DELETESCRIPT
    DeleteScript(String),
    /// RENAMESCRIPT with the old and the new name.
    RenameScript(String, String),
    /// CHECKSCRIPT
    CheckScript(Vec<u8>),
    /// NOOP with its tag.
    Noop(Option<String>),
    /// UNAUTHENTICATE
    Unauthenticate,
    /// What the client says within an exchange of SASL: one string, decoded from base64; `None` for `*`.
    Response(Option<Secret>),
}

/// What makes a line no command: answer NO with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// What to tell the peer.
    pub text: &'static str,
}

/// What a command needs next.
#[derive(Debug, PartialEq, Eq)]
pub enum Need {
    /// Another line: the first, or what goes on behind a literal.
    Line,
    /// So many octets: hand them to [`CommandReader::literal`].
    Literal(u64),
    /// So many octets, to be thrown away; then a line, which says what the answer is.
    Skip(u64),
    /// Nothing.
    Done(Result<Command, Wrong>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Atom(String),
    Text(Vec<u8>),
    Number(u64),
}

/// Puts one command together.
#[derive(Debug, Default)]
pub struct CommandReader {
    words: Vec<Word>,
    wrong: Option<Wrong>,
    literal_max: u64,
    is_response: bool,
}

impl CommandReader {
    /// A reader of one command, whose literals have at most so many octets.
    pub fn new(literal_max: u64) -> Self {
        Self { literal_max, ..Self::default() }
    }

    /// A reader of one response within an exchange of SASL.
    pub fn of_response(literal_max: u64) -> Self {
        Self { literal_max, is_response: true, ..Self::default() }
    }

    /// Takes a line without its CRLF.
    pub fn line(&mut self, line: &[u8]) -> Need {
        match self.words_of(line) {
            Ok(Some(size)) if size > self.literal_max => {
                self.wrong = self.wrong.or(Some(Wrong { text: TOO_LARGE }));
                Need::Skip(size)
            }
            Ok(Some(size)) if self.wrong.is_some() => Need::Skip(size),
            Ok(Some(size)) => Need::Literal(size),
            Ok(None) => Need::Done(self.command()),
            Err(wrong) => Need::Done(Err(self.wrong.unwrap_or(wrong))),
        }
    }

    /// Takes the octets of the literal that was asked for.
    pub fn literal(&mut self, octets: Vec<u8>) -> Need {
        self.words.push(Word::Text(octets));
        Need::Line
    }

    /// Takes the words of a line; the size of the literal that it ends with.
    fn words_of(&mut self, mut rest: &[u8]) -> Result<Option<u64>, Wrong> {
        loop {
            rest = rest.trim_ascii_start();
            let Some(first) = rest.first() else { return Ok(None) };
            if self.words.len() > ARGUMENTS_MAX {
                return Err(Wrong { text: "Too many arguments" });
            }
            match first {
                b'"' => {
                    let (text, after) = quoted(&rest[1..])?;
                    self.words.push(Word::Text(text));
                    rest = after;
                }
                b'{' => return literal(rest).map(Some),
                _ => {
                    let end = rest.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(rest.len());
                    let word = std::str::from_utf8(&rest[..end]).map_err(|_| Wrong { text: "Not UTF-8" })?;
                    let is_number = word.bytes().all(|b| b.is_ascii_digit());
                    let word = match word.parse::<u32>() {
                        Ok(number) if is_number => Word::Number(number.into()),
                        Err(_) if is_number => return Err(Wrong { text: "A number is too large" }),
                        _ => Word::Atom(word.to_ascii_uppercase()),
                    };
                    self.words.push(word);
                    rest = &rest[end..];
                }
            }
        }
    }

    fn command(&mut self) -> Result<Command, Wrong> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let mut words = Words(std::mem::take(&mut self.words).into_iter());
        if self.is_response {
            let text = words.text()?;
            words.end()?;
            return if text == b"*" {
                Ok(Command::Response(None))
            } else {
                Ok(Command::Response(Some(base64(&text)?)))
            };
        }
        let name = match words.0.next() {
            Some(Word::Atom(name)) => name,
            None => return Err(Wrong { text: "Empty line" }),
            _ => return Err(UNKNOWN),
        };
        let command = match name.as_str() {
            "AUTHENTICATE" => Command::Authenticate {
                mechanism: words.name()?.to_ascii_uppercase(),
                initial: words.optional()?.map(|text| base64(&text)).transpose()?,
            },
            "STARTTLS" => Command::StartTls,
            "LOGOUT" => Command::Logout,
            "CAPABILITY" => Command::Capability,
            "HAVESPACE" => Command::HaveSpace(words.name()?, words.number()?),
            "PUTSCRIPT" => Command::PutScript(words.name()?, words.text()?),
            "LISTSCRIPTS" => Command::ListScripts,
            "SETACTIVE" => Command::SetActive(words.name()?),
            "GETSCRIPT" => Command::GetScript(words.name()?),
            "DELETESCRIPT" => Command::DeleteScript(words.name()?),
            "RENAMESCRIPT" => Command::RenameScript(words.name()?, words.name()?),
            "CHECKSCRIPT" => Command::CheckScript(words.text()?),
            "NOOP" => Command::Noop(words.optional()?.map(utf8).transpose()?),
            "UNAUTHENTICATE" => Command::Unauthenticate,
            _ => return Err(UNKNOWN),
        };
        words.end().map(|()| command)
    }
}

/// What is said of a literal that is over its limit.
pub(super) const TOO_LARGE: &str = "The literal is too large";
const UNKNOWN: Wrong = Wrong { text: "Unknown command" };
const STRING: Wrong = Wrong { text: "A string is expected" };

impl Wrong {
    /// Whether a literal was over its limit: for a script this is a matter of quota.
    pub fn is_too_large(self) -> bool {
        self.text == TOO_LARGE
    }
}

struct Words(std::vec::IntoIter<Word>);

impl Words {
    fn optional(&mut self) -> Result<Option<Vec<u8>>, Wrong> {
        match self.0.next() {
            None => Ok(None),
            Some(Word::Text(text)) => Ok(Some(text)),
            Some(_) => Err(STRING),
        }
    }

    fn text(&mut self) -> Result<Vec<u8>, Wrong> {
        self.optional()?.ok_or(Wrong { text: "An argument is missing" })
    }

    fn name(&mut self) -> Result<String, Wrong> {
        utf8(self.text()?)
    }

    fn number(&mut self) -> Result<u64, Wrong> {
        match self.0.next() {
            Some(Word::Number(number)) => Ok(number),
            _ => Err(Wrong { text: "A number is expected" }),
        }
    }

    fn end(&mut self) -> Result<(), Wrong> {
        if self.0.next().is_none() { Ok(()) } else { Err(Wrong { text: "Too many arguments" }) }
    }
}

fn utf8(text: Vec<u8>) -> Result<String, Wrong> {
    String::from_utf8(text).map_err(|_| Wrong { text: "Not UTF-8" })
}

fn base64(text: &[u8]) -> Result<Secret, Wrong> {
    decode_base64(text).map(Secret::new).map_err(|_| Wrong { text: "Not base64" })
}

/// A quoted string behind its first quote, and what stands behind it.
fn quoted(rest: &[u8]) -> Result<(Vec<u8>, &[u8]), Wrong> {
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'"' => {
                let after = &rest[at + 1..];
                let is_apart = after.first().is_none_or(u8::is_ascii_whitespace);
                return if is_apart { Ok((text, after)) } else { Err(Wrong { text: "A space is missing" }) };
            }
            b'\\' => {
                let Some(escaped @ (b'"' | b'\\')) = rest.get(at + 1) else {
                    return Err(Wrong { text: "A backslash stands before a quote or a backslash only" });
                };
                text.push(*escaped);
                at += 2;
            }
            0 | b'\r' => return Err(Wrong { text: "A quoted string has no NUL and no line break" }),
            other => {
                text.push(*other);
                at += 1;
            }
        }
    }
    Err(Wrong { text: "A quoted string has no end" })
}

/// The size of a literal at the end of a line: `{12+}` (RFC 5804 §4, `literal-c2s`).
fn literal(rest: &[u8]) -> Result<u64, Wrong> {
    let inner = rest.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"+}"));
    let digits = inner.and_then(|inner| std::str::from_utf8(inner).ok());
    let size = digits
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u32>().ok());
    size.map(u64::from).ok_or(Wrong { text: "A literal is {octets+} at the end of its line" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(parts: &[&[u8]]) -> Need {
        let mut reader = CommandReader::new(100);
        let mut parts = parts.iter();
        let mut need = Need::Line;
        loop {
            need = match need {
                Need::Line => reader.line(parts.next().unwrap()),
                Need::Literal(size) => {
                    let octets = parts.next().unwrap();
                    assert_eq!(octets.len() as u64, size);
                    reader.literal(octets.to_vec())
                }
                Need::Skip(_) => Need::Line,
                done => return done,
            };
        }
    }

    fn good(parts: &[&[u8]]) -> Command {
        match read(parts) {
            Need::Done(Ok(command)) => command,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commands_are_read() {
        assert_eq!(good(&[b"havespace \"a \\\"b\\\\\" 99"]), Command::HaveSpace("a \"b\\".into(), 99));
        assert_eq!(
            good(&[b"PutScript {3+}", "\u{6587}".as_bytes(), b" {5+}", b"keep;", b""]),
            Command::PutScript("\u{6587}".into(), b"keep;".to_vec())
        );
        assert_eq!(good(&[b"NOOP"]), Command::Noop(None));
        assert_eq!(good(&[b"NOOP \"x\""]), Command::Noop(Some("x".into())));
        let initial = Some(Secret::new(b"\0a\0b".to_vec()));
        assert_eq!(
            good(&[b"AUTHENTICATE \"plain\" \"AGEAYg==\""]),
            Command::Authenticate { mechanism: "PLAIN".into(), initial }
        );
    }

    #[test]
    fn what_is_no_command_is_said() {
        for (parts, text) in [
            (vec![&b"HELO"[..]], "Unknown command"),
            (vec![b""], "Empty line"),
            (vec![b"\"NOOP\""], "Unknown command"),
            (vec![b"GETSCRIPT"], "An argument is missing"),
            (vec![b"GETSCRIPT x"], "A string is expected"),
            (vec![b"GETSCRIPT \"x"], "A quoted string has no end"),
            (vec![b"GETSCRIPT \"x\"\"y\""], "A space is missing"),
            (vec![b"GETSCRIPT {1}"], "A literal is {octets+} at the end of its line"),
            (vec![b"HAVESPACE \"x\" 99999999999"], "A number is too large"),
            (vec![b"LOGOUT \"x\""], "Too many arguments"),
            (vec![b"PUTSCRIPT \"x\" {101+}", b""], "The literal is too large"),
            (vec![b"GETSCRIPT \"\xff\""], "Not UTF-8"),
            (vec![b"NOOP 1 2 3 4 5 6"], "Too many arguments"),
        ] {
            assert_eq!(read(&parts), Need::Done(Err(Wrong { text })));
        }
    }

    proptest! {
        #[test]
        fn any_line_is_answered(line in prop::collection::vec(any::<u8>(), 0..200)) {
            CommandReader::new(100).line(&line);
            CommandReader::of_response(100).line(&line);
        }

        #[test]
        fn a_string_that_was_written_is_read(name in "[^\r\n\0]{0,60}") {
            let mut line = b"GETSCRIPT ".to_vec();
            line.extend(super::super::string(name.as_bytes()));
            if line.contains(&b'"') {
                prop_assert_eq!(good(&[&line]), Command::GetScript(name));
            }
        }
    }
}
