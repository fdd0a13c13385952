//! Guessing the charset of unlabelled text, Chinese first.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, GB18030, ISO_2022_JP, UTF_8};

use super::Charset;

/// Bytes that a guess looks at.
const MAX_LOOK: usize = 4_096;

/// Guesses the charset of `bytes` from its first 4,096: UTF-8 if valid, the escapes of ISO-2022 and HZ, then Chinese by
/// the frequency of common characters, then what chardetng thinks. Never fails; a guess can be wrong.
pub fn guess(bytes: &[u8]) -> Charset {
    if let Some(charset) = by_escapes(bytes) {
        return charset;
    }
    let look = &bytes[..bytes.len().min(MAX_LOOK)];
    match std::str::from_utf8(look) {
        Ok(_) => return Charset::Standard(UTF_8),
        Err(error) if error.error_len().is_none() && look.len() < bytes.len() => return Charset::Standard(UTF_8),
        Err(_) => {}
    }
    by_chinese(look).unwrap_or_else(|| by_detector(look))
}

/// Whether 7-bit text holds what only ISO-2022 or HZ text holds.
pub(super) fn has_escapes(bytes: &[u8]) -> bool {
    by_escapes(bytes).is_some()
}

fn by_escapes(bytes: &[u8]) -> Option<Charset> {
    if let Some(at) = memchr::memchr(0x1b, bytes) {
        match &bytes[at + 1..] {
            [b'$', b')' | b'*', ..] => return Some(Charset::Iso2022),
            [b'$' | b'(', ..] => return Some(Charset::Standard(ISO_2022_JP)),
            _ => {}
        }
    }
    let start = memchr::memmem::find(bytes, b"~{")? + 2;
    let length = memchr::memmem::find(&bytes[start..], b"~}")?;
    let text = &bytes[start..start + length];
    let is_gb = length > 0 && length % 2 == 0 && text.iter().all(|byte| (0x21..0x7e).contains(byte));
    (is_gb && bytes.is_ascii()).then_some(Charset::Hz)
}

/// Whether Latin text cannot look like this: at least two characters, nearly all of them common Chinese.
pub(super) fn is_surely_chinese(bytes: &[u8]) -> bool {
    let look = &bytes[..bytes.len().min(MAX_LOOK)];
    let gb = count(look, gb_kind);
    gb.is_valid && gb.pairs >= 2 && gb.common * 10 >= gb.pairs * 9
}

/// How a text reads as pairs of a double-byte charset.
struct Count {
    is_valid: bool,
    pairs: usize,
    common: usize,
    /// Pairs in the rows of Japanese kana (EUC-JP).
    kana: usize,
    /// Pairs in the rows of Korean syllables (EUC-KR).
    hangul: usize,
}

enum Kind {
    Invalid,
    Rare,
    Common,
}

fn count(bytes: &[u8], kind: fn(u8, u8) -> Kind) -> Count {
    let mut count = Count { is_valid: true, pairs: 0, common: 0, kana: 0, hangul: 0 };
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] < 0x80 {
            at += 1;
            continue;
        }
        // A lead byte at the very end is a cut character, which is no contradiction.
        let Some(&trail) = bytes.get(at + 1) else { break };
        match kind(bytes[at], trail) {
            Kind::Invalid => count.is_valid = false,
            Kind::Rare => {}
            Kind::Common => count.common += 1,
        }
        count.pairs += 1;
        count.kana += usize::from(matches!(bytes[at], 0xa4 | 0xa5) && trail >= 0xa1);
        count.hangul += usize::from((0xb0..=0xc8).contains(&bytes[at]) && trail >= 0xa1);
        at += 2;
    }
    count
}

/// GB2312 level 1 and punctuation are common; the rest of GB18030 is rare.
fn gb_kind(lead: u8, trail: u8) -> Kind {
    match (lead, trail) {
        (0xb0..=0xd7 | 0xa1 | 0xa3, 0xa1..=0xfe) => Kind::Common,
        (0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe | 0x30..=0x39) => Kind::Rare,
        _ => Kind::Invalid,
    }
}

/// Big5 level 1 and punctuation are common, level 2 is rare.
fn big5_kind(lead: u8, trail: u8) -> Kind {
    match (lead, trail) {
        (0xa4..=0xc6 | 0xa1, 0x40..=0x7e | 0xa1..=0xfe) => Kind::Common,
        (0x87..=0xfe, 0x40..=0x7e | 0xa1..=0xfe) => Kind::Rare,
        _ => Kind::Invalid,
    }
}

fn by_chinese(bytes: &[u8]) -> Option<Charset> {
    let (gb, big5) = (count(bytes, gb_kind), count(bytes, big5_kind));
    let is_mostly = |count: &Count, tenths: usize| count.is_valid && count.common * 10 >= count.pairs * tenths;
    let is_korean = gb.hangul == gb.pairs && gb.pairs >= 6;
    if is_mostly(&gb, 8) && gb.kana * 5 < gb.pairs && !is_korean {
        return Some(Charset::Standard(GB18030));
    }
    (is_mostly(&big5, 9) && big5.kana * 3 < big5.pairs && !is_korean).then_some(Charset::Standard(BIG5))
}

fn by_detector(bytes: &[u8]) -> Charset {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    Charset::Standard(if encoding == encoding_rs::GBK { GB18030 } else { encoding })
}
