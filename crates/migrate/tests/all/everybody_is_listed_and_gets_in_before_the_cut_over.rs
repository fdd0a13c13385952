//! P3, P4, P5: everybody is listed, nearly every login works, and the last pass over each mailbox was short, before all are cut over.

use anser_base::{Clock, Timestamp};
use anser_db::{Durability, Place, Tx};
use anser_migrate::{NewMailbox, Password, Said};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};

#[test]
fn a_cut_over_waits_for_everybody_and_for_short_passes() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        office.person("ann", 0).await;
        office.person("bob", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        let states = async || {
            let gates = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap().gates;
            let state = |name: &str| gates.iter().find(|gate| gate.gate == name).unwrap().state.clone();
            ["users", "logins", "delta"].map(state)
        };
        assert_eq!(states().await, ["passed", "open", "passed"], "no login was tried");
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(states().await, ["passed", "passed", "passed"]);

        office.migrate.fill_form(MOVE, vec![("users".into(), "2 人".into())]).await.unwrap();
        let slow = |tx: &mut Tx<'_>| tx.execute("UPDATE mov_accounts SET took_ms = 600000", &[]);
        assert_eq!(office.db.write(Place::Moves, Durability::Sync, slow).await.unwrap(), 1);
        assert_eq!(states().await, ["open", "passed", "open"]);

        let password = Some(Password(b"wrong".to_vec()));
        let bob = NewMailbox { login: "bob".into(), password, address: "bob@anser.test".into() };
        office.migrate.add_mailboxes(MOVE, None, vec![bob]).await.unwrap();
        office.migrate.check(MOVE, Vec::new()).await.unwrap();
        office.migrate.delta(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(states().await, ["passed", "open", "passed"], "Bob is listed, and his login is refused");
        running.abort();
    });
}
