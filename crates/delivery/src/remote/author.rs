//! The author of mail that a group of ours passes on to people elsewhere. Where the author's domain has everything refused that it did not
//! authenticate, and nothing but its servers' address (SPF) did, the next server would refuse what comes from ours: such mail goes on in
//! the group's name, and answers to it go to the author (RFC 9989 §7.4).

use anser_base::Address;
use anser_mime::address::parse_list;
use anser_mime::build::{Headers, Mailbox};
use anser_mime::header;
use anser_senderauth::results;

/// Fields that go with the old author.
const TAKEN_OUT: [&[u8]; 2] = [b"from", b"sender"];

/// The header with the group as its author; `None` when it can stay as it is. `results` is what was found when the message came.
pub(super) fn in_name_of(group: &Address, head: &[u8], results: &str) -> Option<Vec<u8>> {
    if !results::needs_its_server(results) {
        return None;
    }
    let from = header::find(head, "From")?;
    let author = parse_list(from.value).into_iter().find_map(|one| Some((one.name_text(), one.email()?)))?;
    let (name, email) = author;
    let shown = if name.is_empty() { email.as_str() } else { name.as_str() };
    let (shown, own) = (format!("{shown} via {}", group.local()), group.to_string());
    let mut fields = Headers::new().addresses("From", &[Mailbox { name: &shown, email: &own }]);
    if header::find(head, "Reply-To").is_none() {
        fields = fields.addresses("Reply-To", &[Mailbox { name: &name, email: &email }]);
    }
    let mut out = fields.into_bytes();
    for field in header::fields(head) {
        if !TAKEN_OUT.iter().any(|name| name.eq_ignore_ascii_case(field.name)) {
            out.extend_from_slice(&head[field.range]);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] =
        b"Received: x\r\nFrom: =?utf-8?B?6ZmI?= <chen@orig.test>\r\nSubject: hi\r\nSender: s@orig.test\r\n";

    fn rewritten(head: &[u8], results: &str) -> Option<String> {
        let group = Address::parse("team@anser.test").unwrap();
        in_name_of(&group, head, results).map(|head| String::from_utf8(head).unwrap())
    }

    #[test]
    fn only_what_would_be_refused_is_in_the_groups_name() {
        let strict = "spf=pass;\r\n\tdkim=none;\r\n\tarc=none;\r\n\tdmarc=pass (p=reject) header.from=orig.test";
        let head = rewritten(HEAD, strict).unwrap();
        let from = header::value(head.as_bytes(), "From").unwrap().into_owned();
        assert_eq!(parse_list(&from)[0].name_text(), "陈 via team");
        assert!(head.contains("<team@anser.test>\r\n") && head.contains("<chen@orig.test>\r\n"), "{head}");
        assert!(head.ends_with("Received: x\r\nSubject: hi\r\n"), "{head}");
        let answered = [b"Reply-To: list@orig.test\r\n", HEAD].concat();
        assert_eq!(rewritten(&answered, strict).unwrap().matches("Reply-To:").count(), 1);
        for fine in [
            strict.replace("(p=reject)", "(p=none)"),
            strict.replace("dkim=none", "dkim=pass\r\n\t header.d=orig.test header.s=a header.a=rsa-sha256"),
            strict.replace("dmarc=pass", "dmarc=fail"),
        ] {
            assert_eq!(rewritten(HEAD, &fine), None, "{fine}");
        }
        let of_another = strict.replace("dkim=none", "dkim=pass header.d=other.test");
        assert!(rewritten(HEAD, &of_another).is_some());
    }
}
