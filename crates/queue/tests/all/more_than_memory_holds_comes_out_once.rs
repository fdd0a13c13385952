use std::collections::BTreeSet;

use anser_base::EntryId;
use anser_queue::Settlement;
use tokio::task::JoinSet;

use crate::fixture::{body, envelope, on_each_engine, text_of};

/// More than the list of ready entries holds.
const MANY: usize = 2500;

#[test]
fn entries_beyond_the_list_are_read_from_the_tables() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        assert!(queue.try_next_due().await.unwrap().is_none());
        let mut puts = JoinSet::new();
        for number in 0..MANY {
            let queue = queue.clone();
            puts.spawn(
                async move { queue.put(envelope(&["ann@anser.test"]), body(&number.to_string())).await.unwrap() },
            );
        }
        let put: BTreeSet<EntryId> = puts.join_all().await.into_iter().collect();
        assert_eq!(put.len(), MANY);
        let counts = queue.counts().await.unwrap();
        assert!(counts.fresh == MANY as u64 && counts.ready < MANY as u64, "{counts:?}");

        let (mut seen, mut texts) = (BTreeSet::new(), BTreeSet::new());
        while let Some(lease) = queue.try_next_due().await.unwrap() {
            assert!(seen.insert(lease.id), "handed out twice");
            texts.insert(text_of(&lease).to_owned());
            assert!(!lease.redelivery);
            queue.settle_after_sync(&[Settlement::done(lease)]).await.unwrap();
        }
        assert_eq!((seen, texts.len()), (put, MANY));
        assert_eq!(queue.counts().await.unwrap().fresh, 0);
    });
}
