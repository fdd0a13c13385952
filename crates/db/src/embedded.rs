//! SQLite: worker threads, each the only one to touch the files that hash to it. A worker takes all that waits, runs the reads of a
//! place first, then its writes as savepoints of one transaction, commits, and syncs the log once.
//!
//! Files are opened in WAL mode with `locking_mode=EXCLUSIVE` (one connection a file, no shared memory) and `synchronous=NORMAL`:
//! SQLite syncs around checkpoints, this module syncs the log after a commit that must be durable.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anser_base::{Class, Error, Result};
use rusqlite::{Connection, OpenFlags, ffi};

use crate::job::{Failed, Job, Mode};
use crate::place::{Place, PlaceKind};
use crate::schema::Schemas;
use crate::tx::{Tx, sqlite_error};
use crate::{Durability, Embedded};

/// Jobs that one commit takes at most.
const BATCH: usize = 256;
/// Prepared statements kept per connection.
const STATEMENTS: usize = 64;
/// Marks a file as Anser's (`application_id`): "ANSR".
const APPLICATION: i64 = 0x414e_5352;

pub(crate) struct Pool {
    inboxes: Vec<Arc<Inbox>>,
    threads: Vec<JoinHandle<()>>,
}

/// Workers before those of accounts: one each for the server, the queue and the journal.
const SHARED: usize = 3;

impl Pool {
    pub fn start(config: Embedded, schemas: Schemas) -> Result<Self> {
        config.disk.create_dir_all(&config.dir).map_err(Error::io)?;
        let workers = config.workers.max(1);
        let mut pool = Self { inboxes: Vec::new(), threads: Vec::new() };
        for index in 0..SHARED + workers {
            let inbox = Arc::new(Inbox::default());
            let capacity = if index < SHARED { 4 } else { (config.open_files / workers).max(2) };
            let files = Files { config: config.clone(), schemas, capacity, open: HashMap::new(), clock: 0 };
            let mut worker = Worker { inbox: inbox.clone(), files };
            let thread = thread::Builder::new().name(format!("db-{index}")).spawn(move || worker.run());
            pool.threads.push(thread.map_err(Error::io)?);
            pool.inboxes.push(inbox);
        }
        Ok(pool)
    }

    pub fn submit(&self, job: Job) {
        let index = match job.place {
            Place::Server => 0,
            Place::Queue => 1,
            Place::Journal(_) => 2,
            Place::Account(_) => {
                let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(job.place) as usize;
                SHARED + hash % (self.inboxes.len() - SHARED)
            }
        };
        self.inboxes[index].push(job);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for inbox in &self.inboxes {
            inbox.close();
        }
        for thread in self.threads.drain(..) {
            // The last handle may be dropped by a worker's own closure; a thread cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

#[derive(Default)]
struct Inbox {
    state: Mutex<InboxState>,
    filled: Condvar,
}

#[derive(Default)]
struct InboxState {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Inbox {
    fn push(&self, job: Job) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).jobs.push_back(job);
        self.filled.notify_one();
    }

    fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.filled.notify_one();
    }

    /// All that waits, up to a batch; `None` when closed and empty.
    fn take(&self) -> Option<Vec<Job>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if !state.jobs.is_empty() {
                let count = state.jobs.len().min(BATCH);
                return Some(state.jobs.drain(..count).collect());
            }
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Worker {
    inbox: Arc<Inbox>,
    files: Files,
}

impl Worker {
    fn run(&mut self) {
        while let Some(jobs) = self.inbox.take() {
            for (place, reads, writes) in by_place(jobs) {
                self.run_reads(place, reads);
                self.run_writes(place, writes);
            }
        }
        self.files.close_all();
    }

    fn run_reads(&mut self, place: Place, jobs: Vec<Job>) {
        for mut job in jobs {
            let outcome = self.files.get(place).and_then(|connection| read_once(connection, &mut job));
            self.drop_if_poisoned(place, &outcome);
            job.work.done(outcome.map(|_| ()));
        }
    }

    fn run_writes(&mut self, place: Place, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let outcome = self.files.get(place).and_then(|connection| write_batch(connection, &mut jobs));
        self.drop_if_poisoned(place, &outcome);
        let mut failure = outcome.err();
        for job in jobs {
            let outcome = match &mut failure {
                Some(error) => Err(share(error)),
                None => Ok(()),
            };
            job.work.done(outcome);
        }
    }

    /// A connection that met an I/O error, a full disk or damage is closed, so that the next use starts from the file.
    fn drop_if_poisoned(&mut self, place: Place, outcome: &Result<bool>) {
        if !matches!(outcome, Ok(false)) {
            self.files.open.remove(&place);
        }
    }
}

/// The same trouble for every job of a failed batch.
fn share(error: &mut Error) -> Error {
    let chain = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
    Error { class: error.class, text: error.text.clone(), source: Some(chain.into()) }
}

/// Jobs by place, places in the order of their first job; of each place the reads apart from the writes. A read may overtake a
/// write that nobody was told of yet.
fn by_place(jobs: Vec<Job>) -> Vec<(Place, Vec<Job>, Vec<Job>)> {
    let mut groups: Vec<(Place, Vec<Job>, Vec<Job>)> = Vec::new();
    let mut index: HashMap<Place, usize> = HashMap::new();
    for job in jobs {
        let at = *index.entry(job.place).or_insert_with(|| {
            groups.push((job.place, Vec::new(), Vec::new()));
            groups.len() - 1
        });
        let (_, reads, writes) = &mut groups[at];
        if job.mode == Mode::Read { reads.push(job) } else { writes.push(job) }
    }
    groups
}

/// Runs one read; tells whether the connection is poisoned.
fn read_once(connection: &Connection, job: &mut Job) -> Result<bool> {
    run_sql(connection, "BEGIN")?;
    let failed = job.work.run(&mut Tx::sqlite(connection)).err();
    run_sql(connection, "ROLLBACK")?;
    Ok(failed.is_some_and(|failed| failed.poisoned.is_some()))
}

/// Runs all jobs in one transaction; a job that fails is rolled back alone, unless the engine failed. Tells whether the
/// connection is poisoned.
fn write_batch(connection: &Connection, jobs: &mut [Job]) -> Result<bool> {
    run_sql(connection, "BEGIN IMMEDIATE")?;
    let mut durable = false;
    let alone = jobs.len() == 1;
    for job in jobs.iter_mut() {
        if !alone {
            run_sql(connection, "SAVEPOINT job")?;
        }
        match job.work.run(&mut Tx::sqlite(connection)) {
            Ok(()) => durable |= job.mode == Mode::Write(Durability::Sync),
            Err(Failed { poisoned: Some(class), .. }) => {
                // SQLite may have rolled everything back by itself already.
                let _ = run_sql(connection, "ROLLBACK");
                return Err(given_up(class));
            }
            Err(_) if alone => {
                run_sql(connection, "ROLLBACK")?;
                return Ok(false);
            }
            Err(_) => run_sql(connection, "ROLLBACK TO job")?,
        }
        if !alone {
            run_sql(connection, "RELEASE job")?;
        }
    }
    if let Err(error) = run_sql(connection, "COMMIT") {
        let _ = run_sql(connection, "ROLLBACK");
        return Err(error);
    }
    if durable {
        sync_log(connection)?;
    }
    Ok(false)
}

fn given_up(class: Class) -> Error {
    match class {
        Class::Full => Error::new(class, "insufficient system storage", "系统存储空间不足"),
        _ => Error::unavailable("the transaction was given up: the engine failed in it"),
    }
}

fn run_sql(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute()).map(|_| ()).map_err(sqlite_error)
}

/// Makes every commit of this file durable: syncs its write-ahead log through the VFS that opened it.
fn sync_log(connection: &Connection) -> Result<()> {
    let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
    // SAFETY: the handle is live for the borrow; JOURNAL_POINTER stores a pointer to the open log file (or a file object
    // without methods) into the variable that is given, and the connection is used by this thread only.
    let code = unsafe {
        let handle = connection.handle();
        let asked = ffi::sqlite3_file_control(
            handle,
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_JOURNAL_POINTER,
            (&raw mut file).cast(),
        );
        if asked != ffi::SQLITE_OK {
            asked
        } else if file.is_null() || (*file).pMethods.is_null() {
            ffi::SQLITE_OK
        } else {
            match (*(*file).pMethods).xSync {
                Some(sync) => sync(file, ffi::SQLITE_SYNC_NORMAL | ffi::SQLITE_SYNC_DATAONLY),
                None => ffi::SQLITE_OK,
            }
        }
    };
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(sqlite_error(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))),
    }
}

/// The open files of one worker, the longest unused closed first.
struct Files {
    config: Embedded,
    schemas: Schemas,
    capacity: usize,
    open: HashMap<Place, OpenFile>,
    clock: u64,
}

struct OpenFile {
    connection: Connection,
    used: u64,
}

impl Files {
    fn get(&mut self, place: Place) -> Result<&Connection> {
        self.clock += 1;
        let clock = self.clock;
        if !self.open.contains_key(&place) {
            self.make_room();
            let connection = self.open_file(place)?;
            self.open.insert(place, OpenFile { connection, used: clock });
        }
        match self.open.get_mut(&place) {
            Some(file) => {
                file.used = clock;
                Ok(&file.connection)
            }
            None => Err(Error::unavailable("the file is not open")),
        }
    }

    fn make_room(&mut self) {
        while self.open.len() >= self.capacity {
            let oldest = self.open.iter().min_by_key(|(_, file)| file.used).map(|(place, _)| *place);
            if let Some(file) = oldest.and_then(|place| self.open.remove(&place)) {
                close(&file.connection);
            }
        }
    }

    fn close_all(&mut self) {
        for (_, file) in self.open.drain() {
            close(&file.connection);
        }
    }

    fn open_file(&self, place: Place) -> Result<Connection> {
        let path = place.file(&self.config.dir);
        self.make_folder(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match &self.config.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&path, flags, vfs.as_str()),
            None => Connection::open_with_flags(&path, flags),
        };
        let connection = opened.map_err(sqlite_error)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch(&pragmas(place.kind())).map_err(sqlite_error)?;
        self.migrate(&connection, place.kind())?;
        Ok(connection)
    }

    /// Makes the file's folder and makes the names of all folders on the way durable.
    fn make_folder(&self, path: &Path) -> Result<()> {
        let Some(folder) = path.parent().filter(|folder| *folder != self.config.dir) else {
            return Ok(());
        };
        if self.config.disk.list(folder).is_ok() {
            return Ok(());
        }
        self.config.disk.create_dir_all(folder).map_err(Error::io)?;
        for above in folder.ancestors().skip(1).take_while(|above| above.starts_with(&self.config.dir)) {
            self.config.disk.sync_dir(above).map_err(Error::io)?;
        }
        Ok(())
    }

    fn migrate(&self, connection: &Connection, kind: PlaceKind) -> Result<()> {
        let schema = self.schemas.of(kind);
        let number = |pragma: &str| -> Result<i64> {
            connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).map_err(sqlite_error)
        };
        let found = number("user_version")?;
        if found == schema.version() {
            return Ok(());
        }
        let owner = number("application_id")?;
        if owner != APPLICATION && (owner != 0 || found != 0) {
            return Err(Error::damaged("the file belongs to another program"));
        }
        let texts = schema.from_version(found)?;
        let version = schema.version();
        let all = texts.join("\n");
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE; {all}; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {version}; COMMIT"
            ))
            .map_err(sqlite_error)?;
        sync_log(connection)
    }
}

/// Settings of a connection. Caches are in KiB (negative `cache_size`), checkpoints in pages of 4 KiB: the queue's rows live
/// shortly, so a long log lets most of them die before they are ever copied into the file.
fn pragmas(kind: PlaceKind) -> String {
    let (cache, checkpoint) = match kind {
        PlaceKind::Server => (4096, 1000),
        PlaceKind::Queue => (16_384, 4000),
        PlaceKind::Journal => (4096, 2000),
        PlaceKind::Account => (256, 1000),
    };
    format!(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=OFF; \
         PRAGMA temp_store=MEMORY; PRAGMA cache_size=-{cache}; PRAGMA wal_autocheckpoint={checkpoint};"
    )
}

/// Empties the log into the file, so that an idle account holds no log. A failure leaves the log, which the next opening reads.
fn close(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(%error, "checkpoint at closing failed; the log stays");
    }
}
