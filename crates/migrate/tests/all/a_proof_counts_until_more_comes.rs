//! P5, P9: a proof tells nothing of what a pass brought after it began: neither a cut-over nor the end of a move goes by it.

use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_migrate::verify::Level;
use anser_migrate::{Faces, Said};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};

#[test]
fn a_mailbox_that_got_mail_since_its_proof_is_proven_anew() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let inbox = || vec![folder("INBOX", vec![mail(1, "", "one")])];
        let fake = Fake::start(inbox(), Habits::default());
        let shown = Fake::start(inbox(), Habits { admits_anybody: true, ..Habits::default() });
        office.person("ann", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        let (_shutdown, running) = office.run();
        let verify = async || {
            office.clock.advance(Duration::from_secs(1));
            let faces = Faces { imap: shown.source(), pop3: None };
            office.migrate.verify(MOVE, Vec::new(), faces, Level::Bodies).await.unwrap();
        };
        let pass = async || {
            office.clock.advance(Duration::from_secs(1));
            office.migrate.delta(MOVE, Vec::new()).await.unwrap();
            office.migrate.wait(MOVE).await.unwrap();
        };
        let comes = async |uid: u32| {
            for server in [&fake, &shown] {
                server.change(|state| {
                    state.folders[0].mails.push(mail(uid, "", &format!("message {uid}")));
                    state.folders[0].uidnext = uid + 1;
                });
            }
            pass().await;
        };
        let gate = async |name: &str, accepted: &[&str]| {
            let accepted = accepted.iter().map(|gate| (*gate).to_owned()).collect();
            let said = Said { accepted, who: "root".into(), ..Said::default() };
            let look = office.migrate.look_at_gates(MOVE, &[], said).await.unwrap();
            let gate = look.gates.into_iter().find(|gate| gate.gate == name).unwrap();
            (gate.state, gate.en)
        };
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(gate("proof", &[]).await.0, "open");
        verify().await;
        pass().await;
        assert_eq!(gate("proof", &[]).await.0, "passed", "nothing came since");
        comes(2).await;
        let (state, words) = gate("proof", &[]).await;
        assert!(state == "open" && words.contains("not proven as they are now"), "{words}");
        verify().await;
        assert_eq!(gate("proof", &[]).await.0, "passed");

        office.migrate.cutover(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        verify().await;
        assert_eq!(gate("loss", &[]).await.0, "passed");
        comes(3).await;
        let (state, words) = gate("loss", &[]).await;
        assert!(state == "open" && words.contains("1 mailboxes have no proof as they are now"), "{words}");
        let report = async || office.migrate.signed_report(MOVE, Vec::new(), "json").await.unwrap();
        assert_eq!(gate("loss", &["loss=it is advertising"]).await.0, "accepted");
        assert!(report().await.contains("root: it is advertising"));
        // Taken on was what is not known; what is known to be lost of another kind was not.
        verify().await;
        assert_eq!(gate("loss", &[]).await.0, "passed");
        shown.change(|state| drop(state.folders[0].mails.remove(0)));
        verify().await;
        assert_eq!(gate("loss", &[]).await.0, "open");
        assert!(!report().await.contains("root: it is advertising"), "nobody took that on");
        running.abort();
    });
}
