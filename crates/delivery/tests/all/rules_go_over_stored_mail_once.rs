use anser_base::{AccountId, Class};
use anser_db::{Db, Durability};
use anser_delivery::Applying;
use anser_store::{Job, JobState, MailTx, NewMessage};
use anser_testkit::sim::{Plan, SimDisk};

use crate::house::{House, Site, TENANT, message, on_each_engine, runtime};
use crate::power::{crash, founded, start};

/// Seeds, each with a crash of its own.
const CRASHES: u64 = 60;
/// Steps of the disk among which the crash falls.
const STEPS: u64 = 120;
/// Messages: more than two slices.
const MESSAGES: usize = 230;
const ANN: &str = "ann@anser.test";
/// Files one half, flags a part of the rest, and fails on some.
const SCRIPT: &str = "require [\"fileinto\", \"mailbox\", \"imap4flags\", \"include\"];\n\
    if header :matches \"subject\" \"file*\" { fileinto :create \"Filed\"; }\n\
    elsif header :matches \"subject\" \"flag*\" { addflag \"$seen-by-rules\"; }\n\
    elsif header :matches \"subject\" \"fail*\" { include \"missing\"; }\n";

/// What message `number` of the inbox is for.
fn kind(number: usize) -> &'static str {
    ["file", "flag", "file", "stay", "file", "fail"][number % 6]
}

fn many(wanted: &str) -> u64 {
    (0..MESSAGES).filter(|number| kind(*number) == wanted).count() as u64
}

async fn fill(house: &House, account: AccountId) {
    let store = house.store.clone();
    let raw = |number| message(&format!("{}-{number}", kind(number)));
    let mut contents = Vec::new();
    for number in 0..MESSAGES {
        contents.push(store.put_body(TENANT, raw(number).as_bytes(), Durability::Deferred).unwrap());
    }
    store.blobs().sync_all().unwrap();
    let work = move |tx: &mut MailTx<'_, '_>| {
        let inbox = tx.inbox()?.id;
        for content in &contents {
            tx.append(&NewMessage::new(content.clone(), inbox, anser_base::Timestamp(1)))?;
        }
        Ok(())
    };
    house.store.write(account, Durability::Sync, work).await.unwrap();
}

fn all() -> Applying {
    Applying { folder: vec!["INBOX".to_owned()], last: None, script: Some(SCRIPT.as_bytes().to_vec()) }
}

async fn job(house: &House, account: AccountId) -> Job {
    house.delivery.jobs().job(account).await.unwrap().unwrap()
}

/// Every message is in one place, and no place was ever taken twice.
async fn examine(house: &House, account: AccountId, seed: u64) {
    let job = job(house, account).await;
    assert_eq!(job.state, JobState::Done, "seed {seed}");
    assert_eq!((job.tally.looked, job.total), (MESSAGES as u64, MESSAGES as u64), "seed {seed}");
    assert_eq!((job.tally.touched, job.tally.skipped), (many("file") + many("flag"), many("fail")), "seed {seed}");
    let look = |tx: &mut MailTx<'_, '_>| {
        let filed = tx.mailbox_at(&["Filed"])?.unwrap();
        Ok((tx.inbox()?, filed))
    };
    let (inbox, filed) = house.store.read(account, look).await.unwrap();
    assert_eq!(u64::from(filed.uidnext) - 1, many("file"), "seed {seed}: a message was filed twice");
    assert_eq!(house.folder(ANN, "Filed").await.unwrap().len() as u64, many("file"), "seed {seed}");
    let stays = house.store.snapshot(account, inbox.id).await.unwrap();
    assert_eq!(stays.len() as u64, MESSAGES as u64 - many("file"), "seed {seed}");
    let flagged = stays.iter().filter(|entry| !entry.keywords.is_empty()).count() as u64;
    assert_eq!(flagged, many("flag"), "seed {seed}");
}

/// UIDs of the inbox that the journal tells of.
async fn told(house: &House) -> Vec<u32> {
    let events = house.told_about(ANN).await;
    let uids = events.iter().filter_map(|act| act.split("with UID ").nth(1)?.split(' ').next()?.parse().ok());
    let mut uids: Vec<u32> = uids.collect();
    uids.sort_unstable();
    uids
}

#[test]
fn a_job_says_how_far_it_is_and_is_told_of() {
    on_each_engine(|house| async move {
        let account = house.account(ANN).await;
        fill(&house, account).await;
        let whole = house.directory.account(account).await.unwrap().unwrap();
        let jobs = house.delivery.jobs();
        let started = jobs.start(&whole, &all()).await.unwrap();
        assert_eq!((started.state, started.tally.looked, started.total), (JobState::Running, 0, MESSAGES as u64));
        let second = jobs.start(&whole, &all()).await.unwrap_err();
        assert_eq!(second.class, Class::Exists);
        let mut seen = Vec::new();
        jobs.finish(account, |job| seen.push(job.tally.looked)).await.unwrap();
        assert!(seen.len() >= 3 && seen.is_sorted() && seen.last() == Some(&(MESSAGES as u64)), "{seen:?}");
        examine(&house, account, 0).await;
        let expected: Vec<u32> =
            (0..MESSAGES).filter(|number| kind(*number) != "stay").map(|number| number as u32 + 1).collect();
        assert_eq!(told(&house).await, expected);
        assert!(house.directory.noted_jobs().await.unwrap().is_empty(), "nothing is left to be done");
        let newest = Applying { last: Some(3), ..all() };
        assert_eq!(jobs.start(&whole, &newest).await.unwrap().total, 3);
        assert!(jobs.cancel(account).await.unwrap() && !jobs.cancel(account).await.unwrap());
        jobs.finish(account, |_| panic!("a cancelled job goes nowhere")).await.unwrap();
        let ended = job(&house, account).await;
        assert_eq!((ended.state, ended.tally.looked), (JobState::Cancelled, 0));
        let nowhere = Applying { folder: vec!["Nowhere".to_owned()], ..all() };
        assert_eq!(jobs.start(&whole, &nowhere).await.unwrap_err().class, Class::NotFound);
    });
}

#[test]
fn a_job_whose_mailbox_goes_ends() {
    on_each_engine(|house| async move {
        let account = house.account(ANN).await;
        let make = |tx: &mut MailTx<'_, '_>| Ok(tx.create_mailbox(None, "Short", None)?.id);
        let mailbox = house.store.write(account, Durability::Sync, make).await.unwrap();
        let whole = house.directory.account(account).await.unwrap().unwrap();
        let there = Applying { folder: vec!["Short".to_owned()], ..all() };
        house.delivery.jobs().start(&whole, &there).await.unwrap();
        house.store.write(account, Durability::Sync, move |tx| tx.delete_mailbox(mailbox)).await.unwrap();
        house.delivery.jobs().finish(account, |_| ()).await.unwrap();
        assert_eq!(job(&house, account).await.state, JobState::Failed);
    });
}

#[test]
fn a_power_cut_makes_it_touch_no_message_twice_and_forget_none() {
    let mut resumed = 0;
    for seed in 0..CRASHES {
        let disk = SimDisk::new(seed);
        let (clock, people) = founded(&disk);
        let account = people[0].1;
        runtime().block_on(async {
            let house = start(&disk, &clock).await;
            fill(&house, account).await;
            let whole = house.directory.account(account).await.unwrap().unwrap();
            house.delivery.jobs().start(&whole, &all()).await.unwrap();
        });
        disk.set_plan(Plan::seeded(seed, disk.steps(), STEPS));
        let db = runtime().block_on(live(&disk, &clock, account));
        crash(&disk, db, &people);
        runtime().block_on(async {
            let house = start(&disk, &clock).await;
            house.delivery.recover().await.unwrap();
            let before = job(&house, account).await.tally.looked;
            resumed += u32::from(before > 0 && before < MESSAGES as u64);
            house.delivery.jobs().finish(account, |_| ()).await.unwrap();
            examine(&house, account, seed).await;
            let mut told = told(&house).await;
            told.dedup();
            let wanted = MESSAGES as u64 - many("stay");
            assert_eq!(told.len() as u64, wanted, "seed {seed}: the journal misses some");
        });
    }
    assert!(resumed > 0, "no crash fell between two slices");
}

/// The job runs until the power goes or it is done.
async fn live(disk: &SimDisk, clock: &anser_base::Clock, account: AccountId) -> Option<Db> {
    let house = Site::on(disk).open(clock, None).await.ok()?;
    let db = Some(house.store.db().clone());
    let _ = house.delivery.jobs().finish(account, |_| ()).await;
    db
}
