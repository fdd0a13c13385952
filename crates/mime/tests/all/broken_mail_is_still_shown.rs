//! Messages that break the rules: their content stays reachable, and limits hold.

use crate::sections_are_numbered_like_imap::{body, header, structure};
use anser_mime::structure::{Limits, StructureParser};

#[test]
fn no_bytes_and_no_header() {
    assert!(structure(b"").root().is("text", "plain"));
    let message = b"just text\r\nwith: colon\r\n";
    let parsed = structure(message);
    assert_eq!(body(message, parsed.root()), message);
    assert_eq!(parsed.root().lines, 2);
    let message = b"\r\nbody";
    assert_eq!(body(message, structure(message).root()), b"body");
}

#[test]
fn header_only_with_or_without_an_end() {
    let message = b"Subject: x\r\nTo: y";
    let parsed = structure(message);
    assert_eq!(header(message, parsed.root()), message);
    assert_eq!(body(message, parsed.root()), b"");
}

#[test]
fn an_mbox_line_and_broken_lines_stay_in_the_header() {
    let message = b"From a@b Thu Jan  1\nnonsense\nSubject: x\n\nbody";
    let parsed = structure(message);
    assert_eq!(body(message, parsed.root()), b"body");
}

#[test]
fn bare_line_feeds_and_nul() {
    let message = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\na\0b\rc\n--b \t\n\nd\n--b--";
    let parsed = structure(message);
    assert_eq!(body(message, parsed.section(&[1]).unwrap()), b"a\0b\rc");
    assert_eq!(body(message, parsed.section(&[2]).unwrap()), b"d");
}

#[test]
fn a_multipart_without_boundary_is_its_text() {
    for head in ["multipart/mixed", "multipart/mixed; boundary=b", "multipart/mixed; boundary=\"\""] {
        let message = format!("Content-Type: {head}\r\n\r\n--x\r\nhello\r\n");
        let parsed = structure(message.as_bytes());
        assert!(parsed.root().is("text", "plain"), "{head}");
        assert_eq!(body(message.as_bytes(), parsed.section(&[1]).unwrap()), b"--x\r\nhello\r\n");
    }
}

#[test]
fn unterminated_and_reused_boundaries() {
    let message = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\
Content-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\n\r\none\r\n--a\r\n\r\ntwo\r\n--ab\r\nstill two";
    let parsed = structure(message);
    assert_eq!(body(message, parsed.section(&[1, 1]).unwrap()), b"one");
    assert_eq!(body(message, parsed.section(&[2]).unwrap()), b"two\r\n--ab\r\nstill two");
    let message = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\
Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\none\r\n--a--\r\n--a\r\n\r\ntwo\r\n--a--\r\n--a\r\nend";
    let parsed = structure(message);
    assert_eq!(body(message, parsed.section(&[1, 1]).unwrap()), b"one");
    assert_eq!(body(message, parsed.section(&[2]).unwrap()), b"two");
    assert_eq!(parsed.section(&[3]), None);
}

#[test]
fn parts_without_blank_line_or_content() {
    let message =
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\r\n--b\r\nContent-Type: image/png\r\n\
--b\r\nno header here\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n--b--";
    let parsed = structure(message);
    let text = |path: &[u32]| String::from_utf8_lossy(body(message, parsed.section(path).unwrap())).into_owned();
    assert_eq!(text(&[1]), "");
    assert_eq!(text(&[2]), "");
    assert_eq!(text(&[3]), "");
    assert_eq!(parsed.section(&[3]).unwrap().media_type, "image");
    assert_eq!(text(&[4]), "no header here");
    assert_eq!(text(&[5]), "Subject: x\r\n");
    assert_eq!(header(message, parsed.message(&[5]).unwrap()), b"Subject: x\r\n");
}

#[test]
fn limits_turn_the_rest_into_content() {
    let mut message = Vec::new();
    for level in 0..150 {
        message.extend_from_slice(
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").as_bytes(),
        );
    }
    let parsed = structure(&message);
    assert_eq!(parsed.parts.len(), 101);
    assert!(parsed.parts[100].is("application", "octet-stream"));
    assert_eq!(parsed.parts[100].body_end, message.len() as u64);

    let mut message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    message.extend(b"--b\r\n\r\nx\r\n".repeat(3_000));
    assert_eq!(structure(&message).parts.len(), 1_000);

    let message = b"Content-Type: message/rfc822\r\n\r\n".repeat(2_000);
    let parsed = structure(&message);
    assert_eq!(parsed.parts.len(), 101);
    assert!(parsed.parts[100].embedded.is_none());
}

#[test]
fn a_large_header_is_cut_but_offsets_are_right() {
    let mut message = b"Subject: first\r\n".to_vec();
    message.extend(b"X-Filler: 0123456789\r\n".repeat(20_000));
    message.extend_from_slice(b"\r\nbody");
    let mut parser = StructureParser::new(Limits { header_bytes: 1_000, ..Limits::default() });
    message.chunks(999).for_each(|piece| parser.feed(piece));
    assert_eq!(body(&message, parser.finish().root()), b"body");
}
