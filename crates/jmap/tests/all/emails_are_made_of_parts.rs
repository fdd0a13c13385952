use serde_json::{Value, json};

use super::node::Node;

fn upload(node: &Node, kind: &str, body: &[u8]) -> Value {
    node.upload("ann", kind, body)["blobId"].take()
}

fn made(node: &Node, mut object: Value) -> Value {
    object["mailboxIds"] = json!({node.role("ann", "drafts"): true});
    node.call("ann", "Email/set", json!({"create": {"k": object}}))
}

fn get(node: &Node, made: &Value) -> Value {
    assert!(made["created"]["k"]["id"].is_string(), "{made}");
    let parts = [
        "partId",
        "blobId",
        "size",
        "name",
        "type",
        "charset",
        "disposition",
        "cid",
        "language",
        "subParts",
        "header:X-A:asText",
    ];
    let asked = json!({"ids": [made["created"]["k"]["id"]], "fetchAllBodyValues": true, "bodyProperties": parts,
        "properties": ["bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments", "size"]});
    node.call("ann", "Email/get", asked)["list"][0].take()
}

fn download(node: &Node, part: &Value) -> Vec<u8> {
    let blob = part["blobId"].as_str().unwrap();
    node.as_user("ann", "GET", &format!("/jmap/download/{}/{blob}/x", node.id("ann")), "", b"").body
}

/// RFC 8621 §4.6.
#[test]
fn texts_and_attachments_are_put_together() {
    let node = Node::start();
    let bytes: Vec<u8> = (0..700_000_u32).map(|at| (at % 251) as u8).collect();
    let (large, image) = (upload(&node, "application/zip", &bytes), upload(&node, "image/png", b"\0\x01"));
    let message = upload(&node, "message/rfc822", "Subject: 陈\r\n\r\nx\r\n".as_bytes());
    let name = format!("{}.zip", "报告".repeat(40));
    let made = made(
        &node,
        json!({"bodyValues": {"t": {"value": "hi"}, "h": {"value": "<img src='cid:i@x'>"}},
            "textBody": [{"partId": "t"}], "htmlBody": [{"partId": "h", "type": "text/html"}],
            "attachments": [{"blobId": large, "type": "application/zip", "name": name},
                {"blobId": image, "type": "image/png", "cid": "i@x"}, {"blobId": message, "type": "message/rfc822"}]}),
    );
    let email = get(&node, &made);
    let kinds =
        |part: &Value| part["subParts"].as_array().unwrap().iter().map(|part| part["type"].clone()).collect::<Vec<_>>();
    let root = &email["bodyStructure"];
    assert_eq!(
        (&root["type"], kinds(root)),
        (
            &json!("multipart/mixed"),
            vec![json!("multipart/alternative"), json!("application/zip"), json!("message/rfc822")]
        )
    );
    let alternative = &root["subParts"][0];
    assert_eq!(kinds(alternative), ["text/plain", "multipart/related"]);
    assert_eq!(kinds(&alternative["subParts"][1]), ["text/html", "image/png"]);
    let attached =
        |kind: &str| email["attachments"].as_array().unwrap().iter().find(|part| part["type"] == kind).unwrap();
    let (zip, png, inner) = (attached("application/zip"), attached("image/png"), attached("message/rfc822"));
    assert_eq!((&zip["name"], &zip["disposition"]), (&json!(name), &json!("attachment")));
    assert_eq!((&png["cid"], &png["disposition"]), (&json!("i@x"), &json!("inline")));
    assert!(download(&node, zip) == bytes);
    assert_eq!(download(&node, inner), "Subject: 陈\r\n\r\nx\r\n".as_bytes());
    assert_eq!(made["created"]["k"]["size"], email["size"]);
}

#[test]
fn a_whole_structure_can_be_given() {
    let node = Node::start();
    let blob = upload(&node, "text/csv", "ä;b\r\n".as_bytes());
    let structure = json!({"type": "multipart/mixed", "header:X-A:asText": "root", "subParts": [
        {"type": "multipart/digest", "subParts": [{"partId": "a", "language": ["de", "zh-CN"], "header:X-A:asText": "ü"}]},
        {"blobId": blob, "type": "text/csv", "charset": "utf-8", "disposition": "inline", "name": "a \"b\".csv"}]});
    let made = made(&node, json!({"bodyStructure": structure, "bodyValues": {"a": {"value": "text"}}}));
    let root = get(&node, &made)["bodyStructure"].take();
    assert_eq!((&root["type"], &root["header:X-A:asText"]), (&json!("multipart/mixed"), &json!("root")));
    let text = &root["subParts"][0]["subParts"][0];
    assert_eq!((&text["language"], &text["header:X-A:asText"]), (&json!(["de", "zh-CN"]), &json!("ü")));
    let csv = &root["subParts"][1];
    assert_eq!(
        (&csv["name"], &csv["charset"], &csv["disposition"]),
        (&json!("a \"b\".csv"), &json!("utf-8"), &json!("inline"))
    );
    assert_eq!(download(&node, csv), "ä;b\r\n".as_bytes());
}

#[test]
fn parts_that_cannot_be_are_refused() {
    let node = Node::start();
    let values = json!({"a": {"value": "x"}});
    for (property, part) in [
        ("bodyStructure", json!({"partId": "a", "blobId": "U00"})),
        ("bodyStructure", json!({})),
        ("bodyStructure", json!({"partId": "a", "charset": "utf-8"})),
        ("bodyStructure", json!({"partId": "a", "size": 1})),
        ("bodyStructure", json!({"partId": "a", "type": "image/png"})),
        ("bodyStructure", json!({"partId": "a", "type": "text/plain\r\nX: y"})),
        ("bodyStructure", json!({"partId": "a", "colour": "red"})),
        ("bodyStructure", json!({"partId": "a", "headers": []})),
        ("bodyStructure", json!({"partId": "a", "header:Content-Type": "x"})),
        ("bodyStructure", json!({"partId": "a", "cid": "a b"})),
        ("bodyStructure", json!({"partId": "a", "disposition": "in line"})),
        ("bodyStructure", json!({"partId": "a", "language": ["a\r\nb"]})),
        ("bodyStructure", json!({"type": "multipart/mixed"})),
        ("bodyStructure", json!({"type": "text/plain", "subParts": []})),
        ("bodyStructure", json!({"type": "multipart/mixed", "partId": "a", "subParts": []})),
        ("bodyValues", json!({"partId": "b"})),
    ] {
        let made = made(&node, json!({"bodyStructure": part, "bodyValues": values}));
        assert_eq!(made["notCreated"]["k"]["properties"], json!([property]), "{part} {made}");
    }
    let twice =
        made(&node, json!({"bodyStructure": {"partId": "a"}, "textBody": [{"partId": "a"}], "bodyValues": values}));
    assert_eq!(twice["notCreated"]["k"]["properties"], json!(["textBody"]));
    let gone = made(&node, json!({"attachments": [{"blobId": "U00"}, {"blobId": "B99-1"}]}));
    assert_eq!(gone["notCreated"]["k"], json!({"type": "blobNotFound", "notFound": ["U00", "B99-1"]}));
    let blob = upload(&node, "text/plain", b"x");
    let part = format!("{}-3", blob.as_str().unwrap());
    let gone = made(&node, json!({"attachments": [{"blobId": part}]}));
    assert_eq!(gone["notCreated"]["k"], json!({"type": "blobNotFound", "notFound": [part]}));
}

#[test]
fn a_message_may_be_so_large_and_no_larger() {
    let node = Node::with(anser_jmap::Limits { size_upload: 3_000, ..Default::default() });
    let blob = upload(&node, "", &[7; 2_500]);
    let made = made(&node, json!({"attachments": [{"blobId": blob}]}));
    assert_eq!(made["notCreated"]["k"], json!({"type": "tooLarge", "maxSize": 3_000}));
}
