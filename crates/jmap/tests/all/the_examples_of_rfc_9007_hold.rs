//! The dialogues of RFC 9007: Joe asks to be told that John read his message, John's client tells him, Joe's client reads it.

use serde_json::{Value, json};

use super::dialogue::says;
use super::node::Node;

const TEXT: &str = "This receipt shows that the email has been displayed on your recipient's computer. There is no guaranty it \
    has been read or understood.";

/// What the queue holds, as its recipient would read it; the newest last.
fn sent(node: &Node) -> Vec<Vec<u8>> {
    node.door.runtime.block_on(async {
        let mut all = Vec::new();
        for listed in node.queue.list(Default::default(), None, 100).await.unwrap().entries {
            let entry = node.queue.read(listed.id).await.unwrap();
            all.push(anser_blob::Prepared::from_stored(entry.body.stored.unwrap()).unwrap().raw().unwrap().to_vec());
        }
        all
    })
}

#[test]
fn joe_asks_john_tells_and_joe_reads_it() {
    let node = Node::start();
    // §4.2: asking for a notification.
    let drafts = node.role("bob", "drafts");
    let identity = |who: &str| node.call(who, "Identity/get", json!({}))["list"][0]["id"].take();
    let asked = node.dialogue(
        "bob",
        json!([
            ["Email/set", { "create": { "k2657": {
                "mailboxIds": { drafts: true }, "keywords": { "$seen": true, "$draft": true },
                "from": [{ "name": "Joe Bloggs", "email": "bob@anser.test" }], "to": [{ "name": "John", "email": "ann@anser.test" }],
                "header:Disposition-Notification-To:asText": "bob@anser.test", "subject": "World domination",
                "messageId": ["199509192301.23456@example.org"],
                "bodyValues": { "t": { "value": "Shall we?\n" } }, "textBody": [{ "partId": "t" }] } } }, "0"],
            ["EmailSubmission/set", { "create": { "s": { "identityId": identity("bob"), "emailId": "#k2657" } } }, "1"],
        ]),
    );
    assert!(asked[1][1]["created"]["s"]["id"].is_string(), "{asked:?}");
    let letter = String::from_utf8(sent(&node).pop().unwrap()).unwrap();
    let email = format!("M{}", node.deliver("ann", &letter.replace("\r\n", "\n"), 0).message);

    // §4.1: the notification goes, and the message is marked in the same call.
    let send = json!({ "identityId": identity("ann"), "send": { "k1546": {
            "forEmailId": email, "subject": "Read receipt for: World domination", "textBody": TEXT,
            "reportingUA": "joes-pc.cs.example.com; Foomail 97.1",
            "disposition": { "actionMode": "manual-action", "sendingMode": "mdn-sent-manually", "type": "displayed" },
            "extensionFields": { "EXTENSION-EXAMPLE": "example.com" } } },
        "onSuccessUpdateEmail": { "#k1546": { "keywords/$mdnsent": true } } });
    let told = node.dialogue("ann", json!([["MDN/send", send, "0"]]));
    says(
        &told,
        json!([
            ["MDN/send", { "accountId": node.id("ann"), "notSent": null, "sent": { "k1546": {
                "finalRecipient": "rfc822; ann@anser.test", "originalMessageId": "<199509192301.23456@example.org>" } } }, "0"],
            ["Email/set", { "accountId": node.id("ann"), "notUpdated": null }, "0"],
        ]),
    );
    assert!(told[1][1]["updated"].get(&email).is_some(), "{told:?}");
    says(
        &node.dialogue("ann", json!([["MDN/send", send, "0"]])),
        json!([["MDN/send", { "sent": null, "notSent": { "k1546": { "type": "mdnAlreadySent" } } }, "0"]]),
    );

    // §4.3: what came is read; what is no notification, and what is not there.
    let notification = sent(&node).pop().unwrap();
    let blob = |raw: &[u8]| node.upload("bob", "message/rfc822", raw)["blobId"].take();
    let (read, other) = (blob(&notification), blob(letter.as_bytes()));
    let parse = |id: &Value| node.dialogue("bob", json!([["MDN/parse", { "blobIds": [id] }, "0"]]));
    says(
        &parse(&read),
        json!([["MDN/parse", { "accountId": node.id("bob"), "notFound": null, "notParsable": null, "parsed": { read.as_str().unwrap(): {
            "subject": "Read receipt for: World domination", "textBody": TEXT,
            "reportingUA": "joes-pc.cs.example.com; Foomail 97.1",
            "disposition": { "actionMode": "manual-action", "sendingMode": "mdn-sent-manually", "type": "displayed" },
            "finalRecipient": "rfc822; ann@anser.test", "originalMessageId": "<199509192301.23456@example.org>",
            "extensionFields": { "EXTENSION-EXAMPLE": "example.com" } } } }, "0"]]),
    );
    says(&parse(&other), json!([["MDN/parse", { "parsed": null, "notFound": null, "notParsable": [other] }, "0"]]));
    let none = json!("0f9f65ab-dc7b-4146-850f-6e4881093965");
    says(&parse(&none), json!([["MDN/parse", { "parsed": null, "notFound": [none], "notParsable": null }, "0"]]));
}
