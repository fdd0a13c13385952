//! FETCH and its sections.

use super::search::partial_range;
use super::{Bad, Cursor, second};
use crate::imap::{Fetch, FetchItem, Partial, PartialRange, SECTION_DEPTH_MAX, Section, SectionText};

pub(super) fn fetch(c: &mut Cursor<'_>, uid: bool) -> Result<Fetch, Bad> {
    c.space()?;
    let set = c.sequence_set()?;
    c.space()?;
    let items = match c.peek() {
        Some(b'(') => c.list1(items)?.concat(),
        _ => items(c)?,
    };
    let mut fetch = Fetch { uid, set, items, changed_since: None, vanished: false, partial: None };
    if c.more() {
        for modifier in c.list1(modifier)? {
            match modifier {
                Modifier::ChangedSince(mod_seq) => fetch.changed_since = Some(mod_seq),
                Modifier::Vanished => fetch.vanished = true,
                Modifier::Partial(_) if fetch.partial.is_some() => return Err(Bad("PARTIAL may stand only once")),
                Modifier::Partial(range) => fetch.partial = Some(range),
            }
        }
    }
    if fetch.vanished && (fetch.changed_since.is_none() || !uid) {
        return Err(Bad("VANISHED wants UID FETCH and CHANGEDSINCE"));
    }
    Ok(fetch)
}

enum Modifier {
    ChangedSince(u64),
    Vanished,
    Partial(PartialRange),
}

fn modifier(c: &mut Cursor<'_>) -> Result<Modifier, Bad> {
    match c.keyword()?.as_str() {
        "CHANGEDSINCE" => second(c, Cursor::number64).map(Modifier::ChangedSince),
        "VANISHED" => Ok(Modifier::Vanished),
        "PARTIAL" => second(c, partial_range).map(Modifier::Partial),
        _ => Err(Bad("Unknown FETCH modifier")),
    }
}

/// One item, or the several of a macro.
pub(super) fn items(c: &mut Cursor<'_>) -> Result<Vec<FetchItem>, Bad> {
    use FetchItem::{Body, BodyStructure, Envelope, Flags, InternalDate, Rfc822Size};
    let word = c.word()?;
    Ok(vec![match word.as_str() {
        "ALL" => return Ok(vec![Flags, InternalDate, Rfc822Size, Envelope]),
        "FAST" => return Ok(vec![Flags, InternalDate, Rfc822Size]),
        "FULL" => return Ok(vec![Flags, InternalDate, Rfc822Size, Envelope, Body]),
        "BODY" | "BODY.PEEK" if c.peek() == Some(b'[') => body_section(c, word == "BODY.PEEK")?,
        "BODY" => Body,
        "BODYSTRUCTURE" => BodyStructure,
        "ENVELOPE" => Envelope,
        "FLAGS" => Flags,
        "INTERNALDATE" => InternalDate,
        "RFC822" => FetchItem::Rfc822,
        "RFC822.HEADER" => FetchItem::Rfc822Header,
        "RFC822.SIZE" => Rfc822Size,
        "RFC822.TEXT" => FetchItem::Rfc822Text,
        "UID" => FetchItem::Uid,
        "BINARY" | "BINARY.PEEK" => binary(c, word == "BINARY.PEEK")?,
        "BINARY.SIZE" => FetchItem::BinarySize(bracketed_part(c)?),
        "MODSEQ" => FetchItem::ModSeq,
        "EMAILID" => FetchItem::EmailId,
        "THREADID" => FetchItem::ThreadId,
        "SAVEDATE" => FetchItem::SaveDate,
        "PREVIEW" => preview(c)?,
        _ => return Err(Bad("Unknown FETCH item")),
    }])
}

fn preview(c: &mut Cursor<'_>) -> Result<FetchItem, Bad> {
    let modified = matches!(c.rest(), [b' ', b'(', b'L' | b'l', b'A' | b'a', b'Z' | b'z', b'Y' | b'y', ..]);
    if modified {
        c.space()?;
        if c.list1(Cursor::keyword)? != ["LAZY"] {
            return Err(Bad("PREVIEW knows LAZY only"));
        }
    }
    Ok(FetchItem::Preview { lazy: modified })
}

fn binary(c: &mut Cursor<'_>, peek: bool) -> Result<FetchItem, Bad> {
    Ok(FetchItem::Binary { peek, part: bracketed_part(c)?, partial: partial(c)? })
}

fn bracketed_part(c: &mut Cursor<'_>) -> Result<Vec<u32>, Bad> {
    c.expect(b'[', "A section is wanted")?;
    let part = part(c)?;
    c.expect(b']', "Bad section")?;
    Ok(part)
}

/// Part numbers; a dot behind the last is read too, and stands before a section text.
fn part(c: &mut Cursor<'_>) -> Result<Vec<u32>, Bad> {
    let mut part = Vec::new();
    while c.peek().is_some_and(|b| b.is_ascii_digit()) {
        if part.len() == SECTION_DEPTH_MAX {
            return Err(Bad("A section is too deep"));
        }
        part.push(c.nz_number()?);
        if !c.eat(b'.') {
            break;
        }
        if matches!(c.peek(), Some(b']') | None) {
            return Err(Bad("Bad section"));
        }
    }
    Ok(part)
}

fn body_section(c: &mut Cursor<'_>, peek: bool) -> Result<FetchItem, Bad> {
    c.expect(b'[', "A section is wanted")?;
    let section = section(c)?;
    c.expect(b']', "Bad section")?;
    Ok(FetchItem::BodySection { peek, section, partial: partial(c)? })
}

/// `section-spec`, up to a bracket or the end.
pub(in crate::imap) fn section(c: &mut Cursor<'_>) -> Result<Section, Bad> {
    let part = part(c)?;
    let text = match c.peek() {
        Some(b']') | None => None,
        _ => Some(section_text(c, !part.is_empty())?),
    };
    Ok(Section { part, text })
}

fn section_text(c: &mut Cursor<'_>, in_part: bool) -> Result<SectionText, Bad> {
    Ok(match c.word()?.as_str() {
        "HEADER" => SectionText::Header,
        "HEADER.FIELDS" => SectionText::HeaderFields(header_list(c)?),
        "HEADER.FIELDS.NOT" => SectionText::HeaderFieldsNot(header_list(c)?),
        "TEXT" => SectionText::Text,
        "MIME" if in_part => SectionText::Mime,
        _ => return Err(Bad("Bad section")),
    })
}

fn header_list(c: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    second(c, |c| c.list1(header_name))
}

/// The name is written back in the response, so it must be one.
fn header_name(c: &mut Cursor<'_>) -> Result<String, Bad> {
    let name = c.astring()?;
    let good = name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if good && !name.is_empty() { Ok(name) } else { Err(Bad("Bad name of a header field")) }
}

fn partial(c: &mut Cursor<'_>) -> Result<Option<Partial>, Bad> {
    if !c.eat(b'<') {
        return Ok(None);
    }
    let start = c.number64()?;
    c.expect(b'.', "Bad partial range")?;
    let length = c.number64()?;
    c.expect(b'>', "Bad partial range")?;
    if length == 0 { Err(Bad("A partial range is empty")) } else { Ok(Some(Partial { start, length })) }
}
