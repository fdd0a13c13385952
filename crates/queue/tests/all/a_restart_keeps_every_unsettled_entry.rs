use anser_queue::{Outcome, Settlement};

use crate::fixture::{START, envelope, on_each_engine, put, retry, settle, text_of};

#[test]
fn what_was_in_somebodys_hands_is_waiting_again_and_marked() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let done = put(&queue, "done").await;
        let lease = queue.next_due().await;
        settle(&queue, &lease, Outcome::Done, START).await;
        let held = put(&queue, "in hand").await;
        let in_hand = queue.next_due().await;
        let unread = put(&queue, "unread").await;
        // The machine stops: nobody settles, nobody gives back.
        queue.close().await.unwrap();
        drop(in_hand);
        drop(queue);

        let queue = data.queue().await;
        let recovered = queue.recovered(None).await.unwrap();
        let to = |id| (id, envelope(&["ann@anser.test"]).recipients.into_iter().map(|to| to.address).collect());
        assert_eq!(recovered, [to(held), to(unread)]);
        assert_eq!(queue.recovered(Some(unread)).await.unwrap(), []);
        let mut back = Vec::new();
        while let Some(lease) = queue.try_next_due().await.unwrap() {
            back.push((lease.id, text_of(&lease).to_owned(), lease.redelivery));
            queue.settle_after_sync(&[Settlement::done(lease)]).await.unwrap();
        }
        assert_eq!(back, [(held, "in hand".into(), true), (unread, "unread".into(), true)]);
        assert!(put(&queue, "new").await > unread.max(done), "numbers are not used again");
        assert!(!queue.next_due().await.redelivery);
    });
}

#[test]
fn progress_of_each_recipient_is_kept() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let sent = envelope(&["ann@anser.test", "ben@far.test", "cat@far.test"]);
        queue.put(sent, crate::fixture::body("to three")).await.unwrap();
        let lease = queue.next_due().await;
        let plan = lease.plan([(0, Outcome::Done), (1, retry())], START);
        queue.settle(&lease, &plan, Vec::new()).await.unwrap();
        drop(lease);
        queue.close().await.unwrap();
        drop(queue);

        let queue = data.queue().await;
        let lease = queue.next_due().await;
        let due: Vec<usize> = lease.due(START).map(|(index, _)| index).collect();
        assert_eq!(due, [2], "the first is done, the second waits for its time");
        assert_eq!(text_of(&lease), "to three");
        settle(&queue, &lease, Outcome::Done, START).await;
        assert!(queue.show(lease.id).await.is_err());
    });
}
