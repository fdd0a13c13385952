//! The parts of a message: what they say, and how one is exchanged.

use anser_mime::build::{Entity, Headers, TextEncoding, message as build_message};
use anser_mime::charset;
use anser_mime::encoding::{Decoder, Encoding};
use anser_mime::structure::Part;

use std::rc::Rc;

use super::Message;
use crate::compare::Text;

/// Bytes of a part's content that scripts see, after decoding.
pub const MAX_PART_BYTES: usize = 1 << 20;

impl Message<'_> {
    /// The raw header of a part.
    pub(crate) fn part_header(&self, part: &Part) -> &[u8] {
        self.range(part.header_range())
    }

    /// The raw body of a part.
    pub(crate) fn part_body(&self, part: &Part) -> &[u8] {
        self.range(part.body_range())
    }

    fn range(&self, range: std::ops::Range<u64>) -> &[u8] {
        // A structure that the caller gave may be of another message: then a part has no content.
        self.source().get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// The body as it stands, as one text; made once.
    pub(crate) fn raw_text(&self) -> Rc<Text> {
        self.cached(None, || {
            let body = self.body();
            charset::decode_prefix(Some("utf-8"), &body[..body.len().min(MAX_PART_BYTES)])
        })
    }

    /// The decoded content of the part at `index`, for comparing; made once.
    pub(crate) fn part_content(&self, index: usize) -> Rc<Text> {
        let part = self.structure().parts.get(index);
        self.cached(Some(index), || part.map(|part| self.part_text(part)).unwrap_or_default())
    }

    fn cached(&self, key: Option<usize>, make: impl FnOnce() -> String) -> Rc<Text> {
        if let Some(text) = self.texts.borrow().get(&key) {
            return Rc::clone(text);
        }
        let text = Rc::new(Text::new(make()));
        self.texts.borrow_mut().insert(key, Rc::clone(&text));
        text
    }

    /// The decoded content of a part as text in UTF-8.
    pub(crate) fn part_text(&self, part: &Part) -> String {
        let encoding = part.transfer_encoding();
        let body = self.part_body(part);
        let body = if encoding == Encoding::Identity { &body[..body.len().min(MAX_PART_BYTES)] } else { body };
        let mut content = Vec::with_capacity(body.len().min(MAX_PART_BYTES));
        let mut decoder = Decoder::new(encoding);
        for piece in body.chunks(32 * 1024) {
            decoder.push(piece, &mut content);
            if content.len() >= MAX_PART_BYTES {
                content.truncate(MAX_PART_BYTES);
                return charset::decode_prefix(part.charset(), &content);
            }
        }
        decoder.finish(&mut content);
        charset::decode(part.charset(), &content)
    }

    /// What a `:content` test sees of a multipart: the text before its first and after its last part (RFC 5173 §5.2).
    pub(crate) fn multipart_texts(&self, part: &Part) -> [String; 2] {
        let parts = &self.structure().parts;
        let ends = part.children.first().zip(part.children.last());
        let Some((first, last)) = ends.map(|(first, last)| (&parts[*first as usize], &parts[*last as usize])) else {
            return [String::new(), String::new()];
        };
        let before = self.range(part.body_start..first.header_start.max(part.body_start));
        let after = self.range(last.body_end..part.body_end.max(last.body_end));
        // The boundary line ends what comes before; after the last part it is a line of its own.
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        let before = &before[..memchr::memrchr(b'\n', before).map_or(0, |at| at + 1)];
        let after = match memchr::memmem::find(after, b"--") {
            Some(at) => &after[at..][memchr::memchr(b'\n', &after[at..]).map_or(after.len() - at, |end| end + 1)..],
            None => &[],
        };
        let text = |bytes: &[u8]| charset::decode(None, &bytes[..bytes.len().min(MAX_PART_BYTES)]);
        [text(before), text(after)]
    }

    /// The indices of a part and everything below it, in order.
    pub(crate) fn with_descendants(&self, index: usize) -> Vec<usize> {
        let parts = &self.structure().parts;
        let mut found = Vec::new();
        let mut open = vec![index];
        while let Some(at) = open.pop() {
            let Some(part) = parts.get(at) else { continue };
            found.push(at);
            open.extend(part.children.iter().rev().map(|child| *child as usize));
            open.extend(part.embedded.as_ref().map(|embedded| embedded.root as usize));
        }
        found
    }

    /// The message with `part` exchanged for an entity: its `Content-*` fields go, other fields of the part stay.
    pub(crate) fn with_part(&self, index: usize, entity: &[u8]) -> Vec<u8> {
        if index == 0 {
            return self.with_body(entity);
        }
        let Some(part) = self.structure().parts.get(index) else { return self.to_bytes() };
        let (start, end) = (part.header_start as usize, part.body_end as usize);
        let current = self.to_bytes();
        // Parts lie behind the header: what the header grew by moves them.
        let shift = current.len() as i64 - self.source().len() as i64;
        let at = |offset: usize| ((offset as i64 + shift).max(0) as usize).min(current.len());
        let mut out = current[..at(start)].to_vec();
        out.extend_from_slice(entity);
        out.extend_from_slice(&current[at(end).max(at(start))..]);
        out
    }

    /// The message with its whole body, and the fields that describe it, exchanged.
    fn with_body(&self, entity: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(entity.len() + 4096);
        for field in self.all_fields() {
            let describes_body = field.name.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("content-"));
            if !describes_body && !field.is_called("MIME-Version") {
                out.extend_from_slice(field.whole(self));
            }
        }
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        out.extend_from_slice(entity);
        out
    }
}

/// An entity of the text that a script gave: header and body when it is MIME already, else plain text.
pub(crate) fn entity(text: &str, is_mime: bool) -> Vec<u8> {
    if !is_mime {
        let whole = build_message(Headers::new(), Entity::text("plain", text, TextEncoding::QuotedPrintable));
        let fields = b"MIME-Version: 1.0\r\n";
        return whole.strip_prefix(fields).map(<[u8]>::to_vec).unwrap_or(whole);
    }
    let mut out = Vec::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        out.extend_from_slice(content.as_bytes());
        if content.len() < line.len() {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}
