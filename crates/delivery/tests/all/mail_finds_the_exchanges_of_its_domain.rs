//! RFC 5321 §5: which server gets the mail of a domain, and what happens when it does not.

use std::time::Duration;

use anser_delivery::Outward;
use anser_net::dns::{Data, RecordType};

use crate::house::{House, Site, envelope, message, runtime};
use crate::internet::{Internet, delivery};

async fn sent_to(internet: &Internet, recipients: &[&str]) -> House {
    let house = Site::embedded().furnished(internet.outward()).await;
    house.put(envelope("ann@anser.test", recipients), &message("hi")).await;
    house.run().await;
    house
}

/// Why the only recipient waits.
async fn why_it_waits(house: &House) -> String {
    let waiting = house.waiting().await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    waiting[0].progress[0].why.clone().unwrap_or_default()
}

/// The status of the only report in ann's inbox.
async fn status_of_report(house: &House) -> String {
    assert!(house.waiting().await.is_empty());
    let report = house.report("ann@anser.test").await;
    let line = report.status.lines().find(|line| line.starts_with("Status: ")).unwrap().to_owned();
    line["Status: ".len()..].to_owned()
}

#[test]
fn the_preferred_server_gets_it_and_the_next_one_when_it_cannot_be_reached() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "down.far.test", 9);
        internet.exchange("far.test", 20, "backup.far.test", 3);
        internet.exchange("far.test", 30, "last.far.test", 4);
        let backup = internet.server("backup.far.test", 3, &[&delivery("x@far.test")]).await;
        let house = sent_to(&internet, &["x@far.test"]).await;
        assert_eq!(backup.messages().len(), 1);
        assert!(house.waiting().await.is_empty());
    });
}

#[test]
fn a_server_that_has_no_time_leaves_it_to_the_next() {
    runtime().block_on(async {
        for busy in [
            "S: 421 busy",
            "S: 554 go away",
            "S: 220 hi\nC: EHLO mail.anser.test\nS: 450 not now\nCLOSE",
            "S: 220 hi\nC: EHLO mail.anser.test\nS: 250 a\nC: MAIL FROM:<ann@anser.test>\nS: 451 later",
            "S: 220 hi\nC: EHLO mail.anser.test\nS: 250 a\nC: MAIL FROM:<ann@anser.test>\nCLOSE",
            "CLOSE",
            "S: nonsense",
        ] {
            let internet = Internet::new();
            internet.exchange("far.test", 10, "busy.far.test", 2);
            internet.exchange("far.test", 20, "idle.far.test", 3);
            let _busy = internet.server("busy.far.test", 2, &[busy]).await;
            let idle = internet.server("idle.far.test", 3, &[&delivery("x@far.test")]).await;
            let house = sent_to(&internet, &["x@far.test"]).await;
            assert_eq!(idle.messages().len(), 1, "{busy}");
            assert!(house.waiting().await.is_empty(), "{busy}");
        }
    });
}

#[test]
fn a_refusal_is_not_taken_to_another_server() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "a.far.test", 2);
        internet.exchange("far.test", 20, "b.far.test", 3);
        let script = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250 a\nC: MAIL FROM:<ann@anser.test>\nS: 550 5.7.1 no";
        let _a = internet.server("a.far.test", 2, &[script]).await;
        let b = internet.server("b.far.test", 3, &[]).await;
        let house = sent_to(&internet, &["x@far.test"]).await;
        assert_eq!(status_of_report(&house).await, "5.7.1");
        assert!(b.messages().is_empty());
    });
}

#[test]
fn a_message_that_was_begun_is_not_given_to_another_server_at_once() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "a.far.test", 2);
        internet.exchange("far.test", 20, "b.far.test", 3);
        let broken = delivery("x@far.test").replace("S: 250 taken", "CLOSE");
        let _a = internet.server("a.far.test", 2, &[&broken]).await;
        let b = internet.server("b.far.test", 3, &[]).await;
        let house = sent_to(&internet, &["x@far.test"]).await;
        assert!(why_it_waits(&house).await.starts_with("4.4.2 "));
        assert!(b.messages().is_empty(), "the first may have it: RFC 1047");
    });
}

#[test]
fn a_domain_without_exchanges_is_its_own() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.host("far.test", 5);
        internet.zone.add("alias.test", Data::Cname("far.test".into()));
        let script = delivery("x@far.test");
        let server = internet.server("far.test", 5, &[&script, &delivery("y@alias.test")]).await;
        let house = sent_to(&internet, &["x@far.test"]).await;
        // Another destination, but the same host: its connection is used for both.
        house.put(envelope("ann@anser.test", &["y@alias.test"]), &message("again")).await;
        house.run().await;
        assert_eq!(server.messages().len(), 2);
        assert!(house.waiting().await.is_empty());
    });
}

#[test]
fn an_address_literal_is_gone_to_as_it_stands() {
    runtime().block_on(async {
        let internet = Internet::new();
        let server = internet.server("x", 6, &[&delivery("x@[127.0.0.6]")]).await;
        let house = sent_to(&internet, &["x@[127.0.0.6]"]).await;
        assert_eq!(server.messages().len(), 1);
        assert!(house.waiting().await.is_empty());
    });
}

#[test]
fn domains_that_take_no_mail_return_it_at_once() {
    runtime().block_on(async {
        for (status, arrange) in [
            (
                "5.1.10",
                (|net| net.zone.add("far.test", Data::Mx { preference: 0, exchange: "".into() })) as fn(&Internet),
            ),
            ("5.1.2", |_| ()),
            ("5.4.6", |net| net.exchange("far.test", 10, "mail.anser.test", 2)),
        ] {
            let internet = Internet::new();
            arrange(&internet);
            let house = sent_to(&internet, &["x@far.test"]).await;
            assert_eq!(status_of_report(&house).await, status);
        }
    });
}

#[test]
fn a_server_that_calls_itself_by_our_name_gets_nothing() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let _mirror = internet.server("x", 2, &["S: 220 hi\nC: EHLO mail.anser.test\nS: 250 mail.anser.test hi"]).await;
        let house = sent_to(&internet, &["x@far.test"]).await;
        assert_eq!(status_of_report(&house).await, "5.4.6");
    });
}

#[test]
fn private_addresses_are_not_spoken_to_unless_allowed() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let inner = internet.server("x", 2, &[]).await;
        let outward = Outward { private: false, ..internet.outward() };
        let house = Site::embedded().furnished(outward).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.put(envelope("bob@anser.test", &["x@[127.0.0.2]"]), &message("hi")).await;
        house.run().await;
        assert!(house.waiting().await.is_empty());
        assert!(house.report("ann@anser.test").await.says("Status: 5.4.4"));
        assert!(house.report("bob@anser.test").await.says("Status: 5.4.4"));
        assert!(inner.messages().is_empty());
    });
}

#[test]
fn a_dns_that_fails_puts_it_off() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        internet.zone.fail("far.test", RecordType::Mx);
        let house = sent_to(&internet, &["x@far.test"]).await;
        assert!(why_it_waits(&house).await.starts_with("4.4.3 "));
        internet.zone.mend();
        internet.zone.fail("mx.far.test", RecordType::A);
        internet.zone.fail("mx.far.test", RecordType::Aaaa);
        house.run_after(Duration::from_secs(300)).await;
        assert!(why_it_waits(&house).await.starts_with("4.4.3 "));
        internet.zone.mend();
        let server = internet.server("x", 2, &[&delivery("x@far.test")]).await;
        house.run_after(Duration::from_secs(3600)).await;
        assert_eq!(server.messages().len(), 1);
    });
}

#[test]
fn one_connection_serves_the_next_message_and_each_destination_its_own() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        internet.exchange("near.test", 10, "mx.near.test", 3);
        let again = "C: MAIL FROM:<ann@anser.test>\nS: 250 ok\nC: RCPT TO:<z@far.test>\nS: 250 ok\nC: DATA\nS: 354 go\nMESSAGE\nS: 250 ok";
        let far = internet.server("x", 2, &[&format!("{}\n{again}", delivery("x@far.test"))]).await;
        let near = internet.server("x", 3, &[&delivery("y@near.test")]).await;
        let house = sent_to(&internet, &["x@far.test", "y@near.test"]).await;
        house.put(envelope("ann@anser.test", &["z@far.test"]), &message("again")).await;
        house.run().await;
        assert_eq!((far.messages().len(), near.messages().len()), (2, 1));
        assert!(house.waiting().await.is_empty());
    });
}

#[test]
fn own_addresses_are_spoken_from() {
    runtime().block_on(async {
        let internet = Internet::new();
        let own: std::net::IpAddr = "127.0.0.77".parse().unwrap();
        internet.zone.add("far.test", Data::Aaaa("::1".parse().unwrap()));
        internet.host("far.test", 2);
        let server = internet.server("x", 2, &[&delivery("x@far.test")]).await;
        let outward = Outward { sources: vec![own], ..internet.outward() };
        let house = Site::embedded().furnished(outward).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        assert_eq!(server.messages().len(), 1);
        assert_eq!(server.clients(), [own]);
    });
}

#[test]
fn one_domain_that_is_down_does_not_keep_another_waiting() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("down.test", 10, "mx.down.test", 9);
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let server = internet.server("x", 2, &[&delivery("x@far.test")]).await;
        let house = Site::embedded().furnished(internet.outward()).await;
        for n in 0..200 {
            house.put(envelope("ann@anser.test", &[&format!("u{n}@down.test")]), &message("lost")).await;
        }
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        assert_eq!(server.messages().len(), 1);
        let waiting = house.waiting().await;
        assert_eq!(waiting.len(), 200, "none is lost");
        assert!(waiting.iter().all(|entry| entry.progress[0].why.is_some()));
    });
}

#[test]
fn without_any_way_mail_waits() {
    runtime().block_on(async {
        let house = Site::embedded().furnished(None).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        assert!(why_it_waits(&house).await.starts_with("4.4.4 "));
    });
}
