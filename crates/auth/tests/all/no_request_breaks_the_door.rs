//! Requests that no page and no program would send: every place with bodies of every kind, fields of the wrong type, ids of nothing, and
//! codes and tokens that nobody gave. Each is answered, and none is the server's own failure.

use std::cell::RefCell;

use anser_testkit::door::PASSWORD;
use anser_testkit::http::ask;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::every_place_is_on_the_page::places;
use crate::site::each_site;

/// What the places are asked with, by any of their names.
const NAMES: [&str; 44] = [
    "username",
    "password",
    "sealed",
    "old",
    "old_sealed",
    "new",
    "new_sealed",
    "code",
    "ticket",
    "credential",
    "need",
    "next",
    "name",
    "services",
    "days",
    "limit",
    "before",
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "device_code",
    "user_code",
    "refresh_token",
    "token",
    "token_type_hint",
    "allow",
    "id",
    "rawId",
    "response",
    "clientDataJSON",
    "authenticatorData",
    "signature",
    "attestationObject",
    "SAMLResponse",
    "error",
    "prompt",
];
const WORDS: [&str; 28] = [
    "",
    "1",
    "0",
    "-1",
    "99999999999999999999",
    "ann@anser.test",
    "nobody@anser.test",
    "ann",
    "authorization_code",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "code",
    "S256",
    "plain",
    "mail openid",
    "imap",
    "https://evil.example/",
    "//evil",
    "/mail/",
    "AAAA",
    "e30.e30.AAAA",
    "{}",
    "\u{0}",
    "陈",
    "%00%ff",
    "../..",
    "a.b.c",
    "x'; DROP TABLE dir_accounts; --",
];
const KINDS: [&str; 6] = [
    "application/json",
    "application/json; charset=gbk",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&WORDS[..]).prop_map(str::to_owned), 1 => ".{0,20}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((select(&NAMES[..]), inner), 0..5).prop_map(object),
        ]
    })
}

fn object(all: Vec<(&str, Value)>) -> Value {
    Value::Object(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// A form, or the query of an address.
fn form() -> impl Strategy<Value = String> {
    let coded = |text: String| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let pair = (select(&NAMES[..]), word()).prop_map(move |(name, text)| format!("{name}={}", coded(text)));
    prop::collection::vec(pair, 0..6).prop_map(|all| all.join("&"))
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let fields = prop::collection::vec((select(&NAMES[..]), value()), 0..6);
    prop_oneof![
        // The password is asked for once more by many; most of the others are never reached without.
        3 => (fields, any::<bool>()).prop_map(|(fields, knows)| {
            let mut all = object(fields);
            if knows {
                all["password"] = PASSWORD.into();
            }
            all.to_string().into_bytes()
        }),
        2 => form().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}

#[test]
fn whatever_a_place_is_asked_it_answers() {
    let places = places();
    each_site(|site| {
        let login = json!({ "username": "ann@anser.test", "password": PASSWORD }).to_string();
        let ours = ("Sec-Fetch-Site", "same-origin");
        let plain = site.door.plain;
        let sign_in = || {
            let answer = ask(plain, "POST", "/auth/login", &[ours, ("Content-Type", KINDS[0])], login.as_bytes());
            answer.field("set-cookie").expect("a session").split(';').next().unwrap().to_owned()
        };
        let cookie = RefCell::new(sign_in());
        let config = Config { cases: 600, failure_persistence: None, ..Config::default() };
        let requests = (select(places.clone()), word(), form(), select(&KINDS[..]), body(), 0..8u8);
        let outcome = TestRunner::new(config).run(&requests, |((method, path), id, query, kind, body, shows)| {
            let id: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let path = path.replace("{id}", &id).replace("{portal}", &id).replace("{provider}", &id);
            let shown = cookie.borrow().clone();
            let mut fields = vec![ours, ("Content-Type", kind)];
            match shows {
                0 => {}
                1 => fields.push(("Authorization", "Bearer e30.e30.AAAA")),
                _ => fields.push(("Cookie", &shown)),
            }
            let answer = ask(plain, &method, &format!("{path}?{query}"), &fields, &body);
            prop_assert!(
                answer.status < 500,
                "{} {} {:?} {}",
                answer.status,
                method,
                path,
                String::from_utf8_lossy(&body)
            );
            // It may have signed itself out.
            if shows > 1 && answer.status == 401 {
                *cookie.borrow_mut() = sign_in();
            }
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
        let answer = ask(plain, "GET", "/auth/key", &[], &[]);
        assert_eq!(answer.status, 200, "still there");
    });
}
