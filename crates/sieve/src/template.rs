//! Strings of a script: encoded characters (RFC 5228 §2.4.2.4) undone, variables (RFC 5229 §3) found.

use std::borrow::Cow;
use std::fmt;

/// Highest match variable (RFC 5229 §6 asks for 9).
pub const MAX_MATCH_VARIABLE: u32 = 64;

/// Bytes of a variable's name (RFC 5229 §6 asks for 32).
pub const MAX_VARIABLE_NAME: usize = 64;

/// A string of a script.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Template {
    Fixed(Box<str>),
    Parts(Vec<Piece>),
}

/// A piece of a string with variables.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(Box<str>),
    /// `${1}`.
    Match(u32),
    /// `${name}`, in lower case.
    Variable(Box<str>),
    /// `${global.name}`, in lower case, without its namespace.
    Global(Box<str>),
}

/// Why a string is no string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// A code point that is none.
    Character(String),
    /// A match variable beyond [`MAX_MATCH_VARIABLE`].
    Match(String),
    /// A namespace that no extension has, or whose extension was not required.
    Namespace(String),
}

impl Template {
    pub(crate) fn fixed(text: &str) -> Template {
        Template::Fixed(text.into())
    }

    /// Finds the variables in `text`. `include` says whether the namespace `global` is known.
    pub(crate) fn parse(text: &str, include: bool) -> Result<Template, Bad> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            match reference(&rest[2..], include)? {
                Some((piece, length)) => {
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
                    }
                    pieces.push(piece);
                    rest = &rest[2 + length..];
                }
                None => {
                    plain.push_str("${");
                    rest = &rest[2..];
                }
            }
        }
        plain.push_str(rest);
        if pieces.is_empty() {
            return Ok(Template::Fixed(plain.into()));
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.into()));
        }
        Ok(Template::Parts(pieces))
    }
}

impl fmt::Display for Template {
    /// As the script has it, variables not expanded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Template::Fixed(text) => f.write_str(text),
            Template::Parts(pieces) => pieces.iter().try_for_each(|piece| match piece {
                Piece::Text(text) => f.write_str(text),
                Piece::Match(number) => write!(f, "${{{number}}}"),
                Piece::Variable(name) => write!(f, "${{{name}}}"),
                Piece::Global(name) => write!(f, "${{global.{name}}}"),
            }),
        }
    }
}

/// The variable that `rest`, which follows `${`, names, and how many bytes it takes up to its brace.
fn reference(rest: &str, include: bool) -> Result<Option<(Piece, usize)>, Bad> {
    let Some(end) = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_' || b == b'.')) else {
        return Ok(None);
    };
    if !rest[end..].starts_with('}') {
        return Ok(None);
    }
    let name = &rest[..end];
    let length = end + 1;
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
        let number = name.parse::<u32>().ok().filter(|number| *number <= MAX_MATCH_VARIABLE);
        return number.map(|number| Some((Piece::Match(number), length))).ok_or(Bad::Match(name.to_owned()));
    }
    if is_identifier(name) {
        return Ok(Some((Piece::Variable(name.to_ascii_lowercase().into()), length)));
    }
    let Some((namespace, variable)) = name.split_once('.').filter(|(namespace, _)| is_identifier(namespace)) else {
        return Ok(None);
    };
    if namespace.eq_ignore_ascii_case("global") && include && is_identifier(variable) {
        return Ok(Some((Piece::Global(variable.to_ascii_lowercase().into()), length)));
    }
    Err(Bad::Namespace(name.to_owned()))
}

/// Whether `name` is an identifier of RFC 5228 §8.1 and short enough for a variable.
pub(crate) fn is_identifier(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.len() <= MAX_VARIABLE_NAME && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Replaces `${hex: …}` and `${unicode: …}` by what they mean; anything not of their form stays.
pub(crate) fn decode_characters(text: &str) -> Result<Cow<'_, str>, Bad> {
    if !text.contains("${") {
        return Ok(Cow::Borrowed(text));
    }
    // Bytes, for one character may be spelt with several hex sequences.
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        match encoded(&rest[2..], &mut out)? {
            Some(length) => rest = &rest[2 + length..],
            None => {
                out.extend_from_slice(b"${");
                rest = &rest[2..];
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).map(Cow::Owned).map_err(|_| Bad::Character("hex".to_owned()))
}

/// Reads the encoded characters that `rest`, which follows `${`, may hold; answers how long they are.
fn encoded(rest: &str, out: &mut Vec<u8>) -> Result<Option<usize>, Bad> {
    let Some((kind, list)) = rest.split_once(':') else { return Ok(None) };
    let Some((list, _)) = list.split_once('}') else { return Ok(None) };
    let is_hex = kind.eq_ignore_ascii_case("hex");
    if !is_hex && !kind.eq_ignore_ascii_case("unicode") {
        return Ok(None);
    }
    let words: Vec<&str> = list.split_ascii_whitespace().collect();
    let digits = if is_hex { 1..=2 } else { 1..=usize::MAX };
    let is_word = |word: &&str| digits.contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit());
    if words.is_empty() || !words.iter().all(is_word) {
        return Ok(None);
    }
    for word in words {
        let number = u32::from_str_radix(word.trim_start_matches('0'), 16)
            .or_else(|error| if word.bytes().all(|b| b == b'0') { Ok(0) } else { Err(error) });
        let number = number.map_err(|_| Bad::Character(word.to_owned()))?;
        if is_hex {
            out.push(number as u8);
        } else {
            let c = char::from_u32(number).ok_or_else(|| Bad::Character(word.to_owned()))?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Ok(Some(kind.len() + 1 + list.len() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_and_what_is_none_stays() {
        let parts = |text| match Template::parse(text, true) {
            Ok(Template::Parts(pieces)) => pieces.len(),
            Ok(Template::Fixed(fixed)) => {
                assert_eq!(&*fixed, text);
                0
            }
            Err(_) => 99,
        };
        let texts = ["${a}", "x${a}${1}y", "&%${}!", "${doh!}", "${fo\\o}", "${", "$${company}", "${global.a}"];
        assert_eq!(texts.map(parts), [1, 4, 0, 0, 0, 0, 2, 1]);
        assert_eq!(["${65}", "${a.b}", "${global.1}"].map(parts), [99, 99, 99]);
    }

    #[test]
    fn encoded_characters_are_those_of_the_rfc() {
        let decoded = |text| decode_characters(text).map(|text| text.into_owned());
        assert_eq!(decoded("$${hex:40}").unwrap(), "$@");
        assert_eq!(decoded("${hex: 40 }").unwrap(), "@");
        assert_eq!(decoded("${HEX: 40}").unwrap(), "@");
        assert_eq!(decoded("${hex:40").unwrap(), "${hex:40");
        assert_eq!(decoded("${hex:400}").unwrap(), "${hex:400}");
        assert_eq!(decoded("${hex:4${hex:30}}").unwrap(), "${hex:40}");
        assert_eq!(decoded("${unicode:40}").unwrap(), "@");
        assert_eq!(decoded("${ unicode:40}").unwrap(), "${ unicode:40}");
        assert_eq!(decoded("${UNICODE:40}").unwrap(), "@");
        assert_eq!(decoded("${UnICoDE:0000040}").unwrap(), "@");
        assert_eq!(decoded("${Unicode:40}").unwrap(), "@");
        assert_eq!(decoded("${Unicode:Cool}").unwrap(), "${Unicode:Cool}");
        assert_eq!(decoded("${unicode:4e2d 6587}").unwrap(), "中文");
        assert_eq!(decoded("${hex:e4 b8}${hex:ad}").unwrap(), "中");
        assert!(decoded("${unicode:200000}").is_err());
        assert!(decoded("${Unicode:DF01}").is_err());
        assert!(decoded("${hex:ff}").is_err());
    }
}
