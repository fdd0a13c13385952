//! The stored form of a structure: a version byte, the size, then the parts in order. Offsets are differences to the
//! part before, absent fields cost one bit, so that typical mail stays below 300 bytes.

use super::{Disposition, Embedded, Part, Structure};
use anser_base::pack::put_number;

use crate::codec::{Reader, put_bytes};
use crate::envelope::Envelope;
use crate::params::Params;

/// Version of the byte form; other versions are refused, and the caller parses the message again.
const VERSION: u8 = 1;

/// Levels of nesting that stored bytes may tell; more than any parser limit in use.
pub const MAX_STORED_DEPTH: usize = 1_000;

const HAS_DISPOSITION: u64 = 1;
const HAS_ID: u64 = 1 << 1;
const HAS_DESCRIPTION: u64 = 1 << 2;
const HAS_ENCODING: u64 = 1 << 3;
const HAS_LANGUAGE: u64 = 1 << 4;
const HAS_LOCATION: u64 = 1 << 5;
const HAS_MD5: u64 = 1 << 6;
const HAS_EMBEDDED: u64 = 1 << 7;
const HAS_CHILDREN: u64 = 1 << 8;

impl Structure {
    /// The compact stored form, versioned.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.push(VERSION);
        put_number(&mut out, self.size);
        put_number(&mut out, self.parts.len() as u64);
        let mut before = 0;
        for part in &self.parts {
            write_part(part, before, &mut out);
            before = part.body_start;
        }
        out
    }

    /// Reads [`Structure::to_bytes`]; `None` for another version or for bytes that cannot be a structure. What it
    /// answers is safe to walk: indices exist and point forward, every part has one parent, at most
    /// [`MAX_STORED_DEPTH`] levels are nested, offsets of a part are in order.
    pub fn from_bytes(bytes: &[u8]) -> Option<Structure> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != VERSION {
            return None;
        }
        let size = reader.number()?;
        let count = reader.count()?;
        let mut parts: Vec<Part> = Vec::new();
        let mut before = 0;
        for index in 0..count {
            let part = read_part(&mut reader, before, index, count)?;
            before = part.body_start;
            if part.body_end > size {
                return None;
            }
            parts.push(part);
        }
        (reader.left() == 0 && is_tree(&parts)).then_some(Structure { parts, size })
    }
}

fn write_part(part: &Part, before: u64, out: &mut Vec<u8>) {
    put_number(out, flags(part));
    put_bytes(out, part.media_type.as_bytes());
    put_bytes(out, part.subtype.as_bytes());
    write_params(&part.params, out);
    if let Some(disposition) = &part.disposition {
        put_bytes(out, disposition.kind.as_bytes());
        write_params(&disposition.params, out);
    }
    let encoding = part.encoding.as_ref().map(|encoding| encoding.as_bytes().to_vec());
    for text in [&part.id, &part.description, &encoding, &part.location, &part.md5].into_iter().flatten() {
        put_bytes(out, text);
    }
    if !part.language.is_empty() {
        put_number(out, part.language.len() as u64);
        part.language.iter().for_each(|tag| put_bytes(out, tag.as_bytes()));
    }
    put_number(out, zigzag(part.header_start.wrapping_sub(before)));
    put_number(out, part.body_start - part.header_start);
    put_number(out, part.body_end - part.body_start);
    put_number(out, part.lines);
    if !part.children.is_empty() {
        put_number(out, part.children.len() as u64);
        part.children.iter().for_each(|&child| put_number(out, u64::from(child)));
    }
    if let Some(embedded) = &part.embedded {
        put_number(out, u64::from(embedded.root));
        embedded.envelope.write(out);
    }
}

fn flags(part: &Part) -> u64 {
    let flag = |set: bool, flag: u64| if set { flag } else { 0 };
    flag(part.disposition.is_some(), HAS_DISPOSITION)
        | flag(part.id.is_some(), HAS_ID)
        | flag(part.description.is_some(), HAS_DESCRIPTION)
        | flag(part.encoding.is_some(), HAS_ENCODING)
        | flag(!part.language.is_empty(), HAS_LANGUAGE)
        | flag(part.location.is_some(), HAS_LOCATION)
        | flag(part.md5.is_some(), HAS_MD5)
        | flag(part.embedded.is_some(), HAS_EMBEDDED)
        | flag(!part.children.is_empty(), HAS_CHILDREN)
}

/// A part may start before the last body started (empty parts at the end): differences carry a sign.
fn zigzag(difference: u64) -> u64 {
    let signed = difference as i64;
    ((signed << 1) ^ (signed >> 63)) as u64
}

fn unzigzag(value: u64) -> u64 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

fn write_params(params: &Params, out: &mut Vec<u8>) {
    put_number(out, params.0.len() as u64);
    for (name, value) in &params.0 {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value);
    }
}

fn read_part(reader: &mut Reader<'_>, before: u64, index: usize, count: usize) -> Option<Part> {
    let flags = reader.number()?;
    let has = |flag: u64| flags & flag != 0;
    let mut part = Part { media_type: reader.string()?, subtype: reader.string()?, ..Part::default() };
    part.params = read_params(reader)?;
    if has(HAS_DISPOSITION) {
        part.disposition = Some(Disposition { kind: reader.string()?, params: read_params(reader)? });
    }
    let mut bytes = |flag: u64| if has(flag) { reader.bytes().map(Some) } else { Some(None) };
    (part.id, part.description) = (bytes(HAS_ID)?, bytes(HAS_DESCRIPTION)?);
    part.encoding = bytes(HAS_ENCODING)?.map(String::from_utf8).transpose().ok()?;
    (part.location, part.md5) = (bytes(HAS_LOCATION)?, bytes(HAS_MD5)?);
    if has(HAS_LANGUAGE) {
        part.language = (0..reader.count()?).map(|_| reader.string()).collect::<Option<_>>()?;
    }
    part.header_start = before.wrapping_add(unzigzag(reader.number()?));
    part.body_start = part.header_start.checked_add(reader.number()?)?;
    part.body_end = part.body_start.checked_add(reader.number()?)?;
    part.lines = reader.number()?;
    if has(HAS_CHILDREN) {
        part.children = (0..reader.count()?).map(|_| read_index(reader, index, count)).collect::<Option<_>>()?;
    }
    if has(HAS_EMBEDDED) {
        let root = read_index(reader, index, count)?;
        part.embedded = Some(Box::new(Embedded { root, envelope: Envelope::read(reader)? }));
    }
    (part.is_multipart() != part.children.is_empty() && part.is_message() == part.embedded.is_some()).then_some(part)
}

/// Whether every part but the first is the child of exactly one part, and nesting is no deeper than allowed.
fn is_tree(parts: &[Part]) -> bool {
    let mut depths = vec![0usize; parts.len()];
    for (index, part) in parts.iter().enumerate() {
        if (index > 0) == (depths[index] == 0) || depths[index] > MAX_STORED_DEPTH {
            return false;
        }
        let below = depths[index] + 1;
        for &child in part.children.iter().chain(part.embedded.as_ref().map(|embedded| &embedded.root)) {
            if std::mem::replace(&mut depths[child as usize], below) != 0 {
                return false;
            }
        }
    }
    !parts.is_empty()
}

/// An index into the parts; it points forward, so that walks end.
fn read_index(reader: &mut Reader<'_>, own: usize, count: usize) -> Option<u32> {
    let index = u32::try_from(reader.number()?).ok()?;
    (own < index as usize && (index as usize) < count).then_some(index)
}

fn read_params(reader: &mut Reader<'_>) -> Option<Params> {
    let count = reader.count()?;
    let mut params = Vec::new();
    for _ in 0..count {
        params.push((reader.string()?, reader.bytes()?));
    }
    Some(Params(params))
}
