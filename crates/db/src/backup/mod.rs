//! Backup and restore: the tables of every place, copied while the system runs.
//!
//! | | embedded | PostgreSQL |
//! |---|---|---|
//! | one part | one file per place, named as in the data folder | one file per table, `COPY` in binary form |
//! | consistent | each place in itself | all as of one moment |
//! | order | server, queue, journal, accounts | – |
//! | one account alone | its file | the rows of the account's tables that carry its number |
//!
//! The order is why nothing falls between the parts: a message that left the queue before its copy was made is in its account, which
//! is copied later. Bodies are copied by the caller, after this. A backup is complete when its [`LIST`] is there; that is
//! written last, when everything else is durable. It is restored into the same kind of engine.

mod embedded;
mod list;
pub(crate) mod postgres;

use std::path::Path;

use anser_base::{AccountId, Class, Disk, Error, Result};

use crate::place::Place;
use crate::{Backend, Db};

pub use list::LIST;
use list::{Engine, List};

/// One part of a backup: a place's file, or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its file below the backup's folder.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
}

/// What a backup holds.
#[derive(Debug, Default)]
pub struct Backup {
    /// What was copied.
    pub parts: Vec<Part>,
    /// What could not be copied, because its file is damaged or cannot be read; all others are there.
    pub failed: Vec<(String, Error)>,
}

impl Db {
    /// Copies one place's file while the system runs; durable when it returns. Its length in bytes. `Class::NotFound` when there is no
    /// such file, `Class::Invalid` for PostgreSQL. Blocks, like all functions of this kind.
    pub fn backup(&self, place: Place, disk: &dyn Disk, target: &Path) -> Result<u64> {
        match &*self.backend {
            Backend::Embedded(pool) => {
                let bytes = pool.copy(place, disk, target)?;
                disk.open(target).and_then(|mut file| file.sync()).map_err(Error::io)?;
                disk.sync_dir(target.parent().unwrap_or(Path::new("/"))).map_err(Error::io)?;
                Ok(bytes)
            }
            Backend::Postgres(_) => Err(Error::invalid(
                "with PostgreSQL everything is backed up together",
                "使用 PostgreSQL 时只能整体备份",
            )),
        }
    }

    /// Copies everything into a folder that holds no backup yet, while the system runs; durable when it returns. `progress` sees each
    /// part after it was copied. A place that cannot be copied is named in the answer and does not stop the others.
    /// `Class::Exists` when the folder holds a backup, `Class::Full` when there is no room.
    pub fn backup_all(&self, disk: &dyn Disk, dir: &Path, progress: &mut dyn FnMut(&Part)) -> Result<Backup> {
        disk.create_dir_all(dir).map_err(Error::io)?;
        if disk.stat(&dir.join(LIST)).is_ok() {
            return Err(Error::exists("the folder holds a backup already", "该文件夹中已有备份"));
        }
        let (engine, backup) = match &*self.backend {
            Backend::Embedded(pool) => (Engine::Sqlite, embedded::backup(pool, disk, dir, progress)?),
            Backend::Postgres(pool) => {
                let (versions, backup) = postgres::backup(pool, disk, dir, progress)?;
                (Engine::Postgres(versions), backup)
            }
        };
        disk.sync_all(dir).map_err(Error::io)?;
        let list = List { engine, parts: backup.parts };
        list.write(disk, dir)?;
        Ok(Backup { parts: list.parts, failed: backup.failed })
    }

    /// Puts a whole backup in the place of what is there; durable when it returns. Only where no account has any mail yet,
    /// else `Class::Exists`. An embedded engine keeps the files that it replaces, as `server.db.replaced-1`; PostgreSQL does it in one
    /// transaction. A backup of an older version is migrated. `Class::Invalid` for a backup of the other engine,
    /// `Class::NotFound` for a folder without a complete one. Restart afterwards: caches know nothing of it.
    pub fn restore_all(&self, disk: &dyn Disk, dir: &Path, progress: &mut dyn FnMut(&Part)) -> Result<()> {
        let list = List::read(disk, dir)?;
        match (&*self.backend, &list.engine) {
            (Backend::Embedded(pool), Engine::Sqlite) => embedded::restore_all(pool, &list, disk, dir, progress),
            (Backend::Postgres(pool), Engine::Postgres(_)) => postgres::restore_all(pool, &list, disk, dir, progress),
            _ => Err(other_engine()),
        }
    }

    /// Puts one account's tables back as they were at the backup, and what it held since is gone (an embedded engine keeps
    /// the old file beside it); durable when it returns. `Class::NotFound` when the backup does not know the account. With
    /// PostgreSQL the backup must have the version of this program, else `Class::Unavailable`. Forget what is cached of the
    /// account before anybody reads it.
    pub fn restore_account(&self, disk: &dyn Disk, dir: &Path, account: AccountId) -> Result<()> {
        let list = List::read(disk, dir)?;
        match (&*self.backend, &list.engine) {
            (Backend::Embedded(pool), Engine::Sqlite) => embedded::restore_account(pool, disk, dir, account),
            (Backend::Postgres(pool), Engine::Postgres(_)) => {
                postgres::restore_account(pool, &list, disk, dir, account)
            }
            _ => Err(other_engine()),
        }
    }
}

fn other_engine() -> Error {
    Error::invalid("the backup was made with the other engine", "该备份由另一种存储引擎生成")
}

fn not_in_backup() -> Error {
    Error::not_found("the backup does not hold this account", "备份中没有该账户")
}

/// Whether a failure concerns one part only, and not the folder that everything goes to.
fn is_of_one_part(error: &Error) -> bool {
    error.class != Class::Full
}
