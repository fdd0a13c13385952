use std::collections::{BTreeMap, BTreeSet, HashMap};

use anser_base::{Clock, Entropy, EntryId};
use anser_db::Db;
use anser_testkit::sim::{Plan, SimDisk};

use crate::house::{House, Site, body, envelope, inbox, message, runtime};
use crate::power::{LATER, PEOPLE, People, STEPS, crash, founded, start, stops_well};

/// Seeds, each with a crash of its own.
const CRASHES: u64 = 300;
/// Runs of the couriers before giving up on a crash, and messages put in each at most.
const ROUNDS: u64 = 12;
const PUTS: u64 = 12;
/// Seeds of the other test.
const CUTS: u64 = 60;

/// What the world outside knows.
#[derive(Default)]
struct Ledger {
    /// Subjects of acknowledged messages, and for whom they are.
    acknowledged: BTreeMap<EntryId, (String, &'static str)>,
    /// Subjects that may or may not have been taken.
    perhaps: BTreeSet<String>,
    /// What each UID was seen to name, under its UIDVALIDITY.
    seen: HashMap<(&'static str, u32, u32), String>,
}

#[test]
fn acknowledged_mail_is_there_once_and_no_uid_names_two_messages() {
    for seed in 0..CRASHES {
        let disk = SimDisk::new(seed);
        let (clock, people) = founded(&disk);
        disk.set_plan(Plan::seeded(seed, disk.steps(), STEPS));
        let mut ledger = Ledger::default();
        let db = runtime().block_on(live(&disk, &clock, seed, &people, &mut ledger));
        crash(&disk, db, &people);
        clock.advance(LATER);
        runtime().block_on(examine(&disk, &clock, seed, &people, &ledger));
    }
}

#[test]
fn what_waited_in_the_tables_when_the_couriers_began_is_no_exception() {
    for seed in 0..CUTS {
        let disk = SimDisk::new(seed);
        let (clock, people) = founded(&disk);
        let mut ledger = Ledger::default();
        let db = runtime().block_on(live_shortly(&disk, &clock, seed, &people, &mut ledger));
        crash(&disk, Some(db), &people);
        clock.advance(LATER);
        runtime().block_on(examine(&disk, &clock, seed, &people, &ledger));
    }
}

/// Messages are put and delivered and read until the power goes. Returns the engine, which still has to come to rest.
async fn live(disk: &SimDisk, clock: &Clock, seed: u64, people: &People, ledger: &mut Ledger) -> Option<Db> {
    let house = Site::on(disk).open(clock, None).await.ok()?;
    let db = Some(house.store.db().clone());
    if house.delivery.recover().await.is_err() {
        return db;
    }
    let dice = Entropy::seeded(seed);
    for round in 0..ROUNDS {
        let (shutdown, running) = house.start();
        for n in 0..dice.below(PUTS) {
            put(&house, &dice, format!("{seed}.{round}.{n}"), ledger).await;
            if dice.below(3) == 0 {
                look(&house, people, seed, ledger).await;
            }
        }
        look(&house, people, seed, ledger).await;
        if !stops_well(disk, &shutdown, running).await {
            return db;
        }
    }
    db
}

/// Entries that no courier has heard of are delivered and read, and then the power goes.
async fn live_shortly(disk: &SimDisk, clock: &Clock, seed: u64, people: &People, ledger: &mut Ledger) -> Db {
    let house = start(disk, clock).await;
    let dice = Entropy::seeded(seed);
    for n in 0..4 {
        put(&house, &dice, format!("{seed}.{n}"), ledger).await;
    }
    let _running = house.start();
    while ledger.seen.len() < ledger.acknowledged.len() {
        look(&house, people, seed, ledger).await;
    }
    house.store.db().clone()
}

async fn put(house: &House, dice: &Entropy, subject: String, ledger: &mut Ledger) {
    let who = PEOPLE[dice.below(3) as usize];
    let raw = message(&subject) + &"padding ".repeat(dice.below(800) as usize);
    match house.queue.put(envelope("x@far.test", &[who]), body(&raw)).await {
        Ok(id) => drop(ledger.acknowledged.insert(id, (raw, who))),
        Err(_) => drop(ledger.perhaps.insert(raw)),
    }
}

/// A reader takes what it sees for the truth.
async fn look(house: &House, people: &People, seed: u64, ledger: &mut Ledger) {
    for (who, account) in people {
        for (validity, uid, raw) in inbox(&house.store, *account).await.unwrap_or_default() {
            let known = ledger.seen.entry((who, validity, uid)).or_insert_with(|| raw.clone());
            assert_eq!(*known, raw, "seed {seed}: UID {uid} of {who} names two messages");
        }
    }
}

async fn examine(disk: &SimDisk, clock: &Clock, seed: u64, people: &People, ledger: &Ledger) {
    let house = start(disk, clock).await;
    house.delivery.recover().await.expect("the server recovers after a crash");
    house.run().await;
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for (who, account) in people {
        for (validity, uid, raw) in inbox(&house.store, *account).await.unwrap() {
            if let Some(known) = ledger.seen.get(&(*who, validity, uid)) {
                assert_eq!(*known, raw, "seed {seed}: UID {uid} of {who} names two messages");
            }
            *counted.entry(format!("{who} {}", &raw[raw.find("From: bob").unwrap()..])).or_default() += 1;
        }
    }
    for (id, (raw, who)) in &ledger.acknowledged {
        let times = counted.get(&format!("{who} {raw}"));
        assert_eq!(times, Some(&1), "seed {seed}: {id} for {who} is there {times:?} times");
    }
    assert!(counted.values().all(|times| *times == 1), "seed {seed}: something came twice");
    let known = ledger.acknowledged.len() + ledger.perhaps.len();
    assert!(counted.len() <= known, "seed {seed}: more came than was sent");
}
