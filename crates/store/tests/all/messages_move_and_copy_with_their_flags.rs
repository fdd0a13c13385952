use anser_store::{Action, FlagAct, Flags, Keywords, LogPoint, Logged, Object, Role};

use crate::fixture::{append, inbox, mail, on_each_engine, read, write};

#[test]
fn a_copy_is_a_message_of_its_own_and_a_move_is_not() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let first = append(&store, inbox, &mail("a", "", "s")).await;
        append(&store, inbox, &mail("b", "", "s")).await;
        let words = Keywords::new(["k"]);
        write(&store, move |tx| tx.store_flags(inbox, &[1], FlagAct::Add, Flags::ANSWERED, &words, None)).await;
        let sent = read(&store, |tx| tx.mailbox_with_role(Role::Sent)).await.unwrap().id;
        let state = read(&store, |tx| Ok(tx.state())).await;
        assert_eq!(write(&store, move |tx| tx.copy(inbox, &[1, 7], sent, None)).await, [(1, 1)]);
        let copy = read(&store, move |tx| tx.entry(sent, 1)).await.unwrap();
        assert!(copy.flags.has(Flags::ANSWERED) && copy.keywords.has("K") && copy.message != first.message);
        assert_eq!(write(&store, move |tx| tx.move_to(inbox, &[1, 2], sent)).await, [(1, 2), (2, 3)]);
        let moved = read(&store, move |tx| tx.entry(sent, 2)).await.unwrap();
        assert_eq!(moved.message, first.message);
        assert_eq!(read(&store, move |tx| tx.vanished_since(inbox, state)).await, [(1, 2)]);
        let since = LogPoint::after(state);
        let log = read(&store, move |tx| tx.logged_after(since, Logged::Messages, 100)).await.unwrap();
        let about_first: Vec<Action> =
            log.iter().filter(|line| line.object == Object::Message(first.message)).map(|line| line.action).collect();
        assert_eq!(about_first, [Action::Updated]);
        let counts = read(&store, move |tx| Ok((tx.mailbox(inbox)?.total, tx.mailbox(sent)?.total))).await;
        assert_eq!(counts, (0, 3));
    });
}

#[test]
fn a_message_that_moved_within_its_mailbox_is_read_under_both_uids() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let first = append(&store, inbox, &mail("a", "", "s")).await.message;
        let other = append(&store, inbox, &mail("b", "", "s")).await.message;
        assert_eq!(write(&store, move |tx| tx.move_to(inbox, &[1], inbox)).await, [(1, 3)]);
        let asked = [first, other, first, anser_base::MessageId(99)];
        let found = read(&store, move |tx| tx.messages_of(&asked)).await;
        let ids: Vec<_> = found.iter().map(|message| message.as_ref().map(|message| message.id)).collect();
        assert_eq!(ids, [Some(first), Some(other), Some(first), None]);
    });
}

#[test]
fn one_moves_to_the_uid_that_is_asked_for() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        for text in ["a", "b", "c"] {
            append(&store, inbox, &mail(text, "", "s")).await;
        }
        let sent = read(&store, |tx| tx.mailbox_with_role(Role::Sent)).await.unwrap().id;
        assert_eq!(write(&store, move |tx| tx.move_at(inbox, 1, sent, Some(7))).await, Some(7));
        assert_eq!(write(&store, move |tx| tx.move_at(inbox, 1, sent, Some(9))).await, None);
        // Given out, or passed over: the next one.
        assert_eq!(write(&store, move |tx| tx.move_at(inbox, 2, sent, Some(7))).await, Some(8));
        assert_eq!(write(&store, move |tx| tx.move_at(inbox, 3, sent, None)).await, Some(9));
        assert_eq!(read(&store, move |tx| Ok((tx.mailbox(inbox)?.total, tx.mailbox(sent)?.total))).await, (0, 3));
    });
}

#[test]
fn quota_stops_appends_and_copies() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        append(&store, inbox, &mail("a", "", "s")).await;
        let used = read(&store, |tx| Ok(tx.used())).await;
        let refused = write(&store, move |tx| Ok(tx.copy(inbox, &[1], inbox, Some(used)).unwrap_err().class)).await;
        assert_eq!(refused, anser_base::Class::OverQuota);
        assert_eq!(write(&store, move |tx| tx.copy(inbox, &[1], inbox, Some(used * 2))).await, [(1, 2)]);
    });
}
