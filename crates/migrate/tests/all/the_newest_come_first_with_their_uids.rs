//! PASS-2, FID-7: what is new is seen first; all keep their UIDs; who counts by UIDs looks when all is there.

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::{ANN, House, each_house};

const ALL: u32 = 400;

fn start() -> Fake {
    // Every third UID was expunged there.
    let mails = (1..=ALL).filter(|uid| uid % 3 != 0).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
    Fake::start(vec![folder("INBOX", mails)], Habits::default())
}

fn there() -> Vec<u32> {
    (1..=ALL).filter(|uid| uid % 3 != 0).collect()
}

async fn is_filling(house: &House) -> bool {
    let inbox = house.mailbox("INBOX").await;
    house.store.snapshot(ANN, inbox).await.unwrap().is_filling
}

/// UIDs in the order in which messages came.
async fn arrivals(house: &House) -> Vec<u32> {
    let inbox = house.mailbox("INBOX").await;
    let mut all = house.store.read(ANN, move |tx| tx.entries(inbox, 1, u32::MAX)).await.unwrap();
    all.sort_by_key(|entry| entry.message);
    all.into_iter().map(|entry| entry.uid).collect()
}

#[test]
fn messages_come_from_the_newest_to_the_oldest() {
    each_house(async |house| {
        let fake = start();
        house.settle(&fake, 1).await;
        assert_eq!(house.uids("INBOX").await, there());
        let came = arrivals(house).await;
        let there = there();
        let (older, newest) = there.split_at(there.len() - 50);
        // As many as one command names come together, in their order.
        let (oldest, old) = older.split_at(160);
        assert_eq!(came, [newest, old, oldest].concat());
        assert!(!is_filling(house).await);
    });
}

#[test]
fn what_comes_after_the_uids_were_reserved_comes_last_and_in_its_order() {
    each_house(async |house| {
        let mails = (1..=ALL).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        // When the folder was opened there were so many: behind them are more than one batch.
        fake.change(|state| state.folders[0].uidnext = 101);
        house.settle(&fake, 1).await;
        assert_eq!(house.uids("INBOX").await, (1..=ALL).collect::<Vec<_>>());
        assert_eq!(arrivals(house).await, (51..=100).chain(1..=50).chain(101..=ALL).collect::<Vec<_>>());
        assert!(!is_filling(house).await);
    });
}

#[test]
fn a_mailbox_is_closed_to_those_who_count_by_uids_until_all_is_there() {
    each_house(async |house| {
        let fake = start();
        // The list of messages goes through, and some bodies.
        fake.change(|state| state.habits.cuts = vec![45_000]);
        assert!(house.pass(&fake).await.is_err());
        let came = arrivals(house).await;
        assert!((1..there().len()).contains(&came.len()), "{} came", came.len());
        assert!(came[0] > ALL - 80);
        assert!(is_filling(house).await);
        // Mail that comes here meanwhile stands behind what moves in.
        let mut late = mail(ALL + 1, "", "late");
        late.modseq = 2;
        fake.change(|state| {
            state.folders[0].mails.push(late);
            state.folders[0].uidnext = ALL + 2;
        });
        house.settle(&fake, 3).await;
        assert_eq!(house.uids("INBOX").await, [there(), vec![ALL + 1]].concat());
        assert!(!is_filling(house).await);
    });
}
