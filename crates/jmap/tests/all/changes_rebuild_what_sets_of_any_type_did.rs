//! Any sequence of `/set` calls, followed by `/changes` and `/queryChanges`, leads to what there is: one model, types as data.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::changes_rebuild_what_sets_did::Cache;
use super::node::Node;

/// What a type's objects are made of.
struct Kind {
    name: &'static str,
    create: fn(&World, u64) -> Value,
    update: fn(u64) -> Value,
    /// More arguments of a `/set` that destroys.
    destroy: &'static str,
    has_query: bool,
}

/// What objects refer to.
struct World {
    node: Node,
    emails: Vec<String>,
    identity: Value,
    book: String,
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "Identity",
        create: |_, at| json!({ "email": "ann@anser.test", "name": format!("n{at}") }),
        update: |at| json!({ "name": format!("m{at}") }),
        destroy: "{}",
        has_query: false,
    },
    Kind {
        name: "EmailSubmission",
        create: |world, at| {
            let from = json!({ "email": "ann@anser.test", "parameters": { "HOLDFOR": (60 + at).to_string() } });
            json!({ "identityId": world.identity, "emailId": world.emails[at as usize % world.emails.len()],
                "envelope": { "mailFrom": from, "rcptTo": [{ "email": "bob@anser.test" }] } })
        },
        update: |_| json!({ "undoStatus": "canceled" }),
        destroy: "{}",
        has_query: true,
    },
    Kind {
        name: "AddressBook",
        create: |_, at| json!({ "name": format!("b{at}") }),
        update: |at| json!({ "name": format!("c{at}"), "sortOrder": at }),
        destroy: r#"{ "onDestroyRemoveContents": true }"#,
        has_query: false,
    },
    Kind {
        name: "ContactCard",
        create: |world, at| {
            json!({ "addressBookIds": { world.book.clone(): true }, "@type": "Card", "version": "1.0",
                "uid": format!("u{}", at % 9), "name": { "full": format!("Card {at}") } })
        },
        update: |at| json!({ "name": { "full": format!("Name {at}") } }),
        destroy: "{}",
        has_query: true,
    },
    Kind {
        name: "Document",
        create: |_, at| json!({ "key": format!("k/{}", at % 9), "value": { "a": at } }),
        update: |at| json!({ "value/a": at + 100 }),
        destroy: "{}",
        has_query: false,
    },
    Kind {
        name: "Note",
        create: |world, at| json!({ "emailId": world.emails[at as usize % world.emails.len()], "text": format!("t{at}") }),
        update: |at| json!({ "text": format!("changed {at}"), "due": "2027-02-01T00:00:00Z" }),
        destroy: "{}",
        has_query: false,
    },
];

fn all(node: &Node, kind: &str) -> BTreeMap<String, Value> {
    let got = node.call("ann", &format!("{kind}/get"), json!({ "ids": null }));
    let list = got["list"].as_array().unwrap_or_else(|| panic!("{kind}: {got}"));
    list.iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one.clone())).collect()
}

/// What a query found, and what `/queryChanges` makes of it.
struct Shown {
    state: Value,
    ids: Vec<Value>,
}

impl Shown {
    fn of(node: &Node, kind: &str) -> Self {
        let answer = node.call("ann", &format!("{kind}/query"), json!({}));
        Self {
            state: answer["queryState"].clone(),
            ids: answer["ids"].as_array().unwrap_or_else(|| panic!("{answer}")).clone(),
        }
    }

    fn follow(&mut self, node: &Node, kind: &str) {
        let changes = node.call("ann", &format!("{kind}/queryChanges"), json!({ "sinceQueryState": self.state }));
        let removed = changes["removed"].as_array().unwrap_or_else(|| panic!("{changes}"));
        self.ids.retain(|id| !removed.contains(id));
        for added in changes["added"].as_array().unwrap() {
            self.ids.insert(added["index"].as_u64().unwrap() as usize, added["id"].clone());
        }
        self.state = changes["newQueryState"].clone();
    }
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
    let mut shown = kind.has_query.then(|| Shown::of(node, name));
    let mut dice = seed;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut done = BTreeMap::new();
    for round in 0..40 {
        let ids: Vec<String> = all(node, name).into_keys().collect();
        let known = ids.get(roll(ids.len().max(1) as u64) as usize).cloned();
        let arguments = match (roll(5), known) {
            (0 | 1, _) | (_, None) => json!({ "create": { "a": (kind.create)(world, round) } }),
            (2 | 3, Some(id)) => json!({ "update": { id: (kind.update)(round) } }),
            (_, Some(id)) => {
                let mut arguments: Value = serde_json::from_str(kind.destroy).unwrap();
                arguments["destroy"] = json!([id]);
                arguments
            }
        };
        let told = node.call("ann", &format!("{name}/set"), arguments);
        for list in ["created", "updated", "destroyed"] {
            *done.entry(list).or_insert(0) += u32::from(!told[list].is_null());
        }
        if roll(3) > 0 {
            continue;
        }
        cache.follow(node, 1 + roll(4));
        assert_eq!(cache.objects, all(node, name), "{name} with seed {seed} in round {round}");
        if let Some(shown) = &mut shown {
            shown.follow(node, name);
            assert_eq!(shown.ids, Shown::of(node, name).ids, "{name} with seed {seed} in round {round}");
        }
    }
    assert!(done.values().all(|count| *count > 0), "{name} with seed {seed} did not do it all: {done:?}");
}
