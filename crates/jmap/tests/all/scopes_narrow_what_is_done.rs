//! Tokens that may do less than their owner.

use std::time::Duration;

use anser_directory::{AppPasswordKind, Services};
use serde_json::{Value, json};

use super::node::Node;

fn call(node: &Node, token: &str, method: &str, arguments: Value) -> Value {
    let using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail", "urn:ietf:params:jmap:submission"];
    let body = json!({ "using": using, "methodCalls": [[method, arguments, "c"]] }).to_string();
    let authorization = format!("Bearer {token}");
    let fields = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let answer = node.http("POST", "/jmap/api", &fields, body.as_bytes());
    assert_eq!(answer.status, 200);
    answer.json()["methodResponses"][0].take()
}

#[test]
fn a_token_that_reads_changes_nothing_and_one_without_submission_sends_nothing() {
    let node = Node::start();
    let ann = node.account("ann");
    let token = |name: &'static str, services| {
        let life = Some(Duration::from_secs(3600));
        let made = node.door.directory.add_app_password(ann, AppPasswordKind::Bearer, name, services, life);
        node.door.runtime.block_on(made).unwrap().password
    };
    let account = node.id("ann");
    let make = json!({ "accountId": account, "create": { "a": { "name": "New" } } });
    let send = json!({ "accountId": account, "create": {} });
    let reader = token("reader", Services::ALL.with(Services::READ_ONLY));
    assert_eq!(call(&node, &reader, "Mailbox/get", json!({ "accountId": account }))[0], "Mailbox/get");
    assert_eq!(call(&node, &reader, "Mailbox/set", make.clone())[1]["type"], "forbidden");
    let authorization = format!("Bearer {reader}");
    let upload = node.http("POST", &format!("/jmap/upload/{account}"), &[("Authorization", &authorization)], b"x");
    assert_eq!(upload.status, 403);
    let writer = token("writer", Services::WEB);
    assert_eq!(call(&node, &writer, "Mailbox/set", make)[0], "Mailbox/set");
    assert_eq!(call(&node, &writer, "EmailSubmission/set", send.clone())[1]["type"], "forbidden");
    let sender = token("sender", Services::WEB.with(Services::SUBMISSION));
    assert_eq!(call(&node, &sender, "EmailSubmission/set", send)[0], "EmailSubmission/set");
}
