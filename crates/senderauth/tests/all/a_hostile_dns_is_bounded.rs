//! A DNS that is against us: endless records, loops, floods of names, bombs of macros. It costs a bounded number of questions and yields
//! an error, never a pass.

use anser_senderauth::dns::{Answer, Asking, Dns, Kind, QUESTIONS, Record, Resolver, Trouble};
use anser_senderauth::spf::{self, Question};
use futures_util::FutureExt;

use crate::lab::{judge, mail, signed};
use crate::zone::Zone;

fn spf(resolver: &dyn Resolver, local: &str, domain: &str) -> spf::Result {
    let dns = Dns::new(resolver);
    let ip = "192.0.2.66".parse().unwrap();
    let question = Question { ip, helo: domain, local, domain, receiver: "mx.example.net", now: 0 };
    spf::check(&dns, question).now_or_never().unwrap().result
}

/// Says the same to every question of a kind, and counts them.
struct Always(Kind, Vec<Record>, std::sync::atomic::AtomicUsize);

impl Resolver for Always {
    fn ask<'a>(&'a self, _: &'a str, kind: Kind) -> Asking<'a> {
        self.2.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let answer = match kind == self.0 {
            true => Ok(Answer { records: self.1.clone(), exists: true }),
            false => Err(Trouble("silence".into())),
        };
        Box::pin(async move { answer })
    }
}

#[test]
fn policies_that_include_themselves_end() {
    for policy in [
        "v=spf1 include:loop.example -all",
        "v=spf1 redirect=loop.example",
        "v=spf1 include:%{d} include:%{l}.loop.example",
    ] {
        let zone = Zone::new().text("loop.example", policy);
        assert_eq!(spf(&zone, "a", "loop.example"), spf::Result::PermError, "{policy}");
        assert!(zone.asked.lock().unwrap().len() <= 12, "{policy}");
    }
    let zone = Zone::new()
        .alias("a.example", "b.example")
        .alias("b.example", "a.example")
        .text("x.example", "v=spf1 a:a.example");
    assert_eq!(spf(&zone, "a", "x.example"), spf::Result::TempError);
}

#[test]
fn answers_that_are_too_large_are_no_answers() {
    let many = Always(Kind::Txt, vec![Record::Txt(b"v=spf1 +all".to_vec()); 1_000], Default::default());
    assert_eq!(spf(&many, "a", "x.example"), spf::Result::TempError);
    let long = Always(
        Kind::Txt,
        vec![Record::Txt([b"v=spf1 ", vec![b' '; 70_000].as_slice(), b"+all"].concat())],
        Default::default(),
    );
    assert_eq!(spf(&long, "a", "x.example"), spf::Result::TempError);
    let pointers = Zone::new().text("x.example", "v=spf1 ptr -all");
    let pointers = (0..90).fold(pointers, |zone, n| zone.pointer("66.2.0.192.in-addr.arpa", &format!("h{n}.example")));
    assert_eq!(spf(&pointers, "a", "x.example"), spf::Result::Fail);
    assert!(pointers.asked.lock().unwrap().len() <= 12);
}

#[test]
fn bombs_of_macros_stay_small() {
    // Each label of the local part turned around and around, into names that are too long for the DNS.
    let bomb = format!("v=spf1 exists:{}%{{l1r-}}.x.example -all", "%{l9r.+-}".repeat(1_500));
    let zone = Zone::new().text("x.example", &bomb);
    let local = "a.b-c+d".repeat(9);
    assert_eq!(spf(&zone, &local, "x.example"), spf::Result::Fail);
    let explained = Zone::new().text("x.example", "v=spf1 -all exp=e.example").text("e.example", "%{s}".repeat(3_000));
    assert_eq!(spf(&explained, &local, "x.example"), spf::Result::Fail);
}

#[test]
fn a_message_cannot_cause_endless_questions_or_hide_the_policy_behind_them() {
    let zone = Zone::new().text("_dmarc.legit.example", "v=DMARC1; p=reject").text(
        "x.example",
        "v=spf1 mx mx:a.example mx:b.example mx:c.example mx:d.example mx:e.example ptr exists:%{p}.y -all",
    );
    let zone = ["x", "a", "b", "c", "d", "e"].iter().fold(zone, |zone, name| {
        (0..10).fold(zone, |zone, n| {
            let host = format!("h{n}.{name}.example");
            zone.address(&host, "198.51.100.1").exchanger(&format!("{name}.example"), n, &host)
        })
    });
    let mut header = String::new();
    for n in 0..200 {
        header.push_str(&format!("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d{n}.example; s=s{n}; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\n"));
    }
    for n in 1..=50 {
        header.push_str(&format!("ARC-Seal: i={n}; a=rsa-sha256; cv=pass; d=a{n}.example; s=s; b=AAAA\nARC-Message-Signature: i={n}; a=rsa-sha256; d=a{n}.example; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\nARC-Authentication-Results: i={n}; a; dmarc=pass\n"));
    }
    let raw = mail(&format!("{header}From: admin@legit.example\n\n"));
    let verdict = judge(&zone, &raw, "192.0.2.66", "x.example", "a@x.example");
    assert_eq!(verdict.asks().word(), "reject");
    assert!(verdict.dkim.len() <= 10);
    assert!(zone.asked.lock().unwrap().len() <= QUESTIONS);
    // Nobody answers anything but the policy of the author.
    let silent = ["x.example", "66.2.0.192.in-addr.arpa"]
        .iter()
        .fold(Zone::new().text("_dmarc.legit.example", "v=DMARC1; p=reject"), |z, n| z.silence(n, None));
    assert_eq!(judge(&silent, &raw, "192.0.2.66", "x.example", "a@x.example").asks().word(), "reject");
}

#[test]
fn questions_asked_side_by_side_get_the_same_answer() {
    let key = crate::lab::rsa().record().unwrap();
    let zone = Zone::new().text("r._domainkey.example.org", key);
    let once = signed(&mail("From: a@example.org\n\nHi\n"), "example.org");
    let end = once.windows(17).rposition(|w| w == b"\r\nDKIM-Signature:").unwrap() + 2;
    let twice = [&once[..end], &once[..]].concat();
    let results = crate::lab::results(&zone, &twice);
    let passes = results.iter().filter(|result| **result == anser_senderauth::dkim::Result::Pass).count();
    assert_eq!(passes, 2, "{results:?}");
    let keys = zone.asked.lock().unwrap().iter().filter(|name| name.starts_with("r._domainkey")).count();
    assert_eq!(keys, 1);
}
