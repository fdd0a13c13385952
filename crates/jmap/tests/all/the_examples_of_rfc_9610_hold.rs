//! The dialogues of RFC 9610.

use serde_json::{Value, json};

use super::dialogue::says;
use super::node::Node;

/// The books of Ann, who has another one beside her first, which is called Personal; their ids.
fn books(node: &Node) -> [String; 2] {
    let first = node.call("ann", "AddressBook/get", json!({}))["list"][0]["id"].as_str().unwrap().to_owned();
    let arguments = json!({ "create": { "a": { "name": "Autosaved", "sortOrder": 1 } }, "update": { &first: { "name": "Personal" } } });
    let made = node.call("ann", "AddressBook/set", arguments);
    [first, made["created"]["a"]["id"].as_str().unwrap().to_owned()]
}

/// §4.1: all books and all cards.
#[test]
fn everything_is_fetched_at_first() {
    let node = Node::start();
    let [personal, autosaved] = books(&node);
    let card = json!({ "addressBookIds": { &personal: true },
        "name": { "components": [{ "kind": "given", "value": "Joe" }, { "kind": "surname", "value": "Bloggs" }], "isOrdered": true },
        "emails": { "0": { "contexts": { "private": true }, "address": "joe.bloggs@example.com" } } });
    let made = node.call("ann", "ContactCard/set", json!({ "create": { "k": card } }));
    let id = &made["created"]["k"]["id"];
    let answers = node.dialogue("ann", json!([["AddressBook/get", {}, "0"], ["ContactCard/get", {}, "1"]]));
    let rights = json!({ "mayRead": true, "mayWrite": true, "mayShare": false });
    let book = |id: &str, name: &str, order: u32, is_default: bool| {
        json!({ "id": id, "name": name, "description": null, "sortOrder": order, "isDefault": is_default, "isSubscribed": true,
            "shareWith": null, "myRights": rights })
    };
    let mut shown = card.clone();
    shown["id"] = id.clone();
    says(
        &answers,
        json!([
            ["AddressBook/get", { "accountId": node.id("ann"), "notFound": [],
                "list": [book(&personal, "Personal", 0, true), book(&autosaved, "Autosaved", 1, false)] }, "0"],
            ["ContactCard/get", { "accountId": node.id("ann"), "list": [shown], "notFound": [] }, "1"],
        ]),
    );
    for state in answers.iter().map(|answer| &answer[1]["state"]) {
        assert!(state.is_string(), "{answers:?}");
    }
}

/// §4.2: another book is the default; both are told.
#[test]
fn another_book_becomes_the_default() {
    let node = Node::start();
    let [personal, autosaved] = books(&node);
    let answers = node.dialogue("ann", json!([["AddressBook/set", { "onSuccessSetIsDefault": autosaved }, "0"]]));
    assert_eq!(
        answers[0][1]["updated"],
        json!({ autosaved.clone(): { "isDefault": true }, personal: { "isDefault": false } })
    );
    // §2.3: what is not there chooses nothing.
    let answers = node.dialogue("ann", json!([["AddressBook/set", { "onSuccessSetIsDefault": "K999" }, "0"]]));
    says(&answers, json!([["AddressBook/set", { "updated": null }, "0"]]));
    let made =
        json!([["AddressBook/set", { "create": { "n": { "name": "New" } }, "onSuccessSetIsDefault": "#n" }, "0"]]);
    let made = node.dialogue("ann", made);
    assert_eq!(made[0][1]["updated"][&autosaved], json!({ "isDefault": false }), "{made:?}");
}

/// §3: a group has its members by their uids, which stay when there is no such card.
#[test]
fn a_group_has_members_by_their_uids() {
    let node = Node::start();
    let [book, _] = books(&node);
    let create = json!({
        "joe": { "addressBookIds": { &book: true }, "uid": "joe", "name": { "full": "Joe Bloggs" } },
        "team": { "addressBookIds": { &book: true }, "uid": "team", "kind": "group", "name": { "full": "The team" },
            "members": { "joe": true, "nobody": true } },
    });
    let made = node.call("ann", "ContactCard/set", json!({ "create": create }));
    let id = |key: &str| made["created"][key]["id"].clone();
    let found = |filter: Value| {
        node.dialogue(
            "ann",
            json!([["ContactCard/query", { "filter": filter, "sort": [{ "property": "created" }] }, "0"]]),
        )[0][1]["ids"]
            .take()
    };
    assert_eq!(found(json!({ "hasMember": "joe" })), json!([id("team")]));
    assert_eq!(found(json!({ "hasMember": "nobody", "kind": "group" })), json!([id("team")]));
    assert_eq!(found(json!({ "kind": "individual" })), json!([id("joe")]));
    node.call("ann", "ContactCard/set", json!({ "destroy": [id("joe")] }));
    let left = node.call("ann", "ContactCard/get", json!({ "ids": [id("team")], "properties": ["members"] }));
    assert_eq!(left["list"][0]["members"], json!({ "joe": true, "nobody": true }));
}
