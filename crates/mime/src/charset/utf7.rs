//! UTF-7 (RFC 2152).

/// Decodes UTF-7; what is no UTF-7 comes through as it is, half characters become U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' if bytes.get(at + 1) == Some(&b'-') => {
                out.push('+');
                at += 2;
            }
            b'+' => at = shifted(bytes, at + 1, &mut out),
            byte => {
                out.push(byte as char);
                at += 1;
            }
        }
    }
    out
}

/// Decodes the modified base64 from `at`; answers where plain text goes on.
fn shifted(bytes: &[u8], mut at: usize, out: &mut String) -> usize {
    let (mut bits, mut filled) = (0u32, 0);
    let mut units = Vec::new();
    while let Some(value) = bytes.get(at).copied().and_then(crate::encoding::base64_value) {
        bits = bits << 6 | u32::from(value);
        filled += 6;
        if filled >= 16 {
            filled -= 16;
            units.push((bits >> filled) as u16);
            bits &= (1 << filled) - 1;
        }
        at += 1;
    }
    out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    if bytes.get(at) == Some(&b'-') { at + 1 } else { at }
}
