//! MDN (RFC 9007).

use serde_json::{Value, json};

use super::node::Node;

const ASKS: &str = "From: bob@anser.test\nTo: ann@anser.test\nSubject: =?utf-8?B?5oql5ZGK?=\nMessage-ID: <one@x.example>\n\
    Disposition-Notification-To: Bob <bob@anser.test>\nOriginal-Recipient: rfc822;team@anser.test\n\nhello\n";

fn receipt(email: &str) -> Value {
    // RFC 9007 §3.1.1, as far as it is about one of ours.
    json!({
        "forEmailId": email, "subject": "Read receipt for: World domination", "textBody": "This receipt shows that the email \
        has been displayed on your recipient's computer. There is no guaranty it has been read or understood.",
        "reportingUA": "joes-pc.cs.example.com; Foomail 97.1",
        "disposition": { "actionMode": "manual-action", "sendingMode": "mdn-sent-manually", "type": "displayed" },
        "extensionFields": { "X-EXTENSION-EXAMPLE": "example.com" },
    })
}

fn identity(node: &Node) -> Value {
    node.call("ann", "Identity/get", json!({}))["list"][0]["id"].take()
}

#[test]
fn a_receipt_is_sent_once_and_can_be_read() {
    let node = Node::start();
    let id = format!("M{}", node.deliver("ann", ASKS, 0).message);
    let arguments = json!({ "accountId": node.id("ann"), "identityId": identity(&node), "send": { "k1546": receipt(&id) },
        "onSuccessUpdateEmail": { "#k1546": { "keywords/$mdnsent": true } } });
    let answers = node.calls("ann", json!([["MDN/send", arguments, "0"]]));
    let sent = &answers[0][1]["sent"]["k1546"];
    assert_eq!(sent["finalRecipient"], "rfc822; ann@anser.test", "{answers:?}");
    assert_eq!(
        (&sent["originalMessageId"], &sent["originalRecipient"]),
        (&json!("<one@x.example>"), &json!("rfc822;team@anser.test"))
    );
    assert_eq!((&answers[1][0], &answers[1][2]), (&json!("Email/set"), &json!("0")));
    assert!(answers[1][1]["updated"].get(&id).is_some(), "{answers:?}");
    let again = node.call("ann", "MDN/send", arguments.clone());
    assert_eq!(again["notSent"]["k1546"]["type"], "mdnAlreadySent");
    // What went out, as its recipient would read it.
    let queued = node.door.runtime.block_on(node.queue.list(Default::default(), None, 100)).unwrap().entries;
    assert_eq!(queued.len(), 1);
    let entry = node.door.runtime.block_on(node.queue.read(queued[0].id)).unwrap();
    let raw = anser_blob::Prepared::from_stored(entry.body.stored.unwrap()).unwrap().raw().unwrap();
    let text = String::from_utf8_lossy(&raw).into_owned();
    assert!(
        text.contains("To: bob@anser.test") && text.contains("multipart/report; report-type=disposition-notification"),
        "{text}"
    );
    let path = format!("/jmap/upload/{}", node.id("bob"));
    let blob = node.as_user("bob", "POST", &path, "message/rfc822", &raw).json()["blobId"].take();
    let other =
        node.as_user("bob", "POST", &path, "message/rfc822", ASKS.replace('\n', "\r\n").as_bytes()).json()["blobId"]
            .take();
    let parsed = node.call("bob", "MDN/parse", json!({ "blobIds": [blob, other, "Unone"] }));
    let told = &parsed["parsed"][blob.as_str().unwrap()];
    for same in ["subject", "textBody", "reportingUA", "disposition", "extensionFields"] {
        assert_eq!(told[same], receipt("")[same], "{same}: {parsed}");
    }
    assert_eq!(
        (&told["finalRecipient"], &told["originalMessageId"]),
        (&sent["finalRecipient"], &sent["originalMessageId"])
    );
    assert_eq!((&parsed["notParsable"], &parsed["notFound"]), (&json!([other]), &json!(["Unone"])));
}

#[test]
fn of_one_message_one_receipt_a_request() {
    let node = Node::start();
    let id = format!("M{}", node.deliver("ann", ASKS, 0).message);
    let send = json!({ "a": receipt(&id), "b": receipt(&id) });
    let told = node.call("ann", "MDN/send", json!({ "identityId": identity(&node), "send": send }));
    assert!(told["sent"]["a"].is_object() && told["notSent"]["b"]["type"] == "mdnAlreadySent", "{told}");
    assert_eq!(node.door.runtime.block_on(node.queue.list(Default::default(), None, 100)).unwrap().entries.len(), 1);
}

#[test]
fn of_two_programs_that_ask_at_once_one_sends() {
    let node = Node::start();
    let id = format!("M{}", node.deliver("ann", ASKS, 0).message);
    let identity = identity(&node);
    let send = || node.call("ann", "MDN/send", json!({ "identityId": identity, "send": { "a": receipt(&id) } }));
    let told: Vec<Value> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(send)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(told.iter().filter(|told| told["sent"]["a"].is_object()).count(), 1, "{told:?}");
    assert!(told.iter().all(|told| told["sent"].is_object() || told["notSent"]["a"]["type"] == "mdnAlreadySent"));
    let marked = node.call("ann", "Email/get", json!({ "ids": [id], "properties": ["keywords"] }));
    assert_eq!(marked["list"][0]["keywords"], json!({ "$mdnsent": true }), "whatever the client asks for");
    assert_eq!(node.door.runtime.block_on(node.queue.list(Default::default(), None, 100)).unwrap().entries.len(), 1);
}

#[test]
fn what_is_not_taken_can_be_sent_later() {
    let node = Node::start();
    let asks = ASKS.replace("Bob <bob@anser.test>", "nobody@anser.test");
    let id = format!("M{}", node.deliver("ann", &asks, 0).message);
    let told = node.call("ann", "MDN/send", json!({ "identityId": identity(&node), "send": { "a": receipt(&id) } }));
    assert_eq!(told["notSent"]["a"]["type"], "invalidRecipients", "{told}");
    let marked = node.call("ann", "Email/get", json!({ "ids": [id], "properties": ["keywords"] }));
    assert_eq!(marked["list"][0]["keywords"], json!({}));
}

#[test]
fn what_cannot_be_told_is_refused() {
    let node = Node::start();
    let asks = format!("M{}", node.deliver("ann", ASKS, 0).message);
    let plain = format!("M{}", node.deliver("ann", "From: bob@anser.test\nSubject: x\n\nx\n", 1).message);
    let identity = identity(&node);
    let send = |object: Value| {
        node.call("ann", "MDN/send", json!({ "identityId": identity, "send": { "a": object } }))["notSent"]["a"].take()
    };
    let changed = |name: &str, value: Value| {
        let mut object = receipt(&asks);
        object[name] = value;
        send(object)
    };
    assert_eq!(send(receipt("M99"))["type"], "notFound");
    assert_eq!(send(receipt(&plain))["properties"], json!(["forEmailId"]));
    for (name, value) in [
        ("disposition", json!({ "actionMode": "manual-action", "sendingMode": "mdn-sent-manually", "type": "eaten" })),
        ("disposition", json!("displayed")),
        ("extensionFields", json!({ "X: y\r\nBcc": "x" })),
        ("extensionFields", json!({ "Final-recipient": "rfc822; somebody@else.example" })),
        ("subject", json!(1)),
        ("mdnGateway", json!("x")),
    ] {
        assert_eq!(changed(name, value.clone())["properties"], json!([name]), "{value}");
    }
    assert_eq!(node.call("ann", "MDN/send", json!({ "identityId": "I99", "send": {} })), "invalidArguments");
    assert!(node.door.runtime.block_on(node.queue.list(Default::default(), None, 100)).unwrap().entries.is_empty());
}
