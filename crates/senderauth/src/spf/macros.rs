//! Macro strings (RFC 7208 §7): checked when the record is read, expanded when it is run.

use std::net::IpAddr;

use crate::dns::{NAME, dotted};

/// Longest expansion of an explanation, in bytes.
const EXPLANATION: usize = 1_000;

/// A macro string that obeys the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroString(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `%%`, `%_`, `%-`.
    Escape(&'static str),
    Macro(Macro),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Macro {
    /// In lower case.
    letter: u8,
    /// An upper-case letter: the value is URL-escaped.
    escape: bool,
    /// Right-hand labels that stay; all when it is `None`.
    keep: Option<usize>,
    reverse: bool,
    /// Characters that separate; a dot when it is empty.
    delimiters: String,
}

/// What macros stand for.
pub struct Values<'a> {
    /// The local part of the sender.
    pub local: &'a str,
    /// The domain of the sender.
    pub sender_domain: &'a str,
    /// The domain whose record is run.
    pub domain: &'a str,
    /// The peer.
    pub ip: IpAddr,
    /// The validated name of the peer; `unknown` when there is none.
    pub name: &'a str,
    /// What the peer called itself.
    pub helo: &'a str,
    /// The name of this server.
    pub receiver: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

impl MacroString {
    /// Reads a macro string; `explanation` allows spaces and the letters c, r and t (RFC 7208 §7.2). `None` when it breaks the grammar.
    pub fn parse(text: &str, explanation: bool) -> Option<Self> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let end = rest.find('%').unwrap_or(rest.len());
            if end > 0 {
                let literal = &rest[..end];
                let fits = |byte: u8| byte.is_ascii_graphic() || (explanation && byte == b' ');
                if !literal.bytes().all(fits) {
                    return None;
                }
                parts.push(Part::Text(literal.to_owned()));
                rest = &rest[end..];
                continue;
            }
            let (part, length) = match rest.as_bytes().get(1)? {
                b'%' => (Part::Escape("%"), 2),
                b'_' => (Part::Escape(" "), 2),
                b'-' => (Part::Escape("%20"), 2),
                b'{' => {
                    let close = rest.find('}')?;
                    (Part::Macro(Macro::parse(&rest[2..close], explanation)?), close + 1)
                }
                _ => return None,
            };
            parts.push(part);
            rest = &rest[length..];
        }
        Some(Self(parts))
    }

    /// Reads a domain specification: a macro string that ends in a top label or a macro (RFC 7208 §7.1).
    pub fn parse_domain(text: &str) -> Option<Self> {
        let parsed = Self::parse(text, false)?;
        let ends_well = match parsed.0.last()? {
            Part::Text(text) => {
                let text = text.strip_suffix('.').unwrap_or(text);
                text.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label))
            }
            _ => true,
        };
        ends_well.then_some(parsed)
    }

    /// Whether expanding needs the validated name of the peer.
    pub fn needs_name(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Macro(one) if one.letter == b'p'))
    }

    /// The domain that it stands for; too long a one loses labels on the left (RFC 7208 §7.3).
    pub fn domain(&self, values: &Values<'_>) -> String {
        let mut name = self.expand(values, usize::MAX);
        if name.ends_with('.') {
            name.pop();
        }
        while name.len() > NAME {
            match name.find('.') {
                Some(dot) => drop(name.drain(..=dot)),
                None => break,
            }
        }
        name
    }

    /// The text that it stands for, cut at 1,000 bytes.
    pub fn explanation(&self, values: &Values<'_>) -> String {
        self.expand(values, EXPLANATION)
    }

    /// A record is at most [`crate::dns::TXT`] bytes and a value a few hundred, so that an expansion is bounded by their product.
    fn expand(&self, values: &Values<'_>, most: usize) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Escape(text) => out.push_str(text),
                Part::Macro(one) => out.push_str(&one.expand(values)),
            }
            if out.len() > most {
                out.truncate((0..=most).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0));
                break;
            }
        }
        out
    }
}

impl Macro {
    fn parse(text: &str, explanation: bool) -> Option<Self> {
        let (&first, rest) = text.as_bytes().split_first()?;
        let letter = first.to_ascii_lowercase();
        let known = b"slodiphv".contains(&letter) || (explanation && b"crt".contains(&letter));
        if !known {
            return None;
        }
        let rest = str::from_utf8(rest).ok()?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let keep = match &rest[..digits] {
            "" => None,
            // More digits than any name has labels mean all of them.
            text if text.bytes().all(|digit| digit == b'0') => return None,
            text => Some(text.parse().unwrap_or(usize::MAX)),
        };
        let rest = &rest[digits..];
        let (reverse, delimiters) = match rest.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let fine = delimiters.chars().all(|c| ".-+,/_=".contains(c));
        fine.then(|| Self {
            letter,
            escape: first.is_ascii_uppercase(),
            keep,
            reverse,
            delimiters: delimiters.to_owned(),
        })
    }

    fn expand(&self, values: &Values<'_>) -> String {
        let value = match self.letter {
            b's' => format!("{}@{}", values.local, values.sender_domain),
            b'l' => values.local.to_owned(),
            b'o' => values.sender_domain.to_owned(),
            b'd' => values.domain.to_owned(),
            b'i' => dotted(values.ip),
            b'p' => values.name.to_owned(),
            b'v' => if values.ip.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            b'h' => values.helo.to_owned(),
            b'c' => values.ip.to_string(),
            b'r' => values.receiver.to_owned(),
            _ => values.now.to_string(),
        };
        let value = self.transform(value);
        if self.escape { escaped(&value) } else { value }
    }

    fn transform(&self, value: String) -> String {
        if self.keep.is_none() && !self.reverse && self.delimiters.is_empty() {
            return value;
        }
        let separates = |c: char| if self.delimiters.is_empty() { c == '.' } else { self.delimiters.contains(c) };
        let mut labels: Vec<&str> = value.split(separates).collect();
        if self.reverse {
            labels.reverse();
        }
        let from = labels.len().saturating_sub(self.keep.unwrap_or(usize::MAX));
        labels[from..].join(".")
    }
}

/// URL escapes for all but unreserved characters (RFC 7208 §7.3, RFC 3986 §2.3).
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            byte if byte.is_ascii_alphanumeric() => out.push(byte as char),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// `toplabel`: letters, digits and inner hyphens, not only digits (RFC 7208 §7.1).
fn is_top_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.bytes().all(|byte| byte.is_ascii_digit())
}
