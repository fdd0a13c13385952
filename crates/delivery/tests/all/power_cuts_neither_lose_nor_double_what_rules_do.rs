use std::collections::BTreeSet;

use anser_base::Entropy;
use anser_db::Db;
use anser_testkit::sim::{Plan, SimDisk};

use crate::house::{House, Site, body, envelope, message, runtime};
use crate::power::{LATER, STEPS, crash, founded, start, stops_well};

/// Seeds, each with a crash of its own.
const CRASHES: u64 = 120;
/// Runs of the couriers before giving up on a crash, and messages put in each.
const ROUNDS: u64 = 8;
const PUTS: u64 = 4;
const ANN: &str = "ann@anser.test";
const BOB: &str = "bob@anser.test";
const CHO: &str = "cho@anser.test";

/// Files a copy, sends one on, answers, and keeps one; every fifth message brings the script down.
const SCRIPT: &str = "require [\"fileinto\", \"mailbox\", \"copy\", \"vacation\", \"include\", \"editheader\"];\n\
    fileinto :create :copy \"Filed\";\n\
    redirect :copy \"bob@anser.test\";\n\
    vacation :days 7 \"away\";\n\
    if header :matches \"subject\" \"*fails*\" { include \"missing\"; }\n\
    if header :matches \"subject\" \"*changes*\" { addheader \"X-Changed\" \"yes\"; redirect :copy \"bob+changed@anser.test\"; }\n";

#[test]
fn every_copy_is_there_once_and_the_sender_is_answered_once() {
    for seed in 0..CRASHES {
        let disk = SimDisk::new(seed);
        let (clock, people) = founded(&disk);
        runtime().block_on(async {
            let house = start(&disk, &clock).await;
            house.script(ANN, SCRIPT).await;
        });
        disk.set_plan(Plan::seeded(seed, disk.steps(), STEPS));
        let (mut sure, mut perhaps) = (BTreeSet::new(), BTreeSet::new());
        let db = runtime().block_on(live(&disk, &clock, seed, &mut sure, &mut perhaps));
        crash(&disk, db, &people);
        clock.advance(LATER);
        runtime().block_on(async {
            let house = start(&disk, &clock).await;
            house.delivery.recover().await.expect("the server recovers after a crash");
            house.run().await;
            examine(&house, seed, &sure, &perhaps).await;
        });
    }
}

/// Messages are put and delivered until the power goes.
async fn live(
    disk: &SimDisk,
    clock: &anser_base::Clock,
    seed: u64,
    sure: &mut BTreeSet<String>,
    perhaps: &mut BTreeSet<String>,
) -> Option<Db> {
    let house = Site::on(disk).open(clock, None).await.ok()?;
    let db = Some(house.store.db().clone());
    if house.delivery.recover().await.is_err() {
        return db;
    }
    let dice = Entropy::seeded(seed);
    for round in 0..ROUNDS {
        let (shutdown, running) = house.start();
        for n in 0..dice.below(PUTS) + 1 {
            let kind = ["plain", "plain", "changes", "plain", "fails"][dice.below(5) as usize];
            let subject = format!("{kind}.{seed}.{round}.{n}.end");
            let raw = message(&subject);
            match house.queue.put(envelope(CHO, &[ANN]), body(&raw)).await {
                Ok(_) => sure.insert(subject),
                Err(_) => perhaps.insert(subject),
            };
        }
        if !stops_well(disk, &shutdown, running).await {
            return db;
        }
    }
    db
}

async fn examine(house: &House, seed: u64, sure: &BTreeSet<String>, perhaps: &BTreeSet<String>) {
    let inbox = house.mail(ANN).await;
    let filed = house.folder(ANN, "Filed").await.unwrap_or_default();
    let sent = house.mail(BOB).await;
    let count = |mail: &[String], subject: &str| {
        mail.iter().filter(|raw| raw.contains(&format!("Subject: {subject}\r\n"))).count()
    };
    for subject in sure.iter().chain(perhaps) {
        let copies = match subject.split('.').next() {
            Some("fails") => [1, 0, 0],
            Some("changes") => [1, 1, 2],
            _ => [1, 1, 1],
        };
        let found = [count(&inbox, subject), count(&filed, subject), count(&sent, subject)];
        let is_lost = found == [0; 3] && perhaps.contains(subject);
        assert!(found == copies || is_lost, "seed {seed}: {subject} is there {found:?} times");
    }
    let answers = house.mail(CHO).await.len();
    let is_answered = sure.iter().any(|subject| !subject.starts_with("fails"));
    assert!(answers <= 1 && (answers == 1 || !is_answered), "seed {seed}: {answers} answers");
    let notices = inbox.iter().filter(|raw| raw.contains("Auto-Submitted: auto-generated")).count();
    let has_failed = sure.iter().any(|subject| subject.starts_with("fails"));
    assert!(notices <= 1 && (notices == 1 || !has_failed), "seed {seed}: {notices} notices");
}
