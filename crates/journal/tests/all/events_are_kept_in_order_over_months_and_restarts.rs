use std::time::Duration;

use anser_journal::{Query, Verdict};

use crate::fixture::{START, accepted, delivered, on_each_engine, started};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn the_chain_goes_on_over_months_years_and_restarts() {
    on_each_engine(|data| async move {
        for (round, pause) in [0, 3, 9, 0, 40, 400].into_iter().enumerate() {
            data.clock.advance(DAY * pause);
            let journal = data.journal().await;
            journal.append(accepted(round as u64, "same@far.test", "ann@anser.test")).await.unwrap();
            data.clock.advance(DAY);
            journal.append(delivered(round as u64, "ann@anser.test")).await.unwrap();
            journal.close().await.unwrap();
        }
        let journal = data.journal().await;
        assert_eq!(journal.verify().await.unwrap(), Verdict { events: 12, broken: None });
        let events = journal.trace(Query::Address("ann@anser.test".into()), 100).await.unwrap();
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
        assert!(events.is_sorted_by_key(|event| event.at));
        assert_eq!(events[0].at, START);
    });
}

#[test]
fn a_clock_that_goes_back_breaks_nothing() {
    on_each_engine(|data| async move {
        let journal = data.journal().await;
        data.clock.advance(DAY * 30);
        journal.append(started()).await.unwrap();
        journal.close().await.unwrap();
        drop(journal);
        let mut earlier = data.clone();
        earlier.clock = anser_base::Clock::manual(START);
        let journal = earlier.journal().await;
        journal.append_durable(started()).await.unwrap();
        assert_eq!(journal.verify().await.unwrap(), Verdict { events: 2, broken: None });
    });
}

#[test]
fn every_node_has_its_own_chain() {
    on_each_engine(|data| async move {
        if matches!(data.engine, anser_db::Engine::Embedded(_)) {
            return;
        }
        let (one, two) = (data.journal_of(1).await, data.journal_of(2).await);
        for entry in 0..100 {
            one.append(accepted(entry, "m@far.test", "ann@anser.test")).await.unwrap();
            two.append(delivered(entry, "ann@anser.test")).await.unwrap();
        }
        one.flush().await.unwrap();
        two.flush().await.unwrap();
        assert_eq!(two.verify().await.unwrap(), Verdict { events: 200, broken: None });
        let events = two.trace(Query::Message("m@far.test".into()), 1000).await.unwrap();
        assert_eq!(events.len(), 200);
    });
}
