use std::time::Duration;

use anser_base::Timestamp;
use anser_queue::{Change, EXPIRY, INTERVALS, Outcome, Plan, State};

use crate::fixture::{START, body, envelope, on_each_engine, put, retry, settle};

#[test]
fn pauses_grow_lateness_is_reported_once_and_time_runs_out() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        put(&queue, "hello").await;
        let (mut pauses, mut late) = (Vec::new(), Vec::new());
        loop {
            let now = data.clock.now();
            let lease = queue.try_next_due().await.unwrap().expect("it is due");
            let plan: Plan = lease.plan([(0, retry())], now);
            queue.settle(&lease, &plan, Vec::new()).await.unwrap();
            match plan.changes[0].1 {
                Change::Retry { at, late: is_late } => {
                    pauses.push(at.since(now).as_secs() / 60);
                    late.extend(is_late.then_some(now.since(START)));
                    data.clock.advance(at.since(now));
                }
                other => {
                    assert_eq!(other, Change::Expired);
                    break;
                }
            }
        }
        assert_eq!(pauses[..INTERVALS.len()], INTERVALS);
        assert_eq!(pauses.iter().sum::<u64>(), EXPIRY.as_secs() / 60, "the last attempt is made at the end");
        assert_eq!(late.len(), 1);
        assert!(late[0] >= Duration::from_secs(4 * 3600) && late[0] < Duration::from_secs(9 * 3600));
        assert_eq!(queue.counts().await.unwrap().waiting, 0);
    });
}

#[test]
fn the_couriers_own_pause_counts_and_failure_is_final() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let id = queue.put(envelope(&["ann@anser.test", "ben@far.test"]), body("x")).await.unwrap();
        let lease = queue.next_due().await;
        let pause = Outcome::Retry { after: Some(Duration::from_secs(7)), why: "greylisted".into() };
        let plan = lease.plan([(0, pause), (1, Outcome::Fail { why: "550 no".into() })], START);
        queue.settle(&lease, &plan, Vec::new()).await.unwrap();
        let listed = queue.show(id).await.unwrap();
        assert_eq!(listed.due, Some(START.after(Duration::from_secs(7))));
        assert_eq!(listed.progress[0].why.as_deref(), Some("greylisted"));
        assert_eq!((listed.progress[0].state, listed.progress[1].state), (State::Waiting, State::Failed));
        data.clock.advance(Duration::from_secs(7));
        let lease = queue.next_due().await;
        assert_eq!(lease.due(data.clock.now()).count(), 1);
        settle(&queue, &lease, Outcome::Done, data.clock.now()).await;
    });
}

#[test]
fn scheduled_mail_waits_for_its_time() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let mut later = envelope(&["ann@anser.test"]);
        later.not_before = Some(Timestamp(START.0 + 5000));
        let id = queue.put(later, body("later")).await.unwrap();
        assert!(queue.try_next_due().await.unwrap().is_none());
        data.clock.advance(Duration::from_secs(5));
        let lease = queue.next_due().await;
        assert_eq!((lease.id, crate::fixture::text_of(&lease)), (id, "later"));
        settle(&queue, &lease, Outcome::Done, data.clock.now()).await;
    });
}
