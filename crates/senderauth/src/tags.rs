//! Tag=value lists (RFC 6376 §3.2), which DKIM, ARC and DMARC share.

/// Tags of one list; a list with more is no list.
pub const TAGS: usize = 64;

/// A list in its order. Values are unfolded as they stand, trimmed at both ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    /// Reads a list. `None` when a tag has no name or no `=`, comes twice, or there are too many.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut tags = Vec::new();
        let mut pieces = text.split(';').peekable();
        while let Some(piece) = pieces.next() {
            if piece.trim_ascii().is_empty() && pieces.peek().is_none() {
                break;
            }
            let (name, value) = piece.split_once('=')?;
            let (name, value) = (name.trim_ascii(), value.trim_ascii());
            let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && name.starts_with(|first: char| first.is_ascii_alphabetic());
            if !named || tags.len() >= TAGS || tags.iter().any(|(known, _)| *known == name) {
                return None;
            }
            tags.push((name, value));
        }
        Some(Self(tags))
    }

    /// The value of a tag; names are case-sensitive.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The first tag.
    pub fn first(&self) -> Option<(&'a str, &'a str)> {
        self.0.first().copied()
    }

    /// Every tag in its order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().copied()
    }
}

/// The octets of a base64 value in which white space means nothing (RFC 6376 §3.2 `base64string`).
pub fn octets(value: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    use base64::alphabet::STANDARD;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const ENGINE: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let dense: Vec<u8> = value.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    ENGINE.decode(dense).ok()
}

/// Octets as base64 with padding.
pub fn base64(octets: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

/// Decimal digits only, at most 12 of them (RFC 6376 §3.5 t=).
pub fn number(value: &str) -> Option<u64> {
    let fine = !value.is_empty() && value.len() <= 12 && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| fine)
}
