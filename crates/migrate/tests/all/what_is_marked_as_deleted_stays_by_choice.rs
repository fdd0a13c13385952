//! FID-4: messages that are marked as deleted come so, or are left out where that was chosen, each with a row that says it; one that is no longer
//! marked comes, and so do all when the choice is taken back.

use anser_migrate::pass::{Outcome, Pass, Rule};
use anser_migrate::source::Origin;
use anser_migrate::trouble::Trouble;
use anser_store::{Flags, LedgerKey, LedgerRow, LedgerState};
use anser_wire::Secret;

use crate::fake::{Fake, Habits, State, folder, mail};
use crate::house::{ANN, House, Quiet, each_house};

const KINDS: [&str; 3] = ["", "CONDSTORE", "CONDSTORE QRESYNC ENABLE"];

async fn pass(house: &House, fake: &Fake, skips_deleted: bool) -> Result<Outcome, Trouble> {
    let mut origin = Origin::open(&fake.source(), "ann", Some(&Secret::new(b"secret".to_vec()))).await?;
    let (watch, rule) = (Quiet::default(), Rule { skips_deleted, ..Rule::default() });
    Pass { rule, losses_are_meant: true, ..house.to_pass("generic", &watch) }.run(&mut origin).await
}

async fn copied(house: &House, fake: &Fake, skips_deleted: bool) -> u64 {
    pass(house, fake, skips_deleted).await.map_err(|trouble| trouble.words()).unwrap().copied
}

/// Rows of what was left out, over all folders of that name.
async fn left_out(house: &House) -> Vec<LedgerRow> {
    let rows = house.store.read(ANN, |tx| tx.ledger_rows_in(1, LedgerState::Excluded, 100)).await.unwrap();
    rows.into_iter().map(|(_, row): (LedgerKey, LedgerRow)| row).collect()
}

/// Gives a message other flags.
fn mark(state: &mut State, uid: u32, flags: &str, modseq: u64) {
    let found = state.folders[0].mails.iter_mut().find(|mail| mail.uid == uid).unwrap();
    (found.flags, found.modseq) = (flags.to_owned(), modseq);
}

#[test]
fn it_is_counted_once_when_its_folder_is_numbered_anew() {
    each_house(async |house| {
        let mails = vec![mail(1, "", "one"), mail(2, "\\Deleted", "two"), mail(3, "\\Deleted", "three")];
        let fake = Fake::start(vec![folder("Folder", mails)], Habits::default());
        assert_eq!(copied(house, &fake, true).await, 1);
        fake.change(|state| {
            let folder = &mut state.folders[0];
            (folder.uidvalidity, folder.uidnext) = (77, 14);
            (11..).zip(&mut folder.mails).for_each(|(uid, mail)| mail.uid = uid);
        });
        copied(house, &fake, true).await;
        assert_eq!(left_out(house).await.iter().map(|row| row.key[3]).collect::<Vec<_>>(), [12, 13]);
    });
}

#[test]
fn it_comes_once_it_is_no_longer_marked() {
    each_house(async |house| {
        for (at, capabilities) in KINDS.into_iter().enumerate() {
            let name = format!("Folder {at}");
            let all = [(1, ""), (2, "\\Deleted"), (3, "\\Seen \\Deleted"), (4, ""), (5, "\\Deleted")];
            let mails = all.map(|(uid, flags)| mail(uid, flags, &format!("{at} {uid}"))).to_vec();
            let fake = Fake::start(vec![folder(&name, mails)], Habits { capabilities, ..Habits::default() });
            assert_eq!(copied(house, &fake, true).await, 2, "{capabilities}");
            assert_eq!(house.uids(&name).await, [1, 4]);
            let out = left_out(house).await;
            assert_eq!(out.iter().map(|row| row.key[3]).collect::<Vec<_>>(), [2, 3, 5]);
            assert!(out.iter().all(|row| row.note.as_deref() == Some("it is marked as deleted there")), "{out:?}");
            assert_eq!(copied(house, &fake, true).await, 0);

            // One that came is marked: that is a flag like others. One that was left out is not marked any more, and its line breaks.
            fake.change(|state| {
                mark(state, 4, "\\Deleted", 7);
                mark(state, 2, "", 8);
                state.habits.throttles = Some("[UNAVAILABLE] later");
            });
            assert!(pass(house, &fake, true).await.is_err());
            assert_eq!(copied(house, &fake, true).await, 1, "{capabilities}");
            let held = house.held().await;
            let marked: Vec<u32> =
                held[&name].iter().filter(|one| Flags(one.1).has(Flags::DELETED)).map(|one| one.0).collect();
            assert_eq!((marked, held[&name].len()), (vec![4], 3));

            // One that never came goes there: nobody is asked, and nothing is remembered of it.
            fake.change(|state| {
                state.folders[0].mails.retain(|mail| mail.uid != 5);
                state.folders[0].vanished.push((9, 5));
            });
            assert_eq!(copied(house, &fake, true).await, 0);
            assert_eq!(left_out(house).await.len(), 1, "{capabilities}");

            // The choice is taken back.
            assert_eq!(copied(house, &fake, false).await, 1, "{capabilities}");
            assert_eq!((left_out(house).await.len(), house.uids(&name).await.len()), (0, 4));
            assert_eq!(copied(house, &fake, false).await, 0);
        }
    });
}

#[test]
fn it_comes_with_its_mark_where_nothing_is_said() {
    each_house(async |house| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "\\Deleted", "one")])], Habits::default());
        assert_eq!(copied(house, &fake, false).await, 1);
        assert!(Flags(house.held().await["INBOX"][0].1).has(Flags::DELETED));
    });
}
