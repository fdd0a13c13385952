//! What is known of providers and kinds of old servers, as data: `data/profiles.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::{Kind, Source};
use crate::tables::table;

/// The name of the profile of servers of which nothing is known.
pub const GENERIC: &str = "generic";
const TABLE: &str = include_str!("../data/profiles.toml");

/// What is known of one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name that a source gives.
    pub name: String,
    /// The server, where one name serves everybody; it speaks IMAP on port 993.
    pub imap: Option<String>,
    /// Likewise POP3 on port 995.
    pub pop3: Option<String>,
    /// Other hosts of the same provider.
    #[serde(default)]
    hosts: Vec<String>,
    /// Domains of addresses there.
    #[serde(default)]
    domains: Vec<String>,
    /// Hosts where mail for the domains of its organisations goes, or what those end in.
    #[serde(default)]
    mx: Vec<String>,
    /// Its name for people.
    #[serde(default)]
    pub title: Title,
    /// Mailboxes that may be worked on at once.
    pub connections: Option<u32>,
    /// Bytes that one mailbox hands out in a day.
    pub bytes_a_day: Option<u64>,
    /// Folders that only hold those which users made, as they stand on the wire.
    #[serde(default)]
    pub lifted: Vec<String>,
    /// Whether a message with several labels is in several folders, so that the same bytes there are one message.
    #[serde(default)]
    pub labels: bool,
    /// How mailboxes there are opened without passwords.
    #[serde(default)]
    pub oauth: OAuth,
    /// What has to be done there first.
    #[serde(default)]
    pub prepare: Words,
    /// Whether passwords there may be in GBK: one that is refused in UTF-8 is tried once more in it.
    #[serde(default)]
    pub gbk: bool,
    like: Option<String>,
}

/// How a provider gives tokens (RFC 6749, RFC 8628). `{tenant}` stands for the organisation there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// Where tokens are given.
    pub token: Option<String>,
    /// Where codes are given that owners type; `None` where none open mailboxes.
    pub device: Option<String>,
    /// What owners are asked for.
    pub scope: Option<String>,
    /// What a client asks for that acts for itself.
    pub application: Option<String>,
}

/// A name in both languages.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Title {
    /// English.
    pub en: Option<String>,
    /// Chinese.
    pub zh: Option<String>,
}

/// Sentences in both languages, one for one.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Words {
    /// English.
    pub en: Vec<String>,
    /// Chinese.
    pub zh: Vec<String>,
}

#[derive(Deserialize)]
struct Table {
    profile: Vec<Profile>,
}

pub(crate) static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let table: Table = table(TABLE);
    let whole = |one: &Profile| match table.profile.iter().find(|other| Some(&other.name) == one.like.as_ref()) {
        Some(other) => Profile {
            name: one.name.clone(),
            imap: one.imap.clone(),
            pop3: one.pop3.clone(),
            hosts: one.hosts.clone(),
            domains: one.domains.clone(),
            mx: one.mx.clone(),
            title: one.title.clone(),
            gbk: one.gbk || other.gbk,
            ..other.clone()
        },
        None => one.clone(),
    };
    table.profile.iter().map(whole).collect()
});

/// The profile of this name.
pub fn named(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

/// The profile of a provider by the name of its server.
pub fn by_host(host: &str) -> Option<&'static Profile> {
    let is_it = |known: &String| known.eq_ignore_ascii_case(host.trim_end_matches('.'));
    PROFILES.iter().find(|one| one.imap.iter().chain(&one.pop3).chain(&one.hosts).any(is_it))
}

/// The provider of a domain's addresses.
pub fn by_domain(domain: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|one| one.domains.iter().any(|known| known.eq_ignore_ascii_case(domain)))
}

/// The provider that takes a domain's mail, by the name of its MX.
pub fn by_mx(host: &str) -> Option<&'static Profile> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_it =
        |known: &String| host == *known || host.strip_suffix(known.as_str()).is_some_and(|rest| rest.ends_with('.'));
    PROFILES.iter().find(|one| one.mx.iter().any(is_it))
}

/// What is known of a source. What Google hands out has Google's labels, whoever the source is said to be; and
/// with JMAP a message may be in several mailboxes.
pub fn of_source(source: &Source) -> &'static Profile {
    match source.kind {
        Kind::Takeout => of("gmail"),
        Kind::Jmap if source.profile == GENERIC => of("jmap"),
        _ => of(&source.profile),
    }
}

/// What is known of a name: as good as nothing when there is no such profile any more.
pub fn of(name: &str) -> &'static Profile {
    static NOTHING: LazyLock<Profile> = LazyLock::new(|| Profile { name: GENERIC.to_owned(), ..Profile::default() });
    named(name).unwrap_or(&NOTHING)
}

/// The names of all.
pub fn names() -> Vec<&'static str> {
    PROFILES.iter().map(|profile| profile.name.as_str()).collect()
}

impl OAuth {
    /// This, and what another one says where it says nothing.
    pub fn over(&self, other: &Self) -> Self {
        let either = |one: &Option<String>, other: &Option<String>| one.clone().or_else(|| other.clone());
        Self {
            token: either(&self.token, &other.token),
            device: either(&self.device, &other.device),
            scope: either(&self.scope, &other.scope),
            application: either(&self.application, &other.application),
        }
    }
}

impl Profile {
    /// The name of a folder without the one that only holds it; the folder that holds them itself stays as it is.
    pub fn lift<'a>(&self, name: &'a [u8], delimiter: Option<u8>) -> &'a [u8] {
        let below = |above: &String| name.strip_prefix(above.as_bytes())?.strip_prefix(&[delimiter?]);
        self.lifted.iter().find_map(below).filter(|rest| !rest.is_empty()).unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table: Table = toml::from_str(TABLE).unwrap();
        assert_eq!(PROFILES.len(), table.profile.len());
        for profile in PROFILES.iter() {
            assert_eq!(profile.prepare.en.len(), profile.prepare.zh.len(), "{}", profile.name);
            assert!(profile.connections.is_none_or(|count| count > 0));
        }
        for one in &table.profile {
            assert!(one.like.as_ref().is_none_or(|like| named(like).is_some()), "{}", one.name);
        }
        assert_eq!(named("163").unwrap().prepare.en, named("netease").unwrap().prepare.en);
    }

    #[test]
    fn a_provider_is_known_by_its_servers() {
        assert_eq!(by_host("IMAP.exmail.qq.com.").map(|one| &*one.name), Some("exmail"));
        assert_eq!(by_host("pop3.mxhichina.com").map(|one| &*one.name), Some("alibaba"));
        assert!(by_host("mail.example.org").is_none());
        let mut hosts: Vec<&String> =
            PROFILES.iter().flat_map(|one| one.imap.iter().chain(&one.pop3).chain(&one.hosts)).collect();
        let all = hosts.len();
        hosts.sort();
        hosts.dedup();
        assert_eq!(hosts.len(), all, "a host belongs to one");
    }

    #[test]
    fn folders_are_lifted_off_the_one_that_only_holds_them() {
        let qq = named("qq").unwrap();
        assert_eq!(qq.lift(b"&UXZO1mWHTvZZOQ-/Work", Some(b'/')), b"Work");
        assert_eq!(qq.lift(b"&UXZO1mWHTvZZOQ-", Some(b'/')), b"&UXZO1mWHTvZZOQ-");
        assert_eq!(qq.lift(b"INBOX", Some(b'/')), b"INBOX");
    }
}
