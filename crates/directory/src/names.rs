//! The normal form of addresses, domains and login names: NFC, lower case, Unicode labels.

use anser_base::{Address, Error, Result};
use unicode_normalization::UnicodeNormalization;

/// Longest display name, in bytes.
pub const DISPLAY_NAME: usize = 255;
/// Longest label of a domain, in bytes of UTF-8 (RFC 1035 §2.3.4 says 63 of ASCII; Unicode forms are about as long).
const LABEL: usize = 63;

/// The form under which the directory holds and finds an address.
pub(crate) fn key(address: &Address) -> String {
    format!("{}@{}", local_key(address.local()), domain_key(address.domain()))
}

/// The normal form of a local part.
pub(crate) fn local_key(local: &str) -> String {
    local.nfc().collect::<String>().to_lowercase().nfc().map(storable).collect()
}

/// A character that every engine can hold: control characters become one that no name has.
fn storable(c: char) -> char {
    if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
}

/// The normal form of a domain: `xn--` labels become what they stand for (RFC 5891 §4.4's comparison, in its Unicode half).
pub(crate) fn domain_key(domain: &str) -> String {
    let lower = local_key(domain);
    let lower = lower.trim_end_matches('.');
    if !lower.contains("xn--") {
        return lower.to_owned();
    }
    lower.split('.').map(unicode_label).collect::<Vec<_>>().join(".")
}

fn unicode_label(label: &str) -> String {
    let decoded = label.strip_prefix("xn--").and_then(punycode).filter(|text| domain_label(text));
    decoded.unwrap_or_else(|| label.to_owned())
}

/// Decodes a label's Punycode (RFC 3492 §6.2); `None` when it is none.
fn punycode(encoded: &str) -> Option<String> {
    let (basic, digits) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = digits.bytes();
    while digits.len() > 0 {
        let before = i;
        let (mut weight, mut k) = (1_u32, 36_u32);
        loop {
            let digit = match digits.next()? {
                byte @ b'a'..=b'z' => u32::from(byte - b'a'),
                byte @ b'0'..=b'9' => u32::from(byte - b'0') + 26,
                _ => return None,
            };
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(1, 26);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold)?;
            k += 36;
        }
        let len = out.len() as u32 + 1;
        bias = adapt(i - before, len, before == 0);
        n = n.checked_add(i / len)?;
        i %= len;
        out.insert(i as usize, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

fn adapt(delta: u32, len: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / len;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

/// The normal form of an address that shall be somebody's; refuses what needs quotes on the wire (RFC 5321 §4.1.2 dot-string).
pub(crate) fn new_address(address: &Address) -> Result<Address> {
    let text = key(address);
    let (local, domain) = (local_key(address.local()), new_domain(address.domain())?);
    match Address::new(&local, &domain) {
        Some(address) if address.to_string() == text => Ok(address),
        _ => Err(Error::invalid(
            "the part before the @ may hold letters, digits and . _ - + but no spaces or quotes",
            "@ 前的部分可以使用字母、数字和 . _ - +，不能有空格或引号",
        )),
    }
}

/// The normal form of a domain that shall be ours.
pub(crate) fn new_domain(name: &str) -> Result<String> {
    let name = domain_key(name.trim());
    let good = name.len() <= anser_base::address::DOMAIN && name.split('.').all(domain_label);
    good.then_some(name).ok_or_else(|| Error::invalid("that is no domain name", "这不是有效的域名"))
}

fn domain_label(label: &str) -> bool {
    let inner = |c: char| {
        c.is_ascii_alphanumeric()
            || c == '-'
            || (!c.is_ascii() && !c.is_whitespace() && c != char::REPLACEMENT_CHARACTER)
    };
    !label.is_empty()
        && label.len() <= LABEL
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(inner)
}

/// A display name as it may be stored.
pub(crate) fn display_name(name: &str) -> Result<String> {
    let name: String = name.trim().nfc().collect();
    let good = name.len() <= DISPLAY_NAME && !name.chars().any(char::is_control);
    good.then_some(name).ok_or_else(|| {
        Error::invalid("a name has at most 255 bytes and no control characters", "名称最多 255 字节，不能有控制字符")
    })
}

/// What a client gave as its login name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LoginName {
    /// `local@domain`, in normal form.
    Full(String),
    /// A local part, to be sought in the default domain.
    Bare(String),
}

impl LoginName {
    /// `None` when the bytes cannot be anybody's name.
    pub fn parse(name: &[u8]) -> Option<Self> {
        let text = str::from_utf8(name).ok()?.trim();
        if text.contains('@') {
            return Address::parse(text).map(|address| Self::Full(key(&address)));
        }
        let known = Address::new(text, "x").is_some();
        known.then(|| Self::Bare(local_key(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_normal_form() {
        assert_eq!(domain_key("xn--fsqu00a.xn--fiqs8s."), "例子.中国");
        assert_eq!(domain_key("XN--Bcher-KVA.Example"), "bücher.example");
        assert_eq!(domain_key("xn--a b.example"), "xn--a b.example");
        assert_eq!(local_key("E\u{301}va"), "éva");
        assert_eq!(LoginName::parse(b" Ann@Example.ORG "), Some(LoginName::Full("ann@example.org".into())));
        assert_eq!(LoginName::parse(b"Ann"), Some(LoginName::Bare("ann".into())));
        assert_eq!(LoginName::parse(b"\xff"), None);
        assert_eq!(LoginName::parse(b""), None);
    }
}
