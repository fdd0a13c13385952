//! Signing then verifying holds for whatever people send, and for no message of which a signed octet was changed (RFC 6376 §1.1).

use anser_senderauth::dkim::Result;
use anser_senderauth::message::split;
use proptest::prelude::*;

use crate::lab::{self, PLAIN, mail, signed, with_keys};
use crate::zone::Zone;

#[test]
fn the_corpus_verifies_once_signed() {
    let zone = with_keys(Zone::new(), "example.org");
    for (index, raw) in lab::corpus(20).iter().enumerate() {
        // Signatures of those days are of keys that are long gone; only ours count.
        let outcomes = lab::verify(&zone, &signed(raw, "example.org"));
        let ours: Vec<Result> =
            outcomes.iter().filter(|one| one.domain == "example.org").map(|one| one.result).collect();
        assert_eq!(ours, [Result::Pass, Result::Pass], "message {index}");
    }
}

#[test]
fn each_single_octet_counts() {
    let zone = with_keys(Zone::new(), "example.org");
    let whole = signed(&mail(PLAIN), "example.org");
    let (header, body) = split(&whole);
    let start = header.windows(6).rposition(|window| window == b"\r\nFrom").unwrap() + 2;
    let body_start = whole.len() - body.len();
    // Letters and digits of signed fields and of the body: white space may change a little in relaxed form.
    for at in (start..header.len()).chain(body_start..whole.len()) {
        if !whole[at].is_ascii_alphanumeric() {
            continue;
        }
        let mut other = whole.clone();
        other[at] = if other[at] == b'x' { b'q' } else { b'x' };
        if other[at].eq_ignore_ascii_case(&whole[at]) {
            continue;
        }
        let results = lab::results(&zone, &other);
        assert!(!results.contains(&Result::Pass), "octet {at}, {:?}", whole[at] as char);
    }
}

#[test]
fn no_field_that_a_reader_is_shown_can_be_added() {
    let zone = with_keys(Zone::new(), "example.org");
    let whole = signed(&mail("From: ann@example.org\nDate: Sun, 22 Nov 2026 04:00:00 +0000\n\nHi\n"), "example.org");
    for field in
        ["From: eve@example.com", "Subject: Urgent", "To: you", "Reply-To: eve@example.com", "Content-Type: text/html"]
    {
        let added = [field.as_bytes(), b"\r\n", &whole].concat();
        assert_eq!(lab::results(&zone, &added), [Result::Fail, Result::Fail], "{field}");
    }
    let traced = [&b"Received: from a by b\r\n"[..], &whole].concat();
    assert_eq!(lab::results(&zone, &traced), [Result::Pass, Result::Pass]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_body_in_any_pieces_has_one_hash(lines in prop::collection::vec("[ \t\ra-c.]{0,12}", 0..12), cuts in prop::collection::vec(1..9usize, 0..40)) {
        let body = lines.join("\r\n");
        let raw = [b"From: ann@example.org\r\n\r\n", body.as_bytes()].concat();
        let zone = with_keys(Zone::new(), "example.org");
        let whole = signed(&raw, "example.org");
        prop_assert_eq!(lab::results(&zone, &whole), vec![Result::Pass, Result::Pass]);
        let (header, body) = split(&whole);
        let mut message = anser_senderauth::Message::new(header);
        let mut rest = body;
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            message.push(piece);
            rest = after;
        }
        message.push(rest);
        let dns = anser_senderauth::dns::Dns::new(&zone);
        let passed = message.finish();
        let outcomes = futures_util::FutureExt::now_or_never(anser_senderauth::dkim::verify(&dns, &passed, lab::now())).unwrap();
        prop_assert!(outcomes.iter().all(|outcome| outcome.result == Result::Pass));
    }

    #[test]
    fn any_header_is_taken(raw in prop::collection::vec(any::<u8>(), 0..400), tags in "[a-z]{1,3}=[ -~]{0,20};") {
        let field = format!("DKIM-Signature: v=1; {tags} a=rsa-sha256; d=a.b; s=c; h=from; bh=; b=x\r\nARC-Seal: i=1; {tags}\r\n");
        let raw = [field.as_bytes(), &raw[..]].concat();
        let verdict = lab::judge(&Zone::new(), &raw, "192.0.2.1", "x.example", "");
        prop_assert!(!verdict.results().bytes().any(|byte| byte == 0 || byte > 126));
    }
}
