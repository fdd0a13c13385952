//! SAFE-7: a message that the server does not hand out, or that ends every connection, is noted; the others move. So do the
//! folders beside one that ends every connection (case 27).

use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_migrate::pass::TRIES;
use anser_migrate::trouble::Trouble;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;
use crate::office::{MOVE, each_office};

#[test]
fn a_refused_message_comes_by_another_way() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=9).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits { refuses: Some(5), ..Habits::default() });
        let outcome = house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!((outcome.copied, outcome.failed), (9, 0));
        // It came after the others, and its UID was kept for it.
        assert_eq!(house.uids("INBOX").await, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
}

#[test]
fn a_message_that_is_damaged_there_is_named_at_once() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=9).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        // What Anser says of a body that is lost: other words of it speak of a later try.
        let words = "NO [CORRUPTION] temporarily unavailable: stored data is damaged; run anser check";
        let habits = Habits { refuses: Some(5), refuses_any_way: true, refuses_with: Some(words), ..Habits::default() };
        let fake = Fake::start(vec![folder("INBOX", mails)], habits);
        let outcome = house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!((outcome.copied, outcome.failed), (8, 1));
        assert_eq!(house.uids("INBOX").await, [1, 2, 3, 4, 6, 7, 8, 9]);
    });
}

#[test]
fn a_message_that_ends_connections_is_given_up_after_some_tries() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=9).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits { breaks: Some(5), ..Habits::default() });
        assert!(matches!(house.pass(&fake).await, Err(Trouble::Later { .. })));
        for _ in 0..TRIES {
            assert!(matches!(house.pass_with(&fake, true, false).await, Err(Trouble::Later { .. })));
        }
        house.pass_with(&fake, true, false).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(house.uids("INBOX").await, [1, 2, 3, 4, 6, 7, 8, 9]);
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(house.uids("INBOX").await, [1, 2, 3, 4, 6, 7, 8, 9]);
    });
}

#[test]
fn a_folder_that_ends_connections_is_named_and_the_others_come() {
    each_house(async |house| {
        let one = |name: &str| folder(name, vec![mail(1, "", name)]);
        let folders = vec![one("INBOX"), one("Locked"), one("Work")];
        let fake = Fake::start(folders, Habits { shuts: Some("Locked"), ..Habits::default() });
        assert!(matches!(house.pass(&fake).await, Err(Trouble::Later { .. })));
        for _ in 0..TRIES {
            assert!(matches!(house.pass_with(&fake, true, false).await, Err(Trouble::Later { .. })));
        }
        let outcome = house.pass_with(&fake, true, false).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(outcome.shut, ["Locked"]);
        assert!(outcome.note().unwrap().contains("Locked"));
        assert_eq!((house.uids("INBOX").await, house.uids("Work").await), (vec![1], vec![1]));
        // Unlocked, it comes.
        fake.change(|state| state.habits.shuts = None);
        let outcome = house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!((outcome.copied, outcome.note()), (1, None));
        assert_eq!(house.uids("Locked").await, [1]);
    });
}

#[test]
fn a_folder_that_was_given_up_is_tried_again_by_itself() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let one = |name: &str| folder(name, vec![mail(1, "", name)]);
        let folders = vec![one("INBOX"), one("Locked"), one("Work")];
        let fake = Fake::start(folders, Habits { shuts: Some("Locked"), ..Habits::default() });
        let ann = office.person("ann", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        let mut changes = office.migrate.changes();
        // The engine looks at the clock anew.
        let later = async |by: Duration| {
            office.clock.advance(by);
            office.migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        };
        let settled = async |changes: &mut tokio::sync::watch::Receiver<u64>| loop {
            let view = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0);
            match view.state.as_str() {
                "settled" => break view,
                "waiting" => later(HOUR).await,
                _ => {}
            }
            changes.changed().await.unwrap();
        };
        assert!(settled(&mut changes).await.note.unwrap().contains("Locked"));
        let messages = async || office.store.read(ann, |tx| Ok(tx.messages())).await.unwrap();
        assert_eq!(messages().await, 2, "the others came");
        fake.change(|state| state.habits.shuts = None);
        later(HOUR * 7).await;
        while messages().await < 3 {
            changes.changed().await.unwrap();
        }
        assert_eq!(settled(&mut changes).await.note, None);
        running.abort();
    });
}

#[test]
fn what_was_given_up_begins_anew_when_a_person_says_so() {
    each_office(&[], &Clock::System, async |office| {
        let mails = (1..=9).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let habits = Habits { refuses: Some(5), refuses_any_way: true, ..Habits::default() };
        let fake = Fake::start(vec![folder("INBOX", mails)], habits);
        let ann = office.person("ann", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        let messages = async || office.store.read(ann, |tx| Ok(tx.messages())).await.unwrap();
        for _ in 0..TRIES {
            office.migrate.wait(MOVE).await.unwrap();
            office.migrate.delta(MOVE, Vec::new()).await.unwrap();
        }
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(messages().await, 8);
        fake.change(|state| state.habits.refuses = None);
        office.migrate.delta(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(messages().await, 8, "it was given up");
        office.migrate.retry(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(messages().await, 9);
        running.abort();
    });
}
