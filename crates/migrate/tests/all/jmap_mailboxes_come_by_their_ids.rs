//! JMAP: mailboxes, keywords, dates and bytes; what an answer may be, and what may not.

use std::sync::{Arc, Mutex};

use anser_migrate::source::Origin;
use anser_migrate::trouble::Trouble;
use anser_migrate::{Kind, Source, Tls};
use anser_wire::Secret;
use serde_json::{Value, json};

use crate::house::{House, each_house};
use anser_testkit::fake_web::{Answer, Asked, FakeWeb};

/// A server as data: mailboxes, and messages with the mailboxes that each is in.
#[derive(Default)]
struct Old {
    mailboxes: Vec<Value>,
    emails: Vec<(Value, Vec<u8>)>,
    state: u32,
    /// Where bodies are said to be.
    download: Option<String>,
    /// Lists the same page again and again.
    endless: bool,
    /// Accounts that the session names.
    nameless: bool,
    /// Where the session is said to be.
    redirect: Option<&'static str>,
    /// Something comes and something goes before each page.
    busy: bool,
}

fn source(web: &FakeWeb) -> Source {
    Source {
        id: 1,
        name: "old".into(),
        kind: Kind::Jmap,
        host: "127.0.0.1".into(),
        port: web.port,
        tls: Tls::None,
        profile: "generic".into(),
        connections: 2,
        admin: None,
        rules: Default::default(),
    }
}

fn serve(old: Arc<Mutex<Old>>) -> FakeWeb {
    FakeWeb::start(move |asked| answer(&mut old.lock().unwrap(), asked))
}

fn ok(value: &Value) -> Answer {
    (200, "Content-Type: application/json\r\n", value.to_string().into_bytes())
}

fn answer(old: &mut Old, asked: &Asked) -> Answer {
    // ann, and a password that has a colon and is no ASCII.
    if asked.authorization != "Basic YW5uOnA6IOWvhg==" {
        return (401, "", Vec::new());
    }
    match asked.path.as_str() {
        "/.well-known/jmap" => (302, old.redirect.unwrap_or("Location: /jmap/session\r\n"), Vec::new()),
        "/jmap/session" => {
            let accounts = if old.nameless { json!({}) } else { json!({ "A1": { "name": "ann" } }) };
            let download = old.download.clone().unwrap_or("/blob/{accountId}/{blobId}/{name}?accept={type}".into());
            ok(&json!({ "accounts": accounts, "apiUrl": "/api", "downloadUrl": download,
                "capabilities": { "urn:ietf:params:jmap:core": { "maxObjectsInGet": 3 } } }))
        }
        "/api" => {
            let body: Value = serde_json::from_str(&asked.body).unwrap();
            let mut ids: Vec<Value> = Vec::new();
            let calls = body["methodCalls"].as_array().unwrap();
            let mut respond = |call: &Value| {
                let answer = method(old, call, &mut ids);
                let name = if answer["type"].is_null() { call[0].clone() } else { json!("error") };
                json!([name, answer, call[2]])
            };
            let responses: Vec<Value> = calls.iter().map(&mut respond).collect();
            ok(&json!({ "methodResponses": responses }))
        }
        path => {
            let blob = path.strip_prefix("/blob/A1/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
            let found = old.emails.iter().find(|(email, _)| email["blobId"] == blob);
            found.map_or((404, "", Vec::new()), |(_, body)| (200, "", body.clone()))
        }
    }
}

fn method(old: &mut Old, call: &Value, ids: &mut Vec<Value>) -> Value {
    assert_eq!(call[1]["accountId"], "A1");
    match call[0].as_str().unwrap() {
        "Mailbox/get" => json!({ "list": old.mailboxes, "state": "m" }),
        "Email/query" => {
            if old.busy {
                // One goes, the last of a page at times, and one comes that is older than all.
                old.state += 1;
                let (n, among) = (old.state, old.emails.len());
                let gone = old.emails.remove(n as usize * 13 % among).0["id"].clone();
                old.emails
                    .insert(0, email(&format!("B{n}"), &["mi"], json!({}), format!("busy {n}, {gone}").as_bytes()));
            }
            let within = |email: &Value| email["in"].as_array().unwrap().contains(&call[1]["filter"]["inMailbox"]);
            let all: Vec<Value> = old
                .emails
                .iter()
                .map(|one| &one.0)
                .filter(|email| within(email))
                .map(|email| email["id"].clone())
                .collect();
            let mut position = call[1]["position"].as_u64().unwrap_or(0) as usize;
            if !call[1]["anchor"].is_null() && !old.endless {
                let Some(at) = all.iter().position(|id| *id == call[1]["anchor"]) else {
                    return json!({ "type": "anchorNotFound" });
                };
                position = at + call[1]["anchorOffset"].as_u64().unwrap() as usize;
            }
            // The page that is asked for: those before it came with earlier pages (RFC 8620 §5.5).
            *ids = all.into_iter().skip(position).take(call[1]["limit"].as_u64().unwrap() as usize).collect();
            json!({ "ids": ids, "queryState": old.state.to_string() })
        }
        "Email/get" => {
            let list = old.emails.iter().map(|one| &one.0).filter(|email| ids.contains(&email["id"]));
            json!({ "list": list.collect::<Vec<_>>(), "state": format!("s{}", old.state) })
        }
        other => panic!("{other} is no method that reads"),
    }
}

fn email(id: &str, mailboxes: &[&str], keywords: Value, body: &[u8]) -> (Value, Vec<u8>) {
    let value = json!({ "id": id, "blobId": format!("G{id}"), "in": mailboxes, "keywords": keywords,
        "receivedAt": "2020-11-21T00:00:00Z", "size": body.len() });
    (value, body.to_vec())
}

fn old() -> Old {
    let mailbox = |id: &str, name: &str, role: Value, parent: Value, total: u64| json!({ "id": id, "name": name, "role": role, "parentId": parent, "isSubscribed": true, "totalEmails": total });
    let mut emails: Vec<(Value, Vec<u8>)> = (0..7)
        .map(|n| email(&format!("M{n}"), &["mi"], json!({}), format!("Subject: {n}\r\n\r\n{n}\r\n").as_bytes()))
        .collect();
    emails.push(email(
        "N1",
        &["ms", "mw"],
        json!({ "$seen": true, "$Forwarded": true, "$flagged": false }),
        b"no header\0\xff",
    ));
    emails.push(email("N2", &["mw"], json!({ "$answered": true, "$draft": true }), b""));
    Old {
        mailboxes: vec![
            mailbox("mi", "收件箱", json!("inbox"), Value::Null, 7),
            mailbox("ms", "Gesendet", json!("sent"), Value::Null, 1),
            mailbox("mw", "R&D/甲", Value::Null, json!("mi"), 2),
        ],
        emails,
        ..Old::default()
    }
}

async fn pass(house: &House, web: &FakeWeb, login: &str) -> Result<(), Trouble> {
    let origin = Origin::open(&source(web), login, Some(&Secret::new("p: 密"))).await?;
    house.pass_as("jmap", origin, false, false).await.map(drop)
}

#[test]
fn everything_comes_once_with_what_was_noted_of_it() {
    each_house(async |house| {
        let old = Arc::new(Mutex::new(old()));
        let web = serve(old.clone());
        pass(house, &web, "ann").await.unwrap();
        let held = house.held().await;
        assert_eq!(held["INBOX"].len(), 7);
        assert_eq!(held["INBOX"][0].3, 1_605_916_800);
        let (_, flags, keywords, _, body) = &held["Gesendet"][0];
        assert_eq!((*flags, keywords.to_lowercase().as_str(), &body[..]), (1, "$forwarded", &b"no header\0\xff"[..]));
        assert_eq!(held["INBOX/R&D\u{2215}甲"].len(), 2, "{:?}", held.keys());
        let asked = web.asked().len();
        pass(house, &web, "ann").await.unwrap();
        let again: Vec<Asked> = web.asked().split_off(asked);
        assert!(again.iter().all(|asked| !asked.path.starts_with("/blob") && !asked.body.contains("Email/query")));
        // One more, one with other keywords.
        {
            let mut old = old.lock().unwrap();
            old.emails.push(email("M9", &["mi"], json!({}), b"Subject: late\r\n\r\n"));
            old.emails[0].0["keywords"] = json!({ "$seen": true });
            old.mailboxes[0]["totalEmails"] = 8.into();
            old.state += 1;
        }
        pass(house, &web, "ann").await.unwrap();
        let held = house.held().await;
        assert_eq!((held["INBOX"].len(), held["INBOX"][0].1), (8, 1));
        assert!(web.asked().iter().all(|asked| asked.method == "GET" || asked.path == "/api"));
    });
}

#[test]
fn a_body_that_comes_short_is_none_and_a_second_inbox_is_a_mailbox_of_its_own() {
    each_house(async |house| {
        let mut old = old();
        old.emails[3].0["size"] = 1_000.into();
        let other = json!({ "id": "mo", "name": "INBOX", "role": null, "parentId": null, "totalEmails": 1 });
        old.mailboxes.push(other);
        old.emails.push(email("M9", &["mo"], json!({}), b"Subject: other\r\n\r\n"));
        let web = serve(Arc::new(Mutex::new(old)));
        pass(house, &web, "ann").await.unwrap();
        let held = house.held().await;
        assert_eq!((held["INBOX"].len(), held["INBOX 2"].len()), (6, 1), "{:?}", held.keys());
    });
}

#[test]
fn a_mailbox_that_changes_all_the_time_comes_all_the_same() {
    each_house(async |house| {
        let mut before = old();
        before.emails =
            (0..60).map(|n| email(&format!("M{n}"), &["mi"], json!({}), format!("{n}").as_bytes())).collect();
        before.busy = true;
        let old = Arc::new(Mutex::new(before));
        let web = serve(old.clone());
        pass(house, &web, "ann").await.unwrap();
        let bodies = |old: &Old| old.emails.iter().map(|one| one.1.clone()).collect::<Vec<_>>();
        let mut there = bodies(&old.lock().unwrap());
        let held = house.held().await["INBOX"].iter().map(|mail| mail.4.clone()).collect::<Vec<_>>();
        assert!(held.len() >= 40, "{}", held.len());
        // What came meanwhile was missed, and comes now.
        old.lock().unwrap().busy = false;
        pass(house, &web, "ann").await.unwrap();
        let held = house.held().await["INBOX"].iter().map(|mail| mail.4.clone()).collect::<Vec<_>>();
        there.retain(|body| !held.contains(body));
        assert_eq!(there, Vec::<Vec<u8>>::new(), "nothing is missing");
        let kinds: std::collections::HashSet<_> = held.iter().collect();
        assert_eq!(kinds.len(), held.len(), "nothing is here twice");
    });
}

#[test]
fn a_session_stays_where_its_source_is() {
    each_house(async |house| {
        for away in ["https://127.0.0.1:PORT/jmap/session", "http://localhost:PORT/jmap/session"] {
            let port = Arc::new(Mutex::new(0));
            let told = port.clone();
            let web = FakeWeb::start(move |asked| {
                let to = away.replace("PORT", &told.lock().unwrap().to_string());
                let to: &'static str = Box::leak(format!("Location: {to}\r\n").into_boxed_str());
                answer(&mut Old { redirect: Some(to), ..old() }, asked)
            });
            *port.lock().unwrap() = web.port;
            assert!(matches!(pass(house, &web, "ann").await, Err(Trouble::Later { .. })), "{away}");
            assert_eq!(web.asked().len(), 1, "and nothing more is asked");
        }
        let web = FakeWeb::start(|asked| {
            let host = asked.host.clone();
            let to: &'static str = Box::leak(format!("Location: http://{host}/jmap/session\r\n").into_boxed_str());
            answer(&mut Old { redirect: Some(to), ..old() }, asked)
        });
        pass(house, &web, "ann").await.unwrap();
        assert_eq!(house.held().await["INBOX"].len(), 7);
    });
}

#[test]
fn an_account_that_no_session_names_is_written_behind_the_login() {
    each_house(async |house| {
        let old = Arc::new(Mutex::new(Old { nameless: true, ..old() }));
        let web = serve(old);
        assert!(matches!(pass(house, &web, "ann").await, Err(Trouble::Login { kind: "account", .. })));
        pass(house, &web, "ann#A1").await.unwrap();
        assert_eq!(house.held().await["INBOX"].len(), 7);
        assert!(matches!(pass(house, &web, "bob").await, Err(Trouble::Login { kind: "wrong", .. })));
    });
}

#[test]
fn what_a_hostile_server_says_ends_and_leads_nowhere() {
    each_house(async |house| {
        let web = serve(Arc::new(Mutex::new(Old { endless: true, ..old() })));
        assert!(matches!(pass(house, &web, "ann").await, Err(Trouble::Later { .. })));
        for away in ["http://127.0.0.1:1/{blobId}", "ftp://x/{blobId}", "//evil.example/{blobId}", "javascript:x", ""] {
            let web = serve(Arc::new(Mutex::new(Old { download: Some(away.into()), ..old() })));
            assert!(matches!(pass(house, &web, "ann").await, Err(Trouble::Later { .. })), "{away}");
        }
        let deep = || vec![b'['; 1_000_000];
        for body in [Vec::new(), b"null".to_vec(), b"{\"apiUrl\":7}".to_vec(), b"\xff".to_vec(), deep()] {
            let web = FakeWeb::start(move |_| (200, "", body.clone()));
            assert!(pass(house, &web, "ann").await.is_err());
        }
        let web = FakeWeb::start(|_| (302, "Location: /.well-known/jmap\r\n", Vec::new()));
        assert!(matches!(pass(house, &web, "ann").await, Err(Trouble::Later { .. })));
        let web = FakeWeb::start(|_| (302, "Location: https://evil.example/\r\n", Vec::new()));
        assert!(matches!(pass(house, &web, "ann").await, Err(Trouble::Later { .. })), "a password goes nowhere else");
        assert!(house.held().await.is_empty());
    });
}
