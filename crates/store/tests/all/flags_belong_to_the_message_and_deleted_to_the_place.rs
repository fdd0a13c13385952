use anser_store::{FlagAct, Flags, Keywords, Role};

use crate::fixture::{append, inbox, mail, on_each_engine, read, write};

#[test]
fn a_message_in_two_mailboxes_has_one_set_of_flags() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let appended = append(&store, inbox, &mail("a", "", "s")).await;
        let (id, uid) = (appended.message, appended.places[0].2);
        let archive = read(&store, |tx| tx.mailbox_with_role(Role::Archive)).await.unwrap().id;
        let other = write(&store, move |tx| tx.add_place(id, archive)).await;
        let flags = Flags::SEEN.with(Flags::DELETED);
        write(&store, move |tx| tx.store_flags(inbox, &[uid], FlagAct::Add, flags, &Keywords::default(), None)).await;
        let twin = read(&store, move |tx| tx.entry(archive, other)).await.unwrap();
        assert!(twin.flags.has(Flags::SEEN) && !twin.flags.has(Flags::DELETED));
        let used = read(&store, |tx| Ok(tx.used())).await;
        assert_eq!(used, twin.size, "a message in two mailboxes counts once");
        write(&store, move |tx| tx.expunge(inbox, &[uid], true)).await;
        assert!(read(&store, move |tx| tx.message(id)).await.is_some());
        write(&store, move |tx| tx.expunge(archive, &[other], false)).await;
        assert!(read(&store, move |tx| tx.message(id)).await.is_none());
        assert_eq!(read(&store, |tx| Ok(tx.used())).await, 0);
    });
}

#[test]
fn unchanged_since_leaves_newer_messages_alone() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        append(&store, inbox, &mail("a", "", "s")).await;
        let modseq = read(&store, |tx| Ok(tx.state())).await;
        append(&store, inbox, &mail("b", "", "s")).await;
        let none = Keywords::default();
        let stored = write(&store, move |tx| {
            tx.store_flags(inbox, &[1, 2, 9], FlagAct::Set, Flags::FLAGGED, &none, Some(modseq))
        })
        .await;
        assert_eq!(stored.modified, [2]);
        assert_eq!(stored.entries.iter().map(|entry| entry.uid).collect::<Vec<_>>(), [1]);
    });
}

#[test]
fn a_keyword_keeps_the_case_in_which_it_was_first_set() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        append(&store, inbox, &mail("a", "", "s")).await;
        let [upper, lower] = ["$WORK", "$work"].map(|word| Keywords::new([word]));
        write(&store, move |tx| tx.store_flags(inbox, &[1], FlagAct::Add, Flags::default(), &upper, None)).await;
        let before = read(&store, move |tx| tx.entry(inbox, 1)).await;
        write(&store, move |tx| tx.store_flags(inbox, &[1], FlagAct::Set, Flags::default(), &lower, None)).await;
        assert_eq!(read(&store, move |tx| tx.entry(inbox, 1)).await, before, "nothing changed");
    });
}
