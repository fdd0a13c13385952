//! P9: a move ends by how it stands when it ends, and what is counted of a mailbox is of one moment, whatever passes and proofs end
//! meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anser_base::{Class, Clock, Timestamp};
use anser_db::{Durability, Place, Tx, params};
use anser_migrate::model::State;
use anser_migrate::verify::Level;
use anser_migrate::{Faces, Said};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

/// So often a pass and a proof end.
const ENDS: i64 = 300;

async fn gate(office: &Office, name: &str) -> String {
    let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
    look.gates.into_iter().find(|gate| gate.gate == name).unwrap().state
}

#[test]
fn mail_that_came_late_behind_a_look_keeps_it_open() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let inbox = || vec![folder("INBOX", vec![mail(1, "", "one")])];
        let fake = Fake::start(inbox(), Habits::default());
        let shown = Fake::start(inbox(), Habits { admits_anybody: true, ..Habits::default() });
        office.person("ann", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        let (_shutdown, running) = office.run();
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        office.migrate.cutover(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        let verify = async || {
            let faces = Faces { imap: shown.source(), pop3: None };
            office.migrate.verify(MOVE, Vec::new(), faces, Level::Bodies).await.unwrap();
        };
        office.clock.advance(Duration::from_secs(8 * 24 * 3600));
        verify().await;
        let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
        assert!(look.gates.iter().all(|gate| gate.before || gate.state == "passed"), "{:?}", look.gates);
        for server in [&fake, &shown] {
            server.change(|state| {
                state.folders[0].mails.push(mail(2, "", "late"));
                state.folders[0].uidnext = 3;
            });
        }
        office.clock.advance(Duration::from_secs(1));
        // A look for late mail that was due by itself may have been before it.
        while office.view("ann@anser.test").await.ledger.iter().map(|(_, count)| count).sum::<u64>() < 2 {
            office.migrate.delta(MOVE, Vec::new()).await.unwrap();
            office.migrate.wait(MOVE).await.unwrap();
        }
        office.migrate.wait(MOVE).await.unwrap();
        let refused = office.migrate.close_move(MOVE, &[]).await.unwrap_err();
        assert_eq!(refused.class, Class::Conflict, "{refused:?}");
        let view = office.migrate.move_view(MOVE).await.unwrap();
        assert!(view.secrets_until.is_some() && view.state == "running", "nothing of an end that did not come");
        office.clock.advance(Duration::from_secs(8 * 24 * 3600));
        verify().await;
        office.migrate.close_move(MOVE, &[]).await.unwrap();
        assert_eq!(office.migrate.move_view(MOVE).await.unwrap().secrets_until, None);
        running.abort();
    });
}

/// A mailbox that is proven, and got mail since: each time both later than the time before.
fn end(tx: &mut Tx<'_>, time: i64) -> anser_base::Result<()> {
    let mailbox = "UPDATE mov_accounts SET state = ?1, pass = 1, whole_ms = 1, brought_ms = ?2 WHERE id = 1";
    tx.execute(mailbox, params![State::Settled as i64, 10 * time + 5])?;
    let proof = "INSERT INTO mov_proofs (account, at_ms, proof) VALUES (1, ?1, ?2) \
                 ON CONFLICT (account) DO UPDATE SET at_ms = excluded.at_ms";
    tx.execute(proof, params![10 * time, r#"{"folders": [], "unexplained": 0}"#]).map(drop)
}

#[test]
fn a_proof_is_never_held_against_an_earlier_pass() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let ended = AtomicBool::new(false);
        let ends = async {
            for time in 1..=ENDS {
                office.db.write(Place::Moves, Durability::Deferred, move |tx| end(tx, time)).await.unwrap();
            }
            ended.store(true, Ordering::Relaxed);
        };
        let looks = async {
            while !ended.load(Ordering::Relaxed) {
                assert_eq!(gate(office, "proof").await, "open");
            }
        };
        tokio::join!(ends, looks);
        let proven = |tx: &mut Tx<'_>| tx.execute("UPDATE mov_proofs SET at_ms = 10 * at_ms", &[]).map(drop);
        office.db.write(Place::Moves, Durability::Sync, proven).await.unwrap();
        assert_eq!(gate(office, "proof").await, "passed");
    });
}
