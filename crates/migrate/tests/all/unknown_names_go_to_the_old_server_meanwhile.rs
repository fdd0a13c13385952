//! ORG-2: while a move relays, a name that nobody here has is asked of the old server rather than refused, and no longer than that.

use std::time::Duration;

use anser_base::{Address, Clock, Timestamp};
use anser_directory::{Check, Gate, HopTls, NextHop, Resolution, Route, RouteWay};
use anser_migrate::{NewMailbox, Passing};

use crate::fake::{Fake, Habits, folder};
use crate::office::{MOVE, Office, each_office};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The route of a name that nobody here has.
async fn route(office: &Office) -> Option<Route> {
    let nobody = Address::parse("nobody@anser.test").unwrap();
    match office.directory.resolve(&nobody).await.unwrap() {
        Resolution::Elsewhere(route) => Some((*route).clone()),
        Resolution::NoSuchUser => None,
        other => panic!("{other:?}"),
    }
}

fn leads_to(route: &Option<Route>, port: u16) -> bool {
    let asks = |route: &Route| route.gate.is_some_and(|gate| gate.check == Check::Callout && gate.open_when_down);
    route.as_ref().is_some_and(|route| asks(route) && matches!(&route.way, RouteWay::Host(hop) if hop.port == port))
}

#[test]
fn names_that_only_the_old_server_has_are_asked_of_it_until_the_move_is_closed() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        assert_eq!(route(office).await, None);
        let pass = async |passing, relay: &str| {
            office.migrate.pass_through(MOVE, Some(passing), Some(relay.to_owned())).await.unwrap()
        };
        let view = pass(Passing::UntilCutover, "old.test:2525").await;
        assert_eq!(view.relayed.len(), 1, "it is told");
        assert!(leads_to(&route(office).await, 2525));
        pass(Passing::UntilCutover, "old.test:26").await;
        assert!(leads_to(&route(office).await, 26), "it follows the relay");
        // It ends by itself, unless somebody works on the move.
        clock.advance(DAY * 31);
        assert_eq!(route(office).await, None);
        office.migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        assert!(leads_to(&route(office).await, 26));
        office.close(MOVE).await;
        assert_eq!(route(office).await, None, "closed");
        office.migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        assert!(leads_to(&route(office).await, 26), "open again");
        assert!(pass(Passing::Off, "old.test:26").await.relayed.is_empty());
        assert_eq!(route(office).await, None, "nothing is relayed");
    });
}

#[test]
fn a_route_that_somebody_set_for_the_domain_stays() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let way = RouteWay::parse("gateway.test:25").unwrap();
        let own = Route { pattern: "anser.test".into(), way, gate: None, hours: None, until: None };
        office.directory.put_route(own.clone()).await.unwrap();
        let relay = Some("old.test:25".to_owned());
        let view = office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), relay).await.unwrap();
        assert!(view.relayed.is_empty());
        office.close(MOVE).await;
        assert_eq!(office.directory.route_of("anser.test").await.unwrap(), Some(own));
    });
}

#[test]
fn a_route_that_only_looks_like_one_of_a_move_stays_too() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let hop = NextHop { host: "old.test".into(), port: 25, tls: HopTls::Opportunistic, login: None };
        let gate = Some(Gate { check: Check::Callout, open_when_down: true });
        let until = Some(clock.now().after(DAY));
        let own = Route { pattern: "anser.test".into(), way: RouteWay::Host(hop), gate, hours: None, until };
        office.directory.put_route(own.clone()).await.unwrap();
        let relay = Some("old.test:25".to_owned());
        let view = office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), relay).await.unwrap();
        assert!(view.relayed.is_empty(), "{:?}", view.relayed);
        office.close(MOVE).await;
        assert_eq!(office.directory.route_of("anser.test").await.unwrap(), Some(own));
    });
}

#[test]
fn a_move_that_is_worked_on_relays_on_and_one_that_nobody_is_left_in_ends() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let relay = || Some("old.test:25".to_owned());
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), relay()).await.unwrap();
        // It is paused: nobody looks after it but who says something.
        office.migrate.pause(MOVE).await.unwrap();
        office.migrate.open_moves().await.unwrap();
        clock.advance(DAY * 20);
        office.migrate.open_moves().await.unwrap();
        clock.advance(DAY * 11);
        assert_eq!(route(office).await, None);
        assert!(office.migrate.move_view(MOVE).await.unwrap().relayed.is_empty(), "a route that is over is not told");
        office.migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        for _ in 0..3 {
            clock.advance(DAY * 20);
            office.migrate.start(MOVE, Vec::new()).await.unwrap();
            assert!(leads_to(&route(office).await, 25), "each verb renews it");
        }
        for _ in 0..3 {
            clock.advance(DAY * 20);
            office.migrate.open_moves().await.unwrap();
            assert!(leads_to(&route(office).await, 25), "so does a server while the move runs");
        }
        office.migrate.abandon(MOVE, Vec::new()).await.unwrap();
        assert_eq!(route(office).await, None);
    });
}

#[test]
fn a_route_that_two_moves_want_is_removed_by_the_last() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        office.person("bob", 0).await;
        office.migrate.plan("other", fake.source()).await.unwrap();
        let bob = NewMailbox { login: "bob".into(), password: None, address: "bob@anser.test".into() };
        office.migrate.add_mailboxes("other", None, vec![bob]).await.unwrap();
        for name in [MOVE, "other"] {
            let relay = Some("old.test:25".to_owned());
            let view = office.migrate.pass_through(name, Some(Passing::UntilCutover), relay).await.unwrap();
            assert_eq!(view.relayed.len(), 1, "{name}");
        }
        office.close(MOVE).await;
        assert!(leads_to(&route(office).await, 25), "the other one wants it");
        office.close("other").await;
        assert_eq!(route(office).await, None);
    });
}
