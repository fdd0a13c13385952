//! Any sequence of `/set` calls, followed by `/changes` and `/queryChanges`, leads to what there is: one model, types as data.

use std::collections::BTreeMap;

use anser_store::{Rights, ShareNotice};
use anser_testkit::door::NOW;
use serde_json::{Value, json};

use super::changes_rebuild_what_sets_did::{Cache, Shown};
use super::node::Node;

/// A type, and how its objects become others.
struct Kind {
    name: &'static str,
    way: Way,
    /// Questions whose answers are followed.
    queries: &'static [&'static str],
    /// Changes that are told in one piece: there is nothing between two states.
    least: u64,
}

enum Way {
    /// Its `/set` makes, changes and removes them; with more arguments where it removes.
    Set { create: fn(&World, u64) -> Value, update: fn(u64) -> Value, destroy: &'static str },
    /// Something else does, of which each act is done in its turn; of an object that there is.
    Acts(&'static [fn(&World, u64, Option<&str>)]),
}

/// What objects refer to.
struct World {
    node: Node,
    emails: Vec<String>,
    identity: Value,
    book: String,
}

const KINDS: [Kind; 10] = [
    Kind {
        name: "Identity",
        way: Way::Set {
            create: |_, at| json!({ "email": "ann@anser.test", "name": format!("n{at}") }),
            update: |at| json!({ "name": format!("m{at}") }),
            destroy: "{}",
        },
        queries: &[],
        least: 0,
    },
    Kind {
        name: "EmailSubmission",
        way: Way::Set {
            create: |world, at| {
                let from = json!({ "email": "ann@anser.test", "parameters": { "HOLDFOR": (60 + at).to_string() } });
                json!({ "identityId": world.identity, "emailId": world.emails[at as usize % world.emails.len()],
                "envelope": { "mailFrom": from, "rcptTo": [{ "email": "bob@anser.test" }] } })
            },
            update: |_| json!({ "undoStatus": "canceled" }),
            destroy: "{}",
        },
        queries: &[
            "{}",
            r#"{ "filter": { "undoStatus": "pending" } }"#,
            r#"{ "sort": [{ "property": "sentAt", "isAscending": false }, { "property": "emailId" }] }"#,
        ],
        least: 0,
    },
    Kind {
        name: "AddressBook",
        way: Way::Set {
            create: |_, at| json!({ "name": format!("b{at}") }),
            update: |at| json!({ "name": format!("c{at}"), "sortOrder": at }),
            destroy: r#"{ "onDestroyRemoveContents": true }"#,
        },
        queries: &[],
        least: 0,
    },
    Kind {
        name: "ContactCard",
        way: Way::Set {
            create: |world, at| {
                json!({ "addressBookIds": { world.book.clone(): true }, "@type": "Card", "version": "1.0",
                "uid": format!("u{}", at % 9), "name": { "full": format!("Card {at}") } })
            },
            update: |at| json!({ "name": { "full": format!("Name {at}") } }),
            destroy: "{}",
        },
        queries: &[
            "{}",
            r#"{ "filter": { "name": "Name" } }"#,
            r#"{ "filter": { "operator": "NOT", "conditions": [{ "name": "1" }] }, "sort": [{ "property": "name/given", "isAscending": false }] }"#,
        ],
        least: 0,
    },
    Kind {
        name: "Document",
        way: Way::Set {
            create: |_, at| json!({ "key": format!("k/{}", at % 9), "value": { "a": at } }),
            update: |at| json!({ "value/a": at + 100 }),
            destroy: "{}",
        },
        queries: &[],
        least: 0,
    },
    Kind {
        name: "Note",
        way: Way::Set {
            create: |world, at| json!({ "emailId": world.emails[at as usize % world.emails.len()], "text": format!("t{at}") }),
            update: |at| json!({ "text": format!("changed {at}"), "due": "2027-02-01T00:00:00Z" }),
            destroy: "{}",
        },
        queries: &[],
        least: 0,
    },
    Kind {
        name: "ShareNotification",
        way: Way::Acts(&[give, give, dismiss]),
        queries: &[
            "{}",
            r#"{ "sort": [{ "property": "created", "isAscending": false }] }"#,
            r#"{ "filter": { "after": "2027-01-15T08:00:10Z" } }"#,
        ],
        least: 0,
    },
    Kind { name: "Recall", way: Way::Acts(&[recall, recall, forget]), queries: &[], least: 0 },
    Kind { name: "Quota", way: Way::Acts(&[mail, limit, mail, unlimit]), queries: &[], least: 0 },
    Kind { name: "Principal", way: Way::Acts(&[rename, suspend, restore]), queries: &[], least: 9 },
];

/// Bob gives Ann something.
fn give(world: &World, at: u64, _: Option<&str>) {
    let bob = world.node.account("bob");
    let notice = ShareNotice {
        at: anser_base::Timestamp(NOW.0 + at as i64 * 1000),
        by: bob,
        by_name: "Bob".into(),
        by_email: "bob@anser.test".into(),
        owner: bob,
        mailbox: anser_base::MailboxId(at),
        name: format!("m{at}"),
        old: Rights::NONE,
        new: Rights::READ,
    };
    world.node.write("ann", move |tx| tx.add_share_notice(&notice));
}

fn destroyed(world: &World, kind: &str, known: Option<&str>) {
    let Some(id) = known else { return };
    let gone = world.node.call("ann", &format!("{kind}/set"), json!({ "destroy": [id] }));
    assert_eq!(gone["destroyed"], json!([id]), "{gone}");
}

fn dismiss(world: &World, _: u64, known: Option<&str>) {
    destroyed(world, "ShareNotification", known);
}

/// Ann sends something and takes it back.
fn recall(world: &World, at: u64, _: Option<&str>) {
    let email = &world.emails[at as usize % world.emails.len()];
    let sent = world.node.call(
        "ann",
        "EmailSubmission/set",
        json!({ "create": { "s": { "identityId": world.identity, "emailId": email } } }),
    );
    let id = &sent["created"]["s"]["id"];
    let made = world.node.call("ann", "Recall/set", json!({ "create": { "r": { "emailSubmissionId": id } } }));
    assert!(made["created"].is_object(), "{sent} {made}");
}

fn forget(world: &World, _: u64, known: Option<&str>) {
    destroyed(world, "Recall", known);
}

fn mail(world: &World, at: u64, _: Option<&str>) {
    world.node.deliver("ann", &format!("Subject: s{at}\n\nx\n"), at as i64);
}

fn set_limit(world: &World, bytes: u64) {
    let (directory, ann) = (&world.node.door.directory, world.node.account("ann"));
    world.node.door.runtime.block_on(directory.set_quota(ann, bytes)).unwrap();
}

fn limit(world: &World, at: u64, _: Option<&str>) {
    set_limit(world, 1_000_000 + at);
}

fn unlimit(world: &World, _: u64, _: Option<&str>) {
    set_limit(world, 0);
}

fn rename(world: &World, at: u64, _: Option<&str>) {
    let (directory, chen) = (&world.node.door.directory, world.node.account("chen"));
    world.node.door.runtime.block_on(directory.set_name(chen, &format!("Chen {at}"))).unwrap();
    world.node.store.clock().advance(anser_directory::PEOPLE_AGE);
}

fn suspend(world: &World, _: u64, _: Option<&str>) {
    let (directory, bob) = (&world.node.door.directory, world.node.account("bob"));
    world.node.door.runtime.block_on(directory.suspend(bob)).unwrap();
    world.node.store.clock().advance(anser_directory::PEOPLE_AGE);
}

fn restore(world: &World, _: u64, _: Option<&str>) {
    let (directory, bob) = (&world.node.door.directory, world.node.account("bob"));
    world.node.door.runtime.block_on(directory.restore(bob)).unwrap();
    world.node.store.clock().advance(anser_directory::PEOPLE_AGE);
}

fn all(node: &Node, kind: &str) -> BTreeMap<String, Value> {
    let got = node.call("ann", &format!("{kind}/get"), json!({ "ids": null }));
    let list = got["list"].as_array().unwrap_or_else(|| panic!("{kind}: {got}"));
    list.iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one.clone())).collect()
}

fn world() -> World {
    let node = Node::start();
    let letter =
        |at: i64| format!("From: ann@anser.test\nTo: bob@anser.test\nSubject: s{at}\nMessage-ID: <{at}@x>\n\nx\n");
    let emails = (0..6).map(|at| format!("M{}", node.deliver("ann", &letter(at), at).message)).collect();
    let identity = node.call("ann", "Identity/get", json!({}))["list"][0]["id"].take();
    let book = node.call("ann", "AddressBook/get", json!({}))["list"][0]["id"].as_str().unwrap().to_owned();
    World { node, emails, identity, book }
}

#[test]
fn whoever_follows_a_type_knows_its_objects() {
    for kind in &KINDS {
        for seed in 1..=2 {
            follow(&world(), kind, seed);
        }
    }
}

fn follow(world: &World, kind: &Kind, seed: u64) {
    let (node, name) = (&world.node, kind.name);
    let begun = all(node, name);
    let state = node.call("ann", &format!("{name}/get"), json!({ "ids": [] }))["state"].as_str().unwrap().to_owned();
    let mut cache = Cache { kind: name, state, objects: begun };
    let asked = kind.queries.iter().map(|arguments| Shown::of(node, name, serde_json::from_str(arguments).unwrap()));
    let mut shown: Vec<Shown> = asked.collect();
    let mut dice = seed;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut done = BTreeMap::new();
    for round in 0..40 {
        let ids: Vec<String> = all(node, name).into_keys().collect();
        let known = ids.get(roll(ids.len().max(1) as u64) as usize).cloned();
        let dice = roll(60);
        match &kind.way {
            Way::Acts(acts) => {
                let at = dice as usize % acts.len();
                acts[at](world, round, known.as_deref());
                *done.entry(at).or_insert(0) += 1;
            }
            Way::Set { create, update, destroy } => {
                let arguments = match (dice % 5, known) {
                    (0 | 1, _) | (_, None) => json!({ "create": { "a": create(world, round) } }),
                    (2 | 3, Some(id)) => json!({ "update": { id: update(round) } }),
                    (_, Some(id)) => {
                        let mut arguments: Value = serde_json::from_str(destroy).unwrap();
                        arguments["destroy"] = json!([id]);
                        arguments
                    }
                };
                let told = node.call("ann", &format!("{name}/set"), arguments);
                for (at, list) in ["created", "updated", "destroyed"].into_iter().enumerate() {
                    *done.entry(at).or_insert(0) += u32::from(!told[list].is_null());
                }
            }
        }
        if roll(3) > 0 {
            continue;
        }
        cache.follow(node, 1 + roll(4) + kind.least);
        assert_eq!(cache.objects, all(node, name), "{name} with seed {seed} in round {round}");
        for one in &mut shown {
            one.follow(node);
            assert_eq!(one.ids, one.anew(node).ids, "{name} {} with seed {seed} in round {round}", one.arguments);
        }
    }
    assert!(done.values().all(|count| *count > 0), "{name} with seed {seed} did not do it all: {done:?}");
}

/// No type is forgotten: each that has `/changes` is followed here, or with the mail that it is made of.
#[test]
fn every_type_that_tells_changes_is_followed() {
    let page = include_str!("../../../../docs/api/methods.md");
    let names = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let with = |verb: &'static str| names.clone().filter_map(move |name| name.strip_suffix(verb));
    let of_mail = ["Mailbox", "Thread", "Email"];
    for kind in with("/changes") {
        assert!(of_mail.contains(&kind) || KINDS.iter().any(|known| known.name == kind), "{kind}");
    }
    // Those that ask anew say so.
    for kind in with("/queryChanges").filter(|kind| !of_mail.contains(kind)) {
        let known = KINDS.iter().find(|known| known.name == kind).unwrap();
        assert_eq!(known.queries.is_empty(), ["Quota", "Principal"].contains(&kind), "{kind}");
    }
}
