use anser_mime::build::base64_lines;
use serde_json::{Value, json};

use super::node::Node;

/// A client that keeps things for its user finds them again, each under one key.
#[test]
fn documents_are_kept_by_key() {
    Node::on_each_engine(|node| {
        let state = node.call("ann", "Document/get", json!({}))["state"].clone();
        let made = node.call(
            "ann",
            "Document/set",
            json!({"create": {
            "a": {"key": "web/settings", "value": {"density": "compact", "panes": [1, 2]}},
            "b": {"key": "bad key", "value": 1}, "c": {"key": "x", "value": 1, "colour": 2}}}),
        );
        let id = made["created"]["a"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        assert_eq!(made["notCreated"]["b"]["properties"], json!(["key"]));
        assert_eq!(made["notCreated"]["c"]["properties"], json!(["colour"]));
        let twice = node.call("ann", "Document/set", json!({"create": {"a": {"key": "web/settings", "value": 1}}}));
        assert_eq!(
            (&twice["notCreated"]["a"]["type"], &twice["notCreated"]["a"]["existingId"]),
            (&json!("alreadyExists"), &json!(id))
        );
        let patch = json!({"value/density": "wide", "value/tabs": {"1": "M3"}});
        let changed = node.call("ann", "Document/set", json!({"update": {id.clone(): patch, "D999": {"value": 1}}}));
        assert_eq!(
            (&changed["updated"], &changed["notUpdated"]["D999"]["type"]),
            (&json!({id.clone(): null}), &json!("notFound"))
        );
        let got = node.call("ann", "Document/get", json!({"ids": [id, "D999"]}));
        let value = json!({"density": "wide", "panes": [1, 2], "tabs": {"1": "M3"}});
        assert_eq!(got["list"], json!([{"id": id, "key": "web/settings", "value": value}]));
        assert_eq!(got["notFound"], json!(["D999"]));
        let changes = node.call("ann", "Document/changes", json!({"sinceState": state}));
        assert_eq!(changes["created"], json!([id]));
        assert_eq!(node.call("bob", "Document/get", json!({}))["list"], json!([]));
        let gone = node.call("ann", "Document/set", json!({"ifInState": state, "destroy": [id]}));
        assert_eq!(gone, "stateMismatch");
        let gone = node.call("ann", "Document/set", json!({"destroy": [id, "x"]}));
        assert_eq!((&gone["destroyed"], &gone["notDestroyed"]["x"]["type"]), (&json!([id]), &json!("notFound")));
        let long = "x".repeat(300_000);
        let refused = node.call("ann", "Document/set", json!({"create": {"a": {"key": "x", "value": long}}}));
        assert_eq!(refused["notCreated"]["a"]["type"], "tooLarge");
    });
}

#[test]
fn a_note_is_found_by_its_words_and_by_when_it_is_due() {
    let node = Node::start();
    let email = |subject: &str| format!("M{}", node.deliver("ann", &format!("Subject: {subject}\n\nx\n"), 0).message);
    let (one, two) = (email("one"), email("two"));
    let made = node.call("ann", "Note/set", json!({"create": {
        "a": {"emailId": one, "text": "Ask 陈雁 about the Budget"}, "b": {"emailId": two, "due": "2027-02-01T00:00:00Z"},
        "c": {"emailId": "M999"}, "d": {"emailId": two, "due": "soon"}}}));
    let id = |key: &str| made["created"][key]["id"].clone();
    assert_eq!(made["created"]["b"]["text"], "");
    assert_eq!(made["notCreated"]["c"]["properties"], json!(["emailId"]));
    assert_eq!(made["notCreated"]["d"]["type"], "invalidProperties");
    let again = node.call("ann", "Note/set", json!({"create": {"a": {"emailId": one}}}));
    assert_eq!(again["notCreated"]["a"]["existingId"], id("a"));
    let found = |filter: Value| node.call("ann", "Note/query", json!({ "filter": filter }))["ids"].clone();
    assert_eq!(found(json!(null)), json!([id("b"), id("a")]));
    assert_eq!(found(json!({"text": "budget"})), json!([id("a")]));
    assert_eq!(found(json!({"text": "陈雁"})), json!([id("a")]));
    assert_eq!(found(json!({"emailIds": [two]})), json!([id("b")]));
    assert_eq!(found(json!({"dueBefore": "2027-03-01T00:00:00Z"})), json!([id("b")]));
    assert_eq!(found(json!({"hasDue": false})), json!([id("a")]));
    assert_eq!(found(json!({"colour": 1})), Value::Null);
}

/// HTML is shown without what runs or loads; pictures of the message are shown, those of others wait.
#[test]
fn a_message_is_shown_harmless() {
    let node = Node::start();
    let raw = "Subject: x\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n\n\
        <script>x()</script><p onclick=x>你好 <img src=\"cid:a@b\"><img src=\"https://far.example/i.png\"></p>\n--b\nContent-Type: image/png\n\
        Content-ID: <a@b>\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n";
    let id = format!("M{}", node.deliver("ann", raw, 0).message);
    let view = |more: Value| {
        let mut asked = json!({"ids": [id, "M999"]});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node.call("ann", "EmailView/get", asked)
    };
    let got = view(json!({}));
    assert_eq!(got["notFound"], json!(["M999"]));
    let html = got["list"][0]["html"].as_str().unwrap_or_else(|| panic!("{got}"));
    let (account, blob) = (node.id("ann"), id.replace('M', "B"));
    let own = format!("<img src=\"/jmap/download/{account}/{blob}-2/picture?accept=image%2Fpng\">");
    assert!(
        html.contains("<p>你好")
            && html.contains(&own)
            && html.contains("<img data-src=\"https://far.example/i.png\">"),
        "{html}"
    );
    assert!(!html.contains("script") && !html.contains("onclick"), "{html}");
    assert_eq!((&got["list"][0]["remoteImages"], &got["list"][0]["authentication"]), (&json!(1), &json!(null)));
    let path = html.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(node.as_user("ann", "GET", path, "", b"").body, [0, 0, 0]);
    let fetched = view(json!({"images": "fetched"}));
    let (begin, end) = (format!("src=\"/jmap/image/{account}/"), "?url=https%3A%2F%2Ffar.example%2Fi.png\"");
    let shown = fetched["list"][0]["html"].as_str().unwrap();
    assert!(shown.contains(&begin) && shown.contains(end), "{fetched}");
    assert_eq!(view(json!({"images": "all"})), "invalidArguments");
    let chinese = [0xC4, 0xE3, 0xBA, 0xC3];
    let raw = format!(
        "Subject: y\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64\n\n{}",
        String::from_utf8(base64_lines(&chinese)).unwrap()
    );
    let id = format!("M{}", node.deliver("ann", &raw, 0).message);
    let read = |charset: Value| {
        let got = node.call("ann", "EmailView/get", json!({"ids": [id], "charset": charset, "properties": ["html"]}));
        got["list"][0]["html"].as_str().unwrap_or_else(|| panic!("{got}")).to_owned()
    };
    assert!(read(json!("gbk")).contains("你好"));
    assert_eq!(node.call("ann", "EmailView/get", json!({"ids": [id], "charset": "none"})), "invalidArguments");
}

/// What a filter finds is changed or removed as a whole, and how far that is can be asked.
#[test]
fn everything_that_a_filter_finds_is_changed_at_once() {
    Node::on_each_engine(|node| {
        for at in 0..250 {
            node.deliver("ann", &format!("Subject: {}\n\nx\n", if at % 2 == 0 { "even" } else { "odd" }), at);
        }
        let trash = node.role("ann", "trash");
        let bulk = |object: Value| {
            let made = node.call("ann", "Bulk/set", json!({"create": {"a": object}}));
            let id = made["created"]["a"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
            loop {
                let got = node.call("ann", "Bulk/get", json!({"ids": [id]}))["list"][0].clone();
                if got["state"] != "running" {
                    return got;
                }
                std::thread::yield_now();
            }
        };
        let count = |filter: Value| {
            let found = node.call("ann", "Email/query", json!({"filter": filter, "calculateTotal": true}));
            found["total"].as_u64().unwrap()
        };
        let moved = bulk(
            json!({"filter": {"subject": "even"}, "update": {"mailboxIds": {trash.clone(): true}, "keywords/$seen": true}}),
        );
        assert_eq!(
            (&moved["state"], &moved["total"], &moved["done"], &moved["failed"]),
            (&json!("done"), &json!(125), &json!(125), &json!(0))
        );
        assert_eq!(count(json!({"inMailbox": trash, "hasKeyword": "$seen"})), 125);
        let gone = bulk(json!({"filter": {"inMailbox": trash}, "destroy": true}));
        assert_eq!((&gone["state"], &gone["done"]), (&json!("done"), &json!(125)));
        assert_eq!(count(json!(null)), 125);
        let wrong = bulk(json!({"filter": null, "update": {"mailboxIds/F999": true}}));
        assert_eq!((&wrong["done"], &wrong["failed"]), (&json!(0), &json!(125)));
        let refused = node.call(
            "ann",
            "Bulk/set",
            json!({"create": {"a": {"filter": null}, "b": {"destroy": false}}, "destroy": ["J"]}),
        );
        assert_eq!(refused["notCreated"]["a"]["type"], "invalidProperties");
        assert_eq!(refused["notDestroyed"]["J"]["type"], "notFound");
        assert_eq!(node.call("bob", "Bulk/get", json!({}))["list"], json!([]));
    });
}

#[test]
fn a_message_within_a_message_is_shown_harmless() {
    let node = Node::start();
    let raw = "Subject: outer\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nsee\n--b\n\
        Content-Type: message/rfc822\n\nSubject: inner\nContent-Type: text/html\n\n<p onclick=x>inner</p><script>x</script>\n--b--\n";
    let id = format!("M{}", node.deliver("ann", raw, 0).message);
    let got = node.call("ann", "Email/get", json!({"ids": [id], "properties": ["attachments"]}));
    let blob = got["list"][0]["attachments"][0]["blobId"].clone();
    let view = node.call("ann", "EmailView/get", json!({"blobIds": [blob, "Unone"]}));
    let html = view["list"][0]["html"].as_str().unwrap_or_else(|| panic!("{view}"));
    assert!(html.contains("<p>inner</p>") && !html.contains("script"), "{html}");
    assert_eq!((&view["list"][0]["id"], &view["list"][0]["authentication"]), (&blob, &json!(null)));
    assert_eq!(view["notFound"], json!(["Unone"]));
    let both = node.call("ann", "EmailView/get", json!({"ids": [id], "blobIds": [blob]}));
    assert_eq!(both["list"].as_array().unwrap().len(), 2);
    assert_eq!(node.call("ann", "EmailView/get", json!({})), "requestTooLarge");
}
