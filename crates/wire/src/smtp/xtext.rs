//! xtext (RFC 3461 §4): printable ASCII with `+XX` for the rest.

/// Decodes xtext. `None` where it is not xtext: a stray `+`, lower-case hex, a character outside `!` to `~`.
pub fn xtext_decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'+' => {
                octets.push(upper_hex(*tail.first()?)? << 4 | upper_hex(*tail.get(1)?)?);
                rest = &tail[2..];
            }
            b'!'..=b'~' if first != b'=' => {
                octets.push(first);
                rest = tail;
            }
            _ => return None,
        }
    }
    Some(octets)
}

/// Encodes octets as xtext.
pub fn xtext_encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        match octet {
            b'+' | b'=' => text.push_str(&format!("+{octet:02X}")),
            b'!'..=b'~' => text.push(char::from(octet)),
            _ => text.push_str(&format!("+{octet:02X}")),
        }
    }
    text
}

fn upper_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
