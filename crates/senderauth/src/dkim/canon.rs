//! Canonicalization (RFC 6376 §3.4): headers at once, bodies as they pass by.

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes that gather before they are hashed.
const BATCH: usize = 8 * 1024;

/// The two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Canon {
    /// Nearly nothing may change (RFC 6376 §3.4.1, §3.4.3).
    Simple,
    /// White space and the case of names may (RFC 6376 §3.4.2, §3.4.4).
    Relaxed,
}

impl Canon {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// Appends one header field, its last line break included.
    pub(crate) fn field(self, raw: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Simple => out.extend_from_slice(raw),
            Self::Relaxed => relaxed_field(raw, out),
        }
    }
}

fn relaxed_field(raw: &[u8], out: &mut Vec<u8>) {
    let colon = memchr::memchr(b':', raw).unwrap_or(raw.len());
    out.extend(raw[..colon].trim_ascii_end().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let (start, mut space) = (out.len(), false);
    for &byte in raw.get(colon + 1..).unwrap_or_default() {
        match byte {
            b'\r' | b'\n' => {}
            b' ' | b'\t' => space = true,
            byte => {
                if std::mem::take(&mut space) && out.len() > start {
                    out.push(b' ');
                }
                out.push(byte);
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The hash of a body and how long its canonical form is.
#[derive(Clone, Debug)]
pub struct BodyHash {
    /// The way it was hashed.
    pub canon: Canon,
    /// SHA-256.
    pub sha256: Vec<u8>,
    /// Bytes of the canonical form, for `l=`.
    pub length: u64,
}

/// A body that is passing by.
pub struct Body {
    canon: Canon,
    context: Context,
    out: Vec<u8>,
    length: u64,
    /// Line breaks that are not yet known to be followed by text.
    breaks: u64,
    /// White space that is not yet known to be followed by text of the same line.
    space: bool,
    /// A CR that is not yet known to be followed by a LF.
    cr: bool,
}

impl Body {
    /// Nothing came yet.
    pub fn new(canon: Canon) -> Self {
        let (context, out) = (Context::new(&SHA256), Vec::with_capacity(BATCH + 64));
        Self { canon, context, out, length: 0, breaks: 0, space: false, cr: false }
    }

    pub(crate) fn canon(&self) -> Canon {
        self.canon
    }

    /// Takes the next octets. Only CR LF ends a line.
    pub fn push(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !rest.is_empty() {
            rest = self.step(rest);
            if self.out.len() >= BATCH {
                self.flush();
            }
        }
    }

    /// Takes one special octet or a run of plain ones.
    fn step<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let first = rest[0];
        if std::mem::take(&mut self.cr) {
            if first == b'\n' {
                self.breaks += 1;
                self.space = false;
                return &rest[1..];
            }
            self.text(b"\r");
        }
        match first {
            b'\r' => {
                self.cr = true;
                &rest[1..]
            }
            b' ' | b'\t' if self.canon == Canon::Relaxed => {
                self.space = true;
                &rest[1..]
            }
            _ => {
                let most = &rest[..rest.len().min(BATCH)];
                let end = match self.canon {
                    Canon::Simple => memchr::memchr(b'\r', most),
                    Canon::Relaxed => memchr::memchr3(b'\r', b' ', b'\t', most),
                };
                let end = end.unwrap_or(most.len());
                self.text(&rest[..end]);
                &rest[end..]
            }
        }
    }

    fn text(&mut self, text: &[u8]) {
        while self.breaks > 0 {
            self.out.extend_from_slice(b"\r\n");
            self.breaks -= 1;
            if self.out.len() >= BATCH {
                self.flush();
            }
        }
        if std::mem::take(&mut self.space) {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(text);
    }

    fn flush(&mut self) {
        self.context.update(&self.out);
        self.length += self.out.len() as u64;
        self.out.clear();
    }

    /// The body is over: empty lines at its end go, and its last line is ended (RFC 6376 §3.4.3, §3.4.4).
    pub fn finish(mut self) -> BodyHash {
        if self.cr {
            self.text(b"\r");
        }
        let empty = self.length == 0 && self.out.is_empty();
        // White space at the end of a last line without a line break; a line of nothing else is an empty one.
        if !empty || self.canon == Canon::Simple {
            self.out.extend_from_slice(b"\r\n");
        }
        self.flush();
        BodyHash { canon: self.canon, sha256: self.context.finish().as_ref().to_vec(), length: self.length }
    }
}
