//! ID-7, case 48: a mailbox that imapsync, mbsync, offlineimap or the first deliveries have half filled. What is there is taken for what it
//! is, once each; the rest is brought.

use anser_base::{BlobId, Durability, TenantId, Timestamp};
use anser_store::{Flags, LedgerState, NewMessage};

use crate::fake::{Fake, Habits, Mail, folder, mail};
use crate::house::{ANN, House, each_house};

fn body(text: &str) -> Vec<u8> {
    format!("Received: from a.test\r\nSubject: {text}\r\n\r\n{text} body\r\n").into_bytes()
}

fn there(uid: u32, flags: &str, text: &str) -> Mail {
    Mail { body: body(text), ..mail(uid, flags, text) }
}

/// A message that something else has put into the inbox.
async fn put(house: &House, more: &str, text: &str, flags: Flags) {
    put_raw(house, [more.as_bytes(), &body(text)].concat(), flags).await;
}

async fn put_raw(house: &House, raw: Vec<u8>, flags: Flags) {
    let store = house.store.clone();
    let content = tokio::task::spawn_blocking(move || store.put_body(TenantId(1), &raw, Durability::Sync))
        .await
        .unwrap()
        .unwrap();
    house
        .change(move |tx| {
            let inbox = tx.inbox().unwrap().id;
            let message = NewMessage::new(content.clone(), inbox, Timestamp::from_secs(1_700_000_000));
            tx.append(&NewMessage { flags, ..message }).unwrap();
        })
        .await;
}

#[test]
fn a_mailbox_that_other_tools_half_filled_is_adopted() {
    each_house(async |house| {
        put(house, "", "same", Flags::default()).await;
        put(house, "X-TUID: 8yIJvRbsDnnY\r\n", "mbsync", Flags::FLAGGED).await;
        put(house, "Message-Id: <77@imapsync>\r\n", "imapsync", Flags::default()).await;
        put(house, "X-OfflineIMAP: 1-2\r\n -3\r\n", "offlineimap", Flags::default()).await;
        put(house, "Return-Path: <x@y>\r\nReceived: by here\r\n", "delivered", Flags::default()).await;
        put(house, "", "twins", Flags::default()).await;
        put(house, "", "only here", Flags::default()).await;
        let mails = vec![
            there(1, "\\Seen", "same"),
            there(2, "", "mbsync"),
            there(3, "", "imapsync"),
            there(4, "", "offlineimap"),
            there(5, "", "delivered"),
            there(6, "", "twins"),
            there(7, "", "twins"),
            there(8, "", "only there"),
        ];
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        let before = house.held().await.remove("INBOX").unwrap();
        for _ in 0..3 {
            house.settle(&fake, 1).await;
            let held = house.held().await.remove("INBOX").unwrap();
            let bodies: Vec<&[u8]> = held.iter().map(|one| &*one.4).collect();
            let mut wanted: Vec<Vec<u8>> = before.iter().map(|one| one.4.clone()).collect();
            wanted.extend([body("twins"), body("only there")]);
            assert_eq!(bodies, wanted, "what was here stays as it was, and what was missing came");
            // Flags of the source come to it, those of its owner stay.
            assert_eq!((Flags(held[0].1), Flags(held[1].1)), (Flags::SEEN, Flags::FLAGGED));
            let tally = house.store.read(ANN, |tx| tx.ledger_tally(1, None)).await.unwrap();
            let of = |state: LedgerState| tally.rows[state as usize];
            assert_eq!((of(LedgerState::Adopted), of(LedgerState::Copied)), (6, 2));
        }
        // What its owner removes is not brought again, though it came by no move.
        house
            .change(|tx| {
                let inbox = tx.inbox().unwrap().id;
                tx.expunge(inbox, &[1], false).unwrap();
            })
            .await;
        house.settle(&fake, 1).await;
        assert_eq!(house.held().await["INBOX"].len(), before.len() + 1);
    });
}

/// A message that its server writes anew for each that asks, with a boundary of its own.
fn parts(id: &str, boundary: &str) -> Vec<u8> {
    format!(
        "Message-ID: <{id}@x.test>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0800\r\nContent-Type: multipart/mixed; boundary={boundary}\r\n\r\n\
         --{boundary}\r\n\r\n{id}\r\n--{boundary}--\r\n"
    )
    .into_bytes()
}

#[test]
fn one_of_its_message_id_date_and_size_is_the_same_where_both_sides_have_one() {
    each_house(async |house| {
        // Here by a tool: one that is alone on both sides; one of a larger size; one of two there; two of one there.
        for raw in [
            parts("alone", "b1"),
            parts("longer", "b1b1"),
            parts("two", "b1"),
            parts("twice", "b1"),
            parts("twice", "b2"),
        ] {
            put_raw(house, raw, Flags::default()).await;
        }
        let there = |uid: u32, id: &str, boundary: &str| Mail { body: parts(id, boundary), ..mail(uid, "", id) };
        let mails = vec![
            there(1, "alone", "b9"),
            there(2, "longer", "b9"),
            there(3, "two", "b8"),
            there(4, "two", "b9"),
            there(5, "twice", "b9"),
        ];
        let fake = Fake::start(vec![folder("INBOX", mails.clone())], Habits::default());
        let before = house.held().await.remove("INBOX").unwrap();
        for _ in 0..2 {
            house.settle(&fake, 1).await;
            let held: Vec<Vec<u8>> = house.held().await.remove("INBOX").unwrap().into_iter().map(|one| one.4).collect();
            let mut wanted: Vec<Vec<u8>> = before.iter().map(|one| one.4.clone()).collect();
            wanted.extend(mails.iter().filter(|mail| mail.uid > 1).map(|mail| mail.body.clone()));
            assert_eq!(held, wanted, "only what is alone on both sides is taken for the same");
        }
        let tally = house.store.read(ANN, |tx| tx.ledger_tally(1, None)).await.unwrap();
        let of = |state: LedgerState| tally.rows[state as usize];
        assert_eq!((of(LedgerState::Adopted), of(LedgerState::Copied)), (1, 4));
    });
}

#[test]
fn what_was_read_once_is_not_read_again_by_a_pass_that_begins_anew() {
    each_house(async |house| {
        let more = "Return-Path: <x@y>\r\nReceived: by here\r\n";
        put(house, more, "delivered", Flags::default()).await;
        let mails = vec![there(1, "", "delivered"), there(2, "", "only there")];
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits { breaks: Some(1), ..Habits::default() });
        assert!(house.pass(&fake).await.is_err());
        // Whoever wants to read it again does not find it.
        let name = BlobId::of(&[more.as_bytes(), &body("delivered")].concat()).to_hex();
        house.lose_body(&name);
        fake.change(|state| state.habits.breaks = None);
        house.settle(&fake, 1).await;
        let tally = house.store.read(ANN, |tx| tx.ledger_tally(1, None)).await.unwrap();
        let of = |state: LedgerState| tally.rows[state as usize];
        assert_eq!((of(LedgerState::Adopted), of(LedgerState::Copied)), (1, 1));
    });
}
