use serde_json::{Value, json};

use super::node::Node;

const RAW: &str = "Received: from x by y; Wed, 1 Jan 2025 00:00:00 +0000\r\nReceived: from w; Tue, 31 Dec 2024 00:00:00 +0000\r\n\
    Subject: =?utf-8?B?6ZmI?=\r\nFrom: Ann <ann@anser.test>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
    Subject: inner\r\n\r\nwithin\r\n--b--\r\n";

fn upload(node: &Node, who: &str, body: &[u8]) -> String {
    node.upload(who, "message/rfc822", body)["blobId"].as_str().unwrap().to_owned()
}

/// RFC 8621 §4.8.
#[test]
fn an_upload_becomes_a_message() {
    let node = Node::start();
    let (blob, inbox) = (upload(&node, "ann", RAW.as_bytes()), node.role("ann", "inbox"));
    let state = node.call("ann", "Email/get", json!({"ids": []}))["state"].clone();
    let place = json!({inbox.clone(): true});
    let nonsense = upload(&node, "ann", b"\r\nno header\r\n");
    let made = node.call(
        "ann",
        "Email/import",
        json!({"ifInState": state, "emails": {
            "a": {"blobId": blob, "mailboxIds": place, "keywords": {"$seen": true, "work": true}},
            "part": {"blobId": format!("{blob}-2"), "mailboxIds": place, "receivedAt": "2026-01-02T03:04:05Z"},
            "gone": {"blobId": "U00", "mailboxIds": place},
            "nowhere": {"blobId": blob, "mailboxIds": {"F99": true}},
            "odd": {"blobId": blob, "mailboxIds": place, "colour": "red"},
            "none": {"blobId": nonsense, "mailboxIds": place},
        }}),
    );
    assert_eq!(made["created"]["a"]["size"], RAW.len());
    for (creation, kind) in [
        ("gone", "invalidProperties"),
        ("nowhere", "invalidProperties"),
        ("odd", "invalidProperties"),
        ("none", "invalidEmail"),
    ] {
        assert_eq!(made["notCreated"][creation]["type"], kind, "{creation}");
    }
    assert!(made.get("updated").is_none() && made.get("notDestroyed").is_none(), "{made}");
    let ids = json!([made["created"]["a"]["id"], made["created"]["part"]["id"]]);
    let got = node.call("ann", "Email/get", json!({"ids": ids}));
    let (whole, part) = (&got["list"][0], &got["list"][1]);
    assert_eq!((&whole["subject"], &whole["receivedAt"]), (&json!("陈"), &json!("2025-01-01T00:00:00Z")));
    assert_eq!((&whole["keywords"], &whole["mailboxIds"]), (&json!({"$seen": true, "work": true}), &place));
    assert_eq!((&part["subject"], &part["receivedAt"]), (&json!("inner"), &json!("2026-01-02T03:04:05Z")));
    let own = whole["blobId"].as_str().unwrap();
    let raw = node.as_user("ann", "GET", &format!("/jmap/download/{}/{own}/x", node.id("ann")), "", b"");
    assert_eq!(raw.body, RAW.as_bytes());
    let late = node.call("ann", "Email/import", json!({"ifInState": state, "emails": {}}));
    assert_eq!(late, "stateMismatch");
}

/// RFC 8621 §4.7.
#[test]
fn a_message_is_copied_into_another_account() {
    let node = Node::start();
    node.share("bob", "ann", "lrte");
    let theirs = node.deliver("bob", "Subject: x\n\nx\n", 0).message;
    let (bob, ann, inbox) = (node.id("bob"), node.id("ann"), node.role("ann", "inbox"));
    let id = format!("{bob}-M{theirs}");
    let place = json!({inbox: true});
    let create = json!({"k": {"id": id, "mailboxIds": place, "keywords": {"$flagged": true}},
        "gone": {"id": format!("{bob}-M99"), "mailboxIds": place}, "odd": {"id": id, "mailboxIds": place, "subject": "y"}});
    let arguments = json!({"fromAccountId": bob, "accountId": ann, "create": create, "onSuccessDestroyOriginal": true});
    let answers = node.calls("ann", json!([["Email/copy", arguments, "c"]]));
    let (copied, after) = (&answers[0][1], &answers[1]);
    assert_eq!(copied["fromAccountId"], bob);
    assert_eq!(copied["notCreated"]["gone"]["type"], "notFound");
    assert_eq!(copied["notCreated"]["odd"]["type"], "invalidProperties");
    assert_eq!((&after[0], &after[1]["destroyed"], &after[2]), (&json!("Email/set"), &json!([id]), &json!("c")));
    let got = node.call("ann", "Email/get", json!({"ids": [copied["created"]["k"]["id"]]}));
    assert_eq!((&got["list"][0]["subject"], &got["list"][0]["keywords"]), (&json!("x"), &json!({"$flagged": true})));
    let call = |arguments: Value| node.call("ann", "Email/copy", arguments);
    assert_eq!(call(json!({"fromAccountId": ann, "create": {}})), "invalidArguments");
    assert_eq!(call(json!({"fromAccountId": node.id("chen"), "create": {}})), "fromAccountNotFound");
    assert_eq!(call(json!({"fromAccountId": bob, "ifFromInState": "1", "create": {}})), "stateMismatch");
}

/// RFC 8621 §4.9.
#[test]
fn a_blob_is_read_as_a_message() {
    let node = Node::start();
    let (blob, other) = (upload(&node, "ann", RAW.as_bytes()), upload(&node, "ann", b"\0"));
    let inner = format!("{blob}-2");
    let parsed = node.call(
        "ann",
        "Email/parse",
        json!({"blobIds": [blob, inner, other, "U00"], "fetchTextBodyValues": true,
            "properties": ["id", "blobId", "subject", "bodyValues", "textBody", "attachments", "hasAttachment", "size"]}),
    );
    assert_eq!((&parsed["notParsable"], &parsed["notFound"]), (&json!([other]), &json!(["U00"])));
    let email = &parsed["parsed"][&blob];
    assert_eq!((&email["id"], &email["subject"], &email["size"]), (&Value::Null, &json!("陈"), &json!(RAW.len())));
    assert_eq!(email["bodyValues"]["1"]["value"], "hello");
    let attached = email["attachments"][0]["blobId"].as_str().unwrap();
    assert_eq!(attached, inner);
    assert_eq!(parsed["parsed"][&inner]["subject"], "inner");
    let plain = node.call("ann", "Email/parse", json!({"blobIds": [blob]}));
    assert_eq!(plain["parsed"][&blob]["from"][0]["email"], "ann@anser.test");
    assert_eq!(plain["parsed"][&blob].get("id"), None);
    assert_eq!(node.call("ann", "Email/parse", json!({"blobIds": [], "properties": ["colour"]})), "invalidArguments");
}
