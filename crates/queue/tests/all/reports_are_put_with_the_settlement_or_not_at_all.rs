use anser_base::Class;
use anser_queue::{Act, Outcome, Submission};

use crate::fixture::{START, body, envelope, on_each_engine, put, settle, text_of};

#[test]
fn a_failed_message_leaves_and_its_report_comes_in_one_step() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        put(&queue, "hello").await;
        let lease = queue.next_due().await;
        let plan = lease.plan([(0, Outcome::Fail { why: "550 no".into() })], START);
        let report = Submission { envelope: envelope(&["bob@anser.test"]), body: body("sorry") };
        let ids = queue.settle(&lease, &plan, vec![report]).await.unwrap();
        let next = queue.next_due().await;
        assert_eq!((vec![next.id], text_of(&next)), (ids, "sorry"));
        settle(&queue, &next, Outcome::Done, START).await;
    });
}

#[test]
fn a_lost_lease_reports_nothing() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let id = put(&queue, "hello").await;
        let lease = queue.next_due().await;
        queue.act(id, &Act::Remove).await.unwrap();
        let report = Submission { envelope: envelope(&["bob@anser.test"]), body: body("sorry") };
        let outcome = queue.settle(&lease, &lease.all_done(), vec![report]).await;
        assert_eq!(outcome.unwrap_err().class, Class::Conflict);
        assert!(queue.try_next_due().await.unwrap().is_none());
        assert_eq!(queue.counts().await.unwrap().fresh, 0);
    });
}
