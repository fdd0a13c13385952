//! Text as Chinese and other mail really carries it, labelled, mislabelled and bare.

use anser_mime::charset::decode;
use anser_mime::summary::parse_message;
use anser_mime::text::decode_header;

#[test]
fn subjects() {
    let cases: [(&[u8], &str); 9] = [
        (b"\xb9\xd8\xd3\xda\xbb\xe1\xd2\xe9\xb5\xc4\xcd\xa8\xd6\xaa", "关于会议的通知"),
        (b"\xb3q\xaa\xbe\xa1G\xb7|\xc4\xb3\xae\xc9\xb6\xa1", "通知：會議時間"),
        (b"=?gb2312?B?6UbOxA==?=", "镕文"),
        (b"=?HZ-GB-2312?Q?~{=3C=3AKy2=3B~}?=", "己所不"),
        (b"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?big5?B?pl60Xw==?=", "回復"),
        (b"=?koi8-r?B?8NLJ18XU?=", "Привет"),
        (b"=?utf-7?Q?+Zi9gVA-?=", "是恔"),
        (b"\x1b$BF|K\\\x1b(B", "日本"),
    ];
    for (raw, text) in cases {
        assert_eq!(decode_header(raw), text, "{}", String::from_utf8_lossy(raw));
    }
}

#[test]
fn bodies_without_a_true_label() {
    let gbk = b"\xc4\xfa\xba\xc3\xa3\xac\xc7\xeb\xb2\xe9\xca\xd5\xb8\xbd\xbc\xfe\xa1\xa3";
    for label in ["", "charset=us-ascii", "charset=utf-8", "charset=iso-8859-1", "charset=x-nonsense", "charset=gb2312"]
    {
        let mut message = format!("Content-Type: text/plain; {label}\r\n\r\n").into_bytes();
        message.extend_from_slice(gbk);
        assert_eq!(parse_message(&message).summary.preview, "您好，请查收附件。", "{label}");
    }
}

#[test]
fn other_scripts_are_guessed() {
    let russian =
        b"\xfd\xf2\xee \xf1\xee\xee\xe1\xf9\xe5\xed\xe8\xe5 \xed\xe0 \xf0\xf3\xf1\xf1\xea\xee\xec \xff\xe7\xfb\xea\xe5";
    assert_eq!(decode(None, russian), "это сообщение на русском языке");
    assert_eq!(decode(None, b"d\xe9j\xe0 vu, \xe7a marche tr\xe8s bien"), "déjà vu, ça marche très bien");
    assert_eq!(decode(None, b"\xa4\xb3\xa4\xf3\xa4\xcb\xa4\xc1\xa4\xcf\xc0\xa4\xb3\xa6"), "こんにちは世界");
    assert_eq!(decode(None, b"\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4 \xb0\xed\xb0\xb4\xb4\xd4"), "안녕하세요 고객님");
}
