//! ShareNotification (RFC 9670 §3).

use anser_base::{AccountId, MailboxId, Timestamp};
use anser_store::{OF_ONE_OWNER, Rights, SHARE_NOTICES, ShareNotice};
use anser_testkit::door::NOW;
use serde_json::{Value, json};

use super::node::Node;

/// What bob did with a mailbox of his, so many seconds after the clock's time.
fn notice(node: &Node, name: &str, after: i64, [old, new]: [&str; 2]) -> ShareNotice {
    let rights = |letters: &str| Rights::parse(letters).unwrap();
    ShareNotice {
        at: Timestamp(NOW.0 + after * 1000),
        by: node.account("bob"),
        by_name: "Bob".into(),
        by_email: "bob@anser.test".into(),
        owner: node.account("bob"),
        mailbox: MailboxId(1),
        name: name.into(),
        old: rights(old),
        new: rights(new),
    }
}

fn tell(node: &Node, notice: ShareNotice) {
    node.write("ann", move |tx| tx.add_share_notice(&notice));
}

#[test]
fn a_notice_is_shown_found_and_dismissed() {
    Node::on_each_engine(|node| {
        let query = json!({ "sort": [{ "property": "created", "isAscending": false }] });
        let found = node.call("ann", "ShareNotification/query", query.clone());
        let since = node.call("ann", "ShareNotification/get", json!({}))["state"].take();
        tell(node, notice(node, "Work", 0, ["", "lr"]));
        tell(node, notice(node, "Work", 60, ["lr", ""]));
        let got = node.call("ann", "ShareNotification/get", json!({}));
        let [given, taken] = [&got["list"][0], &got["list"][1]];
        assert_eq!((&given["objectType"], &given["name"]), (&json!("Mailbox"), &json!("Work")));
        assert_eq!(
            given["changedBy"],
            json!({ "name": "Bob", "email": "bob@anser.test",
            "principalId": format!("P{}", node.account("bob")) })
        );
        assert_eq!(
            (&given["objectAccountId"], &given["created"]),
            (&json!(node.id("bob")), &json!("2027-01-15T08:00:00Z"))
        );
        assert_eq!((&given["oldRights"], &given["newRights"]["mayReadItems"]), (&Value::Null, &json!(true)));
        assert_eq!((&taken["newRights"], &taken["oldRights"]["mayAddItems"]), (&Value::Null, &json!(false)));
        let ids = [given["id"].clone(), taken["id"].clone()];
        let changes = node.call("ann", "ShareNotification/changes", json!({ "sinceState": since }));
        assert_eq!(changes["created"], json!(ids));
        let now = node.call("ann", "ShareNotification/query", query.clone());
        assert_eq!(now["ids"], json!([ids[1], ids[0]]));
        let mut asked = query;
        asked["sinceQueryState"] = found["queryState"].clone();
        let changed = node.call("ann", "ShareNotification/queryChanges", asked);
        assert_eq!(changed["added"], json!([{ "id": ids[1], "index": 0 }, { "id": ids[0], "index": 1 }]));
        let filtered =
            |filter: Value| node.call("ann", "ShareNotification/query", json!({ "filter": filter }))["ids"].take();
        assert_eq!(filtered(json!({ "after": "2027-01-15T08:01:00Z" })), json!([ids[1]]));
        assert_eq!(filtered(json!({ "before": "2027-01-15T08:01:00Z", "objectType": "Mailbox" })), json!([ids[0]]));
        assert_eq!(filtered(json!({ "objectAccountId": node.id("ann") })), json!([]));
        let set = json!({ "create": { "a": {} }, "update": { ids[0].as_str().unwrap(): { "name": "x" } }, "destroy": [ids[0], "N999"] });
        let set = node.call("ann", "ShareNotification/set", set);
        assert_eq!((&set["destroyed"], &set["notCreated"]["a"]["type"]), (&json!([ids[0]]), &json!("forbidden")));
        assert_eq!(set["notUpdated"][ids[0].as_str().unwrap()]["type"], "forbidden");
        assert_eq!(set["notDestroyed"]["N999"]["type"], "notFound");
        assert_eq!(filtered(json!({})), json!([ids[1]]));
        let unknown = json!({ "filter": { "colour": "red" } });
        assert_eq!(node.call("ann", "ShareNotification/query", unknown), "unsupportedFilter");
        assert_eq!(node.call("bob", "ShareNotification/get", json!({}))["list"], json!([]), "it is ann's");
    });
}

#[test]
fn of_very_many_the_oldest_go() {
    let node = Node::start();
    let of_owner = |owner: u64| {
        let notice = notice(&node, &format!("of {owner}"), 0, ["", "lr"]);
        ShareNotice { owner: AccountId(owner), ..notice }
    };
    let all: Vec<ShareNotice> = (0..SHARE_NOTICES as u64 + 3).map(|number| of_owner(1000 + number)).collect();
    node.write("ann", move |tx| all.iter().try_for_each(|notice| tx.add_share_notice(notice)));
    let list = node.call("ann", "ShareNotification/get", json!({}))["list"].take();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["name"]), (SHARE_NOTICES, &json!("of 1003")));
}

#[test]
fn who_shares_over_and_over_pushes_out_nothing_of_others() {
    let node = Node::start();
    let bobs = notice(&node, "Work", 0, ["", "lr"]);
    let others = ShareNotice { owner: AccountId(1000), name: "Chen's".into(), ..bobs.clone() };
    node.write("ann", move |tx| {
        tx.add_share_notice(&others)?;
        (0..SHARE_NOTICES + 3).try_for_each(|_| tx.add_share_notice(&bobs))
    });
    let list = node.call("ann", "ShareNotification/get", json!({}))["list"].take();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["name"]), (OF_ONE_OWNER + 1, &json!("Chen's")));
}
