//! Reverse and forward paths (RFC 5321 §4.1.2).

use super::{CommandError, DOMAIN_MAX, LOCAL_PART_MAX, PATH_MAX};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A mailbox address of the envelope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// The local part without quoting: `"a b"@x` has the local part `a b`.
    pub local: String,
    /// The domain as written, or an address literal with its brackets (`[192.0.2.1]`, `[IPv6:::1]`).
    pub domain: String,
}

/// The argument of RCPT TO.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// An ordinary address.
    Mailbox(Mailbox),
    /// `<postmaster>` without a domain, which every server must accept (RFC 5321 §4.5.1).
    Postmaster,
}

impl Mailbox {
    /// The address behind an address literal, if the domain is one (RFC 5321 §4.1.3).
    pub fn literal(&self) -> Option<IpAddr> {
        let inner = self.domain.strip_prefix('[')?.strip_suffix(']')?;
        match inner.get(..5) {
            Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inner[5..].parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        }
    }

    /// Whether the address needs SMTPUTF8 to be carried (RFC 6531 §3.3).
    pub fn needs_smtputf8(&self) -> bool {
        !self.local.is_ascii() || !self.domain.is_ascii()
    }

    /// Reads `local@domain` without angle brackets, by the rules of a path.
    ///
    /// Errors: 501 5.1.7 where it is no address or is over a limit.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let (local, rest) = local_part(text)?;
        let domain = rest.strip_prefix('@').ok_or(BAD)?;
        check_domain(domain)?;
        Ok(Self { local, domain: domain.to_owned() })
    }
}

impl fmt::Display for Mailbox {
    /// The address as it stands inside angle brackets, the local part quoted where it must be.
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

const BAD: CommandError = CommandError::new(501, (5, 1, 7), "Bad address syntax");
const TOO_LONG: CommandError = CommandError::new(501, (5, 1, 7), "Address too long");

/// Cuts `<...>` off the front: the inside of the brackets and what follows them.
pub(super) fn bracketed(text: &str) -> Result<(&str, &str), CommandError> {
    let inner = text.strip_prefix('<').ok_or(BAD)?;
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                return if at + 2 > PATH_MAX { Err(TOO_LONG) } else { Ok((&inner[..at], &inner[at + 1..])) };
            }
            _ => {}
        }
    }
    Err(BAD)
}

/// The inside of a reverse path; the null path `<>` is `None`.
pub(super) fn reverse_path(inner: &str) -> Result<Option<Mailbox>, CommandError> {
    if inner.is_empty() {
        return Ok(None);
    }
    Mailbox::parse(strip_source_route(inner)?).map(Some)
}

/// The inside of a forward path.
pub(super) fn forward_path(inner: &str) -> Result<ForwardPath, CommandError> {
    if inner.eq_ignore_ascii_case("postmaster") {
        return Ok(ForwardPath::Postmaster);
    }
    Mailbox::parse(strip_source_route(inner)?).map(ForwardPath::Mailbox)
}

/// Drops `@a,@b:` (RFC 5321 appendix C says: accept and ignore).
fn strip_source_route(inner: &str) -> Result<&str, CommandError> {
    if !inner.starts_with('@') {
        return Ok(inner);
    }
    let (route, rest) = inner.split_once(':').ok_or(BAD)?;
    for hop in route.split(',') {
        check_domain(hop.strip_prefix('@').ok_or(BAD)?)?;
    }
    Ok(rest)
}

fn local_part(text: &str) -> Result<(String, &str), CommandError> {
    let (local, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted_local(quoted)?,
        None => {
            let end = text.rfind('@').ok_or(BAD)?;
            (text[..end].to_owned(), &text[end..])
        }
    };
    if !text.starts_with('"') && !is_dot_string(&local) {
        return Err(BAD);
    }
    if local.is_empty() {
        return Err(BAD);
    }
    if local.len() > LOCAL_PART_MAX {
        return Err(TOO_LONG);
    }
    Ok((local, rest))
}

/// The content of a quoted local part, unescaped, and what follows the closing quote.
fn quoted_local(text: &str) -> Result<(String, &str), CommandError> {
    let mut local = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((local, &text[at + 1..])),
            c => local.push(text_char(if c == '\\' { chars.next().ok_or(BAD)?.1 } else { c })?),
        }
    }
    Err(BAD)
}

fn text_char(c: char) -> Result<char, CommandError> {
    if c.is_control() { Err(BAD) } else { Ok(c) }
}

/// Whether it may be written without quotes.
fn is_dot_string(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
}

fn check_domain(domain: &str) -> Result<(), CommandError> {
    if domain.len() > DOMAIN_MAX {
        return Err(TOO_LONG);
    }
    let good = match domain.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(is_literal),
        None => domain.split('.').all(is_label),
    };
    if good { Ok(()) } else { Err(BAD) }
}

fn is_literal(inner: &str) -> bool {
    match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inner[5..].parse::<Ipv6Addr>().is_ok(),
        _ => inner.parse::<Ipv4Addr>().is_ok(),
    }
}

/// A label of letters, digits, hyphens and, as real hosts have them, underscores; or of UTF-8 (RFC 6531 §3.3).
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.chars().count() <= 63
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (!c.is_ascii() && !c.is_control()))
}
