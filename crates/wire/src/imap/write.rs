//! Writing responses: primitives that append to a buffer.
//!
//! Where a function takes `utf8`, it says whether the client has enabled UTF8=ACCEPT or IMAP4rev2, so that quoted
//! strings may hold UTF-8 and mailbox names are not in modified UTF-7.

use super::parse::is_atom_char;
use super::{DateTime, FetchItem, Flag, Partial, Section, SectionText, encode_mutf7};
use std::io::Write;

/// Longest string written in quotes, in octets; longer ones are literals.
pub const QUOTED_MAX: usize = 1_024;

/// The condition that a status response tells (RFC 9051 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// OK
    Ok,
    /// NO
    No,
    /// BAD
    Bad,
    /// BYE, untagged only
    Bye,
    /// PREAUTH, as a greeting only
    PreAuth,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::No => "NO",
            Status::Bad => "BAD",
            Status::Bye => "BYE",
            Status::PreAuth => "PREAUTH",
        }
    }
}

/// Writes `tag OK [code] text` and CRLF; the tag `*` makes it untagged. `code` comes without brackets, empty for none.
/// What must not stand in a line becomes `?` in the text.
pub fn write_status(out: &mut Vec<u8>, tag: &str, status: Status, code: &str, text: &str) {
    out.extend_from_slice(tag.as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.name().as_bytes());
    if !code.is_empty() {
        out.extend_from_slice(b" [");
        write_text(out, code);
        out.push(b']');
    }
    out.push(b' ');
    write_text(out, if text.is_empty() { "." } else { text });
    write_crlf(out);
}

/// Writes a continuation request: `+ text` and CRLF. SASL challenges go here in base64.
pub fn write_continuation(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"+ ");
    write_text(out, text);
    write_crlf(out);
}

/// Writes CRLF.
pub fn write_crlf(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    match text.contains(char::is_control) {
        false => out.extend_from_slice(text.as_bytes()),
        true => out.extend_from_slice(text.replace(char::is_control, "?").as_bytes()),
    }
}

/// Writes a number in decimal.
pub fn write_number(out: &mut Vec<u8>, number: u64) {
    let (mut digits, mut rest) = ([0; 20], number);
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return out.extend_from_slice(&digits[at..]);
        }
    }
}

/// Writes a string in quotes if it can be, else as a literal, and as literal8 if it holds NUL (RFC 9051 §4.3).
pub fn write_string(out: &mut Vec<u8>, octets: &[u8], utf8: bool) {
    let fits = octets.len() <= QUOTED_MAX && !octets.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n'));
    if fits && (octets.is_ascii() || (utf8 && std::str::from_utf8(octets).is_ok())) {
        return write_quoted(out, octets);
    }
    let size = octets.len() as u64;
    if octets.contains(&0) {
        write_literal8_header(out, size)
    } else {
        write_literal_header(out, size)
    }
    out.extend_from_slice(octets);
}

/// Writes a string, or NIL.
pub fn write_nstring(out: &mut Vec<u8>, octets: Option<&[u8]>, utf8: bool) {
    match octets {
        Some(octets) => write_string(out, octets, utf8),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Writes a field of a message, or NIL, where the grammar knows no literal8 (ENVELOPE, BODYSTRUCTURE): NUL is shown as 0x80.
pub fn write_field(out: &mut Vec<u8>, octets: Option<&[u8]>, utf8: bool) {
    match octets {
        Some(octets) if octets.contains(&0) => {
            let shown: Vec<u8> = octets.iter().map(|octet| if *octet == 0 { 0x80 } else { *octet }).collect();
            write_string(out, &shown, utf8);
        }
        other => write_nstring(out, other, utf8),
    }
}

/// Writes an atom if it can be one, else a string.
pub fn write_astring(out: &mut Vec<u8>, octets: &[u8], utf8: bool) {
    let atom = !octets.is_empty() && octets.iter().all(|&b| b.is_ascii() && (is_atom_char(b) || b == b']'));
    if atom && !octets.eq_ignore_ascii_case(b"NIL") {
        out.extend_from_slice(octets);
    } else {
        write_string(out, octets, utf8);
    }
}

/// Writes a mailbox name.
pub fn write_mailbox(out: &mut Vec<u8>, name: &str, utf8: bool) {
    match utf8 {
        true => write_quoted_or_literal(out, name),
        false => write_astring_quoted(out, encode_mutf7(name).as_bytes()),
    }
}

/// Names are always quoted unless they are `INBOX`: some clients trip over atoms with unusual characters.
fn write_astring_quoted(out: &mut Vec<u8>, octets: &[u8]) {
    if octets == b"INBOX" { out.extend_from_slice(octets) } else { write_string(out, octets, false) }
}

fn write_quoted_or_literal(out: &mut Vec<u8>, name: &str) {
    if name == "INBOX" { out.extend_from_slice(b"INBOX") } else { write_string(out, name.as_bytes(), true) }
}

fn write_quoted(out: &mut Vec<u8>, octets: &[u8]) {
    out.push(b'"');
    let mut rest = octets;
    while let Some(at) = rest.iter().position(|octet| matches!(octet, b'"' | b'\\')) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', rest[at]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Writes `{size}` and CRLF; exactly `size` octets must follow.
pub fn write_literal_header(out: &mut Vec<u8>, size: u64) {
    let _ = write!(out, "{{{size}}}\r\n");
}

/// Writes `~{size}` and CRLF, for octets that may hold NUL (RFC 3516).
pub fn write_literal8_header(out: &mut Vec<u8>, size: u64) {
    let _ = write!(out, "~{{{size}}}\r\n");
}

/// Writes `(item item ...)`.
pub fn write_list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut item: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'(');
    for (at, one) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        item(out, one);
    }
    out.push(b')');
}

/// Writes a list of flags.
pub fn write_flags<'a>(out: &mut Vec<u8>, flags: impl IntoIterator<Item = &'a Flag>) {
    write_list(out, flags, |out, flag| {
        let _ = write!(out, "{flag}");
    });
}

/// Writes an INTERNALDATE in quotes.
pub fn write_date_time(out: &mut Vec<u8>, date: DateTime) {
    out.push(b'"');
    out.extend_from_slice(&date.to_bytes());
    out.push(b'"');
}

/// Writes numbers in the order given, runs of ascending neighbours as ranges: for ESEARCH, VANISHED and COPYUID (whose
/// two sets correspond member by member). Nothing for no numbers, which the protocol has no word for.
pub fn write_number_set(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>) {
    let mut run: Option<(u32, u32)> = None;
    for number in numbers {
        run = match run {
            Some((first, last)) if last.checked_add(1) == Some(number) => Some((first, number)),
            Some(run) => {
                write_range(out, run);
                out.push(b',');
                Some((number, number))
            }
            None => Some((number, number)),
        };
    }
    if let Some(run) = run {
        write_range(out, run);
    }
}

fn write_range(out: &mut Vec<u8>, (first, last): (u32, u32)) {
    write_number(out, u64::from(first));
    if first != last {
        out.push(b':');
        write_number(out, u64::from(last));
    }
}

/// Writes the name under which an item stands in a FETCH response: `BODY[1.HEADER.FIELDS (FROM)]<0>`.
pub fn write_fetch_name(out: &mut Vec<u8>, item: &FetchItem) {
    let name = match item {
        FetchItem::Body => "BODY",
        FetchItem::BodyStructure => "BODYSTRUCTURE",
        FetchItem::Envelope => "ENVELOPE",
        FetchItem::Flags => "FLAGS",
        FetchItem::InternalDate => "INTERNALDATE",
        FetchItem::Rfc822 => "RFC822",
        FetchItem::Rfc822Header => "RFC822.HEADER",
        FetchItem::Rfc822Size => "RFC822.SIZE",
        FetchItem::Rfc822Text => "RFC822.TEXT",
        FetchItem::Uid => "UID",
        FetchItem::ModSeq => "MODSEQ",
        FetchItem::EmailId => "EMAILID",
        FetchItem::ThreadId => "THREADID",
        FetchItem::SaveDate => "SAVEDATE",
        FetchItem::Preview { .. } => "PREVIEW",
        FetchItem::BodySection { section, partial, .. } => return write_body_section(out, section, *partial),
        FetchItem::Binary { part, partial, .. } => {
            out.extend_from_slice(b"BINARY");
            write_bracketed_part(out, part);
            return write_origin(out, *partial);
        }
        FetchItem::BinarySize(part) => {
            out.extend_from_slice(b"BINARY.SIZE");
            return write_bracketed_part(out, part);
        }
    };
    out.extend_from_slice(name.as_bytes());
}

fn write_body_section(out: &mut Vec<u8>, section: &Section, partial: Option<Partial>) {
    out.extend_from_slice(b"BODY[");
    write_part(out, &section.part);
    if !section.part.is_empty() && section.text.is_some() {
        out.push(b'.');
    }
    match &section.text {
        None => {}
        Some(SectionText::Header) => out.extend_from_slice(b"HEADER"),
        Some(SectionText::Text) => out.extend_from_slice(b"TEXT"),
        Some(SectionText::Mime) => out.extend_from_slice(b"MIME"),
        Some(SectionText::HeaderFields(names)) => write_header_fields(out, "HEADER.FIELDS ", names),
        Some(SectionText::HeaderFieldsNot(names)) => write_header_fields(out, "HEADER.FIELDS.NOT ", names),
    }
    out.push(b']');
    write_origin(out, partial);
}

fn write_header_fields(out: &mut Vec<u8>, word: &str, names: &[String]) {
    out.extend_from_slice(word.as_bytes());
    write_list(out, names, |out, name| write_astring(out, name.as_bytes(), false));
}

fn write_bracketed_part(out: &mut Vec<u8>, part: &[u32]) {
    out.push(b'[');
    write_part(out, part);
    out.push(b']');
}

fn write_part(out: &mut Vec<u8>, part: &[u32]) {
    for (at, number) in part.iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        write_number(out, u64::from(*number));
    }
}

fn write_origin(out: &mut Vec<u8>, partial: Option<Partial>) {
    if let Some(Partial { start, .. }) = partial {
        let _ = write!(out, "<{start}>");
    }
}
