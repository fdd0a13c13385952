//! A job that goes through the mail of a mailbox, one an account: where it is, and what it has done. Its position moves in the transaction
//! that changes the messages it passes, so that nothing is passed twice, whenever the process ends.

use anser_base::{Class, Error, MailboxId, Result, Timestamp};
use anser_db::{Row, params};

use crate::tx::MailTx;

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// There is more to be done.
    Running,
    /// All was looked at.
    Done,
    /// Somebody ended it early.
    Cancelled,
    /// It cannot go on: its mailbox is gone.
    Failed,
}

impl JobState {
    const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Cancelled, Self::Failed];

    /// Its name: `running`, `done`, `cancelled`, `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn from_sql(value: i64) -> Self {
        Self::ALL.into_iter().find(|state| *state as i64 == value).unwrap_or(Self::Failed)
    }
}

/// A job, from the newest message of its mailbox down. Messages that come after its start are none of its business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// When it was started; no two jobs of an account have the same.
    pub started: Timestamp,
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The lowest UID that it looks at.
    pub first: u32,
    /// It has looked at this UID and all above it.
    pub next: u32,
    /// How far it is.
    pub tally: Tally,
    /// Messages that there were to look at.
    pub total: u64,
    /// How it stands.
    pub state: JobState,
    /// Since when it does not run any more.
    pub ended: Option<Timestamp>,
    /// What its last step did and nobody was told of for certain; the job's own bytes.
    pub untold: Vec<u8>,
}

/// What a job has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages looked at.
    pub looked: u64,
    /// Of these, changed ones.
    pub touched: u64,
    /// Messages that could not be looked at, or not be changed.
    pub skipped: u64,
}

/// What a job is to go through.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The lowest UID to be looked at.
    pub first: u32,
    /// One more than the highest.
    pub next: u32,
    /// How many messages these are.
    pub total: u64,
    /// The job's own script, if it has one.
    pub script: Option<Vec<u8>>,
}

const COLUMNS: &str = "SELECT started, mailbox, first, next, looked, touched, skipped, total, state, ended, untold FROM job WHERE account = ?1";

impl MailTx<'_, '_> {
    /// Starts a job in the place of one that has ended. `Class::Exists` while one runs.
    pub fn start_job(&mut self, new: &NewJob) -> Result<Timestamp> {
        self.require_writing()?;
        let before = self.job()?;
        if before.as_ref().is_some_and(|job| job.state == JobState::Running) {
            return Err(Error::new(Class::Exists, "a job of this account runs already", "此账号已有任务在运行"));
        }
        let started = before.map_or(self.now, |job| Timestamp(self.now.0.max(job.started.0 + 1)));
        let account = self.account.to_sql();
        self.db.execute("DELETE FROM job WHERE account = ?1", params![account])?;
        self.db.execute("DELETE FROM job_script WHERE account = ?1", params![account])?;
        self.db.execute(
            "INSERT INTO job (account, started, mailbox, first, next, looked, touched, skipped, total, state, ended, untold) \
             VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, ?6, 0, NULL, ?7)",
            params![account, started.0, new.mailbox.to_sql(), new.first, new.next, new.total as i64, &[][..]],
        )?;
        if let Some(script) = &new.script {
            let sql = "INSERT INTO job_script (account, script) VALUES (?1, ?2)";
            self.db.execute(sql, params![account, script.as_slice()])?;
        }
        Ok(started)
    }

    /// The account's job: the one that runs, else the last one.
    pub fn job(&mut self) -> Result<Option<Job>> {
        self.db.query_one(COLUMNS, params![self.account.to_sql()], read)
    }

    /// The script of the account's job, if it has one of its own.
    pub fn job_script(&mut self) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT script FROM job_script WHERE account = ?1";
        self.db.query_one(sql, params![self.account.to_sql()], |row| row.blob(0))
    }

    /// Moves a job from where it stood in `job` down to `next`, adding to its tally, in the transaction that did its work.
    /// `Class::Conflict` when it does not stand there any more: it was cancelled, or somebody else took this step.
    pub fn advance_job(&mut self, job: &Job, next: u32, done: Tally, untold: &[u8]) -> Result<()> {
        self.require_writing()?;
        let changed = self.db.execute(
            "UPDATE job SET next = ?4, looked = looked + ?5, touched = touched + ?6, skipped = skipped + ?7, untold = ?8 \
             WHERE account = ?1 AND started = ?2 AND next = ?3 AND state = 0",
            params![
                self.account.to_sql(),
                job.started.0,
                job.next,
                next,
                done.looked as i64,
                done.touched as i64,
                done.skipped as i64,
                untold
            ],
        )?;
        match changed {
            0 => Err(Error::new(Class::Conflict, "the job is not there any more", "任务已变化")),
            _ => Ok(()),
        }
    }

    /// Ends a job if it runs. Whether it did.
    pub fn end_job(&mut self, started: Timestamp, state: JobState) -> Result<bool> {
        self.require_writing()?;
        let (account, now) = (self.account.to_sql(), self.now.0);
        let changed = self.db.execute(
            "UPDATE job SET state = ?3, ended = ?4 WHERE account = ?1 AND started = ?2 AND state = 0",
            params![account, started.0, state as i64, now],
        )?;
        if changed > 0 {
            self.db.execute("DELETE FROM job_script WHERE account = ?1", params![account])?;
        }
        Ok(changed > 0)
    }

    /// What a job did was told: it need not be told again.
    pub fn job_told(&mut self, job: &Job) -> Result<()> {
        self.require_writing()?;
        let sql = "UPDATE job SET untold = ?4 WHERE account = ?1 AND started = ?2 AND next = ?3";
        self.db.execute(sql, params![self.account.to_sql(), job.started.0, job.next, &[][..]]).map(drop)
    }
}

fn read(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        started: Timestamp(row.int(0)?),
        mailbox: MailboxId::from_sql(row.int(1)?),
        first: row.int(2)? as u32,
        next: row.int(3)? as u32,
        tally: Tally { looked: row.int(4)? as u64, touched: row.int(5)? as u64, skipped: row.int(6)? as u64 },
        total: row.int(7)? as u64,
        state: JobState::from_sql(row.int(8)?),
        ended: row.opt_int(9)?.map(Timestamp),
        untold: row.blob(10)?,
    })
}
