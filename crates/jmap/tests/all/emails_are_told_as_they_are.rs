use serde_json::json;

use super::node::Node;

const MIXED: &str = "From: =?utf-8?B?6ZmI?= <chen@anser.test>\nTo: ann@anser.test, Bob <bob@anser.test>\nSubject: Dinner on Thursday?\n\
    Date: Thu, 30 Oct 2014 14:12:00 +0800\nMessage-ID: <1@anser.test>\nReferences: <0@anser.test>\nX-Colour: red\nX-Colour: blue\n\
    MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
    --b\nContent-Type: text/plain; charset=utf-8\n\n\u{4f60}\u{597d}, Ann\n--b\nContent-Type: text/html\n\n<p>Hello <b>Ann</b></p>\n\
    --b\nContent-Type: image/png; name=x.png\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\nContent-ID: <c@x>\n\nAAEC\n--b--\n";

#[test]
fn every_property_is_told() {
    let node = Node::start();
    let message = node.deliver("ann", MIXED, 0).message;
    let id = format!("M{message}");
    let inbox = node.role("ann", "inbox");
    let got = node.call(
        "ann",
        "Email/get",
        json!({"ids": [id, "M999", "x"], "fetchTextBodyValues": true, "fetchHTMLBodyValues": true}),
    );
    assert_eq!(got["notFound"].as_array().unwrap().len(), 2);
    let email = &got["list"][0];
    for (name, value) in [
        ("id", json!(id)),
        ("blobId", json!(format!("B{message}"))),
        ("threadId", json!(format!("T{message}"))),
        ("mailboxIds", json!({inbox: true})),
        ("keywords", json!({})),
        ("receivedAt", json!("2027-01-15T08:00:00Z")),
        ("sentAt", json!("2014-10-30T14:12:00+08:00")),
        ("subject", json!("Dinner on Thursday?")),
        ("messageId", json!(["1@anser.test"])),
        ("references", json!(["0@anser.test"])),
        ("inReplyTo", json!(null)),
        ("from", json!([{"name": "陈", "email": "chen@anser.test"}])),
        ("to", json!([{"name": null, "email": "ann@anser.test"}, {"name": "Bob", "email": "bob@anser.test"}])),
        ("sender", json!(null)),
        ("hasAttachment", json!(true)),
        ("size", json!(MIXED.replace('\n', "\r\n").len())),
    ] {
        assert_eq!(email[name], value, "{name}");
    }
    assert!(email["preview"].as_str().unwrap().starts_with("你好, Ann"));
    assert_eq!(email["textBody"][0]["partId"], "1");
    assert_eq!(
        email["bodyValues"]["1"],
        json!({"value": "你好, Ann", "isEncodingProblem": false, "isTruncated": false})
    );
    assert_eq!(email["bodyValues"]["2"]["value"], "<p>Hello <b>Ann</b></p>");
    assert_eq!(
        email["attachments"],
        json!([{"partId": "3", "blobId": format!("B{message}-3"), "size": 3, "name": "x.png", "type": "image/png",
            "charset": null, "disposition": "attachment", "cid": "c@x", "language": null, "location": null}])
    );
}

/// RFC 8621 §4.1.3, §4.2.
#[test]
fn all_fields_are_told_as_they_stand() {
    let node = Node::start();
    let id = format!("M{}", node.deliver("ann", MIXED, 0).message);
    let wanted = json!({ "ids": [id], "properties": ["headers", "subject"] });
    let email = node.call("ann", "Email/get", wanted)["list"][0].take();
    let headers = email["headers"].as_array().unwrap();
    assert_eq!(headers.len(), 10, "{email}");
    assert_eq!(headers[0], json!({ "name": "From", "value": " =?utf-8?B?6ZmI?= <chen@anser.test>" }));
    assert_eq!(headers[7], json!({ "name": "X-Colour", "value": " blue" }));
    assert_eq!(email["subject"], "Dinner on Thursday?");
    let parsed =
        node.call("ann", "Email/parse", json!({ "blobIds": [format!("B{}", &id[1..])], "properties": ["headers"] }));
    assert_eq!(parsed["parsed"][format!("B{}", &id[1..])]["headers"], email["headers"]);
    let unasked = node.call("ann", "Email/get", json!({ "ids": [id] }));
    assert!(unasked["list"][0].get("headers").is_none());
    let made = node.call(
        "ann",
        "Email/set",
        json!({ "create": { "a": { "mailboxIds": { node.role("ann", "inbox"): true },
        "headers": [{ "name": "X", "value": "y" }] } } }),
    );
    assert_eq!(made["notCreated"]["a"]["properties"], json!(["headers"]), "§4.6");
}

/// RFC 8621 §4.1.2, §4.2.
#[test]
fn only_what_is_asked_for_is_told() {
    let node = Node::start();
    let id = format!("M{}", node.deliver("ann", MIXED, 0).message);
    let got = node.call(
        "ann",
        "Email/get",
        json!({"ids": [id], "properties": ["header:x-colour:asText:all", "header:X-Colour", "bodyStructure", "bodyValues"],
            "bodyProperties": ["partId", "type", "header:Content-ID:asMessageIds"], "fetchAllBodyValues": true, "maxBodyValueBytes": 7}),
    );
    let leaf = |part: &str, kind: &str| json!({"partId": part, "type": kind, "header:Content-ID:asMessageIds": null});
    let mut png = leaf("3", "image/png");
    png["header:Content-ID:asMessageIds"] = json!(["c@x"]);
    let mut root = leaf("0", "multipart/mixed");
    root["partId"] = json!(null);
    root.as_object_mut().unwrap().remove("partId");
    root["subParts"] = json!([leaf("1", "text/plain"), leaf("2", "text/html"), png]);
    let email = &got["list"][0];
    assert_eq!(email["header:x-colour:asText:all"], json!(["red", "blue"]));
    assert_eq!(email["header:X-Colour"], " blue");
    assert_eq!(email["bodyValues"]["1"], json!({"value": "你好,", "isEncodingProblem": false, "isTruncated": true}));
    assert_eq!(email["bodyValues"]["2"], json!({"value": "<p>Hell", "isEncodingProblem": false, "isTruncated": true}));
    let mut told = email["bodyStructure"].clone();
    told.as_object_mut().unwrap().remove("partId");
    assert_eq!(told, root);
    for refused in [
        json!({"ids": [id], "properties": ["header:From:asText"]}),
        json!({"ids": [id], "bodyProperties": ["colour"]}),
        json!({"ids": [id], "maxBodyValueBytes": -1}),
    ] {
        assert_eq!(node.call("ann", "Email/get", refused), "invalidArguments");
    }
    assert_eq!(node.call("ann", "Email/get", json!({"ids": null})), "requestTooLarge");
}

/// RFC 8621 §3, §10.1.
#[test]
fn threads_are_told_oldest_first_and_deleted_messages_not_at_all() {
    let node = Node::start();
    let first = node.deliver("ann", "Message-ID: <1@x>\nSubject: a\n\nx\n", 5);
    let second = node.deliver("ann", "Message-ID: <2@x>\nReferences: <1@x>\nSubject: Re: a\n\nx\n", 0);
    let thread = format!("T{}", first.message);
    let ids = json!([format!("M{}", second.message), format!("M{}", first.message)]);
    let got = node.call("ann", "Thread/get", json!({"ids": [thread, "T999"]}));
    assert_eq!(got["list"], json!([{"id": thread, "emailIds": ids}]));
    assert_eq!(got["notFound"], json!(["T999"]));
    let uid = second.places[0].2;
    node.write("ann", move |tx| {
        let (inbox, none) = (tx.inbox()?.id, Default::default());
        tx.store_flags(inbox, &[uid], anser_store::FlagAct::Add, anser_store::Flags::DELETED, &none, None).map(drop)
    });
    assert_eq!(node.call("ann", "Thread/get", json!({"ids": [thread]}))["list"][0]["emailIds"], json!([ids[1]]));
    assert_eq!(node.call("ann", "Email/get", json!({"ids": [ids[0]]}))["notFound"], json!([ids[0]]));
    assert_eq!(node.call("ann", "Email/query", json!({}))["ids"], json!([ids[1]]));
    let changes = node.call("ann", "Email/changes", json!({"sinceState": got["state"]}));
    assert_eq!(changes["destroyed"], json!([ids[0]]));
    let inbox = node.role("ann", "inbox");
    assert_eq!(node.call("ann", "Mailbox/get", json!({"ids": [inbox]}))["list"][0]["totalEmails"], 1);
}
