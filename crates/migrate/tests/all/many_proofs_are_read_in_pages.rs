//! P9: of a move of many mailboxes every proof counts, and a report of one of them tells of that one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anser_base::{Clock, Timestamp};
use anser_db::{Durability, Place, Tx, params};
use anser_migrate::{Proof, Said};
use anser_testkit::engines::World;

use crate::fake::{Fake, Habits, folder};
use crate::office::{MOVE, Office, SCHEMAS, each_office};

/// More than one look at the tables brings.
const ALL: i64 = 450;

/// Lists so many mailboxes beside the first, and a proof of each: a message is unexplained.
async fn list_many(office: &Office) {
    let put = |tx: &mut Tx<'_>| {
        for id in 2..=ALL {
            let login = format!("user{id}");
            let sql = "INSERT INTO mov_accounts (id, move, source, login, address, account, state, task, due_ms, tries, pass, done, \
                       total, bytes, holder, held_until_ms, whole_ms) \
                       SELECT ?1, move, source, ?2, ?3, account, state, task, 0, 0, 1, 0, 0, 0, 0, 0, 1 FROM mov_accounts WHERE id = 1";
            tx.execute(sql, params![id, &login, &format!("{login}@anser.test")])?;
            let proof = Proof { login, unexplained: 1, ..Proof::default() };
            let sql = "INSERT INTO mov_proofs (account, at_ms, proof) VALUES (?1, 1, ?2)";
            tx.execute(sql, params![id, &serde_json::to_string(&proof).unwrap()])?;
        }
        Ok(())
    };
    office.db.write(Place::Moves, Durability::Sync, put).await.unwrap();
}

#[test]
fn all_of_them_count_and_each_stands_for_itself() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        list_many(office).await;
        assert_eq!(office.migrate.proofs(MOVE, Vec::new()).await.unwrap().len(), ALL as usize - 1);
        let loss = async |accepted: &[&str]| {
            let accepted = accepted.iter().map(|gate| (*gate).to_owned()).collect();
            let said = Said { accepted, who: "root".into(), ..Said::default() };
            let gates = office.migrate.look_at_gates(MOVE, &[], said).await.unwrap().gates;
            gates.into_iter().find(|gate| gate.gate == "loss").unwrap()
        };
        let open = loss(&[]).await;
        assert!(open.state == "open" && open.en.contains("449 unexplained"), "{}", open.en);
        assert!(open.en.contains("1 mailboxes have no proof") && open.en.ends_with("(450)"), "{}", open.en);

        // Each is read once, however long it is; what a proof adds up to stands beside it from then on.
        let hide = async |sql: &'static str| {
            office.db.write(Place::Moves, Durability::Sync, move |tx: &mut Tx<'_>| tx.execute(sql, &[])).await.unwrap()
        };
        hide("UPDATE mov_proofs SET proof = 'of ' || proof").await;
        assert!(loss(&[]).await.en.contains("449 unexplained"));
        hide("UPDATE mov_proofs SET proof = SUBSTR(proof, 4)").await;

        assert_eq!(loss(&["loss=spam"]).await.state, "accepted");
        let more = |tx: &mut Tx<'_>| {
            tx.execute(
                "UPDATE mov_proofs SET proof = REPLACE(proof, ':1,', ':2,'), sum_json = NULL WHERE account = 300",
                &[],
            )
        };
        assert_eq!(office.db.write(Place::Moves, Durability::Sync, more).await.unwrap(), 1);
        assert_eq!(loss(&[]).await.state, "open", "one has lost more");
        let report = async |which: &[&str]| {
            let which = which.iter().map(|login| (*login).to_owned()).collect();
            office.migrate.signed_report(MOVE, which, "json").await.unwrap()
        };
        assert!(!report(&[]).await.contains("root: spam"));
        assert!(!report(&["user300"]).await.contains("root: spam"), "nobody took on what this one lost");
        let other = report(&["user299"]).await;
        assert!(other.contains("\"accepted\":\"root: spam\"") && !other.contains("user300"), "{other}");
    });
}

#[test]
fn a_report_of_them_keeps_nobody_else_waiting() {
    let world = World::embedded(SCHEMAS);
    let workers = Arc::new(AtomicUsize::new(0));
    let started = workers.clone();
    // Everything waits on the one thread that there is, but for what is given to workers.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().on_thread_start(move || {
        started.fetch_add(1, Ordering::SeqCst);
    });
    runtime.build().unwrap().block_on(async {
        let office = Office::open(world.open(), world.blobs());
        office.plan(&[(Fake::start(vec![folder("INBOX", Vec::new())], Habits::default()).source(), &["ann"])]).await;
        list_many(&office).await;
        assert_eq!(workers.load(Ordering::SeqCst), 0, "nothing before it wanted one");
        let report = office.migrate.signed_report(MOVE, Vec::new(), "json").await.unwrap();
        assert!(report.contains("user300"));
        assert!(workers.load(Ordering::SeqCst) > 0, "it was written where everybody waits");
    });
}
