use anser_jmap::Limits;
use anser_testkit::door::PASSWORD;
use serde_json::json;

use super::node::{Node, USING, basic};

/// RFC 8620 §3.6.1.
#[test]
fn requests_that_are_none_are_refused_as_problems() {
    let node = Node::with(Limits { calls_in_request: 2, size_request: 2_000, json_values: 100, ..Limits::default() });
    let core = "urn:ietf:params:jmap:core";
    let echo = json!(["Core/echo", {}, "c"]);
    let deep = "[".repeat(1_500);
    let wide = format!("[{}0]", "0,".repeat(500));
    let long = format!("{}\"{}\"", "", "x".repeat(3_000));
    for (body, status, kind, limit) in [
        ("{", 400, "notJSON", None),
        ("{\"using\":[],\"using\":[],\"methodCalls\":[]}", 400, "notJSON", None),
        ("[]", 400, "notRequest", None),
        ("{\"using\":[]}", 400, "notRequest", None),
        (&json!({"using": [core], "methodCalls": [["Core/echo", {}]]}).to_string(), 400, "notRequest", None),
        (&json!({"using": [core], "methodCalls": [["Core/echo", 1, "c"]]}).to_string(), 400, "notRequest", None),
        (&json!({"using": ["urn:x"], "methodCalls": [echo]}).to_string(), 400, "unknownCapability", None),
        (
            &json!({"using": [core], "methodCalls": [echo, echo, echo]}).to_string(),
            400,
            "limit",
            Some("maxCallsInRequest"),
        ),
        (&deep, 400, "limit", Some("maxSizeRequest")),
        (&wide, 400, "limit", Some("maxSizeRequest")),
        (&long, 413, "limit", Some("maxSizeRequest")),
    ] {
        let answer = node.as_user("ann", "POST", "/jmap/api", "application/json", body.as_bytes());
        let problem = answer.json();
        assert_eq!(answer.status, status, "{body:.60}");
        assert!(answer.head.to_lowercase().contains("content-type: application/problem+json"), "{}", answer.head);
        assert_eq!(problem["type"], format!("urn:ietf:params:jmap:error:{kind}"), "{body:.60}");
        assert_eq!(problem["limit"].as_str(), limit);
    }
    let typed = node.as_user("ann", "POST", "/jmap/api", "text/plain", b"{}");
    assert_eq!(typed.json()["type"], "urn:ietf:params:jmap:error:notJSON");
    let charset = node.as_user("ann", "POST", "/jmap/api", "Application/JSON; charset=utf-8", b"[]");
    assert_eq!(charset.json()["type"], "urn:ietf:params:jmap:error:notRequest");
}

#[test]
fn who_does_not_log_in_is_asked_to() {
    let node = Node::start();
    let wrong = basic("ann@anser.test", "wrong");
    let nobody = basic("nobody@anser.test", "wrong");
    for fields in [
        &[][..],
        &[("Authorization", "Basic !")],
        &[("Authorization", "Digest x")],
        &[("Authorization", "Bearer forged")],
        &[("Authorization", &wrong)],
        &[("Authorization", &nobody)],
    ] {
        let answer = node.http("GET", "/.well-known/jmap", fields, b"");
        assert_eq!(answer.status, 401, "{fields:?}");
        assert!(answer.head.to_lowercase().contains("www-authenticate: basic"), "{}", answer.head);
    }
}

/// RFC 8620 §2.
#[test]
fn the_session_tells_what_there_is() {
    let node = Node::start();
    let answer = node.as_user("ann", "GET", "/.well-known/jmap", "", b"");
    let session = answer.json();
    let account = node.id("ann");
    assert_eq!(answer.status, 200);
    assert!(answer.head.to_lowercase().contains("cache-control: no-store"));
    assert_eq!(session["username"], "ann@anser.test");
    assert_eq!(session["primaryAccounts"]["urn:ietf:params:jmap:mail"], account);
    assert_eq!(session["accounts"][&account]["isPersonal"], true);
    assert_eq!(session["capabilities"]["urn:ietf:params:jmap:core"]["maxCallsInRequest"], 32);
    assert_eq!(session["apiUrl"], "https://mail.anser.test/jmap/api");
    for name in ["{accountId}", "{blobId}", "{name}", "{type}"] {
        assert!(session["downloadUrl"].as_str().unwrap().contains(name));
    }
    let request = json!({"using": ["urn:ietf:params:jmap:core"], "methodCalls": []});
    assert_eq!(node.request("ann", &request).json()["sessionState"], session["state"]);
}

/// RFC 8620 §3.6.2.
#[test]
fn methods_are_refused_one_by_one() {
    let node = Node::start();
    let bob = node.id("bob");
    for (method, arguments, kind) in [
        ("Mailbox/gets", json!({}), "unknownMethod"),
        ("Mailbox/get", json!({"accountId": "A999"}), "accountNotFound"),
        ("Mailbox/get", json!({"accountId": bob}), "accountNotFound"),
        ("Mailbox/get", json!({"accountId": 7}), "invalidArguments"),
        ("Mailbox/get", json!({"ids": "x"}), "invalidArguments"),
        ("Mailbox/get", json!({"colour": "x"}), "invalidArguments"),
        ("Mailbox/get", json!({"properties": ["colour"]}), "invalidArguments"),
        ("Mailbox/get", json!({"ids": (0..1001).map(|at| format!("F{at}")).collect::<Vec<_>>()}), "requestTooLarge"),
        ("Mailbox/changes", json!({}), "invalidArguments"),
        ("Mailbox/changes", json!({"sinceState": "x"}), "cannotCalculateChanges"),
        ("Mailbox/changes", json!({"sinceState": "999999"}), "cannotCalculateChanges"),
        ("Mailbox/query", json!({"filter": {"colour": "x"}}), "unsupportedFilter"),
        ("Mailbox/query", json!({"filter": {"operator": "XOR", "conditions": []}}), "invalidArguments"),
        ("Mailbox/query", json!({"sort": [{"property": "colour"}]}), "unsupportedSort"),
        ("Mailbox/query", json!({"sort": [{"property": "name", "collation": "i;none"}]}), "unsupportedSort"),
        ("Mailbox/query", json!({"anchor": "F999"}), "anchorNotFound"),
        ("Mailbox/set", json!({"ifInState": "999999"}), "stateMismatch"),
    ] {
        assert_eq!(node.call("ann", method, arguments.clone()), kind, "{method} {arguments}");
    }
    let unused =
        json!({"using": ["urn:ietf:params:jmap:core"], "methodCalls": [["Mailbox/get", {"accountId": bob}, "c"]]});
    assert_eq!(node.request("ann", &unused).json()["methodResponses"][0][1]["type"], "unknownMethod");
}

#[test]
fn who_reads_chinese_is_told_in_chinese() {
    let node = Node::start();
    let authorization = basic("ann@anser.test", PASSWORD);
    let ask = |language: &str, body: &str| {
        let fields =
            [("Authorization", &*authorization), ("Content-Type", "application/json"), ("Accept-Language", language)];
        node.http("POST", "/jmap/api", &fields, body.as_bytes()).json()
    };
    for (language, broken, unknown, nameless) in [
        ("en", "using is missing", "colour is no argument of this method", "a mailbox has a name"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "缺少 using", "colour 不是该方法的参数", "文件夹须有名称"),
    ] {
        assert_eq!(ask(language, "{}")["detail"], broken);
        let account = node.id("ann");
        let calls = json!([["Email/query", { "accountId": account, "colour": "red" }, "0"],
            ["Mailbox/set", { "accountId": account, "create": { "a": {} }, "destroy": ["F999"] }, "1"]]);
        let told = ask(language, &json!({ "using": USING, "methodCalls": calls }).to_string());
        let answers = &told["methodResponses"];
        assert_eq!(answers[0][1]["description"], unknown);
        assert_eq!(answers[1][1]["notCreated"]["a"]["description"], nameless, "what a transaction noted, too");
    }
    let refused = node.http("GET", "/jmap/session", &[("Accept-Language", "zh")], b"");
    assert_eq!((refused.status, &refused.json()["detail"]), (401, &json!("请登录")));
}
