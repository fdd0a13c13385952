//! Section numbers, offsets and body structure as RFC 9051 §6.4.5.1 has them.

use anser_mime::header::{self, Select};
use anser_mime::structure::{Limits, Part, Structure, StructureParser};

/// The example tree of RFC 9051 §6.4.5.1: sections 1 to 4.2.2.2.
const EXAMPLE: &[u8] = b"From: a@b\r\n\
Content-Type: multipart/mixed; boundary=outer\r\n\
\r\n\
preamble\r\n\
--outer\r\n\
Content-Type: text/plain; charset=us-ascii\r\n\
\r\n\
one\r\nlines\r\n\
--outer\r\n\
Content-Type: application/octet-stream\r\n\
\r\n\
two\r\n\
--outer\r\n\
Content-Type: message/rfc822\r\n\
\r\n\
Subject: three\r\n\
Content-Type: multipart/mixed; boundary=inner\r\n\
\r\n\
--inner\r\n\
\r\n\
three.one\r\n\
--inner\r\n\
Content-Type: application/octet-stream\r\n\
\r\n\
three.two\r\n\
--inner--\r\n\
\r\n\
--outer\r\n\
Content-Type: multipart/mixed; boundary=\"four\"\r\n\
\r\n\
--four\r\n\
Content-Type: image/gif\r\n\
Content-ID: <gif@x>\r\n\
\r\n\
four.one\r\n\
--four\r\n\
Content-Type: MESSAGE/RFC822\r\n\
\r\n\
Subject: four.two\r\n\
From: c@d\r\n\
Content-Type: multipart/mixed; boundary=deep\r\n\
\r\n\
--deep\r\n\
\r\n\
four.two.one\r\n\
--deep\r\n\
Content-Type: multipart/alternative; boundary=alt\r\n\
\r\n\
--alt\r\n\
\r\n\
four.two.two.one\r\n\
--alt\r\n\
Content-Type: text/richtext\r\n\
\r\n\
four.two.two.two\r\n\
--alt--\r\n\
--deep--\r\n\
--four--\r\n\
--outer--\r\n\
epilogue\r\n";

pub fn structure(message: &[u8]) -> Structure {
    let mut parser = StructureParser::new(Limits::default());
    parser.feed(message);
    parser.finish()
}

pub fn body<'a>(message: &'a [u8], part: &Part) -> &'a [u8] {
    &message[part.body_start as usize..part.body_end as usize]
}

pub fn header<'a>(message: &'a [u8], part: &Part) -> &'a [u8] {
    &message[part.header_start as usize..part.body_start as usize]
}

#[test]
fn the_example_of_the_rfc() {
    let parsed = structure(EXAMPLE);
    let told = |path: &[u32]| parsed.section(path).map(|part| (part.subtype.clone(), body(EXAMPLE, part).to_vec()));
    let leaf = |subtype: &str, text: &[u8]| Some((subtype.to_owned(), text.to_vec()));
    assert_eq!(told(&[1]), leaf("plain", b"one\r\nlines"));
    assert_eq!(told(&[2]), leaf("octet-stream", b"two"));
    assert_eq!(parsed.section(&[3]).unwrap().subtype, "rfc822");
    assert_eq!(told(&[3, 1]), leaf("plain", b"three.one"));
    assert_eq!(told(&[3, 2]), leaf("octet-stream", b"three.two"));
    assert_eq!(parsed.section(&[4]).unwrap().subtype, "mixed");
    assert_eq!(told(&[4, 1]), leaf("gif", b"four.one"));
    assert_eq!(told(&[4, 2, 1]), leaf("plain", b"four.two.one"));
    assert_eq!(parsed.section(&[4, 2, 2]).unwrap().subtype, "alternative");
    assert_eq!(told(&[4, 2, 2, 1]), leaf("plain", b"four.two.two.one"));
    assert_eq!(told(&[4, 2, 2, 2]), leaf("richtext", b"four.two.two.two"));
    for missing in [&[0][..], &[5], &[1, 1], &[3, 3], &[4, 2, 2, 3], &[4, 2, 2, 1, 1], &[4, 0]] {
        assert_eq!(told(missing), None, "{missing:?}");
    }
    assert_eq!(Structure::from_bytes(&parsed.to_bytes()), Some(parsed));
}

#[test]
fn header_text_and_mime_of_embedded_messages() {
    let parsed = structure(EXAMPLE);
    let third = parsed.message(&[3]).unwrap();
    assert!(header(EXAMPLE, third).starts_with(b"Subject: three\r\n"));
    assert!(header(EXAMPLE, third).ends_with(b"boundary=inner\r\n\r\n"));
    assert!(body(EXAMPLE, third).starts_with(b"--inner\r\n"));
    assert!(body(EXAMPLE, third).ends_with(b"--inner--\r\n"));
    let fourth = parsed.section(&[4, 2]).unwrap();
    assert_eq!(header(EXAMPLE, fourth), b"Content-Type: MESSAGE/RFC822\r\n\r\n");
    let envelope = &fourth.embedded.as_ref().unwrap().envelope;
    assert_eq!(envelope.subject.as_deref(), Some(&b"four.two"[..]));
    assert_eq!(envelope.sender[0].email().as_deref(), Some("c@d"));
    assert!(parsed.message(&[4]).is_none());
    assert_eq!(parsed.section(&[4, 1]).unwrap().id.as_deref(), Some(&b"<gif@x>"[..]));
}

#[test]
fn lines_are_counted_within_the_body() {
    let parsed = structure(EXAMPLE);
    assert_eq!(parsed.section(&[1]).unwrap().lines, 1);
    assert_eq!(parsed.section(&[3]).unwrap().lines, 11);
    assert_eq!(parsed.root().lines, EXAMPLE.iter().filter(|byte| **byte == b'\n').count() as u64 - 3);
    assert_eq!(structure(b"\r\na\nb").root().lines, 1);
}

#[test]
fn a_message_that_is_no_multipart_has_part_one() {
    let message = b"Subject: x\r\n\r\nbody\r\n";
    let parsed = structure(message);
    assert_eq!(body(message, parsed.section(&[1]).unwrap()), b"body\r\n");
    assert_eq!(parsed.section(&[1, 1]), None);
    assert_eq!(parsed.section(&[2]), None);
    assert_eq!(parsed.message(&[]), Some(parsed.root()));
}

#[test]
fn a_message_in_a_message_has_its_part_one() {
    let message = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner\r\n";
    let parsed = structure(message);
    assert_eq!(body(message, parsed.section(&[1, 1]).unwrap()), b"inner\r\n");
    assert_eq!(parsed.message(&[1]).unwrap().header_start, 32);
}

#[test]
fn parts_of_a_digest_are_messages() {
    let message = b"Content-Type: multipart/digest; boundary=d\r\n\r\n\
--d\r\n\r\nSubject: one\r\n\r\n1\r\n--d\r\nContent-Type: text/plain\r\n\r\n2\r\n--d--\r\n";
    let parsed = structure(message);
    assert!(parsed.section(&[1]).unwrap().is("message", "rfc822"));
    assert_eq!(body(message, parsed.section(&[1, 1]).unwrap()), b"1");
    assert!(parsed.section(&[2]).unwrap().is("text", "plain"));
}

#[test]
fn header_fields_are_selected_as_stored() {
    let block = b"From x@y\r\nTo: a\r\n b\r\nX: 1\r\nsubject : s\r\nto: c\n\r\nbody";
    let select = |names: &[&str], how| {
        let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        String::from_utf8(header::select(block, &names, how)).unwrap()
    };
    assert_eq!(select(&["TO", "Subject"], Select::Only), "To: a\r\n b\r\nsubject : s\r\nto: c\n\r\n");
    assert_eq!(select(&["To"], Select::Not), "From x@y\r\nX: 1\r\nsubject : s\r\n\r\n");
    assert_eq!(select(&["none"], Select::Only), "\r\n");
    assert_eq!(header::select(b"To: a", &[b"to"], Select::Only), b"To: a");
    assert_eq!(header::select(b"To: a\r\n", &[b"cc"], Select::Only), b"");
}

#[test]
fn a_typical_structure_is_stored_in_few_bytes() {
    let message =
        b"Content-Type: multipart/alternative; boundary=\"----=_NextPart_000_0001_01D5C0A0.12345678\"\r\n\r\n\
------=_NextPart_000_0001_01D5C0A0.12345678\r\n\
Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n\
------=_NextPart_000_0001_01D5C0A0.12345678\r\n\
Content-Type: text/html; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>\r\n\
------=_NextPart_000_0001_01D5C0A0.12345678--\r\n";
    let stored = structure(message).to_bytes();
    assert!(stored.len() < 130, "{}", stored.len());
}
