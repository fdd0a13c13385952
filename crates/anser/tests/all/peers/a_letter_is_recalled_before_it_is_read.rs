//! A letter that is sent by JMAP goes out of the mailboxes of those who have not read it, and open IMAP sessions see it go.

use serde_json::{Value, json};

use super::node::{IMAP, Node, PASSWORD};
use super::tools::{Home, run, wait_for, wanted};
use super::wire::Imap;

fn call(node: &Node, home: &Home, calls: Value) -> Vec<Value> {
    let using = ["core", "mail", "submission"].map(|name| format!("urn:ietf:params:jmap:{name}"));
    let using: Vec<&str> = using.iter().map(String::as_str).chain(["urn:anser:mail"]).collect();
    let body = json!({ "using": using, "methodCalls": calls }).to_string();
    let url = format!("https://127.0.0.1:{}/jmap/api", node.port(443));
    let mut command = home.command("curl");
    command.args([
        "-sSk",
        "-u",
        &format!("ann@anser.test:{PASSWORD}"),
        "-H",
        "Content-Type: application/json",
        "-d",
        &body,
        &url,
    ]);
    let answer: Value = serde_json::from_slice(&run(&mut command)).expect("JSON");
    answer["methodResponses"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// How many messages somebody's inbox holds, in a session that stays open.
fn count(session: &mut Imap) -> usize {
    session.run("NOOP").expect("NOOP");
    session.fetch_all().expect("FETCH").len()
}

#[test]
fn who_read_it_keeps_it_and_others_see_it_go() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let [mut bob, mut chen] = ["bob", "chen"].map(|who| {
        let mut session = Imap::login(node.port(IMAP), &format!("{who}@anser.test")).expect("a session");
        session.select("INBOX").expect("SELECT");
        session
    });
    let before = [count(&mut bob), count(&mut chen)];
    let url = format!("https://127.0.0.1:{}/.well-known/jmap", node.port(443));
    let mut command = home.command("curl");
    let session: Value =
        serde_json::from_slice(&run(command.args(["-sSk", "-u", &format!("ann@anser.test:{PASSWORD}"), &url])))
            .expect("JSON");
    let account = &session["primaryAccounts"]["urn:ietf:params:jmap:mail"];
    let asked = call(
        &node,
        &home,
        json!([
            ["Identity/get", { "accountId": account }, "0"],
            ["Mailbox/query", { "accountId": account, "filter": { "role": "drafts" } }, "1"],
        ]),
    );
    let (identity, drafts) = (&asked[0][1]["list"][0]["id"], asked[1][1]["ids"][0].as_str().expect("drafts"));
    let email = json!({ "mailboxIds": { drafts: true }, "from": [{ "email": "ann@anser.test" }], "subject": "oh no",
        "to": [{ "email": "bob@anser.test" }, { "email": "chen@anser.test" }],
        "bodyValues": { "t": { "value": "salaries\n" } }, "textBody": [{ "partId": "t" }] });
    let sent = call(
        &node,
        &home,
        json!([
            ["Email/set", { "accountId": account, "create": { "e": email } }, "0"],
            ["EmailSubmission/set", { "accountId": account, "create": { "s": { "identityId": identity, "emailId": "#e" } } }, "1"],
        ]),
    );
    let submission = sent[1][1]["created"]["s"]["id"].as_str().unwrap_or_else(|| panic!("{sent:?}"));
    for (session, before) in [(&mut bob, before[0]), (&mut chen, before[1])] {
        wait_for("the letter", || (count(session) == before + 1).then_some(()));
    }
    chen.run(&format!("STORE {} +FLAGS (\\Seen)", before[1] + 1)).expect("STORE");
    let recalled = call(
        &node,
        &home,
        json!([
            ["Recall/set", { "accountId": account, "create": { "r": { "emailSubmissionId": submission } } }, "0"],
        ]),
    );
    let id = recalled[0][1]["created"]["r"]["id"].clone();
    // It may still be the courier's.
    let results = wait_for("the recall", || {
        let got = call(&node, &home, json!([["Recall/get", { "accountId": account, "ids": [id] }, "0"]]));
        let results = got[0][1]["list"][0]["results"].clone();
        let ended = results.as_array().expect("results").iter().all(|one| one["outcome"] != "waiting");
        ended.then_some(results)
    });
    let outcome = |who: &str| {
        let found =
            results.as_array().and_then(|all| all.iter().find(|one| one["email"] == format!("{who}@anser.test")));
        found.map(|one| one["outcome"].clone())
    };
    assert_eq!((outcome("bob"), outcome("chen")), (Some(json!("recalled")), Some(json!("read"))), "{results}");
    let gone = bob.run("NOOP").expect("NOOP");
    assert!(format!("{gone:?}").contains("EXPUNGE"), "{gone:?}");
    assert_eq!([count(&mut bob), count(&mut chen)], [before[0], before[1] + 1]);
}
