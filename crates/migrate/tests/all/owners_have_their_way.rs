//! Case 21: what an owner does here between passes is respected; what changed at the source since comes along.

use anser_store::{FlagAct, Flags, Keywords};

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn removals_moves_and_flags_here_stay_and_changes_there_come() {
    each_house(async |house| {
        let mails = (1..=5).map(|uid| mail(uid, "\\Seen", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails), folder("Work", Vec::new())], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let (inbox, work) = (house.mailbox("INBOX").await, house.mailbox("Work").await);
        house
            .change(move |tx| {
                tx.expunge(inbox, &[1], false).unwrap();
                tx.move_to(inbox, &[2], work).unwrap();
                tx.store_flags(inbox, &[3], FlagAct::Set, Flags::FLAGGED, &Keywords::new(["mine"]), None).unwrap();
            })
            .await;
        fake.change(|state| {
            let mails = &mut state.folders[0].mails;
            for at in [0, 1, 2] {
                mails[at].flags = "\\Seen \\Answered theirs".into();
            }
            mails[3].flags = String::new();
            mails.push(mail(6, "", "new"));
            state.folders[0].uidnext = 7;
        });
        for _ in 0..2 {
            house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
            let held = house.held().await;
            let inbox: Vec<_> = held["INBOX"].iter().map(|one| (one.0, Flags(one.1), &*one.2)).collect();
            let both = Flags::FLAGGED.with(Flags::ANSWERED);
            let seen = Flags::SEEN;
            assert_eq!(inbox, [(3, both, "mine theirs"), (4, Flags(0), ""), (5, seen, ""), (6, Flags(0), "")]);
            let work: Vec<_> = held["Work"].iter().map(|one| (Flags(one.1), &*one.2)).collect();
            assert_eq!(work, [(Flags::SEEN.with(Flags::ANSWERED), "theirs")]);
        }
    });
}
