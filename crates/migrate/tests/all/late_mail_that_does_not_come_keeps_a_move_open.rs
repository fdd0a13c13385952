//! P9, P10: a move does not end while late mail cannot be looked for, nor in silence over late mail that the old server does not hand out.

use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_migrate::verify::Level;
use anser_migrate::{Faces, Said};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

const WEEK: Duration = Duration::from_secs(8 * 24 * 3600);

async fn gate(office: &Office, name: &str) -> (String, String) {
    let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
    let gate = look.gates.into_iter().find(|gate| gate.gate == name).unwrap();
    (gate.state, gate.en)
}

/// One mailbox, cut over.
async fn cut_over(office: &Office, fake: &Fake) {
    office.person("ann", 0).await;
    office.plan_for(&fake.source(), "ann").await;
    office.migrate.start(MOVE, Vec::new()).await.unwrap();
    office.migrate.wait(MOVE).await.unwrap();
    office.migrate.cutover(MOVE, Vec::new()).await.unwrap();
    office.migrate.wait(MOVE).await.unwrap();
}

#[test]
fn a_login_that_is_refused_since_keeps_the_gate() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        let (_shutdown, running) = office.run();
        cut_over(office, &fake).await;
        fake.change(|state| state.password = b"other".to_vec());
        office.migrate.delta(MOVE, Vec::new()).await.unwrap();
        office.until("ann@anser.test", |view| view.state == "refused").await;
        office.clock.advance(WEEK);
        let (state, words) = gate(office, "late").await;
        assert!(
            state == "open" && words.contains("late mail could not be looked for") && words.ends_with(": ann"),
            "{words}"
        );
        fake.change(|state| state.password = b"secret".to_vec());
        office.migrate.retry(MOVE, Vec::new()).await.unwrap();
        office.until("ann@anser.test", |view| view.state == "settled").await;
        assert_eq!(gate(office, "late").await.0, "passed");
        running.abort();
    });
}

#[test]
fn late_mail_that_is_not_handed_out_is_lost_until_somebody_takes_it_on() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let inbox = || vec![folder("INBOX", vec![mail(1, "", "one")])];
        let fake = Fake::start(inbox(), Habits { refuses: Some(2), refuses_any_way: true, ..Habits::default() });
        let shown = Fake::start(inbox(), Habits { admits_anybody: true, ..Habits::default() });
        let (_shutdown, running) = office.run();
        cut_over(office, &fake).await;
        let verify = async || {
            office.clock.advance(Duration::from_secs(1));
            let faces = Faces { imap: shown.source(), pop3: None };
            office.migrate.verify(MOVE, Vec::new(), faces, Level::Bodies).await.unwrap().proofs
        };
        verify().await;
        assert_eq!(gate(office, "loss").await.0, "passed");
        fake.change(|state| {
            state.folders[0].mails.push(mail(2, "", "poison"));
            state.folders[0].uidnext = 3;
        });
        shown.change(|state| state.folders[0].uidnext = 3);
        office.clock.advance(Duration::from_secs(1));
        office.migrate.delta(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(office.view("ann@anser.test").await.ledger, [("copied".to_owned(), 1), ("failed".to_owned(), 1)]);
        let (state, words) = gate(office, "loss").await;
        assert!(state == "open" && words.contains("1 mailboxes have no proof as they are now"), "{words}");
        assert_eq!(verify().await[0].failed(), 1);
        let (state, words) = gate(office, "loss").await;
        assert!(state == "open" && words.contains("0 unexplained, 1 failed"), "{words}");
        running.abort();
    });
}
