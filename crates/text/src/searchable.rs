//! The searchable text of one message.
//!
//! Two texts, folded. The head: one line `name: value` for each header field, an empty line, and the lines of its parts' header
//! fields. The body: one line for each text, file name, document and field of an embedded message. Nothing is found across lines.
//! HTML is what a reader sees, a document is its text; a name is decoded whatever way it was written.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use anser_mime::address::{Address, parse_list};
use anser_mime::encoding::{self, Encoding};
use anser_mime::structure::{Part, Structure};
use anser_mime::text::decode_header;
use anser_mime::{charset, header};

use crate::document::{self, Failed, Kind};
use crate::fold::fold_into;
use crate::html;

/// Bytes of a message's folded head.
pub const HEAD: usize = 1 << 20;
/// Bytes of a message's folded body.
pub const BODY: usize = 16 << 20;
/// Documents of one message that are opened.
pub const DOCUMENTS: usize = 100;
/// Bytes of one text part that are decoded; more would not fit into [`BODY`].
const TEXT: usize = 2 * BODY;
/// Bytes of one header that are looked at.
const BLOCK: u64 = 8 << 20;
/// Bytes of the encoded content of a part by which it is told what it holds.
const START: u64 = 128;

/// Where in a message a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Zone {
    /// The body, with names of attachments and their text.
    Body = 0,
    /// Names of header fields, all fields without a zone of their own, and the header fields of parts.
    Other = 1,
    /// Values of Subject.
    Subject = 2,
    /// Values of From.
    From = 3,
    /// Values of To.
    To = 4,
    /// Values of Cc.
    Cc = 5,
    /// Values of Bcc.
    Bcc = 6,
}

impl Zone {
    /// Fields with a zone of their own.
    pub const FIELDS: [(&'static str, Zone); 5] =
        [("subject", Zone::Subject), ("from", Zone::From), ("to", Zone::To), ("cc", Zone::Cc), ("bcc", Zone::Bcc)];

    /// The zone of a header field's values.
    pub fn of_field(name: &str) -> Zone {
        Self::FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(Zone::Other, |(_, zone)| *zone)
    }
}

/// What turns a document into text. Documents come from strangers and their formats are hard to read: whoever has a process to spare
/// reads them there.
pub trait Documents {
    /// The text of a document; it may be cut, as the second of the pair tells.
    fn text(&mut self, kind: Kind, bytes: &[u8]) -> Result<(String, bool), Failed>;
}

/// Reads documents where it stands.
pub struct InProcess;

impl Documents for InProcess {
    fn text(&mut self, kind: Kind, bytes: &[u8]) -> Result<(String, bool), Failed> {
        document::text(kind, bytes)
    }
}

/// A message's text, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searchable {
    /// Header fields.
    pub head: String,
    /// Everything else.
    pub body: String,
    /// Whether the message holds more text than this.
    pub is_cut: bool,
    /// Documents that should hold text and could not be read.
    pub unreadable: u32,
}

impl Searchable {
    /// The text of a whole message. `shift` is where the body that the structure's offsets count from begins in it: the length of the
    /// fields that the account put before it.
    pub fn of(message: &[u8], shift: usize, structure: &Structure, documents: &mut dyn Documents) -> Searchable {
        let mut range = |range: Range<u64>| {
            let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(message.len());
            Cow::Borrowed(&message[at(range.start)..at(range.end).max(at(range.start))])
        };
        Self::of_ranges(&mut range, shift as u64, structure, documents)
    }

    /// The same for a message that is not held: `bytes` gives ranges of it, 96 MiB at most at a time, and of what is beyond its end
    /// nothing.
    pub fn of_ranges<'a>(
        bytes: &mut dyn FnMut(Range<u64>) -> Cow<'a, [u8]>,
        shift: u64,
        structure: &Structure,
        documents: &mut dyn Documents,
    ) -> Searchable {
        let embedded = structure.parts.iter().filter_map(|part| Some(part.embedded.as_ref()?.root as usize)).collect();
        let mut reader = Reader { bytes, shift, embedded, documents, opened: 0, out: Searchable::default() };
        reader.head(structure);
        reader.body(structure);
        let mut out = reader.out;
        out.is_cut |= cut(&mut out.head, HEAD) | cut(&mut out.body, BODY);
        out
    }

    /// The lines of a head that some fields of header blocks, which follow each other, make in it: what is known of a message by its
    /// header alone. `wanted` is asked for each name.
    pub fn lines_of(blocks: &[&[u8]], wanted: impl Fn(&[u8]) -> bool) -> String {
        let mut out = String::new();
        for field in blocks.iter().flat_map(|block| header::fields(block)).filter(|field| wanted(field.name)) {
            push_head(&field, &mut out);
        }
        out
    }

    /// The header's lines as name and value, without those of parts.
    pub fn fields(head: &str) -> impl Iterator<Item = (&str, &str)> {
        head.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(": "))
    }

    /// Every piece of text with its zone, for the index.
    pub fn each_zone(&self, mut each: impl FnMut(Zone, &str)) {
        let mut in_parts = false;
        for line in self.head.lines() {
            in_parts |= line.is_empty();
            match line.split_once(": ") {
                Some((name, value)) if !in_parts && Zone::of_field(name) != Zone::Other => {
                    each(Zone::Other, name);
                    each(Zone::Other, ":");
                    each(Zone::of_field(name), value);
                }
                _ => each(Zone::Other, line),
            }
        }
        self.body.lines().for_each(|line| each(Zone::Body, line));
    }
}

/// Cuts a text to at most so many bytes.
pub(crate) fn cut(text: &mut String, limit: usize) -> bool {
    if text.len() <= limit {
        return false;
    }
    text.truncate(text.floor_char_boundary(limit));
    true
}

struct Reader<'a, 'm> {
    bytes: &'a mut dyn FnMut(Range<u64>) -> Cow<'m, [u8]>,
    shift: u64,
    /// Indices of the parts that are embedded messages; their header is a message's, not a part's.
    embedded: HashSet<usize>,
    documents: &'a mut dyn Documents,
    opened: usize,
    out: Searchable,
}

impl<'m> Reader<'_, 'm> {
    fn head(&mut self, structure: &Structure) {
        let end = self.shift.saturating_add(structure.root().body_start);
        self.out.is_cut |= end > BLOCK;
        let block = (self.bytes)(0..end.min(BLOCK));
        let out = &mut self.out.head;
        for field in header::fields(&block) {
            if out.len() > HEAD {
                return;
            }
            push_head(&field, out);
        }
        out.push('\n');
        // The header of the root is the message's, which has been looked at.
        for (at, part) in structure.parts.iter().enumerate().skip(1) {
            if self.out.head.len() > HEAD {
                return;
            }
            if !self.embedded.contains(&at) {
                let block = self.block(part);
                header::fields(&block).for_each(|field| push_field(field.name, field.value, &mut self.out.head));
            }
        }
    }

    fn body(&mut self, structure: &Structure) {
        for (at, part) in structure.parts.iter().enumerate() {
            if self.out.body.len() > BODY {
                self.out.is_cut = true;
                return;
            }
            if self.embedded.contains(&at) {
                let block = self.block(part);
                header::fields(&block).for_each(|field| push_field(field.name, field.value, &mut self.out.body));
            }
            let name = part.file_name();
            push_line(&[name.as_deref().unwrap_or_default()], &mut self.out.body);
            push_line(&[&part.description.as_deref().map(decode_header).unwrap_or_default()], &mut self.out.body);
            if !part.is_multipart() && !part.is_message() {
                self.leaf(part, name.as_deref().unwrap_or_default());
            }
        }
    }

    /// The content of a part that has no parts.
    fn leaf(&mut self, part: &Part, name: &str) {
        let (start, length) = (part.body_start, part.body_end.saturating_sub(part.body_start));
        let encoding = part.transfer_encoding();
        let is_text = part.is_text() || part.media_type == "message" || is_text_name(name);
        if !is_text && !may_be_document(part, &self.range(start, length.min(START)), encoding) {
            return;
        }
        let limit = if is_text { TEXT } else { document::INPUT };
        // Base64 takes four bytes for three; what is longer encoded cannot fit decoded.
        let most = limit as u64 * 2;
        let is_long = length > most;
        let raw = self.range(start, length.min(most));
        let content = encoding::decode(encoding, &raw);
        if let Some(kind) = Kind::of(&content).filter(|kind| !is_text || *kind == Kind::Rtf) {
            return self.document(kind, &content, is_long);
        }
        if is_text {
            self.out.is_cut |= is_long || content.len() > TEXT;
            self.text(part, name, &content[..content.len().min(TEXT)]);
        }
    }

    fn text(&mut self, part: &Part, name: &str, content: &[u8]) {
        let text = charset::decode(part.charset(), content);
        let is_html = part.is("text", "html") || (!part.is_text() && has_ending(name, &["html", "htm"]));
        if is_html {
            let mut shown = String::with_capacity(text.len() / 2);
            html::text(&text, &mut shown);
            return push_line(&[&shown], &mut self.out.body);
        }
        if part.is("text", "calendar") || part.is("text", "vcard") {
            // RFC 5545 §3.1: a line break with a blank is none.
            return push_line(&[&text.replace("\r\n ", "").replace("\r\n\t", "")], &mut self.out.body);
        }
        push_line(&[&text], &mut self.out.body);
    }

    fn document(&mut self, kind: Kind, content: &[u8], is_long: bool) {
        self.opened += 1;
        if self.opened > DOCUMENTS {
            self.out.is_cut = true;
            return;
        }
        if is_long || content.len() > document::INPUT {
            self.out.unreadable += 1;
            return;
        }
        match self.documents.text(kind, content) {
            Ok((text, is_cut)) => {
                self.out.is_cut |= is_cut;
                push_line(&[&text], &mut self.out.body);
            }
            Err(Failed) => self.out.unreadable += 1,
        }
    }

    /// The header of a part.
    fn block(&mut self, part: &Part) -> Cow<'m, [u8]> {
        let length = part.body_start.saturating_sub(part.header_start);
        self.out.is_cut |= length > BLOCK;
        self.range(part.header_start, length.min(BLOCK))
    }

    /// Bytes of the message by the structure's offsets.
    fn range(&mut self, start: u64, length: u64) -> Cow<'m, [u8]> {
        let start = self.shift.saturating_add(start);
        (self.bytes)(start..start.saturating_add(length))
    }
}

/// Appends texts as lines of their own; blank ones are none.
fn push_line(pieces: &[&str], out: &mut String) {
    let start = out.len();
    pieces.iter().for_each(|piece| fold_into(piece, out));
    let kept = out[start..].trim_end().len();
    out.truncate(start + kept);
    let blank = out[start..].len() - out[start..].trim_start().len();
    out.drain(start..start + blank);
    if out.len() > start {
        out.push('\n');
    }
}

/// The lines of one field of a message's header.
fn push_head(field: &header::Field<'_>, out: &mut String) {
    let start = out.len();
    push_field(field.name, field.value, out);
    let name = std::str::from_utf8(field.name).unwrap_or_default();
    if !matches!(Zone::of_field(name), Zone::From | Zone::To | Zone::Cc | Zone::Bcc) {
        return;
    }
    // The addresses as a mail program shows them, when they were written in another way.
    let mut shown = String::new();
    push_line(&[name, ": ", &addresses_text(&parse_list(&header::unfold(field.value)))], &mut shown);
    if out[start..] != shown {
        out.push_str(&shown);
    }
}

fn push_field(name: &[u8], value: &[u8], out: &mut String) {
    push_line(&[&String::from_utf8_lossy(name), ": ", &decode_header(value)], out);
}

/// A list of addresses as text: `Name <local@domain>, …`.
fn addresses_text(list: &[Address]) -> String {
    let shown = list.iter().map(|address| {
        let (name, email) = (address.name_text(), address.email().unwrap_or_default());
        if name.is_empty() { email } else { format!("{name} <{email}>") }
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// Whether a part may hold a document, as far as its type and its first bytes tell.
fn may_be_document(part: &Part, start: &[u8], encoding: Encoding) -> bool {
    let is_seen = matches!(part.media_type.as_str(), "image" | "audio" | "video" | "font");
    !is_seen && Kind::of(&encoding::decode(encoding, start)).is_some()
}

/// Files of plain text that come as something else.
fn is_text_name(name: &str) -> bool {
    has_ending(name, &["txt", "csv", "tsv", "log", "md", "json", "xml", "html", "htm", "ics", "vcf", "eml"])
}

fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| endings.iter().any(|known| known.eq_ignore_ascii_case(end)))
}
