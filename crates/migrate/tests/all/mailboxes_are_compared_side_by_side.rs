//! VER: of each source as many mailboxes are compared at once as it has connections; the report is in the order of the list, and one that
//! cannot be compared keeps no other from it.

use std::sync::{Arc, Barrier};

use anser_base::{Clock, Timestamp};
use anser_migrate::Faces;
use anser_migrate::verify::{Level, Score};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};

#[test]
fn two_connections_compare_two_at_a_time_in_the_order_of_the_list() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let inbox = || vec![folder("INBOX", vec![mail(1, "\\Seen", "one"), mail(7, "", "two")])];
        let habits = || Habits { admits_anybody: true, ..Habits::default() };
        let (fake, shown) = (Fake::start(inbox(), habits()), Fake::start(inbox(), habits()));
        office.plan(&[(fake.source(), &["ann", "bob", "carl", "dora"])]).await;
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        // Nobody is let in before two are there: one after the other would wait for ever.
        fake.change(|state| state.habits.opens_together = Some(Arc::new(Barrier::new(2))));
        let faces = || Faces { imap: shown.source(), pop3: None };
        let proofs = office.migrate.verify(MOVE, Vec::new(), faces(), Level::Bodies).await.unwrap().proofs;
        let found: Vec<_> = proofs.iter().map(|proof| (&*proof.login, proof.score())).collect();
        assert_eq!(found, ["ann", "bob", "carl", "dora"].map(|name| (name, Score::Perfect)));

        fake.change(|state| {
            state.habits.opens_together = None;
            state.habits.admits_anybody = false;
        });
        let compared = office.migrate.verify(MOVE, Vec::new(), faces(), Level::Sample).await.unwrap();
        let found: Vec<_> = compared.proofs.iter().map(|proof| &*proof.login).collect();
        assert_eq!(found, ["ann"], "what came of the others is told as well");
        let failed: Vec<_> = compared.failed.iter().map(|one| (&*one.login, &*one.address)).collect();
        let named = ["bob", "carl", "dora"].map(|name| (name, format!("{name}@anser.test")));
        assert_eq!(failed, named.each_ref().map(|(login, address)| (*login, &**address)));
        assert_eq!(office.migrate.proofs(MOVE, Vec::new()).await.unwrap().len(), 4, "what was proven before stays");
        running.abort();
    });
}
