//! PERF-3: where the source has CONDSTORE only what changed is listed, and what left where it has QRESYNC; what does not add up is not
//! believed.

use anser_store::{Flags, LedgerState};

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::{ANN, House, each_house};

fn start(capabilities: &'static str) -> Fake {
    let mails = (1..=6).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
    Fake::start(vec![folder("INBOX", mails)], Habits { capabilities, ..Habits::default() })
}

/// Lists of all messages, and lists of what changed, that were asked for since this was asked last.
fn lists(fake: &Fake) -> (usize, usize) {
    let heard = std::mem::take(&mut fake.state.lock().unwrap().heard);
    let lists = heard.iter().filter(|line| line.contains("RFC822.SIZE"));
    let (since, all): (Vec<&String>, Vec<&String>) = lists.partition(|line| line.contains("CHANGEDSINCE"));
    (all.len(), since.len())
}

async fn pass(house: &House, fake: &Fake) -> u64 {
    house.pass(fake).await.map_err(|trouble| trouble.words()).unwrap().copied
}

async fn gone(house: &House) -> u64 {
    house.store.read(ANN, |tx| tx.ledger_tally(1, None)).await.unwrap().rows[LedgerState::Gone as usize]
}

/// A flag changes, and a message comes.
fn change(fake: &Fake) {
    fake.change(|state| {
        let inbox = &mut state.folders[0];
        (inbox.mails[2].flags, inbox.mails[2].modseq) = ("\\Seen".into(), 5);
        let mut new = mail(7, "", "new");
        new.modseq = 6;
        inbox.mails.push(new);
        inbox.uidnext = 8;
    });
}

/// The fourth message leaves; `told` where QRESYNC shall know.
fn leave(fake: &Fake, told: bool) {
    fake.change(|state| {
        let inbox = &mut state.folders[0];
        inbox.mails.remove(3);
        inbox.mails[0].modseq = 9;
        inbox.vanished.extend(told.then_some((9, 4)));
    });
}

#[test]
fn flags_and_news_are_told_by_condstore_and_losses_by_qresync() {
    for (capabilities, leaving) in [("CONDSTORE", (1, 1)), ("CONDSTORE QRESYNC ENABLE", (0, 1)), ("", (1, 0))] {
        let can_tell = !capabilities.is_empty();
        each_house(async |house| {
            let fake = start(capabilities);
            assert_eq!((pass(house, &fake).await, lists(&fake)), (6, (1, 0)));
            change(&fake);
            assert_eq!(pass(house, &fake).await, 1);
            assert_eq!(lists(&fake), if can_tell { (0, 1) } else { (1, 0) }, "{capabilities}");
            let flags: Vec<(u32, u32)> = house.held().await["INBOX"].iter().map(|one| (one.0, one.1)).collect();
            assert_eq!(flags[2], (3, Flags::SEEN.0));
            assert_eq!(house.uids("INBOX").await, [1, 2, 3, 4, 5, 6, 7]);
            leave(&fake, true);
            assert_eq!(pass(house, &fake).await, 0);
            assert_eq!(lists(&fake), leaving, "{capabilities}");
            assert_eq!((gone(house).await, house.uids("INBOX").await.len()), (1, 7), "noted, and kept here");
        });
    }
}

#[test]
fn what_does_not_add_up_is_looked_at_whole() {
    each_house(async |house| {
        let fake = start("CONDSTORE QRESYNC ENABLE");
        assert_eq!(pass(house, &fake).await, 6);
        lists(&fake);
        leave(&fake, false);
        assert_eq!(pass(house, &fake).await, 0);
        assert_eq!(lists(&fake), (1, 1));
        assert_eq!(gone(house).await, 1);
    });
}

#[test]
fn what_comes_while_a_pass_goes_on_is_brought_by_the_next() {
    for capabilities in ["CONDSTORE", "CONDSTORE QRESYNC ENABLE", ""] {
        each_house(async |house| {
            let fake = start(capabilities);
            assert_eq!(pass(house, &fake).await, 6);
            change(&fake);
            let mut late = mail(8, "", "late");
            late.modseq = 7;
            fake.change(|state| state.habits.late = Some(late));
            assert_eq!(pass(house, &fake).await, 1);
            assert_eq!(pass(house, &fake).await, 1, "{capabilities}");
            assert_eq!(house.uids("INBOX").await, [1, 2, 3, 4, 5, 6, 7, 8]);
        });
    }
}
