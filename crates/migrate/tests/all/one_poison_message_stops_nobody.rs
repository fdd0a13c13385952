//! SAFE-7: a message that the server does not hand out, or that ends every connection, is noted; the others move. So do the
//! folders beside one that ends every connection (case 27).

use anser_migrate::pass::TRIES;
use anser_migrate::trouble::Trouble;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

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
