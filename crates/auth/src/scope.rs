//! Scopes (RFC 6749 §3.3) and what they open.

use anser_base::Text;
use anser_directory::{Client, Services};

/// Every scope, and what it is in words for the owner.
pub const SCOPES: [(&str, Services, &str, &str); 6] = [
    ("mail", Services::WEB, "read and change your mail", "读取和修改您的邮件"),
    ("mail.read", Services(Services::WEB.0 | Services::READ_ONLY.0), "read your mail", "读取您的邮件"),
    ("send", Services::SUBMISSION, "send mail in your name", "以您的名义发送邮件"),
    ("imap", Services::IMAP, "read and change your mail by IMAP", "通过 IMAP 读取和修改您的邮件"),
    ("pop", Services::POP3, "fetch your mail by POP3", "通过 POP3 收取您的邮件"),
    ("sieve", Services::MANAGE_SIEVE, "change your mail rules", "修改您的邮件规则"),
];

/// What is asked for: services, and whether the owner's identity is. `None` for what cannot be given: nothing that is known, nothing that
/// the client may have, or `mail.read` beside what writes.
pub fn asked(text: &str, client: &Client) -> Option<(Services, bool)> {
    let mut services = Services::NONE;
    let (mut openid, mut named) = (false, 0);
    for word in text.split_ascii_whitespace() {
        openid |= word == "openid";
        if let Some((_, opens, ..)) = SCOPES.iter().find(|(name, ..)| *name == word) {
            services = services.with(*opens);
            named += 1;
        }
    }
    let reads_only = services.contains(Services::READ_ONLY);
    if reads_only && named > 1 {
        return None;
    }
    let only = Services(Services::READ_ONLY.0 & (services.0 | client.services.0));
    let given = Services(services.0 & client.services.0).without(Services::READ_ONLY);
    if given == Services::NONE {
        return openid.then_some((Services::NONE, true));
    }
    Some((given.with(only), openid))
}

/// The scopes that were given.
pub fn given(services: Services, openid: bool) -> String {
    let mut names: Vec<&str> = scopes(services).map(|(name, ..)| *name).collect();
    if openid {
        names.insert(0, "openid");
    }
    names.join(" ")
}

/// What an owner reads of them.
pub fn in_words(services: Services, openid: bool) -> Vec<Text> {
    let own = openid.then(|| Text::new("know your name and address", "获知您的姓名和邮箱地址"));
    own.into_iter().chain(scopes(services).map(|(_, _, en, zh)| Text::new(*en, *zh))).collect()
}

fn scopes(services: Services) -> impl Iterator<Item = &'static (&'static str, Services, &'static str, &'static str)> {
    let reads_only = services.contains(Services::READ_ONLY);
    SCOPES.iter().filter(move |(_, opens, ..)| {
        services.contains(*opens)
            && opens.contains(Services::READ_ONLY) == (reads_only && opens.contains(Services::WEB))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_what_the_client_may_have() {
        let client = |services| Client {
            id: "x".into(),
            name: String::new(),
            redirects: Vec::new(),
            services,
            confidential: false,
        };
        let all = client(Services::ALL);
        for (text, gives) in [
            ("openid email", Some("openid")),
            ("mail send", Some("mail send")),
            ("mail.read", Some("mail.read")),
            ("openid mail.read", Some("openid mail.read")),
            ("imap unknown", Some("imap")),
            ("mail.read send", None),
            ("unknown", None),
            ("", None),
        ] {
            let found = asked(text, &all).map(|(services, openid)| given(services, openid));
            assert_eq!(found.as_deref(), gives, "{text}");
        }
        let narrow = client(Services::IMAP);
        assert_eq!(asked("mail imap", &narrow), Some((Services::IMAP, false)));
        assert_eq!(asked("mail", &narrow), None);
        let reader = client(Services::WEB.with(Services::READ_ONLY));
        assert_eq!(
            asked("mail", &reader).map(|(services, openid)| given(services, openid)).as_deref(),
            Some("mail.read")
        );
    }
}
