//! ContactCard/import and ContactCard/export: vCard and CSV.

use serde_json::{Value, json};

use super::node::Node;

const VCARDS: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:ann-1\r\nFN:Ann Lee\r\nN:Lee;Ann;;;\r\nEMAIL;TYPE=WORK:a@x.example\r\n\
    TEL;TYPE=CELL:+86 138\r\nORG:Acme;R&D\r\nNOTE:a\\, b\\nc\r\nPHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\r\nEND:VCARD\r\n\
    BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E9=99=88;=E7=87=95;;;\r\n\
    FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E9=99=88=E7=87=95\r\nEMAIL;INTERNET:c@x.example\r\nEND:VCARD\r\n\
    BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nFN:Team\r\nUID:team\r\nMEMBER:urn:uuid:03a0e51f-d1aa-4385-8a53-e29025acd8af\r\nEND:VCARD\r\n";

fn upload(node: &Node, bytes: &[u8]) -> Value {
    node.upload("ann", "text/x", bytes)["blobId"].take()
}

fn import(node: &Node, bytes: &[u8]) -> Value {
    let blob = upload(node, bytes);
    node.call("ann", "ContactCard/import", json!({ "blobId": blob }))
}

fn cards(node: &Node) -> Vec<Value> {
    node.call("ann", "ContactCard/get", json!({}))["list"].as_array().unwrap().clone()
}

fn export(node: &Node, format: &str) -> Vec<u8> {
    let made = node.call("ann", "ContactCard/export", json!({ "format": format }));
    let path = format!("/jmap/download/{}/{}/x", node.id("ann"), made["blobId"].as_str().unwrap());
    node.as_user("ann", "GET", &path, "", b"").body
}

#[test]
fn vcards_of_three_versions_come_in_once() {
    let node = Node::start();
    let made = import(&node, VCARDS.as_bytes());
    assert_eq!(
        (&made["format"], &made["total"], &made["notCreated"]),
        (&json!("vcard"), &json!(3), &json!([])),
        "{made}"
    );
    assert_eq!(made["created"].as_array().unwrap().len(), 3);
    let all = cards(&node);
    let named =
        |full: &str| all.iter().find(|card| card["name"]["full"] == full).unwrap_or_else(|| panic!("{full}: {all:?}"));
    let ann = named("Ann Lee");
    assert_eq!(ann["uid"], "ann-1");
    assert!(
        ann["emails"].to_string().contains("a@x.example") && ann["phones"].to_string().contains("+86 138"),
        "{ann}"
    );
    assert!(ann["organizations"].to_string().contains("R&D") && ann["notes"].to_string().contains("a, b\\nc"), "{ann}");
    assert!(ann["media"].to_string().contains("iVBORw0KGgo="), "{ann}");
    assert!(named("陈燕")["emails"].to_string().contains("c@x.example"));
    assert_eq!(named("Team")["kind"], "group");
    assert!(named("Team")["members"].to_string().contains("03a0e51f"));
    let again = import(&node, VCARDS.as_bytes());
    assert_eq!((&again["existing"], &again["created"]), (&json!(3), &json!([])), "{again}");
    assert_eq!(cards(&node).len(), 3);
}

#[test]
fn tables_come_in_whatever_their_charset_is() {
    let node = Node::start();
    let gbk: Vec<u8> = [
        &[0xD0, 0xD5, 0xC3, 0xFB][..],
        b",",
        &[0xD3, 0xCA, 0xCF, 0xE4],
        b",",
        &[0xCA, 0xD6, 0xBB, 0xFA],
        b"\r\n",
        &[0xB3, 0xC2, 0xD1, 0xE0],
        b",c@x.example,138\r\n,,\r\n",
    ]
    .concat();
    let made = import(&node, &gbk);
    assert_eq!(
        (&made["format"], &made["charset"], &made["total"]),
        (&json!("csv"), &json!("gb18030"), &json!(1)),
        "{made}"
    );
    let card = cards(&node).remove(0);
    assert_eq!((&card["name"]["full"], &card["emails"]["1"]["address"]), (&json!("陈燕"), &json!("c@x.example")));
    assert_eq!(import(&node, b"just some words\n"), "invalidArguments");
    let call = |arguments: Value| node.call("ann", "ContactCard/import", arguments);
    assert_eq!(call(json!({ "blobId": "Unone" })), "blobNotFound");
    assert_eq!(call(json!({ "blobId": upload(&node, &gbk), "charset": "utf-8" })), "invalidArguments");
    assert_eq!(call(json!({ "blobId": upload(&node, VCARDS.as_bytes()), "addressBookId": "K99" })), "invalidArguments");
}

#[test]
fn what_goes_out_comes_in_again() {
    for (format, kept) in [("vcard", 3), ("vcard3", 3), ("csv", 3)] {
        let node = Node::start();
        import(&node, VCARDS.as_bytes());
        let file = export(&node, format);
        let before = cards(&node);
        let ids: Vec<&Value> = before.iter().map(|card| &card["id"]).collect();
        node.call("ann", "ContactCard/set", json!({ "destroy": ids }));
        let made = import(&node, &file);
        assert_eq!(
            made["created"].as_array().unwrap().len(),
            kept,
            "{format}: {made} {}",
            String::from_utf8_lossy(&file)
        );
        let after = cards(&node);
        let names = |all: &[Value]| {
            let mut names: Vec<String> =
                all.iter().map(|card| card["name"]["full"].as_str().unwrap_or("?").to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&after), names(&before), "{format}");
    }
    let node = Node::start();
    assert_eq!(node.call("ann", "ContactCard/export", json!({ "format": "pdf" })), "invalidArguments");
}
