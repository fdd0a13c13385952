//! People whose mailbox is still at its old server read a copy: the session says so, and changes are refused, so that none is lost.

use anser_directory::{Answer, OldServers};
use serde_json::json;

use super::node::Node;

#[test]
fn a_copy_is_read_and_not_changed() {
    Node::on_each_engine(|node| {
        let ann = node.account("ann");
        let old = OldServers {
            ask: Box::new(|_| Box::pin(async { Answer::Wrong })),
            pass: Box::new(|_, _| Box::pin(async { Ok(None) })),
            stale: Box::new(|_| Box::pin(async { Ok(false) })),
            lacks: Box::new(|_| Box::pin(async { Ok(false) })),
            elsewhere: Box::new(move |all| {
                Box::pin(async move { Ok(all.into_iter().filter(|one| *one == ann).collect()) })
            }),
            learned: Box::new(|_| Box::pin(async {})),
        };
        node.door.runtime.block_on(node.door.directory.use_old_servers(old)).unwrap();
        let account = |who: &str| {
            let session = node.as_user(who, "GET", "/.well-known/jmap", "", b"").json();
            let own = session["primaryAccounts"]["urn:anser:mail"].as_str().unwrap().to_owned();
            let one = &session["accounts"][&own];
            (one["isReadOnly"].clone(), one["accountCapabilities"]["urn:anser:mail"]["home"].clone())
        };
        assert_eq!(account("ann"), (json!(true), json!("there")));
        assert_eq!(account("bob"), (json!(false), json!("here")));
        assert!(node.call("ann", "Mailbox/get", json!({}))["list"].as_array().is_some_and(|list| !list.is_empty()));
        for (method, args) in [
            ("Mailbox/set", json!({"create": {"a": {"name": "new"}}})),
            ("Email/set", json!({"destroy": ["M1"]})),
            ("EmailSubmission/set", json!({"create": {"a": {"emailId": "M1", "identityId": "I1"}}})),
        ] {
            assert_eq!(node.call("ann", method, args), "accountReadOnly", "{method}");
        }
        // Nor does what follows another method change it.
        node.share("ann", "bob", "lrswite");
        let (original, inbox) = (node.deliver("ann", "Subject: x\n\nx\n", 0).message, node.role("bob", "inbox"));
        let create = json!({"a": {"id": format!("{}-M{original}", node.id("ann")), "mailboxIds": {inbox: true}}});
        let copy = json!({
            "fromAccountId": node.id("ann"), "accountId": node.id("bob"), "create": create, "onSuccessDestroyOriginal": true,
        });
        let answers = node.calls("bob", json!([["Email/copy", copy, "c"]]));
        assert!(answers[0][1]["created"]["a"].is_object(), "{answers:?}");
        assert_eq!((&answers[1][0], &answers[1][1]["type"]), (&json!("error"), &json!("accountReadOnly")));
        // What is no mail is not at the old server.
        assert!(node.call("ann", "VacationResponse/get", json!({}))["list"].is_array());
        assert!(node.call("bob", "Mailbox/set", json!({"create": {"a": {"name": "new"}}}))["created"]["a"].is_object());
    });
}
