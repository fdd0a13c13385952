//! Case 16: UIDVALIDITY changed and UIDs were dealt anew; identical messages keep their number.

use anser_store::Flags;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn the_same_messages_stay_and_new_ones_come() {
    each_house(async |house| {
        let mut mails: Vec<_> = (1..=6).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        mails[2].body = mails[1].body.clone();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let before = house.held().await;
        for validity in [77, 5] {
            fake.change(|state| {
                let inbox = &mut state.folders[0];
                inbox.uidvalidity = validity;
                inbox.mails.reverse();
                (1..).zip(&mut inbox.mails).for_each(|(at, mail)| mail.uid = 100 * validity + at);
                inbox.uidnext = 100 * validity + 7;
            });
            house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(house.held().await, before);
        }
        fake.change(|state| {
            state.folders[0].mails[0].flags = "\\Flagged".into();
            state.folders[0].mails.push(mail(600, "", "new"));
            state.folders[0].uidnext = 601;
        });
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let held = house.held().await;
        assert_eq!(held["INBOX"].len(), 7);
        assert_eq!(held["INBOX"].iter().filter(|one| Flags(one.1).has(Flags::FLAGGED)).count(), 1);
    });
}
