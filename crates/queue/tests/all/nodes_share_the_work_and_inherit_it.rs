use std::collections::BTreeSet;
use std::time::Duration;

use anser_base::Class;
use anser_queue::Outcome;
use anser_testkit::engines::World;

use crate::fixture::{Data, SCHEMAS, START, put, retry, runtime, settle};

fn on_postgres<F: Future<Output = ()>>(scenario: impl Fn(Data) -> F) {
    if let Some(world) = World::postgres(SCHEMAS) {
        runtime().block_on(scenario(Data::new(world.engine.clone())));
    }
}

#[test]
fn a_due_entry_goes_to_one_node_only() {
    on_postgres(|data| async move {
        let (one, two) = (data.queue().await, data.queue().await);
        for number in 0..50 {
            put(&one, &number.to_string()).await;
            let lease = one.next_due().await;
            settle(&one, &lease, retry(), START).await;
        }
        data.clock.advance(Duration::from_secs(60));
        let mut seen = BTreeSet::new();
        loop {
            let (a, b) = tokio::join!(one.try_next_due(), two.try_next_due());
            let leases = [(&one, a.unwrap()), (&two, b.unwrap())];
            if leases.iter().all(|(_, lease)| lease.is_none()) {
                break;
            }
            for (queue, lease) in leases {
                if let Some(lease) = lease {
                    assert!(seen.insert(lease.id), "handed out twice");
                    settle(queue, &lease, Outcome::Done, data.clock.now()).await;
                }
            }
        }
        assert_eq!(seen.len(), 50);
    });
}

#[test]
fn what_a_dead_node_held_passes_on_and_it_cannot_settle_any_more() {
    on_postgres(|data| async move {
        let (dead, alive) = (data.queue().await, data.queue().await);
        let id = put(&dead, "hello").await;
        let lease = dead.next_due().await;
        assert_eq!(alive.renew().await.unwrap(), 0);
        data.clock.advance(Duration::from_secs(40));
        assert_eq!(alive.renew().await.unwrap(), 0, "it may still be alive");
        data.clock.advance(Duration::from_secs(10));
        assert_eq!(alive.renew().await.unwrap(), 1);
        let inherited = alive.next_due().await;
        assert_eq!((inherited.id, inherited.redelivery), (id, true));
        let late = dead.settle(&lease, &lease.all_done(), Vec::new()).await;
        assert_eq!(late.unwrap_err().class, Class::Conflict);
        settle(&alive, &inherited, Outcome::Done, data.clock.now()).await;
    });
}

#[test]
fn a_node_that_stops_in_good_order_passes_its_work_on_at_once() {
    on_postgres(|data| async move {
        let (leaving, staying) = (data.queue().await, data.queue().await);
        let id = put(&leaving, "hello").await;
        leaving.close().await.unwrap();
        staying.wake();
        assert_eq!(staying.next_due().await.id, id);
    });
}

#[test]
fn a_node_that_starts_again_has_at_once_what_its_earlier_run_held() {
    on_postgres(|data| async move {
        let earlier = data.queue_of(Some("north")).await;
        put(&earlier, "held").await;
        let lease = earlier.next_due().await;
        let stranger = data.queue_of(Some("south")).await;
        assert!(stranger.try_next_due().await.unwrap().is_none());
        let again = data.queue_of(Some("north")).await;
        let inherited = again.try_next_due().await.unwrap().expect("the entry is free at once");
        assert_eq!(inherited.id, lease.id);
        assert!(inherited.redelivery);
        settle(&again, &inherited, Outcome::Done, START).await;
    });
}
