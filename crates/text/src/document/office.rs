//! Office Open XML (ECMA-376) and OpenDocument (OASIS): zips of XML, whose text is the character data of a few members.

use std::io::{BufRead, BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::{Failed, Limited, UNPACKED};

/// Members of a zip that are looked at.
const MEMBERS: usize = 10_000;
/// Nested elements.
const DEPTH: usize = 1000;

/// Members that hold text: where their names begin, and how they end.
const TEXTS: [(&str, &str); 16] = [
    ("word/document", ".xml"),
    ("word/header", ".xml"),
    ("word/footer", ".xml"),
    ("word/footnotes", ".xml"),
    ("word/endnotes", ".xml"),
    ("word/comments", ".xml"),
    ("xl/sharedStrings", ".xml"),
    ("xl/worksheets/", ".xml"),
    ("xl/workbook", ".xml"),
    ("xl/comments", ".xml"),
    ("ppt/slides/", ".xml"),
    ("ppt/notesSlides/", ".xml"),
    ("ppt/comments/", ".xml"),
    ("docProps/core", ".xml"),
    ("content", ".xml"),
    ("meta", ".xml"),
];

/// Elements, by their local names, that part words; all others stand within them.
const BREAKS: [&str; 22] = [
    "p",
    "h",
    "br",
    "tab",
    "cr",
    "tr",
    "tc",
    "si",
    "c",
    "row",
    "table-cell",
    "table-row",
    "line-break",
    "s",
    "title",
    "creator",
    "subject",
    "keyword",
    "keywords",
    "description",
    "comment",
    "sheet",
];

/// Elements whose character data is not text: indices of shared strings, formulas, positions.
const SILENT: [&str; 4] = ["f", "posOffset", "instrText", "binData"];

pub(super) fn text(bytes: &[u8], out: &mut Limited) -> Result<(), Failed> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Failed)?;
    if zip.len() > MEMBERS {
        return Err(Failed);
    }
    let mut left = UNPACKED;
    let mut failed = false;
    for at in 0..zip.len() {
        let Ok(member) = zip.by_index(at) else {
            failed |= is_text_index(&zip, at);
            continue;
        };
        if !member.name().is_ok_and(|name| is_text(&name)) {
            continue;
        }
        let mut member = member.take(left);
        failed |= member_text(BufReader::new(&mut member), out).is_err();
        left = member.limit();
        if left == 0 {
            out.is_full = true;
        }
        if out.is_full {
            return Ok(());
        }
    }
    if failed && out.text.is_empty() { Err(Failed) } else { Ok(()) }
}

fn is_text_index(zip: &ZipArchive<Cursor<&[u8]>>, at: usize) -> bool {
    zip.name_for_index(at).is_some_and(|name| name.is_ok_and(|name| is_text(&name)))
}

fn is_text(name: &str) -> bool {
    TEXTS.iter().any(|(start, end)| name.starts_with(start) && name.ends_with(end))
}

fn member_text(source: impl BufRead, out: &mut Limited) -> Result<(), Failed> {
    let mut reader = Reader::from_reader(source);
    reader.config_mut().check_end_names = false;
    let (mut buffer, mut silent, mut depth) = (Vec::new(), Vec::new(), 0usize);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| Failed)? {
            Event::Eof => return Ok(()),
            Event::Start(start) => {
                depth += 1;
                if depth > DEPTH {
                    return Err(Failed);
                }
                let is_index = start.local_name().as_ref() == "c" && is_shared(&start);
                if is_index || is_one_of(&SILENT, start.local_name().as_ref()) {
                    silent.push(depth);
                }
                end_word(start.local_name().as_ref(), out);
            }
            Event::End(end) => {
                if silent.last() == Some(&depth) {
                    silent.pop();
                }
                depth = depth.saturating_sub(1);
                end_word(end.local_name().as_ref(), out);
            }
            Event::Empty(empty) => end_word(empty.local_name().as_ref(), out),
            Event::Text(text) if silent.is_empty() => out.push(&text),
            Event::CData(text) if silent.is_empty() => out.push(&text),
            Event::GeneralRef(entity) if silent.is_empty() => {
                let number = entity.resolve_char_ref().ok().flatten();
                let named = || resolve_predefined_entity(&entity);
                match number {
                    Some(c) => out.push(c.encode_utf8(&mut [0; 4])),
                    None => out.push(named().unwrap_or(" ")),
                }
            }
            _ => {}
        }
        if out.is_full {
            return Ok(());
        }
    }
}

/// Whether a cell of a sheet holds the index of a string that stands elsewhere (ECMA-376 §18.3.1.4).
fn is_shared(cell: &quick_xml::events::BytesStart<'_>) -> bool {
    cell.attributes().flatten().any(|attribute| attribute.key.as_ref() == "t" && attribute.value == "s")
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.contains(&name)
}

fn end_word(name: &str, out: &mut Limited) {
    if is_one_of(&BREAKS, name) && !out.text.is_empty() && !out.text.ends_with('\n') {
        out.push("\n");
    }
}
