//! Message flags (RFC 9051 §2.3.2).

use std::fmt;

/// A flag of a message. Comparison of keywords ignores ASCII case; the spelling is kept.
#[derive(Debug, Clone)]
pub enum Flag {
    /// `\Seen`
    Seen,
    /// `\Answered`
    Answered,
    /// `\Flagged`
    Flagged,
    /// `\Deleted`
    Deleted,
    /// `\Draft`
    Draft,
    /// `\Recent` of IMAP4rev1, which a client cannot set.
    Recent,
    /// A keyword such as `$Forwarded`.
    Keyword(String),
    /// A backslash flag that nobody defined, without its backslash.
    Extension(String),
}

impl Flag {
    /// The flag as it is written, for instance from a STORE command or a database row.
    pub fn parse(text: &str) -> Self {
        let Some(name) = text.strip_prefix('\\') else { return Flag::Keyword(text.to_owned()) };
        SYSTEM
            .iter()
            .find(|(_, system)| system[1..].eq_ignore_ascii_case(name))
            .map_or_else(|| Flag::Extension(name.to_owned()), |(flag, _)| flag.clone())
    }
}

const SYSTEM: [(Flag, &str); 6] = [
    (Flag::Seen, "\\Seen"),
    (Flag::Answered, "\\Answered"),
    (Flag::Flagged, "\\Flagged"),
    (Flag::Deleted, "\\Deleted"),
    (Flag::Draft, "\\Draft"),
    (Flag::Recent, "\\Recent"),
];

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flag::Keyword(name) => f.write_str(name),
            Flag::Extension(name) => write!(f, "\\{name}"),
            Flag::Seen => f.write_str("\\Seen"),
            Flag::Answered => f.write_str("\\Answered"),
            Flag::Flagged => f.write_str("\\Flagged"),
            Flag::Deleted => f.write_str("\\Deleted"),
            Flag::Draft => f.write_str("\\Draft"),
            Flag::Recent => f.write_str("\\Recent"),
        }
    }
}

impl PartialEq for Flag {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Flag::Keyword(a), Flag::Keyword(b)) | (Flag::Extension(a), Flag::Extension(b)) => {
                a.eq_ignore_ascii_case(b)
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for Flag {}
