//! Properties that hold for all bytes: nothing panics, pieces do not matter, offsets nest, stored forms come back.

use anser_mime::address;
use anser_mime::charset;
use anser_mime::date;
use anser_mime::encoding::{Decoder, Encoding, decode};
use anser_mime::envelope::Envelope;
use anser_mime::header::{self, Select};
use anser_mime::params;
use anser_mime::structure::{Limits, Structure};
use anser_mime::summary::{MessageParser, base_subject, parse_message};
use anser_mime::text;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces of which real and hostile mail is made, more telling than random bytes alone.
const PIECES: [&str; 40] = [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\n\n",
    "--",
    "--a",
    "--b",
    "--ab",
    "--a--",
    "--b--",
    "\r\n--a\r\n",
    "\r\n--b\r\n",
    "\r\n--a--\r\n",
    "\n--b--",
    "Content-Type: multipart/mixed; boundary=a\r\n",
    "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n",
    "Content-Type: multipart/digest; boundary=\"b\"\r\n\r\n",
    "Content-Type: multipart/alternative;\r\n boundary=ab\r\n\r\n--ab\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: text/html\r\n\r\n<p>&amp;",
    "Subject: =?gbk?B?sai45g==?=\r\n",
    "From: G: a <a@b>, \"c\" <@r:c@d>;\r\n",
    "To: (x) a@b, ;:<>\"\r\n",
    "References: <a@b> <c@d>\r\n",
    "Date: Wed, 1 Jan 2020 00:00:00 +0800\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "YWJj=",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "=3D=\r\n",
    "Content-Disposition: attachment; filename*0*=utf-8''%e5\r\n",
    "Content-Language: en, zh\r\nContent-ID: <x>\r\nContent-MD5: q\r\n",
    "no colon",
    "From a@b\r\n",
    " folded\r\n",
    ":",
    "\0",
    "文",
    "a",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..6),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn check_nesting(structure: &Structure, index: usize, low: u64, high: u64) -> usize {
    let part = &structure.parts[index];
    assert!(low <= part.header_start && part.header_start <= part.body_start);
    assert!(part.body_start <= part.body_end && part.body_end <= high, "{structure:#?}");
    assert_eq!(part.is_multipart(), !part.children.is_empty());
    assert_eq!(part.embedded.is_some(), part.is("message", "rfc822") || part.is("message", "global"));
    let mut seen = 1;
    let mut low = part.body_start;
    for &child in &part.children {
        seen += check_nesting(structure, child as usize, low, part.body_end);
        low = structure.parts[child as usize].body_end;
    }
    if let Some(embedded) = &part.embedded {
        assert_eq!(structure.parts[embedded.root as usize].header_start, part.body_start);
        assert_eq!(structure.parts[embedded.root as usize].body_end, part.body_end);
        seen += check_nesting(structure, embedded.root as usize, part.body_start, part.body_end);
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_do_not_matter(message in bytes(), sizes in vec(1usize..50, 1..20)) {
        let whole = parse_message(&message);
        let mut parser = MessageParser::new(Limits::default());
        let mut rest = &message[..];
        for size in sizes.iter().cycle() {
            let (piece, tail) = rest.split_at(rest.len().min(*size));
            parser.feed(piece);
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(parser.finish(), whole);
    }

    #[test]
    fn pieces_do_not_matter_at_small_limits(message in bytes(), size in 1usize..30) {
        let limits = Limits { parts: 3, depth: 2, header_bytes: 60 };
        let mut whole = MessageParser::new(limits);
        whole.feed(&message);
        let whole = whole.finish();
        let mut parser = MessageParser::new(limits);
        message.chunks(size).for_each(|piece| parser.feed(piece));
        prop_assert!(whole.structure.parts.len() <= 3);
        prop_assert_eq!(parser.finish(), whole);
    }

    #[test]
    fn offsets_nest_and_every_part_is_reached(message in bytes()) {
        let structure = parse_message(&message).structure;
        prop_assert_eq!(structure.size, message.len() as u64);
        prop_assert_eq!(structure.root().header_start, 0);
        prop_assert_eq!(structure.root().body_end, structure.size);
        prop_assert_eq!(check_nesting(&structure, 0, 0, structure.size), structure.parts.len());
        for part in &structure.parts {
            let body = &message[part.body_start as usize..part.body_end as usize];
            prop_assert_eq!(part.lines, body.iter().filter(|byte| **byte == b'\n').count() as u64);
        }
    }

    #[test]
    fn stored_forms_come_back(message in bytes()) {
        let parsed = parse_message(&message);
        let structure = parsed.structure;
        prop_assert_eq!(Structure::from_bytes(&structure.to_bytes()), Some(structure));
        let envelope = parsed.summary.envelope;
        prop_assert_eq!(Envelope::from_bytes(&envelope.to_bytes()), Some(envelope));
    }

    #[test]
    fn stored_forms_survive_garbage(message in bytes(), at in any::<usize>(), flip in 1u8.., cut in any::<usize>()) {
        let mut stored = parse_message(&message).structure.to_bytes();
        let length = stored.len();
        stored[at % length] ^= flip;
        stored.truncate(cut % (length * 4));
        if let Some(structure) = Structure::from_bytes(&stored) {
            structure.section(&[1, 1, 1, 2]);
            structure.message(&[1, 2]);
            structure.parts.iter().for_each(|part| assert!(part.body_size() <= structure.size));
        }
        Structure::from_bytes(&message);
        Envelope::from_bytes(&message);
    }

    #[test]
    fn selected_fields_are_in_the_header(block in bytes()) {
        let names: [&[u8]; 3] = [b"to", b"subject", b"content-type"];
        let only = header::select(&block, &names, Select::Only);
        let not = header::select(&block, &names, Select::Not);
        let mut end = 0;
        for field in header::fields(&block) {
            prop_assert_eq!(field.range.start, end);
            end = field.range.end;
        }
        let blank = only.len() + not.len() - end;
        prop_assert!(blank.is_multiple_of(2) && blank <= 4);
        prop_assert!(end + blank / 2 <= block.len());
    }

    #[test]
    fn decoders_take_anything(bytes in bytes(), size in 1usize..9) {
        for encoding in [Encoding::Identity, Encoding::Base64, Encoding::QuotedPrintable, Encoding::Uuencode] {
            let mut out = Vec::new();
            let mut decoder = Decoder::new(encoding);
            bytes.chunks(size).for_each(|piece| decoder.push(piece, &mut out));
            decoder.finish(&mut out);
            prop_assert!(out.len() <= bytes.len());
            prop_assert_eq!(out, decode(encoding, &bytes));
        }
    }

    #[test]
    fn texts_take_anything(bytes in vec(any::<u8>(), 0..200)) {
        for label in ["utf-8", "gbk", "big5", "hz-gb-2312", "iso-2022-cn", "iso-2022-jp", "utf-7", "utf-16", "latin1"] {
            charset::decode(Some(label), &bytes);
            charset::decode_prefix(Some(label), &bytes);
        }
        let seven: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
        for label in ["hz-gb-2312", "iso-2022-cn", "iso-2022-kr", "utf-7"] {
            charset::decode(Some(label), &seven);
        }
        charset::decode(None, &bytes);
        base_subject(&text::decode_header(&bytes));
        address::parse_list(&bytes);
        params::parse(&bytes);
        date::parse(&bytes);
        date::parse_internal_date(&bytes);
        parse_message(&bytes);
    }

    #[test]
    fn words_take_anything(tail in "[=?QqBb a-z<>(),;:\"\\\\@\\-~{}+]{0,80}") {
        text::decode_header(tail.as_bytes());
        address::parse_list(tail.as_bytes());
        params::parse(tail.as_bytes());
        date::parse(tail.as_bytes());
        base_subject(&tail);
        charset::decode(Some("hz"), tail.as_bytes());
        charset::decode(Some("utf-7"), tail.as_bytes());
        parse_message(format!("Content-Type: text/html\n\n{tail}").as_bytes());
    }
}
