//! A pass whose lease another holder has taken says nothing of its mailbox when it ends.

use anser_base::{Clock, Timestamp};
use anser_db::{Durability, Place, params};
use tokio::sync::mpsc::unbounded_channel;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};

/// Until when somebody else has it.
const LATER: Timestamp = Timestamp(1_900_000_000_000);

#[test]
fn its_mailbox_stays_with_whoever_has_it_now() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        office.plan(&[(fake.source(), &["a"])]).await;
        let (told, mut begun) = unbounded_channel();
        fake.change(|state| state.trickles = Some(told));
        let (_shutdown, running) = office.run();
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        begun.recv().await.unwrap();
        let take = |tx: &mut anser_db::Tx<'_>| {
            tx.execute("UPDATE mov_accounts SET holder = ?1, held_until_ms = ?2", params![99_i64, LATER.0])
        };
        office.db.write(Place::Moves, Durability::Sync, take).await.unwrap();
        let mut changes = office.migrate.changes();
        office.migrate.pause(MOVE).await.unwrap();
        changes.changed().await.unwrap();
        let view = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0);
        assert_eq!(view.state, "copying");
        let holder =
            |tx: &mut anser_db::Tx<'_>| tx.query_one("SELECT holder FROM mov_accounts", params![], |row| row.int(0));
        assert_eq!(office.db.read(Place::Moves, holder).await.unwrap(), Some(99));
        running.abort();
    });
}
