//! P9: a folder that the old server opens no more keeps the gate from the first pass that it is refused to, whether or not it was open
//! before, and until it is open again, or no longer there.

use anser_base::Clock;
use anser_db::{Durability, Place, Tx};
use anser_migrate::Said;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

/// How the gate stands behind another pass.
async fn gate(office: &Office) -> (String, String) {
    if office.migrate.delta(MOVE, Vec::new()).await.unwrap() == 0 {
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
    }
    office.migrate.wait(MOVE).await.unwrap();
    let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
    let gate = look.gates.into_iter().find(|gate| gate.gate == "accounts").unwrap();
    (gate.state, gate.en)
}

#[test]
fn one_that_was_open_once_and_is_refused_since() {
    each_office(&[], &Clock::System, async |office| {
        let folders = vec![folder("INBOX", vec![mail(1, "", "one")]), folder("Shared", vec![mail(1, "", "plan")])];
        let fake = Fake::start(folders, Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let (_shutdown, running) = office.run();
        assert_eq!(gate(office).await.0, "passed");
        fake.change(|state| {
            state.habits.locked = Some("Shared");
            state.folders[1].mails.push(mail(2, "", "the newer plan"));
            state.folders[1].uidnext = 3;
        });
        for _ in 0..2 {
            let (state, words) = gate(office).await;
            assert!(state == "open" && words.contains("ann (0 failed, 1 folders shut)"), "{state} {words}");
        }
        // To be tried again is not to be open.
        office.migrate.check(MOVE, vec!["ann@anser.test".into()]).await.unwrap();
        let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
        assert_eq!(look.gates.iter().find(|gate| gate.gate == "accounts").unwrap().state, "open");
        fake.change(|state| state.habits.locked = None);
        assert_eq!(gate(office).await.0, "passed");
        running.abort();
    });
}

#[test]
fn one_that_an_older_program_noted_of_the_mailbox_alone() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let (_shutdown, running) = office.run();
        assert_eq!(gate(office).await.0, "passed");
        let note = |tx: &mut Tx<'_>| {
            let note = "1 not handed out by the old server; folders that cannot be opened there: Shared";
            tx.execute(&format!("UPDATE mov_accounts SET note = '{note}'"), &[])
        };
        assert_eq!(office.db.write(Place::Moves, Durability::Sync, note).await.unwrap(), 1);
        let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
        let accounts = look.gates.into_iter().find(|gate| gate.gate == "accounts").unwrap();
        assert!(accounts.state == "open" && accounts.en.contains("1 folders shut"), "{}", accounts.en);
        assert_eq!(gate(office).await.0, "passed", "a pass finds it open");
        running.abort();
    });
}

#[test]
fn one_that_was_never_open_until_it_is_gone() {
    each_office(&[], &Clock::System, async |office| {
        let folders = vec![folder("INBOX", vec![mail(1, "", "one")]), folder("Shared", Vec::new())];
        let fake = Fake::start(folders, Habits { locked: Some("Shared"), ..Habits::default() });
        office.plan(&[(fake.source(), &["ann"])]).await;
        let (_shutdown, running) = office.run();
        assert_eq!(gate(office).await.0, "open");
        fake.change(|state| drop(state.folders.pop()));
        assert_eq!(gate(office).await.0, "passed", "nobody can open what is not there");
        running.abort();
    });
}
