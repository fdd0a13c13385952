//! An old server is asked for no more in a day than somebody says, by fewer at once when it says that they are too many, and a connection by
//! which next to nothing comes ends and begins again later. Each is told, with the time until which its mailboxes wait.

use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_migrate::{MailboxView, Pace};
use tokio::sync::mpsc::unbounded_channel;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

/// 2027-01-15 08:00 UTC.
const MORNING: i64 = 1_800_000_000;
const DAY: Duration = Duration::from_secs(86_400);

fn clock() -> Clock {
    Clock::manual(Timestamp::from_secs(MORNING))
}

async fn until(office: &Office, is_so: impl Fn(&MailboxView) -> bool) -> MailboxView {
    office.until("ann@anser.test", is_so).await
}

#[test]
fn a_day_has_so_many_bytes() {
    each_office(&[], &clock(), async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let migrate = &office.migrate;
        let pace = Pace { bytes_a_day: Some(10), ..Pace::default() };
        migrate.pace_source(MOVE, None, &pace).await.unwrap();
        migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        // What is on its way when it is enough comes whole.
        let came = until(office, |view| view.state == "settled").await;
        let told = migrate.move_view(MOVE).await.unwrap().paces.remove(0);
        assert_eq!((told.bytes_a_day, told.bytes_today), (10, came.bytes));
        fake.change(|state| state.folders[0].mails.push(mail(2, "", "two")));
        fake.change(|state| state.folders[0].uidnext = 3);
        migrate.delta(MOVE, Vec::new()).await.unwrap();
        let waits = until(office, |view| view.until.is_some()).await;
        assert_eq!((&*waits.state, waits.trouble.as_deref()), ("waiting", Some("budget")));
        let until_then = Timestamp(waits.until.unwrap());
        assert!(until_then.to_string().contains("T00:00:00"), "{until_then}");
        assert_eq!(waits.passes, 1, "it was not asked");
        office.clock.advance(DAY);
        migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        let all = until(office, |view| view.state == "settled").await;
        assert_eq!((all.passes, &*all.ledger), (2, &[("copied".to_owned(), 2)][..]));
        let today = migrate.move_view(MOVE).await.unwrap().paces.remove(0).bytes_today;
        assert_eq!(today, all.bytes - came.bytes, "another day, another count");
        running.abort();
    });
}

#[test]
fn too_many_at_once_become_fewer() {
    each_office(&[], &clock(), async |office| {
        let throttles = Some("[LIMIT] Too many connections. Suggested Backoff Time: 2000 milliseconds");
        let habits = Habits { throttles, ..Habits::default() };
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], habits);
        office.plan(&[(fake.source(), &["ann"])]).await;
        let migrate = &office.migrate;
        let at_once = async || migrate.move_view(MOVE).await.unwrap().paces.remove(0).at_once;
        assert_eq!(at_once().await, 2);
        migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        let waits = until(office, |view| view.until.is_some()).await;
        assert_eq!((&*waits.state, waits.trouble.as_deref()), ("waiting", Some("old-server")));
        assert_eq!(at_once().await, 1);
        running.abort();
    });
}

#[test]
fn a_connection_that_crawls_ends_and_another_one_does_better() {
    each_office(&[], &clock(), async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        let (told, mut begun) = unbounded_channel();
        fake.change(|state| state.trickles = Some(told));
        office.plan(&[(fake.source(), &["ann"])]).await;
        let migrate = &office.migrate;
        migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        begun.recv().await.unwrap();
        office.clock.advance(Duration::from_secs(5 * 60));
        migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        let waits = until(office, |view| view.until.is_some()).await;
        assert_eq!((&*waits.state, waits.trouble.as_deref()), ("waiting", Some("slow")), "{waits:?}");
        assert_eq!(waits.until, Some(office.clock.now().after(Duration::from_secs(10 * 60)).0));
        fake.change(|state| state.trickles = None);
        office.clock.advance(Duration::from_secs(10 * 60));
        migrate.resume(MOVE, false, Vec::new()).await.unwrap();
        until(office, |view| view.state == "settled").await;
        running.abort();
    });
}
