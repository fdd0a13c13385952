//! `shareWith` of a Mailbox (RFC 9670), over the access lists of RFC 4314.

use anser_base::Address;
use anser_store::{Grant, Rights, RightsAct, Who};
use serde_json::{Value, json};

use super::node::Node;

fn principal(node: &Node, who: &str) -> String {
    format!("P{}", node.account(who))
}

fn rights(words: &[&str]) -> Value {
    words.iter().map(|word| ((*word).to_owned(), json!(true))).collect::<serde_json::Map<_, _>>().into()
}

fn update(node: &Node, who: &str, owner: &str, id: &str, patch: Value) -> Value {
    let set = json!({ "accountId": node.id(owner), "update": { id: patch } });
    let said = node.call(who, "Mailbox/set", set);
    match said["notUpdated"].get(id) {
        Some(error) => error["type"].clone(),
        None => said["updated"][id].clone(),
    }
}

/// What a mailbox is shared with, as somebody sees it.
fn told(node: &Node, who: &str, owner: &str, id: &str) -> Value {
    let ask = json!({ "accountId": node.id(owner), "ids": [id], "properties": ["shareWith"] });
    node.call(who, "Mailbox/get", ask)["list"][0]["shareWith"].take()
}

#[test]
fn a_mailbox_is_opened_to_somebody_changed_and_closed_again() {
    Node::on_each_engine(|node| {
        let inbox = node.role("ann", "inbox");
        let (bob, chen) = (principal(node, "bob"), principal(node, "chen"));
        assert_eq!(told(node, "ann", "ann", &inbox), Value::Null);
        assert_eq!(node.call("bob", "Mailbox/get", json!({ "accountId": node.id("ann") })), "accountNotFound");

        let open = json!({ "shareWith": { &bob: rights(&["mayReadItems", "maySetSeen"]) } });
        assert_eq!(update(node, "ann", "ann", &inbox, open), Value::Null);
        let shown = told(node, "ann", "ann", &inbox);
        assert_eq!((&shown[&bob]["mayReadItems"], &shown[&bob]["mayAddItems"]), (&json!(true), &json!(false)));
        let seen = node.call("bob", "Mailbox/get", json!({ "accountId": node.id("ann") }));
        let [theirs] = seen["list"].as_array().unwrap().as_slice() else { panic!("{seen}") };
        assert_eq!((&theirs["myRights"]["maySetSeen"], &theirs["myRights"]["mayShare"]), (&json!(true), &json!(false)));
        assert_eq!(theirs["shareWith"], Value::Null, "who may not share is not told with whom it is");
        let theirs = theirs["id"].as_str().unwrap().to_owned();
        let notices = node.call("bob", "ShareNotification/get", json!({}))["list"].take();
        assert_eq!((&notices[0]["oldRights"], &notices[0]["newRights"]["mayReadItems"]), (&Value::Null, &json!(true)));
        assert_eq!(notices[0]["changedBy"]["principalId"], principal(node, "ann"));

        let deeper = json!({ format!("shareWith/{bob}/mayShare"): true, format!("shareWith/{chen}"): rights(&["mayReadItems"]) });
        assert_eq!(update(node, "ann", "ann", &inbox, deeper), Value::Null);
        assert_eq!(told(node, "bob", "ann", &theirs)[&chen]["mayReadItems"], true, "who may share is told with whom");
        let closed = json!({ format!("shareWith/{chen}"): null });
        assert_eq!(update(node, "bob", "ann", &theirs, closed), Value::Null);
        assert_eq!(node.call("chen", "Mailbox/get", json!({ "accountId": node.id("ann") })), "accountNotFound");
        let notices = node.call("chen", "ShareNotification/get", json!({}))["list"].take();
        assert_eq!((notices.as_array().unwrap().len(), &notices[1]["newRights"]), (2, &Value::Null));

        assert_eq!(update(node, "ann", "ann", &inbox, json!({ "shareWith": null })), Value::Null);
        assert_eq!(told(node, "ann", "ann", &inbox), Value::Null);
        assert_eq!(node.call("bob", "Mailbox/get", json!({ "accountId": node.id("ann") })), "accountNotFound");
    });
}

#[test]
fn what_imap_gave_is_told_and_what_only_imap_can_say_stays() {
    let node = Node::start();
    node.share("ann", "bob", "lrit");
    let everybody = Grant { who: Who::Authenticated, negative: false, rights: Rights::LOOKUP };
    let less = Grant { who: Who::Account(node.account("chen")), negative: true, rights: Rights::READ };
    node.write("ann", move |tx| {
        let inbox = tx.inbox()?.id;
        tx.set_acl(inbox, everybody, RightsAct::Set)?;
        tx.set_acl(inbox, less, RightsAct::Set)
    });
    let (inbox, bob) = (node.role("ann", "inbox"), principal(&node, "bob"));
    let shown = told(&node, "ann", "ann", &inbox);
    assert_eq!(shown.as_object().unwrap().keys().collect::<Vec<_>>(), [&bob]);
    assert_eq!((&shown[&bob]["mayAddItems"], &shown[&bob]["mayRemoveItems"]), (&json!(true), &json!(false)));
    let added = json!({ format!("shareWith/{bob}/maySetKeywords"): true });
    assert_eq!(update(&node, "ann", "ann", &inbox, added), Value::Null);
    let list = node.write("ann", |tx| {
        let inbox = tx.inbox()?.id;
        tx.acl(inbox)
    });
    let of =
        |who: Who, negative| list.iter().find(|grant| (grant.who, grant.negative) == (who, negative)).unwrap().rights;
    let (bob, chen) = (Who::Account(node.account("bob")), Who::Account(node.account("chen")));
    assert_eq!(of(bob, false), Rights::parse("lritw").unwrap(), "one letter of two that JMAP has one word for stays");
    assert_eq!((of(Who::Authenticated, false), of(chen, true)), (Rights::LOOKUP, Rights::READ));
}

#[test]
fn groups_and_new_mailboxes_are_shared_too() {
    let node = Node::start();
    let group = node.door.runtime.block_on(async {
        let (directory, address) = (&node.door.directory, Address::parse("team@anser.test").unwrap());
        let group = directory.add_group(&address, "Team").await.unwrap();
        directory.add_members(group, vec![Address::parse("bob@anser.test").unwrap()]).await.unwrap();
        group
    });
    let group = format!("G{}", group.0);
    let plans = json!({ "name": "Plans", "shareWith": { &group: rights(&["mayReadItems", "mayAddItems"]) } });
    let made = node.call("ann", "Mailbox/set", json!({ "create": { "a": plans } }));
    assert!(made["created"]["a"]["id"].is_string(), "{made}");
    let seen = node.call("bob", "Mailbox/get", json!({ "accountId": node.id("ann") }));
    assert_eq!(
        (&seen["list"][0]["name"], &seen["list"][0]["myRights"]["mayAddItems"]),
        (&json!("Plans"), &json!(true))
    );
    assert_eq!(node.call("bob", "ShareNotification/get", json!({}))["list"][0]["name"], "Plans");
    assert_eq!(node.call("chen", "Mailbox/get", json!({ "accountId": node.id("ann") })), "accountNotFound");
    let inner = json!({ "name": "Inner", "parentId": made["created"]["a"]["id"], "shareWith": null });
    let inner = node.call("ann", "Mailbox/set", json!({ "create": { "b": inner } }));
    assert_eq!(told(&node, "ann", "ann", inner["created"]["b"]["id"].as_str().unwrap()), Value::Null, "not taken over");
}

#[test]
fn what_cannot_be_shared_is_refused_whole() {
    let node = Node::start();
    node.share("ann", "bob", "lrk");
    let (inbox, bob) = (node.role("ann", "inbox"), principal(&node, "bob"));
    let before = told(&node, "ann", "ann", &inbox);
    for (wrong, error) in [
        (json!({ "shareWith": { "P999": rights(&["mayReadItems"]) } }), "invalidProperties"),
        (json!({ "shareWith": { "anyone": rights(&["mayReadItems"]) } }), "invalidProperties"),
        (json!({ "shareWith": { principal(&node, "ann"): rights(&["mayReadItems"]) } }), "invalidProperties"),
        (json!({ "shareWith": { &bob: rights(&["mayFly"]) } }), "invalidProperties"),
        (json!({ "shareWith": { principal(&node, "chen"): rights(&["mayFly"]) } }), "invalidProperties"),
        (json!({ "shareWith": { &bob: rights(&["mayDelete"]) } }), "invalidProperties"),
        (json!({ "shareWith": { &bob: 7 } }), "invalidProperties"),
        (json!({ "shareWith": [bob] }), "invalidProperties"),
        (json!({ format!("shareWith/{bob}/mayShare/x"): true }), "invalidPatch"),
        (json!({ "shareWith/P999/mayShare": true }), "invalidPatch"),
        (json!({ "shareWith": {}, format!("shareWith/{bob}"): null }), "invalidPatch"),
        (json!({ "name": "Renamed", "shareWith": { "P999": {} } }), "invalidProperties"),
    ] {
        assert_eq!(update(&node, "ann", "ann", &inbox, wrong.clone()), error, "{wrong}");
    }
    assert_eq!(told(&node, "ann", "ann", &inbox), before);
    let chen = node.account("chen");
    let owners = node.door.runtime.block_on(async {
        let chen = node.door.directory.account(chen).await.unwrap().unwrap();
        node.door.directory.owners_for(&chen, false).await.unwrap()
    });
    assert!(owners.is_empty(), "a refusal leaves no note");
    let theirs = node.call("bob", "Mailbox/get", json!({ "accountId": node.id("ann") }))["list"][0]["id"].take();
    let mine = json!({ format!("shareWith/{bob}/mayShare"): true });
    assert_eq!(update(&node, "bob", "ann", theirs.as_str().unwrap(), mine), "forbidden", "without the right to share");
}

/// Who may share nothing changes nothing by asking, not even what the directory remembers.
#[test]
fn who_may_not_share_leaves_no_trace() {
    let node = Node::start();
    node.share("ann", "bob", "lrkx");
    let generation = || *node.door.directory.watch().borrow();
    let inbox = node.call("bob", "Mailbox/get", json!({ "accountId": node.id("ann") }))["list"][0]["id"].take();
    let inbox = inbox.as_str().unwrap();
    let (chen, before) = (principal(&node, "chen"), generation());
    let open = json!({ format!("shareWith/{chen}"): rights(&["mayReadItems"]) });
    assert_eq!(update(&node, "bob", "ann", inbox, open), "forbidden");
    let within = json!({ "shareWith": { &chen: rights(&["mayReadItems"]) } });
    let mut inner = json!({ "name": "Inner", "parentId": "#outer" });
    inner.as_object_mut().unwrap().extend(within.as_object().unwrap().clone());
    let create = json!({ "inner": inner, "outer": { "name": "Outer", "parentId": inbox } });
    let made = node.call("bob", "Mailbox/set", json!({ "accountId": node.id("ann"), "create": create }));
    assert!(made["created"]["outer"].is_object(), "{made}");
    assert_eq!(made["notCreated"]["inner"]["type"], "forbidden");
    assert_eq!(generation(), before, "the directory was written to");
    // Who may share does, within what the same request makes, too.
    node.share("ann", "bob", "lrkxa");
    let made = node.call("bob", "Mailbox/set", json!({ "accountId": node.id("ann"), "create": {
        "b": { "name": "B", "parentId": "#a", "shareWith": { &chen: rights(&["mayReadItems"]) } }, "a": { "name": "A", "parentId": inbox } } }));
    assert!(made["created"]["b"].is_object(), "{made}");
    assert_eq!(node.call("chen", "Mailbox/get", json!({ "accountId": node.id("ann") }))["list"][0]["name"], "B");
}
