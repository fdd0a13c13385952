//! E-mail addresses in the house: the mailbox of RFC 5321 §4.1.2 after parsing, with a normal form for look-ups.

use std::fmt;

/// Longest local part, in bytes (RFC 5321 §4.5.3.1.1).
pub const LOCAL_PART: usize = 64;
/// Longest domain, in bytes (RFC 5321 §4.5.3.1.2).
pub const DOMAIN: usize = 255;

/// `local@domain`. The local part is held without its quotes, in its own case; the domain in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    local: String,
    domain: String,
}

impl Address {
    /// From parts that a codec already took apart. `None` for an empty or over-long part, a control character, or white
    /// space or `@` in the domain.
    pub fn new(local: &str, domain: &str) -> Option<Self> {
        let sized = !local.is_empty() && local.len() <= LOCAL_PART && !domain.is_empty() && domain.len() <= DOMAIN;
        let clean = !local.chars().any(char::is_control)
            && !domain
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '@' | '/' | '\\' | '<' | '>' | '"'))
            && !domain.starts_with('.')
            && !domain.contains("..");
        (sized && clean).then(|| Self { local: local.to_owned(), domain: domain.trim_end_matches('.').to_lowercase() })
    }

    /// Parses what a person or a file wrote: `ann@example.org`, or with a quoted local part.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => Self::new(&unescape(quoted)?, domain),
            None if local.contains(|c: char| c.is_whitespace() || "\"<>()[],;:\\@".contains(c)) => None,
            None => Self::new(local, domain),
        }
    }

    /// The part before the `@`, unquoted, in its own case.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The form under which the directory looks it up: all lower case, subaddress kept.
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    /// The address without its subaddress (RFC 5233): `ann+news@…` gives `ann@…`; `None` when there is none.
    pub fn without_detail(&self) -> Option<Self> {
        let (user, _) = self.local.split_once('+')?;
        Self::new(user, &self.domain)
    }

    /// The subaddress, the part behind the first `+`.
    pub fn detail(&self) -> Option<&str> {
        self.local.split_once('+').map(|(_, detail)| detail)
    }

    /// Whether SMTP can carry it without SMTPUTF8 (RFC 6531).
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii() && self.domain.is_ascii()
    }
}

impl fmt::Display for Address {
    /// The form that goes on the wire, the local part quoted where RFC 5321 asks for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.local) {
            return write!(f, "{}@{}", self.local, self.domain);
        }
        f.write_str("\"")?;
        for c in self.local.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        write!(f, "\"@{}", self.domain)
    }
}

fn is_dot_string(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|c| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c))
    })
}

fn unescape(quoted: &str) -> Option<String> {
    let mut out = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?),
            '"' => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_meaning_through_text() {
        for text in ["ann@example.org", "\"a b\"@example.org", "陈@例子.中国", "a+b@example.org", "\"a\\\"b\"@x.y"]
        {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), text);
        }
        assert_eq!(Address::parse("Ann+News@Example.ORG").unwrap().key(), "ann+news@example.org");
        assert_eq!(Address::parse("ann+news@x.y").unwrap().without_detail().unwrap().to_string(), "ann@x.y");
    }

    #[test]
    fn hostile_addresses_are_no_addresses() {
        for text in ["", "@", "a@", "@b", "a b@c", "a\n@b", "a@b c", "a@../b", "a@b\0", "a@b@", "<a@b>", "a@.b"] {
            assert!(Address::parse(text).is_none(), "{text:?}");
        }
    }
}
