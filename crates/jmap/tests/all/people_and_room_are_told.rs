use anser_base::Address;
use serde_json::{Value, json};

use super::node::Node;

/// RFC 9670: who there is, found by what somebody types.
#[test]
fn people_are_found_by_a_few_letters() {
    Node::on_each_engine(|node| {
        let directory = &node.door.directory;
        node.door.runtime.block_on(async {
            directory.set_name(node_account(node, "chen").await, "陈雁").await.unwrap();
            directory.add_group(&Address::parse("team@anser.test").unwrap(), "The Team").await.unwrap();
        });
        let found = |filter: Value| {
            let answer = node.call("ann", "Principal/query", json!({ "filter": filter }));
            let got = node.call(
                "ann",
                "Principal/get",
                json!({"ids": answer["ids"], "properties": ["email", "type", "name"]}),
            );
            got["list"].as_array().unwrap_or_else(|| panic!("{answer} {got}")).clone()
        };
        let names = |filter: Value| {
            found(filter).iter().map(|one| one["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(json!({"text": "chenyan"})), ["chen@anser.test"]);
        assert_eq!(names(json!({"text": "cy"})), ["chen@anser.test"]);
        assert_eq!(names(json!({"text": "雁"})), ["chen@anser.test"]);
        assert_eq!(names(json!({"text": "team"})), ["team@anser.test"]);
        assert_eq!(names(json!({"type": "group"})), ["team@anser.test"]);
        assert_eq!(names(json!({"type": "individual"})).len(), 3);
        assert_eq!(names(json!({"email": "BOB@"})), ["bob@anser.test"]);
        assert_eq!(names(json!({"accountIds": [node.id("bob")]})), ["bob@anser.test"]);
        assert_eq!(found(json!({"text": "bo"}))[0]["name"], "bob@anser.test");
        assert_eq!(node.call("ann", "Principal/query", json!({"filter": {"colour": "red"}})), "unsupportedFilter");
        assert_eq!(node.call("ann", "Principal/get", json!({}))["list"].as_array().unwrap().len(), 4);
        let bob = format!("P{}", node.account("bob"));
        let refused = node.call("ann", "Principal/set", json!({"destroy": [bob]}));
        assert_eq!(refused["notDestroyed"][&bob]["type"], "forbidden");
        // What somebody shares is told with them.
        let accounts = || node.call("ann", "Principal/get", json!({"ids": [bob]}))["list"][0]["accounts"].clone();
        assert_eq!(accounts(), json!(null));
        node.share("bob", "ann", "lr");
        assert_eq!(accounts()[node.id("bob")]["isPersonal"], false);
    });
}

/// RFC 9670 §2.3: who came, is called otherwise and went; what is not remembered is asked for anew.
#[test]
fn who_there_is_can_be_followed() {
    let node = Node::start();
    let (directory, runtime) = (&node.door.directory, &node.door.runtime);
    let state = || {
        // People are looked up anew after a while.
        node.store.clock().advance(anser_directory::PEOPLE_AGE);
        node.call("ann", "Principal/get", json!({"ids": []}))["state"].take()
    };
    let changes = |since: &Value, most: u64| {
        let told = node.call("ann", "Principal/changes", json!({"sinceState": since, "maxChanges": most}));
        match told.is_string() {
            true => told,
            false => json!([told["created"], told["updated"], told["destroyed"], told["newState"]]),
        }
    };
    let first = state();
    assert_eq!(changes(&first, 9), json!([[], [], [], first]));
    runtime.block_on(directory.set_name(node.account("chen"), "陈雁")).unwrap();
    runtime.block_on(directory.add_group(&Address::parse("team@anser.test").unwrap(), "The Team")).unwrap();
    runtime.block_on(directory.suspend(node.account("bob"))).unwrap();
    let second = state();
    let [bob, chen] = ["bob", "chen"].map(|name| format!("P{}", node.account(name)));
    assert_eq!(changes(&first, 9), json!([["G1"], [chen], [bob], second]));
    assert_eq!(changes(&first, 2), "cannotCalculateChanges", "more than is wanted");
    runtime.block_on(directory.restore(node.account("bob"))).unwrap();
    let third = state();
    assert_eq!(changes(&first, 9), json!([["G1"], [chen], [], third]));
    assert_eq!(changes(&second, 9), json!([[bob], [], [], third]));
    assert_eq!(node.call("ann", "Principal/query", json!({}))["queryState"], third);
    node.share("bob", "ann", "lr");
    assert_ne!(state(), third, "whose accounts are open is told of people, too");
    for unknown in [third, json!("0"), json!("x-y")] {
        assert_eq!(changes(&unknown, 9), "cannotCalculateChanges", "{unknown}");
    }
    let stale = json!({"ifInState": "0"});
    assert_eq!(node.call("ann", "Principal/set", stale), "stateMismatch");
}

async fn node_account(node: &Node, name: &str) -> anser_base::AccountId {
    let address = Address::parse(&format!("{name}@anser.test")).unwrap();
    node.door.directory.account_by_address(&address).await.unwrap().unwrap().id
}

/// RFC 9425: how much room there is, and when that is less than it was.
#[test]
fn room_is_told_where_it_ends() {
    let node = Node::start();
    assert_eq!(node.call("ann", "Quota/get", json!({}))["list"], json!([]));
    node.door.runtime.block_on(node.door.directory.set_quota(node.account("ann"), 1_000_000)).unwrap();
    let before = node.call("ann", "Quota/get", json!({}));
    let quota = before["list"][0].clone();
    assert_eq!(
        (&quota["hardLimit"], &quota["used"], &quota["warnLimit"]),
        (&json!(1_000_000), &json!(0), &json!(900_000))
    );
    assert_eq!(
        (&quota["resourceType"], &quota["scope"], &quota["types"]),
        (&json!("octets"), &json!("account"), &json!(["Email"]))
    );
    node.deliver("ann", "Subject: x\n\nx\n", 0);
    let changes = node.call("ann", "Quota/changes", json!({"sinceState": before["state"]}));
    assert_eq!((&changes["updated"], &changes["updatedProperties"]), (&json!([quota["id"]]), &json!(["used"])));
    let now = node.call("ann", "Quota/get", json!({"ids": [quota["id"], "x"], "properties": ["used"]}));
    assert!(now["list"][0]["used"].as_u64().unwrap() > 0 && now["notFound"] == json!(["x"]), "{now}");
    let found = |filter: Value| node.call("ann", "Quota/query", json!({ "filter": filter }));
    assert_eq!(found(json!({"type": "Email", "scope": "account"}))["ids"], json!([quota["id"]]));
    assert_eq!(found(json!({"type": "Calendar"}))["ids"], json!([]));
    assert_eq!(found(json!({"colour": "red"})), "unsupportedFilter");
    assert_eq!(node.call("ann", "Quota/queryChanges", json!({"sinceQueryState": "0"})), "cannotCalculateChanges");
}
