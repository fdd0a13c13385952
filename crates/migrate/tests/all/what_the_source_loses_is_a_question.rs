//! Case 22: a folder is emptied or deleted at the source between passes: nothing happens here, and somebody is asked.

use anser_migrate::trouble::Trouble;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn an_emptied_and_a_deleted_folder_halt_the_mailbox_until_somebody_says_that_it_was_meant() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=5).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let folders = vec![folder("INBOX", mails.clone()), folder("Work", mails.clone())];
        let fake = Fake::start(folders, Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let before = house.held().await;
        fake.change(|state| state.folders[0].mails.clear());
        assert!(matches!(house.pass(&fake).await, Err(Trouble::Question(_))));
        house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
        fake.change(|state| drop(state.folders.remove(1)));
        assert!(matches!(house.pass(&fake).await, Err(Trouble::Question(_))));
        house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(house.held().await, before);
    });
}
