use std::time::Duration;

use anser_base::{EntryId, Timestamp};
use anser_journal::{Entry, Origin, What};
use anser_queue::{Act, Filter, Listed};
use anser_testkit::door::NOW;
use serde_json::{Value, json};

use super::node::Node;

/// A draft of Ann's to these people; its id.
fn draft(node: &Node, more: Value) -> Value {
    let mut object = json!({"mailboxIds": {node.role("ann", "drafts"): true}, "keywords": {"$draft": true},
        "from": [{"email": "ann@anser.test"}], "to": [{"email": "bob@anser.test"}], "bcc": [{"email": "chen@anser.test"}],
        "subject": "hello", "bodyValues": {"t": {"value": "good day\n"}}, "textBody": [{"partId": "t"}]});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = node.call("ann", "Email/set", json!({"create": {"k": object}}));
    made["created"]["k"]["id"].clone()
}

fn identity(node: &Node) -> Value {
    node.call("ann", "Identity/get", json!({}))["list"][0]["id"].clone()
}

fn send(node: &Node, email: &Value, more: Value) -> Value {
    let mut object = json!({"identityId": identity(node), "emailId": email});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    node.call("ann", "EmailSubmission/set", json!({"create": {"k": object}}))
}

fn queued(node: &Node) -> Vec<Listed> {
    node.door.runtime.block_on(node.queue.list(Filter::default(), None, 100)).unwrap().entries
}

fn held(seconds: &str) -> Value {
    json!({"envelope": {"mailFrom": {"email": "ann@anser.test", "parameters": {"HOLDFOR": seconds}},
        "rcptTo": [{"email": "bob@anser.test", "parameters": {"NOTIFY": "SUCCESS,FAILURE"}}]}})
}

/// RFC 8621 §7.5, its first example: what was sent moves out of the drafts.
#[test]
fn a_draft_is_sent_to_all_that_it_names() {
    Node::on_each_engine(|node| {
        let (email, identity, sent) = (draft(node, json!({})), identity(node), node.role("ann", "sent"));
        let arguments = json!({"accountId": node.id("ann"),
            "create": {"k1490": {"identityId": identity, "emailId": email}},
            "onSuccessUpdateEmail": {"#k1490": {"mailboxIds": {sent.clone(): true}, "keywords/$draft": null, "keywords/$seen": true}}});
        let answers = node.calls("ann", json!([["EmailSubmission/set", arguments, "0"]]));
        let made = &answers[0][1]["created"]["k1490"];
        assert_eq!((&made["undoStatus"], &made["sendAt"]), (&json!("final"), &json!("2027-01-15T08:00:00Z")));
        assert_eq!((&answers[1][0], &answers[1][2]), (&json!("Email/set"), &json!("0")));
        assert!(answers[1][1]["updated"].get(email.as_str().unwrap()).is_some(), "{}", answers[1]);
        let got = node.call("ann", "Email/get", json!({"ids": [email], "properties": ["mailboxIds", "keywords"]}));
        assert_eq!(got["list"][0]["keywords"], json!({"$seen": true}));
        assert_eq!(got["list"][0]["mailboxIds"], json!({sent: true}));
        let entries = queued(node);
        let to: Vec<String> = entries[0].envelope.recipients.iter().map(|one| one.address.to_string()).collect();
        assert_eq!(to, ["bob@anser.test", "chen@anser.test"]);
        assert_eq!(entries[0].envelope.origin.account, Some(node.account("ann")));
        let entry = node.door.runtime.block_on(node.queue.read(entries[0].id)).unwrap();
        let stored = entry.body.stored.clone().unwrap();
        let raw = anser_blob::Prepared::from_stored(stored).unwrap().raw().unwrap();
        let text = String::from_utf8_lossy(&raw).into_owned();
        assert!(text.contains("Subject: hello") && !text.to_lowercase().contains("chen"), "{text}");
        assert!(node.door.journal("bob@anser.test").iter().any(|what| matches!(what, What::Accepted { .. })));
    });
}

#[test]
fn what_is_held_can_be_taken_back_until_it_is_sent() {
    let node = Node::start();
    let email = draft(&node, json!({}));
    let made = send(&node, &email, held("60"));
    let id = made["created"]["k"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    assert_eq!(made["created"]["k"]["undoStatus"], "pending");
    let entry = &queued(&node)[0];
    assert_eq!(entry.envelope.not_before, Some(Timestamp(NOW.0 + 60_000)));
    assert!(entry.envelope.recipients[0].notify.success && !entry.envelope.recipients[0].notify.delay);
    let state = node.call("ann", "EmailSubmission/get", json!({"ids": []}))["state"].clone();
    let cancel = json!({id.clone(): {"undoStatus": "canceled"}});
    let done = node.call("ann", "EmailSubmission/set", json!({"update": cancel}));
    assert_eq!(done["updated"], json!({id.clone(): null}));
    assert_eq!(queued(&node).len(), 0);
    let changes = node.call("ann", "EmailSubmission/changes", json!({"sinceState": state}));
    assert_eq!(changes["updated"], json!([id]));
    let got = node.call("ann", "EmailSubmission/get", json!({"ids": [id]}));
    assert_eq!(got["list"][0]["undoStatus"], "canceled");
    let late = send(&node, &email, held("60"))["created"]["k"]["id"].as_str().unwrap().to_owned();
    node.store.clock().advance(Duration::from_secs(61));
    let refused =
        node.call("ann", "EmailSubmission/set", json!({"update": {late.clone(): {"undoStatus": "canceled"}}}));
    assert_eq!(refused["notUpdated"][&late]["type"], "cannotUnsend");
    let other = node.call("ann", "EmailSubmission/set", json!({"update": {late.clone(): {"sendAt": "x"}, "S999": {}}}));
    assert_eq!(other["notUpdated"][&late]["type"], "invalidProperties");
    assert_eq!(other["notUpdated"]["S999"]["type"], "notFound");
}

/// `deliveryStatus`: of the queue as long as it knows, of the journal then.
#[test]
fn how_far_it_is_is_told() {
    let node = Node::start();
    let made = send(&node, &draft(&node, json!({})), json!({}));
    let id = made["created"]["k"]["id"].clone();
    let state = made["newState"].clone();
    let status = || {
        let got = node.call("ann", "EmailSubmission/get", json!({"ids": [id]}));
        got["list"][0]["deliveryStatus"].clone()
    };
    assert_eq!(status()["bob@anser.test"]["delivered"], "queued");
    let entry: EntryId = queued(&node)[0].id;
    let told = [
        What::Delivered {
            entry,
            recipient: "bob@anser.test".into(),
            account: node.account("bob"),
            mailbox: anser_base::MailboxId(1),
            message: anser_base::MessageId(1),
        },
        What::Failed {
            entry,
            recipient: "chen@anser.test".into(),
            host: None,
            why: "550 5.1.1 gone".into(),
            report: None,
        },
    ];
    node.door.runtime.block_on(async {
        for what in told {
            node.door.journal.append(Entry { origin: Origin::internal(), what }).await.unwrap();
        }
        node.queue.act(entry, &Act::Remove).await.unwrap();
    });
    let now = status();
    assert_eq!(now["bob@anser.test"]["delivered"], "yes");
    assert_eq!(
        now["chen@anser.test"],
        json!({"smtpReply": "550 5.1.1 gone", "delivered": "no", "displayed": "unknown"})
    );
    let changes = node.call("ann", "EmailSubmission/changes", json!({"sinceState": state}));
    assert_eq!(changes["updated"], json!([id]));
}

#[test]
fn what_may_not_be_sent_is_refused_in_the_words_of_the_rfc() {
    let node = Node::start();
    let email = draft(&node, json!({}));
    let envelope = |from: &str, to: Value| json!({"envelope": {"mailFrom": {"email": from}, "rcptTo": to}});
    let to = |email: &str| json!([{ "email": email }]);
    let many: Vec<Value> = (0..6).map(|at| json!({"email": format!("x{at}@example.com")})).collect();
    let parameter = |name: &str, value: &str| json!({"envelope": {"mailFrom": {"email": "ann@anser.test", "parameters": {name: value}}, "rcptTo": to("bob@anser.test")}});
    for (object, kind) in [
        (envelope("bob@anser.test", to("bob@anser.test")), "forbiddenMailFrom"),
        (envelope("ann@anser.test", json!([])), "noRecipients"),
        (envelope("ann@anser.test", to("nobody@anser.test")), "invalidRecipients"),
        (envelope("ann@anser.test", to("nonsense")), "invalidRecipients"),
        (envelope("ann@anser.test", json!(many)), "tooManyRecipients"),
        (envelope("a b", to("bob@anser.test")), "invalidProperties"),
        (parameter("HOLDFOR", "9999999"), "invalidProperties"),
        (parameter("HOLDUNTIL", "tomorrow"), "invalidProperties"),
        (parameter("COLOUR", "red"), "invalidProperties"),
        (json!({"identityId": "I999"}), "invalidProperties"),
        (json!({"emailId": "M999"}), "invalidProperties"),
        (json!({"sendAt": "2026-01-01T00:00:00Z"}), "invalidProperties"),
    ] {
        assert_eq!(send(&node, &email, object.clone())["notCreated"]["k"]["type"], kind, "{object}");
    }
    let forged = draft(&node, json!({"from": [{"email": "bob@anser.test"}]}));
    assert_eq!(send(&node, &forged, json!({}))["notCreated"]["k"]["type"], "forbiddenFrom");
    let lonely = draft(&node, json!({"to": null, "bcc": null}));
    assert_eq!(send(&node, &lonely, json!({}))["notCreated"]["k"]["type"], "noRecipients");
    assert_eq!(queued(&node).len(), 0);
    let stale = json!({"ifInState": "99999", "create": {"k": {"identityId": identity(&node), "emailId": email}}});
    assert_eq!(node.call("ann", "EmailSubmission/set", stale), "stateMismatch");
    assert_eq!(queued(&node).len(), 0);
    node.share("bob", "ann", "lr");
    let theirs = json!({"accountId": node.id("bob")});
    assert_eq!(node.call("ann", "Identity/get", theirs.clone()), "accountNotSupportedByMethod");
    assert_eq!(node.call("ann", "EmailSubmission/get", theirs), "accountNotSupportedByMethod");
}

/// RFC 8621 §7.3, §7.4.
#[test]
fn submissions_are_found() {
    let node = Node::start();
    let (one, two) = (draft(&node, json!({})), draft(&node, json!({})));
    let first = send(&node, &one, json!({}))["created"]["k"]["id"].clone();
    let asked = json!({"filter": {"undoStatus": "pending"}, "sort": [{"property": "sentAt", "isAscending": false}]});
    let before = node.call("ann", "EmailSubmission/query", asked.clone());
    assert_eq!(before["ids"], json!([]));
    let second = send(&node, &two, held("60"))["created"]["k"]["id"].clone();
    let all = |filter: Value| node.call("ann", "EmailSubmission/query", json!({ "filter": filter }))["ids"].clone();
    assert_eq!(all(json!(null)), json!([first, second]));
    assert_eq!(all(json!({"emailIds": [one]})), json!([first]));
    assert_eq!(all(json!({"after": "2027-01-15T08:00:01Z"})), json!([second]));
    assert_eq!(all(json!({"identityIds": ["I999"]})), json!([]));
    assert_eq!(all(json!({"colour": "red"})), Value::Null);
    let mut since = asked;
    since["sinceQueryState"] = before["queryState"].clone();
    let changes = node.call("ann", "EmailSubmission/queryChanges", since);
    assert_eq!(changes["added"], json!([{"id": second, "index": 0}]));
}

/// RFC 8621 §6.
#[test]
fn identities_are_named_and_signed() {
    Node::on_each_engine(|node| {
        let first = node.call("ann", "Identity/get", json!({}));
        let own = &first["list"][0];
        assert_eq!((&own["email"], &own["mayDelete"]), (&json!("ann@anser.test"), &json!(false)));
        let id = own["id"].as_str().unwrap().to_owned();
        let made = node.call(
            "ann",
            "Identity/set",
            json!({"create": {"k": {"email": "ann+news@anser.test", "name": "News", "textSignature": "-- \nAnn"},
                    "b": {"email": "bob@anser.test"}, "x": {"email": "nonsense"}, "y": {"email": "ann@anser.test", "bcc": "x"}},
                "update": {id.clone(): {"name": "Ann", "replyTo": [{"email": "a@b.example"}]}, "I99": {"name": "x"}},
                "destroy": [id]}),
        );
        assert_eq!(made["notCreated"]["b"]["type"], "forbiddenFrom");
        assert_eq!(made["notCreated"]["x"]["properties"], json!(["email"]));
        assert_eq!(made["notCreated"]["y"]["properties"], json!(["bcc"]));
        assert_eq!(made["notUpdated"]["I99"]["type"], "notFound");
        assert_eq!(made["notDestroyed"][&id]["type"], "forbidden");
        let new = made["created"]["k"]["id"].as_str().unwrap().to_owned();
        let got = node.call("ann", "Identity/get", json!({"ids": [new, id, "I99"], "properties": ["name", "replyTo"]}));
        assert_eq!(got["list"][1], json!({"id": id, "name": "Ann", "replyTo": [{"email": "a@b.example"}]}));
        assert_eq!(got["notFound"], json!(["I99"]));
        let changes = node.call("ann", "Identity/changes", json!({"sinceState": first["state"]}));
        assert_eq!((&changes["created"], &changes["updated"]), (&json!([new]), &json!([id])));
        let gone = node.call("ann", "Identity/set", json!({"destroy": [new]}));
        assert_eq!(gone["destroyed"], json!([new]));
        let fixed = node.call("ann", "Identity/set", json!({"update": {id.clone(): {"email": "x@y.example"}}}));
        assert_eq!(fixed["notUpdated"][&id]["type"], "invalidProperties");
    });
}
