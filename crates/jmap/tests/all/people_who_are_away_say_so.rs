use anser_directory::scripts::{Place, ScriptOwner};
use serde_json::{Value, json};

use super::node::Node;

fn get(node: &Node) -> Value {
    let got = node.call("ann", "VacationResponse/get", json!({}));
    assert_eq!(got["list"][0]["id"], "singleton");
    got
}

/// The text of the script that runs for Ann.
fn script(node: &Node) -> String {
    let owner = ScriptOwner::Account(node.account("ann"));
    let running = node.door.runtime.block_on(node.door.directory.running_scripts(owner)).unwrap();
    running.scripts.iter().map(|script| String::from_utf8_lossy(&script.text).into_owned()).collect()
}

/// RFC 8621 §8.
#[test]
fn the_away_message_is_one_of_the_rules() {
    Node::on_each_engine(|node| {
        let first = get(node);
        let unset = json!({"id": "singleton", "isEnabled": false, "fromDate": null, "toDate": null, "subject": null,
            "textBody": null, "htmlBody": null});
        assert_eq!(first["list"][0], unset);
        let owner = ScriptOwner::Account(node.account("ann"));
        let by_hand = b"if header :contains \"subject\" \"sale\" {\n    discard;\n}\n";
        node.door.runtime.block_on(async {
            node.door.directory.put_script(owner, "mine", by_hand).await.unwrap();
            node.door.directory.place_script(owner, "mine", Place::Active).await.unwrap();
        });
        let on = json!({"isEnabled": true, "subject": "Away", "textBody": "Back on Monday"});
        let done = node.call("ann", "VacationResponse/set", json!({"update": {"singleton": on}}));
        assert_eq!(done["updated"], json!({"singleton": null}));
        let now = get(node);
        assert_eq!(
            (&now["list"][0]["isEnabled"], &now["list"][0]["textBody"]),
            (&json!(true), &json!("Back on Monday"))
        );
        assert_eq!((&now["state"], &done["newState"]), (&done["newState"], &now["state"]));
        let text = script(node);
        assert!(text.contains("vacation") && text.contains("Back on Monday") && text.contains("discard"), "{text}");
        let stale = json!({"ifInState": first["state"], "update": {"singleton": {"isEnabled": false}}});
        assert_eq!(node.call("ann", "VacationResponse/set", stale), "stateMismatch");
        node.call("ann", "VacationResponse/set", json!({"update": {"singleton": {"isEnabled": false}}}));
        assert_eq!(get(node)["list"][0]["isEnabled"], false);
        assert!(script(node).contains("discard"));
    });
}

/// Days are days where the owner lives, which is China by default here.
#[test]
fn times_become_days() {
    let node = Node::start();
    let account = node.door.runtime.block_on(node.door.directory.account(node.account("ann"))).unwrap().unwrap();
    let offset = account.zone().offset_minutes(1_800_000_000);
    let at = |hours: i64| {
        let secs = 1_800_000_000 - 8 * 3600 + hours * 3600 - i64::from(offset) * 60;
        anser_base::Timestamp::from_secs(secs).to_string().replace(".000Z", "Z")
    };
    let set = json!({"isEnabled": true, "htmlBody": "<p>Away", "fromDate": at(5), "toDate": at(24)});
    let done = node.call("ann", "VacationResponse/set", json!({"update": {"singleton": set}}));
    assert_eq!(done["updated"]["singleton"], json!({"fromDate": at(0), "htmlBody": null}), "{done}");
    let now = get(&node);
    assert_eq!((&now["list"][0]["fromDate"], &now["list"][0]["toDate"]), (&json!(at(0)), &json!(at(24))));
    assert_eq!(now["list"][0]["textBody"], "Away");
}

#[test]
fn there_is_only_one() {
    let node = Node::start();
    let done = node.call(
        "ann",
        "VacationResponse/set",
        json!({"create": {"k": {}}, "destroy": ["singleton"],
            "update": {"other": {}, "singleton": {"isEnabled": true}}}),
    );
    assert_eq!(done["notCreated"]["k"]["type"], "singleton");
    assert_eq!(done["notDestroyed"]["singleton"]["type"], "singleton");
    assert_eq!(done["notUpdated"]["other"]["type"], "notFound");
    assert_eq!(done["notUpdated"]["singleton"]["properties"], json!(["textBody"]));
    for wrong in [json!({"isEnabled": 1}), json!({"fromDate": "now"}), json!({"colour": "red"}), json!({"subject": 1})]
    {
        let done = node.call("ann", "VacationResponse/set", json!({"update": {"singleton": wrong}}));
        assert_eq!(done["notUpdated"]["singleton"]["type"], "invalidProperties", "{wrong}");
    }
    assert_eq!(node.call("ann", "VacationResponse/get", json!({"ids": ["x"]}))["notFound"], json!(["x"]));
}
