//! Answers as they go out.

use super::QUOTED_MAX;
use crate::sasl::encode_base64;

/// A response code (RFC 5804 §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// Not without TLS.
    EncryptNeeded,
    /// Too many scripts.
    QuotaMaxScripts,
    /// Too large, alone or together.
    QuotaMaxSize,
    /// The script is active.
    Active,
    /// There is no such script.
    NonExistent,
    /// There is one already.
    AlreadyExists,
    /// Not now.
    TryLater,
    /// It works, but not as it may be meant.
    Warnings,
    /// The tag of NOOP.
    Tag(String),
    /// What the mechanism says with success, before base64 (RFC 5804 §2.1).
    Sasl(Vec<u8>),
}

impl Code {
    fn words(&self) -> Vec<u8> {
        let word = match self {
            Self::EncryptNeeded => "ENCRYPT-NEEDED",
            Self::QuotaMaxScripts => "QUOTA/MAXSCRIPTS",
            Self::QuotaMaxSize => "QUOTA/MAXSIZE",
            Self::Active => "ACTIVE",
            Self::NonExistent => "NONEXISTENT",
            Self::AlreadyExists => "ALREADYEXISTS",
            Self::TryLater => "TRYLATER",
            Self::Warnings => "WARNINGS",
            Self::Tag(tag) => return [b"TAG ".as_slice(), &string(tag.as_bytes())].concat(),
            Self::Sasl(data) => return [b"SASL ".as_slice(), &string(encode_base64(data).as_bytes())].concat(),
        };
        word.as_bytes().to_vec()
    }
}

/// `OK`, `NO` or `BYE` with its code and text, and CRLF.
pub fn answer(word: &str, code: Option<&Code>, text: &str) -> Vec<u8> {
    let mut out = word.as_bytes().to_vec();
    if let Some(code) = code {
        out.extend_from_slice(b" (");
        out.extend(code.words());
        out.push(b')');
    }
    if !text.is_empty() {
        out.push(b' ');
        out.extend(string(text.as_bytes()));
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// A string (RFC 5804 §4): quoted where that can be, else a literal.
pub fn string(octets: &[u8]) -> Vec<u8> {
    let is_plain = octets.len() <= QUOTED_MAX && !octets.iter().any(|b| matches!(b, 0 | b'\r' | b'\n'));
    if !is_plain || std::str::from_utf8(octets).is_err() {
        let mut out = format!("{{{}}}\r\n", octets.len()).into_bytes();
        out.extend_from_slice(octets);
        return out;
    }
    let mut out = vec![b'"'];
    for byte in octets {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_code_and_text() {
        assert_eq!(answer("OK", None, ""), b"OK\r\n");
        assert_eq!(answer("NO", Some(&Code::QuotaMaxSize), "a \"b\""), b"NO (QUOTA/MAXSIZE) \"a \\\"b\\\"\"\r\n");
        assert_eq!(answer("NO", None, "a\nb"), b"NO {3}\r\na\nb\r\n");
        assert_eq!(answer("OK", Some(&Code::Tag("x".into())), "Done"), b"OK (TAG \"x\") \"Done\"\r\n");
    }
}
