//! Structured values of `Content-Type` and `Content-Disposition` (RFC 2045 §5.1, RFC 2183, RFC 2231).

/// Parameters of a structured field. Names are lower case; values are raw bytes without quotes. Continuations
/// (`name*0`, `name*1`) are joined (RFC 2231 §6 asks this of IMAP servers); a value in extended form keeps the star on
/// its name and its `charset'language'%XX` text, so that BODYSTRUCTURE can tell it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(pub Vec<(String, Vec<u8>)>);

impl Params {
    /// Raw value of the parameter called `name` (lower case, with `*` for an extended value).
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }
}
