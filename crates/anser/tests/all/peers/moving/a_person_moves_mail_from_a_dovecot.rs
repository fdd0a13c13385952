//! "Move my mail" by JMAP, from a real server: a wrong password is told in words, then everything comes; what comes later is fetched.

use std::process::Command;

use serde_json::{Value, json};

use super::dovecot::Dovecot;
use crate::peers::node::PASSWORD;
use crate::peers::tools::{run, wait_for, wanted};
use crate::world::{Dev, Place};

const ANN: &str = "ann@anser.test";

/// Where the server says that it is found by HTTP.
fn web(dev: &Dev) -> String {
    let port = dev.said.lines().find_map(|line| line.split("http://127.0.0.1:").nth(1)).expect("a page");
    format!("http://127.0.0.1:{port}")
}

fn call(dev: &Dev, calls: Value) -> Vec<Value> {
    let body = json!({ "using": ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail", "urn:anser:mail"], "methodCalls": calls });
    let url = web(dev) + "jmap/api";
    let (user, body) = (format!("{ANN}:{PASSWORD}"), body.to_string());
    let mut command = Command::new("curl");
    command.args(["-sSk", "-u", &user, "-H", "Content-Type: application/json", "-d", &body, &url]);
    let answer: Value = serde_json::from_slice(&run(&mut command)).expect("JSON");
    answer["methodResponses"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// The only move, once it is in a state.
fn until(dev: &Dev, account: &Value, state: &str) -> Value {
    wait_for(state, || {
        let answer = call(dev, json!([["MailMove/get", { "accountId": account }, "0"]]));
        let one = answer[0][1]["list"][0].clone();
        (one["state"] == state).then_some(one)
    })
}

#[test]
fn what_is_there_comes_and_what_comes_later_is_fetched() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let mut there = old.login("ann");
    there.run("CREATE Work").expect("CREATE");
    for number in 0..12 {
        let text = format!("Subject: old {number}\r\nMessage-ID: <{number}@old>\r\n\r\nx\r\n");
        there.append(if number % 3 == 0 { "Work" } else { "INBOX" }, "\\Seen", text.as_bytes()).expect("APPEND");
    }
    let place = Place::new();
    let dev = place.start();
    let url = web(&dev) + ".well-known/jmap";
    let mut command = Command::new("curl");
    let session: Value =
        serde_json::from_slice(&run(command.args(["-sSkL", "-u", &format!("{ANN}:{PASSWORD}"), &url]))).expect("JSON");
    let account = session["primaryAccounts"]["urn:ietf:params:jmap:mail"].clone();
    let before =
        call(&dev, json!([["Email/query", { "accountId": account, "calculateTotal": true }, "0"]]))[0][1]["total"]
            .as_u64();

    let wish = json!({
        "email": "ann@old.test", "protocol": "imap", "host": "127.0.0.1", "port": old.imap, "tls": "none", "username": "ann",
        "password": "wrong", "every": 15,
    });
    let made = call(&dev, json!([["MailMove/set", { "accountId": account, "create": { "a": wish } }, "0"]]));
    let id = made[0][1]["created"]["a"]["id"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned();
    assert!(!made[0][1].to_string().contains("wrong"), "the password is shown to nobody");
    let one = until(&dev, &account, "refused");
    assert!(one["problem"]["zh"].as_str().unwrap().contains("授权码"), "{one}");

    let update =
        json!([["MailMove/set", { "accountId": account, "update": { id.clone(): { "password": PASSWORD } } }, "0"]]);
    let changed = call(&dev, update);
    assert!(changed[0][1]["notUpdated"].is_null(), "{changed:?}");
    let one = until(&dev, &account, "waiting");
    assert_eq!((&one["result"]["copied"], &one["problem"]), (&json!(12), &Value::Null), "{one}");
    assert_eq!(one["progress"]["messages"], 12);

    there.append("Work", "", b"Subject: late\r\n\r\nx\r\n").expect("APPEND");
    let update =
        json!([["MailMove/set", { "accountId": account, "update": { id.clone(): { "state": "running" } } }, "0"]]);
    assert!(call(&dev, update)[0][1]["notUpdated"].is_null());
    wait_for("the late one", || {
        let one = until(&dev, &account, "waiting");
        (one["result"]["copied"] == 13).then_some(())
    });
    let gone = call(
        &dev,
        json!([
            ["MailMove/set", { "accountId": account, "destroy": [id] }, "0"],
            ["MailMove/get", { "accountId": account }, "1"],
            ["Email/query", { "accountId": account, "calculateTotal": true }, "2"],
        ]),
    );
    assert_eq!(gone[1][1]["list"], json!([]));
    assert_eq!(gone[2][1]["total"].as_u64(), before.map(|before| before + 13), "what came stays");
    there.select("INBOX").expect("SELECT");
    assert_eq!(there.fetch_all().expect("FETCH").len(), 8, "and what is there stays there");
}
