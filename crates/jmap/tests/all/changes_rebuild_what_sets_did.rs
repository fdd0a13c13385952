use std::collections::BTreeMap;

use anser_base::Durability;
use anser_db::Place;
use anser_directory::DEFAULT_TENANT;
use anser_store::Level;
use serde_json::{Value, json};

use super::node::Node;

/// A client that knows of a type what its `/changes` told.
pub struct Cache {
    pub kind: &'static str,
    pub state: String,
    pub objects: BTreeMap<String, Value>,
}

impl Cache {
    pub fn follow(&mut self, node: &Node, most: u64) {
        loop {
            let changes = node.call(
                "ann",
                &format!("{}/changes", self.kind),
                json!({"sinceState": self.state, "maxChanges": most}),
            );
            let ids = |name: &str| changes[name].as_array().unwrap_or_else(|| panic!("{changes}")).clone();
            assert!(ids("created").len() + ids("updated").len() + ids("destroyed").len() <= most as usize);
            ids("destroyed").iter().for_each(|id| drop(self.objects.remove(id.as_str().unwrap())));
            let wanted = [ids("created"), ids("updated")].concat();
            let got = node.call("ann", &format!("{}/get", self.kind), json!({"ids": wanted}));
            for object in got["list"].as_array().unwrap() {
                self.objects.insert(object["id"].as_str().unwrap().to_owned(), object.clone());
            }
            // What went meanwhile is told by what follows.
            got["notFound"].as_array().unwrap().iter().for_each(|id| drop(self.objects.remove(id.as_str().unwrap())));
            self.state = changes["newState"].as_str().unwrap().to_owned();
            if changes["hasMoreChanges"] == false {
                return;
            }
        }
    }
}

/// A list that knows of a query what its `/queryChanges` told.
pub struct Shown {
    kind: &'static str,
    pub arguments: Value,
    state: Value,
    pub ids: Vec<Value>,
}

impl Shown {
    pub fn of(node: &Node, kind: &'static str, arguments: Value) -> Self {
        let answer = node.call("ann", &format!("{kind}/query"), arguments.clone());
        let ids = answer["ids"].as_array().unwrap_or_else(|| panic!("{kind} {arguments}: {answer}")).clone();
        Self { kind, arguments, state: answer["queryState"].clone(), ids }
    }

    /// The same question asked anew.
    pub fn anew(&self, node: &Node) -> Self {
        Self::of(node, self.kind, self.arguments.clone())
    }

    pub fn follow(&mut self, node: &Node) {
        let mut asked = self.arguments.clone();
        asked["sinceQueryState"] = self.state.clone();
        let changes = node.call("ann", &format!("{}/queryChanges", self.kind), asked);
        let removed = changes["removed"].as_array().unwrap_or_else(|| panic!("{changes}"));
        self.ids.retain(|id| !removed.contains(id));
        for added in changes["added"].as_array().unwrap() {
            self.ids.insert(added["index"].as_u64().unwrap() as usize, added["id"].clone());
        }
        self.state = changes["newQueryState"].clone();
    }
}

fn all(node: &Node, kind: &str) -> BTreeMap<String, Value> {
    let ids = match kind {
        "Mailbox" => Value::Null,
        _ => node.call("ann", "Email/query", json!({}))["ids"].take(),
    };
    let ids = match kind {
        "Thread" => {
            let got = node.call("ann", "Email/get", json!({"ids": ids, "properties": ["threadId"]}));
            got["list"].as_array().unwrap().iter().map(|email| email["threadId"].clone()).collect()
        }
        _ => ids,
    };
    let got = node.call("ann", &format!("{kind}/get"), json!({"ids": ids}));
    got["list"].as_array().unwrap().iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one.clone())).collect()
}

/// Any sequence of set calls, followed by `/changes` and `/queryChanges`, leads to what there is.
#[test]
fn whoever_follows_the_changes_knows_what_there_is() {
    Node::on_each_engine(|node| follow(node, 1));
    for seed in 2..=3 {
        follow(&Node::start(), seed);
    }
}

fn follow(node: &Node, seed: u64) {
    let state = node.call("ann", "Mailbox/get", json!({"ids": []}))["state"].as_str().unwrap().to_owned();
    let cache = |kind| Cache { kind, state: state.clone(), objects: all(node, kind) };
    let mut caches = ["Mailbox", "Email", "Thread"].map(cache);
    let inbox = node.role("ann", "inbox");
    let mut lists = [
        json!({"collapseThreads": true}),
        json!({"filter": {"inMailbox": inbox}, "sort": [{"property": "receivedAt"}]}),
        json!({"filter": {"notKeyword": "$seen"}}),
        pinned("receivedAt", true),
        pinned("size", false),
        json!({"filter": {"someInThreadHaveKeyword": "$flagged"}, "collapseThreads": true}),
    ]
    .map(|arguments| Shown::of(node, "Email", arguments));
    let mut trees = [
        json!({}),
        json!({"sort": [{"property": "name", "isAscending": false}]}),
        json!({"filter": {"hasAnyRole": false}, "sort": [{"property": "sortOrder"}, {"property": "name"}]}),
    ]
    .map(|arguments| Shown::of(node, "Mailbox", arguments));
    let mut dice = seed;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for round in 0..40 {
        act(node, &mut roll, round);
        if roll(3) > 0 {
            continue;
        }
        for cache in &mut caches {
            cache.follow(node, 1 + roll(6));
            assert_eq!(cache.objects, all(node, cache.kind), "{} with seed {seed} in round {round}", cache.kind);
        }
        for list in &mut lists {
            list.follow(node);
            assert_eq!(list.ids, list.anew(node).ids, "{} with seed {seed} in round {round}", list.arguments);
            let anew = Shown::of(node, "Email", anew(&list.arguments));
            assert_eq!(list.ids, anew.ids, "{} anew with seed {seed} in round {round}", list.arguments);
        }
        for tree in &mut trees {
            tree.follow(node);
            assert_eq!(tree.ids, tree.anew(node).ids, "{} with seed {seed} in round {round}", tree.arguments);
        }
    }
}

/// The same order said in a way of which nothing is remembered.
fn anew(arguments: &Value) -> Value {
    let newest = json!({"property": "receivedAt", "isAscending": false});
    let mut by = arguments.get("sort").and_then(Value::as_array).cloned().unwrap_or(vec![newest]);
    by.push(by[by.len() - 1].clone());
    let mut arguments = arguments.clone();
    arguments["sort"] = by.into();
    arguments
}

/// What has a keyword before or behind all else, which is by one property.
fn pinned(property: &str, collapse: bool) -> Value {
    let by = [
        json!({"property": "hasKeyword", "keyword": "$flagged", "isAscending": collapse}),
        json!({"property": property}),
    ];
    json!({"collapseThreads": collapse, "sort": by})
}

fn act(node: &Node, roll: &mut impl FnMut(u64) -> u64, round: u64) {
    let emails = node.call("ann", "Email/query", json!({}))["ids"].as_array().unwrap().clone();
    let mailboxes = node.call("ann", "Mailbox/query", json!({}))["ids"].as_array().unwrap().clone();
    let mailbox = mailboxes[roll(mailboxes.len() as u64) as usize].as_str().unwrap().to_owned();
    let email = emails.get(roll(emails.len().max(1) as u64) as usize).and_then(Value::as_str).map(str::to_owned);
    let set = |kind: &str, arguments: Value| node.call("ann", &format!("{kind}/set"), arguments);
    match (roll(8), email) {
        (0 | 1, _) | (_, None) => {
            let (own, of) = (round, roll(round + 1));
            let object = json!({"mailboxIds": {mailbox: true}, "messageId": [format!("{own}@x")], "subject": "s",
                "references": [format!("{of}@x")]});
            set("Email", json!({"create": {"a": object}}))
        }
        (2, Some(email)) => set("Email", json!({"update": {email: {"keywords/$seen": true}}})),
        (3, Some(email)) => set("Email", json!({"update": {email: {"keywords": {"$flagged": true}}}})),
        (4, Some(email)) => set("Email", json!({"update": {email: {format!("mailboxIds/{mailbox}"): true}}})),
        (5, Some(email)) => set("Email", json!({"update": {email: {"mailboxIds": {mailbox: true}}}})),
        (6, Some(email)) => set("Email", json!({"destroy": [email]})),
        (_, Some(_)) => match roll(2) {
            0 => set("Mailbox", json!({"create": {"a": {"name": format!("m{round}"), "parentId": mailbox}}})),
            _ => set("Mailbox", json!({"destroy": [mailbox], "onDestroyRemoveEmails": true})),
        },
    };
}

/// What `check` mends stands in no change log.
#[test]
fn after_an_account_was_mended_its_clients_start_anew() {
    let node = Node::start();
    let state = node.call("ann", "Mailbox/get", json!({"ids": []}))["state"].clone();
    let query = node.call("ann", "Email/query", json!({}))["queryState"].clone();
    let account = node.account("ann");
    let spoil = |tx: &mut anser_db::Tx<'_>| tx.execute("UPDATE mailbox SET total = 5", &[]).map(drop);
    let written = node.store.db().write(Place::Account(account), Durability::Sync, spoil);
    node.door.runtime.block_on(written).unwrap();
    assert!(node.store.check(account, DEFAULT_TENANT, Level::Quick, true, &mut |_| ()).unwrap().repaired);
    for kind in ["Mailbox", "Thread", "Email"] {
        let changes = node.call("ann", &format!("{kind}/changes"), json!({"sinceState": state}));
        assert_eq!(changes, "cannotCalculateChanges", "{kind}");
    }
    let changes = node.call("ann", "Email/queryChanges", json!({"sinceQueryState": query}));
    assert_eq!(changes, "cannotCalculateChanges");
    assert_eq!(node.call("ann", "Mailbox/set", json!({"ifInState": state})), "stateMismatch");
}
