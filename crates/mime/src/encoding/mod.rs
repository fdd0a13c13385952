//! Transfer encodings of bodies (RFC 2045 §6), decoded as tolerantly as mail needs and piece by piece.

/// How a body is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// `7bit`, `8bit`, `binary` or unknown: the bytes are the content.
    #[default]
    Identity,
    /// `base64` (RFC 2045 §6.8).
    Base64,
    /// `quoted-printable` (RFC 2045 §6.7).
    QuotedPrintable,
    /// `x-uuencode` and its other names.
    Uuencode,
}

impl Encoding {
    /// The encoding that a `Content-Transfer-Encoding` names; letter case does not matter.
    pub fn from_label(label: Option<&str>) -> Encoding {
        const NAMES: [(&str, Encoding); 6] = [
            ("base64", Encoding::Base64),
            ("quoted-printable", Encoding::QuotedPrintable),
            ("x-uuencode", Encoding::Uuencode),
            ("uuencode", Encoding::Uuencode),
            ("x-uue", Encoding::Uuencode),
            ("uue", Encoding::Uuencode),
        ];
        let label = label.unwrap_or("").trim();
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(label)).map_or(Encoding::Identity, |found| found.1)
    }
}
