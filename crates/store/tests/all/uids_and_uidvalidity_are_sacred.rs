use anser_base::{Class, Result, Timestamp};
use anser_store::NewMessage;

use crate::fixture::{ANN, append, content, inbox, mail, on_each_engine, read, write};

#[test]
fn a_uid_is_never_given_twice() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        for wanted in 1..=3 {
            assert_eq!(append(&store, inbox, &mail("a", "", "s")).await.places[0].2, wanted);
        }
        write(&store, move |tx| tx.expunge(inbox, &[2, 3], false)).await;
        assert_eq!(append(&store, inbox, &mail("a", "", "s")).await.places[0].2, 4);
    });
}

#[test]
fn a_move_keeps_uidvalidity_uids_and_uidl() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        write(&store, move |tx| tx.set_uidvalidity(inbox, 1_234_567, 500)).await;
        let new = NewMessage {
            uid: Some(612),
            uidl: Some("old.server.UIDL-9".into()),
            ..NewMessage::new(content(&store, &mail("a", "", "s")), inbox, Timestamp(0))
        };
        let appended = write(&store, move |tx| tx.append(&new)).await.unwrap();
        assert_eq!(appended.places, [(inbox, 1_234_567, 612)]);
        let message = read(&store, move |tx| tx.message(appended.message)).await.unwrap();
        assert_eq!(message.uidl.as_deref(), Some("old.server.UIDL-9"));
        assert_eq!(append(&store, inbox, &mail("b", "", "s")).await.places[0].2, 613);
        let late = write(&store, move |tx| Ok(tx.set_uidvalidity(inbox, 9, 1).unwrap_err().class)).await;
        assert_eq!(late, Class::Conflict);
    });
}

#[test]
fn older_messages_take_their_reserved_uids_while_nobody_counts_by_them() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        write(&store, move |tx| tx.set_uidvalidity(inbox, 7, 1)).await;
        assert!(write(&store, move |tx| tx.reserve_uids(inbox, 2_000)).await);
        let bring = async |uid: u32| {
            let content = content(&store, &mail("a", "", "s"));
            let new = NewMessage { uid: Some(uid), ..NewMessage::new(content, inbox, Timestamp(0)) };
            write(&store, move |tx| tx.append(&new)).await.unwrap().places[0].2
        };
        let body = content(&store, &mail("a", "", "s"));
        let many = write(&store, move |tx| {
            let one = |uid| NewMessage { uid: Some(uid), ..NewMessage::new(body.clone(), inbox, Timestamp(0)) };
            (500..2_000).rev().map(|uid| Ok(tx.append(&one(uid))?.unwrap().places[0].2)).collect::<Result<Vec<_>>>()
        });
        assert_eq!(many.await, (500..2_000).rev().collect::<Vec<_>>());
        assert!(store.snapshot(ANN, inbox).await.unwrap().is_filling);
        // Blocks of the list were made by now; more comes in between.
        assert_eq!(bring(499).await, 499);
        let uids: Vec<u32> = store.snapshot(ANN, inbox).await.unwrap().iter().map(|entry| entry.uid).collect();
        assert_eq!(uids, (499..2_000).collect::<Vec<_>>());
        // A UID names one message, for ever.
        assert_eq!(bring(1_999).await, 2_000);
        write(&store, move |tx| tx.expunge(inbox, &[700], false)).await;
        assert_eq!(bring(700).await, 2_001);
        assert!(
            !write(&store, move |tx| tx.reserve_uids(inbox, 3_000)).await,
            "other messages came: it stays as long as it is, and what is beyond comes in order"
        );
        assert!(write(&store, move |tx| tx.reserve_uids(inbox, 2_000)).await);
        assert_eq!(bring(2_500).await, 2_500);
        write(&store, move |tx| tx.release_uids(inbox)).await;
        assert_eq!(bring(300).await, 2_501, "what was not taken in time is given to nobody");
        assert!(!store.snapshot(ANN, inbox).await.unwrap().is_filling);
    });
}
