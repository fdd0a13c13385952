//! Header text for people: encoded words (RFC 2047) and raw 8-bit text, as people really write them.

use std::borrow::Cow;

use crate::charset;
use crate::encoding::{self, Encoding};
use crate::header;

/// Decodes a header value, folded or not: encoded words become text, white space between two of them goes, 8-bit text
/// is UTF-8 if it can be, else guessed. Words of one charset are joined before they are decoded, for mailers cut
/// characters in two. Control characters do not come through. Linear in the length of `value`.
pub fn decode_header(value: &[u8]) -> String {
    let value = header::unfold(value);
    if memchr::memmem::find(&value, b"=?").is_none() {
        return printable(charset::decode(None, &value));
    }
    let mut decoder = HeaderDecoder::default();
    decoder.run(&value);
    printable(decoder.text)
}

/// Replaces white-space control characters by spaces and drops the other ones.
pub(crate) fn printable(text: String) -> String {
    if !text.chars().any(char::is_control) {
        return text;
    }
    let shown = text.chars().filter_map(|c| match c {
        '\t' | '\r' | '\n' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    });
    shown.collect()
}

/// One encoded word: `=?charset?encoding?text?=`.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    /// Where the word ends, relative to its start.
    length: usize,
}

#[derive(Default)]
struct HeaderDecoder {
    text: String,
    /// Charset and bytes of words that were read and may continue.
    charset: String,
    bytes: Vec<u8>,
    in_word: bool,
}

impl HeaderDecoder {
    fn run(&mut self, value: &[u8]) {
        let mut plain = 0;
        let mut at = 0;
        while let Some(found) = memchr::memmem::find(&value[at..], b"=?") {
            at += found;
            match word_at(&value[at..]) {
                Found::Word(word) => {
                    self.plain(&value[plain..at], true);
                    self.word(&word);
                    at += word.length;
                    plain = at;
                }
                Found::Nothing => at += 2,
                Found::NoMoreEnds => break,
            }
        }
        self.plain(&value[plain..], false);
    }

    /// Text between words; white space alone between two words is nothing (RFC 2047 §6.2).
    fn plain(&mut self, bytes: &[u8], before_word: bool) {
        if self.in_word && before_word && bytes.trim_ascii().is_empty() {
            return;
        }
        self.flush();
        self.in_word = false;
        if !bytes.is_empty() {
            self.text.push_str(&charset::decode(None, bytes));
        }
    }

    fn word(&mut self, word: &Word<'_>) {
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.flush();
            word.charset.clone_into(&mut self.charset);
        }
        self.bytes.extend_from_slice(&word.bytes);
        self.in_word = true;
    }

    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            self.text.push_str(&charset::decode(Some(&self.charset), &self.bytes));
            self.bytes.clear();
        }
    }
}

enum Found<'a> {
    Word(Word<'a>),
    /// The `=?` begins no encoded word.
    Nothing,
    /// No `?=` follows: no encoded word can follow either.
    NoMoreEnds,
}

/// Reads the encoded word that `rest` may start with. Spaces inside the text are accepted, for people write them.
fn word_at(rest: &[u8]) -> Found<'_> {
    /// Bytes of a charset name with its language (RFC 2231 §5).
    const MAX_CHARSET: usize = 100;
    let head = &rest[2..];
    let Some(mark) = head.iter().take(MAX_CHARSET).position(|byte| *byte == b'?') else {
        return Found::Nothing;
    };
    let label = std::str::from_utf8(&head[..mark]).ok().filter(|label| !label.contains(' '));
    let (Some(label), [_, kind, b'?', text @ ..]) = (label, &head[mark..]) else {
        return Found::Nothing;
    };
    let Some(end) = memchr::memmem::find(text, b"?=") else {
        return Found::NoMoreEnds;
    };
    let bytes = match kind {
        b'B' | b'b' => encoding::decode(Encoding::Base64, &text[..end]),
        b'Q' | b'q' => decode_q(&text[..end]),
        _ => return Found::Nothing,
    };
    let charset = label.split('*').next().unwrap_or_default();
    Found::Word(Word { charset, bytes, length: 2 + mark + 3 + end + 2 })
}

/// The Q encoding (RFC 2047 §4.2): quoted-printable with `_` for space.
fn decode_q(text: &[u8]) -> Vec<u8> {
    let spaced: Cow<'_, [u8]> = if memchr::memchr(b'_', text).is_some() {
        text.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect::<Vec<u8>>().into()
    } else {
        text.into()
    };
    encoding::decode(Encoding::QuotedPrintable, &spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_plain_text() {
        assert_eq!(decode_header(b"=?ISO-8859-1?Q?a_b=E9?= c"), "a bé c");
        assert_eq!(decode_header(b"=?utf-8?q?a?=\r\n =?utf-8?q?b?= x =?utf-8?q?c?="), "ab x c");
        assert_eq!(decode_header(b"=?utf-8*zh?B?5Zue5aSN?="), "回复");
        assert_eq!(decode_header(b"a =? b =?x?y?z =?utf-8?Q?=E5=9B"), "a =? b =?x?y?z =?utf-8?Q?=E5=9B");
        assert_eq!(decode_header(b"  plain\ttext "), "plain text");
    }

    #[test]
    fn a_character_cut_in_two_is_joined() {
        assert_eq!(decode_header(b"=?gb2312?B?sai4?= =?GB2312?B?5g==?="), "报告");
        assert_eq!(decode_header(b"=?utf-8?Q?=E5=9B?= =?utf-8?B?nuWkjQ==?="), "回复");
    }

    #[test]
    fn words_as_people_write_them() {
        assert_eq!(decode_header(b"=?utf-8?Q?a b c?="), "a b c");
        assert_eq!(decode_header(b"x=?utf-8?Q?a?=y"), "xay");
        assert_eq!(decode_header(b"=?gb2312?Q?=E5=9B=9E=E5=A4=8D?="), "回复");
        assert_eq!(decode_header(b"=?utf-8?B?sai45g?="), "报告");
        assert_eq!(decode_header(b"\xbb\xd8\xb8\xb4: test"), "回复: test");
    }
}
