use serde_json::{Value, json};

use super::node::Node;

fn get(node: &Node) -> Value {
    node.call("ann", "Rules/get", json!({}))
}

fn set(node: &Node, what: Value) -> Value {
    node.call("ann", "Rules/set", json!({"update": {"singleton": what}}))
}

fn ads() -> Value {
    json!({"rule": {"name": "Ads", "enabled": true, "quantifier": "any", "stop": true,
        "conditions": [{"text": {"field": "subject", "how": "contains", "values": ["sale"], "not": false}}, {"larger": 5_000_000}],
        "deeds": [{"file": {"mailbox": "Ads", "copy": false}}, "read"]}})
}

#[test]
fn what_is_set_as_a_form_is_a_script_and_the_other_way_round() {
    Node::on_each_engine(|node| {
        let first = get(node);
        assert_eq!(first["list"], json!([{"id": "singleton", "items": [], "script": ""}]));
        let done = set(node, json!({"items": [ads()]}));
        assert_eq!(done["updated"], json!({"singleton": null}), "{done}");
        let now = get(node);
        assert_eq!(now["list"][0]["items"], json!([ads()]));
        assert!(now["list"][0]["script"].as_str().unwrap().contains("fileinto"), "{now}");
        assert_eq!(now["state"], done["newState"]);
        // The away message is one of the items, and stands in the same script.
        let away = json!({"isEnabled": true, "textBody": "Back on Monday"});
        node.call("ann", "VacationResponse/set", json!({"update": {"singleton": away}}));
        let both = get(node)["list"][0].clone();
        assert_eq!((&both["items"][1], &both["items"][0]["away"]["enabled"]), (&ads(), &json!(true)));
        // What is written by hand is an item that no form made.
        let by_hand = "if header :contains \"subject\" \"lottery\" {\n    discard;\n}\n";
        assert_eq!(set(node, json!({"script": by_hand}))["updated"], json!({"singleton": null}));
        let item = get(node)["list"][0]["items"][0].clone();
        assert!(item["script"].as_str().is_some_and(|text| text.contains("lottery")), "{item}");
        let stale = json!({"ifInState": first["state"], "update": {"singleton": {"items": []}}});
        assert_eq!(node.call("ann", "Rules/set", stale), "stateMismatch");
    });
}

#[test]
fn a_mistake_is_told_in_both_languages_and_changes_nothing() {
    let node = Node::start();
    set(&node, json!({"items": [ads()]}));
    let before = get(&node);
    let mut wrong = ads();
    wrong["rule"]["deeds"] = json!([{"forward": {"to": "nowhere", "copy": true}}]);
    let done = set(&node, json!({"items": [wrong]}));
    let error = &done["notUpdated"]["singleton"];
    assert_eq!(error["type"], "invalidProperties");
    assert!(error["texts"]["en"].as_str().unwrap().contains("Ads"), "{error}");
    assert!(error["texts"]["zh"].as_str().unwrap().contains("规则“Ads”"), "{error}");
    let done = set(&node, json!({"script": "fileinto nothing"}));
    assert_eq!(done["notUpdated"]["singleton"]["type"], "invalidProperties");
    for what in [
        json!({}),
        json!({"items": [], "script": ""}),
        json!({"items": [{"rule": {}}]}),
        json!({"script": 1}),
        json!({"colour": 1}),
    ] {
        let done = set(&node, what.clone());
        assert_eq!(done["notUpdated"]["singleton"]["type"], "invalidProperties", "{what}");
    }
    let large = format!("# {}\n", "x".repeat(1 << 20));
    assert_eq!(set(&node, json!({"script": large}))["notUpdated"]["singleton"]["type"], "overQuota");
    let done =
        node.call("ann", "Rules/set", json!({"create": {"k": {}}, "destroy": ["singleton"], "update": {"x": {}}}));
    assert_eq!(done["notCreated"]["k"]["type"], "singleton");
    assert_eq!(done["notDestroyed"]["singleton"]["type"], "singleton");
    assert_eq!(done["notUpdated"]["x"]["type"], "notFound");
    assert_eq!(get(&node), before);
}
