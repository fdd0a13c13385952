//! IMAP URLs (RFC 5092) that name a message or a part of one, absolute or relative to the server or to the selected mailbox.

use super::parse::{Cursor, section};
use super::{Section, URL_MAX};

/// What an IMAP URL names: `imap://user@host/mailbox;UIDVALIDITY=1/;UID=2/;SECTION=1.2/;PARTIAL=0.99`, from any `/` or the `;UID` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapUrl {
    /// The server of an absolute URL, without its port.
    pub host: Option<String>,
    /// The user of an absolute URL, if it names one.
    pub user: Option<String>,
    /// The mailbox; `None` stands for the selected one.
    pub mailbox: Option<String>,
    /// UIDVALIDITY: the URL holds only while the mailbox has this one.
    pub uid_validity: Option<u32>,
    /// The message.
    pub uid: u32,
    /// The part of it.
    pub section: Section,
    /// PARTIAL: the first octet, and how many at most.
    pub partial: Option<(u64, Option<u64>)>,
}

impl ImapUrl {
    /// Reads a URL. `None` where it is none, or names no message, or is longer than [`URL_MAX`], or asks for URLAUTH.
    pub fn parse(url: &str) -> Option<Self> {
        if url.len() > URL_MAX {
            return None;
        }
        let (server, path) = match strip_prefix(url, "imap://") {
            Some(rest) => rest.split_at_checked(rest.find('/')?).map(|(server, path)| (Some(server), path))?,
            None => (None, url),
        };
        let at = find(path, "/;uid=").or_else(|| strip_prefix(path, ";uid=").map(|_| 0))?;
        let (mailbox, message) = path.split_at(at);
        let mut fields = message.strip_prefix('/').unwrap_or(message).split("/;");
        let uid = number(strip_prefix(fields.next()?, ";uid=")?)?;
        let (user, host) = server.map(user_and_host).unwrap_or(Some((None, None)))?;
        let (mailbox, uid_validity) = mailbox_and_validity(mailbox)?;
        let mut parsed = Self { host, user, mailbox, uid_validity, uid, section: Section::default(), partial: None };
        for field in fields {
            parsed.take(field)?;
        }
        Some(parsed)
    }

    fn take(&mut self, field: &str) -> Option<()> {
        if let Some(value) = strip_prefix(field, "section=") {
            let value = decoded(value)?;
            let mut c = Cursor::new(value.as_bytes(), true);
            self.section = section(&mut c).ok().filter(|_| c.rest().is_empty())?;
        } else {
            let value = strip_prefix(field, "partial=")?;
            let (start, length) = value.split_once('.').map_or((value, None), |(start, length)| (start, Some(length)));
            let length = match length {
                Some(length) => Some(length.parse().ok().filter(|length| *length > 0)?),
                None => None,
            };
            self.partial = Some((start.parse().ok()?, length));
        }
        Some(())
    }
}

/// `user;AUTH=mechanism@host:port`; which mechanism and port does not matter to who is asked already.
fn user_and_host(server: &str) -> Option<(Option<String>, Option<String>)> {
    let (user, host) = server.rsplit_once('@').map_or((None, server), |(user, host)| (Some(user), host));
    let user = user.map(|user| &user[..find(user, ";auth=").unwrap_or(user.len())]).filter(|user| !user.is_empty());
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let user = match user {
        Some(user) => Some(decoded(user)?),
        None => None,
    };
    Some((user, Some(decoded(host).filter(|host| !host.is_empty())?)))
}

/// `/mailbox;UIDVALIDITY=1`, or nothing for the selected mailbox.
fn mailbox_and_validity(path: &str) -> Option<(Option<String>, Option<u32>)> {
    let path = match path {
        "" => "",
        path => path.strip_prefix('/')?,
    };
    let (mailbox, validity) = match find(path, ";uidvalidity=") {
        Some(at) => (&path[..at], Some(number(&path[at + ";uidvalidity=".len()..])?)),
        None => (path, None),
    };
    if mailbox.is_empty() {
        return Some((None, validity));
    }
    let mailbox = decoded(mailbox)?;
    Some((Some(if mailbox.eq_ignore_ascii_case("INBOX") { "INBOX".to_owned() } else { mailbox }), validity))
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number > 0 && !text.starts_with('+'))
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// Where `needle`, which is ASCII, first stands, in any case.
fn find(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len()).position(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Undoes percent encoding; `None` where what comes of it is no text.
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((octet, tail)) = rest.split_first() {
        rest = tail;
        if *octet != b'%' {
            octets.push(*octet);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(octets).ok().filter(|text| !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::SectionText;

    fn parsed(url: &str) -> ImapUrl {
        ImapUrl::parse(url).unwrap_or_else(|| panic!("{url}"))
    }

    #[test]
    fn urls_of_the_rfcs_are_read() {
        let url = parsed("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER");
        assert_eq!((url.mailbox.as_deref(), url.uid_validity, url.uid), (Some("Drafts"), Some(385_759_045), 20));
        assert_eq!(url.section, Section { part: vec![], text: Some(SectionText::Header) });
        let url = parsed("imap://michael@minbari.example.org/users.*;UIDVALIDITY=3/;UID=20/;SECTION=1.2");
        assert_eq!(url.uid, 20);
        let url = parsed(
            "imap://joe;AUTH=*@example.com:143/%E6%97%A5/inner;uidvalidity=7/;uid=4/;section=2.MIME/;partial=9.99",
        );
        assert_eq!((url.user.as_deref(), url.host.as_deref()), (Some("joe"), Some("example.com")));
        assert_eq!((url.mailbox.as_deref(), url.partial), (Some("日/inner"), Some((9, Some(99)))));
        assert_eq!(parsed(";UID=20").mailbox, None);
        assert_eq!(parsed("/;UID=20/;PARTIAL=5").partial, Some((5, None)));
        let url = parsed("/inbox/;UID=1/;SECTION=HEADER.FIELDS%20(FROM%20TO)");
        assert_eq!(url.section.text, Some(SectionText::HeaderFields(vec!["FROM".into(), "TO".into()])));
        assert_eq!(url.mailbox.as_deref(), Some("INBOX"));
    }

    #[test]
    fn what_names_no_message_is_none() {
        for url in [
            "",
            "/Drafts",
            "/Drafts/;UID=0",
            "/Drafts/;UID=x",
            "/Drafts/;UID=+1",
            "/a;UIDVALIDITY=0/;UID=1",
            "/a%zz/;UID=1",
            "/a%ff/;UID=1",
            "/a%0D/;UID=1",
            "/a/;UID=1/;SECTION=1.2.",
            "/a/;UID=1/;SECTION=NONE",
            "/a/;UID=1/;PARTIAL=1.0",
            "/a/;UID=1/;URLAUTH=anonymous",
            "imap:///a/;UID=1",
            "imap://host",
            "http://host/a/;UID=1",
        ] {
            assert_eq!(ImapUrl::parse(url), None, "{url}");
        }
        assert_eq!(ImapUrl::parse(&format!("/{}/;UID=1", "a".repeat(URL_MAX))), None);
    }
}
