//! CRED-3: by whatever way a mailbox is opened, a password that was refused is not said again within a day, but for a person who asks for it.

use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_directory::Service;
use anser_migrate::{NewMailbox, Passing, Password, front_door};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

const HOUR: Duration = Duration::from_secs(3_600);

async fn state(office: &Office) -> String {
    office.migrate.wait(MOVE).await.unwrap();
    office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0).state
}

#[test]
fn neither_passes_nor_clients_nor_surveys_say_it_again() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        fake.change(|state| state.password = b"another".to_vec());
        let id = office.person("ann", 0).await;
        office.migrate.plan(MOVE, fake.source()).await.unwrap();
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
        office.plan_for(&fake.source(), "ann").await;
        let ann = office.account(id).await;
        let doors = front_door::old_servers(&office.migrate);
        let (_shutdown, running) = office.run();
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        assert_eq!((state(office).await, fake.logins()), ("refused".into(), 1));
        // A client that polls, and whoever looks.
        for service in [Service::Imap, Service::Pop3, Service::Imap] {
            (doors.pass)(ann.clone(), service).await.map(drop).unwrap_err();
        }
        let survey = office.migrate.survey(MOVE, Vec::new()).await.unwrap().remove(0);
        assert!(survey.refused[0].1.contains("not tried again within a day"), "{:?}", survey.refused);
        office.migrate.check(MOVE, Vec::new()).await.unwrap();
        assert_eq!((state(office).await, fake.logins()), ("refused".into(), 1));
        // A person says so.
        office.migrate.retry(MOVE, Vec::new()).await.unwrap();
        assert_eq!((state(office).await, fake.logins()), ("refused".into(), 2));
        office.migrate.check(MOVE, vec!["ann@anser.test".into()]).await.unwrap();
        assert_eq!((state(office).await, fake.logins()), ("refused".into(), 3));
        // The next day.
        office.clock.advance(23 * HOUR);
        office.migrate.survey(MOVE, Vec::new()).await.unwrap();
        assert_eq!(fake.logins(), 3);
        office.clock.advance(2 * HOUR);
        office.migrate.survey(MOVE, Vec::new()).await.unwrap();
        assert_eq!(fake.logins(), 4);
        // Another one is tried at once.
        let (login, address) = ("ann".to_owned(), "ann@anser.test".to_owned());
        let mailbox = NewMailbox { login, password: Some(Password(b"another".to_vec())), address };
        office.migrate.add_mailboxes(MOVE, None, vec![mailbox]).await.unwrap();
        assert!((doors.pass)(ann.clone(), Service::Imap).await.unwrap().is_some());
        assert_eq!(fake.logins(), 5);
        running.abort();
    });
}

#[test]
fn an_account_that_is_locked_is_tried_again_soon_and_is_not_taken_for_a_wrong_password() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let busy = Some(("LOGIN", "The account is locked"));
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits { busy, ..Habits::default() });
        let ann = office.person("ann", 0).await;
        office.migrate.plan(MOVE, fake.source()).await.unwrap();
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
        office.plan_for(&fake.source(), "ann").await;
        let doors = front_door::old_servers(&office.migrate);
        for minutes in [0, 11, 61] {
            office.clock.advance(Duration::from_secs(minutes * 60));
            let before = fake.logins();
            for _ in 0..2 {
                let survey = office.migrate.survey(MOVE, Vec::new()).await.unwrap().remove(0);
                assert!(survey.refused[0].1.contains("is locked"), "{:?}", survey.refused);
                assert_eq!(fake.logins(), before + 1, "after {minutes} minutes");
            }
        }
        assert!(!(doors.stale)(ann).await.unwrap(), "nobody is asked for another password");
        fake.change(|state| state.habits.busy = None);
        office.clock.advance(7 * HOUR);
        office.migrate.survey(MOVE, Vec::new()).await.unwrap();
        assert!((doors.pass)(office.account(ann).await, Service::Imap).await.unwrap().is_some());
    });
}

#[test]
fn a_server_that_counts_wrong_logins_is_left_alone() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let busy = Some(("LOGIN", "Too many failed logins, try again later"));
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits { busy, ..Habits::default() });
        office.person("ann", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        assert_eq!((state(office).await, fake.logins()), ("waiting".into(), 1));
        let mut changes = office.migrate.changes();
        fake.change(|state| state.habits.busy = None);
        // The engine looks at the clock anew.
        office.clock.advance(Duration::from_secs(1_700));
        office.migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        assert_eq!((state(office).await, fake.logins()), ("waiting".into(), 1));
        office.clock.advance(Duration::from_secs(200));
        office.migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        changes.changed().await.unwrap();
        assert_eq!((state(office).await, fake.logins()), ("settled".into(), 2));
        running.abort();
    });
}

#[test]
fn a_login_that_opens_nothing_is_a_verdict_of_the_check() {
    each_office(&[], &Clock::System, async |office| {
        for words in ["User is authenticated but not connected.", "no such mailbox"] {
            let busy = Some(("EXAMINE", words));
            let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits { busy, ..Habits::default() });
            let name = format!("m{}", words.len());
            let source = anser_migrate::Source { name: name.clone(), ..fake.source() };
            office.plan_more(&source, &name).await;
            let password = Some(Password(b"secret".to_vec()));
            let address = format!("{name}@anser.test");
            let mailbox = NewMailbox { login: "ann".into(), password, address: address.clone() };
            office.migrate.add_mailboxes(MOVE, Some(name), vec![mailbox]).await.unwrap();
            let (shutdown, running) = office.run();
            office.migrate.check(MOVE, vec![address.clone()]).await.unwrap();
            office.migrate.wait(MOVE).await.unwrap();
            let view = office.migrate.mailbox_views(MOVE, vec![address]).await.unwrap().remove(0);
            let note = view.note.unwrap_or_default();
            assert_eq!(view.state, "refused", "{note}");
            assert!(note.starts_with("not-connected: ") && note.contains(words), "{note}");
            shutdown.begin(Duration::ZERO);
            running.await.unwrap();
        }
    });
}
