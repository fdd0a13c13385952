//! `dsnBlobIds` and `mdnBlobIds` of an EmailSubmission (RFC 8621 §7).

use serde_json::{Value, json};

use super::node::Node;

const LETTER: &str =
    "From: ann@anser.test\nTo: bob@anser.test\nSubject: hello\nMessage-ID: <one@anser.test>\n\ngood day\n";

/// A report of one part that machines read and one of what it is about.
fn report(kind: &str, fields: &str, original: &str) -> String {
    format!(
        "From: MAILER-DAEMON@far.example\nTo: ann@anser.test\nSubject: report\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type={kind}; boundary=b\n\n--b\n\nfor people\n--b\n\
         Content-Type: message/{kind}\n\n{fields}\n--b\n{original}\n--b--\n"
    )
}

fn sent(node: &Node) -> String {
    let email = format!("M{}", node.deliver("ann", LETTER, 0).message);
    let identity = node.call("ann", "Identity/get", json!({}))["list"][0]["id"].take();
    let to = json!([{ "email": "bob@anser.test" }, { "email": "eve@far.example" }]);
    let envelope = json!({ "mailFrom": { "email": "ann@anser.test" }, "rcptTo": to });
    let object = json!({ "identityId": identity, "emailId": email, "envelope": envelope });
    let made = node.call("ann", "EmailSubmission/set", json!({ "create": { "k": object } }));
    made["created"]["k"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

fn got(node: &Node, id: &str) -> Value {
    node.call("ann", "EmailSubmission/get", json!({ "ids": [id] }))["list"][0].take()
}

#[test]
fn reports_and_receipts_are_told_with_what_they_are_about() {
    Node::on_each_engine(|node| {
        let id = sent(node);
        assert_eq!((&got(node, &id)["dsnBlobIds"], &got(node, &id)["mdnBlobIds"]), (&json!([]), &json!([])));
        let since = node.call("ann", "EmailSubmission/get", json!({}))["state"].take();
        node.deliver("ann", "From: x@y.example\nSubject: no report\nIn-Reply-To: <one@anser.test>\n\nhello\n", 1);
        let failed = "Reporting-MTA: dns; mx.far.example\n\nFinal-Recipient: rfc822; eve@far.example\nAction: failed\nStatus: 5.1.1\n";
        let header = "Content-Type: text/rfc822-headers\n\nSubject: hello\nMessage-ID: <one@anser.test>\n";
        let dsn = node.deliver("ann", &report("delivery-status", failed, header), 2).message;
        let read = "Final-Recipient: rfc822; Bob@anser.test\nOriginal-Message-ID: <one@anser.test>\n\
                    Disposition: manual-action/MDN-sent-manually; displayed\n";
        let mdn = node.deliver("ann", &report("disposition-notification", read, "\nnothing\n"), 3).message;
        let other = header.replace("one@", "two@");
        node.deliver("ann", &report("delivery-status", failed, &other), 4);
        let now = got(node, &id);
        assert_eq!(
            (&now["dsnBlobIds"], &now["mdnBlobIds"]),
            (&json!([format!("B{dsn}")]), &json!([format!("B{mdn}")]))
        );
        let status = &now["deliveryStatus"];
        assert_eq!(
            (&status["bob@anser.test"]["displayed"], &status["eve@far.example"]["displayed"]),
            (&json!("yes"), &json!("unknown"))
        );
        let changes = node.call("ann", "EmailSubmission/changes", json!({ "sinceState": since }));
        assert_eq!(changes["updated"], json!([id]), "what came back is a change of it");
        let state = changes["newState"].clone();
        assert_eq!(got(node, &id), now);
        assert_eq!(node.call("ann", "EmailSubmission/changes", json!({ "sinceState": state }))["updated"], json!([]));
        let path = format!("/jmap/download/{}/B{dsn}/x", node.id("ann"));
        assert!(node.as_user("ann", "GET", &path, "", b"").body.starts_with(b"From: MAILER-DAEMON"));
    });
}
