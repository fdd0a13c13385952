//! SQL, twice: SQLite with one file per account, or PostgreSQL, behind one small transaction type.
//!
//! A [`Place`] names where a set of tables lives. Domain code hands a closure over [`Tx`] to [`Db::write`] or [`Db::read`];
//! it runs on a worker thread, never on a reactor, and the future resolves when the outcome is certain.
//!
//! | promise | embedded (SQLite) | PostgreSQL |
//! |---|---|---|
//! | one writer per place | a place always hashes to the same worker thread | the closure's first statement locks the row it needs |
//! | many waiting writers, one sync | the worker takes all that wait for a place into one commit and one sync of its log | the server groups commits itself |
//! | [`Durability::Deferred`] | committed, visible, durable only after [`Db::sync_all`] | durable at once |
//! | schema | `user_version` of each file, migrated at its first opening | the table `anser_schema`, migrated at [`Db::open`] |
//! | a damaged file | its own place answers `Class::Damaged`, the others work | – |
//!
//! SQL is written in SQLite's dialect with `?1` placeholders; the PostgreSQL side rewrites the placeholders and the three column
//! types. A closure may run more than once (PostgreSQL serialization failures), so it must have no effect but through its `Tx`.

mod backup;
mod embedded;
mod job;
mod pg;
mod place;
mod salvage;
mod schema;
mod tx;

use std::path::PathBuf;
use std::sync::Arc;

use anser_base::{Class, Disk, Error, Result};

pub use anser_base::Durability;

pub use backup::{Backup, LIST, Part};
pub use job::Pending;
pub use place::{Place, PlaceKind};
pub use salvage::{Salvaged, SalvagedTable};
pub use schema::{Schema, Schemas};
pub use tx::{Row, Tx, Value};

/// Lines that [`Db::integrity`] returns at most.
pub const FINDINGS: usize = 100;

/// Which engine holds the tables.
#[derive(Clone, Debug)]
pub enum Engine {
    /// SQLite files below a folder.
    Embedded(Embedded),
    /// A PostgreSQL 15+ database, by its `postgres://` URL.
    Postgres(String),
}

/// How the embedded engine runs.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// The folder that holds `server.db`, `queue.db`, `journal/` and `accounts/`.
    pub dir: PathBuf,
    /// Makes folders and syncs their names.
    pub disk: Arc<dyn Disk>,
    /// The SQLite VFS to open files with; `None` for the system's.
    pub vfs: Option<String>,
    /// Account files held open at once, over all workers. Each costs about 0.3 MB.
    pub open_files: usize,
    /// Worker threads for account files.
    pub workers: usize,
    /// Pages of 4 KiB that a write-ahead log holds before it is copied into its file; `None` for what suits each kind of place.
    pub log_pages: Option<u32>,
}

impl Embedded {
    /// The usual engine on a real disk.
    pub fn new(dir: impl Into<PathBuf>, disk: Arc<dyn Disk>) -> Self {
        Self { dir: dir.into(), disk, vfs: None, open_files: 192, workers: 8, log_pages: None }
    }
}

/// Handle to the engine; cheap to clone. The workers end when the last clone is dropped, after the work they already hold.
#[derive(Clone)]
pub struct Db {
    backend: Arc<Backend>,
}

enum Backend {
    Embedded(embedded::Pool),
    Postgres(pg::Pool),
}

impl Db {
    /// Opens the engine. PostgreSQL migrates here; SQLite files migrate each at their first opening. Fails with
    /// `Class::Unavailable` when the stored schema is newer than this program, before touching anything.
    pub fn open(engine: Engine, schemas: Schemas) -> Result<Self> {
        let backend = match engine {
            Engine::Embedded(config) => Backend::Embedded(embedded::Pool::start(config, schemas)?),
            Engine::Postgres(url) => Backend::Postgres(pg::Pool::start(&url, schemas)?),
        };
        Ok(Self { backend: Arc::new(backend) })
    }

    /// Runs a closure in one write transaction. An `Err` from it rolls back and comes out unchanged.
    pub fn write<R, F>(&self, place: Place, durability: Durability, work: F) -> Pending<R>
    where
        R: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
    {
        self.write_then(place, durability, work, |_| ())
    }

    /// Like [`Self::write`], and calls `after` on the worker once the commit stands (durable, unless deferred), in commit
    /// order within the place, before the future resolves. `after` must be short.
    pub fn write_then<R, F, A>(&self, place: Place, durability: Durability, work: F, after: A) -> Pending<R>
    where
        R: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
        A: FnOnce(&mut R) + Send + 'static,
    {
        let (job, pending) = job::Job::new(place, job::Mode::Write(durability), work, after);
        self.submit(job);
        pending
    }

    /// Runs a closure in one read transaction; what it writes is rolled back.
    pub fn read<R, F>(&self, place: Place, work: F) -> Pending<R>
    where
        R: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
    {
        let (job, pending) = job::Job::new(place, job::Mode::Read, work, |_| ());
        self.submit(job);
        pending
    }

    /// Makes every deferred write durable that was answered before the call, and everything else below the data folder with it. After
    /// an error nothing of it counts as durable: look whether it is still there and do again what is not, then call again. A loss is
    /// told to one caller, so let one task call it. Blocks; never call it on a reactor thread or inside of a closure.
    /// PostgreSQL defers nothing.
    pub fn sync_all(&self) -> Result<()> {
        match &*self.backend {
            Backend::Embedded(pool) => pool.sync_all(),
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// To be called when somebody else's `Disk::sync_all` over the same file system failed: deferred writes may be lost to later
    /// syncs, so the files that hold them are written anew before the next [`Self::sync_all`] succeeds. Blocks likewise.
    pub fn sync_failed(&self) {
        match &*self.backend {
            Backend::Embedded(pool) => pool.sync_failed(),
            Backend::Postgres(_) => {}
        }
    }

    /// What is wrong with the structure of a place's file, at most [`FINDINGS`] lines in SQLite's words; none when it is sound, and
    /// always none for PostgreSQL, which looks after its own files.
    pub fn integrity(&self, place: Place) -> Result<Vec<String>> {
        if self.is_postgres() {
            return Ok(Vec::new());
        }
        let sql = format!("PRAGMA integrity_check({FINDINGS})");
        let found = self.read(place, move |tx| tx.query(&sql, &[], |row| row.text(0))).wait();
        match found {
            Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
            Err(error) if error.class == Class::Damaged => Ok(vec![error.chain()]),
            Err(error) => Err(error),
        }
    }

    /// Makes a new file of all rows that can be read of a damaged one, and keeps the damaged one beside it, as `mail.db.damaged-1`
    /// and so on. The place answers `Class::Unavailable` meanwhile. What the rows mean is not looked at: for an account `check`
    /// with repair comes next. `Class::Invalid` for PostgreSQL.
    pub fn salvage(&self, place: Place) -> Result<Salvaged> {
        match &*self.backend {
            Backend::Embedded(pool) => pool.salvage(place),
            Backend::Postgres(_) => {
                Err(Error::invalid("PostgreSQL looks after its own files", "PostgreSQL 自行管理其文件"))
            }
        }
    }

    /// Whether a place was ever used: its file is there. Always so for PostgreSQL. Asking does not make it.
    pub fn exists(&self, place: Place) -> bool {
        match &*self.backend {
            Backend::Embedded(pool) => {
                let config = pool.config();
                config.disk.stat(&place.file(&config.dir)).is_ok()
            }
            Backend::Postgres(_) => true,
        }
    }

    /// Throws away all that a place of derived data holds; it is made anew when it is next used. `Class::Invalid` for a place
    /// that holds truth.
    pub fn discard(&self, place: Place) -> Result<()> {
        let Place::Search(account) = place else {
            return Err(Error::invalid("only derived data may be thrown away", "只能丢弃派生数据"));
        };
        let pool = match &*self.backend {
            Backend::Embedded(pool) => return pool.discard(place),
            Backend::Postgres(pool) => pool,
        };
        let tables = pool.schemas().of(place.kind()).tables();
        let work = move |tx: &mut Tx<'_>| {
            tables.iter().try_for_each(|table| {
                tx.execute(&format!("DELETE FROM {table} WHERE account = ?1"), params![account.to_sql()]).map(drop)
            })
        };
        self.write(place, Durability::Sync, work).wait()
    }

    fn submit(&self, job: job::Job) {
        match &*self.backend {
            Backend::Embedded(pool) => pool.submit(job),
            Backend::Postgres(pool) => pool.submit(job),
        }
    }

    /// Whether tables live in PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(&*self.backend, Backend::Postgres(_))
    }
}
