//! Routes by recipient and domain: to a server, to nobody, later, or never.

use std::time::Duration;

use anser_directory::{Check, Gate, HopTls, Hours, NextHop, Route, RouteWay, Standing};
use anser_queue::{Act, Origin};
use anser_wire::Secret;

use crate::house::{House, Site, address, envelope, message, runtime};
use crate::internet::{Internet, delivery};

fn to(pattern: &str, way: RouteWay) -> Route {
    Route { pattern: pattern.into(), way, gate: None, hours: None, until: None }
}

fn host(name: &str, port: u16) -> RouteWay {
    RouteWay::Host(NextHop { host: name.into(), port, tls: HopTls::Opportunistic, login: None })
}

async fn house(internet: &Internet, routes: impl IntoIterator<Item = Route>) -> House {
    let house = Site::embedded().furnished(internet.outward()).await;
    for route in routes {
        house.directory.put_route(route).await.unwrap();
    }
    house
}

#[test]
fn each_recipient_of_a_message_goes_its_own_way() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        internet.host("hub.inner.test", 3);
        internet.exchange("other.test", 10, "mx.other.test", 4);
        let own = internet.server("x", 2, &[&delivery("z@far.test")]).await;
        let hub = internet.server("x", 3, &[&delivery("x@far.test")]).await;
        let other = internet.server("x", 4, &[&delivery("y@near.test")]).await;
        let routes = [
            to("x@far.test", host("hub.inner.test", internet.port)),
            to("near.test", RouteWay::Exchanges(Some("other.test".into()))),
            to("gone.test", RouteWay::Discard),
        ];
        let house = house(&internet, routes).await;
        let recipients = ["x@far.test", "z@far.test", "y@near.test", "q@gone.test", "bob@anser.test"];
        let id = house.put(envelope("ann@anser.test", &recipients), &message("hi")).await;
        house.run().await;
        assert_eq!((own.messages().len(), hub.messages().len(), other.messages().len()), (1, 1, 1));
        assert_eq!(house.mail("bob@anser.test").await.len(), 1);
        assert!(house.waiting().await.is_empty() && house.mail("ann@anser.test").await.is_empty());
        assert!(house.told_of(id).await.contains(&"discard by route gone.test:0".to_owned()));
    });
}

#[test]
fn a_server_gets_its_login_and_two_logins_are_two_conversations() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.host("hub.inner.test", 3);
        let script = |user: &str, recipient: &str| {
            let login = anser_wire::sasl::encode_base64(format!("\0{user}\0secret").as_bytes());
            format!(
                "S: 220 hi\nC: EHLO mail.anser.test\nS: 250-there.test\nS: 250 AUTH PLAIN\nC: AUTH PLAIN {login}\nS: 235 ok\n\
                 C: MAIL FROM:<ann@anser.test>\nS: 250 ok\nC: RCPT TO:<{recipient}>\nS: 250 ok\nC: DATA\nS: 354 go on\nMESSAGE\nS: 250 taken"
            )
        };
        let hub = internet.server("x", 3, &[&script("one", "x@far.test"), &script("two", "y@near.test")]).await;
        let login = |user: &str| {
            RouteWay::Host(NextHop {
                host: "hub.inner.test".into(),
                port: internet.port,
                tls: HopTls::Opportunistic,
                login: Some((user.into(), Secret::new("secret"))),
            })
        };
        let house = house(&internet, [to("far.test", login("one")), to("near.test", login("two"))]).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("one")).await;
        house.run().await;
        house.put(envelope("ann@anser.test", &["y@near.test"]), &message("two")).await;
        house.run().await;
        assert_eq!(hub.messages().len(), 2);
    });
}

#[test]
fn held_mail_waits_beyond_its_expiry_until_it_is_released() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let server = internet.server("x", 2, &[&delivery("x@far.test")]).await;
        let house = house(&internet, [to("far.test", RouteWay::Hold)]).await;
        let id = house.put(envelope("ann@anser.test", &["x@far.test", "bob@anser.test"]), &message("hi")).await;
        house.run().await;
        assert_eq!(house.mail("bob@anser.test").await.len(), 1, "it holds nobody else");
        house.run_after(Duration::from_secs(9 * 86_400)).await;
        let waiting = house.waiting().await;
        assert!(waiting[0].held && waiting[0].progress[0].attempts == 0, "{waiting:?}");
        house.directory.remove_route("far.test").await.unwrap();
        house.queue.act(id, &Act::Release).await.unwrap();
        house.run().await;
        assert_eq!(server.messages().len(), 1);
        assert!(house.waiting().await.is_empty());
    });
}

#[test]
fn outside_its_hours_a_route_lets_mail_wait_and_counts_no_attempt() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.host("hub.inner.test", 3);
        let hub = internet.server("x", 3, &[&delivery("x@far.test")]).await;
        // The clock stands at 08:00.
        let hours = Hours::parse("22:00-06:00");
        let house = house(&internet, [Route { hours, ..to("far.test", host("hub.inner.test", internet.port)) }]).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        let progress = &house.waiting().await[0].progress[0];
        assert_eq!((progress.attempts, progress.due.to_string().get(11..16)), (0, Some("22:00")));
        house.run_after(Duration::from_secs(14 * 3600)).await;
        assert_eq!(hub.messages().len(), 1);
        assert!(house.waiting().await.is_empty());
    });
}

fn gateway(internet: &Internet, check: Check) -> Route {
    let gate = Some(Gate { check, open_when_down: false });
    Route { gate, ..to("inner.test", host("hub.inner.test", internet.port)) }
}

#[test]
fn mail_that_comes_from_the_server_that_should_have_it_goes_in_no_circle() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.host("hub.inner.test", 3);
        let hub = internet.server("x", 3, &[]).await;
        let house = house(&internet, [gateway(&internet, Check::All)]).await;
        let from = envelope("ann@anser.test", &["x@inner.test"]);
        let origin =
            Origin { client: Some("127.0.0.3".parse().unwrap()), protocol: anser_queue::Protocol::Smtp, ..from.origin };
        house.put(anser_queue::Envelope { origin, ..from }, &message("hi")).await;
        house.run().await;
        assert!(house.report("ann@anser.test").await.says("Status: 5.4.6"));
        assert!(hub.messages().is_empty());
    });
}

const PROBE: &str = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250 there.test\nC: MAIL FROM:<>\nS: 250 ok\n";

#[test]
fn the_server_behind_is_asked_for_an_address_once_in_a_while() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.host("hub.inner.test", 3);
        let script = format!(
            "{PROBE}C: RCPT TO:<x@inner.test>\nS: 250 ok\nC: RSET\nS: 250 ok\n\
             C: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<nobody@inner.test>\nS: 550 5.1.1 no\nC: RSET\nS: 250 ok\n\
             C: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<grey@inner.test>\nS: 451 later\nCLOSE"
        );
        let again = format!("{PROBE}C: RCPT TO:<nobody@inner.test>\nS: 550 5.7.1 not from you\nCLOSE");
        let hub = internet.server("x", 3, &[&script, &again]).await;
        let route = gateway(&internet, Check::Callout);
        let house = house(&internet, [route.clone()]).await;
        let ask = async |text: &str| house.delivery.standing(&route, &address(text)).await;
        for _ in 0..3 {
            assert_eq!(ask("x@inner.test").await, Standing::Known);
            assert_eq!(ask("nobody@inner.test").await, Standing::Unknown("550 5.1.1 no".into()));
        }
        assert_eq!(ask("grey@inner.test").await, Standing::Unsure("451 later".into()));
        // What is not there may be made; what we may not ask tells nothing.
        house.clock.advance(Duration::from_secs(3600));
        assert_eq!(ask("nobody@inner.test").await, Standing::Unsure("550 5.7.1 not from you".into()));
        assert!(hub.messages().is_empty());
    });
}

#[test]
fn while_the_server_behind_is_down_what_was_known_counts() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.host("hub.inner.test", 3);
        let route = gateway(&internet, Check::Callout);
        let house = house(&internet, [route.clone()]).await;
        let ask = async |text: &str| house.delivery.standing(&route, &address(text)).await;
        {
            let _hub = internet.server("x", 3, &[&format!("{PROBE}C: RCPT TO:<x@inner.test>\nS: 250 ok\nCLOSE")]).await;
            assert_eq!(ask("x@inner.test").await, Standing::Known);
        }
        house.clock.advance(Duration::from_secs(24 * 3600));
        // Every further connection is one too many, and is closed.
        assert_eq!(ask("x@inner.test").await, Standing::Known);
        assert!(matches!(ask("new@inner.test").await, Standing::Unsure(_)));
        house.clock.advance(Duration::from_secs(7 * 24 * 3600));
        assert!(matches!(ask("x@inner.test").await, Standing::Unsure(_)));
    });
}

#[test]
fn an_operator_leads_mail_another_way() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.host("hub.inner.test", 3);
        let hub = internet.server("x", 3, &[&delivery("x@far.test")]).await;
        let house = house(&internet, [to("far.test", RouteWay::Hold)]).await;
        let id = house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        assert!(house.waiting().await[0].held);
        let way = format!("hub.inner.test:{}", internet.port);
        house.queue.act(id, &Act::Reroute(Some(way))).await.unwrap();
        house.run().await;
        assert_eq!(hub.messages().len(), 1);
        assert!(house.waiting().await.is_empty());
    });
}
