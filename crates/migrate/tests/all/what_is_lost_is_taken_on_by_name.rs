//! P9: a mailbox of which the old server withholds something is not whole, and no move ends over it unless somebody takes that on, with
//! his name and a reason.

use std::time::Duration;

use anser_base::{Class, Clock, Timestamp};
use anser_migrate::verify::Level;
use anser_migrate::{Faces, GateView, Said};

use crate::fake::{Fake, Folder, Habits, folder, mail};
use crate::office::{MOVE, each_office};

fn gate<'a>(gates: &'a [GateView], name: &str) -> (&'a str, &'a str) {
    gates.iter().find(|gate| gate.gate == name).map(|gate| (&*gate.state, &*gate.en)).unwrap()
}

#[test]
fn a_folder_that_stayed_shut_keeps_the_gates_until_somebody_takes_it_on() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let inbox = folder("INBOX", vec![mail(1, "", "one")]);
        let folders = vec![inbox.clone(), folder("Shared", vec![mail(1, "", "secret")])];
        let fake = Fake::start(folders, Habits { locked: Some("Shared"), ..Habits::default() });
        let shared = Folder { uidvalidity: 7, ..folder("Shared", Vec::new()) };
        let shown = Fake::start(vec![inbox, shared], Habits { admits_anybody: true, ..Habits::default() });
        office.person("ann", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        let verify = async || {
            let faces = Faces { imap: shown.source(), pop3: None };
            office.migrate.verify(MOVE, Vec::new(), faces, Level::Bodies).await.unwrap().proofs
        };
        let say = async |accepted: &[&str], closes: bool| {
            let accepted = accepted.iter().map(|gate| (*gate).to_owned()).collect();
            let said = Said { accepted, who: "root".into(), closes, ..Said::default() };
            office.migrate.look_at_gates(MOVE, &[], said).await
        };
        let look = async |accepted: &[&str]| say(accepted, false).await.map(|look| look.gates);
        assert_eq!(verify().await[0].failed(), 1);
        let before = look(&[]).await.unwrap();
        let (state, why) = gate(&before, "accounts");
        assert!(state == "open" && why.contains("ann (0 failed, 1 folders shut)"), "{why}");
        assert_eq!(gate(&before, "proof").0, "open");

        office.migrate.cutover(MOVE, vec!["ann".into()]).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        verify().await;
        office.clock.advance(Duration::from_secs(8 * 24 * 3600));
        let open = look(&[]).await.unwrap();
        assert_eq!((gate(&open, "late").0, gate(&open, "loss").0), ("passed", "open"));
        assert!(gate(&open, "loss").1.contains("0 unexplained, 1 failed"), "{}", gate(&open, "loss").1);
        assert_eq!(office.migrate.close_move(MOVE, &[]).await.unwrap_err().class, Class::Conflict);
        assert_eq!(look(&["loss"]).await.unwrap_err().class, Class::Invalid, "nobody says why");
        let ticket = office.migrate.open_ticket(MOVE, "root", "ann: no signature").await.unwrap();
        let refused = say(&["loss=it is spam"], true).await.unwrap();
        assert_eq!((gate(&refused.gates, "loss").0, refused.is_unsaid), ("accepted", true));
        assert_eq!(office.migrate.close_move(MOVE, &[]).await.unwrap_err().class, Class::Conflict);
        assert_eq!(gate(&look(&[]).await.unwrap(), "loss").0, "open", "it was said of an end that did not come");
        office.migrate.close_ticket(MOVE, ticket, "root", "").await.unwrap();
        let closing = say(&["loss=it is spam"], true).await.unwrap();
        assert!(!closing.is_unsaid && gate(&look(&[]).await.unwrap(), "loss").0 == "accepted");
        let taken_on = look(&["loss=the folder is another department's"]).await.unwrap();
        let (state, why) = gate(&taken_on, "loss");
        assert!(state == "accepted" && why.contains("root: the folder is another department's"), "{why}");
        let report = office.migrate.signed_report(MOVE, Vec::new(), "json").await.unwrap();
        assert!(report.contains("\"accepted\":\"root: the folder is another department's\""), "{report}");

        // More is lost than was taken on.
        shown.change(|state| state.folders[0].mails.clear());
        verify().await;
        assert_eq!(gate(&look(&[]).await.unwrap(), "loss").0, "open");
        shown.change(|state| state.folders[0].mails.push(mail(1, "", "one")));
        // What comes there after the last pass stays there when the move ends.
        fake.change(|state| state.folders[0].mails.push(mail(2, "", "two")));
        verify().await;
        let late = look(&[]).await.unwrap();
        let (state, why) = gate(&late, "loss");
        assert!(state == "open" && why.contains("1 failed, 1 not brought"), "{why}");
        fake.change(|state| drop(state.folders[0].mails.pop()));
        verify().await;
        office.migrate.close_move(MOVE, &[]).await.unwrap();
        running.abort();
    });
}
