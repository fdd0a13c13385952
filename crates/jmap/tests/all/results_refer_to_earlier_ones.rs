use serde_json::json;

use super::node::Node;

/// RFC 8620 §3.7.
#[test]
fn a_reference_stands_for_a_result() {
    let node = Node::start();
    let account = node.id("ann");
    let answers = node.calls(
        "ann",
        json!([
            ["Mailbox/query", {"accountId": account, "sort": [{"property": "sortOrder"}]}, "0"],
            ["Mailbox/get", {"accountId": account, "#ids": {"resultOf": "0", "name": "Mailbox/query", "path": "/ids"},
                "properties": ["name"]}, "1"],
            ["Core/echo", {"#names": {"resultOf": "1", "name": "Mailbox/get", "path": "/list/*/name"}}, "2"],
        ]),
    );
    assert_eq!(answers[2][1], json!({"names": ["INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"]}));
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    let node = Node::start();
    let first = json!(["Core/echo", {"a": [1]}, "0"]);
    for (reference, kind) in [
        (json!({"resultOf": "9", "name": "Core/echo", "path": "/a"}), "invalidResultReference"),
        (json!({"resultOf": "0", "name": "Mailbox/get", "path": "/a"}), "invalidResultReference"),
        (json!({"resultOf": "0", "name": "Core/echo", "path": "/b"}), "invalidResultReference"),
        (json!({"resultOf": "0", "name": "Core/echo"}), "invalidResultReference"),
        (json!("0"), "invalidResultReference"),
    ] {
        let answers = node.calls("ann", json!([first, ["Core/echo", {"#x": reference}, "1"]]));
        assert_eq!(answers[1][1]["type"], kind, "{reference}");
    }
    let twice = json!({"x": 1, "#x": {"resultOf": "0", "name": "Core/echo", "path": "/a"}});
    assert_eq!(node.calls("ann", json!([first, ["Core/echo", twice, "1"]]))[1][1]["type"], "invalidArguments");
}

/// Each echo doubles what the one before said.
#[test]
fn a_request_that_grows_by_references_is_stopped() {
    let node = Node::start();
    let mut calls = vec![json!(["Core/echo", {"a": "x".repeat(100_000)}, "0"])];
    for at in 1..32 {
        let of = (at - 1).to_string();
        let all = json!({"resultOf": of, "name": "Core/echo", "path": ""});
        calls.push(json!(["Core/echo", {"#a": all, "#b": all}, at.to_string()]));
    }
    let answers = node.calls("ann", json!(calls));
    assert!(answers.iter().any(|answer| answer[1]["type"] == "requestTooLarge"));
}
