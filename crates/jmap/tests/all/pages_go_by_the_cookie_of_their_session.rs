//! Pages of ours, which hold no password: the session's cookie opens JMAP, to them alone.

use anser_directory::{Signed, Visitor, cookie_name};
use anser_testkit::door::PASSWORD;

use super::node::Node;

#[test]
fn the_cookie_opens_jmap_to_pages_of_ours() {
    let node = Node::start();
    let visitor = Visitor { source: "127.0.0.1".parse().unwrap(), device: "", tls: false };
    let signed = node.door.directory.sign_in(b"ann@anser.test", PASSWORD.as_bytes(), visitor);
    let Signed::In(session) = node.door.runtime.block_on(signed).unwrap() else { panic!("not in") };
    let cookie = format!("other=1; {}={}", cookie_name(false), session.token);
    let ask = |fields: &[(&str, &str)]| node.http("GET", "/.well-known/jmap", fields, b"");
    let ours = ask(&[("Cookie", &cookie), ("Sec-Fetch-Site", "same-origin")]);
    assert_eq!((ours.status, ours.json()["username"].as_str()), (200, Some("ann@anser.test")));
    let by_origin = ask(&[("Cookie", &cookie), ("Origin", "https://mail.anser.test")]);
    assert_eq!(by_origin.status, 200);
    for foreign in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example"), ("X-Nothing", "1")] {
        assert_eq!(ask(&[("Cookie", &cookie), foreign]).status, 403, "{foreign:?}");
    }
    node.door.runtime.block_on(node.door.directory.end_session(session.account.id, session.id)).unwrap();
    let over = ask(&[("Cookie", &cookie), ("Sec-Fetch-Site", "same-origin")]);
    assert_eq!(over.status, 401);
    assert!(over.head.contains("application/problem+json"));
    assert!(!over.head.contains("Basic"), "the browser must not ask for a password itself: {}", over.head);
    assert!(ask(&[]).head.contains("Basic"), "programs are offered it");
}
