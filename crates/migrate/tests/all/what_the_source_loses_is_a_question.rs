//! Case 22: a folder is emptied or deleted at the source between passes: nothing happens here, and somebody is asked.

use anser_migrate::trouble::Trouble;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

/// What somebody is asked about.
fn question<T>(passed: Result<T, Trouble>) -> String {
    match passed {
        Err(Trouble::Question(why)) => why,
        other => panic!("no question: {:?}", other.err()),
    }
}

#[test]
fn an_emptied_and_a_deleted_folder_halt_the_mailbox_until_somebody_says_that_it_was_meant() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=5).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let folders = vec![folder("INBOX", mails.clone()), folder("&XeVPXA-", mails.clone())];
        let fake = Fake::start(folders, Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let before = house.held().await;
        fake.change(|state| state.folders[0].mails.clear());
        assert_eq!(question(house.pass(&fake).await), "the folder INBOX lost 5 of 5 messages");
        house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
        fake.change(|state| drop(state.folders.remove(1)));
        assert_eq!(question(house.pass(&fake).await), "the folder 工作 with 5 messages is no longer there");
        house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(house.held().await, before);
    });
}
