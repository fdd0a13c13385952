use anser_base::{EntryId, Timestamp};
use anser_store::NewMessage;

use crate::fixture::{content, inbox, mail, on_each_engine, read, write};

#[test]
fn the_same_entry_is_stored_once_even_after_the_user_deleted_it() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let new = NewMessage {
            delivery: Some(EntryId(42)),
            ..NewMessage::new(content(&store, &mail("a", "", "s")), inbox, Timestamp(0))
        };
        let again = new.clone();
        let uid = write(&store, move |tx| tx.append(&new)).await.unwrap().places[0].2;
        assert!(read(&store, |tx| tx.was_delivered(EntryId(42))).await);
        let second = again.clone();
        assert_eq!(write(&store, move |tx| tx.append(&second)).await, None);
        write(&store, move |tx| tx.expunge(inbox, &[uid], false)).await;
        assert_eq!(write(&store, move |tx| tx.append(&again)).await, None);
        assert_eq!(store.snapshot(crate::fixture::ANN, inbox).await.unwrap().len(), 0);
    });
}

#[test]
fn lost_deliveries_leave_a_gap_and_never_share_a_uid_or_a_number() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let before = read(&store, move |tx| Ok(tx.mailbox(inbox)?.clone())).await;
        let first = crate::fixture::append(&store, inbox, &mail("a", "", "s")).await;
        write(&store, |tx| tx.skip_lost(10)).await;
        let next = crate::fixture::append(&store, inbox, &mail("b", "", "s")).await;
        assert_eq!(next.places[0].2, first.places[0].2 + 11);
        assert!(next.message.0 > first.message.0 + 10, "an EMAILID names one message for ever");
        let vanished = read(&store, move |tx| tx.vanished_since(inbox, before.modseq + 9)).await;
        assert_eq!(vanished, [(before.uidnext + 1, before.uidnext + 10)]);
    });
}
