use std::time::Duration;

use anser_delivery::SmarthostTls;
use anser_wire::Secret;

use crate::house::{Site, envelope, message, runtime};
use crate::smarthost::Relay;

/// Up to the place where the message is sent.
const OPENING: [&str; 9] = [
    "S: 220 relay.test",
    "C: EHLO mail.anser.test",
    "S: 250 relay.test",
    "C: MAIL FROM:<ann@anser.test>",
    "S: 250 ok",
    "C: RCPT TO:<x@far.test>",
    "S: 250 ok",
    "C: DATA",
    "S: 354 go on",
];

/// A whole delivery.
fn delivery() -> String {
    format!("{}\nMESSAGE\nS: 250 taken", OPENING.join("\n"))
}

/// Plays a transcript once, then a good delivery an attempt later; tells why the first did not deliver, and how many messages the
/// server saw in all.
fn first_and_second_attempt(bad: &str) -> (String, usize) {
    runtime().block_on(async {
        let relay = Relay::play(&[bad, &delivery()]).await;
        let house = Site::embedded().furnished(relay.smarthost(SmarthostTls::Never)).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        let why = house.waiting().await[0].progress[0].why.clone().expect("it waits");
        house.run_after(Duration::from_secs(60)).await;
        assert!(house.waiting().await.is_empty(), "{bad}");
        assert!(house.mail("ann@anser.test").await.is_empty(), "{bad}");
        (why, relay.messages().len())
    })
}

#[test]
fn a_connection_lost_at_any_stage_is_tried_again() {
    for stage in 0..=OPENING.len() {
        let bad = format!("{}\nCLOSE", OPENING[..stage].join("\n"));
        let (why, messages) = first_and_second_attempt(&bad);
        assert!(why.starts_with("4.4.2 the connection to localhost broke: "), "{why}");
        assert_eq!(messages, 1);
    }
}

#[test]
fn a_reply_lost_behind_the_message_sends_it_twice_rather_than_never() {
    let (why, messages) = first_and_second_attempt(&format!("{}\nMESSAGE\nCLOSE", OPENING.join("\n")));
    assert!(why.starts_with("4.4.2 "), "{why}");
    assert_eq!(messages, 2);
}

#[test]
fn a_server_that_goes_down_says_so_at_any_stage() {
    for stage in [0, 2, 4, 6, 8] {
        let bad = format!("{}\nS: 421 4.3.2 going down\nCLOSE", OPENING[..stage].join("\n"));
        let (why, messages) = first_and_second_attempt(&bad);
        assert_eq!(why, "4.3.2 localhost said: 421 4.3.2 going down");
        assert_eq!(messages, 1);
    }
}

#[test]
fn nonsense_ends_the_connection_and_not_the_mail() {
    for bad in [
        "S: hello?",
        "FLOOD 220-more and more of a greeting",
        "S: 220 relay.test\nC: EHLO mail.anser.test\nFLOOD 250-ANOTHER-EXTENSION",
        "S: 220-one\nS: 250 two",
        "S: 220 relay.test\nS: 250 ok\nS: 250 ok\nS: 250 ok",
        "S: 354 go on",
    ] {
        let (why, messages) = first_and_second_attempt(&format!("{bad}\nWAIT"));
        assert!(why.starts_with("4."), "{bad}: {why}");
        assert_eq!(messages, 1);
    }
    let long = format!("S: 220 {}\nWAIT", "x".repeat(5000));
    assert!(first_and_second_attempt(&long).0.ends_with("its reply is too long"));
}

#[test]
fn yes_to_everything_before_it_was_asked_delivers_nothing() {
    // The replies to a transaction that never was: were they taken, the message would be gone.
    let eager = format!("{}\nS: 250 ok\nS: 250 ok\nS: 354 go\nS: 250 taken\nWAIT", OPENING[..3].join("\n"));
    let (why, messages) = first_and_second_attempt(&eager);
    assert!(why.starts_with("4.4.2 ") || why.starts_with("4."), "{why}");
    assert_eq!(messages, 1);
}

#[test]
fn a_refusal_that_comes_with_a_closed_door_counts() {
    runtime().block_on(async {
        let relay = Relay::play(&["
            S: 220 relay.test
            C: EHLO mail.anser.test
            S: 250-relay.test
            S: 250 PIPELINING
            C: MAIL FROM:<ann@anser.test>
            C: RCPT TO:<x@far.test>
            S: 554 5.7.1 you are on a list
            CLOSE"])
        .await;
        let house = Site::embedded().furnished(relay.smarthost(SmarthostTls::Never)).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        let report = house.report("ann@anser.test").await;
        assert!(report.says("Status: 5.7.1") && report.text.contains("> 554 5.7.1 you are on a list"));
        assert!(relay.messages().is_empty());
    });
}

#[test]
fn a_refused_login_returns_no_mail() {
    runtime().block_on(async {
        let login = "
            S: 220 relay.test
            C: EHLO mail.anser.test
            S: 250-relay.test
            S: 250 AUTH PLAIN
            C: AUTH PLAIN …
            S: 535 5.7.8 wrong
            WAIT";
        let relay =
            Relay::play(&[login, "S: 554 go away", "S: 220 relay.test\nC: EHLO mail.anser.test\nS: 250 relay.test"])
                .await;
        let mut smarthost = relay.smarthost(SmarthostTls::Never).unwrap();
        smarthost.login = Some(("house".into(), Secret::new("wrong")));
        let house = Site::embedded().furnished(Some(smarthost)).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        for why in [
            "4.7.8 localhost said: 535 5.7.8 wrong",
            "4.3.2 localhost said: 554 go away",
            "4.7.4 localhost offers no way to log in that we know",
        ] {
            house.run_after(Duration::from_secs(1000)).await;
            assert_eq!(house.waiting().await[0].progress[0].why.as_deref(), Some(why));
        }
        assert!(relay.messages().is_empty());
    });
}

#[test]
fn nobody_at_home_is_tried_again() {
    runtime().block_on(async {
        let relay = Relay::play(&[]).await;
        let mut smarthost = relay.smarthost(SmarthostTls::Never).unwrap();
        // Discard: nobody listens there.
        smarthost.port = 9;
        let house = Site::embedded().furnished(Some(smarthost)).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        assert_eq!(house.waiting().await[0].progress[0].why.as_deref(), Some("4.4.1 no answer from localhost port 9"));
    });
}

#[test]
fn an_idle_connection_that_died_is_replaced_at_once() {
    runtime().block_on(async {
        let closing = format!("{}\nCLOSE", delivery());
        let tired = format!("{}\nC: MAIL FROM:<ann@anser.test>\nS: 421 enough for today\nCLOSE", delivery());
        let relay = Relay::play(&[&closing, &tired, &delivery()]).await;
        let house = Site::embedded().furnished(relay.smarthost(SmarthostTls::Never)).await;
        for subject in ["one", "two", "three"] {
            house.put(envelope("ann@anser.test", &["x@far.test"]), &message(subject)).await;
            house.run().await;
            assert!(house.waiting().await.is_empty(), "{subject}");
        }
        assert_eq!(relay.messages().len(), 3);
    });
}
