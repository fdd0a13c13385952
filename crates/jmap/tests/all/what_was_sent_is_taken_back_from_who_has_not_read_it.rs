//! Recall (docs/api/mail.md).

use std::time::Duration;

use anser_base::{EntryId, MailboxId};
use anser_journal::{Entry, Origin, What};
use anser_queue::{Act, Filter};
use anser_store::Appended;
use serde_json::{Value, json};

use super::node::Node;

const LETTER: &str =
    "From: ann@anser.test\nTo: bob@anser.test\nSubject: hello\nMessage-ID: <one@anser.test>\n\ngood day\n";

/// Ann sends to these, and nothing is delivered yet; the id of the submission, and the queue's number.
fn sent(node: &Node, to: &[&str], hold: Option<&str>) -> (String, EntryId) {
    let email = format!("M{}", node.deliver("ann", LETTER, 0).message);
    let identity = node.call("ann", "Identity/get", json!({}))["list"][0]["id"].take();
    let to: Vec<Value> = to.iter().map(|to| json!({ "email": to })).collect();
    let from = json!({ "email": "ann@anser.test", "parameters": hold.map(|hold| json!({ "HOLDFOR": hold })) });
    let object = json!({ "identityId": identity, "emailId": email, "envelope": { "mailFrom": from, "rcptTo": to } });
    let made = node.call("ann", "EmailSubmission/set", json!({ "create": { "k": object } }));
    let id = made["created"]["k"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let queued = node.door.runtime.block_on(node.queue.list(Filter::default(), None, 100)).unwrap().entries;
    (id, queued.last().unwrap().id)
}

/// Delivers an entry to somebody as the house does: the message, and a line in the journal.
fn delivered(node: &Node, entry: EntryId, recipient: &str, who: &str) -> Appended {
    let message = node.deliver(who, LETTER, 0);
    let (recipient, account) = (format!("{recipient}@anser.test"), node.account(who));
    tell(node, What::Delivered { entry, recipient, account, mailbox: MailboxId(1), message: message.message });
    message
}

fn tell(node: &Node, what: What) {
    node.door.runtime.block_on(node.door.journal.append(Entry { origin: Origin::internal(), what })).unwrap();
}

/// All of it has left the queue.
fn settled(node: &Node, entry: EntryId) {
    node.door.runtime.block_on(node.queue.act(entry, &Act::Remove)).unwrap();
}

fn recall(node: &Node, who: &str, submission: &str) -> Value {
    node.call(who, "Recall/set", json!({ "create": { "r": { "emailSubmissionId": submission } } }))
}

/// What became of it, by recipient.
fn outcomes(results: &Value) -> Vec<(&str, &str)> {
    let text = |one: &Value| {
        !one["text"]["en"].as_str().unwrap().is_empty() && !one["text"]["zh"].as_str().unwrap().is_ascii()
    };
    assert!(results.as_array().unwrap().iter().all(text), "{results}");
    results
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["email"].as_str().unwrap(), one["outcome"].as_str().unwrap()))
        .collect()
}

fn messages(node: &Node, who: &str) -> usize {
    node.call(who, "Email/query", json!({}))["ids"].as_array().unwrap().len()
}

#[test]
fn unread_goes_read_stays_and_what_went_abroad_is_said() {
    Node::on_each_engine(|node| {
        let (id, entry) = sent(node, &["bob@anser.test", "chen@anser.test", "eve@far.example"], None);
        delivered(node, entry, "bob", "bob");
        let read = delivered(node, entry, "chen", "chen");
        let update = json!({ "update": { format!("M{}", read.message): { "keywords/$seen": true } } });
        node.call("chen", "Email/set", update);
        // A recipient may stand for several people.
        let moved = delivered(node, entry, "bob", "chen");
        let (host, reply) = ("mx.far.example".to_owned(), "250 ok".to_owned());
        tell(node, What::Relayed { entry, recipient: "eve@far.example".into(), host, reply });
        settled(node, entry);
        let archive =
            node.call("chen", "Mailbox/set", json!({ "create": { "a": { "name": "a" } } }))["created"]["a"]["id"]
                .take();
        let to = json!({ format!("M{}", moved.message): { "mailboxIds": { archive.as_str().unwrap(): true } } });
        node.call("chen", "Email/set", json!({ "update": to }));
        let account = node.account("bob");
        let mut watch = node.store.watch(account);
        let told = recall(node, "ann", &id);
        let made = &told["created"]["r"];
        let mut all = outcomes(&made["results"]);
        all.sort_unstable();
        assert_eq!(all, [("bob@anser.test", "recalled"), ("chen@anser.test", "read"), ("eve@far.example", "foreign")]);
        assert_eq!((messages(node, "bob"), messages(node, "chen"), messages(node, "ann")), (0, 1, 1));
        let told = node.door.runtime.block_on(watch.next()).unwrap();
        let is_gone = |change: &anser_store::Change| matches!(change, anser_store::Change::Expunged { .. });
        assert!(told.list.iter().any(is_gone), "every door that is open there hears of it: {told:?}");
        let audit = node.door.journal("bob@anser.test");
        let line = |what: &&What| {
            matches!(what, What::Administered { actor, act, object, .. }
            if actor == "ann@anser.test" && act == "message.recall" && object == "bob@anser.test")
        };
        assert_eq!(audit.iter().filter(line).count(), 1);
        let got = node.call("ann", "Recall/get", json!({}));
        assert_eq!((&got["list"][0]["results"], &got["list"][0]["emailSubmissionId"]), (&made["results"], &json!(id)));
        assert_eq!(node.call("bob", "Recall/get", json!({}))["list"], json!([]));
        let again = recall(node, "ann", &id)["notCreated"]["r"].take();
        assert_eq!((&again["type"], &again["existingId"]), (&json!("alreadyExists"), &made["id"]));
    });
}

#[test]
fn what_waits_in_the_queue_is_taken_out_of_it() {
    let node = Node::start();
    let (id, _) = sent(&node, &["bob@anser.test", "eve@far.example"], Some("60"));
    let since = node.call("ann", "Recall/get", json!({}))["state"].take();
    let told = recall(&node, "ann", &id);
    assert!(outcomes(&told["created"]["r"]["results"]).iter().all(|(_, outcome)| *outcome == "recalled"), "{told}");
    assert!(node.door.runtime.block_on(node.queue.list(Filter::default(), None, 9)).unwrap().entries.is_empty());
    let submission = node.call("ann", "EmailSubmission/get", json!({ "ids": [id] }))["list"][0].take();
    assert_eq!(submission["undoStatus"], "canceled");
    assert_eq!(submission["deliveryStatus"]["bob@anser.test"]["delivered"], "no", "{submission}");
    let made = told["created"]["r"]["id"].clone();
    let changes = node.call("ann", "Recall/changes", json!({ "sinceState": since }));
    assert_eq!((&changes["created"], &changes["newState"]), (&json!([made]), &told["newState"]));
    let gone = node.call("ann", "Recall/set", json!({ "destroy": [made] }));
    assert_eq!(gone["destroyed"], json!([made]));
    assert_eq!(node.call("ann", "Recall/get", json!({}))["list"], json!([]));
}

#[test]
fn a_recall_that_waits_goes_on_when_it_is_asked_for() {
    let node = Node::start();
    let (id, entry) = sent(&node, &["bob@anser.test"], None);
    let lease = node.door.runtime.block_on(node.queue.try_next_due()).unwrap().unwrap();
    let told = recall(&node, "ann", &id);
    assert_eq!(outcomes(&told["created"]["r"]["results"]), [("bob@anser.test", "waiting")]);
    delivered(&node, entry, "bob", "bob");
    node.door.runtime.block_on(node.queue.settle(&lease, &lease.all_done(), Vec::new())).unwrap();
    let got = node.call("ann", "Recall/get", json!({ "ids": [told["created"]["r"]["id"]] }));
    assert_eq!(outcomes(&got["list"][0]["results"]), [("bob@anser.test", "recalled")]);
    assert_eq!(messages(&node, "bob"), 0);
}

#[test]
fn a_recall_that_waits_goes_on_by_itself() {
    let node = Node::start();
    let (id, entry) = sent(&node, &["bob@anser.test"], None);
    let lease = node.door.runtime.block_on(node.queue.try_next_due()).unwrap().unwrap();
    let mut watch = node.store.watch(node.account("bob"));
    let told = recall(&node, "ann", &id);
    assert_eq!(outcomes(&told["created"]["r"]["results"]), [("bob@anser.test", "waiting")]);
    delivered(&node, entry, "bob", "bob");
    node.door.runtime.block_on(node.queue.settle(&lease, &lease.all_done(), Vec::new())).unwrap();
    let is_gone = |change: &anser_store::Change| matches!(change, anser_store::Change::Expunged { .. });
    while !node.door.runtime.block_on(watch.next()).unwrap().list.iter().any(is_gone) {}
    assert_eq!(messages(&node, "bob"), 0);
}

#[test]
fn what_was_answered_stays_and_so_does_another_message() {
    let node = Node::start();
    let (id, entry) = sent(&node, &["bob@anser.test", "chen@anser.test"], None);
    let answered = delivered(&node, entry, "bob", "bob");
    let update = json!({ "update": { format!("M{}", answered.message): { "keywords/$answered": true } } });
    node.call("bob", "Email/set", update);
    // What somebody's rules sent because of it is told of with the same number.
    let other = node.deliver("chen", "From: chen@anser.test\nMessage-ID: <away@anser.test>\n\naway\n", 0);
    let (recipient, account, message) = ("chen@anser.test".to_owned(), node.account("chen"), other.message);
    tell(&node, What::Delivered { entry, recipient, account, mailbox: MailboxId(1), message });
    settled(&node, entry);
    let told = recall(&node, "ann", &id);
    let mut all = outcomes(&told["created"]["r"]["results"]);
    all.sort_unstable();
    assert_eq!(all, [("bob@anser.test", "read"), ("chen@anser.test", "notFound")]);
    assert_eq!((messages(&node, "bob"), messages(&node, "chen")), (1, 1));
}

#[test]
fn nobody_recalls_what_is_not_theirs_or_long_ago() {
    let node = Node::start();
    let (id, entry) = sent(&node, &["bob@anser.test"], None);
    let message = delivered(&node, entry, "bob", "bob");
    settled(&node, entry);
    let refused = |who: &str, id: &str| recall(&node, who, id)["notCreated"]["r"]["type"].take();
    assert_eq!(
        (refused("bob", &id), refused("ann", "S999"), refused("ann", "x")),
        (json!("notFound"), json!("notFound"), json!("notFound"))
    );
    let set = |object: Value| {
        node.call("ann", "Recall/set", json!({ "create": { "r": object } }))["notCreated"]["r"]["type"].take()
    };
    assert_eq!(set(json!({ "emailSubmissionId": id, "results": [] })), "invalidProperties");
    assert_eq!(set(json!({})), "invalidProperties");
    let other = json!({ "accountId": node.id("ann"), "create": { "r": { "emailSubmissionId": id } } });
    assert_eq!(node.call("bob", "Recall/set", other), "accountNotFound");
    let updated = node.call("ann", "Recall/set", json!({ "update": { "R1": {} }, "destroy": ["R999"] }));
    assert_eq!(
        (&updated["notUpdated"]["R1"]["type"], &updated["notDestroyed"]["R999"]["type"]),
        (&json!("forbidden"), &json!("notFound"))
    );
    node.store.clock().advance(Duration::from_secs(30 * 86_400 + 1));
    assert_eq!(refused("ann", &id), "forbidden");
    let kept = node.call("bob", "Email/get", json!({ "ids": [format!("M{}", message.message)], "properties": ["id"] }));
    assert_eq!(kept["list"].as_array().unwrap().len(), 1, "nothing of that touched it");
}
