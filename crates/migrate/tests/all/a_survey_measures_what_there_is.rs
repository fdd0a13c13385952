//! P1: what there is, how big, how odd, and how long it may take, as it was seen and not as it is thought.

use std::io::ErrorKind;

use anser_base::{Class, Clock};
use anser_migrate::{NewMailbox, Passing, Password, Said, SourceSurvey};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::fake::{Fake, Folder, Habits, folder, mail};
use crate::fake_pop3;
use crate::office::{MOVE, Office, each_office};

fn folders() -> Vec<Folder> {
    let mut mails: Vec<_> = (1..=200).map(|uid| mail(uid, "", &"x".repeat(uid as usize * 10))).collect();
    mails[0].body = b"Subject: \xb2\xe2\r\n\r\n\0\r\n".to_vec();
    vec![folder("INBOX", mails), folder("x*y", Vec::new())]
}

fn bytes() -> u64 {
    folders()[0].mails.iter().map(|mail| mail.body.len() as u64).sum()
}

async fn survey(office: &Office, capabilities: &'static str) -> SourceSurvey {
    let fake = Fake::start(folders(), Habits { capabilities, ..Habits::default() });
    office.plan(&[(fake.source(), &["ann"])]).await;
    office.migrate.survey(MOVE, Vec::new()).await.unwrap().pop().unwrap()
}

#[test]
fn sizes_odd_names_and_odd_messages_are_told() {
    each_office(&[], &Clock::System, async |office| {
        let found = survey(office, "STATUS=SIZE QUOTA APPENDLIMIT=1000").await;
        assert_eq!((found.messages, found.bytes, found.is_estimate, found.folders), (200, bytes(), false, 2));
        assert!(found.biggest > 2000 && found.sampled >= 5 && found.speed > 0, "{found:?}");
        assert_eq!((found.odd[0], found.odd[1], found.odd[2]), (1, found.sampled, 1), "{found:?}");
        assert!(found.banner.contains("ready"), "{found:?}");
        for words in ["x*y: it has characters", "are full", "of 1000 octets at most"] {
            assert!(found.en.iter().any(|line| line.contains(words)), "{words}: {found:?}");
        }
    });
}

#[test]
fn sizes_that_a_server_does_not_tell_follow_from_those_that_were_listed() {
    each_office(&[], &Clock::System, async |office| {
        let found = survey(office, "").await;
        assert_eq!((found.messages, found.bytes, found.is_estimate), (200, bytes(), true), "{found:?}");
    });
}

#[test]
fn the_forecast_is_to_be_accepted_by_somebody() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let gate = async |said: Said| {
            let look = office.migrate.look_at_gates(MOVE, &[], said).await.unwrap();
            look.gates.into_iter().find(|gate| gate.gate == "forecast").unwrap()
        };
        assert!(gate(Said::default()).await.en.contains("move survey"));
        office.migrate.survey(MOVE, Vec::new()).await.unwrap();
        let open = gate(Said::default()).await;
        assert!(open.state == "open" && open.before && open.en.starts_with("1 messages, "), "{open:?}");
        let said = Said { accepted: vec!["forecast".into()], who: "root".into(), ..Said::default() };
        assert_eq!(gate(said).await.state, "accepted");
    });
}

async fn forecast(office: &Office) -> String {
    let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
    look.gates.into_iter().find(|gate| gate.gate == "forecast").unwrap().en
}

#[test]
fn mailboxes_that_nobody_could_look_into_are_told_of_and_counted_in() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(folders(), Habits::default());
        fake.change(|state| state.user = "b".into());
        office.plan(&[(fake.source(), &["a", "b", "c", "d"])]).await;
        let found = office.migrate.survey(MOVE, Vec::new()).await.unwrap().pop().unwrap();
        assert_eq!((found.mailboxes, found.looked, found.refused.len(), found.messages), (4, 1, 3, 200));
        assert!(found.en[0].starts_with("3 of 4 mailboxes were not looked into"), "{:?}", found.en);
        let told = forecast(office).await;
        assert!(told.starts_with("800 messages, ") && told.contains("3 mailboxes were not looked into"), "{told}");

        fake.change(|state| state.user = "nobody".into());
        let found = office.migrate.survey(MOVE, Vec::new()).await.unwrap().pop().unwrap();
        assert!(found.en[0].starts_with("none of 4 mailboxes was looked into"), "{:?}", found.en);
        let told = forecast(office).await;
        assert!(told.starts_with("0 messages, ") && told.contains("nothing is known of 4 mailboxes"), "{told}");
    });
}

#[test]
fn of_a_maildrop_nothing_is_read() {
    each_office(&[], &Clock::System, async |office| {
        let body = |n: usize| [&vec![b'x'; n * 10 - 2][..], b"\r\n"].concat();
        let mails: Vec<_> = (1..=20).map(|n| (format!("id-{n}"), body(n))).collect();
        let habits = fake_pop3::Habits { removes: true, has_no_ids: true, ..fake_pop3::Habits::default() };
        let fake = fake_pop3::Fake::start(mails, habits);
        office.plan_more(&fake.source(), "ann").await;
        let (login, address) = ("ann".to_owned(), "ann@anser.test".to_owned());
        let mailbox = NewMailbox { login, password: Some(Password(b"a secret".to_vec())), address };
        office.migrate.add_mailboxes(MOVE, None, vec![mailbox]).await.unwrap();
        let found = office.migrate.survey(MOVE, Vec::new()).await.unwrap().pop().unwrap();
        assert_eq!((found.looked, found.messages, found.bytes), (1, 20, 2100), "{found:?}");
        assert_eq!((found.biggest, found.is_estimate, found.sampled), (200, false, 0));
        assert_eq!((fake.heard("RETR"), fake.heard("TOP"), fake.heard("DELE")), (0, 0, 0));
        assert!(found.en.iter().any(|line| line.contains("nothing is read as a sample")), "{:?}", found.en);
    });
}

#[test]
fn a_program_looks_at_no_host_within_that_is_no_old_server() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(folders(), Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let inner = std::net::TcpListener::bind(("127.0.0.2", 0)).unwrap();
        inner.set_nonblocking(true).unwrap();
        let port = inner.local_addr().unwrap().port();
        let nobody_came = || inner.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        let relay = async |host: &str, port: u16| {
            let relay = Some(format!("{host}:{port}"));
            office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), relay).await.unwrap();
        };
        let told = |mut surveys: Vec<SourceSurvey>| {
            let found = surveys.pop().unwrap();
            assert_eq!(found.messages, 200, "the old server itself is looked into: {found:?}");
            found.en.into_iter().find(|line| line.starts_with("SMTP")).unwrap()
        };
        let from_afar = async || told(office.migrate.survey_from_afar(MOVE, Vec::new()).await.unwrap());
        relay("127.0.0.2", port).await;
        assert!(from_afar().await.ends_with("no answer"));
        assert!(nobody_came());
        let inner = TcpListener::from_std(inner.try_clone().unwrap()).unwrap();
        tokio::spawn(async move {
            let (mut heard, _) = inner.accept().await.unwrap();
            heard.write_all(b"220 within\r\n").await.unwrap();
        });
        let here = told(office.migrate.survey(MOVE, Vec::new()).await.unwrap());
        assert!(here.ends_with("220 within"), "an administrator looks everywhere: {here}");
        relay("127.0.0.1", fake.port).await;
        assert!(!from_afar().await.ends_with("no answer"), "another port of an old server");

        let named = async |host: &str, port: u16| office.migrate.may_be_named(host, port).await;
        assert_eq!(named("127.0.0.2", port).await.unwrap_err().class, Class::Forbidden);
        assert!(nobody_came(), "it is not even knocked at");
        named("127.0.0.1", 1).await.expect("another port of an old server");
    });
}
