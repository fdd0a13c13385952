//! Protocol dialogues as data: a file of lines that a client sends and a server must answer, played over real sockets. Knows no
//! protocol beyond lines that end in CR LF.
//!
//! | line | meaning |
//! |---|---|
//! | `# …`, blank | nothing |
//! | `C: text` | the client sends `text` and CR LF |
//! | `C> text` | the client sends exactly `text`; `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` stand for bytes |
//! | `S: pattern` | the server's next line matches |
//! | `S~ pattern` | the server's lines are passed over up to the first that matches |
//! | `S.` | the server closes the connection |
//! | `C2: …`, `S2: …` | the same on another connection, which is opened when it is first named |
//!
//! In every line `{{name}}` is a variable. In a pattern one that has no value yet takes the text that stands there (no white space, at
//! least one character); everywhere else its value is put in. `…` in a pattern is any text, also none. Bytes that are no UTF-8 show
//! as U+FFFD.
//!
//! ```
//! use anser_testkit::dialogue::Dialogue;
//! let dialogue = Dialogue::parse("greeting", "S: 220 …\nC: QUIT\nS: 221 {{words}}\nS.\n").unwrap();
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A server that says nothing for this long has failed.
const SILENCE: Duration = Duration::from_secs(20);
/// Longest line of a server, in bytes.
const LINE: u64 = 16 * 1024 * 1024;

/// A parsed dialogue.
#[derive(Clone, Debug)]
pub struct Dialogue {
    name: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    /// Line in the file, from 1.
    line: usize,
    connection: u32,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    Send { text: String, exact: bool },
    Expect { pattern: String, skip: bool },
    Closed,
}

/// The dialogue files of a folder, sorted by name.
///
/// # Panics
/// When there is no such folder or no file in it: a test that plays nothing must not pass.
pub fn dialogues_in(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty(), "no .{extension} file in {}", folder.display());
    files
}

impl Dialogue {
    /// Reads a dialogue file. The error names the line that is none.
    pub fn load(path: &Path) -> Result<Self, String> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&name, &text)
    }

    /// Reads a dialogue that is in memory.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let step =
                parse_step(at + 1, line).ok_or_else(|| format!("{name}:{}: not a dialogue line: {line}", at + 1))?;
            steps.push(step);
        }
        Ok(Self { name: name.to_owned(), steps })
    }

    /// The file's name without its extension: the sentence that it proves.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Plays it against the server at `address`. The error says what was expected and what came.
    pub fn play(&self, address: SocketAddr) -> Result<(), String> {
        self.play_with(address, &[])
    }

    /// [`Self::play`], with variables that have a value from the start.
    pub fn play_with(&self, address: SocketAddr, variables: &[(&str, &str)]) -> Result<(), String> {
        let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut player = Player { address, connections: BTreeMap::new(), variables };
        for step in &self.steps {
            player.step(step).map_err(|trouble| format!("{}:{}: {trouble}", self.name, step.line))?;
        }
        Ok(())
    }
}

fn parse_step(line: usize, text: &str) -> Option<Step> {
    let side = text.chars().next()?;
    let rest = &text[side.len_utf8()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let connection = if digits == 0 { 1 } else { rest[..digits].parse().ok()? };
    let kind = rest[digits..].chars().next()?;
    let body = &rest[digits + kind.len_utf8()..];
    let body = body.strip_prefix(' ').unwrap_or(body).to_owned();
    let act = match (side, kind) {
        ('C', ':') => Act::Send { text: body, exact: false },
        ('C', '>') => Act::Send { text: body, exact: true },
        ('S', ':') => Act::Expect { pattern: body, skip: false },
        ('S', '~') => Act::Expect { pattern: body, skip: true },
        ('S', '.') => Act::Closed,
        _ => return None,
    };
    Some(Step { line, connection, act })
}

struct Player {
    address: SocketAddr,
    connections: BTreeMap<u32, BufReader<TcpStream>>,
    variables: BTreeMap<String, String>,
}

impl Player {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match &step.act {
            Act::Send { text, exact } => {
                let bytes = outgoing(&self.filled(text), *exact)?;
                let link = self.link(step.connection)?;
                link.get_mut().write_all(&bytes).map_err(|error| format!("cannot send: {error}"))
            }
            Act::Expect { pattern, skip } => self.expect(step.connection, pattern, *skip),
            Act::Closed => match self.line(step.connection)? {
                None => Ok(()),
                Some(line) => Err(format!("expected the end of the connection, came: {line}")),
            },
        }
    }

    fn expect(&mut self, connection: u32, pattern: &str, skip: bool) -> Result<(), String> {
        let mut passed = Vec::new();
        loop {
            let Some(line) = self.line(connection)? else {
                return Err(format!("expected: {pattern}\n  the connection ended after: {passed:#?}"));
            };
            if let Some(found) = matches(&self.filled(pattern), &line) {
                self.variables.extend(found);
                return Ok(());
            }
            if !skip {
                return Err(format!("expected: {}\n  came:     {line}", self.filled(pattern)));
            }
            passed.push(line);
        }
    }

    fn link(&mut self, connection: u32) -> Result<&mut BufReader<TcpStream>, String> {
        if let std::collections::btree_map::Entry::Vacant(slot) = self.connections.entry(connection) {
            let open = || -> io::Result<TcpStream> {
                let tcp = TcpStream::connect(self.address)?;
                tcp.set_read_timeout(Some(SILENCE))?;
                tcp.set_nodelay(true)?;
                Ok(tcp)
            };
            slot.insert(BufReader::new(open().map_err(|error| format!("cannot connect: {error}"))?));
        }
        self.connections.get_mut(&connection).ok_or_else(|| "no connection".to_owned())
    }

    /// The next line without its CR LF; `None` at the end of the connection.
    fn line(&mut self, connection: u32) -> Result<Option<String>, String> {
        let mut raw = Vec::new();
        let link = self.link(connection)?;
        match io::Read::take(link, LINE).read_until(b'\n', &mut raw) {
            Ok(0) => Ok(None),
            Ok(_) => {
                let line = raw.strip_suffix(b"\n").unwrap_or(&raw);
                let line =
                    line.strip_suffix(b"\r").ok_or_else(|| format!("a line without CR LF: {:?}", lossy(&raw)))?;
                Ok(Some(lossy(line)))
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(format!("nothing came: {error}; so far {:?}", lossy(&raw))),
        }
    }

    /// The text with the variables that have a value.
    fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.variables {
            text = text.replace(&format!("{{{{{name}}}}}"), value);
        }
        text
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn outgoing(text: &str, exact: bool) -> Result<Vec<u8>, String> {
    if !exact {
        return Ok([text.as_bytes(), b"\r\n"].concat());
    }
    unescaped(text).ok_or_else(|| format!("bad escape in {text}"))
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.extend_from_slice(plain.as_bytes());
        let (byte, length) = match escape.as_bytes().first()? {
            b'r' => (b'\r', 1),
            b'n' => (b'\n', 1),
            b't' => (b'\t', 1),
            b'0' => (0, 1),
            b'\\' => (b'\\', 1),
            b'x' => (u8::from_str_radix(escape.get(1..3)?, 16).ok()?, 3),
            _ => return None,
        };
        out.push(byte);
        rest = &escape[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

/// The values that the pattern's variables take, or `None` when the line does not match.
fn matches(pattern: &str, line: &str) -> Option<Vec<(String, String)>> {
    if let Some(rest) = pattern.strip_prefix('…') {
        let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
        return ends.into_iter().find_map(|at| matches(rest, &line[at..]));
    }
    if let Some((name, rest)) = pattern.strip_prefix("{{").and_then(|rest| rest.split_once("}}")) {
        let word = line.find(char::is_whitespace).unwrap_or(line.len());
        let ends = line[..word].char_indices().map(|(at, c)| at + c.len_utf8());
        return ends.into_iter().find_map(|at| {
            let mut found = matches(rest, &line[at..])?;
            found.push((name.to_owned(), line[..at].to_owned()));
            Some(found)
        });
    }
    let end = pattern.find(['…', '{']).unwrap_or(pattern.len()).max(pattern.starts_with('{').into());
    let rest = line.strip_prefix(&pattern[..end])?;
    if end == pattern.len() { rest.is_empty().then(Vec::new) } else { matches(&pattern[end..], rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_and_take_values() {
        assert_eq!(matches("* OK …", "* OK ready"), Some(vec![]));
        assert_eq!(matches("a {3}", "a {3}"), Some(vec![]));
        assert_eq!(matches("a OK [X {{v}}] …", "a OK [X 17] done"), Some(vec![("v".into(), "17".into())]));
        assert_eq!(matches("…(b)…c", "a (b) c"), Some(vec![]));
        for (pattern, line) in [("a", "ab"), ("ab", "a"), ("{{v}}", ""), ("{{v}}x", "a x"), ("…b", "abc")] {
            assert_eq!(matches(pattern, line), None, "{pattern} {line}");
        }
    }

    #[test]
    fn lines_that_are_none_are_named() {
        let error = Dialogue::parse("x", "# fine\n\nC: a\nS2~ b\nwhat\n").unwrap_err();
        assert!(error.starts_with("x:5:"), "{error}");
        assert_eq!(unescaped(r"a\r\n\0\x80\\"), Some(b"a\r\n\0\x80\\".to_vec()));
    }
}
