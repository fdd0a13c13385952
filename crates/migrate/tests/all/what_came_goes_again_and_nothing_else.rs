//! Undoing a move takes away exactly what it brought and nobody touched; what is started again comes once more, and once.

use anser_base::{Clock, Durability, Timestamp};
use anser_migrate::Undone;
use anser_store::{FlagAct, Flags, Keywords, MailTx};

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::{Held, held};
use crate::office::{MOVE, Office, each_office, wish};

/// Texts of the inbox, and of what its owner made beside it.
fn texts(held: &Held, path: &str) -> Vec<String> {
    let one = |body: &Vec<u8>| String::from_utf8_lossy(body).lines().last().unwrap_or_default().to_owned();
    let mut all: Vec<String> = held.get(path).into_iter().flatten().map(|(.., body)| one(body)).collect();
    all.sort();
    all
}

async fn settled(office: &Office) {
    let mut changes = office.migrate.changes();
    while office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap()[0].state != "settled" {
        changes.changed().await.unwrap();
    }
}

#[test]
fn what_nobody_touched_goes_and_comes_once_more_when_it_is_wanted() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let mails = (1..=300).map(|uid| mail(uid, "", &format!("m{uid}"))).collect();
        let fake =
            Fake::start(vec![folder("INBOX", mails), folder("Work", vec![mail(9, "\\Seen", "w")])], Habits::default());
        let ann = office.plan(&[(fake.source(), &["ann"])]).await[0];
        let tenant = office.account(ann).await.tenant;
        let migrate = &office.migrate;
        let (_shutdown, running) = office.run();
        migrate.start(MOVE, Vec::new()).await.unwrap();
        settled(office).await;
        // Ann flags one, removes one, and moves one; one leaves the old server.
        let touch = |tx: &mut MailTx<'_, '_>| {
            let inbox = tx.mailbox_at(&["INBOX"])?.expect("it came").id;
            let work = tx.mailbox_at(&["Work"])?.expect("it came").id;
            tx.store_flags(inbox, &[1], FlagAct::Add, Flags::FLAGGED, &Keywords::default(), None)?;
            tx.expunge(inbox, &[2], false)?;
            tx.move_to(inbox, &[3], work).map(drop)
        };
        office.store.write(ann, Durability::Sync, touch).await.unwrap();
        fake.change(|state| state.folders[0].mails.retain(|mail| mail.uid != 4));
        migrate.delta(MOVE, Vec::new()).await.unwrap();
        settled(office).await;

        let before = held(&office.store, ann, tenant).await;
        let told = migrate.rehearse_undo(MOVE, Vec::new()).await.unwrap().remove(0);
        assert_eq!((told.0.as_str(), told.1.removed, told.1.touched), ("ann@anser.test", 297, 2));
        assert_eq!(held(&office.store, ann, tenant).await, before, "it was only told");
        assert_eq!(migrate.undo(MOVE, Vec::new()).await.unwrap(), [told]);
        let left = held(&office.store, ann, tenant).await;
        assert_eq!(
            (texts(&left, "INBOX"), texts(&left, "Work")),
            (vec!["m1 body".into(), "m4 body".into()], vec!["m3 body".into()])
        );
        assert_eq!(
            migrate.undo(MOVE, Vec::new()).await.unwrap()[0].1,
            Undone { touched: 2, ..Undone::default() },
            "twice"
        );
        let view = migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0);
        assert_eq!((&*view.state, view.until), ("new", None), "nothing comes by itself");

        migrate.start(MOVE, Vec::new()).await.unwrap();
        settled(office).await;
        let again = held(&office.store, ann, tenant).await;
        let mut wanted: Vec<String> = (1..=300).filter(|n| ![2, 3].contains(n)).map(|n| format!("m{n} body")).collect();
        wanted.sort();
        assert_eq!(texts(&again, "INBOX"), wanted, "once each, and nothing that Ann removed");
        assert_eq!(texts(&again, "Work"), ["m3 body", "w body"]);
        let uids: Vec<u32> = again["INBOX"].iter().map(|one| one.0).collect();
        assert!(
            uids.iter().filter(|uid| **uid <= 300).all(|uid| [1, 4].contains(uid)),
            "no UID is given twice: {uids:?}"
        );
        running.abort();
    });
}

#[test]
fn a_person_takes_back_what_a_move_of_his_own_brought() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&anser_net::Network::loopback(), &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one"), mail(2, "", "two")])], Habits::default());
        let ann = office.account(office.person("ann", 0).await).await;
        let migrate = &office.migrate;
        let (_shutdown, running) = office.run();
        let made = migrate.begin_own(&ann, wish(&fake.source())).await.unwrap();
        office.rests(&ann).await;
        let told = migrate.undo_own(&ann, made.id, true).await.unwrap();
        assert_eq!((told.removed, told.touched), (2, 0));
        assert_eq!(migrate.undo_own(&ann, made.id, false).await.unwrap(), told);
        assert!(held(&office.store, ann.id, ann.tenant).await.values().all(Vec::is_empty));
        let bob = office.account(office.person("bob", 0).await).await;
        assert!(migrate.undo_own(&bob, made.id, true).await.is_err(), "it is of nobody else");
        let one = migrate.own_moves(&ann).await.unwrap().remove(0);
        assert_eq!((one.state, one.result), (anser_migrate::OwnState::Paused, None));
        let change = anser_migrate::own::Change { paused: Some(false), ..Default::default() };
        migrate.change_own(&ann, one.id, change).await.unwrap();
        office.rests(&ann).await;
        assert_eq!(texts(&held(&office.store, ann.id, ann.tenant).await, "INBOX"), ["one body", "two body"]);
        running.abort();
    });
}

#[test]
fn what_does_not_come_is_told_one_by_one() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let habits = Habits { breaks: Some(2), ..Habits::default() };
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one"), mail(2, "", "two")])], habits);
        office.plan(&[(fake.source(), &["ann"])]).await;
        let (_shutdown, running) = office.run();
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        // Each time that it is asked for the connection ends, until it is given up.
        let mut changes = office.migrate.changes();
        loop {
            let view = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0);
            match (&*view.state, view.until) {
                ("settled", _) => break,
                (_, None) => changes.changed().await.unwrap(),
                (_, Some(_)) => {
                    office.clock.advance(std::time::Duration::from_secs(3600));
                    office.migrate.resume(MOVE, false, Vec::new()).await.unwrap();
                    changes.changed().await.unwrap();
                }
            }
        }
        let which = vec!["trouble:failed".to_owned()];
        let told = office.migrate.failed(MOVE, which).await.unwrap();
        let told: Vec<_> =
            told.iter().map(|one| (&*one.folder, &*one.key, &*one.received, one.tries, one.again)).collect();
        assert_eq!(told, [("INBOX", "2", "21-Nov-2020 08:00:00 +0800", 3, false)]);
        running.abort();
    });
}
