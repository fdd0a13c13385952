//! The change log is the owner's; of it a guest hears what happened to what is shared.

use serde_json::{Value, json};

use super::node::Node;

fn ids(answer: &Value, list: &str) -> usize {
    answer[list].as_array().unwrap_or_else(|| panic!("{answer}")).len()
}

#[test]
fn what_is_not_shared_is_not_heard_of() {
    Node::on_each_engine(|node| {
        node.share("bob", "ann", "lr");
        node.deliver("bob", "Subject: shared\n\nx\n", 0);
        let own = json!({ "create": { "p": { "name": "Private" } } });
        let private = node.call("bob", "Mailbox/set", own)["created"]["p"]["id"].clone();
        let kept = node.deliver("bob", "Subject: kept\n\nx\n", 1);
        let as_guest = |method: &str, mut arguments: Value| {
            arguments["accountId"] = node.id("bob").into();
            node.call("ann", method, arguments)
        };
        let move_to = |message: u64, mailbox: &Value| {
            let update =
                json!({ "update": { format!("M{message}"): { "mailboxIds": { mailbox.as_str().unwrap(): true } } } });
            assert!(node.call("bob", "Email/set", update)["notUpdated"].is_null());
        };
        move_to(kept.message.0, &private);
        let state = as_guest("Email/get", json!({ "ids": [] }))["state"].clone();
        let query = as_guest("Email/query", json!({}))["queryState"].clone();
        let changes = |method: &str| as_guest(method, json!({ "sinceState": state }));
        let since = json!({ "sinceQueryState": query });
        // What happens to private mail.
        let seen = json!({ "update": { format!("M{}", kept.message.0): { "keywords/$seen": true } } });
        node.call("bob", "Email/set", seen);
        node.call("bob", "Email/set", json!({ "destroy": [format!("M{}", kept.message.0)] }));
        for method in ["Email/changes", "Thread/changes", "Mailbox/changes"] {
            let heard = changes(method);
            let all = ["created", "updated", "destroyed"].map(|list| ids(&heard, list));
            assert_eq!(all, [0, 0, 0], "{method}: {heard}");
        }
        assert_eq!(as_guest("Email/queryChanges", since.clone())["removed"], json!([]));
        // What happens to shared mail.
        let new = node.deliver("bob", "Subject: new\n\nx\n", 2);
        assert_eq!(changes("Email/changes")["created"], json!([format!("{}-M{}", node.id("bob"), new.message.0)]));
        assert_eq!((ids(&changes("Thread/changes"), "created"), ids(&changes("Mailbox/changes"), "updated")), (1, 1));
        // It went where the guest cannot follow: what it was is not told, that something went is.
        move_to(new.message.0, &private);
        assert_eq!(changes("Email/changes"), "cannotCalculateChanges");
        assert_eq!(as_guest("Email/queryChanges", since), "cannotCalculateChanges");
        let state = as_guest("Mailbox/get", json!({ "ids": [] }))["state"].clone();
        node.call("bob", "Mailbox/set", json!({ "update": { private.as_str().unwrap(): { "name": "Secret" } } }));
        assert_eq!(as_guest("Mailbox/changes", json!({ "sinceState": state })), "cannotCalculateChanges");
    });
}
