//! The dialogues of RFC 8621, with our ids in the place of its own.

use serde_json::{Value, json};

use super::dialogue::refers;
use super::node::Node;

/// Three conversations in Ann's inbox, the newest of two messages.
fn inbox(node: &Node) -> String {
    node.deliver("ann", "From: a@x.example\nMessage-ID: <1@x>\nSubject: Fool on the hill\n\none\n", 0);
    node.deliver("ann", "From: b@x.example\nMessage-ID: <2@x>\nSubject: Help\n\ntwo\n", 60);
    node.deliver("ann", "From: c@x.example\nMessage-ID: <3@x>\nSubject: Yesterday\n\nthree\n", 120);
    node.deliver(
        "ann",
        "From: d@x.example\nMessage-ID: <4@x>\nIn-Reply-To: <1@x>\nReferences: <1@x>\nSubject: Re: Fool on the hill\n\nfour\n",
        180,
    );
    node.role("ann", "inbox")
}

/// §4.10: the first messages of the inbox, with all that their conversations hold, in one request.
#[test]
fn a_client_that_logs_in_shows_the_first_conversations() {
    Node::on_each_engine(|node| {
        let (inbox, account) = (inbox(node), node.id("ann"));
        let shown = json!([
            "threadId",
            "mailboxIds",
            "keywords",
            "hasAttachment",
            "from",
            "subject",
            "receivedAt",
            "size",
            "preview"
        ]);
        let answers = node.calls("ann", json!([
            ["Email/query", { "accountId": account, "filter": { "inMailbox": inbox },
                "sort": [{ "property": "receivedAt", "isAscending": false }], "collapseThreads": true,
                "position": 0, "limit": 30, "calculateTotal": true }, "0"],
            ["Email/get", { "accountId": account, "#ids": refers("0", "Email/query", "/ids"), "properties": ["threadId"] }, "1"],
            ["Thread/get", { "accountId": account, "#ids": refers("1", "Email/get", "/list/*/threadId") }, "2"],
            ["Email/get", { "accountId": account, "#ids": refers("2", "Thread/get", "/list/*/emailIds"), "properties": shown }, "3"],
        ]));
        assert_eq!((&answers[0][1]["total"], answers[0][1]["ids"].as_array().unwrap().len()), (&json!(3), 3));
        let threads = answers[2][1]["list"].as_array().unwrap();
        assert_eq!(threads[0]["emailIds"].as_array().unwrap().len(), 2, "the oldest of a conversation first");
        let subjects: Vec<&Value> =
            answers[3][1]["list"].as_array().unwrap().iter().map(|email| &email["subject"]).collect();
        assert_eq!(subjects, ["Fool on the hill", "Re: Fool on the hill", "Yesterday", "Help"]);
        assert_eq!(answers[3][1]["notFound"], json!([]));

        // And later: what is other than it was (§4.10, its second dialogue).
        let (query, state) = (answers[0][1]["queryState"].clone(), answers[3][1]["state"].clone());
        node.deliver("ann", "From: e@x.example\nSubject: Something\n\nfive\n", 240);
        let seen = answers[3][1]["list"][3]["id"].as_str().unwrap();
        node.call("ann", "Email/set", json!({ "update": { seen: { "keywords/$seen": true } } }));
        let answers = node.calls("ann", json!([
            ["Email/queryChanges", { "accountId": account, "filter": { "inMailbox": inbox },
                "sort": [{ "property": "receivedAt", "isAscending": false }], "collapseThreads": true,
                "sinceQueryState": query, "maxChanges": 30 }, "11"],
            ["Email/get", { "accountId": account, "#ids": refers("11", "Email/queryChanges", "/added/*/id"), "properties": shown }, "12"],
            ["Email/changes", { "accountId": account, "sinceState": state, "maxChanges": 30 }, "3"],
            ["Email/get", { "accountId": account, "#ids": refers("3", "Email/changes", "/updated"), "properties": ["keywords", "mailboxIds"] }, "4"],
        ]));
        let added = &answers[0][1]["added"];
        assert_eq!(
            (&added[0]["index"], &answers[1][1]["list"][0]["subject"]),
            (&json!(0), &json!("Something")),
            "{answers:?}"
        );
        assert_eq!(answers[3][1]["list"][0]["keywords"], json!({ "$seen": true }));
    });
}

/// §2.2: what of mailboxes changed is fetched, and where only counts did, only counts.
#[test]
fn a_client_fetches_what_of_its_mailboxes_changed() {
    let node = Node::start();
    let (inbox, account) = (inbox(&node), node.id("ann"));
    let follow = |since: &Value| {
        node.calls(
            "ann",
            json!([
                ["Mailbox/changes", { "accountId": account, "sinceState": since }, "0"],
                ["Mailbox/get", { "accountId": account, "#ids": refers("0", "Mailbox/changes", "/created") }, "1"],
                ["Mailbox/get", { "accountId": account, "#ids": refers("0", "Mailbox/changes", "/updated"),
                    "#properties": refers("0", "Mailbox/changes", "/updatedProperties") }, "2"],
            ]),
        )
    };
    let state = node.call("ann", "Mailbox/get", json!({ "ids": [] }))["state"].take();
    node.deliver("ann", "Subject: x\n\nx\n", 300);
    let counted = follow(&state);
    let shown = counted[2][1]["list"][0].as_object().unwrap();
    assert_eq!((shown["id"].as_str(), shown["totalEmails"].as_u64()), (Some(inbox.as_str()), Some(5)));
    assert!(!shown.contains_key("name"), "only what can have changed: {shown:?}");
    node.call(
        "ann",
        "Mailbox/set",
        json!({ "create": { "a": { "name": "Projects" } }, "update": { &inbox: { "sortOrder": 9 } } }),
    );
    let changed = follow(&counted[0][1]["newState"]);
    assert_eq!(changed[1][1]["list"][0]["name"], "Projects");
    assert_eq!(
        (&changed[2][1]["list"][0]["sortOrder"], &changed[0][1]["updatedProperties"]),
        (&json!(9), &Value::Null)
    );
}

/// §2.5 and RFC 8620 §5.3: a mailbox within one that the same request makes; the second one's messages go with it.
#[test]
fn mailboxes_are_made_within_each_other_and_go_with_what_is_in_them() {
    let node = Node::start();
    let (account, inbox) = (node.id("ann"), inbox(&node));
    let answers = node.calls("ann", json!([["Mailbox/set", { "accountId": account,
        "create": { "inner": { "name": "Inner", "parentId": "#outer" }, "outer": { "name": "Outer", "parentId": null } } }, "0"],
        ["Mailbox/get", { "accountId": account, "ids": ["#inner", "#outer"], "properties": ["parentId", "name"] }, "1"]]));
    let made = &answers[0][1]["created"];
    let (inner, outer) = (made["inner"]["id"].as_str().unwrap(), made["outer"]["id"].as_str().unwrap());
    assert_eq!(answers[1][1]["list"][0], json!({ "id": inner, "name": "Inner", "parentId": outer }));
    let email =
        node.call("ann", "Email/query", json!({ "filter": { "inMailbox": inbox }, "limit": 1 }))["ids"][0].take();
    let email = email.as_str().unwrap();
    node.call("ann", "Email/set", json!({ "update": { email: { "mailboxIds": { inner: true } } } }));
    let gone = |arguments: Value| node.call("ann", "Mailbox/set", arguments);
    assert_eq!(gone(json!({ "destroy": [outer] }))["notDestroyed"][outer]["type"], "mailboxHasChild");
    assert_eq!(gone(json!({ "destroy": [inner] }))["notDestroyed"][inner]["type"], "mailboxHasEmail");
    let all = gone(json!({ "destroy": [outer, inner], "onDestroyRemoveEmails": true }));
    assert_eq!(all["destroyed"].as_array().unwrap().len(), 2, "{all}");
    assert_eq!(node.call("ann", "Email/get", json!({ "ids": [email] }))["notFound"], json!([email]));
}

/// §7.5, its second and third dialogue: it is taken back and is a draft again; or it goes, and no copy of it stays.
#[test]
fn what_is_taken_back_is_a_draft_again() {
    let node = Node::start();
    let (account, drafts, sent) = (node.id("ann"), node.role("ann", "drafts"), node.role("ann", "sent"));
    let identity = node.call("ann", "Identity/get", json!({}))["list"][0]["id"].take();
    let draft = || {
        let object = json!({ "mailboxIds": { &drafts: true }, "keywords": { "$draft": true }, "from": [{ "email": "ann@anser.test" }],
            "to": [{ "email": "bob@anser.test" }], "bodyValues": { "t": { "value": "hi\n" } }, "textBody": [{ "partId": "t" }] });
        node.call("ann", "Email/set", json!({ "create": { "k": object } }))["created"]["k"]["id"].take()
    };
    let held = json!({ "mailFrom": { "email": "ann@anser.test", "parameters": { "HOLDFOR": "600" } }, "rcptTo": [{ "email": "bob@anser.test" }] });
    let email = draft();
    let moved = json!({ "mailboxIds": { &sent: true }, "keywords/$draft": null });
    let made = node.calls(
        "ann",
        json!([["EmailSubmission/set", { "accountId": account,
        "create": { "k": { "identityId": identity, "emailId": email, "envelope": held } },
        "onSuccessUpdateEmail": { "#k": moved } }, "0"]]),
    );
    let id = made[0][1]["created"]["k"]["id"].as_str().unwrap();
    assert_eq!(made[0][1]["created"]["k"]["undoStatus"], "pending", "{made:?}");
    let back = json!({ "mailboxIds": { &drafts: true }, "keywords/$draft": true });
    let answers = node.calls(
        "ann",
        json!([["EmailSubmission/set", { "accountId": account,
        "update": { id: { "undoStatus": "canceled" } }, "onSuccessUpdateEmail": { id: back } }, "0"]]),
    );
    assert!(answers[0][1]["updated"].get(id).is_some(), "{answers:?}");
    assert_eq!(
        (&answers[1][0], &answers[1][2]),
        (&json!("Email/set"), &json!("0")),
        "an implicit call has the id of its own"
    );
    let now = node.call("ann", "Email/get", json!({ "ids": [email], "properties": ["mailboxIds", "keywords"] }));
    assert_eq!(
        (&now["list"][0]["mailboxIds"], &now["list"][0]["keywords"]),
        (&json!({ drafts.clone(): true }), &json!({ "$draft": true }))
    );
    let email = draft();
    let answers = node.calls(
        "ann",
        json!([["EmailSubmission/set", { "accountId": account,
        "create": { "k": { "identityId": identity, "emailId": email } }, "onSuccessDestroyEmail": ["#k"] }, "0"]]),
    );
    assert_eq!(answers[1][1]["destroyed"], json!([email]), "{answers:?}");
}
