//! docs/api/methods.md says which errors each method may answer. All that it names of a method beside the usual ones happen here, the usual
//! ones of each kind of method happen to every method of that kind that has what they are about, and none happens that it does not name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anser_base::BlobId;
use anser_jmap::Limits;
use anser_store::{ACL_ENTRIES, Grant, KEYWORDS, RecordKind, Rights, RightsAct, UPLOADS, Who};
use serde_json::{Map, Value, json};

use super::changes_wake_clients_that_are_away::World;
use super::node::{Node, SENT_AN_HOUR, SENT_SIZE, USING};

const PAGE: &str = include_str!("../../../../docs/api/methods.md");
/// Objects of one call in this world.
const OBJECTS: usize = 120;
/// Types whose objects are their owner's alone.
const OWNERS: [&str; 14] = [
    "Identity",
    "EmailSubmission",
    "VacationResponse",
    "MDN",
    "SieveScript",
    "ShareNotification",
    "AddressBook",
    "ContactCard",
    "Document",
    "Note",
    "Recall",
    "Rules",
    "Principal",
    "MailMove",
];

/// What is seen where it can be held still: two acts that run while a third is asked for are no moment of a whole server that a test can wait
/// for (`vendor::bulk::tests::so_many_run_at_once_and_no_more`).
const ELSEWHERE: [(&str, &str); 1] = [("Bulk/set", "overQuota")];

/// The cells of a table's rows, as the page has them under a heading.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let rest = PAGE.split_once(heading).unwrap().1;
    let rows = rest.lines().skip_while(|line| !line.starts_with("|---"));
    rows.take_while(|line| line.starts_with('|'))
        .filter(|line| !line.starts_with("|---"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn words(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(' ').map(|word| word.trim_matches('`')).filter(|word| !word.is_empty())
}

/// What was answered to which method.
#[derive(Default)]
struct Seen(BTreeSet<(String, String)>);

impl Seen {
    /// The errors of one call: its own, or those of its objects. They are noted.
    fn ask(&mut self, node: &Node, who: &str, method: &str, mut arguments: Value) -> Vec<String> {
        let has_account = !method.starts_with("PushSubscription/") && method != "Core/echo";
        if has_account && arguments.get("accountId").is_none() {
            arguments["accountId"] = node.id(who).into();
        }
        let answers = node.calls(who, json!([[method, arguments, "c"]]));
        let answer = &answers[0];
        let kind = |error: &Value| error["type"].as_str().unwrap().to_owned();
        let errors: Vec<String> = match answer[0] == "error" {
            true => vec![kind(&answer[1])],
            false => ["notCreated", "notUpdated", "notDestroyed", "notCopied", "notSent"]
                .iter()
                .filter_map(|name| answer[1][name].as_object())
                .flat_map(|all| all.values().map(kind))
                .collect(),
        };
        self.0.extend(errors.iter().map(|error| (method.to_owned(), error.clone())));
        errors
    }

    fn expect(&mut self, node: &Node, method: &str, arguments: Value, error: &str) {
        let errors = self.ask(node, "ann", method, arguments.clone());
        let shown = arguments.to_string();
        assert!(errors.iter().any(|one| one == error), "{method} {shown:.300}: {errors:?}, not {error}");
    }
}

#[test]
fn every_error_of_the_page_happens() {
    let mut seen = Seen::default();
    usual(&mut seen);
    of_blobs(&mut seen);
    of_mail(&mut seen);
    of_sending(&mut seen);
    of_scripts(&mut seen);
    of_records(&mut seen);
    of_subscriptions(&mut seen);
    seen.0.extend(ELSEWHERE.map(|(method, error)| (method.to_owned(), error.to_owned())));
    let usual: Vec<(&str, BTreeSet<&str>)> =
        table("## Usual errors").into_iter().map(|row| (row[0].trim_matches('`'), words(row[1]).collect())).collect();
    let usual_of = |verb: &str| -> BTreeSet<&str> {
        usual.iter().filter(|(of, _)| *of == "all" || *of == verb).flat_map(|(_, words)| words).copied().collect()
    };
    let (mut missing, mut strange) = (Vec::new(), Vec::new());
    let own: BTreeMap<&str, BTreeSet<&str>> =
        table("# Methods").into_iter().map(|row| (row[0], words(row[3]).collect())).collect();
    for (method, errors) in &own {
        missing.extend(
            errors
                .iter()
                .filter(|error| !seen.0.contains(&(method.to_string(), error.to_string())))
                .map(|error| (*method, *error)),
        );
    }
    for (method, error) in &seen.0 {
        let Some(own) = own.get(method.as_str()) else { continue };
        let verb = method.split_once('/').unwrap().1;
        if !own.contains(error.as_str()) && !usual_of(verb).contains(error.as_str()) {
            strange.push((method, error));
        }
    }
    assert!(missing.is_empty() && strange.is_empty(), "never seen: {missing:?}; not on the page: {strange:?}");
}

fn small() -> Limits {
    Limits { objects_in_get: OBJECTS, objects_in_set: OBJECTS, size_upload: 2_000_000, ..Limits::default() }
}

/// What is wrong in the same way with every method of a kind.
fn usual(seen: &mut Seen) {
    let node = Node::with(small());
    node.share("bob", "ann", "lr");
    let ids: Vec<String> = (0..=OBJECTS).map(|at| format!("x{at}")).collect();
    let many: Map<String, Value> = ids.iter().map(|id| (id.clone(), json!({}))).collect();
    for row in table("# Methods") {
        let (method, (kind, verb)) = (row[0], row[0].split_once('/').unwrap());
        if method == "Core/echo" {
            continue;
        }
        let mut wrong = |arguments: Value, error: &str| seen.expect(&node, method, arguments, error);
        wrong(json!({ "colour": "red" }), "invalidArguments");
        if kind != "PushSubscription" {
            wrong(json!({ "accountId": 7 }), "invalidArguments");
            let account = json!({ "accountId": "A999", "fromAccountId": node.id("ann") });
            let account = if verb == "copy" { account } else { json!({ "accountId": "A999" }) };
            if method != "MailMove/discover" {
                wrong(account, "accountNotFound");
            }
        }
        let of_bob = |mut arguments: Value| {
            arguments["accountId"] = node.id("bob").into();
            arguments
        };
        let is_owners = OWNERS.contains(&kind) && !["Principal", "MailMove", "MDN"].contains(&kind);
        match verb {
            "get" => {
                if kind != "SearchSnippet" && kind != "EmailView" {
                    wrong(json!({ "ids": ids }), "requestTooLarge");
                }
                if !["ContactCard", "SearchSnippet", "EmailView"].contains(&kind) {
                    wrong(json!({ "properties": ["colour"] }), "invalidArguments");
                }
                if is_owners {
                    wrong(of_bob(json!({})), "accountNotSupportedByMethod");
                }
            }
            "changes" => {
                wrong(json!({}), "invalidArguments");
                wrong(json!({ "sinceState": "x", "maxChanges": 0 }), "invalidArguments");
                wrong(json!({ "sinceState": "x" }), "cannotCalculateChanges");
                if is_owners {
                    wrong(of_bob(json!({ "sinceState": "0" })), "accountNotSupportedByMethod");
                }
            }
            "set" => {
                wrong(json!({ "create": many }), "requestTooLarge");
                wrong(
                    json!({ "create": { "a": 1 } }),
                    if kind == "PushSubscription" { "forbidden" } else { "invalidArguments" },
                );
                if !["PushSubscription", "Bulk"].contains(&kind) {
                    wrong(json!({ "ifInState": "x" }), "stateMismatch");
                }
                let gone = match kind {
                    "Principal" => "forbidden",
                    "VacationResponse" | "Rules" => "singleton",
                    _ => "notFound",
                };
                wrong(json!({ "destroy": ["x"] }), gone);
                if is_owners {
                    wrong(of_bob(json!({ "destroy": ["x"] })), "accountNotSupportedByMethod");
                }
            }
            "query" => {
                wrong(json!({ "filter": { "colour": "red" } }), "unsupportedFilter");
                wrong(json!({ "filter": [] }), "invalidArguments");
                wrong(json!({ "filter": { "operator": "XOR", "conditions": [] } }), "invalidArguments");
                wrong(json!({ "sort": [{ "property": "colour" }] }), "unsupportedSort");
                wrong(json!({ "anchor": "x" }), "anchorNotFound");
            }
            "queryChanges" => {
                wrong(json!({}), "invalidArguments");
                wrong(json!({ "sinceQueryState": "x" }), "cannotCalculateChanges");
                if !["Quota", "Principal"].contains(&kind) {
                    wrong(json!({ "sinceQueryState": "0", "filter": { "colour": "red" } }), "unsupportedFilter");
                    wrong(json!({ "sinceQueryState": "0", "sort": [{ "property": "colour" }] }), "unsupportedSort");
                }
            }
            "copy" => {
                wrong(json!({ "fromAccountId": "A999" }), "fromAccountNotFound");
                wrong(json!({}), "invalidArguments");
            }
            _ => {}
        }
    }
    // What is not said to be used is not there.
    for row in table("# Methods").iter().filter(|row| row[1] != "`urn:ietf:params:jmap:core`") {
        let request = json!({ "using": ["urn:ietf:params:jmap:core"], "methodCalls": [[row[0], {}, "c"]] });
        assert_eq!(
            node.request("ann", &request).json()["methodResponses"][0][1]["type"],
            "unknownMethod",
            "{}",
            row[0]
        );
        assert!(USING.contains(&row[1].trim_matches('`')));
    }
    let lost = json!({ "#ids": { "resultOf": "9", "name": "Email/query", "path": "/ids" } });
    seen.expect(&node, "Email/get", lost, "invalidResultReference");
    // Whoever may only read is told so.
    let create = json!({ "accountId": node.id("bob"), "create": { "a": { "name": "x", "parentId": null } } });
    seen.expect(&node, "Mailbox/set", create, "forbidden");
    seen.expect(&node, "ContactCard/copy", json!({ "fromAccountId": node.id("ann") }), "invalidArguments");
    seen.expect(
        &node,
        "ContactCard/copy",
        json!({ "fromAccountId": node.id("bob") }),
        "fromAccountNotSupportedByMethod",
    );
    let theirs = json!({ "fromAccountId": node.id("ann"), "accountId": node.id("bob") });
    seen.expect(&node, "ContactCard/copy", theirs, "accountNotSupportedByMethod");
}

fn blob(node: &Node, bytes: &[u8]) -> Value {
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let made = node.call("ann", "Blob/upload", json!({ "create": { "a": { "data": [{ "data:asBase64": text }] } } }));
    made["created"]["a"]["id"].clone()
}

fn of_blobs(seen: &mut Seen) {
    let node = Node::with(small());
    node.share("bob", "ann", "lr");
    let id = blob(&node, b"x");
    let copy = json!({ "fromAccountId": node.id("bob"), "blobIds": ["x"] });
    seen.expect(&node, "Blob/copy", copy, "notFound");
    let made = |data: Value| json!({ "create": { "a": { "data": data } } });
    seen.expect(&node, "Blob/upload", made(json!("x")), "invalidProperties");
    seen.expect(&node, "Blob/upload", made(json!([{ "blobId": "x" }])), "blobNotFound");
    seen.expect(&node, "Blob/upload", made(json!(vec![json!({ "data:asText": "x" }); 65])), "tooLarge");
    seen.expect(&node, "Blob/get", json!({}), "requestTooLarge");
    seen.expect(&node, "Blob/lookup", json!({ "typeNames": ["Lunch"], "ids": [id] }), "unknownDataType");
    // As much as may be kept is kept, and not used yet.
    let user = node.account("ann");
    node.write("ann", move |tx| (1..UPLOADS).try_for_each(|at| tx.keep_upload(user, BlobId::of(&at.to_le_bytes()), 1)));
    seen.expect(&node, "Blob/upload", made(json!([{ "data:asText": "one too many" }])), "overQuota");
    let theirs = format!("B{}", node.deliver("bob", "Subject: x\n\nx\n", 0).message);
    seen.expect(&node, "Blob/copy", json!({ "fromAccountId": node.id("bob"), "blobIds": [theirs] }), "overQuota");
}

fn of_mail(seen: &mut Seen) {
    let node = Node::with(small());
    node.share("bob", "ann", "lrswite");
    let (inbox, trash) = (node.role("ann", "inbox"), node.role("ann", "trash"));
    let email = format!("M{}", node.deliver("ann", "Subject: x\n\nx\n", 0).message);
    let child = node.call("ann", "Mailbox/set", json!({ "create": { "a": { "name": "Inner", "parentId": trash } } }));
    assert!(child["created"].is_object(), "{child}");
    seen.expect(&node, "Mailbox/set", json!({ "destroy": [trash] }), "mailboxHasChild");
    let full =
        node.call("ann", "Mailbox/set", json!({ "create": { "a": { "name": "Full" } } }))["created"]["a"]["id"].take();
    let full = full.as_str().unwrap();
    node.call("ann", "Email/set", json!({ "update": { &email: { format!("mailboxIds/{full}"): true } } }));
    seen.expect(&node, "Mailbox/set", json!({ "destroy": [full] }), "mailboxHasEmail");
    seen.expect(&node, "Mailbox/set", json!({ "update": { full: { "name/x": 1 } } }), "invalidPatch");
    node.write("ann", |tx| {
        let inbox = tx.inbox()?.id;
        let line = |at: usize| Grant {
            who: Who::Account(anser_base::AccountId(1_000 + at as u64)),
            negative: false,
            rights: Rights::READ,
        };
        (0..ACL_ENTRIES).try_for_each(|at| tx.set_acl(inbox, line(at), RightsAct::Set).map(drop))
    });
    let bob = format!("P{}", node.account("bob"));
    let share = json!({ "update": { &inbox: { format!("shareWith/{bob}"): { "mayReadItems": true } } } });
    seen.expect(&node, "Mailbox/set", share, "tooLarge");

    let place = json!({ &inbox: true });
    let words: Map<String, Value> = (0..=KEYWORDS).map(|at| (format!("w{at}"), json!(true))).collect();
    let set = |object: Value| json!({ "create": { "a": object } });
    let text = |size: usize| json!({ "mailboxIds": place, "bodyValues": { "t": { "value": "x\n".repeat(size / 2) } }, "textBody": [{ "partId": "t" }] });
    seen.expect(
        &node,
        "Email/set",
        set(json!({ "mailboxIds": place, "attachments": [{ "blobId": "U0", "type": "a/b" }] })),
        "blobNotFound",
    );
    seen.expect(&node, "Email/set", set(json!({ "mailboxIds": place, "keywords": words })), "tooManyKeywords");
    seen.expect(&node, "Email/set", set(json!({ "mailboxIds": {} })), "invalidProperties");
    seen.expect(&node, "Email/set", set(text(2_500_000)), "tooLarge");
    seen.expect(&node, "Email/set", json!({ "update": { &email: { "keywords/a/b": true } } }), "invalidPatch");

    let raw = blob(&node, b"Subject: x\r\n\r\nx\r\n");
    let import = |id: &Value, more: Value| {
        let mut object = json!({ "blobId": id, "mailboxIds": place });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "emails": { "a": object } })
    };
    seen.expect(&node, "Email/import", import(&blob(&node, b"\r\nx\r\n"), json!({})), "invalidEmail");
    seen.expect(&node, "Email/import", import(&raw, json!({ "colour": 1 })), "invalidProperties");
    seen.expect(&node, "Email/import", import(&raw, json!({ "keywords": words })), "tooManyKeywords");
    let vast = [b"Subject: x\r\n\r\n".to_vec(), vec![b'x'; 2_500_000]].concat();
    seen.expect(&node, "Email/import", import(&blob(&node, &vast), json!({})), "tooLarge");
    seen.expect(&node, "Email/import", json!({ "ifInState": "x", "emails": {} }), "stateMismatch");
    let many: Map<String, Value> = (0..=OBJECTS).map(|at| (format!("e{at}"), json!({}))).collect();
    seen.expect(&node, "Email/import", json!({ "emails": many }), "requestTooLarge");
    seen.expect(
        &node,
        "SearchSnippet/get",
        json!({ "emailIds": [email], "filter": { "colour": "red" } }),
        "unsupportedFilter",
    );

    let theirs = node.deliver("bob", "Subject: y\n\ny\n", 0).message;
    let ids = node.call("ann", "Email/query", json!({ "accountId": node.id("bob") }))["ids"].take();
    let copy = |more: Value| {
        let mut object = json!({ "id": ids[0], "mailboxIds": place });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "fromAccountId": node.id("bob"), "create": { "a": object } })
    };
    assert!(ids[0].as_str().is_some_and(|id| id.ends_with(&theirs.to_string())), "{ids}");
    seen.expect(&node, "Email/copy", copy(json!({ "id": "M99" })), "notFound");
    seen.expect(&node, "Email/copy", copy(json!({ "colour": 1 })), "invalidProperties");
    seen.expect(&node, "Email/copy", copy(json!({ "keywords": words })), "tooManyKeywords");
    seen.expect(
        &node,
        "Email/copy",
        json!({ "fromAccountId": node.id("bob"), "ifInState": "x", "create": {} }),
        "stateMismatch",
    );
    // There is room for nothing more.
    node.door.runtime.block_on(node.door.directory.set_quota(node.account("ann"), 1)).unwrap();
    seen.expect(&node, "Email/set", set(text(10)), "overQuota");
    seen.expect(&node, "Email/import", import(&raw, json!({})), "overQuota");
    seen.expect(&node, "Email/copy", copy(json!({})), "overQuota");
    // A result that moved by more than is wanted.
    for (kind, object) in
        [("Mailbox", json!({ "name": "One more" })), ("ContactCard", json!({ "addressBookIds": book(&node) }))]
    {
        let state = node.call("ann", &format!("{kind}/query"), json!({}))["queryState"].take();
        let made = node.call("ann", &format!("{kind}/set"), json!({ "create": { "a": object } }));
        assert!(made["created"].is_object(), "{made}");
        seen.expect(
            &node,
            &format!("{kind}/queryChanges"),
            json!({ "sinceQueryState": state, "maxChanges": 0 }),
            "tooManyChanges",
        );
    }
}

fn book(node: &Node) -> Value {
    let book = node.call("ann", "AddressBook/get", json!({}))["list"][0]["id"].take();
    json!({ book.as_str().unwrap(): true })
}

fn of_sending(seen: &mut Seen) {
    let node = Node::with(small());
    let identity = node.call("ann", "Identity/get", json!({}))["list"][0]["id"].take();
    let letter = |from: &str, more: &str| {
        format!(
            "M{}",
            node.deliver("ann", &format!("From: {from}\n{more}Subject: x\nMessage-ID: <{from}@x>\n\nx\n"), 0).message
        )
    };
    let own = letter("ann@anser.test", "To: bob@anser.test\n");
    seen.expect(&node, "Identity/set", json!({ "create": { "a": { "email": "bob@anser.test" } } }), "forbiddenFrom");
    seen.expect(&node, "Identity/set", json!({ "create": { "a": { "email": "x" } } }), "invalidProperties");
    seen.expect(&node, "Identity/set", json!({ "destroy": [identity] }), "forbidden");
    let send = |email: &str, envelope: Value| json!({ "create": { "a": { "identityId": identity, "emailId": email, "envelope": envelope } } });
    let envelope = |from: &str, to: &[&str]| {
        let to: Vec<Value> = to.iter().map(|to| json!({ "email": to })).collect();
        json!({ "mailFrom": { "email": from }, "rcptTo": to })
    };
    let bob = ["bob@anser.test"];
    let crowd = ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example", "f@x.example"];
    let forged = letter("bob@anser.test", "To: bob@anser.test\n");
    let looped = letter("ann@anser.test", &"Received: from x by y; Wed, 1 Jan 2025 00:00:00 +0000\n".repeat(200));
    let vast = letter("ann@anser.test", &format!("X-Vast: {}\n", "x\n ".repeat(SENT_SIZE as usize / 3)));
    for (email, envelope, error) in [
        (&own, envelope("bob@anser.test", &bob), "forbiddenMailFrom"),
        (&own, envelope("ann@anser.test", &[]), "noRecipients"),
        (&own, envelope("ann@anser.test", &["nobody@anser.test"]), "invalidRecipients"),
        (&own, envelope("ann@anser.test", &crowd), "tooManyRecipients"),
        (&own, envelope("a b", &bob), "invalidProperties"),
        (&forged, Value::Null, "forbiddenFrom"),
        (&looped, envelope("ann@anser.test", &bob), "forbiddenToSend"),
        (&vast, envelope("ann@anser.test", &bob), "tooLarge"),
    ] {
        seen.expect(&node, "EmailSubmission/set", send(email, envelope), error);
    }
    let mut held = envelope("ann@anser.test", &bob);
    held["mailFrom"]["parameters"] = json!({ "HOLDFOR": "60" });
    let made = node.call("ann", "EmailSubmission/set", send(&own, held));
    let id = made["created"]["a"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    node.store.clock().advance(Duration::from_secs(61));
    seen.expect(
        &node,
        "EmailSubmission/set",
        json!({ "update": { &id: { "undoStatus": "canceled" } } }),
        "cannotUnsend",
    );

    let asks = letter("bob@anser.test", "To: ann@anser.test\nDisposition-Notification-To: bob@anser.test\n");
    let nobody = letter("x@x.example", "To: ann@anser.test\nDisposition-Notification-To: nobody@anser.test\n");
    let receipt = |email: &str, mode: &str| {
        json!({ "identityId": identity, "send": { "a": { "forEmailId": email,
            "disposition": { "actionMode": mode, "sendingMode": "mdn-sent-manually", "type": "displayed" } } } })
    };
    seen.expect(&node, "MDN/send", receipt("M99", "manual-action"), "notFound");
    seen.expect(&node, "MDN/send", receipt(&asks, "by magic"), "invalidProperties");
    seen.expect(&node, "MDN/send", receipt(&nobody, "manual-action"), "invalidRecipients");
    assert!(seen.ask(&node, "ann", "MDN/send", receipt(&asks, "manual-action")).is_empty());
    seen.expect(&node, "MDN/send", receipt(&asks, "manual-action"), "mdnAlreadySent");
    let stranger = json!({ "identityId": "I99", "send": {} });
    seen.expect(&node, "MDN/send", stranger, "invalidArguments");

    let recall = json!({ "create": { "a": { "emailSubmissionId": id } } });
    seen.expect(&node, "Recall/set", json!({ "create": { "a": { "emailSubmissionId": "S99" } } }), "notFound");
    assert!(seen.ask(&node, "ann", "Recall/set", recall.clone()).is_empty());
    seen.expect(&node, "Recall/set", recall, "forbidden");
    let eleven: Map<String, Value> = (0..11).map(|at| (format!("r{at}"), json!({ "emailSubmissionId": id }))).collect();
    seen.expect(&node, "Recall/set", json!({ "create": eleven }), "requestTooLarge");
    let sent = || node.call("ann", "EmailSubmission/set", send(&own, Value::Null))["created"]["a"]["id"].take();
    let (second, third) = (sent(), sent());
    // As many are remembered as can be, all of the second.
    let number: u64 = second.as_str().unwrap()[1..].parse().unwrap();
    node.write("ann", move |tx| {
        let mut known: Value = serde_json::from_slice(&tx.records(RecordKind::Recall)?.remove(0).1).unwrap();
        known["submission"] = number.into();
        (1..1_000).try_for_each(|_| tx.add_record(RecordKind::Recall, known.to_string().as_bytes()).map(drop))
    });
    seen.expect(&node, "Recall/set", json!({ "create": { "a": { "emailSubmissionId": second } } }), "alreadyExists");
    seen.expect(&node, "Recall/set", json!({ "create": { "a": { "emailSubmissionId": third } } }), "overQuota");
    // Whoever has written to as many as may be in an hour writes to nobody, and is told so.
    (0..=SENT_AN_HOUR).for_each(|_| drop(seen.ask(&node, "ann", "EmailSubmission/set", send(&own, Value::Null))));
    let late = letter("late@x.example", "To: ann@anser.test\nDisposition-Notification-To: bob@anser.test\n");
    seen.expect(&node, "MDN/send", receipt(&late, "manual-action"), "forbiddenToSend");
}

fn of_scripts(seen: &mut Seen) {
    let node = Node::with(small());
    let keep = blob(&node, b"keep;");
    let make = |name: &str, id: &Value| json!({ "create": { "a": { "name": name, "blobId": id } } });
    let made = node.call(
        "ann",
        "SieveScript/set",
        json!({ "create": { "a": { "name": "one", "blobId": keep } }, "onSuccessActivateScript": "#a" }),
    );
    let id = made["created"]["a"]["id"].clone();
    seen.expect(&node, "SieveScript/set", make("one", &keep), "alreadyExists");
    seen.expect(&node, "SieveScript/set", make("two", &json!("U0")), "blobNotFound");
    seen.expect(&node, "SieveScript/set", make("two", &blob(&node, b"keep")), "invalidSieve");
    seen.expect(&node, "SieveScript/set", make("two", &blob(&node, &vec![b'#'; 1_100_000])), "tooLarge");
    seen.expect(&node, "SieveScript/set", make("", &keep), "invalidProperties");
    seen.expect(&node, "SieveScript/set", json!({ "destroy": [id] }), "sieveIsActive");
    let many: Map<String, Value> = (0..99).map(|at| (format!("s{at}"), json!({ "blobId": keep }))).collect();
    assert!(seen.ask(&node, "ann", "SieveScript/set", json!({ "create": many })).is_empty());
    seen.expect(&node, "SieveScript/set", make("one too many", &keep), "overQuota");
    seen.expect(&node, "SieveScript/validate", json!({ "blobId": "U0" }), "blobNotFound");
    for kind in ["VacationResponse", "Rules"] {
        seen.expect(&node, &format!("{kind}/set"), json!({ "create": { "a": {} } }), "singleton");
        seen.expect(&node, &format!("{kind}/set"), json!({ "update": { "x": {} } }), "notFound");
        seen.expect(
            &node,
            &format!("{kind}/set"),
            json!({ "update": { "singleton": { "colour": 1 } } }),
            "invalidProperties",
        );
    }
}

fn of_records(seen: &mut Seen) {
    let node = Node::with(small());
    let own = book(&node);
    let first = own.as_object().unwrap().keys().next().unwrap().clone();
    let set = |object: Value| json!({ "create": { "a": object } });
    let made = node.call("ann", "AddressBook/set", set(json!({ "name": "Work" })));
    let work = made["created"]["a"]["id"].as_str().unwrap();
    let card = json!({ "uid": "u", "addressBookIds": { work: true } });
    assert!(seen.ask(&node, "ann", "ContactCard/set", set(card.clone())).is_empty());
    seen.expect(&node, "ContactCard/set", set(card), "alreadyExists");
    let many: Map<String, Value> = (0..=200).map(|at| (format!("x{at}"), json!(1))).collect();
    let mut wide = json!({ "addressBookIds": own });
    wide.as_object_mut().unwrap().extend(many);
    seen.expect(&node, "ContactCard/set", set(wide), "tooLarge");
    seen.expect(&node, "ContactCard/set", set(json!({ "addressBookIds": {} })), "invalidProperties");
    seen.expect(&node, "AddressBook/set", json!({ "destroy": [work] }), "addressBookHasContents");
    seen.expect(&node, "AddressBook/set", json!({ "destroy": [first] }), "forbidden");
    seen.expect(&node, "AddressBook/set", json!({ "update": { &first: { "name/x/y": 1 } } }), "invalidPatch");
    let books: Map<String, Value> = (0..99).map(|at| (format!("b{at}"), json!({ "name": "x" }))).collect();
    seen.expect(&node, "AddressBook/set", json!({ "create": books }), "overQuota");
    seen.expect(&node, "ContactCard/import", json!({ "blobId": "U0" }), "blobNotFound");
    seen.expect(
        &node,
        "ContactCard/import",
        json!({ "blobId": blob(&node, b"x"), "addressBookId": "K999" }),
        "invalidArguments",
    );
    seen.expect(&node, "ContactCard/export", json!({ "format": "x" }), "invalidArguments");

    let document = |key: String, value: Value| json!({ "key": key, "value": value });
    assert!(seen.ask(&node, "ann", "Document/set", set(document("k".into(), json!(1)))).is_empty());
    seen.expect(&node, "Document/set", set(document("k".into(), json!(1))), "alreadyExists");
    seen.expect(&node, "Document/set", set(document("l".into(), json!("x".repeat(300_000)))), "tooLarge");
    seen.expect(&node, "Document/set", set(document("".into(), json!(1))), "invalidProperties");
    for part in 0..2 {
        let all: Map<String, Value> =
            (0..100).map(|at| (format!("d{at}"), document(format!("{part}/{at}"), json!(1)))).collect();
        seen.ask(&node, "ann", "Document/set", json!({ "create": all }));
    }
    seen.expect(&node, "Document/set", set(document("m".into(), json!(1))), "overQuota");

    let email = format!("M{}", node.deliver("ann", "Subject: x\n\nx\n", 0).message);
    let note = json!({ "emailId": email, "text": "x" });
    assert!(seen.ask(&node, "ann", "Note/set", set(note.clone())).is_empty());
    seen.expect(&node, "Note/set", set(note), "alreadyExists");
    seen.expect(&node, "Note/set", set(json!({ "emailId": "M99" })), "invalidProperties");
    seen.expect(&node, "ShareNotification/set", set(json!({})), "forbidden");
    seen.expect(&node, "Principal/set", set(json!({})), "forbidden");
    seen.expect(&node, "Bulk/set", set(json!({ "filter": { "colour": 1 }, "destroy": true })), "invalidProperties");
    seen.expect(&node, "MailMove/set", set(json!({ "email": "x" })), "invalidProperties");
    let moved = |login: &str| json!({ "email": "ann@x.example", "protocol": "imap", "host": "127.0.0.1", "port": 1, "tls": "none", "username": login, "password": "p" });
    let ten: Map<String, Value> = (0..10).map(|at| (format!("m{at}"), moved(&at.to_string()))).collect();
    let begun = seen.ask(&node, "ann", "MailMove/set", json!({ "create": ten }));
    assert!(begun.is_empty(), "{begun:?}");
    seen.expect(&node, "MailMove/set", set(moved("one too many")), "rateLimit");
    seen.expect(&node, "MailMove/undo", json!({ "id": "X999", "dryRun": true }), "invalidArguments");
    seen.expect(&node, "MailMove/folders", json!({ "id": "X999" }), "invalidArguments");
    seen.expect(&node, "MailMove/failed", json!({ "id": "X999" }), "invalidArguments");
    seen.expect(&node, "EmailView/get", json!({ "ids": [], "images": "x" }), "invalidArguments");
}

fn of_subscriptions(seen: &mut Seen) {
    let world = World::start();
    let node = &world.node;
    let make = json!({ "create": { "a": { "deviceClientId": "x", "url": format!("{}/x", world.base) } } });
    (0..20).for_each(|_| assert!(seen.ask(node, "ann", "PushSubscription/set", make.clone()).is_empty()));
    seen.expect(node, "PushSubscription/set", make.clone(), "overQuota");
    (0..40).for_each(|_| drop(seen.ask(node, "ann", "PushSubscription/set", make.clone())));
    seen.expect(node, "PushSubscription/set", make, "rateLimit");
    seen.expect(node, "PushSubscription/set", json!({ "create": { "a": { "url": "http://x" } } }), "invalidProperties");
    seen.expect(node, "PushSubscription/get", json!({ "properties": ["url"] }), "forbidden");
}
