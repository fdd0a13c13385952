use std::time::Duration;

use anser_queue::Outcome;

use crate::fixture::{START, on_each_engine, put, settle};

#[test]
fn a_courier_that_panics_does_not_take_the_message_with_it() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let id = put(&queue, "hello").await;
        drop(queue.next_due().await);
        // The write that gives it back goes before every later one of this queue, or is seen at the next look.
        while queue.show(id).await.unwrap().progress[0].attempts == 0 {
            tokio::task::yield_now().await;
        }
        assert!(queue.try_next_due().await.unwrap().is_none(), "not at once, or a bad message would keep it spinning");
        data.clock.advance(Duration::from_secs(60));
        let lease = queue.next_due().await;
        assert_eq!((lease.id, lease.redelivery), (id, true));
        settle(&queue, &lease, Outcome::Done, START).await;
    });
}

#[test]
fn nobody_settles_twice() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        put(&queue, "hello").await;
        let lease = queue.next_due().await;
        settle(&queue, &lease, Outcome::Done, START).await;
        let again = queue.settle(&lease, &lease.all_done(), Vec::new()).await;
        assert_eq!(again.unwrap_err().class, anser_base::Class::Conflict);
    });
}
