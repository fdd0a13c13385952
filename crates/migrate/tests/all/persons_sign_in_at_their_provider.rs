//! A person's own move of a mailbox whose provider takes no passwords: its owner signs in at a page there (RFC 8628), and what is given for it
//! stands where a password would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anser_base::{Class, Clock};
use anser_directory::Account;
use anser_migrate::own::{CODES, Change, Client, Registered, SignInState};
use anser_migrate::profile::OAuth;
use anser_migrate::{OwnMove, OwnState, Password, Wish};
use anser_net::Network;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{Office, each_known_office, wish};
use anser_testkit::fake_web::FakeWeb;

/// What the owner did at the provider's page.
type Said = Arc<Mutex<&'static str>>;

/// A provider that gives codes, and a token where its answer is `{}`.
fn provider(fake: &Fake) -> (FakeWeb, Said, Client) {
    let said: Said = Arc::new(Mutex::new(r#"{"error":"authorization_pending"}"#));
    let (answer, fake, codes) = (said.clone(), fake.clone(), AtomicUsize::new(0));
    let web = FakeWeb::start(move |asked| {
        let json = |status, text: String| (status, "Content-Type: application/json\r\n", text.into_bytes());
        if asked.path == "/device" {
            let n = codes.fetch_add(1, Ordering::SeqCst);
            let page = r#""verification_uri":"https://login.old.test/device","interval":1,"expires_in":600"#;
            return json(200, format!(r#"{{{page},"user_code":"CODE-{n}","device_code":"hidden-{n}"}}"#));
        }
        let refusal = *answer.lock().unwrap();
        if asked.value("refresh_token").is_none() && refusal != "{}" {
            return json(400, refusal.to_owned());
        }
        fake.change(|state| state.tokens = vec!["access-1".to_owned()]);
        json(200, r#"{"access_token":"access-1","expires_in":3600,"refresh_token":"refresh-1"}"#.to_owned())
    });
    let oauth = OAuth { token: Some(web.url("/token")), device: Some(web.url("/device")), ..OAuth::default() };
    let (host, client) = (Some("127.0.0.1".to_owned()), "anser-1".to_owned());
    let registered = Registered { provider: "office365".into(), host, client, tenant: None, oauth };
    (web, said, Client::new(registered, None).unwrap())
}

fn old() -> Fake {
    let mails = (1..=5).map(|uid| mail(uid, "", &format!("letter {uid}"))).collect();
    Fake::start(vec![folder("INBOX", mails)], Habits { capabilities: "AUTH=XOAUTH2 SASL-IR", ..Habits::default() })
}

fn unsaid(fake: &Fake) -> Wish {
    Wish { password: None, ..wish(&fake.source()) }
}

/// The only move, once it is as it is wanted.
async fn until(office: &Office, ann: &Account, wanted: impl Fn(&OwnMove) -> bool) -> OwnMove {
    let mut changes = office.migrate.changes();
    loop {
        let one = office.migrate.own_moves(ann).await.unwrap().remove(0);
        if wanted(&one) {
            return one;
        }
        changes.changed().await.unwrap();
    }
}

fn state(one: &OwnMove) -> SignInState {
    one.sign_in.as_ref().unwrap().state
}

#[test]
fn a_move_begins_when_its_owner_has_typed_the_code() {
    let fake = old();
    let (web, said, client) = provider(&fake);
    each_known_office(&Network::loopback(), &[client], &Clock::System, async |office| {
        *said.lock().unwrap() = r#"{"error":"authorization_pending"}"#;
        let ann = office.account(office.person("ann", 0).await).await;
        let bob = office.account(office.person("bob", 0).await).await;
        let (_shutdown, running) = office.run();
        let asked_before = web.asked().len();
        let one = office.migrate.begin_own(&ann, unsaid(&fake)).await.unwrap();
        assert_eq!((one.state, state(&one)), (OwnState::Paused, SignInState::Needed));
        assert!(one.problem.unwrap().zh.contains("登录"));
        assert_eq!(web.asked().len(), asked_before, "nothing is asked before somebody wants it");

        let foreign = office.migrate.own_sign_in(&bob, one.id).await.unwrap_err();
        assert_eq!(foreign.class, Class::NotFound);
        let asked = office.migrate.own_sign_in(&ann, one.id).await.unwrap().unwrap();
        assert_eq!((&*asked.page, &asked.code[..5]), ("https://login.old.test/device", "CODE-"));
        let again = office.migrate.own_sign_in(&ann, one.id).await.unwrap().unwrap();
        assert_eq!(asked, again, "the one that waits");
        let shown = until(office, &ann, |_| true).await;
        assert_eq!((state(&shown), shown.sign_in.as_ref().unwrap().asked.as_ref()), (SignInState::Asked, Some(&asked)));
        assert!(!format!("{shown:?}").contains("hidden"), "what the answer is asked for with is nobody's");
        let begun = web.asked().into_iter().rfind(|one| one.path == "/device").unwrap();
        assert_eq!(begun.value("client_id"), Some("anser-1"));
        assert!(begun.value("scope").unwrap().contains("IMAP.AccessAsUser.All"));

        *said.lock().unwrap() = "{}";
        let one = until(office, &ann, |one| one.state == OwnState::Done).await;
        assert_eq!((state(&one), one.problem.clone()), (SignInState::Given, None));
        assert_eq!(one.result.as_ref().unwrap().copied, 5);
        assert!(!format!("{one:?}").contains("refresh-1") && !format!("{one:?}").contains("access-1"));
        assert!(fake.heard().iter().all(|line| !line.contains("LOGIN")));
        running.abort();
    });
}

#[test]
fn who_says_no_is_told_so_and_asks_again() {
    let fake = old();
    let (_web, said, client) = provider(&fake);
    each_known_office(&Network::loopback(), &[client], &Clock::System, async |office| {
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let id = office.migrate.begin_own(&ann, unsaid(&fake)).await.unwrap().id;
        for (answer, zh) in [("access_denied", "未同意"), ("expired_token", "重新获取代码")] {
            let answer: &'static str = format!(r#"{{"error":"{answer}"}}"#).leak();
            *said.lock().unwrap() = answer;
            office.migrate.own_sign_in(&ann, id).await.unwrap().unwrap();
            let one = until(office, &ann, |one| state(one) == SignInState::Needed && one.problem.is_some()).await;
            assert!(one.problem.as_ref().unwrap().zh.contains(zh), "{:?}", one.problem);
            assert_eq!(one.state, OwnState::Paused);
        }
        *said.lock().unwrap() = "{}";
        office.migrate.own_sign_in(&ann, id).await.unwrap().unwrap();
        until(office, &ann, |one| one.state == OwnState::Done).await;
        // What the other server no longer takes is asked for of the same account.
        fake.change(|state| state.user = "other".to_owned());
        let again = Change { paused: Some(false), ..Change::default() };
        office.migrate.change_own(&ann, id, again).await.unwrap();
        let one = until(office, &ann, |one| one.state == OwnState::Refused).await;
        assert!(one.problem.as_ref().unwrap().zh.contains("重新登录授权"), "{:?}", one.problem);
        fake.change(|state| state.user = "ann".to_owned());
        running.abort();
    });
}

#[test]
fn nobody_asks_for_too_many_codes_and_one_waits_at_a_time() {
    let fake = old();
    let (web, _said, client) = provider(&fake);
    each_known_office(&Network::loopback(), &[client], &Clock::System, async |office| {
        let ann = office.account(office.person("ann", 0).await).await;
        let mut ids = Vec::new();
        for login in ["ann", "work"] {
            let wish = Wish { login: login.into(), ..unsaid(&fake) };
            ids.push(office.migrate.begin_own(&ann, wish).await.unwrap().id);
        }
        let codes = || web.asked().iter().filter(|one| one.path == "/device").count();
        let before = codes();
        for n in 0..CODES as usize {
            office.migrate.own_sign_in(&ann, ids[n % 2]).await.unwrap().unwrap();
            let all = office.migrate.own_moves(&ann).await.unwrap();
            assert_eq!(all.iter().filter(|one| state(one) == SignInState::Asked).count(), 1);
        }
        let refused = office.migrate.own_sign_in(&ann, ids[0]).await.unwrap().unwrap_err();
        assert!(refused.en.contains("Too many"));
        assert_eq!(codes() - before, CODES as usize);
        // A password takes its place, and what goes waits for nothing.
        let change = Change { password: Some(Password(b"x".to_vec())), ..Change::default() };
        let changed = office.migrate.change_own(&ann, ids[1], change).await.unwrap();
        assert_eq!(state(&changed), SignInState::Possible);
    });
}

#[test]
fn where_this_server_is_not_registered_an_app_password_is_asked_for() {
    let fake = old();
    each_known_office(&Network::loopback(), &[], &Clock::System, async |office| {
        let ann = office.account(office.person("ann", 0).await).await;
        let refused = office.migrate.begin_own(&ann, unsaid(&fake)).await.unwrap_err();
        assert!(refused.class == Class::Invalid && refused.text.zh.contains("应用专用密码"));
        let one = office.migrate.begin_own(&ann, wish(&fake.source())).await.unwrap();
        assert_eq!(one.sign_in, None);
        assert!(office.migrate.own_sign_in(&ann, one.id).await.unwrap().unwrap_err().zh.contains("应用专用密码"));
    });
}
