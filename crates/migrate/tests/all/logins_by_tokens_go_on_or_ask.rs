//! Case 37: access tokens end in the middle of a folder, and the work goes on with the next; one that is refused is a question in words.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anser_directory::Service;
use anser_migrate::{Grant, MailboxView, Passing, Source, front_door};
use anser_testkit::engines::World;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, SCHEMAS};
use anser_testkit::fake_web::{Answer, FakeWeb};

/// For one pass, on a machine that has much else to do.
const BOUND: Duration = Duration::from_secs(300);

fn json(status: u16, text: String) -> Answer {
    (status, "Content-Type: application/json\r\n", text.into_bytes())
}

fn grant(web: &FakeWeb, refresh: Option<&str>) -> Grant {
    let secret = refresh.is_none().then(|| "app secret".to_owned());
    let refresh = refresh.map(str::to_owned);
    Grant { client: "anser & co".into(), secret, tenant: None, refresh, endpoint: Some(web.url("/token")) }
}

fn each_office(test: impl AsyncFn(&Office)) {
    for world in [Some(World::embedded(SCHEMAS)), World::postgres(SCHEMAS)].into_iter().flatten() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async { test(&Office::open(world.open(), world.blobs())).await });
    }
}

/// Until the mailbox is in a state.
async fn until(office: &Office, state: &str) -> MailboxView {
    until_one(office, Vec::new(), |view| view.state == state).await
}

/// Until a mailbox is as it is wanted.
async fn until_one(office: &Office, which: Vec<String>, wanted: impl Fn(&MailboxView) -> bool) -> MailboxView {
    let mut changes = office.migrate.changes();
    loop {
        let view = office.migrate.mailbox_views(MOVE, which.clone()).await.unwrap().remove(0);
        if wanted(&view) {
            return view;
        }
        let next = tokio::time::timeout(BOUND, changes.changed()).await;
        next.unwrap_or_else(|_| panic!("nothing ends: {view:?}")).unwrap();
    }
}

#[test]
fn a_token_that_ends_in_the_middle_of_a_folder_is_followed_by_the_next() {
    each_office(async |office| {
        for capabilities in ["AUTH=XOAUTH2", "AUTH=XOAUTH2 SASL-IR", "AUTH=OAUTHBEARER AUTH=XOAUTH2 SASL-IR"] {
            let mails = (1..=40).map(|uid| mail(uid, "", &format!("letter {uid}"))).collect();
            // The first connection, and with it the first token, ends after so many bytes.
            let habits = Habits { capabilities, cuts: vec![6_000], ..Habits::default() };
            let fake = Fake::start(vec![folder("INBOX", mails)], habits);
            let (tokens, given) = (fake.clone(), AtomicUsize::new(0));
            let web = FakeWeb::start(move |asked| {
                let n = given.fetch_add(1, Ordering::SeqCst);
                if asked.value("refresh_token") != Some(&format!("r{n}")) {
                    return json(400, r#"{"error":"invalid_grant"}"#.into());
                }
                // Each token is good until the next, and each refresh token once.
                tokens.change(|state| state.tokens = vec![format!("t{n}")]);
                json(200, format!(r#"{{"access_token":"t{n}","expires_in":"60","refresh_token":"r{}"}}"#, n + 1))
            });
            let (name, source) = (capabilities.replace([' ', '='], "-"), fake.source());
            let who = name.to_lowercase();
            let source = Source { name, ..source };
            let ann = office.plan_more(&source, &who).await;
            office.migrate.allow(MOVE, vec![format!("{who}@anser.test")], grant(&web, Some("r0"))).await.unwrap();
            office.migrate.start(MOVE, vec![format!("{who}@anser.test")]).await.unwrap();
            let (shutdown, running) = office.run();
            let over = |view: &MailboxView| view.state == "settled" || view.state == "refused";
            let view = until_one(office, vec![format!("{who}@anser.test")], over).await;
            assert_eq!(view.state, "settled", "{:?}", view.note);
            shutdown.begin(std::time::Duration::ZERO);
            running.await.unwrap();
            assert_eq!(office.store.read(ann, |tx| Ok(tx.messages())).await.unwrap(), 40);
            assert!(web.asked().len() >= 2, "{capabilities}: a new token after the first");
            assert_eq!(web.asked()[0].value("client_id"), Some("anser%20%26%20co"));
            assert!(fake.heard().iter().all(|line| !line.contains("LOGIN")));
        }
    });
}

#[test]
fn a_permission_that_was_taken_back_is_a_question_to_its_owner() {
    each_office(async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        let web = FakeWeb::start(|_| {
            json(400, r#"{"error":"invalid_grant","error_description":"AADSTS50173: \u001b[2Jrevoked"}"#.into())
        });
        office.plan(&[(fake.source(), &["ann"])]).await;
        office.migrate.allow(MOVE, Vec::new(), grant(&web, Some("r"))).await.unwrap();
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (shutdown, running) = office.run();
        let note = until(office, "refused").await.note.unwrap();
        assert!(note.starts_with("consent: ") && note.contains("AADSTS50173") && !note.contains('\u{1b}'), "{note}");
        assert!(fake.heard().is_empty(), "the old server is not asked");
        assert_eq!(web.asked().len(), 1, "once");
        shutdown.begin(std::time::Duration::ZERO);
        running.await.unwrap();
    });
}

#[test]
fn a_provider_without_time_is_waited_for() {
    each_office(async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        let web = FakeWeb::start(|_| (429, "Retry-After: 3600\r\n", Vec::new()));
        office.plan(&[(fake.source(), &["ann"])]).await;
        office.migrate.allow(MOVE, Vec::new(), grant(&web, None)).await.unwrap();
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (shutdown, running) = office.run();
        let view = until_one(office, Vec::new(), |view| view.state == "waiting" && view.note.is_some()).await;
        assert!(view.note.as_ref().is_some_and(|note| note.contains("429")), "{:?}", view.note);
        let asked = web.asked();
        assert_eq!(
            (asked[0].value("grant_type"), asked[0].value("client_secret")),
            (Some("client_credentials"), Some("app%20secret"))
        );
        shutdown.begin(std::time::Duration::ZERO);
        running.await.unwrap();
    });
}

#[test]
fn a_session_that_is_passed_through_gets_the_next_token_too() {
    each_office(async |office| {
        let habits = Habits { capabilities: "AUTH=XOAUTH2 SASL-IR", ..Habits::default() };
        let (fake, given) = (Fake::start(vec![folder("INBOX", Vec::new())], habits), AtomicUsize::new(0));
        let tokens = fake.clone();
        let web = FakeWeb::start(move |_| {
            let n = given.fetch_add(1, Ordering::SeqCst);
            tokens.change(|state| state.tokens = vec![format!("t{n}")]);
            json(200, format!(r#"{{"access_token":"t{n}","expires_in":3600}}"#))
        });
        let ann = office.plan(&[(fake.source(), &["ann"])]).await[0];
        office.migrate.allow(MOVE, Vec::new(), grant(&web, None)).await.unwrap();
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
        office.directory.use_old_servers(front_door::old_servers(&office.migrate)).await.unwrap();
        let ann = office.directory.account(ann).await.unwrap().unwrap();
        assert!(office.directory.passage(&ann, Service::Imap).await.unwrap().is_some());
        // The old server takes the first one back.
        fake.change(|state| state.tokens.clear());
        assert!(office.directory.passage(&ann, Service::Imap).await.unwrap().is_some());
        assert_eq!(web.asked().len(), 2);
    });
}
