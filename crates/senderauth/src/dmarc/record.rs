//! Policy records (RFC 9989 §4.7, §4.8), old ones included (RFC 7489 §6.3).

use crate::tags::Tags;

/// Addresses for reports that are read of one record.
const ADDRESSES: usize = 10;

/// What a domain asks to be done with what fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Nothing.
    None,
    /// Set it apart.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Policy {
    fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "none" => Some(Self::None),
            "quarantine" => Some(Self::Quarantine),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }

    /// The word of the record.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// One step milder, as a domain that is testing wants it (RFC 9989 §4.7 t=).
    pub fn milder(self) -> Self {
        if self == Self::Reject { Self::Quarantine } else { Self::None }
    }
}

/// Whether a name is a public suffix (RFC 9989 §4.7 psd=).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Suffix {
    /// It is.
    Yes,
    /// It is not, and is the organization of what is below it.
    No,
    /// It does not say.
    #[default]
    Unknown,
}

/// A policy record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `p=`.
    pub policy: Policy,
    /// `sp=`.
    pub subdomains: Option<Policy>,
    /// `np=`.
    pub missing: Option<Policy>,
    /// `adkim=s`.
    pub strict_dkim: bool,
    /// `aspf=s`.
    pub strict_spf: bool,
    /// `psd=`.
    pub suffix: Suffix,
    /// `t=y`, or the `pct=0` of old records that meant the same (RFC 9989 §A.6).
    pub testing: bool,
    /// The addresses of `rua=mailto:…`, without sizes.
    pub reports: Vec<String>,
    /// The addresses of `ruf=mailto:…`, without sizes.
    pub failures: Vec<String>,
}

impl Record {
    /// Reads a record. `None` when it is none: another version, or nothing in it that says what to do (RFC 9989 §4.10.1).
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        // Broken tags are ignored one by one, unlike those of DKIM.
        let (version, rest) = text.split_once(';').unwrap_or((text, ""));
        let (name, version) = version.split_once('=')?;
        if name.trim_ascii() != "v" || version.trim_ascii() != "DMARC1" {
            return None;
        }
        let pieces = rest.split(';').filter_map(Tags::parse);
        let tags: Vec<(String, &str)> = pieces
            .flat_map(|tags| tags.first())
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .take(crate::tags::TAGS)
            .collect();
        let get = |wanted| tags.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
        let policy = |wanted| get(wanted).map(Policy::parse);
        let reports = get("rua").map(addresses).unwrap_or_default();
        let (main, subdomains, missing) = (policy("p"), policy("sp"), policy("np"));
        let broken = matches!(main, None | Some(None)) || subdomains == Some(None) || missing == Some(None);
        if broken && reports.is_empty() && main.is_some() {
            return None;
        }
        let fallback = |policy: Option<Option<Policy>>| if broken { None } else { policy.flatten() };
        let is = |name, word| get(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        Some(Self {
            policy: fallback(main).unwrap_or(Policy::None),
            subdomains: fallback(subdomains),
            missing: fallback(missing),
            strict_dkim: is("adkim", "s"),
            strict_spf: is("aspf", "s"),
            suffix: match get("psd") {
                Some(word) if word.eq_ignore_ascii_case("y") => Suffix::Yes,
                Some(word) if word.eq_ignore_ascii_case("n") => Suffix::No,
                _ => Suffix::Unknown,
            },
            testing: is("t", "y") || (get("t").is_none() && is("pct", "0")),
            reports,
            failures: get("ruf").map(addresses).unwrap_or_default(),
        })
    }
}

/// The addresses of `mailto:` URIs; other URIs are not for us (RFC 9989 §4.7 rua=), a size behind `!` is of old (§4.8).
fn addresses(list: &str) -> Vec<String> {
    let uris = list.split(',').filter_map(|uri| {
        let uri = uri.trim_ascii();
        let address = uri.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).map(|_| &uri[7..])?;
        let address = address.split(['!', '?']).next()?;
        anser_base::Address::parse(&unescaped(address)?).map(|address| address.to_string())
    });
    uris.take(ADDRESSES).collect()
}

/// Percent escapes undone (RFC 3986 §2.1).
fn unescaped(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || (bytes.next()? as char).to_digit(16);
        out.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(out).ok()
}
