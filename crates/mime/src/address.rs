//! Address lists as people really write them (RFC 5322 §3.4, §4.4; RFC 6532), told as IMAP tells them: one flat list in
//! which groups are markers.

use crate::charset;
use crate::text;

/// Addresses read of one field; what follows is not read.
pub const MAX_ADDRESSES: usize = 1_000;

/// One entry of an address list, in the four fields of an IMAP address structure (RFC 9051 §7.5.2). All bytes are as
/// they stand in the header, unfolded and without quotes or comments: encoded words are not decoded and 8-bit text
/// keeps its charset.
///
/// A group `name: a@b, c@d;` becomes a start marker (`mailbox` is the group name, `host` is `None`), its members, and
/// an end marker (`mailbox` and `host` are `None`). An address without a domain has `host == Some(empty)`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// Display name, or the comment after a bare address.
    pub name: Option<Vec<u8>>,
    /// Obsolete source route (`@a,@b`), RFC 5322 §4.4.
    pub route: Option<Vec<u8>>,
    /// Local part; group name for a group start.
    pub mailbox: Option<Vec<u8>>,
    /// Domain; `None` marks a group start or end.
    pub host: Option<Vec<u8>>,
}

impl Address {
    /// Whether this entry opens a group.
    pub fn is_group_start(&self) -> bool {
        self.host.is_none() && self.mailbox.is_some()
    }

    /// The display name (the group name of a group start) for people: encoded words and charsets undone; empty when
    /// there is none.
    pub fn name_text(&self) -> String {
        let name = if self.is_group_start() { &self.mailbox } else { &self.name };
        name.as_deref().map(text::decode_header).unwrap_or_default()
    }

    /// `local@domain`, or the local part alone when there is no domain; `None` for group markers. The local part is
    /// not quoted.
    pub fn email(&self) -> Option<String> {
        let host = self.host.as_deref()?;
        let mut email = charset::decode(None, self.mailbox.as_deref().unwrap_or_default());
        if !host.is_empty() {
            email.push('@');
            email.push_str(&charset::decode(None, host));
        }
        Some(email)
    }
}

/// Reads an address list, at most [`MAX_ADDRESSES`] entries. Any bytes are accepted, folded or not; what is no address
/// becomes an entry without a domain. Linear in the length of `value`.
pub fn parse_list(value: &[u8]) -> Vec<Address> {
    let mut parser = Parser::new(value);
    while parser.at < value.len() && parser.list.len() < MAX_ADDRESSES {
        parser.step();
    }
    parser.flush();
    parser.end_group();
    parser.list
}

/// The state of one list: what was read of the current entry.
struct Parser<'a> {
    input: &'a [u8],
    at: usize,
    /// 8-bit text is UTF-8; otherwise pairs of bytes are kept together, for GBK and Big5 trail bytes look like ASCII.
    utf8: bool,
    list: Vec<Address>,
    in_group: bool,
    words: Vec<u8>,
    space: bool,
    comment: Option<Vec<u8>>,
    angle: Option<Angle>,
    unclosed_quote: bool,
    unclosed_comment: bool,
}

struct Angle {
    route: Option<Vec<u8>>,
    spec: Vec<u8>,
    /// Where the last `@` outside of quotes stands in `spec`.
    split: Option<usize>,
}

impl<'a> Parser<'a> {
    fn new(input: &'a [u8]) -> Self {
        Parser {
            input,
            at: 0,
            utf8: std::str::from_utf8(input).is_ok(),
            list: Vec::new(),
            in_group: false,
            words: Vec::new(),
            space: false,
            comment: None,
            angle: None,
            unclosed_quote: false,
            unclosed_comment: false,
        }
    }

    fn step(&mut self) {
        match self.input[self.at] {
            b' ' | b'\t' | b'\r' | b'\n' | 0 => {
                self.space = true;
                self.at += 1;
            }
            b'"' => self.quoted(),
            b'(' => self.comment(),
            b'<' => self.angle(),
            b',' => {
                self.at += 1;
                self.flush();
            }
            b';' => {
                self.at += 1;
                self.flush();
                self.end_group();
            }
            b':' if !self.in_group && self.angle.is_none() && !self.words.is_empty() => self.start_group(),
            b'[' if self.words.ends_with(b"@") => self.domain_literal(),
            0x1b => self.escaped_text(),
            _ => {
                let length = self.unit_length(self.at);
                self.word(self.at, self.at + length);
            }
        }
    }

    /// Bytes that belong together at `at`: two for a double-byte character, else one.
    fn unit_length(&self, at: usize) -> usize {
        let pair = !self.utf8 && self.input[at] > 0x80 && self.input.get(at + 1).is_some_and(|&trail| trail >= 0x40);
        if pair { 2 } else { 1 }
    }

    fn word(&mut self, start: usize, end: usize) {
        self.pending_space();
        self.words.extend_from_slice(&self.input[start..end]);
        self.at = end;
    }

    fn pending_space(&mut self) {
        if self.space && !self.words.is_empty() {
            self.words.push(b' ');
        }
        self.space = false;
    }

    fn quoted(&mut self) {
        let text = if self.unclosed_quote { None } else { self.quoted_text(self.at) };
        match text {
            Some((text, end)) => {
                self.pending_space();
                self.words.extend_from_slice(&text);
                self.at = end;
            }
            None => {
                self.unclosed_quote = true;
                self.at += 1;
            }
        }
    }

    /// The text of the quoted string at `start` and where it ends; `None` when it is never closed.
    fn quoted_text(&self, start: usize) -> Option<(Vec<u8>, usize)> {
        let mut text = Vec::new();
        let mut at = start + 1;
        while at < self.input.len() {
            let length = self.unit_length(at);
            match self.input[at] {
                b'"' => return Some((text, at + 1)),
                b'\\' if at + 1 < self.input.len() => {
                    text.push(self.input[at + 1]);
                    at += 2;
                    continue;
                }
                b'\r' | b'\n' | 0 => {}
                _ => text.extend_from_slice(&self.input[at..at + length]),
            }
            at += length;
        }
        None
    }

    fn comment(&mut self) {
        match if self.unclosed_comment { None } else { self.comment_text() } {
            Some((text, end)) => {
                self.comment = Some(text);
                self.space = true;
                self.at = end;
            }
            None => {
                self.unclosed_comment = true;
                self.at += 1;
            }
        }
    }

    fn comment_text(&self) -> Option<(Vec<u8>, usize)> {
        let mut text = Vec::new();
        let mut depth = 0usize;
        let mut at = self.at;
        while at < self.input.len() {
            let length = self.unit_length(at);
            match self.input[at] {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' if at + 1 < self.input.len() => {
                    text.push(self.input[at + 1]);
                    at += 2;
                    continue;
                }
                _ => {}
            }
            if depth == 0 {
                text.remove(0);
                return Some((text.trim_ascii().to_vec(), at + 1));
            }
            if !matches!(self.input[at], b'\r' | b'\n' | 0) {
                text.extend_from_slice(&self.input[at..at + length]);
            }
            at += length;
        }
        None
    }

    /// `[IPv6:…]` after an `@`, whose colons start no group.
    fn domain_literal(&mut self) {
        /// Bytes of a domain literal.
        const MAX_LITERAL: usize = 100;
        let rest = &self.input[self.at..];
        let end = rest.iter().take(MAX_LITERAL).position(|byte| matches!(byte, b']' | b',' | b'<' | b'"'));
        let length = end.filter(|end| rest[*end] == b']').map_or(1, |end| end + 1);
        self.word(self.at, self.at + length);
    }

    /// ISO-2022 text in a header without encoded words: everything between its escapes is text.
    fn escaped_text(&mut self) {
        let rest = &self.input[self.at..];
        let end = match rest.get(1) {
            Some(b'$') => memchr::memchr(0x1b, &rest[1..]).map_or(rest.len(), |at| at + 1),
            _ => 1,
        };
        self.word(self.at, self.at + end);
    }

    /// Reads `<…>`; a missing `>` ends at the next `,`, `;` or `<`.
    fn angle(&mut self) {
        self.at += 1;
        let route = self.route();
        let mut angle = Angle { route, spec: Vec::new(), split: None };
        while self.at < self.input.len() {
            let byte = self.input[self.at];
            match byte {
                b'>' => {
                    self.at += 1;
                    break;
                }
                b',' | b';' | b'<' => break,
                b'"' => self.quoted_local(&mut angle),
                b' ' | b'\t' | b'\r' | b'\n' | 0 => self.at += 1,
                _ => {
                    if byte == b'@' {
                        angle.split = Some(angle.spec.len());
                    }
                    let length = self.unit_length(self.at);
                    angle.spec.extend_from_slice(&self.input[self.at..self.at + length]);
                    self.at += length;
                }
            }
        }
        if self.angle.is_none() || !angle.spec.is_empty() {
            self.angle = Some(angle);
        }
        self.space = true;
    }

    fn quoted_local(&mut self, angle: &mut Angle) {
        match if self.unclosed_quote { None } else { self.quoted_text(self.at) } {
            Some((text, end)) => {
                angle.spec.extend_from_slice(&text);
                self.at = end;
            }
            None => {
                self.unclosed_quote = true;
                self.at += 1;
            }
        }
    }

    /// The source route `@a,@b:` at the start of an angle address, at most 1,000 bytes of it.
    fn route(&mut self) -> Option<Vec<u8>> {
        const MAX_ROUTE: usize = 1_000;
        let rest = &self.input[self.at..];
        if rest.first() != Some(&b'@') {
            return None;
        }
        let end = rest.iter().take(MAX_ROUTE).position(|byte| matches!(byte, b':' | b'>' | b'<'))?;
        if rest[end] != b':' {
            return None;
        }
        self.at += end + 1;
        Some(rest[..end].iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect())
    }

    fn start_group(&mut self) {
        self.at += 1;
        self.space = false;
        self.comment = None;
        self.in_group = true;
        self.list.push(Address { mailbox: Some(std::mem::take(&mut self.words)), ..Address::default() });
    }

    fn end_group(&mut self) {
        if std::mem::take(&mut self.in_group) {
            self.list.push(Address::default());
        }
    }

    fn flush(&mut self) {
        self.space = false;
        let words = std::mem::take(&mut self.words);
        let comment = self.comment.take().filter(|comment| !comment.is_empty());
        match self.angle.take() {
            Some(angle) => self.list.push(angle.address(words, comment)),
            None if !words.is_empty() => self.list.push(bare_address(&words, comment)),
            None => {}
        }
    }
}

impl Angle {
    fn address(self, words: Vec<u8>, comment: Option<Vec<u8>>) -> Address {
        let name = if words.is_empty() { comment } else { Some(words) };
        let (mailbox, host) = match self.split {
            Some(split) => (self.spec[..split].to_vec(), self.spec[split + 1..].to_vec()),
            None => (self.spec, Vec::new()),
        };
        Address { name, route: self.route, mailbox: Some(mailbox), host: Some(host) }
    }
}

/// An address without angle brackets: the last `local@domain` of `words`; words before it are the name.
fn bare_address(words: &[u8], comment: Option<Vec<u8>>) -> Address {
    let Some(split) = memchr::memrchr(b'@', words) else {
        return Address { name: comment, route: None, mailbox: Some(words.to_vec()), host: Some(Vec::new()) };
    };
    let before = words[..split].trim_ascii_end();
    let after = words[split + 1..].trim_ascii_start();
    let local = memchr::memrchr(b' ', before).map_or(0, |space| space + 1);
    let host = &after[..memchr::memchr(b' ', after).unwrap_or(after.len())];
    let name = before[..local].trim_ascii();
    let name = if name.is_empty() { comment } else { Some(name.to_vec()) };
    Address { name, route: None, mailbox: Some(before[local..].to_vec()), host: Some(host.to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &[u8]) -> Vec<String> {
        let show =
            |part: &Option<Vec<u8>>| part.as_ref().map_or("NIL".into(), |b| String::from_utf8_lossy(b).to_string());
        parse_list(value)
            .iter()
            .map(|a| format!("{}|{}|{}|{}", show(&a.name), show(&a.route), show(&a.mailbox), show(&a.host)))
            .collect()
    }

    #[test]
    fn plain_lists() {
        assert_eq!(told(b"a@b.c, Joe Q. Public <joe@x.org>"), ["NIL|NIL|a|b.c", "Joe Q. Public|NIL|joe|x.org"]);
        assert_eq!(told(b"\"Smith, \\\"J\\\"\" <j@x>"), ["Smith, \"J\"|NIL|j|x"]);
        assert_eq!(told(b"pete@x (Pete (the) Great)"), ["Pete (the) Great|NIL|pete|x"]);
        assert_eq!(told(b" , ,"), [""; 0]);
        assert_eq!(told(b"<>"), ["NIL|NIL||"]);
    }

    #[test]
    fn groups_become_markers() {
        let expected = ["NIL|NIL|A Group|NIL", "Ed|NIL|ed|x", "NIL|NIL|joe|y", "NIL|NIL|NIL|NIL", "NIL|NIL|z|z"];
        assert_eq!(told(b"A Group: Ed <ed@x>, joe@y;, z@z"), expected);
        assert_eq!(told(b"Undisclosed recipients:;"), ["NIL|NIL|Undisclosed recipients|NIL", "NIL|NIL|NIL|NIL"]);
        assert_eq!(told(b"G: a@b").len(), 3);
    }

    #[test]
    fn obsolete_and_broken_forms() {
        assert_eq!(told(b"<@a,@b:joe@c>"), ["NIL|@a,@b|joe|c"]);
        assert_eq!(told(b"Joe joe@x.org"), ["Joe|NIL|joe|x.org"]);
        assert_eq!(told(b"Joe <joe@x, Ann <ann@y>"), ["Joe|NIL|joe|x", "Ann|NIL|ann|y"]);
        assert_eq!(told(b"\"Joe <joe@x>, ann@y"), ["Joe|NIL|joe|x", "NIL|NIL|ann|y"]);
        assert_eq!(told(b"a@b; c@d"), ["NIL|NIL|a|b", "NIL|NIL|c|d"]);
        assert_eq!(told(b"\"john smith\"@x"), ["john|NIL|smith|x"]);
        assert_eq!(told(b"<\"a@b\"@x>"), ["NIL|NIL|a@b|x"]);
        assert_eq!(told(b"root"), ["NIL|NIL|root|"]);
        assert_eq!(told(b"a@[IPv6:::1], b@c"), ["NIL|NIL|a|[IPv6:::1]", "NIL|NIL|b|c"]);
        assert_eq!(told("张三 <三@例子.中国>".as_bytes()), ["张三|NIL|三|例子.中国"]);
    }

    #[test]
    fn double_byte_text_keeps_its_bytes() {
        let list = parse_list(b"\"\x8c\x5c\x81\x40\" <a@b>");
        assert_eq!(list[0].name.as_deref(), Some(&b"\x8c\x5c\x81\x40"[..]));
        assert_eq!(list[0].mailbox.as_deref(), Some(&b"a"[..]));
        let list = parse_list(b"\x1b$B\"<\x1b(B <a@b>");
        assert_eq!(list[0].mailbox.as_deref(), Some(&b"a"[..]));
    }

    #[test]
    fn lists_are_cut_at_the_limit() {
        assert_eq!(parse_list("a@b,".repeat(5_000).as_bytes()).len(), MAX_ADDRESSES);
    }
}
