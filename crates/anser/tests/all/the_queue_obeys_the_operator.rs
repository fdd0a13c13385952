//! Mail for other domains waits in the queue, where an operator holds, releases, retries and removes it.

use crate::world::{Place, python};

const SEND: &str = r#"
import smtplib, sys
with smtplib.SMTP('127.0.0.1', 587 + int(sys.argv[1])) as smtp:
    smtp.login('ann@anser.test', 'wild-goose')
    for number in range(3):
        smtp.sendmail('ann@anser.test', [f'far{number}@example.org'], f'From: ann@anser.test\r\nSubject: {number}\r\n\r\nx\r\n')
"#;

#[test]
fn entries_are_listed_held_released_and_removed_one_by_one_and_all_together() {
    let place = Place::new();
    // Nobody listens on port 1.
    let dev = place.start_with(&["--smarthost", "127.0.0.1:1"]);
    python(&dev, SEND, &[]);
    let listed = wait_for(|| {
        let listed = dev.ask(&["queue", "list"]);
        (listed.matches("due ").count() == 3 && listed.matches("  1  ").count() == 3).then_some(listed)
    });
    for number in 0..3 {
        assert!(listed.contains(&format!("far{number}@example.org")), "{listed}");
    }
    let id = listed.split_whitespace().next().unwrap().to_owned();
    dev.ask(&["queue", "hold", &id]);
    assert!(dev.ask(&["queue", "show", &id]).contains("held"));
    assert_eq!(dev.ask(&["queue", "list", "--held"]).matches("held").count(), 1);
    dev.ask(&["queue", "release", &id]);
    assert_eq!(dev.ask(&["queue", "hold", "--all"]), "3 done\n");
    assert_eq!(dev.ask(&["queue", "release", "--recipient", "far1"]), "1 done\n");
    assert_eq!(dev.ask(&["queue", "remove", "--held"]), "2 done\n");
    assert_eq!(dev.ask(&["queue", "list"]).matches("@example.org").count(), 1);
    assert!(dev.ask(&["trace", "far1@example.org"]).contains("deferred"));
}

/// Asks again until there is an answer.
fn wait_for<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = ask() {
            return found;
        }
        std::thread::yield_now();
    }
}
