//! SQLite over the simulated disk: sound after every crash, with every synced transaction and no part of any other.

use std::path::Path;

use anser_base::Disk;
use anser_testkit::sim::{Fault, Plan, SimDisk, sync_journal};
use rusqlite::{Connection, OpenFlags};

use crate::a_sqlite_ledger::Ledger;

const TRANSACTIONS: usize = 24;
const CHECKPOINT: usize = 6;

/// Steps of the small workload when nothing goes wrong.
fn small_workload() -> u64 {
    let disk = SimDisk::new(1);
    let mut ledger = Ledger::new(&disk, 1);
    ledger.run(TRANSACTIONS, CHECKPOINT);
    ledger.close();
    disk.steps()
}

fn crash_at_every_step(fault: Fault) {
    let steps = small_workload();
    assert!(steps > 200, "{steps} steps");
    for step in 0..steps {
        let disk = SimDisk::new(step);
        disk.set_plan(Plan::new().at(step, fault));
        let mut ledger = Ledger::new(&disk, 1);
        ledger.run(TRANSACTIONS, CHECKPOINT);
        ledger.close();
        assert_eq!(ledger.crashes, 1, "step {step}");
        ledger.finish();
    }
}

#[test]
fn a_power_cut_at_every_step() {
    crash_at_every_step(Fault::PowerCut);
}

#[test]
fn a_torn_write_at_every_step() {
    crash_at_every_step(Fault::TornWrite);
}

#[test]
fn a_kill_at_every_step() {
    crash_at_every_step(Fault::Kill);
}

#[test]
fn seeded_crashes_and_faults_one_after_the_other() {
    let mut crashes = 0;
    for seed in 0..120 {
        let disk = SimDisk::new(seed);
        let mut ledger = Ledger::new(&disk, seed);
        for round in 0..8 {
            disk.set_plan(Plan::seeded(seed * 100 + round, disk.steps(), 400));
            ledger.run(20, 1 + (seed as usize + round as usize) % 9);
        }
        ledger.finish();
        crashes += ledger.crashes;
    }
    assert!(crashes > 500, "{crashes} crashes");
}

/// A fault at every step, with a power cut soon after it in two of three runs.
fn trouble_at_every_step(fault: Fault) {
    for step in 0..small_workload() {
        let disk = SimDisk::new(step);
        let plan = Plan::new().at(step, fault);
        disk.set_plan(if step % 3 == 0 { plan } else { plan.at(step + 10 + step % 50, Fault::PowerCut) });
        let mut ledger = Ledger::new(&disk, 1);
        ledger.run(TRANSACTIONS, CHECKPOINT);
        if step % 2 == 0 {
            ledger.close();
        }
        ledger.finish();
    }
}

#[test]
fn a_full_disk_at_every_step_loses_nothing_acknowledged() {
    trouble_at_every_step(Fault::DiskFull { for_steps: 30 });
}

#[test]
fn a_failed_sync_at_every_step_loses_nothing_acknowledged() {
    trouble_at_every_step(Fault::SyncFails);
}

#[test]
fn a_failed_write_at_every_step_loses_nothing_acknowledged() {
    trouble_at_every_step(Fault::WriteFails);
}

fn open(disk: &SimDisk) -> Connection {
    let db = Connection::open_with_flags_and_vfs("/d/a.db", OpenFlags::default(), disk.vfs_name()).unwrap();
    db.execute_batch("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL").unwrap();
    db
}

/// How many of 100 seeds kept a committed row, made durable by `sync` or not at all.
fn kept(sync: impl Fn(&SimDisk, &Connection)) -> usize {
    let survived = |seed: &u64| {
        let disk = SimDisk::new(*seed);
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let db = open(&disk);
        db.execute_batch("CREATE TABLE t(x)").unwrap();
        sync_journal(&db).unwrap();
        db.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        sync(&disk, &db);
        disk.power_cut();
        drop(db);
        disk.power_on();
        open(&disk).query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap() == 1
    };
    (0..100).filter(survived).count()
}

#[test]
fn a_commit_is_durable_with_its_log_or_with_the_whole_disk_and_not_before() {
    assert_eq!(kept(|_, db| sync_journal(db).unwrap()), 100);
    assert_eq!(kept(|disk, _| disk.sync_all(Path::new("/d")).unwrap()), 100);
    let unsynced = kept(|_, _| {});
    assert!((1..100).contains(&unsynced), "{unsynced}");
}

#[test]
fn an_old_connection_stays_useless_after_the_power_is_back() {
    let disk = SimDisk::new(3);
    disk.create_dir_all(Path::new("/d")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let db = open(&disk);
    db.execute_batch("CREATE TABLE t(x)").unwrap();
    disk.power_cut();
    assert!(db.execute_batch("INSERT INTO t VALUES (1)").is_err());
    disk.power_on();
    assert!(db.execute_batch("INSERT INTO t VALUES (1)").is_err());
    let files = disk.files();
    drop(db);
    assert_eq!(disk.files(), files, "its end touches nothing");
}

#[test]
fn only_one_connection_at_a_time_has_the_database() {
    let disk = SimDisk::new(3);
    disk.create_dir_all(Path::new("/d")).unwrap();
    let db = open(&disk);
    db.execute_batch("CREATE TABLE t(x)").unwrap();
    let other = Connection::open_with_flags_and_vfs("/d/a.db", OpenFlags::default(), disk.vfs_name()).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    assert!(other.execute_batch("SELECT * FROM t").is_err());
}

#[test]
fn a_vfs_goes_with_its_disk_and_its_last_connection() {
    let disk = SimDisk::new(1);
    let name = disk.vfs_name().to_owned();
    let there = || Connection::open_with_flags_and_vfs("/x", OpenFlags::default(), name.as_str()).is_ok();
    assert!(there());
    let db = Connection::open_with_flags_and_vfs("/y", OpenFlags::default(), name.as_str()).unwrap();
    drop(disk);
    db.execute_batch("CREATE TABLE t(x)").unwrap();
    assert!(there());
    drop(db);
    assert!(!there());
}
