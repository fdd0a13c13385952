use super::node::Node;

/// RFC 8620 §6.2.
#[test]
fn messages_and_their_parts_are_downloaded_by_those_who_may_read_them() {
    let node = Node::start();
    let raw = "Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n\
        Content-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAEC\n--b--\n";
    let id = node.deliver("ann", raw, 0).message;
    let own = node.id("ann");
    let get = |who: &str, account: &str, blob: &str| {
        let path = format!("/jmap/download/{account}/{blob}/%E9%99%88%22.png?accept=image/png");
        node.as_user(who, "GET", &path, "", b"")
    };
    let whole = get("ann", &own, &format!("B{id}"));
    assert_eq!((whole.status, whole.body), (200, raw.replace('\n', "\r\n").into_bytes()));
    let part = get("ann", &own, &format!("B{id}-2"));
    assert_eq!((part.status, part.body), (200, vec![0, 1, 2]));
    let head = part.head.to_lowercase();
    assert!(head.contains("content-type: image/png\r\n"), "{head}");
    assert!(head.contains("content-disposition: attachment; filename*=utf-8''%e9%99%88%22.png\r\n"), "{head}");
    for (who, account, blob) in [
        ("ann", &own, format!("B{id}-0")),
        ("ann", &own, format!("B{id}-9")),
        ("ann", &own, "B999".to_owned()),
        ("ann", &own, "x".to_owned()),
        ("bob", &own, format!("B{id}")),
        ("bob", &node.id("bob"), format!("B{id}")),
    ] {
        assert_eq!(get(who, account, &blob).status, 404, "{who} {blob}");
    }
}
