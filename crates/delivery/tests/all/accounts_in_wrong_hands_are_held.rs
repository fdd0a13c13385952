//! What own accounts send to others: limits make it wait, signs of wrong hands hold it, and the administrator hears of it.

use std::time::Duration;

use anser_base::EntryId;
use anser_directory::{NewAccount, Password, Role, SendingLimits};
use anser_queue::{Act, Envelope, Origin, Protocol};

use crate::house::{House, Site, address, envelope, message, runtime};
use crate::internet::Internet;

/// A house that returns or defers all mail to others, with an administrator.
async fn house(internet: &Internet) -> House {
    let house = Site::embedded().furnished(internet.outward()).await;
    let root = NewAccount::new(address("root@anser.test"), Password::None);
    house.directory.add_account(NewAccount { role: Role::System, ..root }).await.unwrap();
    house
}

/// Ann writes from an address.
async fn submit(house: &House, from: &str, recipients: &[&str]) -> EntryId {
    let plain = envelope("ann@anser.test", recipients);
    let origin = Origin {
        protocol: Protocol::Submission,
        account: Some(house.account("ann@anser.test").await),
        client: Some(from.parse().unwrap()),
        ..plain.origin
    };
    house.put(Envelope { origin, ..plain }, &message("hi")).await
}

fn limits(scope: &str, per_hour: u32, new_per_day: u32) -> SendingLimits {
    SendingLimits { scope: scope.into(), per_hour, per_day: 1000, new_per_day }
}

/// Why the recipients of an entry wait.
async fn why(house: &House, id: EntryId) -> String {
    house.queue.show(id).await.unwrap().progress[0].why.clone().unwrap_or_default()
}

/// Mail to `down.test` is put off, to `gone.test` comes back.
fn world() -> Internet {
    let internet = Internet::new();
    internet.exchange("down.test", 10, "mx.down.test", 9);
    internet
}

#[test]
fn what_is_over_a_limit_waits_and_goes_later() {
    runtime().block_on(async {
        let internet = world();
        let house = house(&internet).await;
        house.directory.put_sending_limits(limits("*", 2, 1000)).await.unwrap();
        let first = submit(&house, "198.51.100.1", &["a@down.test", "b@down.test"]).await;
        house.run().await;
        let over = submit(&house, "198.51.100.1", &["c@down.test", "bob@anser.test"]).await;
        house.run().await;
        assert!(why(&house, first).await.starts_with("4.4.1 "), "{}", why(&house, first).await);
        assert_eq!(why(&house, over).await, "4.7.28 the limit of an hour is reached");
        assert_eq!(house.mail("bob@anser.test").await.len(), 1, "the house itself has no limit");
        assert_eq!(house.queue.show(over).await.unwrap().progress[0].attempts, 0);
        house.run_after(Duration::from_secs(2 * 3600)).await;
        assert!(why(&house, over).await.starts_with("4.4."), "{}", why(&house, over).await);
    });
}

#[test]
fn people_who_were_never_written_to_are_fewer() {
    runtime().block_on(async {
        let internet = world();
        let house = house(&internet).await;
        house.directory.put_sending_limits(limits("anser.test", 100, 2)).await.unwrap();
        submit(&house, "198.51.100.1", &["a@down.test", "b@down.test"]).await;
        house.run().await;
        let known = submit(&house, "198.51.100.1", &["b@down.test", "A@down.test"]).await;
        let new = submit(&house, "198.51.100.1", &["c@down.test"]).await;
        house.run().await;
        assert!(why(&house, known).await.starts_with("4.4."), "{}", why(&house, known).await);
        assert_eq!(why(&house, new).await, "4.7.28 the limit of people who were never written to is reached");
    });
}

#[test]
fn a_domain_has_a_limit_together() {
    runtime().block_on(async {
        let internet = world();
        let house = house(&internet).await;
        house.directory.put_sending_limits(limits("@anser.test", 1, 10)).await.unwrap();
        submit(&house, "198.51.100.1", &["a@down.test"]).await;
        house.run().await;
        let over = submit(&house, "198.51.100.1", &["b@down.test"]).await;
        house.run().await;
        assert_eq!(why(&house, over).await, "4.7.28 the limit of the domain is reached");
    });
}

async fn assert_held(house: &House, sign: &str) {
    let holds = house.directory.sending_holds().await.unwrap();
    assert_eq!(holds.len(), 1, "{holds:?}");
    assert!(holds[0].address == "ann@anser.test" && holds[0].why.contains(sign), "{holds:?}");
    let mail = house.mail("root@anser.test").await;
    assert_eq!(mail.len(), 1, "the administrator is told once");
    assert!(mail[0].contains("ann@anser.test") && mail[0].contains(sign), "{}", mail[0]);
}

#[test]
fn far_more_than_is_allowed_is_held_and_released_again() {
    runtime().block_on(async {
        let internet = world();
        let house = house(&internet).await;
        house.directory.put_sending_limits(limits("ann@anser.test", 2, 1000)).await.unwrap();
        let mut entries = Vec::new();
        for number in 0..8 {
            entries.push(submit(&house, "198.51.100.1", &[&format!("u{number}@down.test")]).await);
            house.run().await;
        }
        assert_held(&house, "recipients in an hour").await;
        let last = *entries.last().unwrap();
        assert!(house.queue.show(last).await.unwrap().held, "nothing is lost");
        house.directory.release_sending(house.account("ann@anser.test").await).await.unwrap();
        house.directory.remove_sending_limits("ann@anser.test").await.unwrap();
        house.queue.act(last, &Act::Release).await.unwrap();
        house.run().await;
        assert!(why(&house, last).await.starts_with("4.4."), "{}", why(&house, last).await);
    });
}

#[test]
fn many_returns_and_many_networks_are_signs() {
    runtime().block_on(async {
        let internet = world();
        let returning = house(&internet).await;
        let people: Vec<String> = (0..50).map(|number| format!("u{number}@gone.test")).collect();
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        submit(&returning, "198.51.100.1", &people).await;
        returning.run().await;
        assert_held(&returning, "of 50 recipients").await;

        let roaming = house(&internet).await;
        for number in 0..11 {
            submit(&roaming, &format!("{}.100.1.1", 11 + number), &["a@down.test"]).await;
            roaming.run().await;
        }
        assert_held(&roaming, "networks").await;
    });
}
