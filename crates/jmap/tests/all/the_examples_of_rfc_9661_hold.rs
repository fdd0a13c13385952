//! The dialogues of RFC 9661.

use serde_json::{Value, json};

use super::dialogue::{refers, says};
use super::node::Node;

const FLAG: &str = "require \"imap4flags\";\r\nif address :is [\"To\", \"Cc\"] \"jmap@ietf.org\" {\r\n  setflag \"\\\\Flagged\";\r\n}\r\n";
const FILE: &str =
    "require \"fileinto\";\r\nif header :contains \"subject\" \"sale\" {\r\n  fileinto \"Trash\";\r\n}\r\n";

/// §2.4.1: made of a blob, and active with the same call; what the server set is told.
#[test]
fn a_script_is_uploaded_made_and_activated() {
    let node = Node::start();
    let blob = node.upload("ann", "application/sieve", FLAG.as_bytes());
    says(
        std::slice::from_ref(&blob),
        json!([{ "accountId": node.id("ann"), "type": "application/sieve", "size": FLAG.len() }]),
    );
    let answers = node.dialogue(
        "ann",
        json!([["SieveScript/set", { "create": { "A": { "name": null, "blobId": blob["blobId"] } },
            "onSuccessActivateScript": "#A" }, "0"]]),
    );
    says(
        &answers,
        json!([["SieveScript/set", { "accountId": node.id("ann"), "created": { "A": { "isActive": true } }, "notCreated": null }, "0"]]),
    );
    assert!(answers[0][1]["created"]["A"]["name"].is_string(), "{answers:?}");
    assert_ne!(answers[0][1]["oldState"], answers[0][1]["newState"]);
}

/// §2.4.1: the text of a script becomes another one, out of a blob that the same request makes.
#[test]
fn the_text_of_a_script_becomes_another_one() {
    let node = Node::start();
    let made = node.dialogue(
        "ann",
        json!([
            ["Blob/upload", { "create": { "A": { "data": [{ "data:asText": FLAG }], "type": "application/sieve" } } }, "0"],
            ["SieveScript/set", { "create": { "B": { "name": "test1", "blobId": "#A" } }, "onSuccessActivateScript": "#B" }, "1"],
            ["Blob/upload", { "create": { "C": { "data": [{ "data:asText": FILE }], "type": "application/sieve" } } }, "2"],
            ["SieveScript/set", { "update": { "#B": { "blobId": "#C" } } }, "3"],
        ]),
    );
    let id = made[1][1]["created"]["B"]["id"].as_str().unwrap_or_else(|| panic!("{made:?}"));
    let blob = made[3][1]["updated"][id]["blobId"].as_str().unwrap();
    let got = node.as_user(
        "ann",
        "GET",
        &format!("/jmap/download/{}/{blob}/test1.siv?accept=application/sieve", node.id("ann")),
        "",
        b"",
    );
    assert_eq!(String::from_utf8(got.body).unwrap(), FILE);
    // §2.3.1: it is fetched with its state.
    let answers = node.dialogue("ann", json!([["SieveScript/get", {}, "0"]]));
    says(
        &answers,
        json!([["SieveScript/get", { "state": made[3][1]["newState"], "list": [{ "id": id, "name": "test1", "isActive": true,
            "blobId": blob }], "notFound": [] }, "0"]]),
    );
}

/// §2.4.1: its name becomes another one while another script becomes active, and none is.
#[test]
fn scripts_are_renamed_switched_and_removed() {
    let node = Node::start();
    let blob = |text: &str| node.upload("ann", "application/sieve", text.as_bytes())["blobId"].take();
    let made = node.call(
        "ann",
        "SieveScript/set",
        json!({ "create": { "A": { "name": "one", "blobId": blob(FLAG) }, "B": { "name": "two", "blobId": blob(FILE) } },
            "onSuccessActivateScript": "#A" }),
    );
    let [one, two] = ["A", "B"].map(|key| made["created"][key]["id"].as_str().unwrap().to_owned());
    let set = |arguments: Value| node.dialogue("ann", json!([["SieveScript/set", arguments, "0"]]));
    says(
        &set(json!({ "update": { &two: { "name": "vacation" } }, "onSuccessActivateScript": two })),
        json!([["SieveScript/set", { "updated": { &one: { "isActive": false }, &two: { "isActive": true } } }, "0"]]),
    );
    says(
        &set(json!({ "destroy": [two] })),
        json!([["SieveScript/set", { "destroyed": null, "notDestroyed": { &two: { "type": "sieveIsActive" } } }, "0"]]),
    );
    // Of two that are to be done one is not: nothing is deactivated.
    says(
        &set(json!({ "destroy": ["V99"], "onSuccessDeactivateScript": true })),
        json!([["SieveScript/set", { "updated": null, "notDestroyed": { "V99": { "type": "notFound" } } }, "0"]]),
    );
    says(
        &set(json!({ "onSuccessDeactivateScript": true })),
        json!([["SieveScript/set", { "updated": { &two: { "isActive": false } } }, "0"]]),
    );
    says(&set(json!({ "destroy": [one, two] })), json!([["SieveScript/set", { "destroyed": [one, two] }, "0"]]));
}

/// §2.5: the active one is found and fetched.
#[test]
fn the_active_script_is_found() {
    let node = Node::start();
    let blob = node.upload("ann", "application/sieve", FLAG.as_bytes())["blobId"].take();
    let create = json!({ "A": { "name": "alpha", "blobId": blob }, "B": { "name": "beta", "blobId": blob } });
    node.call("ann", "SieveScript/set", json!({ "create": create, "onSuccessActivateScript": "#B" }));
    let answers = node.dialogue(
        "ann",
        json!([
            ["SieveScript/query", { "filter": { "isActive": true }, "sort": [{ "property": "name" }] }, "0"],
            ["SieveScript/get", { "#ids": refers("0", "SieveScript/query", "/ids"), "properties": ["name", "isActive"] }, "1"],
            ["SieveScript/query", { "sort": [{ "property": "isActive", "isAscending": false }, { "property": "name" }] }, "2"],
        ]),
    );
    says(&answers[1..2], json!([["SieveScript/get", { "list": [{ "name": "beta", "isActive": true }] }, "1"]]));
    assert_eq!(answers[2][1]["ids"][0], answers[0][1]["ids"][0], "the active one first");
}

/// §2.6: a script is looked at and not kept.
#[test]
fn a_script_is_checked_without_being_kept() {
    let node = Node::start();
    let answers = node.dialogue(
        "ann",
        json!([
            ["Blob/upload", { "create": { "good": { "data": [{ "data:asText": FLAG }] }, "bad": { "data": [{ "data:asText": "setflag 1" }] } } }, "0"],
            ["SieveScript/validate", { "blobId": "#good" }, "1"],
            ["SieveScript/validate", { "blobId": "#bad" }, "2"],
            ["SieveScript/get", {}, "3"],
        ]),
    );
    says(
        &answers[1..],
        json!([
            ["SieveScript/validate", { "accountId": node.id("ann"), "error": null }, "1"],
            ["SieveScript/validate", { "error": { "type": "invalidSieve" } }, "2"],
            ["SieveScript/get", { "list": [] }, "3"],
        ]),
    );
}
