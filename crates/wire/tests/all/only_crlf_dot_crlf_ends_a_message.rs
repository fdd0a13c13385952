//! The DATA stream: no look-alike of `<CRLF>.<CRLF>` ends a message, however the bytes arrive.

use anser_wire::smtp::{DataDecoder, DataEncoder, Progress};
use proptest::prelude::*;

/// Decodes `input` in pieces of the given lengths (then the rest).
fn decode(input: &[u8], cuts: &[usize]) -> (Vec<u8>, Progress) {
    let (mut decoder, mut out, mut consumed, mut rest) = (DataDecoder::new(), Vec::new(), 0, input);
    for &cut in cuts.iter().chain([&usize::MAX]) {
        let (piece, tail) = rest.split_at(cut.min(rest.len()));
        let progress = decoder.push(piece, &mut out);
        consumed += progress.consumed;
        if progress.done || tail.is_empty() {
            return (out, Progress { consumed, ..progress });
        }
        rest = tail;
    }
    unreachable!()
}

fn encode(input: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut encoder, mut out, mut rest) = (DataEncoder::new(), Vec::new(), input);
    for &cut in cuts {
        let (piece, tail) = rest.split_at(cut.min(rest.len()));
        encoder.push(piece, &mut out);
        rest = tail;
    }
    encoder.push(rest, &mut out);
    encoder.finish(&mut out);
    out
}

#[test]
fn no_other_spelling_of_the_end_is_one() {
    let spellings: [&[u8]; 21] = [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\n.\r",
        b"\r.\n",
        b"\r\n\0.\r\n",
        b"\r\n.\0\r\n",
        b"\r\n.\r\0\n",
        b"\r\r\n.\r\r\n",
        b"\n\r.\r\n",
        b"\r\n.\n\r",
        b"\r\n..\r\n",
        b"\r\n.\r\r\n",
        b"\r\n .\r\n",
        b"\r\n.\t\r\n",
        b"\r\n. \r\n",
        b"\n\n.\r\n",
        b"\r\0\n.\r\n",
    ];
    for spelling in spellings {
        let mut input = b"Subject: a\r\n\r\nbody".to_vec();
        input.extend_from_slice(spelling);
        input.extend_from_slice(b"MAIL FROM:<admin@example.com>\r\nmore");
        let (_, progress) = decode(&input, &[]);
        assert!(!progress.done, "{:?} ended the message", spelling.escape_ascii().to_string());
        let left = spelling.escape_ascii().to_string().replace("\\r\\n", "");
        let bare = left.contains("\\r") || left.contains("\\n");
        assert_eq!(progress.bare_newline, bare, "{:?}", spelling.escape_ascii().to_string());
        input.extend_from_slice(b"\r\n.\r\nQUIT\r\n");
        let (_, progress) = decode(&input, &[]);
        assert_eq!((progress.done, progress.consumed), (true, input.len() - 6));
    }
}

#[test]
fn dots_are_unstuffed_only_at_the_start_of_a_line() {
    let (out, progress) = decode(b".leading\r\n..two\r\na.b\r\n.\r\nNOOP\r\n", &[]);
    assert_eq!(out, b"leading\r\n.two\r\na.b\r\n");
    assert_eq!(progress, Progress { consumed: 25, done: true, bare_newline: false });
}

#[test]
fn a_message_may_be_empty() {
    assert_eq!(decode(b".\r\n", &[]), (vec![], Progress { consumed: 3, done: true, bare_newline: false }));
    assert_eq!(encode(b"", &[]), b".\r\n");
}

#[test]
fn bare_newlines_are_written_as_crlf() {
    assert_eq!(encode(b"a\n.b\r.c\r\n.d\r\r\n", &[]), b"a\r\n..b\r\n..c\r\n..d\r\n\r\n.\r\n");
    assert_eq!(encode(b"no end", &[]), b"no end\r\n.\r\n");
}

/// Octets in which line ends and dots are frequent.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"\r\n..\r\na\0".to_vec()), 0..60)
}

proptest! {
    #[test]
    fn chunks_do_not_matter_to_the_decoder(input in stream(), cuts in prop::collection::vec(0usize..9, 0..30)) {
        prop_assert_eq!(decode(&input, &cuts), decode(&input, &[]));
    }

    #[test]
    fn chunks_do_not_matter_to_the_encoder(input in stream(), cuts in prop::collection::vec(0usize..9, 0..30)) {
        prop_assert_eq!(encode(&input, &cuts), encode(&input, &[]));
    }

    #[test]
    fn what_is_encoded_decodes_to_clean_lines(input in stream(), cuts in prop::collection::vec(0usize..9, 0..30)) {
        let encoded = encode(&input, &[]);
        let (out, progress) = decode(&encoded, &cuts);
        prop_assert_eq!(progress, Progress { consumed: encoded.len(), done: true, bare_newline: false });
        let text = String::from_utf8(input).unwrap().replace("\r\n", "\n").replace('\r', "\n");
        let mut lines = text.replace('\n', "\r\n");
        if !lines.is_empty() && !lines.ends_with("\r\n") {
            lines.push_str("\r\n");
        }
        prop_assert_eq!(String::from_utf8(out).unwrap(), lines);
    }

    #[test]
    fn the_decoder_agrees_with_a_search_for_the_end(input in stream()) {
        let padded = [b"\r\n".as_slice(), &input].concat();
        let end = padded.windows(5).position(|w| w == b"\r\n.\r\n").map(|at| at + 3);
        let (_, progress) = decode(&input, &[]);
        prop_assert_eq!(progress.done.then_some(progress.consumed), end);
    }
}
