//! Charsets as people really label them: bytes and a label in, text out, always.

mod cns;
mod guess;
mod iso2022;
mod utf7;

use std::borrow::Cow;

use encoding_rs::{BIG5, EUC_KR, Encoding, GB18030, ISO_2022_JP, UTF_8, WINDOWS_1252};

pub use guess::guess;

/// What decodes a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// One of the encodings of the WHATWG Encoding Standard.
    Standard(&'static Encoding),
    /// HZ-GB-2312 (RFC 1843).
    Hz,
    /// ISO-2022-CN and ISO-2022-KR (RFC 1922, RFC 1557).
    Iso2022,
    /// UTF-7 (RFC 2152).
    Utf7,
}

/// Labels that the WHATWG standard does not know, or knows as something else than mail means.
const ALIASES: [(&str, Charset); 30] = [
    ("gb_2312-80", Charset::Standard(GB18030)),
    ("gb2312-80", Charset::Standard(GB18030)),
    ("gb-2312", Charset::Standard(GB18030)),
    ("gb2312_charset", Charset::Standard(GB18030)),
    ("chinesesimplified", Charset::Standard(GB18030)),
    ("gb18030-2022", Charset::Standard(GB18030)),
    ("gb-18030", Charset::Standard(GB18030)),
    ("gb_18030", Charset::Standard(GB18030)),
    ("cp936", Charset::Standard(GB18030)),
    ("ms936", Charset::Standard(GB18030)),
    ("936", Charset::Standard(GB18030)),
    ("windows-936", Charset::Standard(GB18030)),
    ("euc-cn", Charset::Standard(GB18030)),
    ("euccn", Charset::Standard(GB18030)),
    ("gbk2312", Charset::Standard(GB18030)),
    ("cp950", Charset::Standard(BIG5)),
    ("ms950", Charset::Standard(BIG5)),
    ("950", Charset::Standard(BIG5)),
    ("windows-950", Charset::Standard(BIG5)),
    ("big-5", Charset::Standard(BIG5)),
    ("big5hkscs", Charset::Standard(BIG5)),
    ("big5-eten", Charset::Standard(BIG5)),
    ("cp949", Charset::Standard(EUC_KR)),
    ("utf8mb4", Charset::Standard(UTF_8)),
    ("utf_8", Charset::Standard(UTF_8)),
    ("utf-8n", Charset::Standard(UTF_8)),
    ("cp50220", Charset::Standard(ISO_2022_JP)),
    ("iso-2022-jp-1", Charset::Standard(ISO_2022_JP)),
    ("iso-2022-jp-2", Charset::Standard(ISO_2022_JP)),
    ("cp1252", Charset::Standard(WINDOWS_1252)),
];

/// Labels of what encoding_rs does not decode.
const OURS: [(&str, Charset); 8] = [
    ("hz-gb-2312", Charset::Hz),
    ("hz", Charset::Hz),
    ("iso-2022-cn", Charset::Iso2022),
    ("iso-2022-cn-ext", Charset::Iso2022),
    ("iso-2022-kr", Charset::Iso2022),
    ("csiso2022kr", Charset::Iso2022),
    ("utf-7", Charset::Utf7),
    ("unicode-1-1-utf-7", Charset::Utf7),
];

/// The charset that `label` means in mail; letter case, quotes and white space around it do not matter. `None` when it
/// says nothing: absent, unknown, `us-ascii`, `unknown-8bit`.
pub fn for_label(label: Option<&str>) -> Option<Charset> {
    let label = label?.trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ';'));
    if label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii") {
        return None;
    }
    let known = OURS.iter().chain(&ALIASES).find(|(name, _)| name.eq_ignore_ascii_case(label));
    if let Some((_, charset)) = known {
        return Some(*charset);
    }
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    // GB2312 and GBK are subsets of GB18030, and mail labelled so often holds characters outside of them.
    Some(Charset::Standard(if encoding == encoding_rs::GBK { GB18030 } else { encoding }))
}

/// Decodes `bytes` labelled `label` (`None`: unlabelled). Wrong labels are corrected where the bytes tell: UTF-8 under
/// another name, Chinese labelled as Latin. What cannot be decoded becomes U+FFFD. Linear in the length of `bytes`.
pub fn decode(label: Option<&str>, bytes: &[u8]) -> String {
    decode_piece(label, bytes, true)
}

/// Decodes by the label alone, for labels that programs set and mean. `None` when the label says nothing or the bytes do not fit it.
pub fn decode_exactly(label: &str, bytes: &[u8]) -> Option<String> {
    let (text, had_errors) = decode_as(for_label(Some(label))?, bytes, true);
    (!had_errors).then_some(text)
}

/// Like [`decode`] for the start of a longer text: a character cut off at the end is left out.
pub fn decode_prefix(label: Option<&str>, bytes: &[u8]) -> String {
    decode_piece(label, bytes, false)
}

fn decode_piece(label: Option<&str>, bytes: &[u8], is_whole: bool) -> String {
    let charset = for_label(label);
    if let Some(charset @ (Charset::Hz | Charset::Iso2022 | Charset::Utf7)) = charset
        && bytes.is_ascii()
    {
        return decode_as(charset, bytes, is_whole).0;
    }
    if charset != Some(Charset::Standard(ISO_2022_JP))
        && let Some(text) = utf8(bytes, is_whole)
        && !(charset.is_none() && guess::has_escapes(bytes))
        && !is_wide(charset)
    {
        return text.to_owned();
    }
    match charset.filter(|charset| *charset != Charset::Standard(UTF_8)) {
        None => decode_as(guess(bytes), bytes, is_whole).0,
        Some(charset) => decode_labelled(charset, bytes, is_whole),
    }
}

/// UTF-16 text can look like UTF-8.
fn is_wide(charset: Option<Charset>) -> bool {
    matches!(charset, Some(Charset::Standard(e)) if e == encoding_rs::UTF_16LE || e == encoding_rs::UTF_16BE)
}

/// The bytes as UTF-8, without a byte order mark; of a prefix, without the character cut off at its end.
fn utf8(bytes: &[u8], is_whole: bool) -> Option<&str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if !is_whole && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

/// Decodes by the label unless the bytes contradict it and something else fits without error.
fn decode_labelled(charset: Charset, bytes: &[u8], is_whole: bool) -> String {
    let is_latin = charset == Charset::Standard(WINDOWS_1252);
    if is_latin && !guess::is_surely_chinese(bytes) {
        return decode_as(charset, bytes, is_whole).0;
    }
    let (text, had_errors) = decode_as(charset, bytes, is_whole);
    if !had_errors && !is_latin {
        return text;
    }
    let other = guess(bytes);
    let is_safe = matches!(other, Charset::Standard(e) if e == GB18030 || e == BIG5);
    let (other_text, other_errors) = if is_safe { decode_as(other, bytes, is_whole) } else { (String::new(), true) };
    if other_errors { text } else { other_text }
}

/// The text, and whether some bytes meant nothing.
fn decode_as(charset: Charset, bytes: &[u8], is_whole: bool) -> (String, bool) {
    match charset {
        Charset::Standard(encoding) => decode_standard(encoding, bytes, is_whole),
        Charset::Hz => (iso2022::decode_hz(bytes), false),
        Charset::Iso2022 => (iso2022::decode(bytes), false),
        Charset::Utf7 => (utf7::decode(bytes), false),
    }
}

fn decode_standard(encoding: &'static Encoding, bytes: &[u8], is_whole: bool) -> (String, bool) {
    if is_whole {
        let (text, had_errors) = encoding.decode_with_bom_removal(bytes);
        return (Cow::into_owned(text), had_errors);
    }
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let room = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or_default();
    let mut text = String::with_capacity(room);
    let (_, _, had_errors) = decoder.decode_to_string(bytes, &mut text, false);
    (text, had_errors)
}

/// Decodes one double-byte text of `encoding`, for the ISO-2022 family.
fn push_decoded(encoding: &'static Encoding, bytes: &[u8], out: &mut String) {
    out.push_str(&encoding.decode_without_bom_handling(bytes).0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_as_people_write_them() {
        for label in ["gb2312", "GBK", "x-gbk", "cp936", "gb_2312-80", "\"gb2312\"", " GB18030 ", "EUC-CN"] {
            assert_eq!(decode(Some(label), b"\xbb\xd8\xb8\xb4\xe9F"), "回复镕", "{label}");
        }
        for label in ["big5", "big5-hkscs", "cp950", "Big5-ETen"] {
            assert_eq!(decode(Some(label), b"\xa6\x5e\xb4\x5f"), "回復", "{label}");
        }
        assert_eq!(decode(Some("koi8-r"), b"\xf0\xd2\xc9\xd7\xc5\xd4"), "Привет");
        assert_eq!(decode(Some("windows-1251"), b"\xcf\xf0\xe8\xe2\xe5\xf2"), "Привет");
        assert_eq!(decode(Some("Shift_JIS"), b"\x93\xfa\x96\x7b"), "日本");
        assert_eq!(decode(Some("euc-kr"), b"\xc7\xd1\xb1\xdb"), "한글");
        assert_eq!(decode(Some("ISO-2022-JP"), b"\x1b$BF|K\\\x1b(B"), "日本");
    }

    #[test]
    fn charsets_of_our_own() {
        assert_eq!(decode(Some("HZ-GB-2312"), b"a ~{<:Ky2;S{~} b ~~"), "a 己所不欲 b ~");
        assert_eq!(decode(Some("utf-7"), b"Hi Mom -+Jjo--!"), "Hi Mom -☺-!");
        assert_eq!(decode(Some("iso-2022-cn"), b"\x1b$)A\x0e=;;;\x0f ok"), "交换 ok");
        assert_eq!(decode(Some("iso-2022-cn"), b"\x1b$)G\x0eG(_P&!\x7d\x7d\x0f"), "交換①\u{fffd}");
        assert_eq!(decode(Some("iso-2022-cn"), b"\x1b$*H\x1bN!!"), "乂");
        assert_eq!(decode(Some("iso-2022-kr"), b"\x1b$)C\x0eGQ1[\x0f."), "한글.");
    }

    #[test]
    fn wrong_labels_are_corrected() {
        assert_eq!(decode(Some("utf-8"), b"\xbb\xd8\xb8\xb4"), "回复");
        assert_eq!(decode(Some("us-ascii"), b"\xbb\xd8\xb8\xb4"), "回复");
        assert_eq!(decode(Some("gb2312"), "回复".as_bytes()), "回复");
        assert_eq!(decode(Some("iso-8859-1"), b"\xc4\xfa\xba\xc3\xa3\xac\xd5\xe2\xca\xc7"), "您好，这是");
        assert_eq!(decode(Some("iso-8859-1"), b"caf\xe9 \xe0 la cr\xe8me"), "café à la crème");
        assert_eq!(decode(Some("x-unknown"), b"abc"), "abc");
    }

    #[test]
    fn a_label_that_is_meant_is_followed() {
        assert_eq!(decode_exactly("gbk", b"\xd4\xba").as_deref(), Some("院"));
        assert_eq!(decode_exactly("utf-8", b"\xd4\xba").as_deref(), Some("Ժ"));
        assert_eq!(decode_exactly("utf-8", b"\xbb\xd8\xb8\xb4"), None);
        assert_eq!(decode_exactly("us-ascii", b"a"), None);
    }

    #[test]
    fn a_prefix_drops_a_cut_character() {
        assert_eq!(decode_prefix(Some("utf-8"), "回复".as_bytes().split_at(4).0), "回");
        assert_eq!(decode_prefix(Some("gbk"), b"\xbb\xd8\xb8"), "回");
    }
}
