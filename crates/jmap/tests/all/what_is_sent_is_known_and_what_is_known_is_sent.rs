use anser_base::Durability;
use anser_db::Place;
use serde_json::{Value, json};

use super::node::Node;

/// Lets no row of a kind of work be written in Ann's records, or lets them be written again.
fn records(node: &Node, work: &str, broken: bool) {
    let sql = match broken {
        true => format!(
            "CREATE TRIGGER no_{work} BEFORE {work} ON record BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        ),
        false => format!("DROP TRIGGER no_{work}"),
    };
    let spoil = move |tx: &mut anser_db::Tx<'_>| tx.execute(&sql, &[]).map(drop);
    let written = node.store.db().write(Place::Account(node.account("ann")), Durability::Sync, spoil);
    node.door.runtime.block_on(written).unwrap();
}

fn queued(node: &Node) -> usize {
    node.door.runtime.block_on(node.queue.list(Default::default(), None, 100)).unwrap().entries.len()
}

/// A message of Ann's to Bob that is sent when `send` is called.
fn letter(node: &Node) -> Value {
    let object = json!({"mailboxIds": {node.role("ann", "drafts"): true}, "from": [{"email": "ann@anser.test"}],
        "to": [{"email": "bob@anser.test"}], "subject": "hello"});
    let made = node.call("ann", "Email/set", json!({"create": {"k": object}}));
    let identity = node.call("ann", "Identity/get", json!({}))["list"][0]["id"].clone();
    json!({"create": {"k": {"identityId": identity, "emailId": made["created"]["k"]["id"]}}})
}

#[test]
fn nothing_is_sent_that_cannot_be_noted() {
    let node = Node::start();
    let letter = letter(&node);
    records(&node, "INSERT", true);
    let failed = node.call("ann", "EmailSubmission/set", letter.clone());
    assert!(failed["created"].is_null(), "{failed}");
    assert_eq!(queued(&node), 0);
    records(&node, "INSERT", false);
    assert!(node.call("ann", "EmailSubmission/set", letter)["created"]["k"]["id"].is_string());
    assert_eq!(queued(&node), 1);
}

#[test]
fn what_was_sent_is_told_as_sent_and_found_again() {
    let node = Node::start();
    let letter = letter(&node);
    records(&node, "UPDATE", true);
    let made = node.call("ann", "EmailSubmission/set", letter);
    let id = made["created"]["k"]["id"].clone();
    assert!(id.is_string(), "{made}");
    assert_eq!(queued(&node), 1);
    records(&node, "UPDATE", false);
    let status = || {
        let got = node.call("ann", "EmailSubmission/get", json!({"ids": [id]}));
        got["list"][0].clone()
    };
    // The number of its entry is known to the journal only.
    node.store.clock().advance(std::time::Duration::from_secs(3600));
    assert_eq!(
        (&status()["undoStatus"], &status()["deliveryStatus"]["bob@anser.test"]["delivered"]),
        (&json!("final"), &json!("queued"))
    );
    assert_eq!(queued(&node), 1);
}

#[test]
fn what_was_never_handed_over_is_not_told_as_sent() {
    let node = Node::start();
    let letter = letter(&node);
    // Nobody is told of it and nothing is left of it, though it was noted before it was refused.
    let mut refused = letter.clone();
    refused["create"]["k"]["envelope"] =
        json!({"mailFrom": {"email": "bob@anser.test"}, "rcptTo": [{"email": "bob@anser.test"}]});
    assert_eq!(
        node.call("ann", "EmailSubmission/set", refused.clone())["notCreated"]["k"]["type"],
        "forbiddenMailFrom"
    );
    assert_eq!(node.call("ann", "EmailSubmission/get", json!({}))["list"], json!([]));
    records(&node, "DELETE", true);
    assert_eq!(node.call("ann", "EmailSubmission/set", refused)["notCreated"]["k"]["type"], "forbiddenMailFrom");
    records(&node, "DELETE", false);
    node.store.clock().advance(std::time::Duration::from_secs(3600));
    let left = node.call("ann", "EmailSubmission/get", json!({}))["list"][0].clone();
    assert_eq!(
        (&left["undoStatus"], &left["deliveryStatus"]["bob@anser.test"]["delivered"]),
        (&json!("canceled"), &json!("no"))
    );
}
