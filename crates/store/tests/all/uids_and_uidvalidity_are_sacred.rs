use anser_base::{Class, Timestamp};
use anser_store::NewMessage;

use crate::fixture::{append, content, inbox, mail, on_each_engine, read, write};

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
