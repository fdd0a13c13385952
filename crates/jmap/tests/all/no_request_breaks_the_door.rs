//! Requests that no client would send: every method with arguments of the wrong type, ids of nothing and of others, and values that are
//! too many or too deep. Each is answered, and none is the server's own failure.

use anser_testkit::door::PASSWORD;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::node::{Node, USING, basic};

/// Every method (the page is held to the table by a test of its own).
fn methods() -> Vec<String> {
    let page = include_str!("../../../../docs/api/methods.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    rows.filter(|name| name.contains('/')).map(str::to_owned).collect()
}

/// What methods are given, by any of its names.
const ARGUMENTS: [&str; 40] = [
    "accountId",
    "ids",
    "properties",
    "create",
    "update",
    "destroy",
    "ifInState",
    "sinceState",
    "maxChanges",
    "filter",
    "sort",
    "position",
    "anchor",
    "anchorOffset",
    "limit",
    "calculateTotal",
    "sinceQueryState",
    "upToId",
    "collapseThreads",
    "blobIds",
    "blobId",
    "emails",
    "fromAccountId",
    "identityId",
    "send",
    "onSuccessUpdateEmail",
    "onSuccessDestroyEmail",
    "onSuccessActivateScript",
    "onDestroyRemoveEmails",
    "typeNames",
    "offset",
    "length",
    "images",
    "charset",
    "format",
    "addressBookId",
    "bodyProperties",
    "fetchTextBodyValues",
    "maxBodyValueBytes",
    "#ids",
];

const WORDS: [&str; 34] = [
    "",
    "A1",
    "A99",
    "M1",
    "M2",
    "F1",
    "F2",
    "T1",
    "B1",
    "B1-0",
    "I1",
    "S1",
    "K1",
    "C1",
    "D1",
    "N1",
    "V1",
    "J1",
    "#a",
    "singleton",
    "0",
    "57-3-12",
    "99999999999999999999",
    "-1",
    "receivedAt",
    "name",
    "keywords/$seen",
    "mailboxIds/F1",
    "a~1b/0",
    "\u{0}",
    "陈",
    "%00",
    "../..",
    "x'; DROP TABLE record; --",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        select(&WORDS[..]).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..6).prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    const KEYS: [&str; 24] = [
        "operator",
        "conditions",
        "inMailbox",
        "text",
        "property",
        "isAscending",
        "keyword",
        "name",
        "parentId",
        "mailboxIds",
        "keywords",
        "bodyValues",
        "textBody",
        "bodyStructure",
        "from",
        "uid",
        "emails",
        "key",
        "value",
        "emailId",
        "isEnabled",
        "data",
        "identityId",
        "envelope",
    ];
    prop_oneof![select(&KEYS[..]).prop_map(str::to_owned), select(&WORDS[..]).prop_map(str::to_owned), ".{0,10}"]
}

fn call() -> impl Strategy<Value = Value> {
    let arguments = prop::collection::vec((select(&ARGUMENTS[..]), value()), 0..6);
    (select(methods()), prop::option::weighted(0.9, Just("A1")), arguments).prop_map(|(method, account, arguments)| {
        let mut arguments: Map<String, Value> =
            arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        // Most are about the account that there is: the others are refused at once.
        if let Some(account) = account {
            arguments.insert("accountId".into(), account.into());
        }
        json!([method, arguments, "c"])
    })
}

#[test]
fn whatever_a_method_is_given_it_answers() {
    let node = Node::start();
    assert_eq!(node.id("ann"), "A1", "the account that the requests are about");
    node.deliver("ann", "From: b@x.example\nSubject: one\n\nx\n", 0);
    let authorization = basic("ann@anser.test", PASSWORD);
    let fields = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let requests = prop::collection::vec(call(), 1..12);
    let outcome = TestRunner::new(config).run(&requests, |calls| {
        let request = json!({ "using": USING, "methodCalls": calls });
        let answer = node.http("POST", "/jmap/api", &fields, request.to_string().as_bytes());
        prop_assert_eq!(answer.status, 200, "{}", request);
        let answer = answer.json();
        for (asked, response) in calls.iter().zip(answer["methodResponses"].as_array().unwrap()) {
            prop_assert!(response[1]["type"] != "serverFail", "{} is answered by {}", asked, response);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// What is no request of JMAP is told so, whatever it is.
#[test]
fn whatever_is_sent_is_no_failure_of_the_server() {
    let node = Node::start();
    let authorization = basic("ann@anser.test", PASSWORD);
    let fields = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let bodies = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        value().prop_map(|value| value.to_string().into_bytes()),
        (value(), value())
            .prop_map(|(using, calls)| json!({ "using": using, "methodCalls": calls }).to_string().into_bytes()),
    ];
    let outcome = TestRunner::new(config).run(&bodies, |body| {
        let status = node.http("POST", "/jmap/api", &fields, &body).status;
        prop_assert!(status < 500, "{status}: {}", String::from_utf8_lossy(&body));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
