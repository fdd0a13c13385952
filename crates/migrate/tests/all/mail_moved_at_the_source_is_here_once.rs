//! Case 15: a message that is moved from folder to folder at the source, between passes or during one, is here once at the end.

use anser_store::Flags;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn between_passes() {
    each_house(async |house| {
        let mails = (1..=5).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails), folder("Work", Vec::new())], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        fake.change(|state| {
            let mut moved = state.folders[0].mails.remove(1);
            moved.uid = 1;
            state.folders[1].mails.push(moved);
            state.folders[1].uidnext = 2;
        });
        for _ in 0..2 {
            house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(house.uids("INBOX").await, [1, 3, 4, 5]);
            assert_eq!(house.uids("Work").await.len(), 1);
        }
    });
}

#[test]
fn during_a_pass() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=5).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let mut twin = mails[1].clone();
        twin.uid = 1;
        let fake = Fake::start(vec![folder("INBOX", mails), folder("Work", vec![twin])], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        fake.change(|state| drop(state.folders[0].mails.remove(1)));
        for _ in 0..2 {
            house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(house.uids("INBOX").await, [1, 3, 4, 5]);
            assert_eq!(house.uids("Work").await, [1]);
        }
    });
}

#[test]
fn it_has_the_uid_and_the_flags_that_it_has_there() {
    each_house(async |house| {
        // So many that they come the newest first.
        let mails: Vec<_> = (1..=600).map(|uid| mail(uid, "\\Seen", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails), folder("Work", Vec::new())], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        fake.change(|state| {
            let mut moved = state.folders[0].mails.split_off(2);
            for mail in &mut moved {
                (mail.uid, mail.flags) = (mail.uid * 3, "\\Flagged".to_owned());
            }
            let mut year = moved.split_off(1);
            year.retain(|mail| mail.uid != 600);
            state.folders[1].uidnext = moved[0].uid + 1;
            state.folders[1].mails = moved;
            state.folders.push(folder("2026", year));
        });
        house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(house.uids("INBOX").await, [1, 2, 200]);
        assert_eq!(house.uids("Work").await, [9]);
        let year: Vec<u32> = (4..=600).filter(|uid| *uid != 200).map(|uid| uid * 3).collect();
        assert_eq!(house.uids("2026").await, year);
        let held = house.held().await;
        assert!(held["Work"].iter().chain(&held["2026"]).all(|one| one.1 == Flags::FLAGGED.0), "{:?}", held["Work"]);
    });
}
