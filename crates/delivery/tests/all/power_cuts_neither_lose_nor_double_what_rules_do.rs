use std::collections::BTreeSet;

use anser_base::Entropy;
use anser_db::{Db, Durability, Place, params};
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

/// Kinds of messages, as often as they come.
const KINDS: [&str; 8] = ["plain", "plain", "plain", "plain", "changes", "fails", "floods", "toils"];
/// Those on which the script fails in the middle: it has no such part, wants too many redirects, or too many steps.
const FAILING: [&str; 3] = ["fails", "floods", "toils"];
/// What is stored as Bob's script: it does not compile, and is no text.
const BROKEN: [&[u8]; 2] = [b"fileinto \"Filed\";\n", b"\xff\xfe\0\x80 keep"];

/// Files a copy, sends one on, answers, and keeps one, unless the message is of a kind that brings it down.
const SCRIPT: &str = "require [\"fileinto\", \"mailbox\", \"copy\", \"vacation\", \"include\", \"editheader\", \"variables\"];\n\
    fileinto :create :copy \"Filed\";\n\
    redirect :copy \"bob@anser.test\";\n\
    vacation :days 7 \"away\";\n\
    if header :matches \"subject\" \"*fails*\" { include \"missing\"; }\n\
    if header :matches \"subject\" \"*changes*\" { addheader \"X-Changed\" \"yes\"; redirect :copy \"bob+changed@anser.test\"; }\n";

/// [`SCRIPT`] with what the budget of a message does not allow.
fn script() -> String {
    let mut script = format!("{SCRIPT}if header :matches \"subject\" \"*floods*\" {{\n");
    (0..20).for_each(|n| script += &format!("redirect :copy \"bob+{n}@anser.test\";\n"));
    script += "}\nif header :matches \"subject\" \"*toils*\" {\nset \"a\" \"0123456789abcdef\";\n";
    (0..12).for_each(|_| script += "set \"a\" \"${a}${a}\";\n");
    let keys: Vec<String> = (0..60).map(|n| format!("\"x{n}\"")).collect();
    (0..30).for_each(|_| script += &format!("if string :contains \"${{a}}\" [{}] {{ stop; }}\n", keys.join(", ")));
    script + "}\n"
}

/// Puts a script under Bob's name in a way that no door allows.
async fn break_a_script(house: &House, text: &'static [u8]) {
    house.script(BOB, "keep;\n").await;
    let sql = "UPDATE dir_scripts SET script = ?1 WHERE owner = ?2";
    let bob = house.account(BOB).await.to_sql();
    let work = move |tx: &mut anser_db::Tx<'_>| tx.execute(sql, params![text, bob]);
    assert_eq!(house.store.db().write(Place::Server, Durability::Sync, work).await.unwrap(), 1);
}

#[test]
fn every_copy_is_there_once_and_the_sender_is_answered_once() {
    for seed in 0..CRASHES {
        let disk = SimDisk::new(seed);
        let (clock, people) = founded(&disk);
        runtime().block_on(async {
            let house = start(&disk, &clock).await;
            house.script(ANN, &script()).await;
            break_a_script(&house, BROKEN[seed as usize % BROKEN.len()]).await;
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
            let kind = KINDS[dice.below(KINDS.len() as u64) as usize];
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
            Some(kind) if FAILING.contains(&kind) => [1, 0, 0],
            Some("changes") => [1, 1, 2],
            _ => [1, 1, 1],
        };
        let found = [count(&inbox, subject), count(&filed, subject), count(&sent, subject)];
        let is_lost = found == [0; 3] && perhaps.contains(subject);
        assert!(found == copies || is_lost, "seed {seed}: {subject} is there {found:?} times");
    }
    let kind = |subject: &str| subject.split('.').next().unwrap_or_default().to_owned();
    let is_failing = |subject: &&String| FAILING.contains(&kind(subject).as_str());
    let answers = house.mail(CHO).await.len();
    let is_answered = sure.iter().any(|subject| !is_failing(&subject));
    assert!(answers <= 1 && (answers == 1 || !is_answered), "seed {seed}: {answers} answers");

    let notices = |mail: &[String]| mail.iter().filter(|raw| raw.contains("Auto-Submitted: auto-generated")).count();
    let failed: BTreeSet<String> = sure.iter().filter(is_failing).map(|subject| kind(subject)).collect();
    let may_have: BTreeSet<String> =
        sure.iter().chain(perhaps).filter(is_failing).map(|subject| kind(subject)).collect();
    let told = notices(&inbox);
    assert!((failed.len()..=may_have.len()).contains(&told), "seed {seed}: {told} notices of {failed:?}");
    let told = notices(&sent);
    assert!(told <= 1 && (told == 1 || !is_answered), "seed {seed}: {told} notices of the broken script");
}
