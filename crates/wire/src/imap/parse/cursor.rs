//! The tokens of RFC 9051 §9 over one complete command, its literals included.

use super::Bad;
use crate::imap::sequence_set::SequenceSet;
use crate::imap::{Date, DateTime, Flag, LIST_MAX, MAILBOX_MAX, NESTING_MAX, mailbox_from_wire};

/// A position in a command.
pub(in crate::imap) struct Cursor<'a> {
    rest: &'a [u8],
    depth: usize,
    utf8: bool,
}

impl<'a> Cursor<'a> {
    /// Cursor at the beginning of `input`; `utf8` says that mailbox names are UTF-8 and no modified UTF-7.
    pub fn new(input: &'a [u8], utf8: bool) -> Self {
        Self { rest: input, depth: 0, utf8 }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Steps over `octet` if it is next.
    pub fn eat(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    pub fn expect(&mut self, octet: u8, text: &'static str) -> Result<(), Bad> {
        if self.eat(octet) { Ok(()) } else { Err(Bad(text)) }
    }

    pub fn space(&mut self) -> Result<(), Bad> {
        self.expect(b' ', if self.rest.is_empty() { "An argument is wanted" } else { "A space is wanted" })
    }

    /// Whether another argument follows; steps over its space. Spaces at the end of the line are forgiven.
    pub fn more(&mut self) -> bool {
        if self.rest.iter().all(|&b| b == b' ') {
            self.rest = &[];
        }
        self.eat(b' ')
    }

    pub fn end(&mut self) -> Result<(), Bad> {
        if self.rest.iter().all(|&b| b == b' ') { Ok(()) } else { Err(Bad("Too many arguments")) }
    }

    /// Octets as long as `accept` holds, perhaps none.
    pub fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&b| !accept(b)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Steps over everything that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub fn atom(&mut self) -> Result<&'a str, Bad> {
        text(self.take_while(|b| is_atom_char(b) && b.is_ascii()), "An atom is wanted")
    }

    /// An atom in upper case: the name of something known.
    pub fn keyword(&mut self) -> Result<String, Bad> {
        self.atom().map(str::to_ascii_uppercase)
    }

    /// Letters, digits, dots and hyphens in upper case: an atom that a bracket may follow.
    pub fn word(&mut self) -> Result<String, Bad> {
        let octets = self.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        text(octets, "A word is wanted").map(str::to_ascii_uppercase)
    }

    /// Steps over `word` (in upper case) and one space behind it, if that is what comes next.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let found = match self.rest.split_at_checked(word.len()) {
            Some((head, tail)) => head.eq_ignore_ascii_case(word.as_bytes()) && tail.first() == Some(&b' '),
            None => false,
        };
        if found {
            self.rest = &self.rest[word.len() + 1..];
        }
        found
    }

    /// `astring`, with 8-bit octets allowed in its atom form.
    pub fn astring_octets(&mut self) -> Result<Vec<u8>, Bad> {
        match self.peek() {
            Some(b'"' | b'{' | b'~') if self.at_string() => self.string(),
            _ => some(self.take_while(|b| is_atom_char(b) || b == b']'), "A string is wanted").map(<[u8]>::to_vec),
        }
    }

    /// `astring` that must be UTF-8.
    pub fn astring(&mut self) -> Result<String, Bad> {
        String::from_utf8(self.astring_octets()?).map_err(|_| Bad("A string is not UTF-8"))
    }

    /// `string` that must be UTF-8.
    pub fn string_text(&mut self) -> Result<String, Bad> {
        String::from_utf8(self.string()?).map_err(|_| Bad("A string is not UTF-8"))
    }

    pub fn at_string(&self) -> bool {
        matches!(self.rest, [b'"' | b'{', ..] | [b'~', b'{', ..])
    }

    /// `string` and literal8.
    pub fn string(&mut self) -> Result<Vec<u8>, Bad> {
        if self.eat(b'"') { self.quoted() } else { self.literal() }
    }

    /// `nstring` and literal8; NIL is `None`.
    pub fn nstring(&mut self) -> Result<Option<Vec<u8>>, Bad> {
        if self.at_string() {
            return self.string().map(Some);
        }
        if self.keyword()? == "NIL" { Ok(None) } else { Err(Bad("A string or NIL is wanted")) }
    }

    fn quoted(&mut self) -> Result<Vec<u8>, Bad> {
        let mut octets = Vec::new();
        loop {
            octets.extend_from_slice(self.take_while(|b| !matches!(b, b'"' | b'\\' | b'\r' | b'\n' | 0)));
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    // RFC 9755 §3.
                    return match self.utf8 && std::str::from_utf8(&octets).is_err() {
                        true => Err(Bad("A string is not UTF-8")),
                        false => Ok(octets),
                    };
                }
                [b'\\', escaped @ (b'"' | b'\\'), rest @ ..] => {
                    octets.push(*escaped);
                    self.rest = rest;
                }
                // Clients on Windows send unescaped backslashes in passwords and folder names.
                [b'\\', rest @ ..] => {
                    octets.push(b'\\');
                    self.rest = rest;
                }
                _ => return Err(Bad("A quoted string does not end")),
            }
        }
    }

    /// A literal that the reader has already put into the command.
    fn literal(&mut self) -> Result<Vec<u8>, Bad> {
        self.eat(b'~');
        self.expect(b'{', "A string is wanted")?;
        let size = self.number64()?;
        self.eat(b'+');
        self.expect(b'}', "Bad literal")?;
        self.eat(b'\r');
        self.expect(b'\n', "Bad literal")?;
        let size = usize::try_from(size).map_err(|_| Bad("Bad literal"))?;
        let (octets, rest) = self.rest.split_at_checked(size).ok_or(Bad("Bad literal"))?;
        self.rest = rest;
        Ok(octets.to_vec())
    }

    pub fn number64(&mut self) -> Result<u64, Bad> {
        let digits = text(self.take_while(|b| b.is_ascii_digit()), "A number is wanted")?;
        digits.parse().map_err(|_| Bad("A number is too big"))
    }

    pub fn number(&mut self) -> Result<u32, Bad> {
        u32::try_from(self.number64()?).map_err(|_| Bad("A number is too big"))
    }

    pub fn nz_number(&mut self) -> Result<u32, Bad> {
        match self.number()? {
            0 => Err(Bad("A number is zero")),
            number => Ok(number),
        }
    }

    /// A mailbox name, decoded.
    pub fn mailbox(&mut self) -> Result<String, Bad> {
        let octets = self.astring_octets()?;
        let name = self.decode_name(&octets)?;
        Ok(if name.eq_ignore_ascii_case("INBOX") { "INBOX".to_owned() } else { name })
    }

    /// The reference name of LIST: like a mailbox name, but as written.
    pub fn reference(&mut self) -> Result<String, Bad> {
        let octets = self.astring_octets()?;
        self.decode_name(&octets)
    }

    /// `list-mailbox`, decoded.
    pub fn pattern(&mut self) -> Result<String, Bad> {
        let octets = match self.at_string() {
            true => self.string()?,
            false => {
                let octets = self.take_while(|b| is_atom_char(b) || matches!(b, b'%' | b'*' | b']'));
                some(octets, "A pattern is wanted")?.to_vec()
            }
        };
        self.decode_name(&octets)
    }

    fn decode_name(&self, octets: &[u8]) -> Result<String, Bad> {
        if octets.len() > MAILBOX_MAX {
            return Err(Bad("A mailbox name is too long"));
        }
        let name = mailbox_from_wire(octets, self.utf8);
        if name.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(Bad("A mailbox name holds a control character"));
        }
        Ok(name)
    }

    pub fn sequence_set(&mut self) -> Result<SequenceSet, Bad> {
        let octets = self.take_while(|b| b.is_ascii_digit() || matches!(b, b'*' | b':' | b',' | b'$'));
        SequenceSet::parse(text(octets, "A sequence set is wanted")?).ok_or(Bad("Bad sequence set"))
    }

    pub fn date(&mut self) -> Result<Date, Bad> {
        let quoted = self.eat(b'"');
        let octets = self.take_while(|b| b.is_ascii_alphanumeric() || b == b'-');
        if quoted {
            self.expect(b'"', "Bad date")?;
        }
        Date::parse(text(octets, "A date is wanted")?).ok_or(Bad("Bad date"))
    }

    pub fn date_time(&mut self) -> Result<DateTime, Bad> {
        let octets = self.string()?;
        std::str::from_utf8(&octets).ok().and_then(DateTime::parse).ok_or(Bad("Bad date and time"))
    }

    pub fn flag(&mut self) -> Result<Flag, Bad> {
        let backslash = self.eat(b'\\');
        let name = self.atom()?;
        Ok(if backslash { Flag::parse(&format!("\\{name}")) } else { Flag::Keyword(name.to_owned()) })
    }

    /// `( item item ... )`, perhaps empty, at most [`LIST_MAX`] long.
    pub fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, Bad>) -> Result<Vec<T>, Bad> {
        self.expect(b'(', "A list is wanted")?;
        let mut items = Vec::new();
        while !self.eat(b')') {
            if !items.is_empty() {
                self.expect(b' ', "A list does not end")?;
                // A space before the closing parenthesis is a known slip of clients.
                if self.eat(b')') {
                    break;
                }
            }
            if items.len() == LIST_MAX {
                return Err(Bad("A list is too long"));
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A list that must not be empty.
    pub fn list1<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, Bad>) -> Result<Vec<T>, Bad> {
        let items = self.list(item)?;
        if items.is_empty() { Err(Bad("A list is empty")) } else { Ok(items) }
    }

    /// Runs `inner` one level deeper, at most [`NESTING_MAX`] levels in all.
    pub fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Bad>) -> Result<T, Bad> {
        if self.depth == NESTING_MAX {
            return Err(Bad("Nested too deeply"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}

/// `ATOM-CHAR`, with 8-bit octets.
pub(in crate::imap) fn is_atom_char(octet: u8) -> bool {
    !octet.is_ascii_control() && !matches!(octet, b'(' | b')' | b'{' | b' ' | b'%' | b'*' | b'"' | b'\\' | b']')
}

fn some<'a>(octets: &'a [u8], wanted: &'static str) -> Result<&'a [u8], Bad> {
    if octets.is_empty() { Err(Bad(wanted)) } else { Ok(octets) }
}

fn text<'a>(octets: &'a [u8], wanted: &'static str) -> Result<&'a str, Bad> {
    std::str::from_utf8(some(octets, wanted)?).map_err(|_| Bad(wanted))
}
