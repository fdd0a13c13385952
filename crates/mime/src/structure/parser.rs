//! The push parser: bytes in, [`Structure`] out, in one pass and with bounded memory.
//!
//! It works line by line. Of a line it needs only the first [`MAX_LINE_HEAD`] bytes, to know blank lines and boundary
//! lines; header lines are copied as long as [`Limits::header_bytes`] lasts. A stack holds the open parts from the
//! message down to the part that bytes now belong to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::fields::part_of;
use super::{Embedded, Limits, Part, Structure};
use crate::envelope::Envelope;
use crate::header::is_name;

/// Bytes of a `boundary` parameter; RFC 2046 §5.1.1 allows 70. A multipart with a longer one has no boundary.
pub const MAX_BOUNDARY: usize = 512;

/// Bytes kept of a line that comes in pieces: two dashes before and after the boundary, white space, line break.
const MAX_LINE_HEAD: usize = MAX_BOUNDARY + 64;

/// Reads a message in pieces of any size. Any bytes are a message: there are no errors. Time is linear in the bytes
/// fed, memory is bounded by [`Limits`].
pub struct StructureParser {
    limits: Limits,
    parts: Vec<Part>,
    open: Vec<Open>,
    /// The boundaries that `open` waits for, each with its levels, innermost last: looking one up takes the same time at
    /// any depth.
    waiting: HashMap<Vec<u8>, Vec<usize>>,
    state: State,
    /// Bytes and line breaks before the current line.
    line_start: u64,
    lines: u64,
    /// Length of the line break that ended the line before: 0, 1 or 2.
    last_break: u64,
    /// The current line as far as it came in earlier pieces.
    head: Vec<u8>,
    line_length: u64,
    last_byte: u8,
    /// Header block of the part whose header is being read.
    block: Vec<u8>,
    header_left: usize,
    root_block: Vec<u8>,
    pub(crate) sampler: Sampler,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the header of the innermost open part.
    Header,
    /// In content, or in a multipart before, between or after its parts.
    Body,
}

/// A part that is not finished.
struct Open {
    index: usize,
    /// The boundary while this is a multipart that was not closed.
    boundary: Option<Vec<u8>>,
    digest: bool,
    lines_before: u64,
}

/// What [`StructureParser::finish_with_header`] answers.
pub(crate) struct Finished {
    pub(crate) structure: Structure,
    /// Raw header block of the message, cut at [`Limits::header_bytes`].
    pub(crate) root_block: Vec<u8>,
    pub(crate) samples: Vec<Sample>,
}

/// The first bytes of a body that a preview may come from, still encoded.
pub(crate) struct Sample {
    pub(crate) index: usize,
    pub(crate) is_html: bool,
    pub(crate) bytes: Vec<u8>,
}

/// Keeps samples while the bytes pass; the last sample grows while `is_open`.
#[derive(Default)]
pub(crate) struct Sampler {
    limit: usize,
    samples: Vec<Sample>,
    is_open: bool,
}

impl StructureParser {
    /// A parser before the first byte.
    pub fn new(limits: Limits) -> StructureParser {
        let limits = Limits { parts: limits.parts.clamp(1, u32::MAX as usize), ..limits };
        let mut parser = StructureParser {
            limits,
            parts: Vec::new(),
            open: Vec::new(),
            waiting: HashMap::new(),
            state: State::Header,
            line_start: 0,
            lines: 0,
            last_break: 0,
            head: Vec::new(),
            line_length: 0,
            last_byte: 0,
            block: Vec::new(),
            header_left: limits.header_bytes,
            root_block: Vec::new(),
            sampler: Sampler::default(),
        };
        parser.open_part(0);
        parser
    }

    /// Takes the next bytes of the message.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.state == State::Body && self.waiting.is_empty() {
                return self.feed_rest(bytes);
            }
            let Some(at) = memchr::memchr(b'\n', bytes) else {
                return self.partial_line(bytes);
            };
            let (line, rest) = bytes.split_at(at + 1);
            self.line_piece(line);
            bytes = rest;
        }
    }

    /// The structure, after the last byte was fed.
    pub fn finish(self) -> Structure {
        self.finish_with_header().structure
    }

    /// The structure with what a summary needs besides.
    pub(crate) fn finish_with_header(mut self) -> Finished {
        if self.line_length > 0 {
            let line = std::mem::take(&mut self.head);
            self.end_line(&line, 0);
        }
        let size = self.line_start;
        self.end_headers(size, self.lines);
        self.close(0, size, self.lines);
        let structure = Structure { parts: self.parts, size };
        Finished { structure, root_block: self.root_block, samples: self.sampler.samples }
    }

    /// Nothing can end the current part any more: only count.
    fn feed_rest(&mut self, bytes: &[u8]) {
        self.sampler.push(bytes);
        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.line_start += self.line_length + bytes.len() as u64;
        self.line_length = 0;
        self.head.clear();
    }

    /// Keeps what may matter of a line that is not complete yet.
    fn partial_line(&mut self, bytes: &[u8]) {
        self.keep(bytes);
        let room = MAX_LINE_HEAD.saturating_sub(self.head.len());
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.line_length += bytes.len() as u64;
        self.last_byte = bytes[bytes.len() - 1];
    }

    /// Takes the end of a line, or a whole line; `bytes` ends with LF.
    fn line_piece(&mut self, bytes: &[u8]) {
        let before = if bytes.len() > 1 { bytes[bytes.len() - 2] } else { self.last_byte };
        let has_cr = before == b'\r' && self.line_length + bytes.len() as u64 > 1;
        let line_break = 1 + u64::from(has_cr);
        if self.line_length == 0 {
            self.keep(bytes);
            self.line_length = bytes.len() as u64;
            return self.end_line(bytes, line_break);
        }
        self.partial_line(bytes);
        let line = std::mem::take(&mut self.head);
        self.end_line(&line, line_break);
        self.head = line;
        self.head.clear();
    }

    /// Copies header bytes while there is room, and the start of bodies for the sampler.
    fn keep(&mut self, bytes: &[u8]) {
        match self.state {
            State::Header => {
                let taken = bytes.len().min(self.header_left);
                self.header_left -= taken;
                self.block.extend_from_slice(&bytes[..taken]);
            }
            State::Body => self.sampler.push(bytes),
        }
    }

    /// Acts on a complete line whose first bytes are `line`.
    fn end_line(&mut self, line: &[u8], line_break: u64) {
        let is_short = self.line_length <= MAX_LINE_HEAD as u64;
        let text = if is_short { &line[..line.len() - line_break as usize] } else { &line[..MAX_LINE_HEAD] };
        let boundary = if is_short { self.boundary(text) } else { None };
        let (line_start, lines) = (self.line_start, self.lines);
        self.line_start += self.line_length;
        self.line_length = 0;
        self.lines += u64::from(line_break > 0);
        if let Some((level, is_close)) = boundary {
            self.boundary_line(level, is_close, line_start, lines);
        } else if self.state == State::Header {
            self.header_line(text, line_start, lines);
        }
        self.last_break = line_break;
    }

    /// The open multipart whose boundary line `text` is, innermost first, and whether the line closes it. White space
    /// after the boundary is allowed, other text is not: one boundary may be the start of another.
    fn boundary(&self, text: &[u8]) -> Option<(usize, bool)> {
        let text = text.strip_prefix(b"--")?.trim_ascii_end();
        if text.is_empty() {
            return None;
        }
        let level = |boundary: &[u8]| self.waiting.get(boundary).and_then(|levels| levels.last().copied());
        let plain = level(text).map(|level| (level, false));
        let closing = text.strip_suffix(b"--").and_then(level).map(|level| (level, true));
        plain.max(closing)
    }

    fn boundary_line(&mut self, level: usize, is_close: bool, line_start: u64, lines: u64) {
        self.end_headers(line_start, lines);
        self.close(level + 1, line_start - self.last_break, lines - u64::from(self.last_break > 0));
        if is_close {
            self.stop_waiting(level);
        } else if self.parts.len() < self.limits.parts {
            let parent = self.open[level].index;
            let child = self.open_part(self.line_start);
            self.parts[parent].children.push(child);
        }
    }

    fn header_line(&mut self, text: &[u8], line_start: u64, lines: u64) {
        if text.is_empty() {
            return self.end_header(self.line_start, self.lines);
        }
        let is_first = self.parts[self.top()].header_start == line_start;
        if is_first && !starts_header(text) {
            // No header at all: this line is body already.
            let line = std::mem::take(&mut self.block);
            self.header_left += line.len();
            self.end_headers(line_start, lines);
            self.sampler.push(&line);
        }
    }

    /// Ends the header of the innermost part because its body, or nothing, follows; and that of a message embedded in
    /// it, which then has no header.
    fn end_headers(&mut self, body_start: u64, lines: u64) {
        while self.state == State::Header {
            self.end_header(body_start, lines);
        }
    }

    /// The header of the innermost part is complete: its body starts at `body_start`, after `lines` line breaks.
    fn end_header(&mut self, body_start: u64, lines: u64) {
        let block = std::mem::take(&mut self.block);
        let level = self.open.len() - 1;
        let index = self.open[level].index;
        let digest = level > 0 && self.open[level - 1].digest;
        let old = std::mem::take(&mut self.parts[index]);
        self.parts[index] = Part { header_start: old.header_start, body_start, ..part_of(&block, digest) };
        self.open[level].lines_before = lines;
        self.state = State::Body;
        if level == 0 {
            self.root_block = block;
        } else if let Some(embedded) = &mut self.parts[self.open[level - 1].index].embedded {
            embedded.envelope = Envelope::parse(&block);
        }
        self.enter_body(index, body_start);
    }

    fn enter_body(&mut self, index: usize, body_start: u64) {
        let is_full = self.open.len() > self.limits.depth || self.parts.len() >= self.limits.parts;
        let part = &mut self.parts[index];
        let is_message = part.is_message();
        if !is_message && !part.is_multipart() {
            if !self.open.iter().any(|open| self.parts[open.index].embedded.is_some()) {
                self.sampler.start(index, &self.parts[index]);
            }
        } else if is_full {
            (part.media_type, part.subtype) = ("application".to_owned(), "octet-stream".to_owned());
        } else if is_message {
            let root = self.open_part(body_start);
            self.parts[index].embedded = Some(Box::new(Embedded { root, envelope: Envelope::default() }));
        } else if let Some(open) = self.open.last_mut() {
            open.digest = part.subtype == "digest";
            open.boundary = boundary_of(part);
            if let Some(boundary) = &open.boundary {
                self.waiting.entry(boundary.clone()).or_default().push(self.open.len() - 1);
            }
        }
    }

    /// The multipart at `level` is closed: its boundary means nothing any more. Inner levels have stopped before.
    fn stop_waiting(&mut self, level: usize) {
        if let Some(boundary) = self.open[level].boundary.take()
            && let Entry::Occupied(mut levels) = self.waiting.entry(boundary)
        {
            levels.get_mut().pop();
            if levels.get().is_empty() {
                levels.remove();
            }
        }
    }

    fn open_part(&mut self, header_start: u64) -> u32 {
        let index = self.parts.len();
        self.parts.push(Part { header_start, body_start: header_start, ..Part::default() });
        self.open.push(Open { index, boundary: None, digest: false, lines_before: 0 });
        self.state = State::Header;
        index as u32
    }

    /// Closes the open parts from `level` inwards at `end`, where `lines` line breaks were passed. `end` can lie before
    /// the blank line of a header that a boundary line follows: the outermost part keeps that blank line, parts within
    /// it shrink to their parent's body.
    fn close(&mut self, level: usize, end: u64, lines: u64) {
        (level..self.open.len()).rev().for_each(|level| self.stop_waiting(level));
        let mut limit = end;
        for (depth, open) in self.open.drain(level..).enumerate() {
            let part = &mut self.parts[open.index];
            if depth == 0 {
                limit = limit.max(part.body_start);
            }
            part.header_start = part.header_start.min(limit);
            part.body_start = part.body_start.min(limit);
            part.body_end = limit;
            part.lines = lines.saturating_sub(open.lines_before);
            if part.is_multipart() && part.children.is_empty() {
                // No boundary was found: people shall see the text.
                (part.media_type, part.subtype) = ("text".to_owned(), "plain".to_owned());
            }
            self.sampler.end(open.index, part.body_end - part.body_start);
        }
    }

    fn top(&self) -> usize {
        self.open.last().map_or(0, |open| open.index)
    }
}

impl Sampler {
    /// A sampler that keeps `limit` bytes of each body.
    pub(crate) fn new(limit: usize) -> Sampler {
        Sampler { limit, ..Sampler::default() }
    }

    /// Begins a body: kept when it is text to show and no earlier text of its subtype had content.
    fn start(&mut self, index: usize, part: &Part) {
        let is_attachment = part.disposition.as_ref().is_some_and(|disposition| disposition.kind == "attachment");
        let is_shown = part.is_text() && matches!(part.subtype.as_str(), "plain" | "html") && !is_attachment;
        let is_html = part.subtype == "html";
        let is_blank = |sample: &Sample| sample.bytes.trim_ascii().is_empty();
        if self.limit > 0 && is_shown && self.samples.iter().all(|known| known.is_html != is_html || is_blank(known)) {
            self.samples.retain(|known| known.is_html != is_html);
            self.samples.push(Sample { index, is_html, bytes: Vec::new() });
            self.is_open = true;
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        if !self.is_open {
            return;
        }
        if let Some(sample) = self.samples.last_mut() {
            let room = self.limit.saturating_sub(sample.bytes.len());
            sample.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// Ends a body of `length` bytes: boundary lines that passed as body are cut off.
    fn end(&mut self, index: usize, length: u64) {
        if let Some(sample) = self.samples.last_mut().filter(|sample| self.is_open && sample.index == index) {
            sample.bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
            self.is_open = false;
        }
    }
}

/// The boundary of a multipart, when it can be one.
fn boundary_of(part: &Part) -> Option<Vec<u8>> {
    let boundary = part.params.raw("boundary")?.trim_ascii_end();
    (!boundary.is_empty() && boundary.len() <= MAX_BOUNDARY).then(|| boundary.to_vec())
}

/// Whether a header can start with this line: a field, or the mark of an mbox.
fn starts_header(line: &[u8]) -> bool {
    if line.starts_with(b"From ") || line.starts_with(b">From ") {
        return true;
    }
    let colon = memchr::memchr(b':', line);
    colon.is_some_and(|colon| is_name(line[..colon].trim_ascii_end()))
}
