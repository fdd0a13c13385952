//! A large mailbox that is opened anew by its blocks is what its rows are, whatever was done to it and wherever.

use anser_base::MailboxId;
use anser_db::Place;
use anser_store::{Deps, Entry, FlagAct, Flags, Keywords, Level, Store};

use crate::fixture::{ANN, TENANT, append, inbox, mail, on_each_engine, read, write};

/// Numbers that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// As after a start: nothing in memory.
fn anew(store: &Store) -> Store {
    Store::new(Deps { db: store.db().clone(), blobs: store.blobs().clone(), clock: store.clock().clone() })
}

async fn blocks(store: &Store, mailbox: MailboxId) -> i64 {
    let count = move |tx: &mut anser_db::Tx<'_>| {
        let sql = "SELECT COUNT(*) FROM block WHERE mailbox = ?1";
        tx.query_one(sql, anser_db::params![mailbox.to_sql()], |row| row.int(0))
    };
    store.db().read(Place::Account(ANN), count).await.unwrap().unwrap()
}

/// Opens the mailbox until its blocks, for which nobody waits, are made.
async fn made(store: &Store, mailbox: MailboxId, expected: i64) {
    for _ in 0..1000 {
        assert_eq!(opened(store, mailbox).await, rows(store, mailbox).await);
        if blocks(store, mailbox).await == expected {
            return;
        }
    }
    panic!("{} blocks, not {expected}", blocks(store, mailbox).await);
}

async fn rows(store: &Store, mailbox: MailboxId) -> Vec<Entry> {
    read(store, move |tx| tx.entries(mailbox, 1, u32::MAX)).await
}

async fn opened(store: &Store, mailbox: MailboxId) -> Vec<Entry> {
    anew(store).snapshot(ANN, mailbox).await.unwrap().iter().cloned().collect()
}

/// Two mailboxes of which the first holds `count` messages, made by copying.
async fn filled(store: &Store, count: usize) -> (MailboxId, MailboxId) {
    let inbox = inbox(store).await;
    append(store, inbox, &mail("a", "", "s")).await;
    let other = write(store, |tx| tx.create_mailbox(None, "Other", None)).await.id;
    let mut held = 1;
    while held < count {
        let more = held.min(count - held) as u32;
        write(store, move |tx| tx.copy(inbox, &(1..=more).collect::<Vec<u32>>(), inbox, None)).await;
        held += more as usize;
    }
    (inbox, other)
}

#[test]
fn blocks_are_made_at_the_first_opening_and_go_with_what_they_copy() {
    on_each_engine(async |store: Store| {
        let (inbox, _) = filled(&store, 1300).await;
        assert_eq!(blocks(&store, inbox).await, 0);
        // 1301 is the next UID: UIDs 1 to 1279 are in blocks.
        made(&store, inbox, 5).await;
        append(&store, inbox, &mail("b", "", "s")).await;
        assert_eq!(blocks(&store, inbox).await, 5, "a delivery touches none");
        let seen = |uid: u32| {
            let flags = (FlagAct::Add, Flags::SEEN, Keywords::default());
            write(&store, move |tx| tx.store_flags(inbox, &[uid], flags.0, flags.1, &flags.2, None))
        };
        seen(300).await;
        seen(301).await;
        assert_eq!(blocks(&store, inbox).await, 4);
        made(&store, inbox, 5).await;
        write(&store, move |tx| tx.expunge(inbox, &[255, 256], false)).await;
        assert_eq!(blocks(&store, inbox).await, 3);
        assert_eq!(opened(&store, inbox).await, rows(&store, inbox).await);
    });
}

#[test]
fn a_mailbox_that_is_deleted_leaves_none() {
    on_each_engine(async |store: Store| {
        let (inbox, other) = filled(&store, 1300).await;
        write(&store, move |tx| tx.copy(inbox, &(1..=1300).collect::<Vec<u32>>(), other, None)).await;
        made(&store, other, 5).await;
        write(&store, move |tx| tx.delete_mailbox(other)).await;
        assert_eq!(blocks(&store, other).await, 0);
    });
}

#[test]
fn after_any_history() {
    on_each_engine(async |store: Store| {
        let (inbox, other) = filled(&store, 1500).await;
        let (mut numbers, mut used) = (Numbers(0x5eed), 0);
        for round in 0..60 {
            let (from, to) = if numbers.below(4) == 0 { (other, inbox) } else { (inbox, other) };
            let held: Vec<u32> = rows(&store, from).await.iter().map(|entry| entry.uid).collect();
            let start = numbers.below(held.len().max(1));
            let uids: Vec<u32> =
                held.into_iter().skip(start).step_by(1 + numbers.below(40)).take(1 + numbers.below(90)).collect();
            let words = Keywords::new(["$Junk", "重要"].into_iter().take(numbers.below(3)));
            let (act, flags) = (numbers.below(6), Flags(numbers.below(32) as u32));
            write(&store, move |tx| match act {
                0 => tx.expunge(from, &uids, false).map(drop),
                1 => tx.move_to(from, &uids, to).map(drop),
                2 => tx.copy(from, &uids, to, None).map(drop),
                3 => tx.copy(from, &uids, from, None).map(drop),
                4 => tx.store_flags(from, &uids, FlagAct::Set, flags, &words, None).map(drop),
                _ => tx.store_flags(from, &uids, FlagAct::Add, flags, &words, None).map(drop),
            })
            .await;
            // Mailboxes that nobody opens for a while keep blocks from before.
            for mailbox in [inbox, other].into_iter().filter(|_| round % 3 == 0) {
                used = used.max(blocks(&store, mailbox).await);
                assert_eq!(opened(&store, mailbox).await, rows(&store, mailbox).await, "round {round}");
            }
        }
        assert!(used > 0, "no opening was by blocks");
        let other = store.clone();
        let check = move || other.check(ANN, TENANT, Level::Quick, false, &mut |_| ()).unwrap();
        assert_eq!(std::thread::spawn(check).join().unwrap().findings, []);
    });
}
