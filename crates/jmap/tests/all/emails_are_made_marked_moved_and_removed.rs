use serde_json::json;

use super::node::Node;

/// RFC 8621 §4.6.
#[test]
fn a_draft_is_made_of_its_properties() {
    let node = Node::start();
    let drafts = node.role("ann", "drafts");
    let body = json!({"bodyValues": {"t": {"value": "你好\n"}, "h": {"value": "<p>Hi"}},
        "textBody": [{"partId": "t", "type": "text/plain"}], "htmlBody": [{"partId": "h", "type": "text/html"}]});
    let mut draft = json!({"mailboxIds": {drafts.clone(): true}, "keywords": {"$draft": true, "$seen": true},
        "from": [{"name": "Joe \"J\" Bloggs", "email": "joe@example.com"}], "subject": "Bcc: x\r\nBcc: y 陈",
        "receivedAt": "2026-01-02T03:04:05Z", "header:X-Colour:asText": "red", "inReplyTo": ["a@b"]});
    draft.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    let made = node.call("ann", "Email/set", json!({"create": {"k": draft}}));
    let id = made["created"]["k"]["id"].clone();
    assert!(id.is_string(), "{made}");
    let got = node.call("ann", "Email/get", json!({"ids": [id], "fetchAllBodyValues": true}));
    let email = &got["list"][0];
    assert_eq!(email["keywords"], json!({"$draft": true, "$seen": true}));
    assert_eq!(email["from"], json!([{"name": "Joe \"J\" Bloggs", "email": "joe@example.com"}]));
    assert_eq!(email["subject"], "Bcc: x  Bcc: y 陈");
    assert_eq!(email["bcc"], json!(null));
    assert_eq!(email["receivedAt"], "2026-01-02T03:04:05Z");
    assert_eq!(email["inReplyTo"], json!(["a@b"]));
    assert!(email["messageId"][0].as_str().unwrap().ends_with("@anser.test"));
    assert_eq!(email["sentAt"], "2027-01-15T08:00:00Z");
    let (text, html) = (&email["textBody"][0], &email["htmlBody"][0]);
    assert_eq!((&text["type"], &html["type"]), (&json!("text/plain"), &json!("text/html")));
    assert_eq!(email["bodyValues"][text["partId"].as_str().unwrap()]["value"], "你好\n");
    assert_eq!(made["created"]["k"]["size"], email["size"]);
}

#[test]
fn what_no_message_can_be_made_of_is_refused() {
    let node = Node::start();
    let drafts = node.role("ann", "drafts");
    let place = json!({drafts: true});
    for (object, property) in [
        (json!({}), "mailboxIds"),
        (json!({"mailboxIds": {}}), "mailboxIds"),
        (json!({"mailboxIds": {"F999": true}}), "mailboxIds"),
        (json!({"mailboxIds": {"#x": true}}), "mailboxIds"),
        (json!({"mailboxIds": place, "keywords": {"a b": true}}), "keywords"),
        (json!({"mailboxIds": place, "keywords": {"a": false}}), "keywords"),
        (json!({"mailboxIds": place, "receivedAt": "now"}), "receivedAt"),
        (json!({"mailboxIds": place, "colour": "red"}), "colour"),
        (json!({"mailboxIds": place, "header:Content-Type:asRaw": "x"}), "header:Content-Type:asRaw"),
        (json!({"mailboxIds": place, "from": "x@y"}), "from"),
        (json!({"mailboxIds": place, "subject": "a", "header:Subject:asText": "b"}), "subject"),
        (json!({"mailboxIds": place, "textBody": [{"partId": "1"}]}), "bodyValues"),
        (json!({"mailboxIds": place, "textBody": [{"partId": "1", "type": "text/html"}]}), "textBody"),
    ] {
        let made = node.call("ann", "Email/set", json!({"create": {"k": object}}));
        let error = &made["notCreated"]["k"];
        assert_eq!(
            (&error["type"], &error["properties"]),
            (&json!("invalidProperties"), &json!([property])),
            "{object}"
        );
    }
}

#[test]
fn keywords_and_mailboxes_change_and_messages_go() {
    let node = Node::start();
    let id = format!("M{}", node.deliver("ann", "Subject: x\n\nx\n", 0).message);
    let (inbox, trash, archive) = (node.role("ann", "inbox"), node.role("ann", "trash"), node.role("ann", "archive"));
    let email = || {
        node.call("ann", "Email/get", json!({"ids": [id], "properties": ["keywords", "mailboxIds"]}))["list"][0].clone()
    };
    let update = |patch: serde_json::Value| node.call("ann", "Email/set", json!({"update": {id.clone(): patch}}));
    assert_eq!(update(json!({"keywords": {"$Seen": true, "Work": true}}))["updated"], json!({id.clone(): null}));
    assert_eq!(email()["keywords"], json!({"$seen": true, "work": true}));
    update(json!({"keywords/$flagged": true, "keywords/work": null, format!("mailboxIds/{archive}"): true}));
    assert_eq!(email()["keywords"], json!({"$seen": true, "$flagged": true}));
    assert_eq!(email()["mailboxIds"], json!({inbox.clone(): true, archive: true}));
    update(json!({"mailboxIds": {trash.clone(): true}}));
    assert_eq!(email()["mailboxIds"], json!({trash.clone(): true}));
    for (patch, kind) in [
        (json!({"mailboxIds": {}}), "invalidProperties"),
        (json!({format!("mailboxIds/{trash}"): null}), "invalidProperties"),
        (json!({"mailboxIds/F999": true}), "invalidProperties"),
        (json!({"keywords/$seen": false}), "invalidProperties"),
        (json!({"keywords": {}, "keywords/$seen": true}), "invalidPatch"),
        (json!({"subject": "y"}), "invalidProperties"),
    ] {
        assert_eq!(update(patch.clone())["notUpdated"][&id]["type"], kind, "{patch}");
    }
    let gone = node.call("ann", "Email/set", json!({"destroy": [id, "M999"]}));
    assert_eq!((&gone["destroyed"], &gone["notDestroyed"]["M999"]["type"]), (&json!([id]), &json!("notFound")));
    assert_eq!(update(json!({"keywords": {}}))["notUpdated"][&id]["type"], "notFound");
    assert_eq!(node.call("ann", "Thread/get", json!({"ids": [id.replace('M', "T")]}))["list"], json!([]));
    assert_eq!(inbox, node.role("ann", "inbox"));
}
