//! SAFE-7, VER: folders that the old server does not open and messages that it does not hand out are counted as failed, and never as
//! though nothing were there.

use anser_migrate::pass::TRIES;
use anser_migrate::verify::{Level, Score};

use crate::face::{named, proof};
use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn a_folder_that_is_refused_counts_as_failed() {
    each_house(async |house| {
        let folders = vec![folder("INBOX", vec![mail(1, "", "one")]), folder("Shared", vec![mail(1, "", "secret")])];
        let fake = Fake::start(folders, Habits { locked: Some("Shared"), ..Habits::default() });
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        for level in [Level::Sample, Level::Bodies] {
            let proof = proof(house, &fake, level).await;
            assert_eq!(named(&proof), [("Shared", 0, "failed")]);
            assert!(proof.differences[0].why.contains("Unsafe Login"), "{}", proof.differences[0].why);
            assert_eq!((proof.failed(), proof.score()), (1, Score::Investigate));
        }
        // Open, its message is what it is: not brought yet.
        fake.change(|state| state.habits.locked = None);
        let proof = proof(house, &fake, Level::Bodies).await;
        assert_eq!((named(&proof), proof.failed()), (vec![("Shared", 1, "new")], 0));
    });
}

#[test]
fn a_message_that_ends_connections_keeps_no_mailbox_from_being_compared() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=9).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits { breaks: Some(5), ..Habits::default() });
        for careful in [false, true, true, true] {
            house.pass_with(&fake, careful, false).await.unwrap_err();
        }
        assert_eq!(TRIES, 3);
        house.pass_with(&fake, true, false).await.map_err(|trouble| trouble.words()).unwrap();
        for level in [Level::Sample, Level::Bodies] {
            let proof = proof(house, &fake, level).await;
            assert_eq!(named(&proof), [("INBOX", 5, "failed")]);
            assert_eq!((proof.folders[0].classes["equal"], proof.score()), (8, Score::Investigate));
        }
    });
}

#[test]
fn a_message_that_is_refused_now_is_listed_all_the_same() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=3).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        house.pass(&fake).await.unwrap();
        fake.change(|state| (state.habits.refuses, state.habits.refuses_any_way) = (Some(2), true));
        let refused = proof(house, &fake, Level::Bodies).await;
        assert_eq!((named(&refused), refused.folders[0].messages), (vec![("INBOX", 2, "failed")], 3));
        // It comes by another item than the others do.
        fake.change(|state| state.habits.refuses_any_way = false);
        for level in [Level::Sample, Level::Bodies] {
            assert_eq!(proof(house, &fake, level).await.score(), Score::Perfect);
        }
    });
}

#[test]
fn an_old_server_that_was_emptied_proves_nothing() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=30).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake =
            Fake::start(vec![folder("INBOX", mails), folder("Old", vec![mail(1, "", "old")])], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        fake.change(|state| state.folders[0].mails.truncate(25));
        let few = proof(house, &fake, Level::Bodies).await;
        assert_eq!((named(&few), few.failed()), (vec![], 0), "so many go every day");
        fake.change(|state| {
            state.folders[0].mails.truncate(5);
            state.folders.truncate(1);
        });
        let emptied = proof(house, &fake, Level::Bodies).await;
        assert_eq!(named(&emptied), [("INBOX", 0, "failed"), ("Old", 0, "failed")]);
        assert_eq!((emptied.failed(), emptied.score()), (26, Score::Investigate));
    });
}
