//! PostgreSQL: worker threads with a connection each. A place hashes to a worker, so that one node never conflicts with itself
//! over an account; conflicts between nodes are retried.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anser_base::{Class, Error, Result};
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{ToSql, Type};
use postgres::{Client, Config, NoTls, Statement, Transaction};

use crate::job::{Job, Mode};
use crate::place::{Place, PlaceKind};
use crate::schema::{self, Schemas};
use crate::tx::{Row, RowInner, Tx, Value};

/// Worker threads, and so connections to the server.
const WORKERS: usize = 12;
/// How often a transaction is tried when the server reports a conflict between nodes.
const TRIES: usize = 8;
/// The advisory lock under which one node migrates while the others wait.
const MIGRATION_LOCK: i64 = 0x616e_7365_7221;

pub(crate) struct Pool {
    config: Config,
    schemas: Schemas,
    workers: Vec<Sender<Job>>,
    next: AtomicUsize,
}

impl Pool {
    pub fn start(url: &str, schemas: Schemas) -> Result<Self> {
        let config: Config = url.parse().map_err(error)?;
        on_a_thread({
            let config = config.clone();
            move || migrate(&config, schemas)
        })?;
        let workers = (0..WORKERS)
            .map(|index| {
                let (sender, receiver) = channel();
                let config = config.clone();
                thread::Builder::new()
                    .name(format!("pg-{index}"))
                    .spawn(move || Worker { config, connection: None }.run(&receiver))
                    .map_err(Error::io)?;
                Ok(sender)
            })
            .collect::<Result<_>>()?;
        Ok(Self { config, schemas, workers, next: AtomicUsize::new(0) })
    }

    /// How to reach the server.
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    pub fn submit(&self, job: Job) {
        let index = match job.place {
            Place::Account(_) | Place::Search(_) | Place::Journal(_) => {
                BuildHasherDefault::<DefaultHasher>::default().hash_one(job.place) as usize
            }
            Place::Server | Place::Queue | Place::Moves | Place::Peers => self.next.fetch_add(1, Ordering::Relaxed),
        };
        // The workers live as long as this pool.
        let _ = self.workers[index % self.workers.len()].send(job);
    }
}

/// The client blocks in a way that a reactor thread does not allow; whoever opens the engine may be on one.
fn on_a_thread(work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name("pg-migrate".into()).spawn(work).map_err(Error::io)?;
    thread.join().unwrap_or_else(|_| Err(Error::unavailable("the migration of the tables panicked")))
}

struct Worker {
    config: Config,
    connection: Option<Connection>,
}

/// What came of one try; the closure's own failure is over like its success.
enum Attempt {
    Over,
    Again,
}

struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(mut job) = jobs.recv() {
            let outcome = self.attempt(&mut job);
            if self.connection.as_ref().is_some_and(|connection| connection.client.is_closed()) {
                self.connection = None;
            }
            job.work.done(outcome);
        }
    }

    fn attempt(&mut self, job: &mut Job) -> Result<()> {
        for _ in 0..TRIES {
            match self.try_once(job) {
                Ok(Attempt::Again) => {}
                Ok(Attempt::Over) => return Ok(()),
                Err(error) if is_serialization_failure(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(Class::Conflict, "changed meanwhile", "期间已被更改"))
    }

    fn try_once(&mut self, job: &mut Job) -> Result<Attempt> {
        let Connection { client, statements } = self.connection()?;
        let transaction = client.transaction().map_err(error)?;
        let mut tx = Tx::postgres(Session { transaction, statements });
        match job.work.run(&mut tx) {
            Ok(()) if job.mode != Mode::Read => {
                tx.into_postgres().map_or(Ok(()), |transaction| transaction.commit().map_err(error))?;
                Ok(Attempt::Over)
            }
            Err(failed) if failed.retry => Ok(Attempt::Again),
            Ok(()) | Err(_) => Ok(Attempt::Over),
        }
    }

    fn connection(&mut self) -> Result<&mut Connection> {
        let fresh = match self.connection.take() {
            Some(connection) if !connection.client.is_closed() => connection,
            _ => Connection { client: self.config.connect(NoTls).map_err(error)?, statements: HashMap::new() },
        };
        Ok(self.connection.insert(fresh))
    }
}

/// A transaction and the statements that its connection has prepared.
pub(crate) struct Session<'a> {
    transaction: Transaction<'a>,
    statements: &'a mut HashMap<String, Statement>,
}

impl<'a> Session<'a> {
    pub fn into_transaction(self) -> Transaction<'a> {
        self.transaction
    }

    fn statement(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(&placeholders(sql)).map_err(error)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let statement = self.statement(sql)?;
        let owned: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.transaction.execute(&statement, &owned).map_err(error)
    }

    pub fn for_each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let statement = self.statement(sql)?;
        let mut rows = self.transaction.query_raw(&statement, params.iter()).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            each(&Row { inner: RowInner::Postgres(&row) })?;
        }
        Ok(())
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(postgres::types::IsNull::Yes),
            Self::Int(number) => match *kind {
                Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
                _ => number.to_sql(kind, out),
            },
            Self::Text(text) => text.to_sql(kind, out),
            Self::Blob(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

/// `?1` becomes `$1`.
fn placeholders(sql: &str) -> String {
    sql.replace('?', "$")
}

fn migrate(config: &Config, schemas: Schemas) -> Result<()> {
    let mut client = config.connect(NoTls).map_err(error)?;
    let mut transaction = client.transaction().map_err(error)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).map_err(error)?;
    transaction
        .batch_execute("CREATE TABLE IF NOT EXISTS anser_schema (kind TEXT PRIMARY KEY, version BIGINT NOT NULL)")
        .map_err(error)?;
    let mut plan = Vec::new();
    for kind in PlaceKind::ALL {
        let name = kind.name();
        let found = transaction
            .query_opt("SELECT version FROM anser_schema WHERE kind = $1", &[&name])
            .map_err(error)?
            .map_or(0, |row| row.get::<_, i64>(0));
        plan.push((name, schemas.of(kind).version(), schemas.of(kind).texts_from(found)?));
    }
    for (name, version, texts) in plan {
        for text in texts {
            transaction.batch_execute(&schema::for_postgres(text)).map_err(error)?;
        }
        transaction
            .execute(
                "INSERT INTO anser_schema VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET version = excluded.version",
                &[&name, &version],
            )
            .map_err(error)?;
    }
    transaction.commit().map_err(error)
}

/// Sorts PostgreSQL's SQLSTATEs into the house's classes.
pub(crate) fn error(error: postgres::Error) -> Error {
    match error.code() {
        Some(&SqlState::UNIQUE_VIOLATION | &SqlState::CHECK_VIOLATION) => {
            Error::exists("exists already", "已存在").caused_by(error)
        }
        Some(&SqlState::DISK_FULL) => {
            Error::new(Class::Full, "insufficient system storage", "系统存储空间不足").caused_by(error)
        }
        Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
            Error::new(Class::Conflict, "changed meanwhile", "期间已被更改").caused_by(error)
        }
        // A NUL, which its texts cannot hold.
        Some(&SqlState::CHARACTER_NOT_IN_REPERTOIRE) => {
            Error::invalid("a text holds a character that cannot be stored", "文本含有无法保存的字符").caused_by(error)
        }
        Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => Error::damaged(error),
        _ => Error::unavailable(error),
    }
}

/// Whether the server itself asks to try again (40001, 40P01); a closure's own conflicts are its answer.
pub(crate) fn is_serialization_failure(error: &Error) -> bool {
    let source = error.source.as_ref().and_then(|source| source.downcast_ref::<postgres::Error>());
    let code = source.and_then(postgres::Error::code);
    matches!(code, Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}
