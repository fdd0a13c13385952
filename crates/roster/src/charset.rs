//! The charset of a file: told by a mark at its start, else UTF-8 when it is that, else guessed, Chinese first.

use std::borrow::Cow;

use anser_mime::charset::{Charset, guess};
use encoding_rs::{Encoding, GB18030, UTF_8};

use crate::field;

/// The text and the name of its charset. What does not fit becomes U+FFFD.
pub fn decode(bytes: &[u8]) -> (Cow<'_, str>, &'static str) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return (text, encoding.name());
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return (Cow::Borrowed(text), UTF_8.name());
    }
    // Names of people are too rare characters for a guess by frequency; the names of columns say it.
    let (text, broken) = GB18030.decode_without_bom_handling(bytes);
    if !broken && text.lines().next().is_some_and(field::has_chinese_name) {
        return (text, GB18030.name());
    }
    let high = bytes.iter().position(|byte| *byte >= 0x80).unwrap_or(0);
    let encoding = match guess(&bytes[high..]) {
        Charset::Standard(encoding) => encoding,
        Charset::Hz | Charset::Iso2022 | Charset::Utf7 => GB18030,
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    (text, encoding.name())
}
