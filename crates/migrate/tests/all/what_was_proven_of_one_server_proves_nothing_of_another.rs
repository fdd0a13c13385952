//! P9, VER: a source that is said to be at another host has nothing proven; another number of connections changes nothing.

use anser_base::{Clock, Timestamp};
use anser_migrate::verify::Level;
use anser_migrate::{Faces, Source};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};

#[test]
fn a_proof_goes_with_the_host_that_it_was_made_with() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let inbox = || vec![folder("INBOX", vec![mail(1, "", "one")])];
        let habits = || Habits { admits_anybody: true, ..Habits::default() };
        let (fake, shown) = (Fake::start(inbox(), habits()), Fake::start(inbox(), habits()));
        let other = Source { name: "other".into(), ..fake.source() };
        office.plan(&[(fake.source(), &["ann", "bob"]), (other, &["carl"])]).await;
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        let faces = Faces { imap: shown.source(), pop3: None };
        assert!(office.migrate.verify(MOVE, Vec::new(), faces, Level::Bodies).await.unwrap().failed.is_empty());
        let proven = async |source: Source| {
            office.migrate.plan(MOVE, source).await.unwrap();
            let proofs = office.migrate.proofs(MOVE, Vec::new()).await.unwrap();
            proofs.into_iter().map(|proof| proof.address).collect::<Vec<_>>()
        };
        assert_eq!(proven(Source { connections: 7, ..fake.source() }).await.len(), 3);
        assert_eq!(proven(Source { host: "mail.other.test".into(), ..fake.source() }).await, ["carl@anser.test"]);
        running.abort();
    });
}
