use crate::fixture::{append, inbox, mail, on_each_engine, read, write};

#[test]
fn replies_join_whatever_the_order_of_arrival() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let reply = append(&store, inbox, &mail("b", "<a>", "Re: 预算")).await.message;
        let start = append(&store, inbox, &mail("a", "", "预算")).await.message;
        let other = append(&store, inbox, &mail("c", "<a>", "another matter")).await.message;
        let threads = read(&store, move |tx| {
            [reply, start, other]
                .into_iter()
                .map(|id| Ok(tx.message(id)?.unwrap().thread))
                .collect::<Result<Vec<_>, _>>()
        })
        .await;
        assert_eq!(threads[0], threads[1]);
        assert_ne!(threads[0], threads[2]);
        let thread = threads[0];
        assert_eq!(read(&store, move |tx| tx.thread(thread)).await, [reply, start]);
        write(&store, move |tx| tx.expunge(inbox, &[1, 2], false)).await;
        assert!(read(&store, move |tx| tx.thread(thread)).await.is_empty());
        let later = append(&store, inbox, &mail("d", "<a>", "Re: 预算")).await.message;
        let fresh = read(&store, move |tx| Ok(tx.message(later)?.unwrap().thread)).await;
        assert_ne!(fresh, thread);
    });
}

#[test]
fn a_conversation_that_ended_takes_no_new_message() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        append(&store, inbox, &mail("a", "", "s")).await;
        let reply = append(&store, inbox, &mail("b", "<a>", "Re: s")).await.message;
        let ended = read(&store, move |tx| Ok(tx.message(reply)?.unwrap().thread)).await;
        write(&store, move |tx| tx.expunge(inbox, &[2], false)).await;
        write(&store, move |tx| tx.expunge(inbox, &[1], false)).await;
        let late = append(&store, inbox, &mail("c", "<b>", "Re: s")).await.message;
        assert_ne!(read(&store, move |tx| Ok(tx.message(late)?.unwrap().thread)).await, ended);
    });
}
