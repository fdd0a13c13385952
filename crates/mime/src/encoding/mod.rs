//! Transfer encodings of bodies (RFC 2045 §6), decoded as tolerantly as mail needs and piece by piece.

mod base64;
mod quoted;
mod uuencode;

pub use base64::encode as encode_base64;
pub(crate) use base64::value as base64_value;

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
        Self::known(label).unwrap_or(Encoding::Identity)
    }

    /// [`Self::from_label`]; `None` for an encoding that nobody here knows.
    pub fn known(label: Option<&str>) -> Option<Encoding> {
        const NAMES: [(&str, Encoding); 10] = [
            ("", Encoding::Identity),
            ("7bit", Encoding::Identity),
            ("8bit", Encoding::Identity),
            ("binary", Encoding::Identity),
            ("base64", Encoding::Base64),
            ("quoted-printable", Encoding::QuotedPrintable),
            ("x-uuencode", Encoding::Uuencode),
            ("uuencode", Encoding::Uuencode),
            ("x-uue", Encoding::Uuencode),
            ("uue", Encoding::Uuencode),
        ];
        let label = label.unwrap_or("").trim();
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(label)).map(|found| found.1)
    }
}

/// Decodes a body that comes in pieces. Nothing is an error: what is not of the encoding is skipped (base64), kept
/// (quoted-printable) or ignored (uuencode, outside of `begin` and `end`). Keeps less than 300 bytes between pieces;
/// the output is never longer than the input so far.
#[derive(Debug)]
pub struct Decoder {
    state: State,
}

#[derive(Debug)]
enum State {
    Identity,
    Base64(base64::Decoder),
    Quoted(quoted::Decoder),
    Uuencode(uuencode::Decoder),
}

impl Decoder {
    /// A decoder at the start of a body.
    pub fn new(encoding: Encoding) -> Decoder {
        let state = match encoding {
            Encoding::Identity => State::Identity,
            Encoding::Base64 => State::Base64(base64::Decoder::default()),
            Encoding::QuotedPrintable => State::Quoted(quoted::Decoder::default()),
            Encoding::Uuencode => State::Uuencode(uuencode::Decoder::default()),
        };
        Decoder { state }
    }

    /// Decodes the next piece and appends what it means to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.state {
            State::Identity => out.extend_from_slice(bytes),
            State::Base64(decoder) => decoder.push(bytes, out),
            State::Quoted(decoder) => decoder.push(bytes, out),
            State::Uuencode(decoder) => decoder.push(bytes, out),
        }
    }

    /// Ends the body: appends what the last bytes still mean.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.state {
            State::Identity => {}
            State::Base64(decoder) => decoder.finish(out),
            State::Quoted(decoder) => decoder.finish(out),
            State::Uuencode(decoder) => decoder.finish(out),
        }
    }
}

/// Decodes a whole body in memory.
pub fn decode(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut decoder = Decoder::new(encoding);
    decoder.push(bytes, &mut out);
    decoder.finish(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: Encoding, bytes: &[u8]) -> String {
        let whole = decode(encoding, bytes);
        let mut pieces = Vec::new();
        let mut decoder = Decoder::new(encoding);
        bytes.iter().for_each(|byte| decoder.push(&[*byte], &mut pieces));
        decoder.finish(&mut pieces);
        assert_eq!(whole, pieces, "pieces decode like the whole");
        String::from_utf8_lossy(&whole).into_owned()
    }

    #[test]
    fn base64_of_all_kinds() {
        let decoded = |text: &[u8]| decoded(Encoding::Base64, text);
        assert_eq!(decoded(b"aGVsbG8="), "hello");
        assert_eq!(decoded(b"aGVsbG8"), "hello");
        assert_eq!(decoded(b"aGV\r\nsb!G8=\r\n"), "hello");
        assert_eq!(decoded(b"aGVsbG8=aGVsbG8="), "hellohello");
        assert_eq!(decoded(b"aGVsbG8=="), "hello");
        assert_eq!(decoded(b"a"), "");
        assert_eq!(decode(Encoding::Base64, encode_base64(b"any length.").as_bytes()), b"any length.");
    }

    #[test]
    fn quoted_printable_of_all_kinds() {
        let decoded = |text: &[u8]| decoded(Encoding::QuotedPrintable, text);
        assert_eq!(decoded(b"a=3Db=\r\nc= \t\r\nd=\ne"), "a=bcde");
        assert_eq!(decoded(b"=e4=b8=AD"), "中");
        assert_eq!(decoded(b"a=zz b=4 =="), "a=zz b=4 ==");
        assert_eq!(decoded(b"a="), "a=");
        assert_eq!(decoded(b"a\r\nb"), "a\r\nb");
    }

    #[test]
    fn uuencode_between_its_lines() {
        let text = b"preface\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\nafter\r\n";
        assert_eq!(decoded(Encoding::Uuencode, text), "Cat");
    }
}
