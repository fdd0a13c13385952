//! `cyrus.header`: what a folder is called, where that is not told by its directory, and the names of its keywords.
//!
//! Up to 3.4: lines of text behind the magic, the second of which names keywords, an empty name where one is gone. From 3.6: one list of
//! keys and values, `%(T e N user.ann U (Work NIL))`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What the file begins with.
const MAGIC: &[u8] = b"\xa1\x02\x8b\x0dCyrus mailbox header\n\
    \"The best thing about this system was that it had lots of goals.\"\n\t--Jim Morris on Andrew\n";
/// Largest file that is read, in bytes.
const BYTES: u64 = 1024 * 1024;
/// Keywords of one folder.
const KEYWORDS: usize = 128;
/// Lists within lists.
const DEPTH: usize = 16;

/// What is known of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Its internal name, such as `user.ann.Sent`.
    pub name: Option<Vec<u8>>,
    /// Whether it holds something else than mail: events, contacts.
    pub is_other: bool,
    /// Keywords by their bits; empty where there is none.
    pub keywords: Vec<String>,
}

/// Reads one; `None` when it is not there, or none.
pub fn read(dir: &Path) -> Option<Header> {
    let path = dir.join("cyrus.header");
    if !std::fs::symlink_metadata(&path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let whole = |file: File| -> io::Result<usize> { file.take(BYTES).read_to_end(&mut bytes) };
    File::open(path).and_then(whole).ok()?;
    parse(&bytes)
}

/// From its bytes; `None` when they are none.
pub fn parse(bytes: &[u8]) -> Option<Header> {
    let text = bytes.strip_prefix(MAGIC)?;
    if text.starts_with(b"%(") {
        return Some(listed(&mut Words { text }));
    }
    let names = text.split(|&b| b == b'\n').nth(1)?;
    let names = if names.is_empty() { Vec::new() } else { names.split(|&b| b == b' ').map(word).collect() };
    Some(Header { keywords: bounded(names), ..Header::default() })
}

fn word(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn bounded(mut names: Vec<String>) -> Vec<String> {
    names.truncate(KEYWORDS);
    names
}

/// A list of keys and values.
fn listed(words: &mut Words<'_>) -> Header {
    let mut header = Header::default();
    words.next();
    while let Some(Word::Atom(key)) = words.next() {
        let value = words.value(DEPTH);
        match (&key[..], value) {
            (b"N", Some(Value::One(name))) => header.name = Some(name),
            (b"T", Some(Value::One(kind))) => header.is_other = !kind.contains(&b'e'),
            (b"U", Some(Value::All(names))) => {
                let name = |name: &Option<Vec<u8>>| name.as_deref().map(word).unwrap_or_default();
                header.keywords = bounded(names.iter().map(name).collect());
            }
            (_, None) => break,
            _ => {}
        }
    }
    header
}

enum Word {
    Begin,
    End,
    Atom(Vec<u8>),
}

enum Value {
    One(Vec<u8>),
    Nothing,
    /// A list; `None` for what is no string within it.
    All(Vec<Option<Vec<u8>>>),
}

struct Words<'t> {
    text: &'t [u8],
}

impl Words<'_> {
    fn next(&mut self) -> Option<Word> {
        self.text = self.text.trim_ascii_start();
        let (first, rest) = self.text.split_first()?;
        match first {
            b'%' if rest.starts_with(b"(") => {
                self.text = &rest[1..];
                Some(Word::Begin)
            }
            b'(' | b')' => {
                self.text = rest;
                Some(if *first == b'(' { Word::Begin } else { Word::End })
            }
            b'"' => self.quoted(),
            b'{' => self.literal(),
            _ => {
                let end = self.text.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'(' | b')'));
                let (atom, rest) = self.text.split_at(end.unwrap_or(self.text.len()));
                self.text = rest;
                Some(Word::Atom(atom.to_vec()))
            }
        }
    }

    fn quoted(&mut self) -> Option<Word> {
        let (mut out, mut at) = (Vec::new(), 1);
        loop {
            match *self.text.get(at)? {
                b'"' => break,
                b'\\' => {
                    out.push(*self.text.get(at + 1)?);
                    at += 1;
                }
                octet => out.push(octet),
            }
            at += 1;
        }
        self.text = &self.text[at + 1..];
        Some(Word::Atom(out))
    }

    /// `{5+}`, CRLF, five octets.
    fn literal(&mut self) -> Option<Word> {
        let end = self.text.iter().position(|&b| b == b'}')?;
        let count = std::str::from_utf8(&self.text[1..end]).ok()?.trim_end_matches('+').parse::<usize>().ok()?;
        let behind = self.text[end + 1..].strip_prefix(b"\r\n")?;
        let octets = behind.get(..count)?.to_vec();
        self.text = &behind[count..];
        Some(Word::Atom(octets))
    }

    /// The next value; `None` at the end, or where lists lie too deep.
    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.next()? {
            Word::End => None,
            Word::Atom(atom) if atom == b"NIL" => Some(Value::Nothing),
            Word::Atom(atom) => Some(Value::One(atom)),
            Word::Begin => {
                let mut all = Vec::new();
                let depth = depth.checked_sub(1)?;
                while !self.text.trim_ascii_start().starts_with(b")") {
                    all.push(match self.value(depth)? {
                        Value::One(one) => Some(one),
                        Value::Nothing | Value::All(_) => None,
                    });
                }
                self.next();
                Some(Value::All(all))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Option<Header> {
        parse(&[MAGIC, text.as_bytes()].concat())
    }

    #[test]
    fn headers_of_both_kinds_name_keywords_by_their_bits() {
        let header = of("user.ann\t2a4b\n$Forwarded  NonJunk \nann\tlrswipkxtecda\t\n").unwrap();
        assert_eq!(header.keywords, ["$Forwarded", "", "NonJunk", ""]);
        let header =
            of("%(T el N \"user.ann.a \\\" b\" I abc A %(ann lrs bob \"\") U ($Forwarded NIL NonJunk))\n").unwrap();
        assert_eq!(header.name.as_deref(), Some(&b"user.ann.a \" b"[..]));
        assert_eq!(
            (header.is_other, &*header.keywords),
            (false, &["$Forwarded".into(), String::new(), "NonJunk".into()][..])
        );
        assert!(of("%(T c N user.ann.#calendars)\n").unwrap().is_other);
        assert_eq!(of("%(N {3+}\r\na)b T e)\n").unwrap().name.as_deref(), Some(&b"a)b"[..]));
        assert_eq!(of("\t2a4b\n\n\n").unwrap(), Header::default());
        assert_eq!(parse(b"%(N a)"), None);
    }

    proptest! {
        #[test]
        fn whatever_it_says_it_is_read_to_an_end(text in "[%() \"{}+0-9A-Za-z\\\\\r\n]{0,200}") {
            let _ = of(&text);
            let _ = of(&format!("%({text}"));
            let _ = of(&format!("%(U {}", "(".repeat(text.len())));
        }
    }
}
