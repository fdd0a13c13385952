//! One open file: how it is found, made, migrated, checkpointed and closed.

use std::io;
use std::path::Path;

use anser_base::{Class, Disk, Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::log::{self, Checkpoint, Length, beside};
use crate::Embedded;
use crate::place::PlaceKind;
use crate::schema::Schema;
use crate::tx::sqlite_error;

/// Prepared statements kept per connection.
const STATEMENTS: usize = 64;
/// Marks a file as Anser's (`application_id`): "ANSR".
const APPLICATION: i64 = 0x414e_5352;
/// Where `application_id` stands in a file's header (SQLite file format §1.3).
const APPLICATION_AT: usize = 68;
/// Bytes of a page, and so of a file that holds nothing yet.
pub(super) const PAGE: u64 = 4096;
/// A log this many times as long as its limit is copied even though somebody waits.
const PATIENCE: u32 = 4;

/// A connection that was opened by the rules of this module. Dropped, it leaves file and log as they are; [`Self::close`] is the
/// orderly end.
pub(super) struct OpenFile {
    // Dropped before the value that it reports its log's length to.
    connection: Connection,
    length: Length,
    /// Frames of the log that were answered for; 0 when the file holds them all.
    answered: u32,
    /// Frames from which on a checkpoint is due.
    due: u32,
    limit: u32,
}

/// A checkpoint that failed.
pub(super) struct Trouble {
    pub error: Error,
    /// Whether the connection must not be used again.
    pub fatal: bool,
}

impl OpenFile {
    /// Opens a file, and makes it when there is none or one that was never finished. Of a log that is there the first
    /// `frames` are kept, or all.
    pub fn open(config: &Embedded, path: &Path, kind: PlaceKind, schema: Schema, frames: Option<u32>) -> Result<Self> {
        match find(&*config.disk, path)? {
            Found::Nothing => make_anew(config, path)?,
            Found::Foreign => return Err(foreign()),
            Found::File => log::rewrite(&*config.disk, &beside(path, "-wal"), frames)?,
        }
        let mut file = Self::connect(config, path, kind)?;
        if file.number("user_version")? == 0 && file.number("application_id")? == 0 {
            if file.tables()? != 0 {
                return Err(foreign());
            }
            drop(file);
            make_anew(config, path)?;
            file = Self::connect(config, path, kind)?;
        }
        file.migrate(schema)?;
        file.answered = file.length.get();
        Ok(file)
    }

    /// Opens a file as it is.
    pub fn connect(config: &Embedded, path: &Path, kind: PlaceKind) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match &config.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
            None => Connection::open_with_flags(path, flags),
        };
        let connection = opened.map_err(sqlite_error)?;
        // Only an orderly close may touch the file: after trouble the connection believes what may not be so.
        leave_at_close(&connection, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Without it SQLite plans a statement anew whenever a bound value might change the plan: at nearly every execution.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(sqlite_error)?;
        set_up(&connection, kind)?;
        let length = Length::follow(&connection);
        let (frames, _) = log::checkpoint(&connection, Checkpoint::Look)?;
        length.set(frames);
        let limit = config.log_pages.unwrap_or_else(|| checkpoint_limit(kind));
        Ok(Self { connection, length, answered: frames, due: limit, limit })
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Frames of the log that were answered for.
    pub fn answered(&self) -> u32 {
        self.answered
    }

    /// What was committed will be answered for.
    pub fn committed(&mut self) {
        self.answered = self.length.get();
    }

    /// Makes every commit durable.
    pub fn sync_log(&self) -> Result<()> {
        log::sync(&self.connection)
    }

    /// Whether the log is long enough to be copied when there is time.
    pub fn wants_checkpoint(&self) -> bool {
        self.length.get() >= self.due
    }

    /// Whether it is long enough to be copied at once.
    pub fn needs_checkpoint(&self) -> bool {
        self.length.get() >= self.due.saturating_mul(PATIENCE)
    }

    /// Copies the log into the file, durably; the next commit begins the log anew.
    pub fn checkpoint(&mut self) -> Result<(), Trouble> {
        let copied = self.try_checkpoint(Checkpoint::Copy);
        // After a failure it is tried again when the log has grown by as much again.
        self.due = if copied.is_ok() { self.limit } else { self.length.get().saturating_add(self.limit) };
        copied
    }

    fn try_checkpoint(&mut self, how: Checkpoint) -> Result<(), Trouble> {
        match log::checkpoint(&self.connection, how) {
            Ok((frames, copied)) if frames == copied => {
                self.length.set(0);
                self.answered = 0;
                Ok(())
            }
            Ok(_) => Err(Trouble { error: Error::unavailable("a part of the log was not copied"), fatal: false }),
            Err(error) => Err(Trouble { fatal: error.class != Class::Full, error }),
        }
    }

    /// Empties the log into the file and removes it.
    pub fn close(mut self) -> Result<(), Trouble> {
        self.try_checkpoint(Checkpoint::Truncate)?;
        leave_at_close(&self.connection, false).map_err(|error| Trouble { error, fatal: false })
    }

    fn number(&self, pragma: &str) -> Result<i64> {
        self.connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).map_err(sqlite_error)
    }

    fn tables(&self) -> Result<i64> {
        self.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sqlite_error)
    }

    fn migrate(&self, schema: Schema) -> Result<()> {
        let found = self.number("user_version")?;
        let owner = self.number("application_id")?;
        if owner != APPLICATION && (owner != 0 || found != 0) {
            return Err(foreign());
        }
        if found == schema.version() {
            return Ok(());
        }
        let all = schema.texts_from(found)?.join("\n");
        let version = schema.version();
        self.connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE; {all}; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {version}; COMMIT"
            ))
            .map_err(sqlite_error)?;
        self.sync_log()
    }
}

fn foreign() -> Error {
    Error::damaged("the file belongs to another program")
}

fn leave_at_close(connection: &Connection, leave: bool) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave).map(drop).map_err(sqlite_error)
}

/// What is at a path before SQLite looks at it.
enum Found {
    /// No file, or one whose making never came to its first page: nothing was ever committed to it.
    Nothing,
    /// A file that has left Anser's hands or never was in them.
    Foreign,
    /// Most likely ours.
    File,
}

fn find(disk: &dyn Disk, path: &Path) -> Result<Found> {
    let file = match disk.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        opened => opened.map_err(Error::io)?,
    };
    let len = file.len().map_err(Error::io)?;
    let mut header = [0; 100];
    let read = file.read_at(&mut header, 0).map_err(Error::io)?;
    if len < PAGE || (len == PAGE && header[..read].iter().all(|byte| *byte == 0)) {
        return Ok(Found::Nothing);
    }
    // The mark may still be in the log alone.
    let owner = i64::from(u32::from_be_bytes(std::array::from_fn(|i| header[APPLICATION_AT + i])));
    let has_log = disk.open(&beside(path, "-wal")).is_ok();
    let is_foreign = header.starts_with(b"SQLite format 3\0") && owner != APPLICATION && (owner != 0 || len > PAGE);
    Ok(if is_foreign && !has_log { Found::Foreign } else { Found::File })
}

/// Removes what is left of an unfinished file, makes its folder, and makes the names of all folders on the way durable.
fn make_anew(config: &Embedded, path: &Path) -> Result<()> {
    let disk = &*config.disk;
    let folder = path.parent().unwrap_or(&config.dir);
    disk.create_dir_all(folder).map_err(Error::io)?;
    for end in ["-wal", "-journal", ""] {
        log::remove(disk, &beside(path, end))?;
    }
    for folder in folder.ancestors().take_while(|above| above.starts_with(&config.dir)) {
        disk.sync_dir(folder).map_err(Error::io)?;
    }
    Ok(())
}

/// Settings of a connection. Caches are in KiB (negative `cache_size`).
fn set_up(connection: &Connection, kind: PlaceKind) -> Result<()> {
    let cache = match kind {
        PlaceKind::Queue => 16_384,
        PlaceKind::Server | PlaceKind::Moves | PlaceKind::Peers | PlaceKind::Journal => 4096,
        PlaceKind::Account | PlaceKind::Search => 256,
    };
    let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).map_err(sqlite_error);
    text("PRAGMA locking_mode=EXCLUSIVE")?;
    let mode = text("PRAGMA journal_mode=WAL")?;
    if mode != "wal" {
        return Err(Error::unavailable(format!("the file stays in journal mode {mode}")));
    }
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY; \
             PRAGMA cache_size=-{cache};"
        ))
        .map_err(sqlite_error)
}

/// Frames of 4 KiB that a log holds before it is copied into the file. The queue's rows live shortly: a long log lets most of them
/// die before they are ever copied.
fn checkpoint_limit(kind: PlaceKind) -> u32 {
    match kind {
        PlaceKind::Queue => 4000,
        PlaceKind::Journal => 2000,
        PlaceKind::Server | PlaceKind::Moves | PlaceKind::Peers | PlaceKind::Account | PlaceKind::Search => 1000,
    }
}
