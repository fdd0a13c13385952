use std::time::Duration;

use anser_base::EntryId;
use anser_journal::{Entry, Event, Journal, Origin, Query, What};

use crate::fixture::{accepted, delivered, on_each_engine};

const DAY: Duration = Duration::from_secs(86_400);

fn kinds(events: &[Event]) -> Vec<&'static str> {
    let kind = |event: &Event| match event.what {
        What::Accepted { .. } => "accepted",
        What::Delivered { .. } => "delivered",
        What::Deferred { .. } => "deferred",
        What::Failed { .. } => "failed",
        What::Login { .. } => "login",
        _ => "other",
    };
    events.iter().map(kind).collect()
}

async fn trace(journal: &Journal, query: &str) -> Vec<Event> {
    journal.flush().await.unwrap();
    journal.trace(Query::parse(query), 100).await.unwrap()
}

#[test]
fn a_message_is_followed_to_its_end_over_months() {
    on_each_engine(|data| async move {
        let journal = data.journal().await;
        let recipient = "ann@anser.test".to_owned();
        journal.append(accepted(5, "one@far.test", "Ann@anser.test")).await.unwrap();
        journal.append(accepted(6, "other@far.test", "ben@anser.test")).await.unwrap();
        journal.append(delivered(6, "ben@anser.test")).await.unwrap();
        data.clock.advance(DAY * 11);
        let deferred =
            What::Deferred { entry: EntryId(5), recipient: recipient.clone(), host: None, why: "451".into(), next: 0 };
        journal.append(Entry { origin: Origin::internal(), what: deferred }).await.unwrap();
        data.clock.advance(DAY * 31);
        let report = Some(EntryId(9));
        let failed = What::Failed { entry: EntryId(5), recipient, host: None, why: "550".into(), report };
        journal.append(Entry { origin: Origin::internal(), what: failed }).await.unwrap();
        let mut bounce = accepted(9, "report@anser.test", "bob@far.test");
        if let What::Accepted { parent, sender, .. } = &mut bounce.what {
            (*parent, *sender) = (Some(EntryId(5)), String::new());
        }
        journal.append(bounce).await.unwrap();
        journal.append(delivered(9, "bob@far.test")).await.unwrap();

        let life = ["accepted", "deferred", "failed", "accepted", "delivered"];
        assert_eq!(kinds(&trace(&journal, "<one@far.test>").await), life);
        assert_eq!(kinds(&trace(&journal, "one@far.test").await), life);
        assert_eq!(kinds(&trace(&journal, "5").await), life);
        assert_eq!(kinds(&trace(&journal, "ANN@anser.test").await), ["accepted", "deferred", "failed"]);
        assert_eq!(kinds(&trace(&journal, "nobody@anser.test").await), [""; 0]);
        let newest = journal.trace(Query::Address("bob@far.test".into()), 2).await.unwrap();
        assert_eq!(kinds(&newest), ["accepted", "delivered"]);
    });
}

#[test]
fn old_events_are_found_through_the_index() {
    on_each_engine(|data| async move {
        let journal = data.journal().await;
        for entry in 0..5000 {
            journal
                .append(accepted(entry, &format!("{entry}@far.test"), &format!("u{}@anser.test", entry % 50)))
                .await
                .unwrap();
            journal.append(delivered(entry, &format!("u{}@anser.test", entry % 50))).await.unwrap();
        }
        for entry in [0, 2047, 2048, 4095, 4999] {
            let life = trace(&journal, &format!("<{entry}@far.test>")).await;
            assert_eq!(kinds(&life), ["accepted", "delivered"], "{entry}");
        }
        let all = journal.trace(Query::Address("u7@anser.test".into()), 1000).await.unwrap();
        assert_eq!(all.len(), 200);
        assert!(all.is_sorted_by_key(|event| event.seq));
        let newest = journal.trace(Query::Address("u7@anser.test".into()), 3).await.unwrap();
        assert_eq!(newest[..], all[197..]);
    });
}
