use serde_json::{Value, json};

use super::node::Node;

/// RFC 9610 §2: one book is always there, books go with their cards or not at all.
#[test]
fn books_are_made_chosen_and_removed() {
    Node::on_each_engine(|node| {
        let first = node.call("ann", "AddressBook/get", json!({}));
        let own = first["list"][0]["id"].as_str().unwrap_or_else(|| panic!("{first}")).to_owned();
        assert_eq!(
            (&first["list"][0]["isDefault"], &first["list"][0]["myRights"]["mayWrite"]),
            (&json!(true), &json!(true))
        );
        let create = json!({"a": {"name": "Work"}, "b": {"name": ""}, "c": {"name": "x", "isDefault": true}});
        let made = node.call("ann", "AddressBook/set", json!({ "create": create }));
        let work = made["created"]["a"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        assert_eq!(made["created"]["a"]["isDefault"], false);
        assert_eq!(made["notCreated"]["b"]["properties"], json!(["name"]));
        assert_eq!(made["notCreated"]["c"]["properties"], json!(["isDefault"]));
        let card = |name: &str, books: Value| json!({"name": {"full": name}, "addressBookIds": books});
        let cards = node.call("ann", "ContactCard/set", json!({"create": {
            "a": card("Bob", json!({work.clone(): true})), "b": card("Eve", json!({work.clone(): true, own.clone(): true}))}}));
        let id = |key: &str| cards["created"][key]["id"].clone();
        let kept = node.call("ann", "AddressBook/set", json!({"destroy": [work]}));
        assert_eq!(kept["notDestroyed"][&work]["type"], "addressBookHasContents");
        let chosen = node.call("ann", "AddressBook/set", json!({"onSuccessSetIsDefault": work}));
        assert_eq!(chosen["updated"], json!({work.clone(): {"isDefault": true}, own.clone(): {"isDefault": false}}));
        let kept = node.call("ann", "AddressBook/set", json!({"destroy": [work], "onDestroyRemoveContents": true}));
        assert_eq!(kept["notDestroyed"][&work]["type"], "forbidden");
        node.call("ann", "AddressBook/set", json!({"onSuccessSetIsDefault": own}));
        let gone = node.call("ann", "AddressBook/set", json!({"destroy": [work], "onDestroyRemoveContents": true}));
        assert_eq!(gone["destroyed"], json!([work]));
        let left =
            node.call("ann", "ContactCard/get", json!({"ids": [id("a"), id("b")], "properties": ["addressBookIds"]}));
        assert_eq!(left["notFound"], json!([id("a")]));
        assert_eq!(left["list"][0]["addressBookIds"], json!({own.clone(): true}));
        let changes = node.call("ann", "AddressBook/changes", json!({"sinceState": first["state"]}));
        assert_eq!((&changes["created"], &changes["destroyed"]), (&json!([]), &json!([])));
        assert_eq!(changes["updated"], json!([own]));
    });
}

/// RFC 9610 §3: cards are JSContact, found by what is in them, in the order in which names sound.
#[test]
fn cards_are_made_changed_and_found() {
    let node = Node::start();
    let book = node.call("ann", "AddressBook/get", json!({}))["list"][0]["id"].as_str().unwrap().to_owned();
    let card = |given: &str, surname: &str, email: &str| {
        json!({
        "name": {"full": format!("{surname}{given}"), "components": [{"kind": "surname", "value": surname}, {"kind": "given", "value": given}]},
        "emails": {"e": {"address": email}}, "notes": {"n": {"note": "met in 北京"}}, "x-own": {"kept": [1]}, "addressBookIds": {book.clone(): true}})
    };
    let before = node.call("ann", "ContactCard/query", json!({"sort": [{"property": "name/surname"}]}));
    let made = node.call("ann", "ContactCard/set", json!({"create": {
        "a": card("芳", "王", "wang@x.example"), "b": card("雁", "陈", "chen@x.example"), "c": card("Bob", "Dole", "bob@y.example"),
        "d": {"addressBookIds": {}}, "e": {"addressBookIds": {"K999": true}}, "f": {"addressBookIds": {book.clone(): true}, "emails": []}}}));
    let id = |key: &str| made["created"][key]["id"].clone();
    assert!(made["created"]["a"]["uid"].as_str().unwrap_or_else(|| panic!("{made}")).starts_with("urn:uuid:"));
    assert_eq!(made["created"]["a"]["created"], "2027-01-15T08:00:00Z");
    for key in ["d", "e"] {
        assert_eq!(made["notCreated"][key]["properties"], json!(["addressBookIds"]));
    }
    assert_eq!(made["notCreated"]["f"]["properties"], json!(["emails"]));
    let twin = json!({"uid": made["created"]["a"]["uid"], "addressBookIds": {book.clone(): true}});
    let twice = node.call("ann", "ContactCard/set", json!({"create": {"a": twin}}));
    assert_eq!(twice["notCreated"]["a"]["existingId"], id("a"));
    let gone = node.call(
        "ann",
        "ContactCard/set",
        json!({"create": {"g": {"uid": "g", "addressBookIds": {book.clone(): true}}}}),
    );
    let destroy = json!({"destroy": [gone["created"]["g"]["id"]]});
    node.call("ann", "ContactCard/set", destroy);
    let again = json!({"uid": "g", "addressBookIds": {book.clone(): true}});
    let again = node.call("ann", "ContactCard/set", json!({"create": {"g": again}}));
    assert!(again["created"]["g"].is_object(), "{again}");
    node.call("ann", "ContactCard/set", json!({"destroy": [again["created"]["g"]["id"]]}));
    let mut since = json!({"sort": [{"property": "name/surname"}]});
    since["sinceQueryState"] = before["queryState"].clone();
    let added = node.call("ann", "ContactCard/queryChanges", since)["added"].clone();
    assert_eq!(added, json!([{"id": id("b"), "index": 0}, {"id": id("c"), "index": 1}, {"id": id("a"), "index": 2}]));
    let found = |filter: Value| node.call("ann", "ContactCard/query", json!({ "filter": filter }))["ids"].clone();
    assert_eq!(found(json!({"text": "BOB@Y"})), json!([id("c")]));
    assert_eq!(found(json!({"name/surname": "陈"})), json!([id("b")]));
    assert_eq!(found(json!({"name/given": "陈"})), json!([]));
    assert_eq!(found(json!({"email": "x.example", "note": "北京"})), json!([id("a"), id("b")]));
    assert_eq!(found(json!({"operator": "NOT", "conditions": [{"inAddressBook": book}]})), json!([]));
    assert_eq!(found(json!({"uid": made["created"]["b"]["uid"]})), json!([id("b")]));
    assert_eq!(found(json!({"colour": "red"})), Value::Null);
    let a = id("a").as_str().unwrap().to_owned();
    node.store.clock().advance(std::time::Duration::from_secs(60));
    let patch = json!({"name/full": "王小芳", "emails/e/address": "w@x.example"});
    let changed = node.call("ann", "ContactCard/set", json!({"update": {a.clone(): patch}}));
    assert!(changed["updated"].get(&a).is_some(), "{changed}");
    let got = node.call("ann", "ContactCard/get", json!({"ids": [a]}))["list"][0].clone();
    assert_eq!((&got["name"]["full"], &got["emails"]["e"]["address"]), (&json!("王小芳"), &json!("w@x.example")));
    assert_eq!((&got["updated"], &got["x-own"]), (&json!("2027-01-15T08:01:00Z"), &json!({"kept": [1]})));
    let refused = node.call("ann", "ContactCard/set", json!({"update": {a.clone(): {"uid": "other"}}}));
    assert_eq!(refused["notUpdated"][&a]["properties"], json!(["uid"]));
    node.share("bob", "ann", "lr");
    assert_eq!(
        node.call("ann", "ContactCard/get", json!({"accountId": node.id("bob")})),
        "accountNotSupportedByMethod"
    );
}

/// Cards that were kept before uids were an index are in it all the same.
#[test]
fn cards_of_an_older_program_have_twins_too() {
    let node = Node::start();
    let books = node.call("ann", "AddressBook/get", json!({}));
    let book = books["list"][0]["id"].as_str().unwrap().to_owned();
    let old = json!({"uid": "old", "addressBookIds": {book.clone(): true}}).to_string();
    let number = node.write("ann", move |tx| tx.add_record(anser_store::RecordKind::ContactCard, old.as_bytes()));
    let twin = json!({"uid": "old", "addressBookIds": {book: true}});
    let refused = node.call("ann", "ContactCard/set", json!({"create": {"a": twin}}));
    assert_eq!(refused["notCreated"]["a"]["existingId"], format!("C{number}"));
}
