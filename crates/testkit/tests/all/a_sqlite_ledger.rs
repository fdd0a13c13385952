//! A database on the simulated disk, together with a model of every state it may be in after a crash.

use std::collections::BTreeMap;
use std::path::Path;

use anser_base::{Disk, Entropy};
use anser_testkit::sim::{SimDisk, sync_journal};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

const DB: &str = "/ledger.db";
const WAL: &str = "/ledger.db-wal";
const COPY: &str = "/ledger.db-copy";
/// Attempts to get the database open while faults are about.
const ATTEMPTS: usize = 50;

/// Rows: key, and the transaction that wrote it last.
type Rows = BTreeMap<i64, i64>;
type Trouble = Box<dyn std::error::Error>;

/// The database and what it may hold.
pub struct Ledger {
    pub disk: SimDisk,
    chance: Entropy,
    db: Option<Connection>,
    /// Whether the database was made and that is durable.
    made: bool,
    /// The state after each transaction that was tried and may have happened.
    states: Vec<Rows>,
    /// The number of the last transaction that is durable for sure.
    acknowledged: usize,
    /// Crashes lived through.
    pub crashes: u64,
}

impl Ledger {
    pub fn new(disk: &SimDisk, seed: u64) -> Self {
        Self {
            disk: disk.clone(),
            chance: Entropy::seeded(seed),
            db: None,
            made: false,
            states: vec![Rows::new()],
            acknowledged: 0,
            crashes: 0,
        }
    }

    /// Runs transactions, with a checkpoint after every `checkpoint` of them, and comes back from every trouble on the way.
    pub fn run(&mut self, transactions: usize, checkpoint: usize) {
        for i in 1..=transactions {
            self.come_up();
            let mut done = self.transaction();
            if done.is_ok() && i % checkpoint == 0 {
                done = self.checkpoint();
            }
            if done.is_err() {
                self.go_down();
            }
        }
    }

    /// Closes the database as an orderly end does, which makes a last checkpoint.
    pub fn close(&mut self) {
        self.db = None;
        self.go_down();
    }

    /// Cuts the power, and shows that everything acknowledged is there and that work goes on.
    pub fn finish(&mut self) {
        self.disk.set_plan(anser_testkit::sim::Plan::new());
        self.disk.power_cut();
        self.go_down();
        self.come_up();
        self.transaction().expect("service goes on");
        assert_eq!(self.acknowledged + 1, self.states.len());
    }

    /// Ends the connection; after a crash, starts the machine again.
    pub fn go_down(&mut self) {
        if let Some(db) = self.db.take() {
            // What the connection believes to have written may be gone after a failed sync: it must not checkpoint.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        if self.disk.is_dead() {
            self.crashes += 1;
            self.disk.power_on();
        }
    }

    /// Opens the database unless it is open, and checks what it holds.
    pub fn come_up(&mut self) {
        for _ in 0..ATTEMPTS {
            if self.db.is_some() {
                return;
            }
            match self.open() {
                Ok(db) => {
                    let _ = self.verify(&db).map(|()| self.db = Some(db));
                }
                Err(_) => self.go_down(),
            }
            if self.disk.is_dead() {
                self.go_down();
            }
        }
        panic!("the database does not open");
    }

    fn open(&mut self) -> Result<Connection, Trouble> {
        if self.made {
            self.rewrite_log()?
        } else {
            self.wipe()?
        }
        let db = Connection::open_with_flags_and_vfs(DB, OpenFlags::default(), self.disk.vfs_name())?;
        db.execute_batch(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
             PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=12;",
        )?;
        if !self.made {
            db.execute_batch(
                "BEGIN; CREATE TABLE rows(key INTEGER PRIMARY KEY, written INTEGER, payload BLOB);
                 CREATE INDEX by_written ON rows(written); CREATE TABLE last(n INTEGER); INSERT INTO last VALUES (0); COMMIT;",
            )?;
            sync_journal(&db)?;
            self.made = true;
        }
        Ok(db)
    }

    /// A database whose making was interrupted is made anew.
    fn wipe(&self) -> Result<(), Trouble> {
        for path in self.disk.files() {
            self.disk.remove(&path)?;
        }
        Ok(())
    }

    /// After a failed sync readers may see bytes of the log that are not on the platter and that no sync brings there. Written
    /// anew, what readers see is what is durable.
    fn rewrite_log(&self) -> Result<(), Trouble> {
        let Some(log) = self.disk.peek(WAL) else { return Ok(()) };
        if self.disk.peek(COPY).is_some() {
            self.disk.remove(Path::new(COPY))?;
        }
        let mut copy = self.disk.create(Path::new(COPY))?;
        copy.append(&log)?;
        copy.sync()?;
        self.disk.rename(Path::new(COPY), Path::new(WAL))?;
        Ok(self.disk.sync_dir(Path::new("/"))?)
    }

    /// Asserts that the database is sound and in one of the states it may be in. An error when a fault hits the reading.
    fn verify(&mut self, db: &Connection) -> Result<(), Trouble> {
        let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(sound, "ok");
        let n = db.query_row("SELECT n FROM last", [], |row| row.get::<_, i64>(0))? as usize;
        assert!(n >= self.acknowledged, "transaction {} was acknowledged, {n} is the last", self.acknowledged);
        assert!(n < self.states.len(), "transaction {n} was never tried");
        let mut rows = Rows::new();
        let mut read = db.prepare("SELECT key, written, payload FROM rows")?;
        let mut cursor = read.query([])?;
        while let Some(row) = cursor.next()? {
            let (key, written) = (row.get(0)?, row.get(1)?);
            assert_eq!(row.get_ref(2)?.as_blob()?, payload(key, written));
            rows.insert(key, written);
        }
        assert_eq!(rows, self.states[n], "transaction {n} is there in part");
        self.states.truncate(n + 1);
        Ok(())
    }

    /// One transaction, acknowledged once its log is synced.
    fn transaction(&mut self) -> Result<(), Trouble> {
        let db = self.db.as_ref().ok_or("closed")?;
        let n = self.states.len() as i64;
        let mut rows = self.states[self.states.len() - 1].clone();
        let done = change(db, n, &mut rows, &self.chance);
        if done.is_ok() || self.disk.is_dead() {
            self.states.push(rows);
        } else if !db.is_autocommit() {
            db.execute_batch("ROLLBACK")?;
        }
        match done {
            // Only what could not grow is undone and over with; the connection is as good as before.
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == rusqlite::ErrorCode::DiskFull => {
                return Ok(());
            }
            done => done?,
        }
        sync_journal(db)?;
        self.acknowledged = self.states.len() - 1;
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<(), Trouble> {
        let db = self.db.as_ref().ok_or("closed")?;
        let mode = ["PASSIVE", "RESTART", "TRUNCATE"][self.chance.below(3) as usize];
        db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))?;
        Ok(())
    }
}

fn change(db: &Connection, n: i64, rows: &mut Rows, chance: &Entropy) -> rusqlite::Result<()> {
    db.execute_batch("BEGIN IMMEDIATE")?;
    let many = if chance.below(8) == 0 { 40 } else { 1 + chance.below(4) };
    for _ in 0..many {
        let key = chance.below(150) as i64;
        if chance.below(4) == 0 {
            db.prepare_cached("DELETE FROM rows WHERE key=?")?.execute([key])?;
            rows.remove(&key);
        } else {
            db.prepare_cached("REPLACE INTO rows VALUES (?, ?, ?)")?.execute(params![key, n, payload(key, n)])?;
            rows.insert(key, n);
        }
    }
    db.prepare_cached("UPDATE last SET n=?")?.execute([n])?;
    db.execute_batch("COMMIT")
}

fn payload(key: i64, written: i64) -> Vec<u8> {
    vec![(key + written) as u8; ((key * 37 + written * 101) % 1700) as usize]
}
