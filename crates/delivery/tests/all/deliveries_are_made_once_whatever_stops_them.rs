use std::time::Duration;

use anser_base::Clock;

use crate::house::{START, Site, envelope, message, on_each_site, runtime};

/// Longer than the first pause.
const LATER: Duration = Duration::from_secs(3600);

#[test]
fn a_crash_between_delivery_and_settlement_doubles_nothing() {
    on_each_site(|site| {
        let clock = Clock::manual(START);
        let first = runtime();
        first.block_on(async {
            let house = site.open(&clock, None).await.unwrap();
            house.furnish().await;
            house.put(envelope("x@far.test", &["ann@anser.test", "bob@anser.test"]), &message("once")).await;
            let _running = house.start();
            while house.mail("bob@anser.test").await.is_empty() {
                tokio::task::yield_now().await;
            }
            assert_eq!(house.waiting().await.len(), 1, "it is not settled yet");
        });
        drop(first);
        runtime().block_on(async {
            let house = site.open(&clock, None).await.unwrap();
            house.delivery.recover().await.unwrap();
            house.run_after(LATER).await;
            for who in ["ann@anser.test", "bob@anser.test"] {
                assert_eq!(house.mail(who).await.len(), 1, "{who}");
            }
            assert!(house.waiting().await.is_empty());
        });
    });
}

#[test]
fn uids_that_a_client_may_have_seen_are_not_used_again() {
    let site = Site::embedded();
    let clock = Clock::manual(START);
    runtime().block_on(async {
        let house = site.open(&clock, None).await.unwrap();
        house.furnish().await;
        house.put(envelope("x@far.test", &["ann@anser.test"]), &message("one")).await;
        house.run().await;
        assert_eq!(house.inbox("ann@anser.test").await[0].0, 1);
        house.put(envelope("x@far.test", &["ann@anser.test", "bob@anser.test"]), &message("two")).await;
        house.put(envelope("x@far.test", &["ann@anser.test"]), &message("three")).await;
        // They may have been delivered and shown as 2 and 3, but the file forgot it.
        while let Some(lease) = house.queue.try_next_due().await.unwrap() {
            std::mem::forget(lease);
        }
    });
    runtime().block_on(async {
        let house = site.open(&clock, None).await.unwrap();
        house.delivery.recover().await.unwrap();
        house.run_after(LATER).await;
        let uids = |mail: Vec<(u32, String)>| mail.into_iter().map(|(uid, _)| uid).collect::<Vec<_>>();
        assert_eq!(uids(house.inbox("ann@anser.test").await), [1, 4, 5]);
        assert_eq!(uids(house.inbox("bob@anser.test").await), [2]);
    });
}
