//! P5, VER: what was only tried, or waits for the pass that brings the rest, is not good: it is told that it waits.

use anser_base::{Class, Clock};
use anser_migrate::verify::{Level, Score};
use anser_migrate::{Faces, Said};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};

#[test]
fn a_mailbox_that_was_tried_and_started_is_compared_once_all_of_it_came() {
    each_office(&[], &Clock::System, async |office| {
        let inbox = || vec![folder("INBOX", (1..=12).map(|uid| mail(uid, "", &format!("message {uid}"))).collect())];
        let fake = Fake::start(inbox(), Habits::default());
        let shown = Fake::start(inbox(), Habits { admits_anybody: true, ..Habits::default() });
        office.person("ann", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        let verify = async || {
            let faces = Faces { imap: shown.source(), pop3: None };
            office.migrate.verify(MOVE, Vec::new(), faces, Level::Bodies).await.unwrap()
        };
        let gate = async || {
            let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
            look.gates.into_iter().find(|gate| gate.gate == "proof").unwrap().state
        };
        let (_shutdown, running) = office.run();
        office.migrate.trial(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        running.abort();
        assert!(running.await.is_err(), "nobody works on it");
        let none = verify().await;
        assert!(none.proofs.is_empty() && none.failed.is_empty(), "nobody began to bring it");
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let failed = verify().await.failed.remove(0);
        let waits = failed.why;
        assert!(failed.login == "ann" && waits.class == Class::Conflict, "{waits:?}");
        assert!(waits.text.en.starts_with("it waits"), "{}", waits.text.en);
        assert!(waits.text.zh.contains("waiting"), "{}", waits.text.zh);
        assert_eq!((office.migrate.proofs(MOVE, Vec::new()).await.unwrap().len(), gate().await.as_str()), (0, "open"));

        let (_shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(verify().await.proofs[0].score(), Score::Perfect);
        assert_eq!(gate().await, "passed");
        running.abort();
    });
}
