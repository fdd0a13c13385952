//! CRED-4: passwords of old servers are kept no longer than they are needed, whether or not anybody ends the move.

use std::time::Duration;

use anser_base::{Class, Clock, Timestamp};
use anser_migrate::kept::{MOST, UNUSED};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

const DAY: Duration = Duration::from_secs(86_400);

async fn kept_until(office: &Office) -> Option<String> {
    office.migrate.move_view(MOVE).await.unwrap().secrets_until
}

/// Another pass, by an engine that begins now; how it ended.
async fn pass(office: &Office) -> String {
    let begun = office.migrate.delta(MOVE, Vec::new()).await.unwrap();
    if begun == 0 {
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
    }
    let (_shutdown, running) = office.run();
    let view = office.until("ann@anser.test", |one| matches!(&*one.state, "settled" | "refused")).await;
    running.abort();
    let _ = running.await;
    view.state
}

/// The engine runs until no secret is kept.
async fn until_forgotten(office: &Office) {
    let mut changes = office.migrate.changes();
    let (_shutdown, running) = office.run();
    while kept_until(office).await.is_some() {
        changes.changed().await.unwrap();
    }
    running.abort();
    let _ = running.await;
}

#[test]
fn ninety_days_after_they_were_last_used() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let in_90_days = || Some(office.clock.now().after(UNUSED).to_string());
        assert_eq!(kept_until(office).await, in_90_days(), "nobody used it yet");
        for _ in 0..2 {
            assert_eq!(pass(office).await, "settled");
            assert_eq!(kept_until(office).await, in_90_days(), "each use counts");
            office.clock.advance(89 * DAY);
        }
        assert!(kept_until(office).await.is_some());
        office.clock.advance(DAY);
        let logins = fake.logins();
        until_forgotten(office).await;
        assert_eq!(pass(office).await, "refused");
        let note = office.view("ann@anser.test").await.note.unwrap();
        assert!(note.starts_with("no-password"), "{note}");
        assert_eq!(fake.logins(), logins, "there is nothing to log in with");
    });
}

#[test]
fn on_the_day_that_was_said_and_at_once() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let said = office.clock.now().after(10 * DAY);
        let view = office.migrate.keep_secrets(MOVE, Some(10)).await.unwrap();
        assert_eq!(view.secrets_until, Some(said.to_string()));
        office.clock.advance(9 * DAY);
        assert_eq!(pass(office).await, "settled");
        assert_eq!(kept_until(office).await, Some(said.to_string()), "however often they are used");
        office.clock.advance(DAY);
        until_forgotten(office).await;

        office.migrate.keep_secrets(MOVE, None).await.unwrap();
        office.plan_for(&fake.source(), "ann").await;
        assert_eq!(kept_until(office).await, Some(office.clock.now().after(UNUSED).to_string()), "given anew");
        assert_eq!(pass(office).await, "settled");
        assert_eq!(office.migrate.keep_secrets(MOVE, Some(0)).await.unwrap().secrets_until, None);
        office.plan_for(&fake.source(), "ann").await;
        let until = Some(office.clock.now().after(UNUSED).to_string());
        assert_eq!(kept_until(office).await, until, "at once is said of those that were known");
    });
}

#[test]
fn for_a_year_at_the_most() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(Vec::new(), Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let until = Some(office.clock.now().after(MOST * DAY).to_string());
        assert_eq!(office.migrate.keep_secrets(MOVE, Some(MOST)).await.unwrap().secrets_until, until);
        for days in [MOST + 1, u32::MAX] {
            let refused = office.migrate.keep_secrets(MOVE, Some(days)).await.unwrap_err();
            assert_eq!(refused.class, Class::Invalid, "{days}");
        }
        assert_eq!(kept_until(office).await, until, "as it was");
    });
}
