//! Mail exchanges with TLS that break, lie, flood or refuse for ever: their mail waits, is sent when they mend, or comes back; the mail of
//! others goes on.

use std::time::Duration;

use crate::house::{House, Site, envelope, message, runtime};
use crate::internet::{Internet, delivery};
use crate::smarthost::Relay;
use crate::tlsa_records_are_binding::OVER_TLS;

/// A house whose mail goes to a bad server, and to a good one.
struct World {
    house: House,
    bad: Relay,
    good: Relay,
}

impl World {
    /// The bad server plays these, one a connection; the good one takes one message.
    async fn new(scripts: &[&str]) -> Self {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        internet.exchange("near.test", 10, "mx.near.test", 3);
        let bad = internet.server("mx.far.test", 2, scripts).await;
        let good = internet.server("mx.near.test", 3, &[&delivery("y@near.test")]).await;
        let house = Site::embedded().furnished(internet.outward()).await;
        Self { house, bad, good }
    }

    /// One message to each.
    async fn send(&self) {
        self.house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        self.house.put(envelope("ann@anser.test", &["y@near.test"]), &message("hi")).await;
        self.house.run().await;
        assert_eq!(self.good.messages().len(), 1, "the other domain has its mail");
    }

    /// Why the only recipient waits.
    async fn why(&self) -> String {
        let waiting = self.house.waiting().await;
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting[0].progress[0].why.clone().unwrap()
    }

    /// After the next attempt the mail is there, and nobody was told anything.
    async fn mended(&self) {
        self.house.run_after(Duration::from_secs(3600)).await;
        assert!(self.house.waiting().await.is_empty());
        assert!(self.house.mail("ann@anser.test").await.is_empty());
    }
}

/// The lines of a delivery over TLS up to the message, where the server can end it: behind each line of its own.
fn stages() -> Vec<String> {
    let lines: Vec<&str> = OVER_TLS.lines().map(str::trim).collect();
    let message = lines.iter().position(|line| *line == "MESSAGE").unwrap();
    let inside = lines.iter().position(|line| *line == "TLS").unwrap();
    (inside + 1..=message).map(|end| lines[..end].join("\n")).collect()
}

#[test]
fn an_encrypted_connection_that_breaks_at_any_stage_is_tried_again() {
    for stage in stages() {
        runtime().block_on(async {
            let world = World::new(&[&format!("{stage}\nCLOSE"), OVER_TLS]).await;
            world.send().await;
            let why = world.why().await;
            assert!(why.starts_with("4.4.2 the connection to mx.far.test broke"), "{stage}: {why}");
            world.mended().await;
            assert_eq!(world.bad.messages().len(), 1, "{stage}");
        });
    }
}

#[test]
fn encryption_that_dies_behind_the_message_sends_it_again() {
    runtime().block_on(async {
        let dead = OVER_TLS.replace("S: 250 taken", "CLOSE");
        let world = World::new(&[&dead, OVER_TLS]).await;
        world.send().await;
        assert!(world.why().await.starts_with("4.4.2 "));
        world.mended().await;
        assert_eq!(world.bad.messages().len(), 2, "twice rather than never (RFC 1047)");
    });
}

#[test]
fn a_handshake_that_breaks_leaves_mail_that_nobody_protects_to_plain_text() {
    runtime().block_on(async {
        let start = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250-there.test\nS: 250 STARTTLS\nC: STARTTLS\n";
        let world = World::new(&[&format!("{start}S: 220 go\nCLOSE"), &delivery("x@far.test")]).await;
        world.send().await;
        assert!(world.house.waiting().await.is_empty());
        assert_eq!(world.bad.messages().len(), 1);
    });
}

#[test]
fn replies_without_end_are_cut_off_early() {
    let start = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250-there.test\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\n\
         C: EHLO mail.anser.test\n";
    for (endless, why) in [
        (format!("{start}ENDLESS 250-there"), "its reply is too long"),
        (format!("{start}FLOOD 250-there and more"), "its reply is too long"),
        ("ENDLESS 220 hello".to_owned(), "its reply is too long"),
        ("FLOOD 220-hello".to_owned(), "its reply is too long"),
    ] {
        runtime().block_on(async {
            let world = World::new(&[&endless, OVER_TLS]).await;
            world.send().await;
            assert!(world.why().await.ends_with(why), "{endless}: {}", world.why().await);
            // A gigabyte was ready; what sockets hold on the way is all that came.
            assert!(world.bad.flooded() < 64 * 1024 * 1024, "{endless}: {}", world.bad.flooded());
            world.mended().await;
            assert_eq!(world.bad.messages().len(), 1);
        });
    }
}

#[test]
fn lies_about_pipelining_deliver_nothing_and_lose_nothing() {
    let start = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250-there.test\nS: 250 PIPELINING\nC: MAIL FROM:<ann@anser.test>\n\
         C: RCPT TO:<x@far.test>\n";
    for lie in [
        // Fewer replies than commands.
        "S: 250 ok\nCLOSE",
        // All replies of a delivery at once, though nothing was delivered.
        "S: 250 ok\nS: 250 ok\nS: 354 go\nS: 250 taken\nWAIT",
        // A reply of another kind.
        "S: 354 go on\nS: 354 go on\nCLOSE",
        // The refusal of a message that was not sent yet.
        "S: 250 ok\nS: 250 ok\nS: 354 go\nS: 554 no\nCLOSE",
    ] {
        runtime().block_on(async {
            let world = World::new(&[&format!("{start}{lie}"), &delivery("x@far.test")]).await;
            world.send().await;
            let why = world.why().await;
            assert!(why.starts_with("4."), "{lie}: {why}");
            world.mended().await;
            assert_eq!(world.bad.messages().len(), 1, "{lie}");
        });
    }
}

#[test]
fn a_server_that_puts_off_for_ever_gets_few_visits_and_the_mail_comes_back() {
    runtime().block_on(async {
        let off = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250 there.test\nC: MAIL FROM:<ann@anser.test>\nS: 250 ok\n\
             C: RCPT TO:<x@far.test>\nS: 451 4.7.1 later";
        // The second message of an attempt goes over the first one's connection: all of them are refused there.
        let scripts = vec![off; 200];
        let world = World::new(&scripts).await;
        world.send().await;
        let mut visits = 1;
        while !world.house.waiting().await.is_empty() {
            let due = world.house.waiting().await[0].due.unwrap();
            world.house.run_after(due.since(world.house.clock.now())).await;
            visits += 1;
        }
        assert!((30..80).contains(&visits), "{visits} attempts in five days");
        let mail = world.house.mail("ann@anser.test").await;
        assert_eq!(mail.len(), 2, "that it is late, and that it did not arrive");
        assert!(mail[1].contains("4.7.1"), "{}", mail[1]);
    });
}
