use std::time::Duration;

use anser_mime::build::{Entity, Headers, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_net::dns::Data;
use anser_peers::aggregate::{Published, Report, Row};
use anser_peers::received::{Summed, Wanted};
use anser_peers::{Kind, Meta, pack, tls};
use anser_queue::{Envelope, Origin, Protocol};

use crate::house::{House, START, Site, envelope, runtime};
use crate::internet::Internet;

fn report(domain: &str, id: &str) -> Report {
    let row = Row { source: "192.0.2.7".parse().ok(), author: domain.into(), spf: true, ..Row::default() };
    let (begin, end) = (START.secs() - 86_400, START.secs());
    let meta = Meta { organization: "Far".into(), id: id.into(), begin, end, ..Meta::default() };
    Report { meta, policy: Published { domain: domain.into(), ..Published::default() }, rows: vec![(row, 5)] }
}

/// A message with a report in it.
fn mail(subject: &str, media_type: &str, packed: &[u8]) -> String {
    let headers = Headers::new()
        .date("Date", DateTime { unix: START.secs(), offset_minutes: 0 })
        .structured("From", "reports@far.test")
        .structured("To", "postmaster@anser.test")
        .text("Subject", subject);
    let parts = [Entity::text("plain", "see there", TextEncoding::Base64), Entity::attachment(media_type, "r", packed)];
    String::from_utf8(message(headers, Entity::multipart("mixed", "b", &parts))).unwrap()
}

/// As it comes from another server, with what was found about its sender.
fn from_far(recipient: &str, dmarc: &str) -> Envelope {
    let origin = Origin { protocol: Protocol::Smtp, ..Origin::internal() };
    let results = format!("Authentication-Results: mail.anser.test;\r\n\tdmarc={dmarc} header.from=far.test\r\n");
    Envelope { origin, trace: results.into_bytes(), ..envelope("x@far.test", &[recipient]) }
}

async fn house() -> House {
    let house = Site::embedded().furnished(None).await;
    house.add("postmaster@anser.test").await;
    house
}

async fn findings(house: &House) -> Vec<Summed> {
    house.peers.findings(&Wanted { days: 30, ..Wanted::default() }).await.unwrap()
}

#[test]
fn gzip_zip_and_plain_are_read_and_the_sender_is_looked_at() {
    runtime().block_on(async {
        let house = house().await;
        let xml = |id: &str| report("anser.test", id).write().into_bytes();
        let subject = "Report domain: anser.test Submitter: far.test Report-ID: 1";
        for (raw, dmarc) in [
            (mail(subject, "application/gzip", &pack::gzip(&xml("1"))), "fail"),
            (mail(subject, "text/xml", &xml("2")), "fail"),
            (mail(subject, "application/gzip", &pack::gzip(&xml("1"))), "pass"),
        ] {
            house.put(from_far("postmaster@anser.test", dmarc), &raw).await;
            house.run().await;
        }
        let found = findings(&house).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let one = &found[0];
        assert_eq!((one.finding.count, one.reports, one.verified), (10, 2, false), "the same report counts once");
        house.put(from_far("postmaster@anser.test", "pass"), &mail(subject, "application/zip", &xml("3"))).await;
        house.run().await;
        assert!(findings(&house).await[0].verified);
        assert_eq!(house.mail("postmaster@anser.test").await.len(), 4, "they are mail like other");
    });
}

#[test]
fn what_is_not_ours_or_not_for_a_postmaster_or_broken_leaves_nothing() {
    runtime().block_on(async {
        let house = house().await;
        let subject = "Report domain: anser.test";
        let good = pack::gzip(report("anser.test", "1").write().as_bytes());
        let bomb = pack::gzip(&vec![b' '; pack::UNPACKED + 1]);
        let others = pack::gzip(report("other.test", "1").write().as_bytes());
        for (to, raw) in [
            ("ann@anser.test", mail(subject, "application/gzip", &good)),
            ("postmaster@anser.test", mail("hello", "application/gzip", &good)),
            ("postmaster@anser.test", mail(subject, "application/gzip", &bomb)),
            ("postmaster@anser.test", mail(subject, "application/gzip", &others)),
            ("postmaster@anser.test", mail(subject, "application/zip", b"PK\x03\x04nonsense")),
        ] {
            house.put(from_far(to, "pass"), &raw).await;
            house.run().await;
        }
        assert_eq!(findings(&house).await, []);
        assert_eq!(house.mail("postmaster@anser.test").await.len(), 4);
    });
}

#[test]
fn what_we_tell_is_what_we_read() {
    runtime().block_on(async {
        let internet = Internet::new();
        let wants = "v=DMARC1; p=none; rua=mailto:postmaster@anser.test";
        internet.zone.add("_dmarc.anser.test", Data::Txt(wants.as_bytes().to_vec()));
        let wants = "v=TLSRPTv1; rua=mailto:postmaster@anser.test";
        internet.zone.add("_smtp._tls.anser.test", Data::Txt(wants.as_bytes().to_vec()));
        let house = Site::embedded().furnished(internet.outward()).await;
        house.add("postmaster@anser.test").await;
        let row = Row { source: "192.0.2.7".parse().ok(), disposition: "none".into(), ..Row::default() };
        house.peers.count(Kind::Dmarc, "anser.test", &row).await.unwrap();
        let policy =
            tls::Policy { policy_type: "sts".into(), policy_domain: "anser.test".into(), ..Default::default() };
        let failure = Some(tls::Failure { result_type: "certificate-expired".into(), ..Default::default() });
        house.peers.count(Kind::Tls, "anser.test", &tls::Session { policy, failure }).await.unwrap();
        house.clock.advance(Duration::from_secs(36 * 3600));
        assert_eq!(house.delivery.send_feedback().await.unwrap(), 2);
        house.run().await;
        let found = findings(&house).await;
        let told: Vec<_> = found.iter().map(|one| (one.kind, &*one.finding.detail, one.verified)).collect();
        assert_eq!(told, [(Kind::Dmarc, "none", true), (Kind::Tls, "sts certificate-expired", true)]);
    });
}
