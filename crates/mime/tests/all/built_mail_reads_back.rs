//! What the builder writes, the parser reads; nothing injected gets through.

use anser_mime::address::parse_list;
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_mime::encoding;
use anser_mime::header;
use anser_mime::summary::parse_message;
use anser_mime::text::decode_header;
use proptest::prelude::*;

const DATE: DateTime = DateTime { unix: 1_577_808_000, offset_minutes: 480 };

fn bounce() -> Vec<u8> {
    let headers = Headers::new()
        .date("Date", DATE)
        .addresses("From", &[Mailbox { name: "邮件系统", email: "postmaster@example.cn" }])
        .addresses("To", &[Mailbox { name: "", email: "a@b" }, Mailbox { name: "C. D", email: "c d@e" }])
        .text("Subject", "退信：无法投递您发给很多很多人的那一封有很长很长标题的关于会议的邮件")
        .structured("Auto-Submitted", "auto-replied");
    let status = Entity::delivery_status(&[
        vec![("Reporting-MTA", "dns; mx.example.cn".to_owned())],
        vec![
            ("Final-Recipient", "rfc822; x@y".to_owned()),
            ("Action", "failed".to_owned()),
            ("Diagnostic-Code", "smtp; 550 no\r\n 5.1.1 用户".to_owned()),
        ],
    ]);
    let text = Entity::text("plain", "您好\n邮件没有送达。", TextEncoding::QuotedPrintable);
    let original = Entity::rfc822_headers(b"Subject: \xb1\xa8\r\nX: y\r\n\r\nbody");
    message(headers, Entity::report("delivery-status", "=_b0undary", &[text, status, original]))
}

#[test]
fn a_delivery_report() {
    let mail = bounce();
    let parsed = parse_message(&mail);
    let body = |path: &[u32]| {
        let part = parsed.structure.section(path).unwrap();
        encoding::decode(part.transfer_encoding(), &mail[part.body_start as usize..part.body_end as usize])
    };
    assert!(parsed.structure.root().is("multipart", "report"));
    assert_eq!(parsed.structure.root().params.raw("report-type"), Some(&b"delivery-status"[..]));
    assert_eq!(String::from_utf8(body(&[1])).unwrap(), "您好\r\n邮件没有送达。");
    let status = "Reporting-MTA: dns; mx.example.cn\r\n\r\n\
Final-Recipient: rfc822; x@y\r\nAction: failed\r\nDiagnostic-Code: smtp; 550 no 5.1.1 ??\r\n";
    assert_eq!(String::from_utf8(body(&[2])).unwrap(), status);
    assert_eq!(body(&[3]), b"Subject: \xb1\xa8\r\nX: y\r\n");
    assert_eq!(parsed.structure.parts.len(), 4);
    let summary = parsed.summary;
    assert_eq!(summary.sent, Some(DATE.unix));
    assert_eq!(summary.subject, "退信：无法投递您发给很多很多人的那一封有很长很长标题的关于会议的邮件");
    assert_eq!(summary.envelope.from[0].name_text(), "邮件系统");
    assert_eq!(summary.envelope.to[1].email().as_deref(), Some("c d@e"));
    assert_eq!(summary.envelope.to[1].name_text(), "C. D");
    assert_eq!(summary.preview, "您好 邮件没有送达。");
    assert!(!summary.has_attachment);
}

#[test]
fn lines_are_short() {
    for line in String::from_utf8_lossy(&bounce()).split("\r\n") {
        assert!(line.len() <= 76, "{line}");
    }
    let long = "x".repeat(3_000);
    for encoding in [TextEncoding::Plain, TextEncoding::QuotedPrintable, TextEncoding::Base64] {
        let mail = message(Headers::new().text("Subject", &long), Entity::text("plain", &long, encoding));
        assert!(mail.split(|byte| *byte == b'\n').all(|line| line.len() <= 77));
    }
}

#[test]
fn attachments_keep_their_names() {
    let long = format!("{}.pdf", "报告".repeat(60));
    for name in ["报告.pdf", "a \"b\".pdf", "x.pdf", "two  blanks.pdf", &"x".repeat(300), &long] {
        let part = Entity::attachment("application/pdf", name, b"%PDF");
        let mail = message(Headers::new(), Entity::multipart("mixed", "b", &[part]));
        let parsed = parse_message(&mail);
        assert_eq!(parsed.structure.section(&[1]).unwrap().file_name().as_deref(), Some(name));
        assert!(parsed.summary.has_attachment);
        assert!(mail.split(|byte| *byte == b'\n').all(|line| line.len() <= 77), "{name}");
    }
}

/// RFC 5322 §3.4.
#[test]
fn groups_keep_their_names_and_members() {
    let (ann, bob) = (Mailbox { name: "Ann", email: "ann@x" }, Mailbox { name: "", email: "bob@x" });
    let groups = [(None, vec![ann]), (Some("A, B"), vec![ann, bob]), (Some("朋友"), vec![]), (None, vec![bob])];
    let block = Headers::new().groups("To", &groups).into_bytes();
    let list = anser_mime::address::parse_list(header::find(&block, "To").unwrap().value);
    let shown: Vec<String> = list
        .iter()
        .map(|entry| match entry.host {
            Some(_) => entry.email().unwrap(),
            None if entry.is_group_start() => format!("{}:", entry.name_text()),
            None => ";".to_owned(),
        })
        .collect();
    assert_eq!(shown, ["ann@x", "A, B:", "ann@x", "bob@x", ";", "朋友:", ";", "bob@x"]);
}

/// Text with everything that could end a field or an address.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(
            &["\r\n", "\n", "\r", "\r\n\r\n", "\0", "Bcc: x", ",", ";", ":", "<", ">", "@", "\"", "\\"][..]
        )
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        "[ -~]{0,30}",
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_stay_in_their_field(value in hostile(), email in hostile(), raw in hostile()) {
        let headers = Headers::new()
            .text("Subject", &value)
            .structured("X-Raw", &raw)
            .addresses("To", &[Mailbox { name: &value, email: &email }])
            .groups("Cc", &[(Some(&value), vec![Mailbox { name: &value, email: &email }])])
            .parameterised("X-Type", "a/b", &[("name", &value)])
            .text(&value, "no such name");
        let block = headers.into_bytes();
        let names: Vec<&[u8]> = header::fields(&block).map(|field| field.name).collect();
        prop_assert_eq!(&names[..5], [&b"Subject"[..], b"X-Raw", b"To", b"Cc", b"X-Type"]);
        prop_assert!(names.len() <= 6);
        let end = header::fields(&block).last().map_or(0, |field| field.range.end);
        prop_assert_eq!(end, block.len());
        let to = header::find(&block, "To").unwrap();
        prop_assert!(parse_list(to.value).len() <= 1);
    }

    #[test]
    fn subjects_come_back(value in "[ -~äß文字报告🎉=?]{0,200}") {
        let block = Headers::new().text("Subject", &value).into_bytes();
        let field = header::find(&block, "Subject").unwrap();
        prop_assert_eq!(decode_header(field.value), value.trim());
    }

    #[test]
    fn texts_come_back(text in "[ -~\t\n文=.]{0,300}") {
        for encoding in [TextEncoding::Plain, TextEncoding::QuotedPrintable, TextEncoding::Base64] {
            let mail = message(Headers::new(), Entity::text("plain", &text, encoding));
            let parsed = parse_message(&mail);
            let part = parsed.structure.root();
            let body = encoding::decode(part.transfer_encoding(), &mail[part.body_start as usize..]);
            prop_assert_eq!(String::from_utf8(body).unwrap(), text.replace('\n', "\r\n"));
        }
    }
}
