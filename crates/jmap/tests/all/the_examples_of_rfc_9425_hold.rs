//! The dialogues of RFC 9425.

use serde_json::json;

use super::changes_are_pushed_as_they_happen::Events;
use super::dialogue::{refers, says};
use super::node::Node;

fn limited() -> Node {
    let node = Node::start();
    node.door.runtime.block_on(node.door.directory.set_quota(node.account("ann"), 2_000)).unwrap();
    node
}

/// §5.1.
#[test]
fn all_quotas_are_fetched() {
    let node = limited();
    let answers = node.dialogue("ann", json!([["Quota/get", { "ids": null }, "0"]]));
    says(
        &answers,
        json!([["Quota/get", { "accountId": node.id("ann"), "list": [{ "resourceType": "octets", "used": 0, "warnLimit": 1_800,
            "softLimit": null, "hardLimit": 2_000, "scope": "account", "name": "ann@anser.test", "description": null,
            "types": ["Email"] }], "notFound": [] }, "0"]]),
    );
}

/// §5.2: of what changed only that is fetched which did; where the limit is another one, all of it.
#[test]
fn of_a_quota_that_changed_is_fetched_what_did() {
    let node = limited();
    let state = node.call("ann", "Quota/get", json!({}))["state"].take();
    let follow = |since: &serde_json::Value| {
        node.dialogue(
            "ann",
            json!([
                ["Quota/changes", { "sinceState": since, "maxChanges": 20 }, "0"],
                ["Quota/get", { "#ids": refers("0", "Quota/changes", "/updated"),
                    "#properties": refers("0", "Quota/changes", "/updatedProperties") }, "1"],
            ]),
        )
    };
    let mut events = Events::open(&node, "ann", "types=Quota", None);
    node.deliver("ann", "Subject: x\n\n12345\n", 0);
    let (_, _, told) = events.next().unwrap();
    assert!(told["changed"][node.id("ann")]["Quota"].is_string(), "{told}");
    let answers = follow(&state);
    says(
        &answers,
        json!([
            ["Quota/changes", { "oldState": state, "hasMoreChanges": false, "updatedProperties": ["used"],
                "created": [], "updated": ["octets"], "destroyed": [] }, "0"],
            ["Quota/get", { "list": [{ "id": "octets", "used": 21 }], "notFound": [] }, "1"],
        ]),
    );
    assert_eq!(answers[1][1]["list"][0].as_object().unwrap().len(), 2, "nothing else");
    let state = &answers[0][1]["newState"];
    says(
        &follow(state),
        json!([["Quota/changes", { "updated": [], "updatedProperties": null }, "0"], ["Quota/get", { "list": [] }, "1"]]),
    );
    let limit =
        |bytes: u64| node.door.runtime.block_on(node.door.directory.set_quota(node.account("ann"), bytes)).unwrap();
    limit(3_000);
    let answers = follow(state);
    says(
        &answers,
        json!([
            ["Quota/changes", { "updated": ["octets"], "updatedProperties": null }, "0"],
            ["Quota/get", { "list": [{ "id": "octets", "hardLimit": 3_000, "used": 21 }] }, "1"],
        ]),
    );
    let state = &answers[0][1]["newState"];
    limit(0);
    let answers = follow(state);
    says(&answers[..1], json!([["Quota/changes", { "created": [], "updated": [], "destroyed": ["octets"] }, "0"]]));
    limit(9);
    says(
        &follow(&answers[0][1]["newState"])[..1],
        json!([["Quota/changes", { "created": ["octets"], "destroyed": [] }, "0"]]),
    );
}

/// §4.4: found by each of its properties, sorted by name and by use.
#[test]
fn quotas_are_found() {
    let node = limited();
    for (filter, is_found) in [
        (json!({}), true),
        (json!({ "name": "ann@" }), true),
        (json!({ "name": "bob" }), false),
        (json!({ "scope": "account", "resourceType": "octets", "type": "Email" }), true),
        (json!({ "resourceType": "count" }), false),
        (json!({ "operator": "NOT", "conditions": [{ "type": "Email" }] }), false),
    ] {
        let asked = json!([["Quota/query", { "filter": filter, "sort": [{ "property": "name" }, { "property": "used" }] }, "0"]]);
        let ids = if is_found { json!(["octets"]) } else { json!([]) };
        says(&node.dialogue("ann", asked), json!([["Quota/query", { "ids": ids, "position": 0 }, "0"]]));
    }
}
