//! Thousands of calls made of what clients send: as it is, with a part of it changed, and with parts that belong elsewhere. Each is answered
//! over HTTP, none is the server's own failure, nothing panics, and the server answers a plain call afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};

use super::node::{Node, USING};

/// Requests, each of [`CALLS`] calls.
const REQUESTS: usize = 500;
const CALLS: usize = 8;
/// Where the sequence begins; another number is another sequence.
const SEED: u64 = 8620;
/// Ids of one kind that are remembered.
const KNOWN: usize = 40;

/// SplitMix64: the same sequence on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What clients send. A text that begins with `@` becomes an id of this letter, or a state, that the server told before.
fn calls() -> Vec<(&'static str, Value)> {
    let properties = json!({ "ids": ["@any"], "properties": ["id"] });
    let changes = json!({ "sinceState": "@state", "maxChanges": 5 });
    let queried = json!({ "sinceQueryState": "@state", "maxChanges": 5, "upToId": "@any", "calculateTotal": true });
    let mut all = vec![("Core/echo", json!({ "hello": [1, null, { "a": "b" }] }))];
    for name in [
        "PushSubscription/get",
        "Mailbox/get",
        "Thread/get",
        "Email/get",
        "Identity/get",
        "EmailSubmission/get",
        "VacationResponse/get",
        "SieveScript/get",
        "Quota/get",
        "Principal/get",
        "ShareNotification/get",
        "AddressBook/get",
        "ContactCard/get",
        "Bulk/get",
        "MailMove/get",
        "Document/get",
        "Note/get",
        "Recall/get",
        "Rules/get",
        "Blob/get",
        "EmailView/get",
    ] {
        all.push((name, properties.clone()));
        all.push((name, json!({ "ids": null })));
    }
    for name in [
        "Mailbox/changes",
        "Thread/changes",
        "Email/changes",
        "Identity/changes",
        "EmailSubmission/changes",
        "Quota/changes",
        "Principal/changes",
        "ShareNotification/changes",
        "AddressBook/changes",
        "ContactCard/changes",
        "Document/changes",
        "Note/changes",
        "Recall/changes",
    ] {
        all.push((name, changes.clone()));
    }
    for name in [
        "Mailbox/queryChanges",
        "Email/queryChanges",
        "EmailSubmission/queryChanges",
        "Quota/queryChanges",
        "Principal/queryChanges",
        "ShareNotification/queryChanges",
        "ContactCard/queryChanges",
    ] {
        all.push((name, queried.clone()));
    }
    let window = |filter: Value, sort: &str| {
        json!({ "filter": filter, "sort": [{ "property": sort, "isAscending": false, "collation": "i;unicode-casemap" }],
            "position": 0, "anchor": "@any", "anchorOffset": -1, "limit": 3, "calculateTotal": true })
    };
    let email = json!({ "operator": "OR", "conditions": [{ "inMailbox": "@F", "hasKeyword": "$seen", "text": "one" },
        { "operator": "NOT", "conditions": [{ "before": "2027-02-01T00:00:00Z", "minSize": 10, "header": ["Subject", "two"] }] }] });
    for sort in ["receivedAt", "subject", "size", "from"] {
        all.push(("Email/query", window(email.clone(), sort)));
    }
    all.push((
        "Email/query",
        json!({ "filter": { "inMailboxOtherThan": ["@F"], "allInThreadHaveKeyword": "$seen" }, "collapseThreads": true,
        "sort": [{ "property": "hasKeyword", "keyword": "$flagged" }] }),
    ));
    all.extend([
        ("Mailbox/query", json!({ "filter": { "parentId": "@F", "name": "in", "role": "inbox", "hasAnyRole": true, "isSubscribed": true },
            "sort": [{ "property": "sortOrder" }, { "property": "name" }], "sortAsTree": true, "filterAsTree": true })),
        ("EmailSubmission/query", window(json!({ "identityIds": ["@I"], "emailIds": ["@M"], "undoStatus": "final", "after": "2027-01-01T00:00:00Z" }), "sentAt")),
        ("SieveScript/query", json!({ "filter": { "name": "a", "isActive": true }, "sort": [{ "property": "name" }] })),
        ("Quota/query", window(json!({ "name": "mail", "scope": "account", "resourceType": "octets", "type": "Mail" }), "used")),
        ("Principal/query", json!({ "filter": { "text": "b", "type": "individual", "email": "anser" }, "sort": [{ "property": "name" }] })),
        ("ShareNotification/query", window(json!({ "after": "2027-01-01T00:00:00Z", "objectType": "Mailbox" }), "created")),
        ("ContactCard/query", window(json!({ "inAddressBook": "@K", "name": "Ann", "email": "x", "kind": "individual" }), "name/given")),
        ("Note/query", json!({ "filter": { "text": "x", "hasDue": false, "dueBefore": "2028-01-01T00:00:00Z", "emailIds": ["@M"] } })),
        ("SearchSnippet/get", json!({ "filter": email, "emailIds": ["@M", "@M"] })),
        ("Thread/get", json!({ "ids": ["@T", "@T"] })),
        ("Email/get", json!({ "ids": ["@M", "@M"], "properties": ["bodyStructure", "header:Subject:asText:all", "header:From:asAddresses", "textBody", "preview"],
            "bodyProperties": ["partId", "header:Content-Type:asRaw"], "fetchAllBodyValues": true, "maxBodyValueBytes": 7 })),
        ("Mailbox/set", json!({ "create": { "a": { "name": "New", "parentId": "@F", "sortOrder": 3, "shareWith": { "@P": { "mayReadItems": true } } } },
            "update": { "@F": { "name": "Other", "isSubscribed": true, "shareWith/@P/mayAddItems": true } }, "destroy": ["@F"], "onDestroyRemoveEmails": true })),
        ("Email/set", json!({ "create": { "a": { "mailboxIds": { "@F": true }, "keywords": { "$draft": true }, "from": [{ "name": "陈", "email": "ann@anser.test" }],
            "subject": "x", "header:X-A:asURLs": ["https://x.example/"], "bodyValues": { "1": { "value": "text", "isTruncated": false } },
            "bodyStructure": { "type": "multipart/mixed", "subParts": [{ "partId": "1", "type": "text/plain" }, { "blobId": "@B", "type": "image/png", "name": "a.png" }] } } },
            "update": { "@M": { "keywords/$seen": true, "mailboxIds/@F": true } }, "destroy": ["@M"], "ifInState": "@state" })),
        ("Email/set", json!({ "update": { "@M": { "keywords": { "$flagged": true }, "mailboxIds": { "@F": true } } } })),
        ("Email/copy", json!({ "fromAccountId": "@other", "create": { "a": { "id": "@M", "mailboxIds": { "@F": true }, "keywords": {} } },
            "onSuccessDestroyOriginal": true, "destroyFromIfInState": "@state" })),
        ("Email/import", json!({ "emails": { "a": { "blobId": "@B", "mailboxIds": { "@F": true }, "keywords": { "$seen": true }, "receivedAt": "2027-01-02T03:04:05Z" } } })),
        ("Email/parse", json!({ "blobIds": ["@B"], "properties": ["subject", "textBody"], "fetchTextBodyValues": true })),
        ("Identity/set", json!({ "create": { "a": { "name": "Ann", "email": "ann@anser.test", "replyTo": [{ "email": "a@x.example" }], "textSignature": "x" } },
            "update": { "@I": { "htmlSignature": "<b>x</b>" } }, "destroy": ["@I"] })),
        ("EmailSubmission/set", json!({ "create": { "a": { "identityId": "@I", "emailId": "@M", "envelope": { "mailFrom": { "email": "ann@anser.test",
            "parameters": { "HOLDFOR": "600", "ENVID": "x", "RET": "HDRS" } }, "rcptTo": [{ "email": "bob@anser.test", "parameters": { "NOTIFY": "FAILURE" } }] } } },
            "update": { "@S": { "undoStatus": "canceled" } }, "destroy": ["@S"], "onSuccessUpdateEmail": { "#a": { "keywords/$draft": null } }, "onSuccessDestroyEmail": ["#a"] })),
        ("VacationResponse/set", json!({ "update": { "singleton": { "isEnabled": true, "fromDate": "2027-01-02T03:04:05Z", "toDate": null, "subject": "x", "textBody": "y", "htmlBody": "<p>z</p>" } } })),
        ("MDN/send", json!({ "identityId": "@I", "send": { "a": { "forEmailId": "@M", "subject": "x", "textBody": "y",
            "disposition": { "actionMode": "manual-action", "sendingMode": "mdn-sent-manually", "type": "displayed" } } }, "onSuccessUpdateEmail": { "#a": { "keywords/$mdnsent": true } } })),
        ("MDN/parse", json!({ "blobIds": ["@B"] })),
        ("SieveScript/set", json!({ "create": { "a": { "name": "a", "blobId": "@B" } }, "update": { "@any": { "name": "b" } }, "destroy": ["@any"], "onSuccessActivateScript": "#a" })),
        ("SieveScript/validate", json!({ "blobId": "@B" })),
        ("Principal/set", json!({ "update": { "@P": { "name": "x" } } })),
        ("ShareNotification/set", json!({ "destroy": ["@N"] })),
        ("AddressBook/set", json!({ "create": { "a": { "name": "Book", "description": null, "sortOrder": 1, "isSubscribed": true } }, "update": { "@K": { "name": "x" } },
            "destroy": ["@K"], "onDestroyRemoveContents": true, "onSuccessSetIsDefault": "#a" })),
        ("ContactCard/set", json!({ "create": { "a": { "addressBookIds": { "@K": true }, "name": { "full": "Ann Lee", "components": [{ "kind": "given", "value": "Ann" }] },
            "emails": { "1": { "address": "a@x.example", "contexts": { "work": true } } }, "anniversaries": { "1": { "kind": "birth", "date": { "year": 1999 } } } } },
            "update": { "@C": { "name/full": "Bo", "emails/1/address": "b@x.example", "addressBookIds/@K": true } }, "destroy": ["@C"] })),
        ("ContactCard/copy", json!({ "fromAccountId": "@other", "create": { "a": { "id": "@C", "addressBookIds": { "@K": true } } } })),
        ("ContactCard/import", json!({ "blobId": "@B", "addressBookId": "@K", "charset": "gbk" })),
        ("ContactCard/export", json!({ "ids": ["@C"], "addressBookId": "@K", "format": "vcard3" })),
        ("Blob/upload", json!({ "create": { "a": { "data": [{ "data:asText": "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann\r\nEND:VCARD\r\n" }, { "blobId": "@B", "offset": 1, "length": 9 }], "type": "text/vcard" },
            "b": { "data": [{ "data:asBase64": "a2VlcDs=" }] } } })),
        ("Blob/get", json!({ "ids": ["@B"], "properties": ["data:asText", "digest:sha-256", "size"], "offset": 2, "length": 5 })),
        ("Blob/lookup", json!({ "ids": ["@B"], "typeNames": ["Mailbox", "Thread", "Email"] })),
        ("Blob/copy", json!({ "fromAccountId": "@other", "blobIds": ["@B"] })),
        ("PushSubscription/set", json!({ "create": { "a": { "deviceClientId": "x", "url": "https://push.example/x", "types": ["Email"], "expires": "2027-01-20T00:00:00Z",
            "keys": { "p256dh": "BNcR", "auth": "x" } } }, "update": { "@any": { "verificationCode": "x", "types": null } }, "destroy": ["@any"] })),
        ("EmailView/get", json!({ "ids": ["@M"], "blobIds": ["@B"], "images": "blocked", "charset": "gbk" })),
        ("Bulk/set", json!({ "create": { "a": { "filter": { "inMailbox": "@F" }, "update": { "keywords/$seen": true } } }, "destroy": ["@any"] })),
        ("MailMove/set", json!({ "create": { "a": { "email": "ann@anser.test", "protocol": "imap", "host": "127.0.0.1", "port": 1, "tls": "none", "username": "a",
            "password": "b", "every": 60, "intoMailboxId": "@F", "state": "paused", "folders": { "x": { "skip": true, "role": "sent" } } } }, "update": { "@any": { "state": "paused" } }, "destroy": ["@any"] })),
        ("MailMove/undo", json!({ "id": "X1", "dryRun": true })),
        ("MailMove/folders", json!({ "id": "X1" })),
        ("MailMove/signIn", json!({ "id": "X1" })),
        ("MailMove/failed", json!({ "id": "X1", "position": 0 })),
        ("MailMove/discover", json!({ "email": "ann@anser.test" })),
        ("Document/set", json!({ "create": { "a": { "key": "web/x", "value": { "a": [1, 2] } } }, "update": { "@D": { "value/a": null } }, "destroy": ["@D"] })),
        ("Note/set", json!({ "create": { "a": { "emailId": "@M", "text": "x", "due": "2027-02-01T00:00:00Z" } }, "update": { "@any": { "text": "y" } }, "destroy": ["@any"] })),
        ("Recall/set", json!({ "create": { "a": { "emailSubmissionId": "@S" } }, "destroy": ["@any"] })),
        ("Rules/set", json!({ "update": { "singleton": { "items": [{ "rule": { "name": "Ads", "enabled": true, "quantifier": "any", "stop": true,
            "conditions": [{ "text": { "field": "subject", "how": "contains", "values": ["sale"], "not": false } }, { "larger": 5000 }],
            "deeds": [{ "file": { "mailbox": "Ads", "copy": false } }, "read"] } }] } } })),
    ]);
    all
}

/// What the server told: ids by their letter, and states.
#[derive(Default)]
struct Known(BTreeMap<String, Vec<String>>);

impl Known {
    fn learn(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(text) if matches!(name, "state" | "newState" | "queryState") => self.keep("state", text),
            Value::String(text) if text.len() <= 60 => {
                let letter = text.chars().next().filter(char::is_ascii_uppercase);
                if let Some(letter) = letter.filter(|_| text[1..].starts_with(|c: char| c.is_ascii_alphanumeric())) {
                    self.keep(&letter.to_string(), text);
                    self.keep("any", text);
                }
            }
            Value::Array(all) => all.iter().for_each(|one| self.learn(name, one)),
            Value::Object(all) => all.iter().for_each(|(name, one)| {
                self.learn("", &Value::from(name.as_str()));
                self.learn(name, one);
            }),
            _ => {}
        }
    }

    fn keep(&mut self, kind: &str, text: &str) {
        let all = self.0.entry(kind.to_owned()).or_default();
        if !all.iter().any(|known| known == text) {
            if all.len() >= KNOWN {
                all.remove(0);
            }
            all.push(text.to_owned());
        }
    }

    fn filled(&self, text: &str, dice: &mut Dice) -> String {
        let Some((before, rest)) =
            text.split_once('@').filter(|(before, _)| before.is_empty() || before.ends_with('/'))
        else {
            return text.to_owned();
        };
        let (kind, after) =
            rest.split_once('/').map_or((rest, String::new()), |(kind, after)| (kind, format!("/{after}")));
        let id = self.0.get(kind).map_or_else(|| format!("{kind}1"), |all| dice.of(all).clone());
        format!("{before}{id}{after}")
    }

    fn fill(&self, value: &Value, dice: &mut Dice) -> Value {
        match value {
            Value::String(text) => self.filled(text, dice).into(),
            Value::Array(all) => all.iter().map(|one| self.fill(one, dice)).collect(),
            Value::Object(all) => {
                Value::Object(all.iter().map(|(name, one)| (self.filled(name, dice), self.fill(one, dice))).collect())
            }
            other => other.clone(),
        }
    }
}

/// A value that hardly belongs where it comes to stand.
fn strange(dice: &mut Dice, known: &Known) -> Value {
    let texts = [
        "",
        "\u{0}",
        "陈雁 ✉",
        "-1",
        "../../etc",
        "%00",
        "#a",
        "a/b~1c",
        "2027-13-45T99:99:99Z",
        "=?utf-8?B?/////w==?=",
        "'; --",
        "@any",
        "@state",
    ];
    match dice.below(12) {
        0 => Value::Null,
        1 => true.into(),
        2 => (*dice.of(&[0i64, -1, 1 << 31, 1 << 53, i64::MAX, i64::MIN])).into(),
        3 => json!(*dice.of(&[0.5, -0.0, 1e308, 1e-308])),
        4 => json!([]),
        5 => json!({}),
        6 => "x".repeat(*dice.of(&[256, 1_025, 70_000])).into(),
        7 => (0..dice.below(1_200)).map(|number| format!("M{number}")).collect(),
        8 => (0..30).fold(json!("deep"), |inner, _| json!({ "operator": "NOT", "conditions": [inner] })),
        9 => json!({ "resultOf": "c0", "name": "Email/query", "path": "/ids/*" }),
        _ => {
            let text = texts[dice.below(texts.len())];
            known.filled(text, dice).into()
        }
    }
}

/// The values within a value, itself among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(all) => all.iter().map(count).sum(),
        Value::Object(all) => all.values().map(count).sum(),
        _ => 0,
    }
}

/// Changes the value of this number.
fn change(value: &mut Value, at: &mut usize, with: &mut dyn FnMut(&mut Value)) -> bool {
    if *at == 0 {
        with(value);
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(all) => all.iter_mut().any(|one| change(one, at, with)),
        Value::Object(all) => all.values_mut().any(|one| change(one, at, with)),
        _ => false,
    }
}

fn bent(arguments: &mut Value, dice: &mut Dice, known: &Known) {
    let mut at = dice.below(count(arguments));
    change(arguments, &mut at, &mut |value| match (dice.below(5), value) {
        (0, Value::Object(all)) if !all.is_empty() => {
            let name = all.keys().nth(dice.below(all.len())).unwrap().clone();
            all.remove(&name);
        }
        (1, Value::Object(all)) if !all.is_empty() => {
            let name = all.keys().nth(dice.below(all.len())).unwrap().clone();
            let moved = all.remove(&name).unwrap();
            all.insert(format!("{name}{}", dice.of(&["x", "/x", "/0", "", "~2", "\u{7f}"])), moved);
        }
        (2, Value::Array(all)) => all.extend(all.clone()),
        (3, value) => *value = json!([value.take()]),
        (_, value) => *value = strange(dice, known),
    });
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn no_call_that_is_almost_right_is_a_failure_of_the_server() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        usual(panic);
    }));
    let node = Node::start();
    for (number, text) in ["one", "two", "=?gbk?B?xOO6ww==?="].iter().enumerate() {
        node.deliver("ann", &format!("From: b@x.example\nMessage-ID: <{number}@x>\nDisposition-Notification-To: b@x.example\nSubject: {text}\n\nx\n"), number as i64);
    }
    node.share("bob", "ann", "lrswitex");
    let (calls, mut dice, mut known) = (calls(), Dice(SEED), Known::default());
    let page = include_str!("../../../../docs/api/methods.md");
    let listed =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).filter(|name| name.contains('/'));
    let there: BTreeSet<&str> = calls.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        listed.filter(|name| !there.contains(name)).collect::<Vec<_>>(),
        [""; 0],
        "methods that nothing is sent to"
    );
    known.keep("other", &node.id("bob"));
    for name in ["Mailbox", "Identity", "AddressBook"] {
        known.learn("", &node.call("ann", &format!("{name}/get"), json!({})));
    }
    known.learn("", &node.call("ann", "Email/query", json!({})));
    let (mut errors, mut good) = (BTreeSet::new(), 0);
    for _ in 0..REQUESTS {
        let asked: Vec<Value> = (0..CALLS)
            .map(|at| {
                let (name, arguments) = dice.of(&calls);
                let mut arguments = known.fill(arguments, &mut dice);
                if *name != "Core/echo" && !name.starts_with("PushSubscription/") {
                    let account = *dice.of(&["ann", "ann", "ann", "ann", "bob", "chen"]);
                    arguments["accountId"] = node.id(account).into();
                }
                for _ in 0..dice.below(4) {
                    bent(&mut arguments, &mut dice, &known);
                }
                let arguments = if arguments.is_object() { arguments } else { Value::Object(Map::new()) };
                json!([name, arguments, format!("c{at}")])
            })
            .collect();
        let answer = node.request("ann", &json!({ "using": USING, "methodCalls": asked }));
        assert!(answer.status == 200 || answer.status == 400, "{}: {}", answer.status, json!(asked));
        let answer = answer.json();
        for response in answer["methodResponses"].as_array().into_iter().flatten() {
            let asked = || asked.iter().find(|call| call[2] == response[2]).unwrap();
            assert!(!response.to_string().contains("serverFail"), "{} is answered by {response}", asked());
            match response[0] == "error" {
                true => drop(errors.insert(response[1]["type"].as_str().unwrap().to_owned())),
                false => good += 1,
            }
            known.learn("", &response[1]);
        }
    }
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "something panicked");
    assert_eq!(node.call("ann", "Core/echo", json!({ "a": 1 }))["a"], 1);
    assert!(good > REQUESTS && errors.len() > 5, "the calls are neither all good nor all bad: {good}, {errors:?}");
}
