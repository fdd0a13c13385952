//! A page looks at so much and no more: it may be short, and the pages together hold everything once.

use std::time::Duration;

use anser_base::AccountId;
use anser_db::Engine;
use anser_journal::{Event, Journal, Mark, What};

use crate::fixture::{Data, accepted, delivered, on_each_engine};

const ANN: AccountId = AccountId(7);

/// All pages, the number of messages of each.
async fn pages(journal: &Journal, wanted: impl Fn(u64) -> bool + Copy + Send + Sync + 'static) -> Vec<Vec<u64>> {
    journal.flush().await.unwrap();
    let number = |event: &Event| match event.what {
        What::Delivered { message, .. } => message.0,
        _ => unreachable!(),
    };
    let is = move |event: &Event| matches!(&event.what, What::Delivered { .. }) && wanted(number(event));
    let (mut all, mut before) = (Vec::new(), None::<Mark>);
    loop {
        let page = journal.leaf(ANN, &["ann@anser.test".into()], is, before, 10).await.unwrap();
        all.push(page.events.iter().map(number).collect());
        before = page.next.map(|mark| mark.to_string().parse().unwrap());
        if before.is_none() {
            return all;
        }
    }
}

async fn deliver(journal: &Journal, numbers: impl Iterator<Item = u64>) {
    for number in numbers {
        journal.append(delivered(number, "ann@anser.test")).await.unwrap();
    }
}

#[test]
fn what_is_rare_is_found_behind_much_else() {
    on_each_engine(|data| async move {
        let journal = data.journal().await;
        deliver(&journal, 1..=3).await;
        // Another's, which nobody looks at.
        for number in 0..3000 {
            journal.append(accepted(number, "x@far.test", "bob@anser.test")).await.unwrap();
        }
        deliver(&journal, 4..=24_000).await;
        let found = pages(&journal, |number| number <= 3 || number == 23_000).await;
        assert_eq!(found.concat(), [23_000, 3, 2, 1]);
        assert!(found.len() > 1, "24,000 events are more than one page looks at: {} pages", found.len());
        let every = pages(&journal, |number| number % 1000 == 0).await;
        assert_eq!(every.concat(), (1..=24).rev().map(|number| number * 1000).collect::<Vec<_>>());
    });
}

#[test]
fn pages_go_on_over_months_with_what_came_meanwhile_left_out() {
    on_each_engine(|data| async move {
        let journal = data.journal().await;
        for month in 0..4 {
            deliver(&journal, month * 15 + 1..=month * 15 + 15).await;
            data.clock.advance(Duration::from_secs(31 * 86_400));
        }
        let found = pages(&journal, |_| true).await;
        assert_eq!(found.concat(), (1..=60).rev().collect::<Vec<_>>());
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [10; 6], "a full page follows a full one");
        let first = journal.leaf(ANN, &[], |_| true, None, 10).await.unwrap();
        deliver(&journal, 61..=70).await;
        journal.flush().await.unwrap();
        let second = journal.leaf(ANN, &[], |_| true, first.next, 10).await.unwrap();
        let numbers = second.events.iter().map(|event| match event.what {
            What::Delivered { message, .. } => message.0,
            _ => 0,
        });
        assert_eq!(numbers.collect::<Vec<_>>(), (41..=50).rev().collect::<Vec<_>>());
    });
}

#[test]
fn events_of_all_nodes_come_by_their_time() {
    on_each_engine(|data| async move {
        if matches!(data.engine, Engine::Embedded(_)) {
            return one_node_after_the_other(data).await;
        }
        let (one, two) = (data.journal_of(0).await, data.journal_of(3).await);
        for number in 1..=40 {
            let journal = if number % 3 == 0 { &two } else { &one };
            journal.append(delivered(number, "ann@anser.test")).await.unwrap();
            data.clock.advance(Duration::from_secs(1));
        }
        one.flush().await.unwrap();
        two.flush().await.unwrap();
        let found = pages(&one, |_| true).await;
        assert_eq!(found.concat(), (1..=40).rev().collect::<Vec<_>>());
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [10; 4]);
    });
}

/// A data folder belongs to one server, which may be given another number.
async fn one_node_after_the_other(data: Data) {
    for (node, numbers) in [(0, 1..=15), (3, 16..=40)] {
        let journal = data.journal_of(node).await;
        for number in numbers {
            journal.append(delivered(number, "ann@anser.test")).await.unwrap();
            data.clock.advance(Duration::from_secs(1));
        }
        journal.close().await.unwrap();
    }
    let found = pages(&data.journal_of(3).await, |_| true).await;
    assert_eq!(found.concat(), (1..=40).rev().collect::<Vec<_>>());
}
