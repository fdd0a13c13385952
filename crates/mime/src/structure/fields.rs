//! From a part's header block to the fields of a [`Part`].

use super::{Disposition, Part};
use crate::header;
use crate::params;

/// Bytes kept of one text field of a part (`Content-ID`, `Content-Description` and the like).
const MAX_TEXT: usize = 1_000;

/// Tags kept of `Content-Language`.
const MAX_LANGUAGES: usize = 20;

/// The `Content-*` fields of `block`. `digest` sets the default type of parts of a `multipart/digest`
/// (RFC 2046 §5.1.5).
pub(super) fn part_of(block: &[u8], digest: bool) -> Part {
    let mut part = Part::default();
    for field in header::fields(block) {
        if field.name.len() > 8 && field.name[..8].eq_ignore_ascii_case(b"content-") {
            take(&mut part, &field.name[8..].to_ascii_lowercase(), &header::unfold(field.value));
        }
    }
    if part.media_type.is_empty() {
        let (media_type, subtype) = if digest { ("message", "rfc822") } else { ("text", "plain") };
        part.media_type = media_type.to_owned();
        part.subtype = subtype.to_owned();
    }
    part
}

/// Takes one field; of repeated ones the first counts.
fn take(part: &mut Part, name: &[u8], value: &[u8]) {
    let text = || Some(value[..value.len().min(MAX_TEXT)].to_vec());
    match name {
        b"type" if part.media_type.is_empty() => content_type(part, value),
        b"disposition" if part.disposition.is_none() => part.disposition = disposition(value),
        b"transfer-encoding" if part.encoding.is_none() => part.encoding = encoding(value),
        b"id" if part.id.is_none() => part.id = text(),
        b"description" if part.description.is_none() => part.description = text(),
        b"location" if part.location.is_none() => part.location = text(),
        b"md5" if part.md5.is_none() => part.md5 = text(),
        b"language" if part.language.is_empty() => part.language = languages(value),
        _ => {}
    }
}

fn content_type(part: &mut Part, value: &[u8]) {
    let (head, params) = params::parse(value);
    let (media_type, subtype) = head.split_once('/').unwrap_or((&head, ""));
    let subtype = match (media_type, subtype) {
        ("text", "") => "plain",
        ("multipart", "") => "mixed",
        (_, subtype) => subtype,
    };
    part.params = params;
    if media_type.is_empty() || subtype.is_empty() {
        return;
    }
    part.media_type = media_type.to_owned();
    part.subtype = subtype.to_owned();
}

fn disposition(value: &[u8]) -> Option<Disposition> {
    let (kind, params) = params::parse(value);
    let kind = if kind.is_empty() && !params.0.is_empty() { "attachment".to_owned() } else { kind };
    (!kind.is_empty()).then_some(Disposition { kind, params })
}

/// The first word, without comments and what else people append.
fn encoding(value: &[u8]) -> Option<String> {
    let (word, _) = params::parse(value);
    (!word.is_empty()).then_some(word)
}

fn languages(value: &[u8]) -> Vec<String> {
    let is_tag =
        |tag: &&[u8]| !tag.is_empty() && tag.len() < 64 && tag.iter().all(|b| b.is_ascii_graphic() && *b != b'"');
    let tags = value.split(|byte| *byte == b',').map(|tag| tag.trim_ascii()).filter(is_tag);
    tags.take(MAX_LANGUAGES).map(|tag| String::from_utf8_lossy(tag).into_owned()).collect()
}
