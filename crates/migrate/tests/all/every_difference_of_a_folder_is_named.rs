//! VER: folders on one side alone, their uses, subscriptions and UIDNEXT are compared; so is what the ledger finds odd, at level 1 too.

use anser_migrate::verify::{Level, Score};

use crate::face::{face, named, proof, proof_by};
use crate::fake::{Fake, Folder, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn folders_are_compared_with_what_they_are_for_and_who_reads_them() {
    each_house(async |house| {
        let capabilities = "LIST-EXTENDED SPECIAL-USE";
        let with = |attributes, one: Folder| Folder { attributes, ..one };
        let folders = vec![
            with("\\Subscribed", folder("INBOX", vec![mail(1, "", "one")])),
            with("\\Subscribed \\Sent", folder("Gesendet", vec![mail(4, "\\Seen", "two"), mail(5, "", "three")])),
            with("\\Subscribed", folder("Work", vec![mail(1, "", "four")])),
            with("", folder("Old", vec![mail(1, "", "five")])),
        ];
        let fake = Fake::start(folders, Habits { capabilities, ..Habits::default() });
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let first = proof(house, &fake, Level::Bodies).await;
        assert_eq!((first.score(), named(&first)), (Score::Perfect, vec![]));
        let sent = first.folders.iter().find(|one| one.folder == "Gesendet").unwrap();
        assert_eq!((sent.there.unseen, sent.there.role.as_deref(), sent.there.subscribed), (1, Some("sent"), true));
        assert_eq!((sent.shown.clone(), sent.there.uidnext), (sent.there.clone(), 6));
        assert!(!first.only_here.contains(&"Gesendet".to_owned()) && !first.only_here.contains(&"INBOX".to_owned()));

        let (work, old, gesendet) =
            (house.mailbox("Work").await, house.mailbox("Old").await, house.mailbox("Gesendet").await);
        house
            .change(move |tx| {
                tx.subscribe(work, false).unwrap();
                tx.delete_mailbox(old).unwrap();
                tx.set_role(gesendet, None).unwrap();
                tx.create_mailbox(None, "Mine", None).unwrap();
            })
            .await;
        fake.change(|state| state.folders.push(folder("Brand new", vec![mail(1, "", "six")])));
        house.tamper("UPDATE mailbox SET uidnext = 5 WHERE name = 'Gesendet'").await;
        let second = proof(house, &fake, Level::Bodies).await;
        let mut found = named(&second);
        found.sort_unstable();
        let wanted = [
            ("Brand new", 0, "new"),
            ("Brand new", 1, "new"),
            ("Gesendet", 0, "unexplained"),
            ("Gesendet", 0, "unexplained"),
            ("Old", 0, "removed"),
            ("Old", 1, "removed"),
            ("Work", 0, "changed"),
        ];
        assert_eq!(found, wanted);
        assert!(second.only_here.contains(&"Mine".to_owned()), "{:?}", second.only_here);
        assert_eq!((second.unexplained, second.score()), (2, Score::Poor));
        assert_ne!(first.ledger, "");
        assert_eq!(first.ledger, second.ledger, "no pass went over it");
        fake.change(|state| state.folders[0].mails.push(mail(2, "", "seven")));
        house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
        assert_ne!(proof(house, &fake, Level::Bodies).await.ledger, first.ledger);
    });
}

#[test]
fn what_the_ledger_finds_odd_is_read_in_every_sample() {
    each_house(async |house| {
        let mut mails: Vec<_> = (1..=5).map(|uid| mail(uid, "", &format!("message {uid:04}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails.clone())], Habits { size_off: 17, ..Habits::default() });
        house.pass(&fake).await.unwrap();
        mails.extend((6..=1_000).map(|uid| mail(uid, "", &format!("message {uid:04}"))));
        fake.change(|state| {
            state.habits.size_off = 0;
            (state.folders[0].mails, state.folders[0].uidnext) = (mails, 1_001);
        });
        house.pass(&fake).await.unwrap();
        let shown = face(&house.store).await;
        // As long as before, and others.
        shown.change(|state| {
            let inbox = state.folders.iter_mut().find(|folder| folder.name == b"\"INBOX\"").unwrap();
            inbox.mails.iter_mut().take(5).for_each(|mail| mail.body[0] ^= 1);
        });
        let proof = proof_by(house, &fake, &shown, Level::Sample).await.map_err(|trouble| trouble.words()).unwrap();
        let mut found = named(&proof);
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3, 4, 5].map(|uid| ("INBOX", uid, "unexplained")));
        let read = fake.heard().iter().filter(|line| line.contains("BODY.PEEK") && !line.contains("UID FETCH")).count();
        assert!((1..20).contains(&read), "a sample, not all of it: {read} commands");
    });
}
