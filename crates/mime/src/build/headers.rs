//! Header fields: encoded, folded, and never more than one field for one value.

use crate::date::{self, DateTime};
use crate::encoding::encode_base64;
use crate::header::is_name;

/// Columns of a folded line (RFC 5322 §2.1.1); a line with encoded words has 76 (RFC 2047 §2).
const MAX_COLUMNS: usize = 76;

/// Characters of a word that is still written as it is; longer ones are encoded, to be folded.
const MAX_WORD: usize = 900;

/// Characters of one piece of a parameter's value.
const MAX_PIECE: usize = 48;

/// Bytes of text in one encoded word: with its frame it has 72 characters.
const MAX_ENCODED: usize = 45;

/// Header fields in the order they were added, each ending with CRLF. Control characters in values become spaces; a
/// field whose name is no field name is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    bytes: Vec<u8>,
}

/// Who is written to or from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mailbox<'a> {
    /// Name for people; empty for none.
    pub name: &'a str,
    /// `local@domain`.
    pub email: &'a str,
}

impl Headers {
    /// No fields.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// Adds an unstructured field (`Subject`, `Comments`): text outside of US-ASCII becomes encoded words (RFC 2047).
    pub fn text(self, name: &str, value: &str) -> Headers {
        let value = clean(value);
        self.field(name, phrase_words(&value, |text| text.to_owned()))
    }

    /// Adds a structured field as it is, folded at its spaces: the caller has its syntax right.
    pub fn structured(self, name: &str, value: &str) -> Headers {
        let value = clean(value);
        self.field(name, value.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// Adds an address field; names are quoted or encoded as needed. Left out when there are no mailboxes.
    pub fn addresses(self, name: &str, mailboxes: &[Mailbox<'_>]) -> Headers {
        let mut words = Vec::new();
        for (at, mailbox) in mailboxes.iter().enumerate() {
            words.extend(mailbox_words(mailbox));
            if at + 1 < mailboxes.len()
                && let Some(last) = words.last_mut()
            {
                last.push(',');
            }
        }
        if words.is_empty() { self } else { self.field(name, words) }
    }

    /// Adds an address field of groups (RFC 5322 §3.4); one without a name is the addresses alone. Left out when there are no groups.
    pub fn groups(self, name: &str, groups: &[(Option<&str>, Vec<Mailbox<'_>>)]) -> Headers {
        let mut words: Vec<String> = Vec::new();
        let begin = |words: &mut Vec<String>| words.last_mut().into_iter().for_each(|last| last.push(','));
        for (group, mailboxes) in groups {
            let Some(group) = group else {
                for mailbox in mailboxes {
                    begin(&mut words);
                    words.extend(mailbox_words(mailbox));
                }
                continue;
            };
            begin(&mut words);
            words.extend(name_words(group));
            words.last_mut().into_iter().for_each(|last| last.push(':'));
            for (at, mailbox) in mailboxes.iter().enumerate() {
                if let Some(last) = words.last_mut().filter(|_| at > 0) {
                    last.push(',');
                }
                words.extend(mailbox_words(mailbox));
            }
            words.last_mut().into_iter().for_each(|last| last.push(';'));
        }
        if words.is_empty() { self } else { self.field(name, words) }
    }

    /// Adds a structured field with parameters, whose values may hold any text (RFC 2231).
    pub fn parameterised(self, name: &str, value: &str, parameters: &[(&str, &str)]) -> Headers {
        let mut words = vec![clean(value)];
        for (name, value) in parameters {
            for word in parameter(name, value) {
                words.last_mut().into_iter().for_each(|last| last.push(';'));
                words.push(word);
            }
        }
        self.field(name, words)
    }

    /// Adds a date field (RFC 5322 §3.3).
    pub fn date(self, name: &str, date: DateTime) -> Headers {
        self.structured(name, &date::format_rfc5322(date))
    }

    /// The fields, without a blank line after them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fields, without a blank line after them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes words with a space or a fold between them.
    fn field(mut self, name: &str, words: Vec<String>) -> Headers {
        if !is_name(name.as_bytes()) {
            return self;
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(b':');
        let mut column = name.len() + 1;
        for word in words {
            if column + 1 + word.len() > MAX_COLUMNS && column > 1 {
                self.bytes.extend_from_slice(b"\r\n");
                column = 0;
            }
            self.bytes.push(b' ');
            self.bytes.extend_from_slice(word.as_bytes());
            column += 1 + word.len();
        }
        self.bytes.extend_from_slice(b"\r\n");
        self
    }
}

/// A parameter of a structured field: quoted, or in extended form when it is not US-ASCII or long, in pieces when it would not fit
/// into a line (RFC 2231 §3, §4).
fn parameter(name: &str, value: &str) -> Vec<String> {
    let value = clean(value);
    if value.is_ascii() && value.len() <= MAX_COLUMNS {
        return vec![format!("{name}={}", quoted(&value))];
    }
    let mut pieces = vec![String::new()];
    for escaped in value.bytes().map(percent) {
        match pieces.last_mut() {
            Some(last) if last.len() + escaped.len() <= MAX_PIECE => last.push_str(&escaped),
            _ => pieces.push(escaped),
        }
    }
    if let [whole] = &pieces[..] {
        return vec![format!("{name}*=utf-8''{whole}")];
    }
    let charset = |at| if at == 0 { "utf-8''" } else { "" };
    pieces.iter().enumerate().map(|(at, piece)| format!("{name}*{at}*={}{piece}", charset(at))).collect()
}

fn percent(byte: u8) -> String {
    let is_plain = byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if is_plain { (byte as char).to_string() } else { format!("%{byte:02X}") }
}

/// One line without control characters, trimmed.
fn clean(value: &str) -> String {
    let text: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

/// The words of a text: encoded words, or what `plain` makes of it, split at spaces.
fn phrase_words(text: &str, plain: impl Fn(&str) -> String) -> Vec<String> {
    let is_plain = text.is_ascii() && !text.contains("=?") && text.split(' ').all(|word| word.len() <= MAX_WORD);
    if is_plain { plain(text).split(' ').map(str::to_owned).collect() } else { encoded_words(text) }
}

fn encoded_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = text.len().min(start + MAX_ENCODED);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        words.push(format!("=?utf-8?B?{}?=", encode_base64(&text.as_bytes()[start..end])));
        start = end;
    }
    words
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn mailbox_words(mailbox: &Mailbox<'_>) -> Vec<String> {
    let email = email_text(mailbox.email);
    let name = clean(mailbox.name);
    if name.is_empty() {
        return vec![email];
    }
    let mut words = name_words(&name);
    words.push(format!("<{email}>"));
    words
}

/// An address without what would end it; a local part that is no dot-atom is quoted (RFC 5322 §3.4.1).
fn email_text(email: &str) -> String {
    let email: String = email.chars().filter(|c| !c.is_control()).collect();
    let (local, domain) = match email.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (email.as_str(), None),
    };
    let is_atom = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let is_dot_atom = !local.is_empty() && local.chars().all(is_atom) && local.split('.').all(|atom| !atom.is_empty());
    let local = if is_dot_atom { local.to_owned() } else { quoted(local) };
    match domain {
        Some(domain) => format!("{local}@{}", domain_text(domain)),
        None => local,
    }
}

/// A domain, or an address literal in brackets.
fn domain_text(domain: &str) -> String {
    let keep = |more: &str| domain.chars().filter(|c| c.is_alphanumeric() || more.contains(*c)).collect::<String>();
    if domain.starts_with('[') { format!("[{}]", keep("-.:")) } else { keep("-._") }
}

/// The words of a display name.
fn name_words(name: &str) -> Vec<String> {
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~ ".contains(c);
    let plain = |text: &str| if !text.is_empty() && text.chars().all(is_atom) { text.to_owned() } else { quoted(text) };
    phrase_words(&clean(name), plain)
}
