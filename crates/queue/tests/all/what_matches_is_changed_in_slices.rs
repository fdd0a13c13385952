//! Operators mean entries by sender, domain, age and what was said of them, and change all of them, however many there are.

use std::time::Duration;

use anser_queue::{Act, Envelope, Filter, Outcome, Queue};

use crate::fixture::{START, body, envelope, on_each_engine, settle};

/// Entries that wait, one for each recipient and what was said of it.
async fn deferred(queue: &Queue, all: &[(&str, &str)]) {
    for (recipient, why) in all {
        queue.put(envelope(&[recipient]), body(recipient)).await.unwrap();
        let lease = queue.next_due().await;
        settle(queue, &lease, Outcome::Retry { after: None, why: (*why).into() }, START).await;
    }
}

/// Who is meant.
async fn meant(queue: &Queue, filter: Filter) -> Vec<String> {
    let found = queue.list(filter, None, 100).await.unwrap().entries;
    found.iter().map(|entry| entry.envelope.recipients[0].address.to_string()).collect()
}

#[test]
fn domain_age_and_explanation_tell_entries_apart() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let all =
            [("a@far.test", "4.4.1 no answer"), ("b@x.far.test", "4.7.1 Greylisted"), ("c@notfar.test", "4.4.1 no")];
        deferred(&queue, &all).await;
        let of_domain = |domain: &str| Filter { domain: Some(domain.into()), ..Filter::default() };
        assert_eq!(meant(&queue, of_domain("FAR.test")).await, ["a@far.test"]);
        assert_eq!(meant(&queue, of_domain(".far.test")).await, ["b@x.far.test"]);
        let said = Filter { why: Some("greylisted".into()), ..Filter::default() };
        assert_eq!(meant(&queue, said).await, ["b@x.far.test"]);
        let later = START.after(Duration::from_secs(60));
        let old = Filter { before: Some(later), ..Filter::default() };
        let new = Filter { since: Some(later), ..Filter::default() };
        assert_eq!((meant(&queue, old).await.len(), meant(&queue, new).await.len()), (3, 0));
    });
}

#[test]
fn more_than_a_slice_is_changed_to_the_last_and_nothing_else() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let later = START.after(Duration::from_secs(3600));
        for number in 0..2100 {
            let domain = if number % 2 == 0 { "even.test" } else { "odd.test" };
            let plain = envelope(&[&format!("u{number}@{domain}")]);
            queue.put(Envelope { not_before: Some(later), ..plain }, body("x")).await.unwrap();
        }
        let filter = Filter { domain: Some("even.test".into()), ..Filter::default() };
        let (mut after, mut changed, mut slices) = (None, 0, 0);
        loop {
            let slice = queue.act_on_slice(&Act::Hold, &filter, after).await.unwrap();
            changed += slice.changed.len();
            slices += 1;
            match slice.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!((changed, queue.counts().await.unwrap().held), (1050, 1050));
        assert!(slices > 2, "in {slices} slices");
        let reroute = Act::Reroute(Some("hub.test:25".into()));
        let slice = queue.act_on_slice(&reroute, &filter, None).await.unwrap();
        let entry = queue.show(slice.changed[0]).await.unwrap();
        assert_eq!((entry.envelope.via.as_deref(), entry.held), (Some("hub.test:25"), false));
        assert_eq!(queue.read(slice.changed[0]).await.unwrap().body.stored.as_deref(), Some(&b"x"[..]));
        let slice = queue.act_on_slice(&Act::Remove, &filter, slice.next).await.unwrap();
        assert!(!slice.changed.is_empty());
    });
}

#[test]
fn the_urgent_goes_first_and_the_lowest_is_not_forgotten() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let soon = START.after(Duration::from_secs(60));
        for number in 0..60 {
            let priority = [-1, 0, 1][number % 3];
            let plain = envelope(&["a@far.test"]);
            queue.put(Envelope { priority, not_before: Some(soon), ..plain }, body("x")).await.unwrap();
        }
        data.clock.advance(Duration::from_secs(60));
        let mut order = Vec::new();
        for _ in 0..60 {
            let lease = queue.next_due().await;
            order.push(lease.envelope.priority);
            settle(&queue, &lease, Outcome::Done, soon).await;
        }
        let sum = |part: &[i8]| part.iter().map(|priority| i32::from(*priority)).sum::<i32>();
        assert!(sum(&order[..15]) >= 8, "{order:?}");
        assert!(order[..20].contains(&-1), "{order:?}");
        assert_eq!(order[59], -1);
    });
}
