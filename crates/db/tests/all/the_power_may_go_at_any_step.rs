//! The embedded engine over a disk that loses power, tears writes, fails syncs and fills up: what was answered durable is there,
//! every transaction is there wholly or not at all, a deferred one never without those before it, and an error means
//! that nothing happened as long as the machine runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use anser_base::{AccountId, Durability, Entropy, Error, Result};
use anser_db::{Db, Embedded, Engine, Pending, Place, Tx, params};
use anser_testkit::sim::{Fault, Plan, SimDisk};

use crate::fixture::{TABLE, hold, schemas};

const ACCOUNTS: u64 = 3;
/// Rows of a transaction have the numbers `transaction * ROWS + 1 ..`; its `ROWS * transaction` is a row that tells how many.
const ROWS: i64 = 1000;
/// Attempts to get an answer while faults are about.
const ATTEMPTS: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// There whatever happens.
    Durable,
    /// There unless the power goes.
    Visible,
    /// Failed, and nobody has looked since.
    Doubtful,
}

struct Office {
    disk: SimDisk,
    db: Option<Db>,
    chance: Entropy,
    transactions: i64,
    /// Of each account, by transaction in the order of commits.
    known: Vec<BTreeMap<i64, Standing>>,
    /// Whether deferred writes were lost while the machine ran, and nobody told yet.
    lost: bool,
    crashes: u64,
}

fn place(account: usize) -> Place {
    Place::Account(AccountId(account as u64 + 1))
}

fn rows_of(transaction: i64) -> i64 {
    1 + transaction % 7
}

fn body(id: i64) -> Vec<u8> {
    vec![(id % 251) as u8; ((id * 37) % 1500) as usize]
}

fn write(account: usize, transaction: i64) -> impl FnMut(&mut Tx<'_>) -> Result<()> + Send + 'static {
    move |tx| {
        let first = transaction * ROWS;
        for id in first..=first + rows_of(transaction) {
            tx.execute(
                "INSERT INTO item (account, id, body) VALUES (?1, ?2, ?3)",
                params![account as i64, id, &body(id)],
            )?;
        }
        tx.execute(
            "INSERT OR REPLACE INTO item (account, id, body) VALUES (?1, 0, ?2)",
            params![account as i64, &body(first)],
        )
        .map(drop)
    }
}

/// The rows.
fn look(db: &Db, account: usize) -> Result<Vec<(i64, Vec<u8>)>> {
    db.read(place(account), |tx| {
        tx.query("SELECT id, body FROM item WHERE id > 0 ORDER BY id", &[], |row| Ok((row.int(0)?, row.blob(1)?)))
    })
    .wait()
}

/// Fails when a fault hits the reading.
fn is_sound(db: &Db, account: usize) -> Result<()> {
    let sound = |tx: &mut Tx<'_>| tx.query_one("PRAGMA integrity_check", &[], |row| row.text(0));
    let sound = db.read(place(account), sound).wait()?.unwrap_or_default();
    if sound.contains("get page") || sound.contains("get the page") {
        return Err(Error::unavailable("a fault hit the check"));
    }
    assert_eq!(sound, "ok");
    Ok(())
}

fn is_there(rows: &[(i64, Vec<u8>)], transaction: i64) -> bool {
    rows.binary_search_by_key(&(transaction * ROWS), |(id, _)| *id).is_ok()
}

impl Office {
    fn new(disk: &SimDisk, seed: u64) -> Self {
        let known = vec![BTreeMap::new(); ACCOUNTS as usize];
        Self {
            disk: disk.clone(),
            db: None,
            chance: Entropy::seeded(seed),
            transactions: 0,
            known,
            lost: false,
            crashes: 0,
        }
    }

    fn open(&self) -> Result<Db> {
        let config = Embedded {
            vfs: Some(self.disk.vfs_name().to_owned()),
            workers: 1,
            // Two files for three accounts, and short logs, so that closing and checkpoints happen.
            open_files: 2,
            log_pages: Some(25),
            ..Embedded::new("/srv/data", Arc::new(self.disk.clone()))
        };
        Db::open(Engine::Embedded(config), schemas(TABLE))
    }

    fn run(&mut self, acts: usize) {
        for _ in 0..acts {
            self.come_up();
            self.act();
            if self.disk.is_dead() {
                self.crash();
            }
        }
    }

    fn crash(&mut self) {
        self.db = None;
        self.crashes += u64::from(self.disk.is_dead());
        self.disk.power_on();
        self.lost = false;
    }

    fn come_up(&mut self) {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            if self.db.is_none() {
                let seen = self.open().and_then(|db| {
                    self.db = Some(db);
                    (0..ACCOUNTS as usize).try_for_each(|account| self.inspect(account))
                });
                last = seen.err().map(|error| error.chain());
            }
            if last.is_none() {
                return;
            }
            self.crash();
        }
        panic!("the data does not open: {last:?}");
    }

    fn act(&mut self) {
        let account = self.chance.below(ACCOUNTS) as usize;
        match self.chance.below(8) {
            0 => self.sync_all(),
            1 | 2 => self.batch(account),
            n => {
                let durability = if n < 5 { Durability::Deferred } else { Durability::Sync };
                let (transaction, pending) = self.submit(account, durability);
                self.answered(account, transaction, durability, pending);
                self.compare(account);
            }
        }
    }

    fn submit(&mut self, account: usize, durability: Durability) -> (i64, Pending<()>) {
        self.transactions += 1;
        let db = self.db.as_ref().expect("it is open");
        (self.transactions, db.write(place(account), durability, write(account, self.transactions)))
    }

    fn batch(&mut self, account: usize) {
        let (go, held) = hold(self.db.as_ref().expect("it is open"), place(account));
        let durabilities = [Durability::Deferred, Durability::Sync, Durability::Deferred];
        let waiting = durabilities.map(|durability| (durability, self.submit(account, durability)));
        drop(go);
        let _ = held.wait();
        for (durability, (transaction, pending)) in waiting {
            self.answered(account, transaction, durability, pending);
        }
        self.compare(account);
    }

    fn answered(&mut self, account: usize, transaction: i64, durability: Durability, pending: Pending<()>) {
        let standing = match (pending.wait(), durability) {
            (Ok(()), Durability::Sync) => Standing::Durable,
            (Ok(()), Durability::Deferred) => Standing::Visible,
            (Err(_), _) => Standing::Doubtful,
        };
        self.known[account].insert(transaction, standing);
    }

    fn harden(&mut self, account: usize) {
        for standing in self.known[account].values_mut() {
            if *standing == Standing::Visible {
                *standing = Standing::Durable;
            }
        }
    }

    fn sync_all(&mut self) {
        let db = self.db.as_ref().expect("it is open");
        let done = db.sync_all();
        if done.is_ok() {
            assert!(!self.lost, "a loss must be told");
            (0..ACCOUNTS as usize).for_each(|account| self.harden(account));
        }
        self.lost = false;
        (0..ACCOUNTS as usize).for_each(|account| self.compare(account));
    }

    /// While the machine runs, an error means that nothing happened. A failed sync may take deferred writes with it.
    fn compare(&mut self, account: usize) {
        if self.disk.is_dead() {
            return;
        }
        let Ok(rows) = look(self.db.as_ref().expect("it is open"), account) else { return };
        let mut lost = false;
        self.known[account].retain(|transaction, standing| {
            let there = is_there(&rows, *transaction);
            match standing {
                Standing::Durable => assert!(there, "{transaction} of {account} was durable and is gone"),
                Standing::Visible => lost |= !there,
                Standing::Doubtful => assert!(!there, "{transaction} failed, but is there"),
            }
            there
        });
        self.lost |= lost;
        self.is_whole(account, &rows);
    }

    /// After a start: what is there is there for good. Fails when a fault hits the reading.
    fn inspect(&mut self, account: usize) -> Result<()> {
        let db = self.db.as_ref().expect("it is open");
        is_sound(db, account)?;
        let rows = look(db, account)?;
        let mut gap = false;
        let all_certain = !self.known[account].values().any(|standing| *standing == Standing::Doubtful);
        self.known[account].retain(|transaction, standing| {
            let there = is_there(&rows, *transaction);
            assert!(there || *standing != Standing::Durable, "{transaction} of {account} was durable and is gone");
            gap |= !there;
            assert!(!gap || !there || !all_certain, "{transaction} of {account} is there without those before it");
            *standing = Standing::Durable;
            there
        });
        self.is_whole(account, &rows);
        Ok(())
    }

    /// All rows of all transactions that are known, and no other row.
    fn is_whole(&self, account: usize, rows: &[(i64, Vec<u8>)]) {
        let ids = self.known[account].keys().flat_map(|n| n * ROWS..=n * ROWS + rows_of(*n));
        let expected: Vec<_> = ids.map(|id| (id, body(id))).collect();
        assert!(rows == expected, "account {account}: rows of {:?}", self.known[account]);
    }

    fn close(&mut self) {
        self.db = None;
        if self.disk.is_dead() {
            self.crash();
        }
    }

    /// A last power cut; then service goes on.
    fn finish(&mut self) {
        self.disk.set_plan(Plan::new());
        self.disk.power_cut();
        self.crash();
        self.come_up();
        for account in 0..ACCOUNTS as usize {
            let (_, pending) = self.submit(account, Durability::Sync);
            pending.wait().expect("service goes on");
        }
    }
}

const ACTS: usize = 14;

fn steps() -> u64 {
    let disk = SimDisk::new(1);
    let mut office = Office::new(&disk, 1);
    office.run(ACTS);
    office.close();
    disk.steps()
}

/// The three kinds of crash share the steps among them.
fn crash_at_every_third_step(fault: Fault, first: u64) {
    let steps = steps();
    assert!(steps > 200, "{steps} steps");
    for step in (first..steps).step_by(3) {
        let disk = SimDisk::new(step);
        disk.set_plan(Plan::new().at(step, fault));
        let mut office = Office::new(&disk, 1);
        office.run(ACTS);
        office.close();
        office.finish();
    }
}

#[test]
fn a_power_cut_at_every_third_step() {
    crash_at_every_third_step(Fault::PowerCut, 0);
}

#[test]
fn a_torn_write_at_every_third_step() {
    crash_at_every_third_step(Fault::TornWrite, 1);
}

#[test]
fn a_kill_at_every_third_step() {
    crash_at_every_third_step(Fault::Kill, 2);
}

/// A fault at every other step, with a power cut soon after it in two of three runs.
fn trouble_at_every_other_step(fault: Fault) {
    for step in (0..steps()).step_by(2) {
        let disk = SimDisk::new(step);
        let plan = Plan::new().at(step, fault);
        disk.set_plan(if step % 3 == 0 { plan } else { plan.at(step + 10 + step % 50, Fault::PowerCut) });
        let mut office = Office::new(&disk, 1);
        office.run(ACTS);
        if step % 4 == 0 {
            office.close();
        }
        office.finish();
    }
}

#[test]
fn a_failed_sync_at_every_other_step() {
    trouble_at_every_other_step(Fault::SyncFails);
}

#[test]
fn a_failed_write_at_every_other_step() {
    trouble_at_every_other_step(Fault::WriteFails);
}

#[test]
fn a_full_disk_at_every_other_step() {
    trouble_at_every_other_step(Fault::DiskFull { for_steps: 30 });
}

#[test]
fn seeded_crashes_and_faults_one_after_the_other() {
    let mut crashes = 0;
    for seed in 0..90 {
        let disk = SimDisk::new(seed);
        let mut office = Office::new(&disk, seed);
        for round in 0..8 {
            disk.set_plan(Plan::seeded(seed * 100 + round, disk.steps(), 300));
            office.run(16);
        }
        office.finish();
        crashes += office.crashes;
    }
    assert!(crashes > 600, "{crashes} crashes");
}
