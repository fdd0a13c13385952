//! Domains whose mailboxes are on a server behind this one: their mail is taken from everybody, but not for addresses that nobody has.

use std::sync::Arc;

use anser_directory::{Check, Gate, Route, RouteWay, Standing};
use anser_smtp::{Callout, Service};
use anser_testkit::engines::World;

use crate::house::{House, Peer, SCHEMAS};

/// Knows `ann`, knows that there is no `nobody`, and cannot tell about others.
fn callout() -> Callout {
    Arc::new(|_, address| {
        Box::pin(async move {
            match address.local() {
                "ann" => Standing::Known,
                "nobody" => Standing::Unknown("550 no".into()),
                _ => Standing::Unsure("no answer".into()),
            }
        })
    })
}

fn house(world: &World, check: Check, open_when_down: bool) -> House {
    let house = House::with(world, |deps| deps.callout = Some(callout()));
    let route = Route {
        pattern: "inner.test".into(),
        way: RouteWay::parse("hub.inner.test:25").unwrap(),
        gate: Some(Gate { check, open_when_down }),
        hours: None,
        until: None,
    };
    house.runtime.block_on(house.deps.directory.put_route(route)).unwrap();
    house
}

/// The codes of the replies to RCPT.
fn asked(peer: &mut Peer, recipients: &[&str]) -> Vec<String> {
    let reply = |name: &&str| peer.ask(&format!("RCPT TO:<{name}>"))[..9].to_owned();
    recipients.iter().map(reply).collect()
}

#[test]
fn the_server_behind_is_asked() {
    let world = World::embedded(SCHEMAS);
    let house = house(&world, Check::Callout, false);
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    assert!(peer.ask("MAIL FROM:<x@far.test>").starts_with("250"));
    let asked = asked(&mut peer, &["ann@inner.test", "nobody@inner.test", "maybe@inner.test", "ann@other.test"]);
    assert_eq!(asked, ["250 2.1.5", "550 5.1.1", "451 4.4.1", "550 5.7.1"]);
}

#[test]
fn a_gate_that_is_open_takes_what_nobody_can_tell_about() {
    let world = World::embedded(SCHEMAS);
    let house = house(&world, Check::Callout, true);
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    peer.ask("MAIL FROM:<x@far.test>");
    assert_eq!(asked(&mut peer, &["nobody@inner.test", "maybe@inner.test"]), ["550 5.1.1", "250 2.1.5"]);
}

#[test]
fn own_users_may_write_while_nobody_can_tell() {
    let world = World::embedded(SCHEMAS);
    let house = house(&world, Check::Callout, false);
    let mut peer = Peer::greeted(house.open(Service::Submission), "EHLO");
    assert!(peer.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3aWxkIGdvb3Nl").starts_with("235"));
    peer.ask("MAIL FROM:<ann@example.org>");
    assert_eq!(asked(&mut peer, &["nobody@inner.test", "maybe@inner.test"]), ["550 5.1.1", "250 2.1.5"]);
}

#[test]
fn the_list_knows() {
    let world = World::embedded(SCHEMAS);
    let house = house(&world, Check::List, false);
    let listed = anser_base::Address::parse("lee@inner.test").unwrap();
    house.runtime.block_on(house.deps.directory.list_elsewhere(vec![listed])).unwrap();
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    peer.ask("MAIL FROM:<x@far.test>");
    assert_eq!(asked(&mut peer, &["Lee+x@inner.test", "ann@inner.test"]), ["250 2.1.5", "550 5.1.1"]);
}
