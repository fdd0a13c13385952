//! The dialogues of RFC 8620. What it calls a Todo is a message here: its title is the subject.

use std::time::Duration;

use serde_json::{Value, json};

use super::changes_are_pushed_as_they_happen::Events;
use super::changes_wake_clients_that_are_away::World;
use super::dialogue::{refers, says};
use super::node::{Node, USING};

/// §4.1.
#[test]
fn echo_says_what_it_is_told() {
    let node = Node::start();
    let arguments = json!({ "hello": true, "high": 5 });
    assert_eq!(node.calls("ann", json!([["Core/echo", arguments, "b3ff"]])), [json!(["Core/echo", arguments, "b3ff"])]);
}

/// §3.3, §3.4: calls are answered in their order, one that fails keeps none behind it from being done, and creation ids come and go with the
/// request.
#[test]
fn a_request_is_answered_call_by_call() {
    let node = Node::start();
    let account = node.id("ann");
    let request = json!({ "using": USING, "methodCalls": [
        ["Core/echo", { "arg1": "arg1data", "arg2": "arg2data" }, "c1"],
        ["method3", {}, "c3"],
        ["Mailbox/set", { "accountId": account, "create": { "k1": { "name": "Projects", "parentId": "#k0" } } }, "c2"],
    ], "createdIds": { "k0": node.role("ann", "archive") } });
    let answer = node.request("ann", &request).json();
    says(
        answer["methodResponses"].as_array().unwrap(),
        json!([
            ["Core/echo", { "arg1": "arg1data", "arg2": "arg2data" }, "c1"],
            ["error", { "type": "unknownMethod" }, "c3"],
            ["Mailbox/set", { "accountId": account, "notCreated": null }, "c2"],
        ]),
    );
    let made = &answer["methodResponses"][2][1]["created"]["k1"]["id"];
    assert_eq!(answer["createdIds"], json!({ "k0": request["createdIds"]["k0"], "k1": made }));
    let session = node.as_user("ann", "GET", "/jmap/session", "", b"").json();
    assert_eq!(answer["sessionState"], session["state"]);
    let plain = json!({ "using": USING, "methodCalls": [] });
    assert_eq!(node.request("ann", &plain).json().get("createdIds"), None, "who gives none is told none");
}

/// §3.7: what was created since is fetched in the request that asks for it.
#[test]
fn what_is_new_is_fetched_with_the_question_what_is() {
    let node = Node::start();
    let state = node.call("ann", "Email/get", json!({ "ids": [] }))["state"].take();
    let [one, two] = ["f1", "f4"].map(|name| format!("M{}", node.deliver("ann", &todo(name, 0), 0).message));
    let answers = node.dialogue(
        "ann",
        json!([
            ["Email/changes", { "sinceState": state }, "t0"],
            ["Email/get", { "#ids": refers("t0", "Email/changes", "/created"), "properties": ["subject"] }, "t1"],
        ]),
    );
    says(
        &answers,
        json!([
            ["Email/changes", { "oldState": state, "hasMoreChanges": false, "created": [one, two], "updated": [], "destroyed": [] }, "t0"],
            ["Email/get", { "list": [{ "id": one, "subject": "f1" }, { "id": two, "subject": "f4" }], "notFound": [] }, "t1"],
        ]),
    );
}

fn todo(title: &str, number: usize) -> String {
    format!("From: ann@anser.test\nMessage-ID: <{title}-{number}@x>\nSubject: {title}\n\n{title}\n")
}

/// §5.7: what is to be done with music or video is listed, changed, followed, and moves into the account of a team.
#[test]
fn things_to_do_are_listed_changed_followed_and_moved() {
    Node::on_each_engine(|node| {
        let id = |title: &str, keywords: &[&str]| {
            let id = format!("M{}", node.deliver("ann", &todo(title, 1), 0).message);
            let keywords: Value = keywords.iter().map(|word| ((*word).to_owned(), json!(true))).collect();
            node.call("ann", "Email/set", json!({ "update": { &id: { "keywords": keywords } } }));
            id
        };
        let a = id("Practise Piano", &["music", "beethoven", "mozart", "liszt", "rachmaninov"]);
        let b = id("Watch a music video", &["music", "video", "trance"]);
        id("Water the plants", &[]);
        let shown = json!({ "filter": { "operator": "OR", "conditions": [{ "hasKeyword": "music" }, { "hasKeyword": "video" }] },
            "sort": [{ "property": "subject" }] });
        let with = |more: Value| {
            let mut all = shown.clone();
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let first = node.dialogue(
            "ann",
            json!([
                ["Email/query", with(json!({ "position": 0, "limit": 10 })), "0"],
                ["Email/get", { "#ids": refers("0", "Email/query", "/ids"), "properties": ["subject", "keywords"] }, "1"],
            ]),
        );
        let piano = json!({ "music": true, "beethoven": true, "mozart": true, "liszt": true, "rachmaninov": true });
        says(
            &first,
            json!([
                ["Email/query", { "canCalculateChanges": true, "position": 0, "ids": [a, b] }, "0"],
                ["Email/get", { "list": [{ "id": a, "subject": "Practise Piano", "keywords": piano }, { "id": b }] }, "1"],
            ]),
        );
        // All of it said again is a patch as good as the smallest one.
        let mut state = first[1][1]["state"].clone();
        let begun = state.clone();
        let whole = json!({ "id": a, "subject": "Practise Piano",
            "keywords": { "music": true, "beethoven": true, "chopin": true, "liszt": true, "rachmaninov": true } });
        let back = json!({ "keywords/chopin": null, "keywords/mozart": true });
        let small = json!({ "keywords/chopin": true, "keywords/mozart": null });
        for patch in [whole.clone(), back, small] {
            let done =
                node.dialogue("ann", json!([["Email/set", { "ifInState": state, "update": { &a: patch } }, "0"]]));
            says(
                &done,
                json!([["Email/set", { "oldState": state, "updated": { &a: null }, "notUpdated": null }, "0"]]),
            );
            assert!(done[0][1]["updated"].as_object().unwrap().contains_key(&a));
            state = done[0][1]["newState"].clone();
        }
        let now = node.call("ann", "Email/get", json!({ "ids": [a], "properties": ["keywords"] }));
        assert_eq!(now["list"][0]["keywords"], whole["keywords"]);
        let stale = json!([["Email/set", { "ifInState": begun, "update": { &a: { "keywords": {} } } }, "0"]]);
        says(&node.dialogue("ann", stale), json!([["error", { "type": "stateMismatch" }, "0"]]));
        // What refers to something that the same request makes.
        let made = node.dialogue(
            "ann",
            json!([
                ["Mailbox/set", { "create": { "k15": { "name": "Warm up with scales" } } }, "0"],
                ["Email/set", { "update": { &a: { "mailboxIds/#k15": true } } }, "1"],
            ]),
        );
        let list = made[0][1]["created"]["k15"]["id"].as_str().unwrap();
        let now = node.call("ann", "Email/get", json!({ "ids": [a], "properties": ["mailboxIds"] }));
        assert_eq!(now["list"][0]["mailboxIds"][list], true, "{made:?}");
        // Somebody else removes one.
        node.call("ann", "Email/set", json!({ "destroy": [b] }));
        let followed = node.dialogue(
            "ann",
            json!([
                ["Email/changes", { "sinceState": begun, "maxChanges": 50 }, "0"],
                ["Email/queryChanges", with(json!({ "sinceQueryState": first[0][1]["queryState"], "maxChanges": 50 })), "1"],
            ]),
        );
        says(
            &followed,
            json!([
                ["Email/changes", { "oldState": begun, "hasMoreChanges": false, "created": [], "updated": [a], "destroyed": [b] }, "0"],
                ["Email/queryChanges", { "oldQueryState": first[0][1]["queryState"] }, "1"],
            ]),
        );
        let mut ids = vec![a.clone(), b.clone()];
        ids.retain(|id| !followed[1][1]["removed"].as_array().unwrap().contains(&json!(id)));
        for added in followed[1][1]["added"].as_array().unwrap() {
            ids.insert(added["index"].as_u64().unwrap() as usize, added["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(ids, std::slice::from_ref(&a));
        // It moves to another account: two responses to one call.
        node.share("bob", "ann", "lrswite");
        let (x, y) = (node.id("ann"), node.id("bob"));
        let there = node.call("ann", "Mailbox/query", json!({ "accountId": y }))["ids"][0].clone();
        let moved = node.dialogue(
            "ann",
            json!([["Email/copy", { "fromAccountId": x, "accountId": y, "onSuccessDestroyOriginal": true,
                "create": { "k5122": { "id": a, "mailboxIds": { there.as_str().unwrap(): true } } } }, "0"]]),
        );
        says(
            &moved,
            json!([
                ["Email/copy", { "fromAccountId": x, "accountId": y, "notCreated": null }, "0"],
                ["Email/set", { "accountId": x, "destroyed": [a] }, "0"],
            ]),
        );
        let id = &moved[0][1]["created"]["k5122"]["id"];
        let got = node.call(
            "ann",
            "Email/get",
            json!({ "accountId": y, "ids": [id], "properties": ["subject", "keywords"] }),
        );
        assert_eq!(
            (&got["list"][0]["subject"], &got["list"][0]["keywords"]),
            (&json!("Practise Piano"), &whole["keywords"])
        );
    });
}

/// §5.3: a whole object is a patch, too, as long as what cannot be changed is said as it is.
#[test]
fn what_is_so_may_be_said_again() {
    let node = Node::start();
    let email = format!("M{}", node.deliver("ann", &todo("x", 0), 0).message);
    let blob = node.upload("ann", "application/sieve", b"keep;")["blobId"].take();
    let first = |kind: &str| node.call("ann", &format!("{kind}/get"), json!({}))["list"][0]["id"].take();
    let (identity, book) = (first("Identity"), first("AddressBook"));
    let made = node.dialogue(
        "ann",
        json!([
            ["SieveScript/set", { "create": { "a": { "name": "one", "blobId": blob } } }, "0"],
            ["EmailSubmission/set", { "create": { "a": { "identityId": identity, "emailId": email, "envelope": {
                "mailFrom": { "email": "ann@anser.test", "parameters": { "HOLDFOR": "600" } },
                "rcptTo": [{ "email": "bob@anser.test" }] } } } }, "1"],
            ["ContactCard/set", { "create": { "a": { "addressBookIds": { book.as_str().unwrap(): true }, "name": { "full": "Ann" } } } }, "2"],
        ]),
    );
    assert!(made.iter().all(|one| one[1]["created"]["a"].is_object()), "{made:?}");
    for kind in [
        "Mailbox",
        "Email",
        "Identity",
        "EmailSubmission",
        "SieveScript",
        "VacationResponse",
        "AddressBook",
        "ContactCard",
    ] {
        let all = if kind == "Email" { json!({ "ids": [email] }) } else { json!({}) };
        let mut whole = node.call("ann", &format!("{kind}/get"), all)["list"][0].take();
        let id = whole["id"].as_str().unwrap_or_else(|| panic!("{kind}")).to_owned();
        let set = |patch: &Value| node.call("ann", &format!("{kind}/set"), json!({ "update": { &id: patch } }));
        let done = set(&whole);
        assert!(done["updated"].as_object().is_some_and(|all| all.contains_key(&id)), "{kind}: {done}");
        whole["id"] = "x".into();
        assert_eq!(set(&whole)["notUpdated"][&id]["type"], "invalidProperties", "{kind}");
    }
}

/// §5.2: who wants few at a time is told that there is more, and in the end knows all.
#[test]
fn changes_come_in_pieces() {
    let node = Node::start();
    let state = node.call("ann", "Email/get", json!({ "ids": [] }))["state"].take();
    let all: Vec<String> = (0..5).map(|at| format!("M{}", node.deliver("ann", &todo("x", at), 0).message)).collect();
    let (mut since, mut told, mut rounds) = (state, Vec::new(), 0);
    loop {
        let changes = node.call("ann", "Email/changes", json!({ "sinceState": since, "maxChanges": 2 }));
        told.extend(changes["created"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()));
        rounds += 1;
        assert_ne!(changes["newState"], since, "every piece leads on");
        since = changes["newState"].clone();
        if changes["hasMoreChanges"] == false {
            break;
        }
    }
    assert_eq!((told, rounds), (all, 3));
    assert_eq!(since, node.call("ann", "Email/get", json!({ "ids": [] }))["state"]);
}

/// §5.5: a window begins at a place from the front, from the end, or beside somebody.
#[test]
fn a_window_is_where_it_is_asked_for() {
    let node = Node::start();
    let all: Vec<String> =
        (0..6).map(|at| format!("M{}", node.deliver("ann", &todo("x", at), at as i64).message)).collect();
    let window = |more: Value| {
        let mut asked = json!({ "sort": [{ "property": "receivedAt" }], "calculateTotal": true, "limit": 2 });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node.call("ann", "Email/query", asked)
    };
    for (asked, at) in [
        (json!({}), 0),
        (json!({ "position": 2 }), 2),
        (json!({ "position": -2 }), 4),
        (json!({ "position": -99 }), 0),
        (json!({ "anchor": all[3] }), 3),
        (json!({ "anchor": all[3], "anchorOffset": -2 }), 1),
        (json!({ "anchor": all[1], "anchorOffset": -5 }), 0),
        (json!({ "anchor": all[3], "position": 5 }), 3),
    ] {
        let told = window(asked.clone());
        assert_eq!((&told["position"], &told["total"]), (&json!(at), &json!(6)), "{asked}");
        assert_eq!(told["ids"], json!(all[at..at + 2]), "{asked}");
    }
    assert_eq!(window(json!({ "position": 6 }))["ids"], json!([]));
    assert_eq!(window(json!({ "anchor": "M99" })), "anchorNotFound");
}

/// §6.1 to §6.3: what is uploaded is of one account, and of another once it is copied there.
#[test]
fn a_blob_is_uploaded_copied_and_downloaded() {
    let node = Node::start();
    node.share("bob", "ann", "lr");
    let (x, y) = (node.id("ann"), node.id("bob"));
    let told = node.upload("ann", "image/gif", b"GIF89a");
    let blob = told["blobId"].as_str().unwrap();
    assert_eq!(told, json!({ "accountId": x, "blobId": blob, "type": "image/gif", "size": 6 }));
    let copied = node
        .dialogue("ann", json!([["Blob/copy", { "fromAccountId": x, "accountId": y, "blobIds": [blob, "x"] }, "R1"]]));
    says(
        &copied,
        json!([["Blob/copy", { "fromAccountId": x, "accountId": y, "notCopied": { "x": { "type": "notFound" } } }, "R1"]]),
    );
    let copy = copied[0][1]["copied"][blob].as_str().unwrap();
    let got = node.as_user("ann", "GET", &format!("/jmap/download/{y}/{copy}/x.gif?accept=image/gif"), "", b"");
    assert_eq!((got.status, got.body), (200, b"GIF89a".to_vec()));
    let head = got.head.to_lowercase();
    for field in ["content-type: image/gif", "filename*=utf-8''x.gif", "immutable"] {
        assert!(head.contains(field), "{field} in {head}");
    }
}

/// §7.2.3: a client finds no subscription of its own, asks for one, shows its code, and has it last longer.
#[test]
fn a_subscription_is_made_verified_and_prolonged() {
    let world = World::start();
    let get = || world.call("ann", "PushSubscription/get", json!({ "ids": null }));
    assert_eq!(get(), json!({ "list": [], "notFound": [] }));
    let url = format!("{}/push", world.base);
    let made =
        world.set(json!({ "create": { "4f29": { "deviceClientId": "a889-ffea-910", "url": url, "types": null } } }));
    let told = made["created"]["4f29"].clone();
    let id = told["id"].as_str().unwrap();
    assert_eq!(told, json!({ "id": id, "keys": null, "expires": "2027-02-14T08:00:00Z" }));
    let pushed: Value = serde_json::from_slice(&world.next().body).unwrap();
    let code = &pushed["verificationCode"];
    assert_eq!(pushed, json!({ "@type": "PushVerification", "pushSubscriptionId": id, "verificationCode": code }));
    assert_eq!(world.set(json!({ "update": { id: { "verificationCode": code } } }))["updated"], json!({ id: null }));
    world.node.store.clock().advance(Duration::from_secs(2 * 86_400));
    let longer = world.set(json!({ "update": { id: { "expires": "2027-08-13T00:00:00Z" } } }));
    assert_eq!(longer["updated"], json!({ id: { "expires": "2027-02-16T08:00:00Z" } }));
    says(
        &[get()],
        json!([{ "list": [{ "id": id, "deviceClientId": "a889-ffea-910", "verificationCode": code,
            "expires": "2027-02-16T08:00:00Z", "types": null }], "notFound": [] }]),
    );
}

/// §7.1, §7.3: an event tells of types by their states, which are those that `/get` tells.
#[test]
fn an_event_tells_states_that_can_be_compared() {
    let node = Node::start();
    let account = node.id("ann");
    let mut events = Events::open(&node, "ann", "types=Email,EmailDelivery&closeafter=state&ping=0", None);
    node.deliver("ann", &todo("x", 0), 0);
    let (id, name, change) = events.next().unwrap();
    let state = node.call("ann", "Email/get", json!({ "ids": [] }))["state"].take();
    assert_eq!(
        (name.as_str(), &change),
        (
            "state",
            &json!({ "@type": "StateChange", "changed": { account: { "Email": state, "EmailDelivery": state } } })
        )
    );
    assert!(!id.is_empty() && events.next().is_none(), "it ends after a state");
}
