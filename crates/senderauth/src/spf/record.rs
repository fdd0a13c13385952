//! SPF records (RFC 7208 §4.6, §5, §6), read whole before anything of them is run.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Result;
use super::macros::MacroString;

/// A record that obeys the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Left to right.
    pub directives: Vec<Directive>,
    /// `redirect=`.
    pub redirect: Option<MacroString>,
    /// `exp=`.
    pub explanation: Option<MacroString>,
}

/// A mechanism and what its match means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// What a match yields.
    pub result: Result,
    /// What has to match.
    pub mechanism: Mechanism,
}

/// RFC 7208 §5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Always matches.
    All,
    /// Matches when the record of another domain passes.
    Include(MacroString),
    /// Matches an address of a name.
    A(Option<MacroString>, Cidr),
    /// Matches an address of a mail exchanger of a name.
    Mx(Option<MacroString>, Cidr),
    /// Matches when the peer's validated name is within a domain.
    Ptr(Option<MacroString>),
    /// Matches addresses with a common prefix of this many bits.
    Ip4(Ipv4Addr, u32),
    /// Matches addresses with a common prefix of this many bits.
    Ip6(Ipv6Addr, u32),
    /// Matches when the name has an IPv4 address.
    Exists(MacroString),
}

/// Prefix lengths for both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// 0 to 32.
    pub v4: u32,
    /// 0 to 128.
    pub v6: u32,
}

/// Whether a TXT record is an SPF record of version 1 (RFC 7208 §4.5).
pub fn is_record(text: &[u8]) -> bool {
    let rest = text.get(..6).filter(|version| version.eq_ignore_ascii_case(b"v=spf1"));
    rest.is_some() && matches!(text.get(6), None | Some(b' '))
}

impl Record {
    /// Reads a record, version included. `None` for anything that breaks the grammar: the whole record is void then (RFC 7208 §4.6).
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
        let mut record = Self { directives: Vec::new(), redirect: None, explanation: None };
        for term in text.get(6..)?.split(' ').filter(|term| !term.is_empty()) {
            record.add(term)?;
        }
        Some(record)
    }

    fn add(&mut self, term: &str) -> Option<()> {
        let name = term.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)).count();
        if name > 0 && term.as_bytes()[0].is_ascii_alphabetic() && term.as_bytes().get(name) == Some(&b'=') {
            return self.add_modifier(&term[..name], &term[name + 1..]);
        }
        self.directives.push(Directive::parse(term)?);
        Some(())
    }

    fn add_modifier(&mut self, name: &str, value: &str) -> Option<()> {
        let place = match name.to_ascii_lowercase().as_str() {
            "redirect" => &mut self.redirect,
            "exp" => &mut self.explanation,
            _ => return MacroString::parse(value, false).map(drop),
        };
        // Each may be there once (RFC 7208 §6).
        if place.is_some() {
            return None;
        }
        *place = Some(MacroString::parse_domain(value)?);
        Some(())
    }
}

impl Directive {
    fn parse(term: &str) -> Option<Self> {
        let result = match term.as_bytes().first()? {
            b'-' => Result::Fail,
            b'~' => Result::SoftFail,
            b'?' => Result::Neutral,
            _ => Result::Pass,
        };
        let term = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term);
        let name = term.find([':', '/']).unwrap_or(term.len());
        let (name, rest) = (term[..name].to_ascii_lowercase(), &term[name..]);
        let mechanism = match (name.as_str(), rest) {
            ("all", "") => Mechanism::All,
            ("include", _) => Mechanism::Include(MacroString::parse_domain(rest.strip_prefix(':')?)?),
            ("exists", _) => Mechanism::Exists(MacroString::parse_domain(rest.strip_prefix(':')?)?),
            ("a", _) => {
                let (cidr, rest) = Cidr::split(rest)?;
                Mechanism::A(optional_domain(rest)?, cidr)
            }
            ("mx", _) => {
                let (cidr, rest) = Cidr::split(rest)?;
                Mechanism::Mx(optional_domain(rest)?, cidr)
            }
            ("ptr", _) => Mechanism::Ptr(optional_domain(rest)?),
            ("ip4", _) => {
                let (address, bits) = network(rest.strip_prefix(':')?, 32)?;
                Mechanism::Ip4(address.parse().ok()?, bits)
            }
            ("ip6", _) => {
                let (address, bits) = network(rest.strip_prefix(':')?, 128)?;
                Mechanism::Ip6(address.parse().ok()?, bits)
            }
            _ => return None,
        };
        Some(Self { result, mechanism })
    }
}

/// `:domain` or nothing; the outer `None` is a mistake.
fn optional_domain(rest: &str) -> Option<Option<MacroString>> {
    match rest.strip_prefix(':') {
        Some(domain) => MacroString::parse_domain(domain).map(Some),
        None => rest.is_empty().then_some(None),
    }
}

fn network(text: &str, most: u32) -> Option<(&str, u32)> {
    match text.split_once('/') {
        Some((address, bits)) => Some((address, prefix(bits, most)?)),
        None => Some((text, most)),
    }
}

/// A number without leading zeros, at most `most`.
fn prefix(text: &str, most: u32) -> Option<u32> {
    let fine = !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| fine && *number <= most)?;
    (text == "0" || !text.starts_with('0')).then_some(number)
}

impl Cidr {
    /// Takes `/n`, `//n` or `/n//n` off the end (RFC 7208 §5.6 `dual-cidr-length`).
    fn split(text: &str) -> Option<(Self, &str)> {
        let (mut cidr, mut rest) = (Self { v4: 32, v6: 128 }, text);
        if let Some((before, bits)) = rest.rsplit_once("//")
            && is_number(bits)
        {
            (cidr.v6, rest) = (prefix(bits, 128)?, before);
        }
        if let Some((before, bits)) = rest.rsplit_once('/')
            && is_number(bits)
        {
            (cidr.v4, rest) = (prefix(bits, 32)?, before);
        }
        Some((cidr, rest))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
