use std::time::Duration;

use anser_queue::{DELAY_REPORT, EXPIRY, INTERVALS};

use crate::house::{NEVER, Report, envelope, message, notify, on_each_engine};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn attempts_grow_rarer_until_the_sender_is_told_twice() {
    on_each_engine(|house| async move {
        let start = house.clock.now();
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("late")).await;
        house.run().await;
        for (failed, pause) in INTERVALS.iter().enumerate() {
            let waiting = house.waiting().await.remove(0);
            assert_eq!(waiting.progress[0].attempts as usize, failed + 1);
            assert_eq!(waiting.due.unwrap().since(house.clock.now()), MINUTE * *pause as u32);
            house.run_after(MINUTE * *pause as u32).await;
        }
        let delayed = house.report("ann@anser.test").await;
        assert!(delayed.says("Action: delayed") && delayed.says("Status: 4.4.4"), "{}", delayed.status);
        assert!(delayed.says("Will-Retry-Until: Wed, 20 Jan 2027 08:00:00 +0000"), "{}", delayed.status);
        assert!(delayed.text.contains("无需重发") && delayed.text.contains("no need to send it again"));

        while !house.waiting().await.is_empty() {
            let due = house.waiting().await[0].due.unwrap();
            house.run_after(due.since(house.clock.now())).await;
        }
        assert_eq!(house.clock.now().since(start), EXPIRY);
        let mail = house.mail("ann@anser.test").await;
        assert_eq!(mail.len(), 2);
        let failed = Report::parse(&mail[1]);
        assert!(failed.says("Action: failed") && failed.says("Status: 4.4.7"), "{}", failed.status);
        let why = "Diagnostic-Code: x-anser; 4.4.4 no route to other servers is configured";
        assert!(failed.says(why), "{}", failed.status);
    });
}

#[test]
fn who_does_not_want_to_know_is_not_told() {
    on_each_engine(|house| async move {
        house.put(notify(envelope("ann@anser.test", &["x@far.test"]), NEVER), &message("late")).await;
        house.run_after(DELAY_REPORT).await;
        house.run_after(EXPIRY).await;
        assert!(house.waiting().await.is_empty());
        assert!(house.mail("ann@anser.test").await.is_empty());
    });
}
