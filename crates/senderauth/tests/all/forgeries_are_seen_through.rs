//! The ways to make two programs see two senders in one message that espoofer collects: each yields one verdict, which is not a pass for
//! the forged domain, and one shown address.

use anser_senderauth::dkim::{self, Result as DkimResult};
use anser_senderauth::{Message, Verdict, dmarc};

use crate::lab::{self, judge, mail, rsa, signed, signer, with_keys};
use crate::zone::Zone;

/// `attack.example` sends from 192.0.2.66 and is genuine; `legit.example` wants everything else refused.
fn world() -> Zone {
    let zone = Zone::new()
        .text("legit.example", "v=spf1 ip4:192.0.2.1 -all")
        .text("_dmarc.legit.example", "v=DMARC1; p=reject")
        .address("mail.legit.example", "192.0.2.1")
        .text("attack.example", "v=spf1 ip4:192.0.2.66 -all")
        .text("33.attack.example", "v=spf1 ip4:192.0.2.66 -all")
        .text("any.attack.example", "v=spf1 ip4:192.0.2.66 -all")
        .text("_dmarc.attack.example", "v=DMARC1; p=reject");
    with_keys(zone, "attack.example")
}

fn from(fields: &str, helo: &str, sender: &str) -> Verdict {
    let text = format!("{fields}To: <victim@example.net>\nSubject: s\nDate: Sun, 22 Nov 2026 04:00:00 +0000\n\nHi\n");
    judge(&world(), &mail(&text), "192.0.2.66", helo, sender)
}

fn refused(verdict: &Verdict) -> bool {
    verdict.asks() == dmarc::Policy::Reject && verdict.dmarc.result != dmarc::Result::Pass
}

fn shown(verdict: &Verdict) -> String {
    verdict.author.shown.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn an_envelope_that_plays_tricks_authenticates_nobody() {
    let cases = [
        ("helo.attack.example", "any@mailfrom.notexist.legit.example"),
        ("attack.example", "(any@legit.example"),
        ("attack.example", "any@legit.example(a.attack.example"),
        ("attack.example", "any@legit.example'@any.attack.example"),
        ("attack.example", "'any@attack.example"),
        ("attack.example", ""),
        ("legit.example", ""),
    ];
    for (helo, sender) in cases {
        let verdict = from("From: <admin@legit.example>\n", helo, sender);
        assert!(refused(&verdict), "{helo} {sender}: {verdict:?}");
        assert_eq!(shown(&verdict), "admin@legit.example");
        // Nothing of it can be read as a result.
        let results = verdict.results();
        assert!(!results.contains("legit.example(") && !results.contains('\''), "{results}");
        assert_eq!(results.matches("dmarc=").count(), 1);
    }
}

#[test]
fn signatures_with_odd_domains_and_selectors_are_broken() {
    let raw = mail("From: <admin@legit.example>\nTo: v@example.net\nDate: Sun, 22 Nov 2026 04:00:00 +0000\n\nHi\n");
    let passed = Message::whole_to_sign(&raw);
    let odd = [
        ("legit.example", "r._domainkey.attack.example.\0.any"),
        ("legit.example'a.attack.example", "r"),
        ("legit.example(.attack.example", "r"),
        ("legit.example\"=(.attack.example", "r"),
        ("legit.example;d=attack.example", "r"),
    ];
    for (domain, selector) in odd {
        let field = dkim::sign(&passed, dkim::Signer { selector, ..signer(rsa(), domain) }).unwrap();
        let whole = [field.as_bytes(), &raw].concat();
        let verdict = judge(&world(), &whole, "192.0.2.66", "attack.example", "a@attack.example");
        assert!(verdict.dkim.iter().all(|one| one.result == DkimResult::PermError), "{domain:?} {:?}", verdict.dkim);
        assert!(refused(&verdict), "{domain:?}");
        assert!(!verdict.results().contains('\0'));
    }
}

#[test]
fn whoever_could_be_shown_to_somebody_has_to_be_genuine() {
    let cases = [
        ("From: <first@attack.example>\nFrom: <admin@legit.example>\n", "first@attack.example"),
        (" From: <first@attack.example>\nFrom: <admin@legit.example>\n", "admin@legit.example"),
        (" From: <admin@legit.example>\nFrom: <first@attack.example>\n", "first@attack.example"),
        ("From: <first@attack.example>\nFrom : <admin@legit.example>\n", "first@attack.example"),
        ("From\n : <first@attack.example>\nFrom: <admin@legit.example>\n", "first@attack.example"),
        ("From: <first@attack.example>, <admin@legit.example>\nSender: <s@attack.example>\n", "first@attack.example"),
        ("From: =?utf-8?B?PGFkbWluQGxlZ2l0LmV4YW1wbGU+?=,<second@attack.example>\n", ""),
        ("From: <@attack.example,@any.example:admin@legit.example>\n", "admin@legit.example"),
        ("From: <admin@legit.example>\\,<second@attack.example>\n", "admin@legit.example"),
        ("From: <admin@legit.example>,<second@attack.example>\n", "admin@legit.example"),
        ("From: attack.example <admin@legit.example> <second@attack.example>\n", "second@attack.example"),
        ("From: (comment <second@attack.example>) admin@legit.example\n", "admin@legit.example"),
        ("From: admin@legit.example\0@attack.example\n", ""),
        ("From: \n\t<admin@legit.example>\n", "admin@legit.example"),
        ("From: \"second@attack.example\" <admin@legit.example>\n", "admin@legit.example"),
        ("From: :<admin@legit.example>,<second@attack.example>\n", "admin@legit.example"),
        ("From: friends: <admin@legit.example>, <second@attack.example>;\n", "admin@legit.example"),
        ("From: <admin@notexist.legit.example>\n", "admin@notexist.legit.example"),
        ("From: admin@legit.example <second@attack.example>\n", "second@attack.example"),
    ];
    let mut wrong = Vec::new();
    for (fields, wanted) in cases {
        let verdict = from(fields, "attack.example", "any@attack.example");
        let named = verdict.author.domains.iter().any(|domain| domain == "legit.example");
        let passes = verdict.dmarc.result == dmarc::Result::Pass;
        if passes || (named && !refused(&verdict)) || (!wanted.is_empty() && shown(&verdict) != wanted) {
            wrong.push(format!(
                "{fields:?}: {:?} {:?} shown {}",
                verdict.dmarc.result,
                verdict.author,
                shown(&verdict)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nobody_but_the_author_is_shown_or_judged() {
    for other in ["Sender", "Resent-From", "Reply-To", "X-From", "From-"] {
        let fields = format!("From: <first@attack.example>\n{other}: <admin@legit.example>\n");
        let verdict = from(&fields, "attack.example", "any@attack.example");
        assert_eq!((shown(&verdict), verdict.author.clean), ("first@attack.example".into(), true), "{other}");
        assert_eq!(verdict.author.domains, ["attack.example"], "{other}");
        assert!(!verdict.results().contains("legit.example"), "{other}");
    }
}

#[test]
fn a_genuine_signature_does_not_lend_itself_to_another_author() {
    // A replayed message of the attacker with one more From, with and without the signature's leave.
    let raw = mail("From: <any@attack.example>\nTo: v@example.net\nDate: Sun, 22 Nov 2026 04:00:00 +0000\n\nHi\n");
    let whole = signed(&raw, "attack.example");
    let added = [b"From: <admin@legit.example>\r\n", &whole[..]].concat();
    let verdict = judge(&world(), &added, "192.0.2.66", "attack.example", "any@attack.example");
    assert!(refused(&verdict));
    let verdict = judge(&world(), &whole, "198.51.100.1", "x.example", "any@other.example");
    assert_eq!(verdict.dmarc.result, dmarc::Result::Pass);
    assert_eq!(lab::results(&world(), &whole), [DkimResult::Pass, DkimResult::Pass]);
}
