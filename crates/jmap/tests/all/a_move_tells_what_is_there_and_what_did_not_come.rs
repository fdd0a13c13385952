//! docs/api/mail.md, MailMove: before it begins its owner sees the folders there and chooses; behind it what did not come is told message by
//! message, and can be had where the old server hands it out now.

use std::sync::atomic::Ordering;

use anser_net::Shutdown;
use serde_json::{Value, json};

use super::node::Node;
use super::old::{Old, body};

const ANN: &str = "ann";

fn wish(old: &Old, more: Value) -> Value {
    let mut wish = json!({ "email": "ann@old.test", "protocol": "imap", "host": "127.0.0.1", "port": old.port, "tls": "none",
        "username": "ann", "password": "secret" });
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    wish
}

/// Changes the only move.
fn change(node: &Node, id: &str, patch: Value) -> Value {
    node.call(ANN, "MailMove/set", json!({ "update": { id: patch } }))
}

fn the_only(node: &Node) -> Value {
    node.call(ANN, "MailMove/get", json!({}))["list"][0].take()
}

/// Once it is done.
fn done(node: &Node) -> Value {
    let mut changes = node.moves.changes();
    loop {
        let one = the_only(node);
        if one["state"] == "done" {
            return one;
        }
        node.door.runtime.block_on(changes.changed()).unwrap();
    }
}

#[test]
fn folders_are_chosen_and_what_failed_is_told_and_handed_out() {
    Node::on_each_engine(|node| {
        let old = Old::start();
        let moves = node.moves.clone();
        let running = node.door.runtime.spawn(async move { moves.run(Shutdown::new()).await });

        let made =
            node.call(ANN, "MailMove/set", json!({ "create": { "a": wish(&old, json!({ "state": "paused" })) } }));
        let id = made["created"]["a"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        assert_eq!(made["created"]["a"]["state"], "paused");
        let told = node.call(ANN, "MailMove/folders", json!({ "id": id }));
        let folder = |name: &str, messages: u32, role: Option<&str>, skip: bool, here: bool| json!({ "name": name, "path": [name], "messages": messages, "role": role, "skip": skip, "isHere": here });
        let wanted = [folder("INBOX", 2, Some("inbox"), false, false), folder("News", 1, None, false, false)];
        assert_eq!((&told["list"], &told["problem"]), (&json!(wanted), &Value::Null));
        assert_eq!(the_only(node)["startedAt"], Value::Null, "nothing comes before it is started");

        let choice = json!({ "News": { "skip": true } });
        let changed = change(node, &id, json!({ "folders": choice, "state": "running" }));
        assert!(changed["notUpdated"].is_null(), "{changed}");
        let one = done(node);
        assert_eq!(one["folders"], choice);
        assert_eq!(one["result"]["leftOut"], 1);
        assert_eq!(
            (&one["result"]["copied"], &one["result"]["failed"], &one["result"]["total"]),
            (&json!(1), &json!(1), &json!(3))
        );
        let told = node.call(ANN, "MailMove/folders", json!({ "id": id }));
        let wanted = [folder("INBOX", 2, Some("inbox"), false, true), folder("News", 1, None, true, false)];
        assert_eq!(told["list"], json!(wanted));

        let missing = node.call(ANN, "MailMove/failed", json!({ "id": id }));
        assert_eq!(
            (&missing["total"], &missing["position"], &missing["problem"]),
            (&json!(1), &json!(0), &Value::Null)
        );
        let failed = &missing["list"][0];
        assert_eq!((&failed["subject"], &failed["folder"]), (&json!("INBOX 2"), &json!("INBOX")));
        assert_eq!(
            (&failed["from"], &failed["receivedAt"]),
            (&json!("Bob <bob@old.test>"), &json!("2020-11-21T08:00:00Z"))
        );
        assert!(failed["reason"]["en"].as_str().unwrap().contains("it is damaged"), "{failed}");
        let url = failed["url"].as_str().unwrap();
        let refused = node.as_user(ANN, "GET", url, "", b"");
        assert!(refused.status == 502 && String::from_utf8_lossy(&refused.body).contains("it is damaged"));
        old.mended.store(true, Ordering::Relaxed);
        let whole = node.as_user(ANN, "GET", url, "", b"");
        assert_eq!((whole.status, String::from_utf8_lossy(&whole.body).into_owned()), (200, body("INBOX", 2)));
        assert!(whole.head.contains("message/rfc822") && whole.head.contains("no-store"), "{}", whole.head);
        // Nobody else's, and nothing that came.
        assert_eq!(node.as_user("bob", "GET", url, "", b"").status, 404);
        assert_eq!(node.as_user("bob", "GET", &url.replace(&node.id(ANN), &node.id("bob")), "", b"").status, 404);
        assert_eq!(node.as_user(ANN, "GET", &url.replace("00000002", "00000001"), "", b"").status, 404);
        assert_eq!(node.http("GET", url, &[], b"").status, 401);

        change(node, &id, json!({ "state": "running", "folders": {} }));
        let mut changes = node.moves.changes();
        while the_only(node)["result"]["copied"] != 3 {
            node.door.runtime.block_on(changes.changed()).unwrap();
        }
        assert_eq!(node.call(ANN, "MailMove/failed", json!({ "id": id }))["total"], 0);
        running.abort();
    });
}

#[test]
fn what_is_wrong_with_a_choice_or_a_login_is_said_in_both_languages() {
    let (node, old) = (Node::start(), Old::start());
    let wrong = |more: Value| {
        let made = node.call(ANN, "MailMove/set", json!({ "create": { "a": wish(&old, more) } }));
        made["notCreated"]["a"].clone()
    };
    let twice = wrong(json!({ "folders": { "a": { "role": "sent" }, "b": { "role": "sent" } } }));
    assert_eq!((&twice["type"], &twice["properties"]), (&json!("invalidProperties"), &json!(["folders"])));
    assert!(twice["texts"]["zh"].as_str().unwrap().contains("同一用途"), "{twice}");
    assert_eq!(wrong(json!({ "state": "done" }))["properties"], json!(["state"]));
    let other = json!({ "password": "other", "state": "paused" });
    let made = node.call(ANN, "MailMove/set", json!({ "create": { "a": wish(&old, other) } }));
    let told = node.call(ANN, "MailMove/folders", json!({ "id": made["created"]["a"]["id"] }));
    assert_eq!(told["list"], json!([]));
    assert!(told["problem"]["zh"].as_str().unwrap().contains("授权码"), "{told}");
}
