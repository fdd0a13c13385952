//! Routes: whose mailbox is elsewhere, and which of several routes counts.

use std::time::Duration;

use anser_base::Class;
use anser_directory::{AliasTarget, Check, Directory, Gate, NewDomain, Resolution, Route, RouteWay};

use crate::site::{address, each_site};

fn to(pattern: &str, way: &str) -> Route {
    Route { pattern: pattern.into(), way: RouteWay::parse(way).unwrap(), gate: None, hours: None, until: None }
}

fn gate(check: Check) -> Option<Gate> {
    Some(Gate { check, open_when_down: false })
}

/// Where mail goes, in words.
async fn way(directory: &Directory, text: &str) -> String {
    match directory.resolve(&address(text)).await.unwrap() {
        Resolution::Account(account) => format!("into {}", account.address),
        Resolution::Elsewhere(route) => format!("taken, by {} to {}", route.pattern, route.way),
        Resolution::NoSuchUser => "nobody".into(),
        Resolution::NotLocal => match directory.route(&address(text)).await.unwrap() {
            Some(route) => format!("by {} to {}", route.pattern, route.way),
            None => "the usual way".into(),
        },
        Resolution::Group(group) => {
            let inside = group.accounts.iter().map(|account| account.address.to_string());
            let outside = group.outside.iter().map(|outside| format!("on to {outside}"));
            inside.chain(outside).collect::<Vec<_>>().join(", ")
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn the_most_particular_route_counts() {
    each_site(|site| async move {
        let directory = &site.directory;
        for (pattern, server) in
            [("*", "all:25"), ("*.far.test", "below:25"), ("Far.Test", "domain:25"), ("x@far.test", "person:587")]
        {
            directory.put_route(to(pattern, server)).await.unwrap();
        }
        for (recipient, expected) in [
            ("x@far.test", "by x@far.test to person:587"),
            ("X+tag@FAR.test", "by x@far.test to person:587"),
            ("y@far.test", "by far.test to domain:25"),
            ("y@a.b.far.test", "by *.far.test to below:25"),
            ("y@notfar.test", "by * to all:25"),
            ("ann@anser.test", "into ann@anser.test"),
        ] {
            assert_eq!(way(directory, recipient).await, expected);
        }
        directory.remove_route("*").await.unwrap();
        assert_eq!(way(directory, "y@notfar.test").await, "the usual way");
        assert_eq!(directory.remove_route("*").await.unwrap_err().class, Class::NotFound);
        assert_eq!(directory.routes(None).await.unwrap().len(), 3);
    });
}

#[test]
fn who_has_a_route_has_no_mailbox_here_whatever_the_way_to_him() {
    each_site(|site| async move {
        let directory = &site.directory;
        let old = to("ann@anser.test", "old.test:25");
        let until = site.clock.now().after(Duration::from_secs(60));
        let ann = site.account("ann@anser.test").await.id;
        directory.add_alias(&address("anna@anser.test"), AliasTarget::Account(ann)).await.unwrap();
        let group = directory.add_group(&address("all@anser.test"), "").await.unwrap();
        let members = ["ann@anser.test", "bob@anser.test"].map(address);
        directory.add_members(group, members.to_vec()).await.unwrap();
        directory.put_route(Route { until: Some(until), ..old }).await.unwrap();
        for text in ["ann@anser.test", "anna@anser.test", "ann+tag@anser.test"] {
            assert_eq!(way(directory, text).await, "taken, by ann@anser.test to old.test:25", "{text}");
        }
        assert_eq!(way(directory, "all@anser.test").await, "bob@anser.test, on to ann@anser.test");
        assert!(directory.may_send_as(ann, &address("anna@anser.test")).await.unwrap(), "she may still write");
        site.clock.advance(Duration::from_secs(60));
        assert_eq!(way(directory, "anna@anser.test").await, "into ann@anser.test");
    });
}

#[test]
fn a_gate_takes_the_mail_of_a_domain_for_another_server() {
    each_site(|site| async move {
        let directory = &site.directory;
        // A domain of ours whose people move in one by one.
        let until = Some(site.clock.now().after(Duration::from_secs(3600)));
        directory
            .put_route(Route { gate: gate(Check::Callout), until, ..to("anser.test", "old.test:25") })
            .await
            .unwrap();
        assert_eq!(way(directory, "bob@anser.test").await, "into bob@anser.test");
        assert_eq!(way(directory, "zoe@anser.test").await, "taken, by anser.test to old.test:25");
        site.clock.advance(Duration::from_secs(3600));
        assert_eq!(way(directory, "zoe@anser.test").await, "nobody");
        // A domain that is not ours.
        directory.put_route(Route { gate: gate(Check::List), ..to("inner.test", "[192.0.2.9]:25") }).await.unwrap();
        assert_eq!(way(directory, "x@inner.test").await, "taken, by inner.test to 192.0.2.9:25");
        assert_eq!(way(directory, "x@outer.test").await, "the usual way");
        assert!(directory.is_local_domain("inner.test").await.unwrap());
        let listed = [address("X@Inner.test"), address("y@inner.test")];
        assert_eq!(directory.list_elsewhere(listed.to_vec()).await.unwrap(), 2);
        assert_eq!(directory.list_elsewhere(listed[..1].to_vec()).await.unwrap(), 0);
        assert!(directory.is_listed_elsewhere(&address("x+tag@inner.test")).await.unwrap());
        assert!(!directory.is_listed_elsewhere(&address("z@inner.test")).await.unwrap());
        assert_eq!(directory.unlist_elsewhere(listed[..1].to_vec()).await.unwrap(), 1);
        assert_eq!(directory.listed_elsewhere("INNER.test", None).await.unwrap(), ["y@inner.test"]);
    });
}

#[test]
fn routes_that_would_open_the_house_or_lead_back_to_it_are_refused() {
    each_site(|site| async move {
        let directory = &site.directory;
        directory.add_domain(NewDomain::new("else.test")).await.unwrap();
        for bad in [
            Route { gate: gate(Check::All), ..to("*", "x.test:25") },
            Route { gate: gate(Check::List), ..to("a@else.test", "x.test:25") },
            Route { gate: gate(Check::Callout), ..to("else.test", "mx") },
            to("else.test", "Mail.Anser.Test:25"),
            to("no domain", "x.test:25"),
        ] {
            let pattern = bad.pattern.clone();
            assert_eq!(directory.put_route(bad).await.unwrap_err().class, Class::Invalid, "{pattern}");
        }
        for bad in ["", "x", "x:", ":25", "x:0", "x:70000", "a b:25"] {
            assert!(RouteWay::parse(bad).is_none(), "{bad}");
        }
    });
}
