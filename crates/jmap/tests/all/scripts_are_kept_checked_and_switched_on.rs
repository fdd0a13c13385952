//! SieveScript (RFC 9661).

use anser_directory::scripts::{Place, ScriptOwner};
use serde_json::{Value, json};

use super::node::Node;

const KEEP: &str = "keep;";
const FILE: &str = "require \"fileinto\";\r\nfileinto \"Junk\";";

fn upload(node: &Node, text: &str) -> Value {
    node.upload("ann", "application/sieve", text.as_bytes())["blobId"].take()
}

/// What runs, by its name.
fn active(node: &Node) -> Option<String> {
    let owner = ScriptOwner::Account(node.account("ann"));
    let running = node.door.runtime.block_on(node.door.directory.running_scripts(owner)).unwrap();
    running.scripts.iter().find(|script| script.place == Place::Active).map(|script| script.name.clone())
}

#[test]
fn of_two_programs_that_make_scripts_of_one_name_one_does() {
    Node::on_each_engine(|node| {
        let (keep, file) = (upload(node, KEEP), upload(node, FILE));
        let make = |blob: &Value| {
            node.call("ann", "SieveScript/set", json!({ "create": { "A": { "name": "one", "blobId": blob } } }))
        };
        let made: Vec<Value> = std::thread::scope(|scope| {
            let all = [&keep, &file, &keep, &file].map(|blob| scope.spawn(move || make(blob)));
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let (made, not): (Vec<_>, Vec<_>) = made.iter().partition(|made| made["created"].is_object());
        assert_eq!(made.len(), 1, "{made:?}");
        let id = &made[0]["created"]["A"]["id"];
        for other in not {
            let error = &other["notCreated"]["A"];
            assert_eq!((&error["type"], &error["existingId"]), (&json!("alreadyExists"), id));
        }
    });
}

#[test]
fn a_script_is_made_activated_renamed_rewritten_and_removed() {
    Node::on_each_engine(|node| {
        let (keep, file) = (upload(node, KEEP), upload(node, FILE));
        let set = |arguments: Value| node.call("ann", "SieveScript/set", arguments);
        // RFC 9661 §2.4.1: made and activated in one call.
        let made =
            set(json!({ "create": { "A": { "name": "first", "blobId": keep } }, "onSuccessActivateScript": "#A" }));
        let first = &made["created"]["A"];
        let id = first["id"].as_str().unwrap().to_owned();
        assert_eq!((first["isActive"].clone(), active(node).as_deref()), (json!(true), Some("first")));
        let told = node.call("ann", "SieveScript/get", json!({}));
        assert_eq!(told["state"], made["newState"]);
        let (name, blob) = (&told["list"][0]["name"], told["list"][0]["blobId"].as_str().unwrap().to_owned());
        assert_eq!((name, &told["list"][0]["id"]), (&json!("first"), &json!(id)));
        let path = format!("/jmap/download/{}/{blob}/x.siv", node.id("ann"));
        assert_eq!(node.as_user("ann", "GET", &path, "", b"").body, KEEP.as_bytes());
        let foreign = path.replace(&node.id("ann"), &node.id("bob"));
        assert_eq!(node.as_user("bob", "GET", &foreign, "", b"").status, 404, "scripts are their owner's");
        let second = set(json!({ "create": { "B": { "blobId": file } } }))["created"]["B"].clone();
        let other = second["id"].as_str().unwrap();
        assert!(second["name"].is_string() && second["isActive"] == false, "{second}");
        // It keeps its id, and runs, whatever it is called and says.
        let changed = set(json!({ "update": { id.clone(): { "name": "erster", "blobId": file } } }));
        assert!(changed["updated"][&id]["blobId"].is_string(), "{changed}");
        assert_eq!(active(node).as_deref(), Some("erster"));
        assert_eq!(node.as_user("ann", "GET", &path, "", b"").status, 404, "the old text is gone");
        let query = |filter: Value| node.call("ann", "SieveScript/query", json!({ "filter": filter }))["ids"].clone();
        assert_eq!((query(json!({ "isActive": true })), query(json!({ "name": "ER" }))), (json!([id]), json!([id])));
        let switched = set(json!({ "onSuccessActivateScript": other }));
        assert_eq!(switched["updated"], json!({ id.clone(): { "isActive": false }, other: { "isActive": true } }));
        let stays = set(json!({ "destroy": [other] }));
        assert_eq!(stays["notDestroyed"][other]["type"], "sieveIsActive");
        assert_eq!(
            set(json!({ "onSuccessDeactivateScript": true }))["updated"],
            json!({ other: { "isActive": false } })
        );
        assert_eq!(
            (set(json!({ "destroy": [other, id] }))["destroyed"].clone(), active(node)),
            (json!([other, id]), None)
        );
    });
}

#[test]
fn what_cannot_be_is_refused_in_the_words_of_the_rfc() {
    let node = Node::start();
    let (keep, wrong) = (upload(&node, KEEP), upload(&node, "keep"));
    let set = |arguments: Value| node.call("ann", "SieveScript/set", arguments);
    let create = json!({
        "a": { "name": "a", "blobId": keep }, "b": { "name": "b", "blobId": wrong }, "c": { "name": "c", "blobId": "Unone" },
        "d": { "name": "d\u{0}", "blobId": keep }, "e": { "name": "e" }, "f": { "name": 1, "blobId": keep },
        "g": { "name": "g", "blobId": keep, "isActive": true },
    });
    let made = set(json!({ "create": create, "onSuccessActivateScript": "#a" }));
    let kinds =
        ["b", "c", "d", "e", "f", "g"].map(|key| made["notCreated"][key]["type"].as_str().unwrap_or("none").to_owned());
    let bad = "invalidProperties";
    assert_eq!(kinds, ["invalidSieve", "blobNotFound", bad, bad, bad, bad], "{made}");
    assert_eq!(active(&node), None, "not everything was done");
    let twice = set(json!({ "create": { "a": { "name": "a", "blobId": keep } } }));
    assert_eq!(twice["notCreated"]["a"]["existingId"], made["created"]["a"]["id"]);
    assert_eq!(set(json!({ "ifInState": "x" })), "stateMismatch");
    let id = made["created"]["a"]["id"].as_str().unwrap();
    let refused = set(json!({ "update": { id: { "name": "z", "blobId": wrong }, "V99": {} } }));
    assert_eq!(refused["notUpdated"][id]["type"], "invalidSieve");
    let kept = node.call("ann", "SieveScript/get", json!({ "ids": [id] }))["list"][0].clone();
    assert_eq!(kept["name"], "a", "what is refused changes nothing");
    assert_eq!(refused["notUpdated"]["V99"]["type"], "notFound");
    let validate = |blob: &Value| node.call("ann", "SieveScript/validate", json!({ "blobId": blob }));
    assert_eq!(
        (validate(&keep)["error"].clone(), validate(&wrong)["error"]["type"].clone()),
        (Value::Null, json!("invalidSieve"))
    );
    assert_eq!(validate(&json!("Unone")), "blobNotFound");
    let session = node.as_user("ann", "GET", "/jmap/session", "", b"").json();
    let told = &session["accounts"][node.id("ann")]["accountCapabilities"]["urn:ietf:params:jmap:sieve"];
    assert!(told["sieveExtensions"].as_array().unwrap().contains(&json!("vacation")), "{told}");
}

/// What VacationResponse does is done to the script that runs (RFC 9661 §3).
#[test]
fn the_away_message_is_in_the_script_that_runs() {
    let node = Node::start();
    let away = json!({ "update": { "singleton": { "isEnabled": true, "textBody": "gone fishing" } } });
    node.call("ann", "VacationResponse/set", away);
    let told = node.call("ann", "SieveScript/get", json!({}))["list"][0].clone();
    assert_eq!(told["isActive"], true);
    let blob = told["blobId"].as_str().unwrap();
    let text = node.as_user("ann", "GET", &format!("/jmap/download/{}/{blob}/x", node.id("ann")), "", b"").body;
    assert!(String::from_utf8(text).unwrap().contains("gone fishing"));
    node.call("ann", "SieveScript/set", json!({ "onSuccessDeactivateScript": true }));
    assert_eq!(node.call("ann", "VacationResponse/get", json!({}))["list"][0]["isEnabled"], false);
}
