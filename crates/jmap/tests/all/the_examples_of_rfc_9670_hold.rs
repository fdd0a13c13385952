//! The dialogue of RFC 9670 §4.4, with mailboxes in the place of lists of things to do: Jane is Ann, Joe is Bob.

use serde_json::json;

use super::dialogue::says;
use super::node::Node;

#[test]
fn a_client_finds_with_whom_to_share_and_shares() {
    Node::on_each_engine(|node| {
        let (ann, bob) = (node.id("ann"), format!("P{}", node.account("bob")));
        let session = node.as_user("ann", "GET", "/jmap/session", "", b"").json();
        says(
            &[session["accounts"].clone()],
            json!([{ &ann: { "name": "ann@anser.test", "isPersonal": true, "isReadOnly": false, "accountCapabilities": {
                "urn:ietf:params:jmap:principals:owner": { "accountIdForPrincipal": ann, "principalId": format!("P{}", node.account("ann")) } } } }]),
        );
        let answers = node.dialogue("ann", json!([["Principal/get", { "ids": null }, "0"]]));
        let list = answers[0][1]["list"].as_array().unwrap_or_else(|| panic!("{answers:?}"));
        let joe = list.iter().find(|one| one["id"] == bob).unwrap();
        says(
            std::slice::from_ref(joe),
            json!([{ "type": "individual", "description": null, "email": "bob@anser.test", "timeZone": null, "capabilities": {}, "accounts": null }]),
        );
        let inbox = node.role("ann", "inbox");
        let rights = json!({ "mayReadItems": true, "mayAddItems": true, "mayShare": false });
        let shared = node.dialogue(
            "ann",
            json!([["Mailbox/set", { "update": { &inbox: { "shareWith": { &bob: rights } } } }, "0"]]),
        );
        says(&shared, json!([["Mailbox/set", { "accountId": ann, "notUpdated": null }, "0"]]));
        // §3: who is given something is told by whom, and dismisses it.
        let told =
            node.dialogue("bob", json!([["ShareNotification/query", {}, "0"], ["ShareNotification/get", {}, "1"]]));
        let id = told[0][1]["ids"][0].as_str().unwrap_or_else(|| panic!("{told:?}"));
        says(
            &told[1..],
            json!([["ShareNotification/get", { "accountId": node.id("bob"), "list": [{ "id": id,
                "changedBy": { "email": "ann@anser.test", "principalId": format!("P{}", node.account("ann")) },
                "objectType": "Mailbox", "objectAccountId": ann, "oldRights": null,
                "newRights": { "mayReadItems": true, "mayAddItems": true, "mayRemoveItems": false } }] }, "1"]]),
        );
        let gone = node.dialogue(
            "bob",
            json!([
                ["ShareNotification/set", { "destroy": [id] }, "0"],
                ["ShareNotification/changes", { "sinceState": told[1][1]["state"] }, "1"],
                ["ShareNotification/query", { "filter": { "after": null, "before": null } }, "2"],
            ]),
        );
        says(
            &gone,
            json!([
                ["ShareNotification/set", { "destroyed": [id] }, "0"],
                ["ShareNotification/changes", { "created": [], "updated": [], "destroyed": [id] }, "1"],
                ["ShareNotification/query", { "ids": [] }, "2"],
            ]),
        );
        // What was shared is seen of the one who shares it (§2.1), and now by the other.
        let seen = node.call("bob", "Principal/get", json!({ "ids": [format!("P{}", node.account("ann"))] }));
        says(
            &[seen["list"][0]["accounts"].clone()],
            json!([{ &ann: { "name": "ann@anser.test", "isPersonal": false } }]),
        );
    });
}
