//! Pairs of [`Field`] and text become a row, or a complaint.

use anser_base::{Address, Language, Text};
use unicode_normalization::UnicodeNormalization;

use crate::field::Field;
use crate::row::{Away, Entry, Pass, Person, Secret};
use crate::{ADDRESSES, VALUE};

/// What is known of one row so far.
#[derive(Default)]
pub struct Draft<'a> {
    /// Field and text, as they came; a field may come more than once.
    pub values: Vec<(Field, &'a str)>,
    /// What a number of [`Field::Quota`] without a unit counts, in bytes.
    pub unit: u64,
}

impl<'a> Draft<'a> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { values: Vec::new(), unit: 1 << 20 }
    }

    fn first(&self, field: Field) -> Option<&'a str> {
        self.values.iter().find(|(one, text)| *one == field && !text.trim().is_empty()).map(|(_, text)| *text)
    }

    fn trimmed(&self, field: Field) -> Option<&'a str> {
        self.first(field).map(str::trim)
    }

    fn addresses(&self, field: Field, domain: Option<&str>) -> Result<Vec<Address>, Text> {
        let mut all: Vec<Address> = Vec::new();
        for (_, text) in self.values.iter().filter(|(one, _)| *one == field) {
            for address in addresses(text, domain)? {
                if !all.contains(&address) {
                    all.push(address);
                }
            }
        }
        Ok(all)
    }

    /// The row. A row with members is a list; any other is a person.
    pub fn entry(&self, domain: Option<&str>) -> Result<Entry, Text> {
        if let Some((_, long)) = self.values.iter().find(|(_, text)| text.len() > VALUE) {
            let size = long.len();
            return Err(Text::new(
                format!("a value has {size} bytes; {VALUE} is the most"),
                format!("某个值有 {size} 字节，最多 {VALUE}"),
            ));
        }
        let domain = self.trimmed(Field::Domain).or(domain);
        let address = self.trimmed(Field::Address).ok_or_else(|| Text::new("there is no address", "没有邮箱地址"))?;
        let address = address_in(address, domain)?;
        // Names without a domain are in that of the row.
        let domain = Some(domain.unwrap_or(address.domain()).to_owned());
        let domain = domain.as_deref();
        if self.first(Field::Members).is_some() {
            let members = self.addresses(Field::Members, domain)?;
            return Ok(Entry::List { address, name: self.name().unwrap_or_default(), members });
        }
        let mut aliases = self.addresses(Field::Aliases, domain)?;
        aliases.retain(|alias| alias.key() != address.key());
        let mut forwards = self.addresses(Field::Forwards, domain)?;
        // An account that forwards to itself and others keeps a copy.
        let forwards_to_itself = forwards.iter().any(|to| to.key() == address.key());
        forwards.retain(|to| to.key() != address.key());
        let keep = self.trimmed(Field::Keep).map(yes).transpose()?.unwrap_or(true) || forwards_to_itself;
        let away_on = self.trimmed(Field::AwayOn).map(yes).transpose()?;
        Ok(Entry::Person(Box::new(Person {
            name: self.name(),
            department: self.trimmed(Field::Department).map(department),
            pass: self.pass(),
            id_number: self.trimmed(Field::IdNumber).map(|text| Secret(text.nfkc().collect())),
            quota: self.quota()?,
            aliases,
            forwards,
            keep,
            language: self.trimmed(Field::Language).map(language).transpose()?,
            signature: self.trimmed(Field::Signature).map(str::to_owned),
            away: self.trimmed(Field::Away).map(|text| Away { text: text.to_owned(), on: away_on.unwrap_or(true) }),
            sieve: self.trimmed(Field::Sieve).map(str::to_owned),
            active: self.trimmed(Field::Active).map(active).transpose()?,
            lists: self.addresses(Field::Lists, domain)?,
            address,
        })))
    }

    /// On one line, whatever the cell of a table held.
    fn name(&self) -> Option<String> {
        let line = |text: &str| text.split(|c: char| c.is_control()).map(str::trim).collect::<Vec<_>>().join(" ");
        self.raw_name().map(|name| line(&name).trim().to_owned())
    }

    fn raw_name(&self) -> Option<String> {
        if let Some(name) = self.trimmed(Field::Name) {
            return Some(name.to_owned());
        }
        let (family, given) = (self.trimmed(Field::FamilyName), self.trimmed(Field::GivenName));
        match (family, given) {
            (Some(family), Some(given)) if family.is_ascii() && given.is_ascii() => Some(format!("{given} {family}")),
            (Some(family), Some(given)) => Some(format!("{family}{given}")),
            (one, other) => one.or(other).map(str::to_owned),
        }
    }

    /// A password is taken as it is: blanks are part of it.
    fn pass(&self) -> Option<Pass> {
        if let Some(hash) = self.trimmed(Field::Hash) {
            return Some(Pass::Hashed(bare_digest(hash)));
        }
        let password = self.first(Field::Password)?;
        Some(if looks_hashed(password.trim()) {
            Pass::Hashed(password.trim().to_owned())
        } else {
            Pass::Clear(password.to_owned())
        })
    }

    fn quota(&self) -> Result<Option<u64>, Text> {
        match (self.trimmed(Field::QuotaBytes), self.trimmed(Field::Quota)) {
            (Some(text), _) => size(text, 1).map(Some),
            (None, Some(text)) => size(text, self.unit).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// What stands between addresses in one value.
const SEPARATORS: [char; 9] = [',', ';', '|', '\n', '\r', '\t', ' ', '、', '\u{3000}'];

/// An address as people write it: full-width signs are what they stand for, a name without `@` is in the domain.
pub fn address_in(text: &str, domain: Option<&str>) -> Result<Address, Text> {
    let folded: String = text.trim().nfkc().map(|c| if c == '。' { '.' } else { c }).collect();
    let folded = folded.trim();
    let found = match (folded.contains('@'), domain) {
        (true, _) => Address::parse(folded),
        (false, Some(domain)) => Address::parse(&format!("{folded}@{}", domain.trim().trim_start_matches('@'))),
        (false, None) => {
            return Err(Text::new(
                format!("{folded:?} has no domain; say which with --domain"),
                format!("{folded:?} 没有域名，请用 --domain 指定"),
            ));
        }
    };
    found.ok_or_else(|| Text::new(format!("{text:?} is no address"), format!("{text:?} 不是邮箱地址")))
}

/// Addresses in one value.
pub fn addresses(text: &str, domain: Option<&str>) -> Result<Vec<Address>, Text> {
    let folded: String = text.nfkc().map(|c| if c == '；' || c == '，' { ',' } else { c }).collect();
    let mut all = Vec::new();
    for one in folded.split(SEPARATORS).map(str::trim).filter(|one| !one.is_empty()) {
        if all.len() >= ADDRESSES {
            return Err(Text::new(format!("more than {ADDRESSES} addresses"), format!("地址超过 {ADDRESSES} 个")));
        }
        // Exchange writes `SMTP:ann@example.org`, and other kinds of names beside it.
        let one = match one.split_once(':') {
            Some((kind, address)) if kind.eq_ignore_ascii_case("smtp") => address,
            Some(_) => continue,
            None => one.trim_matches(['<', '>', '"', '\'']),
        };
        all.push(address_in(one, domain)?);
    }
    Ok(all)
}

fn department(text: &str) -> String {
    let folded: String = text.chars().map(|c| if matches!(c, '\\' | '>' | '／' | '＞') { '/' } else { c }).collect();
    folded.split('/').map(str::trim).filter(|level| !level.is_empty()).collect::<Vec<_>>().join("/")
}

/// `2G`, `500 MB`, `10737418240`, `无限`; a number alone counts `unit`, and bytes when it can be nothing else.
pub fn size(text: &str, unit: u64) -> Result<u64, Text> {
    let bad = || Text::new(format!("{text:?} is no size"), format!("{text:?} 不是容量"));
    let folded: String = text.nfkc().filter(|c| !c.is_whitespace() && *c != ',').collect::<String>().to_lowercase();
    if matches!(folded.as_str(), "无限" | "不限" | "不限制" | "无限制" | "unlimited" | "none" | "-1" | "-") {
        return Ok(0);
    }
    let end = folded.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(folded.len());
    let (number, word) = folded.split_at(end);
    let number: f64 = number.parse().map_err(|_| bad())?;
    let unit = match word {
        "" if number >= 1_000_000.0 => 1,
        "" => unit,
        "b" | "bytes" | "字节" | "s" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" | "兆" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return Err(bad()),
    };
    let bytes = number * unit as f64;
    if bytes < i64::MAX as f64 { Ok(bytes as u64) } else { Err(bad()) }
}

fn yes(text: &str) -> Result<bool, Text> {
    match text.to_lowercase().as_str() {
        "1" | "y" | "yes" | "true" | "t" | "on" | "是" | "有" | "启用" | "开" | "开启" => Ok(true),
        "0" | "n" | "no" | "false" | "f" | "off" | "否" | "无" | "禁用" | "关" | "关闭" => Ok(false),
        _ => Err(Text::new(format!("{text:?} is neither yes nor no"), format!("{text:?} 不是“是”或“否”"))),
    }
}

fn active(text: &str) -> Result<bool, Text> {
    match text.to_lowercase().as_str() {
        "active" | "enabled" | "normal" | "open" | "正常" | "启用中" | "已启用" | "使用中" => Ok(true),
        "locked" | "lockout" | "closed" | "disabled" | "suspended" | "inactive" | "停用" | "已停用" | "冻结"
        | "锁定" | "已禁用" | "暂停" | "注销" => Ok(false),
        other => yes(other),
    }
}

fn language(text: &str) -> Result<Language, Text> {
    let lower = text.to_lowercase();
    match () {
        () if lower.starts_with("zh") || lower.starts_with("chinese") || text.contains('中') => Ok(Language::Chinese),
        () if lower.starts_with("en") || text.contains('英') => Ok(Language::English),
        () => Err(Text::new(format!("there is no language {text:?}"), format!("没有语言 {text:?}"))),
    }
}

/// Whether a password is a hash, by its first characters.
fn looks_hashed(text: &str) -> bool {
    let scheme = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let named = scheme.is_some_and(|(name, hash)| {
        !hash.is_empty() && name.len() >= 2 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    });
    let crypts = ["$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$sha1$", "$argon2", "$pbkdf2", "pbkdf2_"];
    named || crypts.iter().any(|start| text.starts_with(start))
}

/// A bare digest in hexadecimal gets the name that its length gives it.
fn bare_digest(hash: &str) -> String {
    let scheme = match hash.len() {
        32 => "{PLAIN-MD5}",
        40 => "{SHA}",
        64 => "{SHA256}",
        128 => "{SHA512}",
        _ => "",
    };
    let is_hex = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { format!("{scheme}{hash}") } else { hash.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_unit() {
        for (text, unit, bytes) in [
            ("2G", 1 << 20, 2_u64 << 30),
            ("500 MB", 1, 500 << 20),
            ("1024", 1 << 20, 1 << 30),
            ("５００兆", 1, 500 << 20),
            ("10737418240", 1 << 20, 10 << 30),
            ("10000000S", 1, 10_000_000),
            ("1.5g", 1, 3 << 29),
            ("无限", 1, 0),
            ("0", 1 << 20, 0),
        ] {
            assert_eq!(size(text, unit).unwrap(), bytes, "{text}");
        }
        for bad in ["", "x", "5 apples", "1e999", "999999999999999999999G"] {
            assert!(size(bad, 1).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let all = addresses(" ann＠example．org；bob，SMTP:c@x.test X500:/o=a", Some("example.org")).unwrap();
        let all: Vec<String> = all.iter().map(Address::to_string).collect();
        assert_eq!(all, ["ann@example.org", "bob@example.org", "c@x.test"]);
    }

    #[test]
    fn hashes_are_told_from_passwords() {
        for hash in ["{SSHA}abc", "$6$a$b", "{MD5.hex}00", "$2y$06$x"] {
            assert!(looks_hashed(hash), "{hash}");
        }
        for password in ["a()*%\"\\ {}]~ 密", "{}", "$1", "{a}", "{a b}c", "hunter2"] {
            assert!(!looks_hashed(password), "{password}");
        }
    }
}
