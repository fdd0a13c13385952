//! DMARC by RFC 9989: which record applies, which domains align, and the examples of its §4.10.

use anser_senderauth::dmarc::{self, Identifiers, Policy, Record, Result, Suffix};
use anser_senderauth::dns::{Dns, Kind};
use futures_util::FutureExt;

use crate::zone::Zone;

fn check(zone: &Zone, author: &str, identifiers: &Identifiers<'_>) -> dmarc::Outcome {
    let dns = Dns::new(zone);
    dmarc::check(&dns, author, identifiers).now_or_never().unwrap()
}

fn by_spf(domain: &str) -> Identifiers<'_> {
    Identifiers { spf: Some(domain), ..Identifiers::default() }
}

fn by_dkim<'a>(domains: &[&'a str]) -> Identifiers<'a> {
    Identifiers { dkim: domains.to_vec(), ..Identifiers::default() }
}

#[test]
fn the_record_of_the_name_then_of_the_organization_then_of_the_suffix() {
    let zone = Zone::new()
        .text("_dmarc.example.com", "v=DMARC1; p=reject; sp=quarantine; np=none")
        .text("_dmarc.own.example.com", "v=DMARC1; p=none")
        .text("_dmarc.bank", "v=DMARC1; p=reject; np=quarantine; psd=y")
        .address("sub.example.com", "192.0.2.1")
        .address("two.bank", "192.0.2.1");
    let nobody = Identifiers::default();
    let asked = |author| {
        let outcome = check(&zone, author, &nobody);
        (outcome.result, outcome.policy, outcome.policy_domain)
    };
    assert_eq!(asked("example.com"), (Result::Fail, Policy::Reject, "example.com".into()));
    assert_eq!(asked("sub.example.com"), (Result::Fail, Policy::Quarantine, "example.com".into()));
    assert_eq!(asked("not-there.example.com"), (Result::Fail, Policy::None, "example.com".into()));
    assert_eq!(asked("own.example.com"), (Result::Fail, Policy::None, "own.example.com".into()));
    assert_eq!(asked("two.bank"), (Result::Fail, Policy::Reject, "bank".into()));
    assert_eq!(asked("none.bank"), (Result::Fail, Policy::Quarantine, "bank".into()));
    assert_eq!(asked("example.net"), (Result::None, Policy::None, String::new()));
}

#[test]
fn domains_of_one_organization_align_unless_it_is_strict() {
    let zone = Zone::new()
        .text("_dmarc.example.com", "v=DMARC1; p=reject")
        .text("_dmarc.strict.example", "v=DMARC1; p=reject; aspf=s; adkim=s")
        .text("_dmarc.com", "v=DMARC1; p=reject; psd=y")
        .text("_dmarc.branch.example.com", "v=DMARC1; p=reject; psd=n");
    let passes = |author, identifiers: Identifiers<'_>| check(&zone, author, &identifiers).result == Result::Pass;
    assert!(passes("example.com", by_spf("example.com")));
    assert!(passes("example.com", by_spf("bounce.example.com")));
    assert!(passes("news.example.com", by_dkim(&["other.net", "example.com"])));
    assert!(passes("a.example.com", by_dkim(&["b.example.com"])));
    assert!(!passes("example.com", by_spf("other.com")));
    assert!(!passes("example.com", by_spf("notexample.com")));
    // A branch that is an organization of its own.
    assert!(!passes("branch.example.com", by_spf("example.com")));
    assert!(!passes("example.com", by_spf("branch.example.com")));
    assert!(passes("x.branch.example.com", by_dkim(&["branch.example.com"])));
    assert!(!passes("strict.example", by_spf("a.strict.example")));
    assert!(!passes("strict.example", by_dkim(&["a.strict.example"])));
    assert!(passes("strict.example", by_dkim(&["strict.example"])));
}

#[test]
fn a_walk_asks_at_most_eight_names() {
    let zone = Zone::new();
    check(&zone, "a.b.c.d.e.f.g.h.i.j.mail.example.com", &Identifiers::default());
    let asked = zone.asked.lock().unwrap().clone();
    let wanted = [
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ];
    assert_eq!(asked, wanted.map(|name| format!("_dmarc.{name}")));
}

#[test]
fn trouble_of_the_author_delays_judgement_and_trouble_of_strangers_does_not() {
    let zone =
        Zone::new().text("_dmarc.example.com", "v=DMARC1; p=reject").silence("_dmarc.silent.example", Some(Kind::Txt));
    let troubled = |domain| Identifiers { troubled: vec![domain], ..Identifiers::default() };
    assert_eq!(check(&zone, "example.com", &troubled("mail.example.com")).result, Result::TempError);
    assert_eq!(check(&zone, "example.com", &troubled("eve.example")).result, Result::Fail);
    assert_eq!(check(&zone, "silent.example", &Identifiers::default()).result, Result::TempError);
}

#[test]
fn records_are_read_kindly_and_old_ones_too() {
    let read = |text: &str| Record::parse(text.as_bytes());
    let record = read("v = DMARC1 ;p= Reject;  sp=none;np=quarantine; adkim=S ;aspf=r; psd=n; t=y; fo=1; x=y").unwrap();
    assert_eq!(
        (record.policy, record.subdomains, record.missing),
        (Policy::Reject, Some(Policy::None), Some(Policy::Quarantine))
    );
    assert_eq!((record.strict_dkim, record.strict_spf, record.suffix, record.testing), (true, false, Suffix::No, true));
    let record =
        read("v=DMARC1; p=none; rua=mailto:a@example.org!10m, https://example.org/r,mailto:b%2Bc@example.org; pct=0")
            .unwrap();
    assert_eq!(record.reports, ["a@example.org", "b+c@example.org"]);
    assert!(record.testing);
    // No usable policy: none, when reports are wanted; else there is no record (RFC 9989 §4.10.1).
    assert_eq!(read("v=DMARC1; p=bogus; rua=mailto:a@example.org").unwrap().policy, Policy::None);
    assert_eq!(read("v=DMARC1; p=bogus"), None);
    assert_eq!(read("v=DMARC1; p=reject; sp=bogus"), None);
    for text in ["", "v=DMARC2; p=none", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=spf1 -all", "DMARC1"] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(Policy::Reject.milder(), Policy::Quarantine);
}

#[test]
fn two_records_are_none() {
    let zone =
        Zone::new().text("_dmarc.example.com", "v=DMARC1; p=reject").text("_dmarc.example.com", "v=DMARC1; p=none");
    assert_eq!(check(&zone, "example.com", &Identifiers::default()).result, Result::None);
    let zone = Zone::new().text("_dmarc.example.com", "v=DMARC1; p=reject").text("_dmarc.example.com", "hello");
    assert_eq!(check(&zone, "example.com", &Identifiers::default()).result, Result::Fail);
}
