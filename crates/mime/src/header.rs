//! Header blocks: the fields of a raw header, found, unfolded and selected without changing a byte.

use std::borrow::Cow;
use std::ops::Range;

/// One field of a header block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Name without the colon and without white space before it; empty for a line that has no colon.
    pub name: &'a [u8],
    /// Everything after the colon, still folded, without the last line break.
    pub value: &'a [u8],
    /// Where the whole field stands in the block, from its name to its last line break.
    pub range: Range<usize>,
}

/// Iterator over the fields of a block; made by [`fields`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    block: &'a [u8],
    at: usize,
}

/// Goes through the fields of `block`, a header with or without its final blank line; stops at the blank line. Lines
/// that are no field (no colon, mbox `From ` lines) come with an empty name.
pub fn fields(block: &[u8]) -> Fields<'_> {
    Fields { block, at: 0 }
}

/// The first field called `name`, letter case ignored.
pub fn find<'a>(block: &'a [u8], name: &str) -> Option<Field<'a>> {
    find_all(block, name).next()
}

/// All fields called `name`, letter case ignored, top down.
pub fn find_all<'a>(block: &'a [u8], name: &str) -> impl Iterator<Item = Field<'a>> {
    fields(block).filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
}

/// The unfolded, trimmed value of the first field called `name`.
pub fn value<'a>(block: &'a [u8], name: &str) -> Option<Cow<'a, [u8]>> {
    find(block, name).map(|field| unfold(field.value))
}

/// Which fields [`select`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// `HEADER.FIELDS`: those named.
    Only,
    /// `HEADER.FIELDS.NOT`: all but those named.
    Not,
}

/// The fields of `block` that `BODY[HEADER.FIELDS (names)]` or `.NOT` shows (RFC 9051 §6.4.5.1), byte for byte, with the
/// final blank line when the block has one. Lines that are no field belong to no name: only `Not` shows them.
pub fn select(block: &[u8], names: &[&[u8]], how: Select) -> Vec<u8> {
    let mut out = Vec::new();
    let mut end = 0;
    for field in fields(block) {
        let named = names.iter().any(|name| name.eq_ignore_ascii_case(field.name)) && !field.name.is_empty();
        if named == (how == Select::Only) {
            out.extend_from_slice(&block[field.range.clone()]);
        }
        end = field.range.end;
    }
    out.extend_from_slice(blank_line(&block[end..]));
    out
}

/// Unfolds a value (RFC 5322 §2.2.3): line breaks and NUL go, the white space after a line break stays, a stray line
/// break becomes a space; white space at both ends is cut.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    if memchr::memchr3(b'\r', b'\n', 0, value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    for (at, &byte) in value.iter().enumerate() {
        match byte {
            0 => {}
            b'\r' | b'\n' => {
                let next = value.get(at + 1).copied().unwrap_or(b' ');
                if !next.is_ascii_whitespace() {
                    out.push(b' ');
                }
            }
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let start = self.at;
        let rest = &self.block[start..];
        if rest.is_empty() || !blank_line(rest).is_empty() {
            return None;
        }
        let end = start + field_length(rest);
        self.at = end;
        let text = without_line_break(&self.block[start..end]);
        let (name, value) = split_field(text);
        Some(Field { name, value, range: start..end })
    }
}

/// Length of the field at the start of `rest`: its line and the lines that continue it.
fn field_length(rest: &[u8]) -> usize {
    let mut end = 0;
    loop {
        end = memchr::memchr(b'\n', &rest[end..]).map_or(rest.len(), |at| end + at + 1);
        if !matches!(rest.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

/// The blank line that `rest` starts with; empty when it starts with something else.
fn blank_line(rest: &[u8]) -> &[u8] {
    match rest {
        [b'\r', b'\n', ..] => &rest[..2],
        [b'\n', ..] => &rest[..1],
        _ => &[],
    }
}

fn without_line_break(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// Splits at the colon; a line whose part before the colon cannot be a name is value only.
fn split_field(text: &[u8]) -> (&[u8], &[u8]) {
    if let Some(colon) = memchr::memchr(b':', text) {
        let name = text[..colon].trim_ascii_end();
        if is_name(name) {
            return (name, &text[colon + 1..]);
        }
    }
    (&[], text)
}

/// Whether `name` can be a field name: printable US-ASCII without space and colon (RFC 5322 §2.2).
pub(crate) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic() && *byte != b':')
}
