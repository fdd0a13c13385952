//! VER: flags, keywords and dates that differ are told apart by three, with the ledger as the base and the account's log as the witness.

use anser_migrate::verify::{Level, Score};
use anser_store::{FlagAct, Flags, Keywords};

use crate::face::{named, proof};
use crate::fake::{Fake, Habits, Mail, folder, mail};
use crate::house::each_house;

#[test]
fn who_changed_what_is_told_apart() {
    each_house(async |house| {
        let mails = (1..=6).map(|uid| mail(uid, "\\Flagged work", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let inbox = house.mailbox("INBOX").await;
        for level in [Level::Sample, Level::Bodies] {
            assert_eq!(proof(house, &fake, level).await.score(), Score::Perfect);
        }
        house
            .change(move |tx| {
                let none = Keywords::default();
                tx.store_flags(inbox, &[1], FlagAct::Set, Flags::SEEN, &none, None).unwrap();
                tx.store_flags(inbox, &[6], FlagAct::Add, Flags::ANSWERED, &none, None).unwrap();
            })
            .await;
        fake.change(|state| {
            let mails = &mut state.folders[0].mails;
            mails[1].flags = "\\Flagged \\Seen work".into();
            mails[5].flags = "\\Flagged".into();
        });
        house.tamper("UPDATE entry SET flags = 0 WHERE uid = 3").await;
        house.tamper("UPDATE entry SET keywords = '' WHERE uid = 4").await;
        for level in [Level::Sample, Level::Bodies] {
            let proof = proof(house, &fake, level).await;
            let mut found = named(&proof);
            found.sort_unstable();
            let wanted = [(1, "changed"), (2, "changed"), (3, "unexplained"), (4, "unexplained"), (6, "changed")];
            assert_eq!(found, wanted.map(|(uid, class)| ("INBOX", uid, class)));
            let why = |uid: u32| proof.differences.iter().find(|one| one.uid == uid).unwrap();
            assert!(why(1).why.starts_with("changed here: \\Flagged \\Seen work"), "{}", why(1).why);
            assert!(why(2).why.starts_with("changed at the source since: \\Seen"), "{}", why(2).why);
            assert!(why(3).why.contains("\\Flagged") && !why(3).why.contains("work"), "{}", why(3).why);
            assert!(why(4).why.contains("work") && why(4).zh.contains("work"), "{}", why(4).why);
            assert!(why(6).why.contains("source since: work") && why(6).why.contains("here: \\Answered"));
            assert_eq!((proof.unexplained, proof.score()), (2, Score::Poor));
        }
        // What is merged is explained no longer as a change, and what was lost stays named.
        house.pass(&fake).await.unwrap();
        assert_eq!(proof(house, &fake, Level::Bodies).await.unexplained, 2);
    });
}

#[test]
fn a_date_is_other_only_where_the_ledger_says_why() {
    each_house(async |house| {
        let body = b"Date: Fri, 1 Jan 1999 00:00:00 +0000\r\n\r\nx\r\n".to_vec();
        let absurd = Mail { date: "01-Jan-2099 00:00:00 +0000", body, ..mail(1, "", "") };
        let fake = Fake::start(
            vec![folder("INBOX", vec![absurd, mail(2, "", "two"), mail(3, "", "three")])],
            Habits::default(),
        );
        house.pass(&fake).await.unwrap();
        house.tamper("UPDATE entry SET received = received + 1000 WHERE uid = 2").await;
        fake.change(|state| state.folders[0].mails[2].date = "22-Nov-2020 08:00:00 +0800");
        for level in [Level::Sample, Level::Bodies] {
            let proof = proof(house, &fake, level).await;
            let mut found = named(&proof);
            found.sort_unstable();
            assert_eq!(found, [("INBOX", 1, "changed"), ("INBOX", 2, "unexplained"), ("INBOX", 3, "changed")]);
        }
    });
}
