use std::sync::Arc;
use std::time::Duration;

use anser_base::Clock;
use anser_base::limits::{HOPS, INLINE_BODY};
use anser_net::{Rate, ServeOptions, Shutdown, Stream};
use anser_smtp::{Service, refusal_words, session};
use anser_testkit::engines::World;

use crate::house::{House, Peer, SCHEMAS};

const FROM: &str = "eve@elsewhere.net";
const TO: &str = "ann@example.org";

fn world() -> World {
    World::embedded(SCHEMAS)
}

#[test]
fn on_the_size_of_a_message() {
    let world = world();
    let house = House::with(&world, |deps| deps.limits.message_size = 400_000);
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    assert!(peer.ask("MAIL FROM:<eve@elsewhere.net> SIZE=400001").starts_with("552 5.3.4"));
    for size in [100_000, 350_000, 399_000] {
        let message = [b"a: b\r\n\r\n", "x".repeat(76).repeat(size / 76).as_bytes()].concat();
        assert!(peer.mail(FROM, TO, &message).starts_with("250 2.0.0"), "{size}");
        assert_eq!(house.mail()[0].body, [&message, &b"\r\n"[..]].concat(), "{size}");
    }
    for size in [400_001, 2_000_000] {
        let message = [b"a: b\r\n\r\n", "x".repeat(size).as_bytes()].concat();
        assert!(peer.mail(FROM, TO, &message).starts_with("552 5.3.4"), "{size}");
        peer.send(format!("MAIL FROM:<>\r\nRCPT TO:<{TO}>\r\nBDAT {size} LAST\r\n"));
        peer.send("x".repeat(size));
        assert!(peer.reply().starts_with("250") && peer.reply().starts_with("250"));
        assert!(peer.reply().starts_with("552 5.3.4"), "{size}");
    }
    assert!(peer.mail(FROM, TO, b"a: b\r\n").starts_with("250"));
    assert_eq!(house.mail().len(), 1);
}

#[test]
fn on_the_size_of_a_header_and_the_number_of_hops() {
    let world = world();
    let house = House::new(&world);
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    let endless = format!("Subject: x\r\n {}", "y\r\n ".repeat(INLINE_BODY / 4));
    assert!(peer.mail(FROM, TO, endless.as_bytes()).starts_with("552 5.3.4"));
    assert!(peer.mail(FROM, TO, "Received: x\r\n".repeat(HOPS + 1).as_bytes()).starts_with("554 5.4.6"));
    assert!(peer.mail(FROM, TO, "Received: x\r\n".repeat(HOPS).as_bytes()).starts_with("250"));
}

#[test]
fn on_the_length_of_a_line() {
    let world = world();
    let house = House::new(&world);
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    for length in [2_100, 20_000, 3_000_000] {
        assert!(peer.ask(&format!("MAIL FROM:<{}@elsewhere.net>", "e".repeat(length))).starts_with("500 5.5.2"));
    }
    assert!(peer.ask("NOOP").starts_with("250"));
    // Within a message lines may be as long as they like.
    assert!(peer.mail(FROM, TO, "x".repeat(3_000_000).as_bytes()).starts_with("552 5.3.4 The header"));
    assert!(peer.mail(FROM, TO, format!("\r\n{}", "x".repeat(3_000_000)).as_bytes()).starts_with("250"));
}

#[test]
fn on_recipients() {
    let world = world();
    let house = House::with(&world, |deps| deps.limits.recipients = 3);
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    assert!(peer.ask("MAIL FROM:<>").starts_with("250"));
    for name in ["ann+1", "ann+2", "ann+3"] {
        assert!(peer.ask(&format!("RCPT TO:<{name}@example.org>")).starts_with("250 2.1.5"));
    }
    assert!(peer.ask("RCPT TO:<ann+4@example.org>").starts_with("452 4.5.3"));
    peer.send("DATA\r\n\r\n.\r\n");
    assert!(peer.reply().starts_with("354") && peer.reply().starts_with("250"));
    assert_eq!(house.mail()[0].entry.envelope.recipients.len(), 3);
}

#[test]
fn on_errors_unknown_recipients_and_idle_talk() {
    let world = world();
    let house = House::with(&world, |deps| deps.limits.idle_commands = 5);
    let mx = house.open(Service::Mx);
    let mut peer = Peer::greeted(mx, "EHLO");
    let replies: Vec<String> = (0..10).map(|_| peer.ask("WHAT")).collect();
    assert!(replies.iter().all(|reply| reply.starts_with("500 5.5.1")));
    assert!(peer.reply().starts_with("421 4.7.0 Too many errors") && peer.reply().is_empty());

    let mut peer = Peer::greeted(mx, "EHLO");
    assert!(peer.ask("MAIL FROM:<>").starts_with("250"));
    for at in 0..20 {
        assert!(peer.ask(&format!("RCPT TO:<nobody{at}@example.org>")).starts_with("550 5.1.1"));
    }
    assert!(peer.reply().starts_with("421 4.7.0 Too many unknown") && peer.reply().is_empty());

    let mut peer = Peer::greeted(mx, "EHLO");
    for _ in 0..4 {
        assert!(peer.ask("NOOP").starts_with("250"));
    }
    assert!(peer.mail(FROM, TO, b"").starts_with("250"));
    for _ in 0..6 {
        assert!(peer.ask("VRFY ann").starts_with("252"));
    }
    assert!(peer.reply().starts_with("421 4.7.0 Too many commands") && peer.reply().is_empty());
}

#[test]
fn on_messages_of_a_session_and_rates() {
    let world = world();
    let house = House::with(&world, |deps| {
        deps.clock = Clock::manual(deps.clock.now());
        deps.limits.messages = 4;
        deps.limits.source_rate = Some(Rate { count: 3, per: Duration::from_secs(60) });
        deps.limits.account_rate = Some(Rate { count: 2, per: Duration::from_secs(60) });
    });
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    for _ in 0..3 {
        assert!(peer.mail(FROM, TO, b"").starts_with("250"));
    }
    assert!(peer.mail(FROM, TO, b"").starts_with("450 4.7.1"));
    house.deps.clock.advance(Duration::from_secs(60));
    assert!(peer.mail(FROM, TO, b"").starts_with("250"));
    assert!(peer.ask("MAIL FROM:<>").starts_with("421 4.7.0") && peer.reply().is_empty());

    let mut peer = Peer::greeted(house.open(Service::Submission), "EHLO");
    assert!(peer.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3aWxkIGdvb3Nl").starts_with("235"));
    assert!(peer.ask("MAIL FROM:<ann@example.org>").starts_with("250"));
    assert!(peer.ask("RCPT TO:<a@elsewhere.net>").starts_with("250"));
    assert!(peer.ask("RCPT TO:<b@elsewhere.net>").starts_with("250"));
    assert!(peer.ask("RCPT TO:<c@elsewhere.net>").starts_with("450 4.7.1"));
}

#[test]
fn on_full_mailboxes_and_ways_out() {
    let world = world();
    let house = House::with(&world, |deps| {
        deps.over_quota = Some(Arc::new(|account| account.0 % 2 == 0));
        deps.local_only = true;
    });
    let (ann, bob) = (house.account("ann@example.org"), house.account("bob@example.org"));
    let mut peer = Peer::greeted(house.open(Service::Submission), "EHLO");
    assert!(peer.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3aWxkIGdvb3Nl").starts_with("235"));
    assert!(peer.ask("MAIL FROM:<ann@example.org>").starts_with("250"));
    for (id, name) in [(ann, "ann"), (bob, "bob")] {
        let expected = if id.0 % 2 == 0 { "452 4.2.2" } else { "250 2.1.5" };
        assert!(peer.ask(&format!("RCPT TO:<{name}@example.org>")).starts_with(expected));
    }
    assert!(peer.ask("RCPT TO:<eve@elsewhere.net>").starts_with("550 5.7.1"));
}

#[test]
fn on_time_between_commands() {
    let world = world();
    let house = House::with(&world, |deps| deps.limits.command_timeout = Duration::from_millis(1));
    let mut peer = Peer::connect(house.open(Service::Mx));
    assert!(peer.reply().starts_with("220"));
    assert!(peer.reply().starts_with("421 4.4.2") && peer.reply().is_empty());
}

#[test]
fn on_time_within_a_message() {
    let world = world();
    let house = House::with(&world, |deps| deps.limits.data_timeout = Duration::from_millis(1));
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    peer.send(format!("MAIL FROM:<>\r\nRCPT TO:<{TO}>\r\nDATA\r\n"));
    assert!(peer.reply().starts_with("250") && peer.reply().starts_with("250") && peer.reply().starts_with("354"));
    assert!(peer.reply().starts_with("421 4.4.2") && peer.reply().is_empty());
}

#[test]
fn on_patience_before_the_greeting() {
    let world = world();
    let house = House::new(&world);
    let deps = house.deps.clone();
    house.runtime.block_on(async move {
        let (server, mut client) = Stream::pair();
        client.write_all(b"EHLO bot\r\n").await.unwrap();
        client.flush().await.unwrap();
        let served = tokio::spawn(session(server, Service::Mx, deps.clone(), Shutdown::new()));
        let line = client.read_line(1000).await.unwrap();
        let anser_net::Line::Full(line) = line else { panic!("{line:?}") };
        assert!(line.starts_with(b"554 5.5.1"));
        drop(client);
        served.await.unwrap();
        // At the other services nobody is watched.
        let (server, mut client) = Stream::pair();
        client.write_all(b"EHLO bot\r\n").await.unwrap();
        client.flush().await.unwrap();
        tokio::spawn(session(server, Service::Submission, deps, Shutdown::new()));
        let anser_net::Line::Full(line) = client.read_line(1000).await.unwrap() else { panic!() };
        assert!(line.starts_with(b"220 "));
    });
}

#[test]
fn on_the_patience_of_a_server_that_stops() {
    let world = world();
    let house = House::new(&world);
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    assert!(peer.ask("MAIL FROM:<>").starts_with("250"));
    assert!(peer.ask(&format!("RCPT TO:<{TO}>")).starts_with("250"));
    assert!(peer.ask("DATA").starts_with("354"));
    house.stop();
    // What was begun is ended.
    assert!(peer.ask(".").starts_with("250"));
    assert!(peer.reply().starts_with("421 4.3.2") && peer.reply().is_empty());
}

#[test]
fn on_connections_with_words() {
    let world = world();
    let house = House::new(&world);
    let mut options = ServeOptions::new("smtp");
    (options.connections, options.refusal) = (0, refusal_words("mx.example.org"));
    let mut peer = Peer::connect(house.open_with(Service::Mx, options));
    assert_eq!(peer.reply(), "421 4.3.2 Too many connections (mx.example.org)");
    assert!(peer.reply().is_empty());
}
