//! docs/api/mail.md, MailMove: where this server is registered at a provider its users sign in there, in a password's place.

use anser_migrate::own::{Client, Registered};
use anser_migrate::profile::OAuth;
use anser_testkit::fake_web::FakeWeb;
use serde_json::{Value, json};

use super::node::Node;
use super::old::Old;

const ANN: &str = "ann";

/// A provider that gives a code, which nobody types.
fn provider() -> Client {
    let web = FakeWeb::start(|asked| {
        let (status, said) = match &*asked.path {
            "/device" => (
                200,
                r#"{"user_code":"ABCD-EFGH","verification_uri":"https://login.old.test/device","device_code":"hidden","expires_in":600}"#,
            ),
            _ => (400, r#"{"error":"authorization_pending"}"#),
        };
        (status, "Content-Type: application/json\r\n", said.as_bytes().to_vec())
    });
    let oauth = OAuth { token: Some(web.url("/token")), device: Some(web.url("/device")), ..OAuth::default() };
    let (provider, host, client) = ("office365".to_owned(), Some("127.0.0.1".to_owned()), "anser-1".to_owned());
    Client::new(Registered { provider, host, client, tenant: None, oauth }, None).unwrap()
}

#[test]
fn a_page_and_a_code_are_told_and_nothing_of_tokens() {
    let (old, client) = (Old::start(), provider());
    Node::known_on_each_engine(&[client], |node| {
        let found = node.call(ANN, "MailMove/discover", json!({ "email": "ann@old.test" }));
        assert_eq!((&found["provider"], &found["signInHosts"]), (&Value::Null, &json!(["127.0.0.1"])));

        let wish = json!({ "email": "ann@old.test", "protocol": "imap", "host": "127.0.0.1", "port": old.port, "tls": "none",
            "username": "ann", "password": null });
        let made = node.call(ANN, "MailMove/set", json!({ "create": { "a": wish } }));
        let one = &made["created"]["a"];
        assert_eq!((&one["state"], &one["signIn"]), (&json!("paused"), &json!({ "state": "needed", "asked": null })));
        assert!(one["problem"]["zh"].as_str().unwrap().contains("登录"), "{one}");

        let told = node.call(ANN, "MailMove/signIn", json!({ "id": one["id"] }));
        let asked = &told["asked"];
        assert_eq!((&asked["page"], &asked["code"]), (&json!("https://login.old.test/device"), &json!("ABCD-EFGH")));
        assert!(asked["expiresAt"].as_str().unwrap().ends_with('Z') && told["problem"].is_null(), "{told}");
        let shown = node.call(ANN, "MailMove/get", json!({}));
        assert_eq!(shown["list"][0]["signIn"], json!({ "state": "asked", "asked": asked }));
        assert!(!format!("{told}{shown}").contains("hidden"));

        // Nobody else's.
        assert_eq!(node.call("bob", "MailMove/signIn", json!({ "id": one["id"] })), "invalidArguments");
        // A password that is left out is no wish to sign in.
        let none =
            json!({ "email": "b@old.test", "protocol": "imap", "host": "127.0.0.1", "port": old.port, "tls": "none" });
        let made = node.call(ANN, "MailMove/set", json!({ "create": { "a": none } }));
        assert_eq!(made["notCreated"]["a"]["properties"], json!(["password"]));
    });
}
