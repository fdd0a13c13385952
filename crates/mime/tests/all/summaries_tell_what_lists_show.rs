//! Subject, threads, preview and attachment mark of whole messages.

use anser_mime::structure::Limits;
use anser_mime::summary::{MessageParser, parse_message};

const MAIL: &[u8] = b"Message-ID: <2@x>\r\n\
References: <0@x> <1@x>\r\n\
In-Reply-To: <1@x>\r\n\
Date: Wed, 1 Jan 2020 00:00:00 +0800\r\n\
From: =?gbk?B?1cXI/Q==?= <zhang@example.cn>\r\n\
Subject: =?utf-8?B?5Zue5aSN77ya5oql5ZGK?=\r\n\
Content-Type: multipart/mixed; boundary=m\r\n\
\r\n\
--m\r\n\
Content-Type: multipart/alternative; boundary=a\r\n\
\r\n\
--a\r\n\
Content-Type: text/plain; charset=gb2312\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
xPq6w6OsDQq8+7i9vP4=\r\n\
--a\r\n\
Content-Type: text/html\r\n\
\r\n\
<p>html</p>\r\n\
--a--\r\n\
--m\r\n\
Content-Type: application/pdf; name=a.pdf\r\n\
\r\n\
%PDF\r\n\
--m--\r\n";

#[test]
fn a_reply_with_an_attachment() {
    let summary = parse_message(MAIL).summary;
    assert_eq!(summary.subject, "回复：报告");
    assert_eq!(summary.base_subject, "报告");
    assert_eq!(summary.sent, Some(1_577_808_000));
    assert_eq!(summary.message_ids, ["2@x", "0@x", "1@x"]);
    assert_eq!(summary.preview, "您好， 见附件");
    assert_eq!(summary.envelope.from[0].name_text(), "张三");
    assert!(summary.has_attachment);
}

#[test]
fn pieces_give_the_same_as_the_whole() {
    for size in 1..64 {
        let mut parser = MessageParser::new(Limits::default());
        MAIL.chunks(size).for_each(|piece| parser.feed(piece));
        assert_eq!(parser.finish(), parse_message(MAIL), "{size}");
    }
}

fn preview(content: &str) -> String {
    parse_message(content.as_bytes()).summary.preview
}

#[test]
fn previews_come_from_readable_text() {
    assert_eq!(preview("Subject: x\n\n  a\n\n b "), "a b");
    assert_eq!(preview("Content-Type: text/html\n\n<style>x</style><p>a<br>b"), "a b");
    let alternative =
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<b>h</b>";
    assert_eq!(preview(alternative), "h");
    let quoted = format!("Content-Transfer-Encoding: quoted-printable\n\n{}", "=E6=96=87".repeat(40_000));
    assert_eq!(preview(&quoted), "文".repeat(200));
    assert_eq!(preview("Content-Type: image/png\n\nx"), "");
    assert_eq!(preview("Content-Type: message/rfc822\n\n\ninner"), "");
    assert_eq!(preview(&format!("\n{}", "长".repeat(100_000))).chars().count(), 200);
}

fn attached(content_type: &str, part: &str) -> bool {
    let message = format!("Content-Type: {content_type}; boundary=b\n\n--b\n\ntext\n--b\n{part}\n\nx\n--b--\n");
    parse_message(message.as_bytes()).summary.has_attachment
}

#[test]
fn attachments_are_what_people_can_open() {
    assert!(attached("multipart/mixed", "Content-Type: application/zip"));
    assert!(attached("multipart/mixed", "Content-Disposition: attachment"));
    assert!(attached("multipart/mixed", "Content-Type: image/png"));
    assert!(attached("multipart/mixed", "Content-Type: message/rfc822"));
    assert!(attached("multipart/related", "Content-Type: application/zip; name=x.zip"));
    assert!(!attached("multipart/mixed", "Content-Type: text/html"));
    assert!(!attached("multipart/related", "Content-Type: image/png; name=a.png\nContent-ID: <a>"));
    assert!(!attached("multipart/signed", "Content-Type: application/pgp-signature; name=s.asc"));
    assert!(!attached("multipart/report", "Content-Type: message/rfc822"));
}
