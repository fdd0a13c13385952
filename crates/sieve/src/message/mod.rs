//! The message under examination: its header fields as they are now, its parts, its bytes as they would be stored.

pub(crate) mod mailbox;
pub(crate) mod part;

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use anser_mime::build::Headers;
use anser_mime::header;
use anser_mime::structure::{Limits, Structure, StructureParser};
use anser_mime::text::decode_header;

use self::mailbox::Mailbox;
use crate::compare::{Lazy, Text};

/// Header fields of a message that scripts see; those behind stay in the message.
pub const MAX_FIELDS: usize = 4_000;

/// Bytes of one field's value that scripts see.
pub const MAX_FIELD_BYTES: usize = 64 * 1024;

/// A message and the changes that scripts made to it.
#[derive(Clone)]
pub(crate) struct Message<'a> {
    /// What the fields, the body and the structure were read from.
    bytes: Cow<'a, [u8]>,
    fields: Vec<Field>,
    /// Where what scripts do not see starts: fields beyond the limit, the blank line, the body.
    seen_end: usize,
    body_start: usize,
    is_header_changed: bool,
    structure: OnceCell<Cow<'a, Structure>>,
    /// Decoded texts of parts, by their index, and of the raw body.
    texts: RefCell<HashMap<Option<usize>, Rc<Text>>>,
}

/// A header field.
#[derive(Clone)]
pub(crate) struct Field {
    /// Of the name in lower case.
    hash: u32,
    name: Box<str>,
    source: Source,
    text: Lazy,
    mailboxes: OnceCell<Rc<[Mailbox]>>,
}

#[derive(Clone)]
enum Source {
    /// A range of [`Message::bytes`]: the whole field, and where its value starts.
    Original(std::ops::Range<usize>, usize),
    /// A field that a script added, with its line break.
    Added(Vec<u8>),
}

impl<'a> Message<'a> {
    pub(crate) fn new(bytes: impl Into<Cow<'a, [u8]>>) -> Message<'a> {
        let bytes = bytes.into();
        let mut fields = Vec::with_capacity(32);
        let (mut seen_end, mut header_end) = (0, 0);
        for field in header::fields(&bytes) {
            if fields.len() < MAX_FIELDS {
                let value_start = field.range.start + field_value_offset(&field, &bytes);
                let name: Box<str> = std::str::from_utf8(field.name).unwrap_or_default().into();
                let hash = hash(&name);
                fields.push(Field {
                    hash,
                    name,
                    source: Source::Original(field.range.clone(), value_start),
                    text: Lazy::new(),
                    mailboxes: OnceCell::new(),
                });
                seen_end = field.range.end;
            }
            header_end = field.range.end;
        }
        let rest = &bytes[header_end..];
        let blank = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
        let body_start = header_end + blank;
        Message {
            bytes,
            fields,
            seen_end,
            body_start,
            is_header_changed: false,
            structure: OnceCell::new(),
            texts: RefCell::default(),
        }
    }

    /// Uses a structure that the caller has at hand already.
    pub(crate) fn with_structure(self, structure: Option<&'a Structure>) -> Self {
        if let Some(structure) = structure {
            let _ = self.structure.set(Cow::Borrowed(structure));
        }
        self
    }

    /// The fields called `name`, top down; letter case does not matter.
    pub(crate) fn fields<'m>(&'m self, name: &'m str) -> impl DoubleEndedIterator<Item = &'m Field> {
        let hash = hash(name);
        self.fields.iter().filter(move |field| field.hash == hash && field.name.eq_ignore_ascii_case(name))
    }

    /// A field's value for comparing: unfolded, decoded, trimmed.
    pub(crate) fn text(&self, field: &Field) -> Rc<Text> {
        Rc::clone(field.text.get_or_init(|| Rc::new(Text::new(decode_header(self.raw(field)).trim()))))
    }

    /// The addresses of a field.
    pub(crate) fn mailboxes(&self, field: &Field) -> Rc<[Mailbox]> {
        Rc::clone(field.mailboxes.get_or_init(|| Mailbox::list(self.raw(field))))
    }

    /// A field's value as it stands.
    pub(crate) fn raw<'m>(&'m self, field: &'m Field) -> &'m [u8] {
        let value = match &field.source {
            Source::Original(range, value) => &self.bytes[*value..range.end],
            Source::Added(bytes) => &bytes[(field.name.len() + 1).min(bytes.len())..],
        };
        &value[..value.len().min(MAX_FIELD_BYTES)]
    }

    /// Bytes of the whole message.
    pub(crate) fn size(&self) -> u64 {
        if !self.is_header_changed {
            return self.bytes.len() as u64;
        }
        let fields: usize = self.fields.iter().map(Field::length).sum();
        (fields + self.bytes.len() - self.seen_end) as u64
    }

    /// The body, still encoded.
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.body_start..]
    }

    /// The bytes that parts are ranges of.
    pub(crate) fn source(&self) -> &[u8] {
        &self.bytes
    }

    /// The tree of parts, of the message as it was before its header was edited (RFC 5293 §7 allows that).
    pub(crate) fn structure(&self) -> &Structure {
        self.structure.get_or_init(|| {
            let mut parser = StructureParser::new(Limits::default());
            parser.feed(&self.bytes);
            Cow::Owned(parser.finish())
        })
    }

    /// Adds a field at the top, or below all others.
    pub(crate) fn add(&mut self, name: &str, value: &str, at_end: bool) {
        let bytes = Headers::new().text(name, value).into_bytes();
        let field = Field {
            hash: hash(name),
            name: name.into(),
            source: Source::Added(bytes),
            text: Lazy::new(),
            mailboxes: OnceCell::new(),
        };
        self.is_header_changed = true;
        let at = if at_end { self.fields.len() } else { 0 };
        self.fields.insert(at, field);
    }

    /// Keeps the fields that `keep` says yes to.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Field) -> bool) {
        let before = self.fields.len();
        self.fields.retain(&mut keep);
        self.is_header_changed |= self.fields.len() != before;
    }

    /// All fields, top down.
    pub(crate) fn all_fields(&self) -> &[Field] {
        &self.fields
    }

    /// The message as it is now.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        if !self.is_header_changed {
            return self.bytes.to_vec();
        }
        let mut out = Vec::with_capacity(self.bytes.len() + 1024);
        for field in &self.fields {
            out.extend_from_slice(field.whole(self));
            // The last field of a message without a body may lack its line break.
            if !out.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(&self.bytes[self.seen_end..]);
        out
    }
}

impl Field {
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Its bytes with name, colon and line break.
    pub(crate) fn whole<'m>(&'m self, message: &'m Message<'_>) -> &'m [u8] {
        match &self.source {
            Source::Original(range, _) => &message.bytes[range.clone()],
            Source::Added(bytes) => bytes,
        }
    }

    fn length(&self) -> usize {
        match &self.source {
            Source::Original(range, _) => range.len(),
            Source::Added(bytes) => bytes.len(),
        }
    }
}

fn field_value_offset(field: &header::Field<'_>, bytes: &[u8]) -> usize {
    if field.name.is_empty() {
        return 0;
    }
    let whole = &bytes[field.range.clone()];
    memchr::memchr(b':', whole).map_or(0, |colon| colon + 1)
}

/// FNV-1a of the name in lower case.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193))
}
