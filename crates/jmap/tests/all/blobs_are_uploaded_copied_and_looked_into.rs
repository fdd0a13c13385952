use anser_jmap::Limits;
use serde_json::{Value, json};

use super::node::Node;

/// RFC 8620 §6.1.
#[test]
fn what_is_uploaded_can_be_downloaded_by_its_uploader() {
    let node = Node::start();
    let told = node.upload("ann", "image/png", b"\0\x01\x02");
    assert_eq!(
        (&told["accountId"], &told["type"], &told["size"]),
        (&json!(node.id("ann")), &json!("image/png"), &json!(3))
    );
    let blob = told["blobId"].as_str().unwrap().to_owned();
    let get = |who: &str, account: &str, blob: &str| {
        node.as_user(who, "GET", &format!("/jmap/download/{account}/{blob}/x?accept=image/png"), "", b"")
    };
    let got = get("ann", &node.id("ann"), &blob);
    assert_eq!((got.status, got.body), (200, vec![0, 1, 2]));
    assert_eq!(get("bob", &node.id("bob"), &blob).status, 404);
    assert_eq!(get("ann", &node.id("ann"), &format!("{blob}-5")).status, 404);
    assert_eq!(node.upload("ann", "text/plain", b"\0\x01\x02")["blobId"], blob);
    assert_eq!(node.upload("ann", "nonsense", b"")["type"], "application/octet-stream");
    assert_eq!(node.as_user("ann", "POST", "/jmap/upload/A999", "", b"x").status, 404);
    let shared = format!("/jmap/upload/{}", node.id("bob"));
    assert_eq!(node.as_user("ann", "POST", &shared, "", b"x").status, 404);
    node.store.clock().advance(anser_store::UPLOAD_KEPT);
    assert_eq!(get("ann", &node.id("ann"), &blob).status, 404);
}

#[test]
fn uploads_have_limits() {
    let node = Node::with(Limits { size_upload: 100, ..Limits::default() });
    let path = format!("/jmap/upload/{}", node.id("ann"));
    assert_eq!(node.as_user("ann", "POST", &path, "", &[7; 100]).status, 201);
    let refused = node.as_user("ann", "POST", &path, "", &[7; 101]);
    assert_eq!((refused.status, &refused.json()["limit"]), (413, &json!("maxSizeUpload")));
    assert_eq!(node.http("POST", &path, &[], b"x").status, 401);
}

/// Parts of what was uploaded are blobs too, and those of parts.
#[test]
fn an_uploaded_message_has_parts() {
    let node = Node::start();
    let inner = "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\ndeep\r\n--i--\r\n";
    let outer = format!(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--o--\r\n"
    );
    let blob = node.upload("ann", "message/rfc822", outer.as_bytes())["blobId"].as_str().unwrap().to_owned();
    let read = |id: &str| {
        let answer = node.as_user("ann", "GET", &format!("/jmap/download/{}/{id}/x", node.id("ann")), "", b"");
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    };
    assert_eq!(read(&format!("{blob}-1")).1.trim_end(), inner.trim_end());
    assert_eq!(read(&format!("{blob}-1-1")), (200, "deep".into()));
    assert_eq!(read(&format!("{blob}-1-0")).0, 404);
    assert_eq!(read(&format!("{blob}-1-1-1")).0, 404);
}

/// RFC 8620 §6.3.
#[test]
fn blobs_are_copied_between_accounts() {
    let node = Node::start();
    node.share("bob", "ann", "lr");
    let theirs = node.deliver("bob", "Subject: x\n\nsecret\n", 0).message;
    let copy = |from: &str, ids: Value| {
        node.call("ann", "Blob/copy", json!({"fromAccountId": from, "accountId": node.id("ann"), "blobIds": ids}))
    };
    let copied =
        copy(&node.id("bob"), json!([format!("B{theirs}"), format!("B{theirs}-0"), "B99", format!("B{theirs}-7")]));
    assert_eq!(copied["notCopied"]["B99"]["type"], "notFound");
    assert_eq!(copied["notCopied"][format!("B{theirs}-7")]["type"], "notFound");
    let id = copied["copied"][format!("B{theirs}-0")].as_str().unwrap();
    let got = node.as_user("ann", "GET", &format!("/jmap/download/{}/{id}/x", node.id("ann")), "", b"");
    assert_eq!(got.body, b"secret\r\n");
    assert_eq!(copy(&node.id("chen"), json!([])), "fromAccountNotFound");
}

/// The examples of RFC 9404 §4.1.1, §4.2.1.
#[test]
fn blobs_are_made_and_read_within_requests() {
    let node = Node::start();
    let quick = json!({"data:asText": "The quick brown fox jumped over the lazy dog."});
    let made = node.call(
        "ann",
        "Blob/upload",
        json!({"create": {
            "b4": {"data": [quick], "type": "text/plain"},
            "b64": {"data": [{"data:asBase64": "gAEC"}]},
            "bad": {"data": [{"data:asBase64": "?"}]},
            "both": {"data": [{"data:asText": "x", "data:asBase64": "AAEC"}]},
            "gone": {"data": [{"blobId": "U00"}]},
        }}),
    );
    assert_eq!((&made["created"]["b4"]["size"], &made["created"]["b4"]["type"]), (&json!(45), &json!("text/plain")));
    assert_eq!(made["notCreated"]["bad"]["type"], "invalidProperties");
    assert_eq!(made["notCreated"]["both"]["type"], "invalidProperties");
    assert_eq!(made["notCreated"]["gone"], json!({"type": "blobNotFound", "notFound": ["U00"]}));
    let (text, raw) = (&made["created"]["b4"]["id"], &made["created"]["b64"]["id"]);
    let cut = node.call(
        "ann",
        "Blob/upload",
        json!({"create": {"cat": {"data": [{"blobId": text, "offset": 4, "length": 5}, {"data:asText": "!"}]},
            "far": {"data": [{"blobId": text, "offset": 40, "length": 9}]}}}),
    );
    assert_eq!(cut["notCreated"]["far"]["type"], "invalidProperties");
    let got = node.call("ann", "Blob/get", json!({"ids": [cut["created"]["cat"]["id"], raw, "U00"]}));
    assert_eq!(got["list"][0]["data:asText"], "quick!");
    assert_eq!(got["list"][1]["data:asBase64"], "gAEC");
    assert_eq!(got["notFound"], json!(["U00"]));
    let ranged = node.call(
        "ann",
        "Blob/get",
        json!({"ids": [text], "offset": 4, "length": 9,
            "properties": ["data:asText", "digest:sha", "digest:sha-256", "size"]}),
    );
    let shown = &ranged["list"][0];
    assert_eq!((&shown["data:asText"], &shown["size"]), (&json!("quick bro"), &json!(45)));
    assert_eq!(shown["digest:sha"], "QiRAPtfyX8K6tm1iOAtZ87Xj3Ww=");
    assert_eq!(shown["digest:sha-256"], "gdg9INW7lwHK6OQ9u0dwDz2ZY/gubi0En0xlFpKt0OA=");
    let odd = node.call("ann", "Blob/get", json!({"ids": [text], "offset": 40, "length": 100}));
    assert_eq!((&odd["list"][0]["isTruncated"], &odd["list"][0]["data:asText"]), (&json!(true), &json!(" dog.")));
    let binary = node.upload("ann", "", b"\xff");
    let asked = json!({"ids": [binary["blobId"]], "properties": ["data:asText"]});
    let got = node.call("ann", "Blob/get", asked);
    assert_eq!((&got["list"][0]["isEncodingProblem"], &got["list"][0]["data:asText"]), (&json!(true), &Value::Null));
    assert_eq!(node.call("ann", "Blob/get", json!({"ids": [text], "properties": ["digest:md5"]})), "invalidArguments");
}

/// RFC 9404 §4.3.
#[test]
fn who_refers_to_a_blob_is_found() {
    let node = Node::start();
    let id = node.deliver("ann", "Subject: x\n\nx\n", 0).message;
    let inbox = node.role("ann", "inbox");
    let upload = node.upload("ann", "", b"x")["blobId"].clone();
    let found = node.call(
        "ann",
        "Blob/lookup",
        json!({"typeNames": ["Mailbox", "Email"], "ids": [format!("B{id}-0"), upload, "B99"]}),
    );
    let first = json!({"id": format!("B{id}-0"), "matchedIds": {"Mailbox": [inbox], "Email": [format!("M{id}")]}});
    let second = json!({"id": upload, "matchedIds": {"Mailbox": [], "Email": []}});
    assert_eq!((&found["list"], &found["notFound"]), (&json!([first, second]), &json!(["B99"])));
    assert_eq!(node.call("ann", "Blob/lookup", json!({"typeNames": ["Lunch"], "ids": []})), "unknownDataType");
}
