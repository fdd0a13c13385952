//! Mailboxes of a wave are meant by its name, come in its hours and in those of their source, and wait outside of them; whoever logged in and
//! waits comes first, at any hour.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_db::{Durability, Place, Tx, params};
use anser_directory::{Account, FrontDoor, Lesson, OldProtocol};
use anser_migrate::model::State;
use anser_migrate::{Pace, Source};
use anser_wire::Secret;
use tokio::sync::mpsc::unbounded_channel;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

/// 2027-01-15 08:00 UTC.
const MORNING: i64 = 1_800_000_000;
const HOUR: u64 = 3600;

fn wave(name: &str) -> Vec<String> {
    vec![format!("wave:{name}")]
}

fn hours(text: &str) -> Pace {
    Pace { hours: Some(text.to_owned()), ..Pace::default() }
}

#[test]
fn a_wave_waits_for_its_hours_and_the_others_do_not() {
    let clock = Clock::manual(Timestamp::from_secs(MORNING));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let other = Source { name: "other".into(), ..fake.source() };
        office.plan_more(&other, "bob").await;
        fake.change(|state| state.user = "ann".into());
        let migrate = &office.migrate;
        let put = |name: &'static str| migrate.set_wave(MOVE, vec![format!("{name}@anser.test")], Some("night".into()));
        assert_eq!(put("ann").await.unwrap(), 1);
        assert!(migrate.check_which(MOVE, &wave("day")).await.is_err(), "no act means nobody by mistake");
        let today = hours("22:00-06:00");
        migrate.pace_wave(MOVE, "night", &today).await.unwrap();
        let (_shutdown, running) = office.run();
        // A check is wanted now.
        assert_eq!(migrate.check(MOVE, wave("night")).await.unwrap(), 1);
        office.until("ann@anser.test", |view| view.state == "ready").await;
        assert_eq!(migrate.start(MOVE, wave("night")).await.unwrap(), 1);
        let waits = office.until("ann@anser.test", |view| view.until.is_some()).await;
        assert_eq!((&*waits.state, waits.trouble.as_deref()), ("waiting", Some("hours")));
        let evening = office.clock.now().after(Duration::from_secs(14 * HOUR));
        assert_eq!(waits.until, Some(evening.0), "22:00: {waits:?}");
        migrate.wait(MOVE).await.unwrap();
        let told = migrate.move_view(MOVE).await.unwrap().waves.remove(0);
        assert_eq!((&*told.name, told.hours.as_deref()), ("night", Some("22:00-06:00")));
        assert_eq!(told.mailboxes, [("waiting".to_owned(), 1)]);

        // Their time comes.
        office.clock.advance(Duration::from_secs(14 * HOUR));
        migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        let came = office.until("ann@anser.test", |view| view.state == "settled").await;
        assert_eq!((came.wave.as_deref(), came.until, came.ledger.len()), (Some("night"), None, 1));
        let runs = migrate.runs(MOVE, wave("night")).await.unwrap();
        let tasks: Vec<(&str, &str)> = runs.iter().map(|run| (&*run.task, &*run.state)).collect();
        assert_eq!(tasks, [("copy", "settled"), ("check", "ready")], "the newest first");
        assert_eq!(runs[0].messages, 1);

        // Narrowed by state.
        let which = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let none = migrate.mailbox_views(MOVE, which(&["wave:night", "state:new"])).await.unwrap();
        assert!(none.is_empty(), "{none:?}");
        assert_eq!(migrate.remove_wave(MOVE, "night").await.unwrap(), 1);
        assert_eq!(office.view("ann@anser.test").await.wave, None);
        running.abort();
        // The next engine begins in the morning too.
        office.clock.advance(Duration::from_secs(10 * HOUR));
    });
}

fn lesson(source: &Source, account: Arc<Account>, login: &str) -> Lesson {
    let door = Arc::new(FrontDoor {
        domain: "anser.test".into(),
        protocol: OldProtocol::Imap,
        host: source.host.clone(),
        port: source.port,
        tls: "none".into(),
        target: None,
        whole_address: false,
        until: Timestamp(i64::MAX),
        tries: 5,
        pattern: None,
        most: 0,
        made: 0,
    });
    Lesson { account, door, login: login.into(), password: Secret::new(b"secret".to_vec()) }
}

#[test]
fn whoever_logged_in_is_brought_at_any_hour() {
    let clock = Clock::manual(Timestamp::from_secs(MORNING));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        let names = ["a", "b", "c"];
        let made = office.plan(&[(fake.source(), &names)]).await;
        let migrate = &office.migrate;
        migrate.pace_source(MOVE, None, &hours("22:00-06:00")).await.unwrap();
        migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        for name in names {
            office.until(&format!("{name}@anser.test"), |view| view.until.is_some()).await;
        }
        fake.change(|state| state.user = "c".into());
        migrate.learned(lesson(&fake.source(), office.account(made[2]).await, "c")).await.unwrap();
        let came = office.until("c@anser.test", |view| view.state == "settled").await;
        assert_eq!(came.priority, "usual", "it was brought");
        assert!(office.view("a@anser.test").await.until.is_some());
        running.abort();
    });
}

#[test]
fn whoever_waits_takes_the_place_of_those_for_whom_nobody_waits() {
    let clock = Clock::manual(Timestamp::from_secs(MORNING));
    each_office(&[], &clock, async |office| {
        let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let fake = Fake::start(Vec::new(), Habits::default());
        let port = silent.local_addr().unwrap().port();
        let source = Source { port, connections: 1, ..fake.source() };
        let made = office.plan(&[(source.clone(), &["a", "b", "c"])]).await;
        let migrate = &office.migrate;
        assert!(migrate.first(MOVE, Vec::new()).await.is_err(), "all of them first is none first");
        assert_eq!(migrate.first(MOVE, vec!["b@anser.test".into()]).await.unwrap(), 1);
        migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        let _first = silent.accept().unwrap();
        let copying = async || {
            let views = migrate.mailbox_views(MOVE, vec!["state:copying".into()]).await.unwrap();
            views.into_iter().map(|view| (view.address, view.priority)).collect::<Vec<_>>()
        };
        assert_eq!(copying().await, [("b@anser.test".into(), "first".into())], "the administrator's wish");
        migrate.learned(lesson(&source, office.account(made[2]).await, "c")).await.unwrap();
        let _second = silent.accept().unwrap();
        office.until("b@anser.test", |view| view.state == "waiting").await;
        assert_eq!(copying().await, [("c@anser.test".into(), "awaited".into())], "its owner waits");
        running.abort();
    });
}

#[test]
fn who_leaves_a_wave_waits_for_its_hours_no_longer() {
    let clock = Clock::manual(Timestamp::from_secs(MORNING));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        office.plan(&[(fake.source(), &["a", "b"])]).await;
        let migrate = &office.migrate;
        migrate.pace_wave(MOVE, "night", &hours("22:00-06:00")).await.unwrap();
        migrate.set_wave(MOVE, vec!["a@anser.test".into(), "b@anser.test".into()], Some("night".into())).await.unwrap();
        migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        for address in ["a@anser.test", "b@anser.test"] {
            office.until(address, |view| view.until.is_some()).await;
        }
        fake.change(|state| state.user = "a".into());
        migrate.set_wave(MOVE, vec!["a@anser.test".into()], None).await.unwrap();
        office.until("a@anser.test", |view| view.state == "settled").await;
        // It is still in the wave, whose hours were looked at again.
        office.until("b@anser.test", |view| view.until.is_some()).await;
        fake.change(|state| state.user = "b".into());
        assert_eq!(migrate.remove_wave(MOVE, "night").await.unwrap(), 1);
        office.until("b@anser.test", |view| view.state == "settled").await;
        running.abort();
    });
}

/// Changes rows of mailboxes as no act does.
async fn change(office: &Office, sql: &'static str, value: i64) {
    let work = move |tx: &mut Tx<'_>| tx.execute(sql, params![value]).map(drop);
    office.db.write(Place::Moves, Durability::Sync, work).await.unwrap();
}

#[test]
fn what_somebody_who_died_had_under_way_waits_for_its_hours_too() {
    let clock = Clock::manual(Timestamp::from_secs(MORNING));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let migrate = &office.migrate;
        migrate.pace_source(MOVE, None, &hours("22:00-06:00")).await.unwrap();
        migrate.start(MOVE, Vec::new()).await.unwrap();
        change(office, "UPDATE mov_accounts SET state = ?1, holder = 1, held_until_ms = 0", State::Copying as i64)
            .await;
        let (_shutdown, running) = office.run();
        let waits = office.until("ann@anser.test", |view| view.until.is_some()).await;
        assert_eq!((&*waits.state, waits.trouble.as_deref(), waits.passes), ("waiting", Some("hours"), 0));
        running.abort();
    });
}

#[test]
fn what_is_put_into_a_closed_wave_stops_in_the_middle_and_says_until_when() {
    let clock = Clock::manual(Timestamp::from_secs(MORNING));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        let (told, mut begun) = unbounded_channel();
        fake.change(|state| state.trickles = Some(told));
        office.plan(&[(fake.source(), &["ann"])]).await;
        let migrate = &office.migrate;
        migrate.pace_wave(MOVE, "night", &hours("22:00-06:00")).await.unwrap();
        migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        begun.recv().await.unwrap();
        migrate.set_wave(MOVE, vec!["ann@anser.test".into()], Some("night".into())).await.unwrap();
        let waits = office.until("ann@anser.test", |view| view.until.is_some()).await;
        assert_eq!((&*waits.state, waits.trouble.as_deref()), ("waiting", Some("hours")));
        assert!(waits.note.is_some_and(|note| note.contains("22:00-06:00")));
        running.abort();
    });
}

#[test]
fn many_who_wait_outside_of_the_hours_keep_no_act_from_the_others() {
    let clock = Clock::manual(Timestamp::from_secs(MORNING));
    each_office(&[], &clock, async |office| {
        let habits = Habits { admits_anybody: true, ..Habits::default() };
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], habits);
        let (told, mut begun) = unbounded_channel();
        fake.change(|state| state.trickles = Some(told));
        // More than are looked at for one place.
        let owners: Vec<String> = (0..60).map(|number| format!("owner-{number}")).collect();
        let names: Vec<&str> = owners.iter().map(String::as_str).chain(["checked"]).collect();
        let made = office.plan(&[(fake.source(), &names)]).await;
        let migrate = &office.migrate;
        migrate.pace_source(MOVE, None, &hours("22:00-06:00")).await.unwrap();
        migrate.start(MOVE, vec!["owner-0@anser.test".into()]).await.unwrap();
        for (name, id) in owners.iter().zip(made) {
            migrate.learned(lesson(&fake.source(), office.account(id).await, name)).await.unwrap();
        }
        let (_shutdown, running) = office.run();
        begun.recv().await.unwrap();
        migrate.check(MOVE, vec!["checked@anser.test".into()]).await.unwrap();
        office.until("checked@anser.test", |view| view.state == "ready").await;
        let copying = migrate.mailbox_views(MOVE, vec!["state:copying".into()]).await.unwrap();
        assert_eq!(copying.len(), 1, "of the owners one at a time: {copying:?}");
        running.abort();
    });
}
