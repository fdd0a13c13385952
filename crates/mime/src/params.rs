//! Structured values of `Content-Type` and `Content-Disposition` (RFC 2045 §5.1, RFC 2183, RFC 2231), quotes and
//! semicolons as people really write them.

use crate::charset;
use crate::text;

/// Parameters read of one field, RFC 2231 pieces counted one by one; what follows is not read.
pub const MAX_PARAMS: usize = 128;

/// Bytes of a type, subtype or parameter name; what is longer is cut.
const MAX_NAME: usize = 127;

/// Parameters of a structured field. Names are lower case; values are raw bytes without quotes. Continuations
/// (`name*0`, `name*1`) are joined (RFC 2231 §6 asks this of IMAP servers); a value in extended form keeps the star on
/// its name and its `charset'language'%XX` text, so that BODYSTRUCTURE can tell it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(pub Vec<(String, Vec<u8>)>);

impl Params {
    /// Raw value of the parameter called `name` (lower case, with `*` for an extended value).
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// Value of the parameter called `name` (lower case, without `*`) for people: the extended form when there is one
    /// (RFC 2231 §4), else the plain form with encoded words and unlabelled 8-bit text decoded.
    pub fn get(&self, name: &str) -> Option<String> {
        let extended = self.0.iter().find(|(known, _)| known.strip_suffix('*') == Some(name));
        match extended {
            Some((_, value)) => Some(decode_extended(value)),
            None => self.raw(name).map(text::decode_header),
        }
    }
}

/// Splits a `Content-Type` or `Content-Disposition` value, unfolded, into its first word in lower case (`text/plain`,
/// `attachment`) and its parameters. Never fails: what cannot be read is left out.
pub fn parse(value: &[u8]) -> (String, Params) {
    let mut scanner = Scanner { input: value, at: 0, utf8: std::str::from_utf8(value).is_ok() };
    let head = scanner.head();
    let mut pieces = Vec::new();
    while pieces.len() < MAX_PARAMS {
        match scanner.param() {
            Some(piece) => pieces.push(piece),
            None => break,
        }
    }
    (head, join(pieces))
}

/// One `name=value`, or one piece of it.
struct Piece {
    name: String,
    /// Position of a continuation: `name*3`.
    number: Option<u32>,
    /// `name*` or `name*3*`.
    extended: bool,
    value: Vec<u8>,
}

struct Scanner<'a> {
    input: &'a [u8],
    at: usize,
    utf8: bool,
}

impl Scanner<'_> {
    /// The word before the first `;`, without comments and white space.
    fn head(&mut self) -> String {
        let end = memchr::memchr3(b';', b'(', b'=', self.input).unwrap_or(self.input.len());
        self.at = end;
        if self.input.get(end) == Some(&b'=') {
            // No type at all, as in `charset=utf-8`: the word is a parameter.
            self.at = 0;
            return String::new();
        }
        lower_token(&self.input[..end])
    }

    fn param(&mut self) -> Option<Piece> {
        loop {
            self.skip_gaps();
            let rest = self.input.get(self.at..).filter(|rest| !rest.is_empty())?;
            let end = memchr::memchr2(b'=', b';', rest).unwrap_or(rest.len());
            let name = lower_token(&rest[..end]);
            self.at += end;
            if rest.get(end) == Some(&b'=') {
                self.at += 1;
                let value = self.value(&name);
                if !name.is_empty() {
                    return Some(piece(name, value));
                }
            }
        }
    }

    /// Passes semicolons, white space and comments.
    fn skip_gaps(&mut self) {
        while let Some(&byte) = self.input.get(self.at) {
            match byte {
                b'(' => {
                    let rest = &self.input[self.at..];
                    self.at += memchr::memchr2(b')', b';', rest).map_or(rest.len(), |end| end + 1);
                }
                b';' | b' ' | b'\t' | b'\r' | b'\n' | 0 => self.at += 1,
                _ => return,
            }
        }
    }

    fn value(&mut self, name: &str) -> Vec<u8> {
        let rest = &self.input[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
        if self.input.get(self.at) == Some(&b'"')
            && let Some(value) = self.quoted()
        {
            return value;
        }
        let rest = &self.input[self.at..];
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let mut value = rest[..end].trim_ascii();
        if !name.starts_with("name") && !name.starts_with("filename") {
            // Only file names are written with bare spaces; elsewhere a space means that a semicolon was forgotten.
            value = value.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
            let skipped = rest.len() - rest.trim_ascii_start().len();
            self.at += skipped + value.len();
        } else {
            self.at += end;
        }
        value.iter().copied().filter(|byte| *byte != b'"' && *byte != 0).collect()
    }

    /// A quoted string; `None` (nothing consumed) when it is not closed. A backslash escapes only quotes and itself, for
    /// people write Windows paths.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        let mut at = self.at + 1;
        loop {
            match *self.input.get(at)? {
                b'"' => break,
                b'\\' if matches!(self.input.get(at + 1), Some(b'"' | b'\\')) => {
                    value.push(self.input[at + 1]);
                    at += 1;
                }
                b'\r' | b'\n' | 0 => {}
                lead if !self.utf8 && lead > 0x80 && self.input.get(at + 1).is_some_and(|&trail| trail >= 0x40) => {
                    value.extend_from_slice(&self.input[at..at + 2]);
                    at += 1;
                }
                byte => value.push(byte),
            }
            at += 1;
        }
        self.at = at + 1;
        Some(value)
    }
}

fn lower_token(bytes: &[u8]) -> String {
    let graphic = bytes.iter().filter(|byte| byte.is_ascii_graphic() && **byte != b'"');
    graphic.take(MAX_NAME).map(|byte| byte.to_ascii_lowercase() as char).collect()
}

/// Takes the stars of RFC 2231 off a name.
fn piece(name: String, value: Vec<u8>) -> Piece {
    let (stem, extended) = match name.strip_suffix('*') {
        Some(stem) => (stem, true),
        None => (name.as_str(), false),
    };
    let (stem, number) = match stem.rsplit_once('*') {
        Some((base, digits)) => match digits.parse() {
            Ok(number) => (base, Some(number)),
            Err(_) => (stem, None),
        },
        None => (stem, None),
    };
    Piece { name: stem.to_owned(), number, extended, value }
}

/// Joins continuations and drops repeated names; the first one counts.
fn join(pieces: Vec<Piece>) -> Params {
    let mut params = Params::default();
    for at in 0..pieces.len() {
        let piece = &pieces[at];
        let joined = match piece.number {
            None => (starred(&piece.name, piece.extended), piece.value.clone()),
            Some(_) if pieces[..at].iter().any(|seen| seen.number.is_some() && seen.name == piece.name) => continue,
            Some(_) => continued(&pieces, &piece.name),
        };
        if params.raw(&joined.0).is_none() {
            params.0.push(joined);
        }
    }
    params
}

fn starred(name: &str, extended: bool) -> String {
    if extended { format!("{name}*") } else { name.to_owned() }
}

/// The numbered pieces of `name` in order, up to the first gap (RFC 2231 §3, §4.1).
fn continued(pieces: &[Piece], name: &str) -> (String, Vec<u8>) {
    let mut numbered: Vec<&Piece> = pieces.iter().filter(|p| p.number.is_some() && p.name == name).collect();
    numbered.sort_by_key(|piece| piece.number);
    numbered.dedup_by_key(|piece| piece.number);
    let first = numbered.first().and_then(|piece| piece.number).unwrap_or_default();
    let unbroken = numbered.iter().zip(first..).take_while(|(piece, number)| piece.number == Some(*number));
    let pieces: Vec<&Piece> = unbroken.map(|(piece, _)| *piece).collect();
    let has_charset = pieces.first().is_some_and(|piece| piece.extended);
    let mut value = Vec::new();
    for piece in pieces {
        match (has_charset, piece.extended) {
            (true, false) => percent_encode(&piece.value, &mut value),
            (false, true) => value.extend(percent_decode(&piece.value)),
            _ => value.extend_from_slice(&piece.value),
        }
    }
    (starred(name, has_charset), value)
}

fn percent_encode(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

fn percent_decode(bytes: &[u8]) -> Vec<u8> {
    let hex = |at: usize| bytes.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// `charset'language'text` with percent escapes; without the quotes the text alone.
fn decode_extended(value: &[u8]) -> String {
    let mut fields = value.splitn(3, |byte| *byte == b'\'');
    let (label, text) = match (fields.next(), fields.next(), fields.next()) {
        (Some(label), Some(_), Some(text)) => (std::str::from_utf8(label).ok(), text),
        _ => (None, value),
    };
    text::printable(charset::decode(label.filter(|label| !label.is_empty()), &percent_decode(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &[u8]) -> (String, Vec<(String, String)>) {
        let (head, params) = parse(value);
        (head, params.0.into_iter().map(|(n, v)| (n, String::from_utf8_lossy(&v).to_string())).collect())
    }

    fn expect(value: &[u8], head: &str, params: &[(&str, &str)]) {
        let params = params.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        assert_eq!(told(value), (head.to_owned(), params));
    }

    #[test]
    fn proper_values() {
        expect(b"Text/Plain; CharSet=UTF-8", "text/plain", &[("charset", "UTF-8")]);
        expect(b"multipart/mixed; boundary=\"a;b\\\"c\"", "multipart/mixed", &[("boundary", "a;b\"c")]);
        expect(b"text/plain (x); charset=us-ascii (Plain; text)", "text/plain", &[("charset", "us-ascii")]);
    }

    #[test]
    fn values_as_people_write_them() {
        expect(b"a/b; name=my file.doc; x=1", "a/b", &[("name", "my file.doc"), ("x", "1")]);
        expect(b"a/b; boundary=\"x\" charset=utf-8", "a/b", &[("boundary", "x"), ("charset", "utf-8")]);
        expect(b"a/b; boundary=x charset=utf-8", "a/b", &[("boundary", "x"), ("charset", "utf-8")]);
        expect(b"a/b; charset=\"utf-8; x=1", "a/b", &[("charset", "utf-8"), ("x", "1")]);
        expect(b"attachment; filename=\"C:\\dir\\f.txt\"", "attachment", &[("filename", "C:\\dir\\f.txt")]);
        expect(b"a/b;;; ; =x; y", "a/b", &[]);
        expect(b"charset=utf-8", "", &[("charset", "utf-8")]);
        expect(b"a/b; x=1; x=2", "a/b", &[("x", "1")]);
    }

    #[test]
    fn continuations_are_joined() {
        expect(b"a/b; url*1=b; url*0=\"a\"; url*3=d", "a/b", &[("url", "ab")]);
        let value = b"a/b; t*0*=us-ascii'en'This%20is; t*1*=%20it; t*2=\" 100%!\"";
        expect(value, "a/b", &[("t*", "us-ascii'en'This%20is%20it%20100%25%21")]);
        assert_eq!(parse(value).1.get("t").as_deref(), Some("This is it 100%!"));
    }

    #[test]
    fn file_names_are_decoded() {
        let name = |value: &[u8]| parse(value).1.get("filename").unwrap();
        assert_eq!(name(b"attachment; filename*=GBK''%B1%A8%B8%E6.doc; filename=x.doc"), "报告.doc");
        assert_eq!(name(b"attachment; filename=\"=?gb2312?B?sai45i5kb2M=?=\""), "报告.doc");
        assert_eq!(name(b"attachment; filename=\"\xb1\xa8\xb8\xe6.doc\""), "报告.doc");
        assert_eq!(name("attachment; filename=\"报告.doc\"".as_bytes()), "报告.doc");
    }
}
