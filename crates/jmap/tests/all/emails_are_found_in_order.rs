use serde_json::{Value, json};

use super::node::Node;

fn message(from: &str, subject: &str, more: &str, text: &str) -> String {
    format!(
        "From: {from}@x.test\nTo: ann@anser.test\nSubject: {subject}\nDate: Thu, 30 Oct 2014 14:12:00 +0800\n{more}\n{text}\n"
    )
}

/// Three messages, of which the first and the last are one conversation.
fn node() -> (Node, [String; 3]) {
    let node = Node::start();
    let ids = [
        (message("dora", "Plans", "Message-ID: <1@x>\n", "the budget of 2026 报告"), 0),
        (message("carl", "lunch", "Message-ID: <2@x>\nX-Mark: yes\n", "noodles"), 10),
        (message("emil", "Re: Plans", "Message-ID: <3@x>\nReferences: <1@x>\n", &"long ".repeat(100)), 20),
    ]
    .map(|(raw, after)| format!("M{}", node.deliver("ann", &raw, after).message));
    (node, ids)
}

fn found(node: &Node, ids: &[String; 3], arguments: Value) -> String {
    let answer = node.call("ann", "Email/query", arguments.clone());
    let Some(list) = answer["ids"].as_array() else { panic!("{arguments}: {answer}") };
    list.iter()
        .map(|id| ids.iter().position(|known| id == known).map_or('?', |at| char::from(b'1' + at as u8)))
        .collect()
}

/// RFC 8621 §4.4.1.
#[test]
fn every_condition_holds_as_it_says() {
    let (node, ids) = node();
    let inbox = node.role("ann", "inbox");
    let marked = json!({"update": {ids[0].clone(): {"keywords": {"$seen": true, "work": true}}, ids[2].clone(): {"keywords/$flagged": true}}});
    assert!(node.call("ann", "Email/set", marked)["notUpdated"].is_null());
    for (filter, result) in [
        (json!(null), "321"),
        (json!({"inMailbox": inbox}), "321"),
        (json!({"inMailbox": node.role("ann", "trash")}), ""),
        (json!({"inMailbox": "F999"}), ""),
        (json!({"inMailboxOtherThan": [inbox]}), ""),
        (json!({"inMailboxOtherThan": ["F999"]}), "321"),
        (json!({"before": "2027-01-15T08:00:10Z"}), "1"),
        (json!({"after": "2027-01-15T08:00:10Z"}), "32"),
        (json!({"minSize": 400}), "3"),
        (json!({"maxSize": 400}), "21"),
        (json!({"hasKeyword": "$seen"}), "1"),
        (json!({"notKeyword": "WORK"}), "32"),
        (json!({"someInThreadHaveKeyword": "$flagged"}), "31"),
        (json!({"allInThreadHaveKeyword": "$flagged"}), ""),
        (json!({"noneInThreadHaveKeyword": "$flagged"}), "2"),
        (json!({"hasAttachment": false}), "321"),
        (json!({"hasAttachment": true}), ""),
        (json!({"text": "budget"}), "1"),
        (json!({"text": "报告"}), "1"),
        (json!({"text": "2026 budget"}), "1"),
        (json!({"text": "\"2026 budget\""}), ""),
        (json!({"from": "dora"}), "1"),
        (json!({"subject": "plans"}), "31"),
        (json!({"body": "noodles"}), "2"),
        (json!({"header": ["X-Mark"]}), "2"),
        (json!({"header": ["X-Mark", "no"]}), ""),
        (json!({"from": "dora", "hasKeyword": "$flagged"}), ""),
        (json!({"operator": "OR", "conditions": [{"from": "dora"}, {"from": "carl"}]}), "21"),
        (json!({"operator": "NOT", "conditions": [{"from": "dora"}, {"from": "carl"}]}), "3"),
        (json!({"operator": "AND", "conditions": [{"inMailbox": inbox}, {"hasKeyword": "$flagged"}]}), "3"),
    ] {
        assert_eq!(found(&node, &ids, json!({"filter": filter})), result, "{filter}");
    }
    for (filter, kind) in [
        (json!({"colour": "red"}), "unsupportedFilter"),
        (json!({"before": "yesterday"}), "invalidArguments"),
        (json!({"minSize": -1}), "invalidArguments"),
        (json!({"header": []}), "invalidArguments"),
    ] {
        assert_eq!(node.call("ann", "Email/query", json!({"filter": filter})), kind, "{filter}");
    }
}

/// RFC 8621 §4.4.2, §4.4.3; RFC 8620 §5.5.
#[test]
fn results_are_sorted_collapsed_and_cut() {
    let (node, ids) = node();
    node.call("ann", "Email/set", json!({"update": {ids[0].clone(): {"keywords/$flagged": true}}}));
    for (arguments, result) in [
        (json!({"sort": [{"property": "receivedAt"}]}), "123"),
        (json!({"sort": [{"property": "receivedAt", "isAscending": false}]}), "321"),
        (json!({"sort": [{"property": "size"}]}), "213"),
        (json!({"sort": [{"property": "from"}]}), "213"),
        (json!({"sort": [{"property": "subject"}, {"property": "receivedAt"}]}), "213"),
        (json!({"sort": [{"property": "sentAt"}, {"property": "from", "isAscending": false}]}), "312"),
        (json!({"sort": [{"property": "hasKeyword", "keyword": "$flagged", "isAscending": false}]}), "132"),
        (
            json!({"sort": [{"property": "someInThreadHaveKeyword", "keyword": "$flagged"}, {"property": "receivedAt"}]}),
            "213",
        ),
        (json!({"collapseThreads": true}), "32"),
        (json!({"collapseThreads": true, "sort": [{"property": "receivedAt"}]}), "12"),
        (json!({"limit": 1}), "3"),
        (json!({"position": 1, "limit": 1}), "2"),
        (json!({"position": -1}), "1"),
        (json!({"anchor": ids[1], "anchorOffset": -1, "limit": 2}), "32"),
        (json!({"anchor": ids[1], "anchorOffset": 1}), "1"),
    ] {
        assert_eq!(found(&node, &ids, arguments.clone()), result, "{arguments}");
    }
    for (arguments, kind) in [
        (json!({"sort": [{"property": "colour"}]}), "unsupportedSort"),
        (json!({"sort": [{"property": "hasKeyword"}]}), "invalidArguments"),
        (json!({"anchor": "M999"}), "anchorNotFound"),
        (json!({"limit": -1}), "invalidArguments"),
    ] {
        assert_eq!(node.call("ann", "Email/query", arguments.clone()), kind, "{arguments}");
    }
    assert_eq!(node.call("ann", "Email/query", json!({"collapseThreads": true, "calculateTotal": true}))["total"], 2);
}
