//! The dialogues of RFC 9404.

use serde_json::{Value, json};

use super::dialogue::says;
use super::node::Node;

const FOX: &str = "The quick brown fox jumped over the lazy dog.";

/// §4.1.1: a picture of one dot.
#[test]
fn a_small_picture_is_made_within_a_request() {
    let node = Node::start();
    let dot = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    let answers = node.dialogue(
        "ann",
        json!([["Blob/upload", { "create": { "1": { "data": [{ "data:asBase64": dot }], "type": "image/gif" } } }, "R1"]]),
    );
    says(
        &answers,
        json!([["Blob/upload", { "accountId": node.id("ann"), "created": { "1": { "type": "image/gif", "size": 42 } } }, "R1"]]),
    );
    let id = &answers[0][1]["created"]["1"]["id"];
    let got = node.call("ann", "Blob/get", json!({ "ids": [id], "properties": ["data:asBase64"] }));
    assert_eq!(got["list"], json!([{ "id": id, "data:asBase64": dot }]));
}

/// §4.1.1: a blob of texts, and of pieces of one that the same request made.
#[test]
fn a_blob_is_put_together_of_pieces() {
    let node = Node::start();
    let answers = node.dialogue(
        "ann",
        json!([
            ["Blob/upload", { "create": { "b4": { "data": [{ "data:asText": FOX }] } } }, "S4"],
            ["Blob/upload", { "create": { "cat": { "data": [
                { "data:asText": "How" },
                { "blobId": "#b4", "length": 7, "offset": 3 },
                { "data:asText": "was t" },
                { "blobId": "#b4", "length": 1, "offset": 1 },
                { "data:asBase64": "YXQ/" },
            ] } } }, "CAT"],
            ["Blob/get", { "properties": ["data:asText", "size"], "ids": ["#cat"] }, "G4"],
        ]),
    );
    says(
        &answers,
        json!([
            ["Blob/upload", { "created": { "b4": { "type": null, "size": 45 } } }, "S4"],
            ["Blob/upload", { "created": { "cat": { "type": null, "size": 19 } } }, "CAT"],
            ["Blob/get", { "list": [{ "data:asText": "How quick was that?", "size": 19 }], "notFound": [] }, "G4"],
        ]),
    );
    assert_eq!(answers[2][1]["list"][0]["id"], answers[1][1]["created"]["cat"]["id"]);
}

fn got(node: &Node, id: &Value, more: Value) -> Value {
    let mut arguments = json!({ "ids": [id] });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut shown = node.call("ann", "Blob/get", arguments)["list"][0].take();
    shown.as_object_mut().unwrap().remove("id");
    shown
}

/// §4.2.1: the whole, a range, a range that goes too far.
#[test]
fn a_text_is_told_as_far_as_it_is_asked_for() {
    let node = Node::start();
    let id = node.upload("ann", "text/plain", FOX.as_bytes())["blobId"].take();
    assert_eq!(
        got(&node, &id, json!({ "properties": ["data:asText", "digest:sha", "size"] })),
        json!({ "data:asText": FOX, "digest:sha": "wIVPufsDxBzOOALLDSIFKebu+U4=", "size": 45 })
    );
    let asked =
        json!({ "properties": ["data:asText", "digest:sha", "digest:sha-256", "size"], "offset": 4, "length": 9 });
    assert_eq!(
        got(&node, &id, asked),
        json!({ "data:asText": "quick bro", "digest:sha": "QiRAPtfyX8K6tm1iOAtZ87Xj3Ww=",
            "digest:sha-256": "gdg9INW7lwHK6OQ9u0dwDz2ZY/gubi0En0xlFpKt0OA=", "size": 45 })
    );
    assert_eq!(got(&node, &id, json!({})), json!({ "data:asText": FOX, "size": 45 }), "what is told unasked");
    let far = json!({ "properties": ["data:asText", "size"], "offset": 40, "length": 20 });
    assert_eq!(got(&node, &id, far), json!({ "data:asText": " dog.", "isTruncated": true, "size": 45 }));
}

/// §4.2.1: what is no text is told in base64; a range of it may be a text.
#[test]
fn what_is_no_text_is_told_in_base64() {
    let node = Node::start();
    let id = node.upload("ann", "", b"The quick brown fox jumped over the \x81\x81 dog.")["blobId"].take();
    let (all, digest) =
        ("VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wZWQgb3ZlciB0aGUggYEgZG9nLg==", "cs+kgEGUVjaF2aS2lfe6IOdzlXY=");
    assert_eq!(
        got(&node, &id, json!({ "properties": ["data:asText", "digest:sha", "size"] })),
        json!({ "data:asText": null, "isEncodingProblem": true, "digest:sha": digest, "size": 43 })
    );
    assert_eq!(
        got(&node, &id, json!({ "properties": ["data:asText", "digest:sha", "size"], "offset": 0, "length": 5 })),
        json!({ "data:asText": "The q", "digest:sha": "orhH3Q6QvKg7QYEDuqY8Z8hbWjA=", "size": 43 })
    );
    let asked = json!({ "properties": ["data", "size"] });
    assert_eq!(got(&node, &id, asked), json!({ "data:asBase64": all, "size": 43 }));
}

/// §4.3.1: where a blob is used; one that is none is not found.
#[test]
fn a_blob_leads_to_what_refers_to_it() {
    let node = Node::start();
    let message = node.deliver("ann", "Subject: x\n\nx\n", 0).message;
    let email = format!("M{message}");
    let answers = node.dialogue(
        "ann",
        json!([
            ["Email/get", { "ids": [email], "properties": ["blobId", "threadId", "mailboxIds"] }, "0"],
            ["Blob/lookup", { "typeNames": ["Mailbox", "Thread", "Email"], "ids": [format!("B{message}"), "not-a-blob"] }, "R1"],
        ]),
    );
    let shown = &answers[0][1]["list"][0];
    let mailboxes: Vec<&String> = shown["mailboxIds"].as_object().unwrap().keys().collect();
    assert_eq!(
        answers[1][1],
        json!({ "accountId": node.id("ann"), "notFound": ["not-a-blob"], "list": [{ "id": shown["blobId"],
            "matchedIds": { "Mailbox": mailboxes, "Thread": [shown["threadId"]], "Email": [email] } }] })
    );
}
