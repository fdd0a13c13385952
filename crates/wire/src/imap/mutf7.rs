//! Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3) and what clients send in its place.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The private-use character that stands for octet 0 in [`mailbox_from_wire`]; octets 0x80 to 0xFF follow it.
const RAW_OCTET: u32 = 0xF700;

/// The mailbox name that a client means. With `utf8` (after ENABLE of UTF8=ACCEPT or IMAP4rev2) it is UTF-8;
/// otherwise modified UTF-7, and where it is not that, the text as it stands.
///
/// Octets that are no UTF-8 (clients that send GBK unencoded) become U+F780 to U+F7FF, one character per octet, so
/// that no two such names become one. A client finds its mailbox under the octets it used, and equally under these
/// characters, which are what it is shown. [`raw_octets`] takes them back.
pub fn mailbox_from_wire(octets: &[u8], utf8: bool) -> String {
    let text = text_of(octets);
    match utf8 {
        true => text,
        false => decode_mutf7(&text).unwrap_or(text),
    }
}

/// Undoes the escape of [`mailbox_from_wire`]: the octets of a name, those that were no UTF-8 as they came.
pub fn raw_octets(name: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(name.len());
    for c in name.chars() {
        match u32::from(c).wrapping_sub(RAW_OCTET) {
            octet @ 0x80..=0xFF => octets.push(octet as u8),
            _ => octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    octets
}

/// Decodes modified UTF-7, tolerant of characters beyond ASCII between its shifts. `None` where a shift does not end,
/// or holds no base64 of whole UTF-16.
pub fn decode_mutf7(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let (shifted, plain) = part.split_once('-')?;
        match shifted {
            "" => decoded.push('&'),
            _ => decoded.push_str(&decode_shift(shifted)?),
        }
        decoded.push_str(plain);
    }
    Some(decoded)
}

/// Encodes as modified UTF-7: printable ASCII stands for itself, `&` as `&-`, all else in base64 of UTF-16.
pub fn encode_mutf7(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if is_plain(first) {
            encoded.push_str(if first == '&' { "&-" } else { &rest[..1] });
            rest = &rest[1..];
            continue;
        }
        let (shifted, tail) = rest.split_at(rest.find(is_plain).unwrap_or(rest.len()));
        let utf16: Vec<u8> = shifted.encode_utf16().flat_map(u16::to_be_bytes).collect();
        encoded.push('&');
        BASE64.encode_string(utf16, &mut encoded);
        encoded.push('-');
        rest = tail;
    }
    encoded
}

fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~')
}

fn decode_shift(shifted: &str) -> Option<String> {
    let octets = BASE64.decode(shifted).ok().filter(|octets| octets.len() % 2 == 0)?;
    let units: Vec<u16> = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}

fn text_of(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        text.push_str(chunk.valid());
        let raw = chunk.invalid().iter().map(|&octet| RAW_OCTET + u32::from(octet));
        text.extend(raw.filter_map(char::from_u32));
    }
    text
}
