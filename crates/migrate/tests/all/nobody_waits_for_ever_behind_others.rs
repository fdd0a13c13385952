//! A few of persons' own moves are worked on at once. Servers that hand out an octet at a time, without end, hold these places only for as
//! long as nobody else waits for one; and whoever takes his move away does not wait for them.

use std::time::Duration;

use anser_base::{Clock, Text, Timestamp};
use anser_migrate::OwnState;
use anser_net::Network;
use tokio::sync::mpsc::unbounded_channel;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{each_office, wish};

/// Persons, of which one has to wait.
const PERSONS: usize = 5;
/// Longer than a server may send next to nothing while somebody waits.
const LONG: Duration = Duration::from_secs(11 * 60);

#[test]
fn who_is_slow_gives_his_place_to_whoever_waits() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&Network::loopback(), &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        let (told, mut begun) = unbounded_channel();
        fake.change(|state| state.trickles = Some(told));
        let (_shutdown, running) = office.run();
        let mut persons = Vec::new();
        for n in 0..PERSONS {
            let person = office.account(office.person(&format!("p{n}"), 0).await).await;
            office.migrate.begin_own(&person, wish(&fake.source())).await.unwrap();
            persons.push(person);
        }
        for _ in 1..PERSONS {
            begun.recv().await.unwrap();
        }
        assert!(begun.try_recv().is_err(), "one waits");
        office.clock.advance(LONG);
        begun.recv().await.unwrap();
        // Whoever had the place is told so, and goes on by himself.
        let mut changes = office.migrate.changes();
        let waits = 'found: loop {
            for person in &persons {
                let one = office.migrate.own_moves(person).await.unwrap().remove(0);
                let is_told = |words: Text| words.en.contains("Others wait") && words.zh.contains("排队");
                // Another one's turn may be over by now, and this one's have come again.
                if one.state == OwnState::Waiting && one.problem.is_some_and(is_told) {
                    break 'found person;
                }
            }
            changes.changed().await.unwrap();
        };
        fake.change(|state| state.trickles = None);
        office.clock.advance(LONG);
        loop {
            let one = office.migrate.own_moves(waits).await.unwrap().remove(0);
            if one.state == OwnState::Done {
                assert_eq!(one.problem, None);
                break;
            }
            changes.changed().await.unwrap();
        }
        for person in &persons {
            let one = office.migrate.own_moves(person).await.unwrap().remove(0);
            office.migrate.forget_own(person, one.id).await.unwrap();
        }
        running.abort();
    });
}
