//! The 7-bit double-byte charsets that switch: ISO-2022-CN (RFC 1922), ISO-2022-KR (RFC 1557), HZ (RFC 1843).

use encoding_rs::{BIG5, EUC_KR, GB18030};

use super::{cns, push_decoded};

/// What a shift selects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    Gb2312,
    Cns1,
    Cns2,
    Ksc5601,
    /// A set that we do not decode (ISO-IR-165, CNS planes 3 and up).
    Unknown,
}

/// Decodes ISO-2022-CN and ISO-2022-KR; characters of sets that are not known become U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let (mut so, mut ss2, mut is_shifted) = (Set::Unknown, Set::Unknown, false);
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += match rest {
            [0x1b, b'$', b')', set, ..] => {
                so = designated(*set);
                4
            }
            [0x1b, b'$', b'*', set, ..] => {
                ss2 = designated(*set);
                4
            }
            [0x1b, b'N', pair @ ..] if pair.len() >= 2 => {
                decode_pairs(ss2, &pair[..2], &mut out);
                4
            }
            [0x0e, ..] => {
                is_shifted = true;
                1
            }
            [0x0f, ..] => {
                is_shifted = false;
                1
            }
            _ => text(rest, so, is_shifted, &mut out),
        };
        if rest[0] == b'\n' {
            is_shifted = false;
        }
    }
    out
}

/// Decodes text up to the next control; answers its length.
fn text(rest: &[u8], so: Set, is_shifted: bool, out: &mut String) -> usize {
    let is_text = |byte: &u8| (0x21..=0x7e).contains(byte);
    let length = rest.iter().position(|byte| !is_text(byte)).unwrap_or(rest.len());
    if length == 0 {
        out.push(if rest[0].is_ascii() { rest[0] as char } else { char::REPLACEMENT_CHARACTER });
        return 1;
    }
    decode_pairs(if is_shifted { so } else { Set::Ascii }, &rest[..length], out);
    length
}

fn designated(set: u8) -> Set {
    match set {
        b'A' => Set::Gb2312,
        b'G' => Set::Cns1,
        b'H' => Set::Cns2,
        b'C' => Set::Ksc5601,
        _ => Set::Unknown,
    }
}

/// Decodes 7-bit text of one set, two bytes a character.
fn decode_pairs(set: Set, bytes: &[u8], out: &mut String) {
    let high = || bytes.iter().map(|byte| byte | 0x80).collect::<Vec<u8>>();
    match set {
        Set::Ascii => out.extend(bytes.iter().map(|byte| *byte as char)),
        Set::Gb2312 => push_decoded(GB18030, &high(), out),
        Set::Ksc5601 => push_decoded(EUC_KR, &high(), out),
        Set::Cns1 => push_decoded(BIG5, &big5(1, bytes), out),
        Set::Cns2 => push_decoded(BIG5, &big5(2, bytes), out),
        Set::Unknown => out.extend(bytes.chunks(2).map(|_| char::REPLACEMENT_CHARACTER)),
    }
}

/// Text of a CNS plane in Big5; a byte that is no Big5 stands for a character that Big5 does not have.
fn big5(plane: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for pair in bytes.chunks_exact(2) {
        match cns::to_big5(plane, pair[0], pair[1]) {
            Some(big5) => out.extend_from_slice(&big5),
            None => out.push(0xff),
        }
    }
    out
}

/// Decodes HZ: `~{` and `~}` around GB2312, `~~` for a tilde, `~` before a line break for nothing.
pub(super) fn decode_hz(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut is_gb = false;
    while !rest.is_empty() {
        let end = memchr::memchr2(b'~', b'\n', rest).unwrap_or(rest.len());
        // In GB text a tilde can be the second byte of a character.
        let end = if is_gb && end % 2 == 1 && end < rest.len() && rest[end] == b'~' { end + 1 } else { end };
        decode_pairs(if is_gb { Set::Gb2312 } else { Set::Ascii }, &rest[..end], &mut out);
        rest = &rest[end..];
        let (length, text) = match rest {
            [b'~', b'{', ..] => (2, ""),
            [b'~', b'}', ..] => (2, ""),
            [b'~', b'~', ..] => (2, "~"),
            [b'~', b'\n', ..] => (2, ""),
            [b'~', ..] if is_gb => (2.min(rest.len()), "\u{fffd}"),
            [b'~', ..] => (1, "~"),
            [b'\n', ..] => (1, "\n"),
            _ => (0, ""),
        };
        match rest.get(..2) {
            Some(b"~{") => is_gb = true,
            Some(b"~}") => is_gb = false,
            _ if rest.first() == Some(&b'\n') => is_gb = false,
            _ => {}
        }
        out.push_str(text);
        rest = &rest[length..];
    }
    out
}
