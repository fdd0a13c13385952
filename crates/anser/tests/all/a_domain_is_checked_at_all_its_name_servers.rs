//! `anser domain dns --check`: every name server of the zone is asked, and what others may still remember is told.

use std::net::SocketAddr;

use anser_testkit::dns::{NameServer, Signing};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::world::{Dev, Place, done, run_in};

/// The zone of `dev`: three name servers, of which nobody listens at the third one's address.
fn zone(serial: u32, records: &str) -> String {
    format!(
        "@ 60 IN SOA ns. host. {serial} 3600 600 86400 60\n@ IN NS ns2\n@ IN NS ns3\nns2 IN A 127.0.0.2\nns3 IN A 127.0.0.3\n\
         mail IN A 127.0.0.1\n@ IN TXT \"v=spf1 mx -all\"\n{records}"
    )
}

struct World {
    runtime: Runtime,
    servers: [NameServer; 2],
}

impl World {
    fn new(first: &str, second: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let servers = runtime.block_on(async {
            let first = NameServer::start(&[("anser.test", Signing::Unsigned, first)]).await;
            let beside = SocketAddr::from(([127, 0, 0, 2], first.address.port()));
            [first, NameServer::start_at(beside, &[("anser.test", Signing::Unsigned, second)]).await]
        });
        Self { runtime, servers }
    }

    fn dev(&self, place: &Place) -> Dev {
        place.start_with(&["--dns", &self.servers[0].address.to_string()])
    }

    fn replace(&self, zone: &str) {
        let _inside = self.runtime.enter();
        self.servers.iter().for_each(|server| server.replace(&[("anser.test", Signing::Unsigned, zone)]));
    }
}

/// A zone that this network has of its own, and one that the world is sent to by the parent, which a third server has.
struct Split {
    _runtime: Runtime,
    inside: NameServer,
    _outside: [NameServer; 2],
}

impl Split {
    fn new(within: &str, without: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let (inside, outside) = runtime.block_on(async {
            let own = ("anser.test", Signing::Unsigned, within);
            let inside = NameServer::start(&[
                own,
                ("test", Signing::Unsigned, "@ IN NS tld\ntld IN A 127.0.0.3\npublic IN A 127.0.0.2\n"),
            ])
            .await;
            let at = |last| SocketAddr::from(([127, 0, 0, last], inside.address.port()));
            let world = NameServer::start_at(at(2), &[("anser.test", Signing::Unsigned, without)]).await;
            let referral = "anser IN NS public\npublic IN A 127.0.0.2\n";
            let parent = NameServer::start_at(at(3), &[("test", Signing::Unsigned, referral)]).await;
            (inside, [world, parent])
        });
        Self { _runtime: runtime, inside, _outside: outside }
    }
}

fn check(dev: &Dev) -> Vec<Value> {
    serde_json::from_str(&dev.ask(&["--json", "domain", "dns", "anser.test", "--check"])).unwrap()
}

fn row<'a>(rows: &'a [Value], kind: &str, name: &str) -> &'a Value {
    rows.iter().find(|row| row["kind"] == kind && row["name"] == name).unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn problem(row: &Value) -> &str {
    row["problem_en"].as_str().unwrap_or_default()
}

#[test]
fn servers_that_differ_are_silent_or_are_behind_are_named() {
    let world = World::new(&zone(7, "@ IN MX 10 mail\n"), &zone(5, "@ IN MX 10 old.test.\n"));
    let (place, zh) = (Place::new(), "zh_CN.UTF-8");
    let dev = world.dev(&place);
    let rows = check(&dev);
    let mx = row(&rows, "MX", "anser.test");
    assert_eq!(mx["state"], "differs", "{mx}");
    assert!(problem(mx).contains("ns: ok (10 mail.anser.test); ns2.anser.test: wrong (10 old.test)"), "{mx}");
    let spf = rows.iter().find(|row| row["value"].as_str().unwrap().starts_with("\"v=spf1")).unwrap();
    assert_eq!((&spf["state"], &spf["ttl"]), (&"ok".into(), &60.into()), "{spf}");
    assert_eq!(row(&rows, "TXT", "_dmarc.anser.test")["state"], "missing");
    let servers = row(&rows, "NS", "anser.test");
    assert_eq!(servers["state"], "wrong");
    let said = problem(servers);
    assert!(said.contains("ns3.anser.test: ") && said.contains("(ns 7, ns2.anser.test 5)"), "{said}");
    let text = done(run_in(zh, &dev.folder, &["domain", "dns", "anser.test", "--check"], b""));
    assert!(text.contains("各权威服务器的回答不一致") && text.contains("区版本不同"), "{text}");
}

#[test]
fn a_change_that_others_do_not_see_yet_is_waited_for() {
    let before = zone(1, "@ IN MX 10 old.test.\n");
    let world = World::new(&before, &before);
    let place = Place::new();
    let dev = world.dev(&place);
    assert_eq!(row(&check(&dev), "MX", "anser.test")["state"], "wrong");
    world.replace(&zone(2, "@ IN MX 10 mail\n"));
    let rows = check(&dev);
    let mx = row(&rows, "MX", "anser.test");
    assert_eq!(mx["state"], "waiting", "{mx}");
    assert!(mx["old"].as_u64().unwrap() <= 60 && problem(mx).contains("all name servers have it"), "{mx}");
}

#[test]
fn what_the_world_is_told_is_what_counts_where_this_network_has_a_dns_of_its_own() {
    let records = |more: &str| format!("mail IN A 127.0.0.1\n@ IN TXT \"v=spf1 mx -all\"\n{more}");
    let split = Split::new(&records("@ IN MX 10 mail\n"), &records("@ 90 IN MX 10 old.test.\n"));
    let place = Place::new();
    let dev = place.start_with(&["--dns", &split.inside.address.to_string()]);
    let rows = check(&dev);
    let mx = row(&rows, "MX", "anser.test");
    assert_eq!((&mx["state"], &mx["ttl"]), (&"wrong".into(), &90.into()), "{mx}");
    let said = problem(mx);
    assert!(said.contains("split horizon: in this network it is 10 mail.anser.test"), "{said}");
    assert!(said.contains("told 10 old.test by public.test; there no MX names mail.anser.test"), "{said}");
    let spf = rows.iter().find(|row| row["value"].as_str().unwrap().starts_with("\"v=spf1")).unwrap();
    assert_eq!(spf["state"], "ok", "what is the same is right: {spf}");
}

#[test]
fn names_that_lead_nowhere_or_that_a_wildcard_makes_are_told() {
    let wrong =
        "* IN A 127.0.0.9\nalias IN CNAME mail\n@ IN MX 10 mial\n@ IN MX 20 alias\n@ IN MX 30 gone.elsewhere.test.\n";
    let world = World::new(&zone(1, wrong), &zone(1, wrong));
    let place = Place::new();
    let dev = world.dev(&place);
    let rows = check(&dev);
    let said = problem(row(&rows, "MX", "anser.test")).to_owned();
    for words in [
        "no MX names mail.anser.test",
        "mial.anser.test is answered by the wildcard *.anser.test",
        "alias.anser.test is an alias (CNAME)",
        "gone.elsewhere.test has no address",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
