//! One batch of one place: a read each in its own transaction, all writes in one.

use anser_base::{Class, Error, Result};
use rusqlite::Connection;

use super::file::OpenFile;
use crate::Durability;
use crate::job::{Failed, Job, Mode};
use crate::tx::{Tx, sqlite_error};

/// Why a batch came to nothing.
pub(super) struct Trouble {
    /// For those that wait.
    pub error: Error,
    /// Whether the connection must not be used again.
    pub fatal: bool,
    /// Whether one of the jobs brought it on, so that the others may do better without it.
    pub by_a_job: bool,
}

impl Trouble {
    /// Of the engine. Only a full disk leaves the connection as good as before.
    fn of_engine(error: Error) -> Self {
        Self { fatal: error.class != Class::Full, error, by_a_job: false }
    }

    fn of_job(class: Class) -> Self {
        let error = match class {
            Class::Full => Error::new(class, "insufficient system storage", "系统存储空间不足"),
            Class::Damaged => Error::damaged("the transaction was given up: the file is damaged"),
            _ => Error::unavailable("the transaction was given up: the engine failed in it"),
        };
        Self { by_a_job: true, ..Self::of_engine(error) }
    }
}

/// Runs one read; an error means that the engine failed.
pub(super) fn read_once(file: &OpenFile, job: &mut Job) -> Result<(), Trouble> {
    let connection = file.connection();
    run_sql(connection, "BEGIN").map_err(Trouble::of_engine)?;
    let failed = job.work.run(&mut Tx::sqlite(connection)).err();
    roll_back(connection).map_err(Trouble::of_engine)?;
    failed.and_then(|failed| failed.poisoned).map_or(Ok(()), |class| Err(Trouble::of_job(class)))
}

/// Runs all jobs in one transaction; a job that fails is rolled back alone. On an error nothing of the batch happened.
pub(super) fn write_batch(file: &mut OpenFile, jobs: &mut [Job]) -> Result<(), Trouble> {
    let connection = file.connection();
    let durable = match run_all(connection, jobs) {
        Ok(durable) => durable,
        Err(mut trouble) => {
            // SQLite may have rolled everything back by itself already.
            trouble.fatal |= roll_back(connection).is_err();
            return Err(trouble);
        }
    };
    if let Err(error) = run_sql(connection, "COMMIT") {
        let mut trouble = Trouble::of_engine(error);
        trouble.fatal |= roll_back(connection).is_err();
        return Err(trouble);
    }
    if durable {
        file.sync_log().map_err(|error| Trouble { fatal: true, error, by_a_job: false })?;
    }
    file.committed();
    Ok(())
}

/// Tells whether one of the jobs must be durable.
fn run_all(connection: &Connection, jobs: &mut [Job]) -> Result<bool, Trouble> {
    let sql = |sql| run_sql(connection, sql).map_err(Trouble::of_engine);
    sql("BEGIN IMMEDIATE")?;
    let mut durable = false;
    for job in jobs.iter_mut() {
        sql("SAVEPOINT job")?;
        match job.work.run(&mut Tx::sqlite(connection)) {
            Ok(()) => durable |= job.mode == Mode::Write(Durability::Sync),
            Err(Failed { poisoned: Some(class), .. }) => return Err(Trouble::of_job(class)),
            Err(_) => sql("ROLLBACK TO job")?,
        }
        sql("RELEASE job")?;
    }
    Ok(durable)
}

/// Ends the transaction, if SQLite has not yet.
fn roll_back(connection: &Connection) -> Result<()> {
    if connection.is_autocommit() { Ok(()) } else { run_sql(connection, "ROLLBACK") }
}

fn run_sql(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute()).map(drop).map_err(sqlite_error)
}
