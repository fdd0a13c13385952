use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_directory::DkimState;
use anser_journal::What;
use anser_net::dns::{Data, RecordType, Resolver, Zone};
use anser_peers::aggregate::Row;
use anser_peers::{DAY, Peers};
use anser_senderauth::dkim::SecretKey;
use anser_senderauth::dns::{Answer, Asking, Kind, Record};
use anser_senderauth::{Message, Peer as Sender, dkim, dmarc};
use anser_smtp::{Senders, Service};
use anser_testkit::engines::World;

use crate::house::{House, Mail, Peer, SCHEMAS};

/// `good.net` is genuine from the loopback, `strict.net` wants everything refused that is not.
fn zone() -> Zone {
    let zone = Zone::new();
    zone.add("good.net", Data::Txt(b"v=spf1 ip4:127.0.0.1 -all".to_vec()));
    zone.add("_dmarc.good.net", Data::Txt(b"v=DMARC1; p=reject".to_vec()));
    zone.add("_dmarc.strict.net", Data::Txt(b"v=DMARC1; p=reject".to_vec()));
    zone
}

fn house(world: &World, change: impl FnOnce(&mut Senders)) -> House {
    let mut senders = Senders::new(Resolver::zone(zone()));
    change(&mut senders);
    House::with(world, |deps| deps.senders = Some(senders))
}

fn message(fields: &str, author: &str, size: usize) -> Vec<u8> {
    format!("{fields}From: {author}\r\nMessage-ID: <m@x>\r\nSubject: s\r\n\r\n{}\r\n", "text ".repeat(size / 5))
        .into_bytes()
}

fn trace_of(mail: &Mail) -> String {
    String::from_utf8(mail.entry.envelope.trace.clone()).unwrap()
}

#[test]
fn results_go_before_the_message_and_into_the_journal() {
    let world = World::embedded(SCHEMAS);
    let house = house(&world, |_| {});
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    for size in [100, 700_000] {
        assert!(peer.mail("a@good.net", "ann@example.org", &message("", "a@good.net", size)).starts_with("250"));
        let mail = house.mail().remove(0);
        let trace = trace_of(&mail);
        assert!(trace.starts_with("Authentication-Results: mx.example.org;\r\n\tiprev="), "{trace}");
        assert!(
            trace.contains("spf=pass smtp.mailfrom=a@good.net;\r\n\tdkim=none;\r\n\tarc=none;\r\n\tdmarc=pass"),
            "{trace}"
        );
        assert!(trace.contains("\r\nReceived: "));
    }
    let judged = house
        .events("m@x")
        .into_iter()
        .any(|event| matches!(event.what, What::Judged { results, .. } if results.contains("dmarc=pass")));
    assert!(judged, "a trace by the Message-ID shows the verdict");
}

#[test]
fn what_the_author_wants_refused_is_refused_unless_somebody_vouches() {
    let world = World::embedded(SCHEMAS);
    let strict = house(&world, |_| {});
    let forged = message("", "ceo@strict.net", 100);
    let mut peer = Peer::greeted(strict.open(Service::Mx), "EHLO");
    let reply = peer.mail("a@good.net", "ann@example.org", &forged);
    assert!(reply.starts_with("550 5.7.1") && reply.contains("strict.net"), "{reply}");
    assert!(
        peer.mail("a@good.net", "ann@example.org", &message("From: a@good.net\r\n", "ceo@strict.net", 100))
            .starts_with("550 5.7.1")
    );
    assert!(strict.mail().is_empty());
    let world = World::embedded(SCHEMAS);
    let trusting = house(&world, |senders| senders.trusted = vec!["good.net".into()]);
    let mut peer = Peer::greeted(trusting.open(Service::Mx), "EHLO");
    assert!(peer.mail("list@good.net", "ann@example.org", &forged).starts_with("250"));
    assert!(trace_of(&trusting.mail()[0]).contains("dmarc=fail (p=reject) header.from=strict.net"));
    let world = World::embedded(SCHEMAS);
    let lenient = house(&world, |senders| senders.follow_reject = false);
    let mut peer = Peer::greeted(lenient.open(Service::Mx), "EHLO");
    assert!(peer.mail("a@good.net", "ann@example.org", &forged).starts_with("250"));
    assert!(trace_of(&lenient.mail()[0]).contains(" header.from=strict.net policy.dmarc=quarantine\r\n"));
}

#[test]
fn what_the_author_wants_set_apart_is_marked_unless_the_house_does_not_follow() {
    for (follow, author, marked) in [
        (true, "a@apart.net", true),
        (true, "a@below.apart.net", false),
        (true, "a@good.net", false),
        (false, "a@apart.net", false),
    ] {
        let world = World::embedded(SCHEMAS);
        let asking = zone();
        asking.add("_dmarc.apart.net", Data::Txt(b"v=DMARC1; p=quarantine; sp=none".to_vec()));
        let house = house(&world, |senders| {
            *senders = Senders { follow_quarantine: follow, ..Senders::new(Resolver::zone(asking)) }
        });
        let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
        assert!(peer.mail("x@good.net", "ann@example.org", &message("", author, 100)).starts_with("250"));
        let trace = trace_of(&house.mail()[0]);
        assert_eq!(trace.contains("policy.dmarc=quarantine"), marked, "{trace}");
    }
}

#[test]
fn what_comes_in_a_domains_name_is_counted_for_its_report() {
    let world = World::embedded(SCHEMAS);
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    let peers = Peers::new(anser_peers::Deps { db: world.open(), clock: clock.clone() });
    let asking = zone();
    for (name, policy) in [("asks.net", "none"), ("strict.org", "reject")] {
        let record = format!("v=DMARC1; p={policy}; rua=mailto:dmarc@{name}");
        asking.add(&format!("_dmarc.{name}"), Data::Txt(record.into_bytes()));
    }
    let house = house(&world, |senders| {
        *senders = Senders { peers: Some(peers.clone()), ..Senders::new(Resolver::zone(asking)) }
    });
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    for (author, fields, to, code) in [
        ("a@asks.net", "", "ann@example.org", "250"),
        ("b@asks.net", "", "ann@example.org", "250"),
        ("a@strict.org", "", "ann@example.org", "550"),
        ("a@good.net", "", "ann@example.org", "250"),
        ("a@asks.net", "Subject: Report Domain: example.org\r\n", "postmaster@example.org", "250"),
    ] {
        let reply = peer.mail("x@good.net", to, &message(fields, author, 100));
        assert!(reply.starts_with(code), "{author}: {reply}");
    }
    let found = house.runtime.block_on(async {
        clock.advance(Duration::from_secs(DAY as u64));
        let mut found = Vec::new();
        for due in peers.due().await.unwrap() {
            for (row, count) in peers.counted::<Row>(&due, 10).await.unwrap() {
                let checked = row.checked.unwrap();
                found.push((due.domain.clone(), row.disposition, row.author, row.sender, checked.result, count));
            }
        }
        found
    });
    let told = |domain: &str, disposition: &str, count| {
        let [domain, disposition, sender, result] = [domain, disposition, "good.net", "pass"].map(str::to_owned);
        (domain.clone(), disposition, domain, sender, result, count)
    };
    assert_eq!(found, [told("asks.net", "none", 2), told("strict.org", "reject", 1)]);
}

#[test]
fn trouble_with_the_dns_loses_no_mail() {
    let world = World::embedded(SCHEMAS);
    let silent = zone();
    for name in ["good.net", "_dmarc.good.net"] {
        silent.fail(name, RecordType::Txt);
    }
    let house = house(&world, |senders| {
        *senders = Senders { deadline: Duration::from_millis(500), ..Senders::new(Resolver::zone(silent)) }
    });
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    assert!(peer.mail("a@good.net", "ann@example.org", &message("", "a@good.net", 100)).starts_with("250"));
    let trace = trace_of(&house.mail()[0]);
    assert!(trace.contains("spf=temperror") && trace.contains("dmarc=temperror"), "{trace}");
}

#[test]
fn results_in_our_name_are_taken_out_and_others_stay() {
    let world = World::embedded(SCHEMAS);
    let house = house(&world, |_| {});
    let forged =
        "Authentication-Results: (x)\r\n MX.example.ORG; dmarc=pass\r\nAuthentication-Results: other.net; spf=pass\r\n";
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    for size in [100, 700_000] {
        assert!(peer.mail("a@good.net", "ann@example.org", &message(forged, "a@good.net", size)).starts_with("250"));
        let body = String::from_utf8(house.mail().remove(0).body).unwrap();
        assert!(body.starts_with("Authentication-Results: other.net; spf=pass\r\nFrom: "), "{}", &body[..200]);
    }
}

/// The keys of `example.org` in a zone for verifying.
struct Keys(Vec<(String, String)>);

impl anser_senderauth::Resolver for Keys {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> Asking<'a> {
        let found = self.0.iter().filter(|(known, _)| known == name && kind == Kind::Txt);
        let records = found.map(|(_, text)| Record::Txt(text.clone().into_bytes())).collect();
        Box::pin(std::future::ready(Ok(Answer { records, exists: true })))
    }
}

#[test]
fn submitted_mail_is_signed_with_every_active_key_of_its_author() {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let keys = [("r1", SecretKey::new_rsa().unwrap()), ("e1", SecretKey::new_ed25519().unwrap())];
    let waiting = SecretKey::new_ed25519().unwrap();
    let directory = house.deps.directory.clone();
    house.runtime.block_on(async {
        for (selector, key) in &keys {
            directory.add_dkim_key("example.org", selector, key, DkimState::Active).await.unwrap();
        }
        directory.add_dkim_key("example.org", "e2", &waiting, DkimState::Waiting).await.unwrap();
    });
    let mut peer = Peer::greeted(house.open(Service::Submission), "EHLO");
    assert!(peer.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3aWxkIGdvb3Nl").starts_with("235"));
    let mut zone: Vec<_> = keys
        .iter()
        .map(|(selector, key)| (format!("{selector}._domainkey.example.org"), key.record().unwrap()))
        .collect();
    zone.push(("_dmarc.example.org".into(), "v=DMARC1; p=reject".into()));
    let zone = Keys(zone);
    for size in [100, 700_000] {
        assert!(
            peer.mail(
                "ann@example.org",
                "bob@example.org",
                &message("Bcc: x@example.org\r\n", "ann@example.org", size)
            )
            .starts_with("250")
        );
        let mail = house.mail().remove(0);
        let whole = [&mail.entry.envelope.trace[..], &mail.body].concat();
        let passed = Message::whole(&whole);
        let sender = Sender {
            ip: "192.0.2.1".parse().unwrap(),
            helo: "x.net",
            sender: None,
            receiver: "y.net",
            now: house.deps.clock.now().secs(),
        };
        let verdict = house.runtime.block_on(anser_senderauth::check(&zone, &passed, sender));
        let results: Vec<_> = verdict.dkim.iter().map(|one| (one.result, one.selector.as_str())).collect();
        assert_eq!(results.len(), 2, "{results:?}");
        assert!(results.iter().all(|(result, _)| *result == dkim::Result::Pass), "{results:?}");
        assert_eq!(verdict.dmarc.result, dmarc::Result::Pass);
    }
    house.runtime.block_on(async {
        assert_eq!(directory.turn_dkim_keys("example.org").await.unwrap(), 1);
        let selectors: Vec<String> =
            directory.signing_keys("example.org").await.unwrap().iter().map(|one| one.selector.clone()).collect();
        assert_eq!(selectors, ["e2"]);
        assert!(directory.turn_dkim_keys("example.org").await.is_err());
        directory.remove_dkim_key("example.org", "r1").await.unwrap();
        assert_eq!(directory.dkim_keys("example.org").await.unwrap().len(), 2);
    });
}
