use serde_json::json;

use super::node::Node;

/// RFC 8621 §2.1: every property of an account's first mailboxes.
#[test]
fn the_first_mailboxes_are_told() {
    let node = Node::start();
    let got = node.call("ann", "Mailbox/get", json!({"ids": null}));
    assert_eq!(got["list"].as_array().unwrap().len(), 6);
    let inbox = &got["list"][0];
    assert_eq!(inbox["role"], "inbox");
    assert_eq!(inbox["parentId"], json!(null));
    assert_eq!(inbox["totalEmails"], 0);
    assert_eq!(inbox["myRights"]["mayDelete"], false);
    assert_eq!(inbox["myRights"]["mayReadItems"], true);
    let some =
        node.call("ann", "Mailbox/get", json!({"ids": [inbox["id"], "F999", inbox["id"]], "properties": ["name"]}));
    assert_eq!(some["list"], json!([{"id": inbox["id"], "name": "INBOX"}]));
    assert_eq!(some["notFound"], json!(["F999"]));
}

/// RFC 8621 §2.5, and RFC 8620 §5.3 for creations that refer to each other.
#[test]
fn a_tree_is_made_in_one_call_changed_and_removed() {
    let node = Node::start();
    let made = node.call(
        "ann",
        "Mailbox/set",
        json!({"create": {
            "a": {"name": "leaf", "parentId": "#b"},
            "b": {"name": "Work", "sortOrder": 7, "isSubscribed": true},
            "c": {"name": "lost", "parentId": "#nobody"},
            "d": {"parentId": null},
            "e": {"name": "Work/bad"},
            "f": {"name": "x", "colour": "red"},
            "g": {"name": "y", "role": "inbox"},
            "h": {"name": "z", "totalEmails": 4},
        }}),
    );
    let (leaf, work) = (made["created"]["a"]["id"].clone(), made["created"]["b"]["id"].clone());
    assert!(leaf.is_string() && work.is_string(), "{made}");
    for refused in ["c", "d", "e", "f", "g", "h"] {
        assert_eq!(made["notCreated"][refused]["type"], "invalidProperties", "{refused} {made}");
    }
    let got = node.call(
        "ann",
        "Mailbox/get",
        json!({"ids": [leaf, work], "properties": ["parentId", "sortOrder", "isSubscribed"]}),
    );
    assert_eq!(got["list"][0]["parentId"], work);
    assert_eq!(got["list"][1]["sortOrder"], 7);
    assert_eq!(got["list"][1]["isSubscribed"], true);
    let (leaf, work) = (leaf.as_str().unwrap(), work.as_str().unwrap());
    let changed = node.call(
        "ann",
        "Mailbox/set",
        json!({"update": {
            work: {"name": "Labour", "role": null},
            leaf: {"parentId": leaf},
            "F999": {"name": "x"},
        }, "destroy": [work]}),
    );
    assert_eq!(changed["updated"], json!({work: null}));
    assert_eq!(changed["notUpdated"][leaf]["type"], "invalidProperties");
    assert_eq!(changed["notUpdated"]["F999"]["type"], "notFound");
    assert_eq!(changed["notDestroyed"][work]["type"], "mailboxHasChild");
    let inbox = node.role("ann", "inbox");
    let gone = node.call("ann", "Mailbox/set", json!({"destroy": [work, leaf, inbox, "F999"]}));
    assert_eq!(gone["destroyed"], json!([leaf, work]), "{gone}");
    assert_eq!(gone["notDestroyed"][&inbox]["type"], "forbidden");
    assert_eq!(gone["notDestroyed"]["F999"]["type"], "notFound");
}

#[test]
fn a_mailbox_with_mail_goes_only_when_that_is_meant() {
    let node = Node::start();
    let made = node.call("ann", "Mailbox/set", json!({"create": {"a": {"name": "Old"}}}));
    let id = made["created"]["a"]["id"].as_str().unwrap().to_owned();
    let uid = node.deliver("ann", "Subject: x\n\nx\n", 0).places[0].2;
    node.write("ann", move |tx| {
        let (inbox, old) = (tx.inbox()?.id, tx.mailbox_at(&["Old"])?.unwrap().id);
        tx.move_to(inbox, &[uid], old).map(drop)
    });
    let kept = node.call("ann", "Mailbox/set", json!({"destroy": [id]}));
    assert_eq!(kept["notDestroyed"][&id]["type"], "mailboxHasEmail");
    let gone = node.call("ann", "Mailbox/set", json!({"destroy": [id], "onDestroyRemoveEmails": true}));
    assert_eq!(gone["destroyed"], json!([id]));
}

/// RFC 8621 §2.2, §2.4.
#[test]
fn changes_tell_what_happened_and_counts_alone_are_said_to_be() {
    let node = Node::start();
    let before = node.call("ann", "Mailbox/get", json!({"ids": []}))["state"].clone();
    let sort = json!([{"property": "name"}]);
    let query = node.call("ann", "Mailbox/query", json!({"sort": sort, "calculateTotal": true}));
    assert_eq!(query["total"], 6);
    node.deliver("ann", "Subject: x\n\nx\n", 0);
    let inbox = node.role("ann", "inbox");
    let counts = node.call("ann", "Mailbox/changes", json!({"sinceState": before}));
    assert_eq!(counts["updated"], json!([inbox]));
    assert_eq!(counts["updatedProperties"], json!(["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]));
    let got = node.call("ann", "Mailbox/get", json!({"ids": [inbox]}));
    for count in ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"] {
        assert_eq!(got["list"][0][count], 1, "{count}");
    }
    let made = node.call(
        "ann",
        "Mailbox/set",
        json!({"ifInState": counts["newState"], "create": {"a": {"name": "Archive 2"}}}),
    );
    let id = made["created"]["a"]["id"].clone();
    let changes = node.call("ann", "Mailbox/changes", json!({"sinceState": before}));
    assert_eq!((&changes["created"], &changes["updatedProperties"]), (&json!([id]), &json!(null)));
    let first = node.call("ann", "Mailbox/changes", json!({"sinceState": before, "maxChanges": 1}));
    assert_eq!((&first["updated"], &first["hasMoreChanges"]), (&json!([inbox]), &json!(true)));
    let second = node.call("ann", "Mailbox/changes", json!({"sinceState": first["newState"], "maxChanges": 1}));
    assert_eq!((&second["created"], &second["hasMoreChanges"]), (&json!([id]), &json!(false)));
    let moved = node.call("ann", "Mailbox/queryChanges", json!({"sinceQueryState": query["queryState"], "sort": sort}));
    assert_eq!(moved["removed"], json!([inbox]));
    assert_eq!(moved["added"], json!([{"id": id, "index": 1}, {"id": inbox, "index": 3}]));
    let stale = node.call("ann", "Mailbox/set", json!({"ifInState": before, "create": {"b": {"name": "Later"}}}));
    assert_eq!(stale, "stateMismatch");
}

/// RFC 8621 §2.3.
#[test]
fn mailboxes_are_sorted_as_a_tree_and_filtered_as_one() {
    let node = Node::start();
    node.call(
        "ann",
        "Mailbox/set",
        json!({"create": {"a": {"name": "A"}, "ax": {"name": "Zebra", "parentId": "#a"}, "b": {"name": "B"},
            "bx": {"name": "Aardvark", "parentId": "#b"}}}),
    );
    let names = |arguments: serde_json::Value| {
        let found = node.call("ann", "Mailbox/query", arguments);
        let got = node.call("ann", "Mailbox/get", json!({"ids": found["ids"], "properties": ["name"]}));
        let name = |mailbox: &serde_json::Value| mailbox["name"].as_str().unwrap().to_owned();
        got["list"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    let (sort, roleless) = (json!([{"property": "name"}]), json!({"hasAnyRole": false}));
    assert_eq!(names(json!({"sort": sort, "filter": roleless})), ["A", "Aardvark", "B", "Zebra"]);
    assert_eq!(names(json!({"sort": sort, "filter": roleless, "sortAsTree": true})), ["A", "Zebra", "B", "Aardvark"]);
    let not_b =
        json!({"operator": "AND", "conditions": [roleless, {"operator": "NOT", "conditions": [{"name": "b"}]}]});
    assert_eq!(names(json!({"sort": sort, "filter": not_b})), ["A", "Aardvark"]);
    let by_tree =
        json!({"sort": sort, "filter": {"operator": "NOT", "conditions": [{"name": "B"}]}, "filterAsTree": true});
    assert!(!names(by_tree).contains(&"Aardvark".to_owned()));
    assert_eq!(names(json!({"sort": sort, "filter": roleless, "position": -1})), ["Zebra"]);
    assert_eq!(names(json!({"sort": sort, "filter": roleless, "position": 1, "limit": 2})), ["Aardvark", "B"]);
}
