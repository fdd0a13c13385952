//! A damaged file is copied aside, and a new one is made of what can be read of it. The damaged file keeps its name until the
//! new one is complete.

use std::io;
use std::path::Path;

use anser_base::{Disk, Error, Result};

use rusqlite::Connection;

use super::Pool;
use super::copy::{copy, folder_of, free_name};
use super::file::{OpenFile, PAGE};
use super::log::{beside, remove};
use crate::place::{Place, PlaceKind};
use crate::salvage::{Salvaged, SalvagedTable, nothing_found, salvage};

impl Pool {
    /// See [`crate::Db::salvage`].
    pub fn salvage(&self, place: Place) -> Result<Salvaged> {
        self.alone(place, || {
            let disk = &*self.config.disk;
            let path = place.file(&self.config.dir);
            let aside = free_name(disk, &path, "damaged")?;
            copy(disk, &path, disk, &aside, true)?;
            copy_if_there(disk, &beside(&path, "-wal"), &beside(&aside, "-wal"))?;
            let fresh = beside(&path, "-fresh");
            remove_all(disk, &fresh)?;
            // Of the same version, so that each table has its like; it is brought up to date when it is opened.
            let old = OpenFile::connect(&self.config, &aside, place.kind()).ok();
            let version = old.and_then(|old| version_of(old.connection()));
            let schema = self.schemas.of(place.kind());
            let schema = version.map_or(schema, |version| schema.at(version));
            let mut new = OpenFile::open(&self.config, &fresh, place.kind(), schema, None)?;
            let tables = self.fill(place, &aside, &fresh, &mut new)?;
            new.close().map_err(|trouble| trouble.error)?;
            // The log goes first: it must never meet the new file.
            remove(disk, &beside(&path, "-wal"))?;
            disk.sync_dir(folder_of(&path)).map_err(Error::io)?;
            disk.rename(&fresh, &path).and_then(|()| disk.sync_dir(folder_of(&path))).map_err(Error::io)?;
            Ok(Salvaged { aside, tables })
        })
    }

    fn fill(&self, place: Place, aside: &Path, fresh: &Path, new: &mut OpenFile) -> Result<Vec<SalvagedTable>> {
        let kind = place.kind();
        let first = if let Place::Account(id) = place { Some(id.to_sql()) } else { None };
        if let Ok(damaged) = OpenFile::connect(&self.config, aside, kind)
            && knows_its_tables(damaged.connection())
        {
            return salvage(damaged.connection(), new.connection(), first);
        }
        let disk = &*self.config.disk;
        let (mended, oldest) = (beside(aside, "-mended"), beside(fresh, "-oldest"));
        remove_all(disk, &mended)?;
        remove_all(disk, &oldest)?;
        let tables = match self.mend_first_page(kind, aside, &mended, &oldest)? {
            true => match OpenFile::connect(&self.config, &mended, kind) {
                Ok(damaged) => salvage(damaged.connection(), new.connection(), first),
                Err(_) => nothing_found(new.connection()),
            },
            false => nothing_found(new.connection()),
        };
        remove_all(disk, &oldest)?;
        remove_all(disk, &mended)?;
        tables
    }

    /// The first page tells where each table begins. When it is gone, that of a new file is put in its place: one with the tables of
    /// the first version of the schema only, which lie alike in every file. Where later tables lie depends on when a file was migrated,
    /// and what is read at a guess might pass for rows. False when there is no other page.
    fn mend_first_page(&self, kind: PlaceKind, aside: &Path, mended: &Path, oldest: &Path) -> Result<bool> {
        let disk = &*self.config.disk;
        let source = disk.open(aside).map_err(Error::io)?;
        let pages = u32::try_from(source.len().map_err(Error::io)? / PAGE).unwrap_or(0);
        if pages < 2 {
            return Ok(false);
        }
        let mut new = OpenFile::open(&self.config, oldest, kind, self.schemas.of(kind).at(1), None)?;
        new.checkpoint().map_err(|trouble| trouble.error)?;
        let mut page = vec![0; PAGE as usize];
        disk.open(oldest).and_then(|file| file.read_at(&mut page, 0)).map_err(Error::io)?;
        // The length of the file in pages (SQLite file format §1.3.8).
        page[28..32].copy_from_slice(&pages.to_be_bytes());
        let mut file = disk.create(mended).map_err(Error::io)?;
        file.append(&page).map_err(Error::io)?;
        for number in 1..u64::from(pages) {
            let read = source.read_at(&mut page, number * PAGE).map_err(Error::io)?;
            file.append(&page[..read]).map_err(Error::io)?;
        }
        Ok(true)
    }
}

/// The version of a file's tables; `None` where it does not tell.
fn version_of(damaged: &Connection) -> Option<i64> {
    let version = || damaged.query_row("PRAGMA user_version", [], |row| row.get(0)).ok();
    knows_its_tables(damaged).then(version).flatten().filter(|version| *version > 0)
}

/// Whether the list of tables, which may take several pages, can be read to its end.
fn knows_its_tables(damaged: &Connection) -> bool {
    damaged.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0)).is_ok_and(|tables: i64| tables > 0)
}

/// Removes a file with all that SQLite may have beside it.
fn remove_all(disk: &dyn Disk, path: &Path) -> Result<()> {
    ["-wal", "-journal", ""].into_iter().try_for_each(|end| remove(disk, &beside(path, end)))
}

fn copy_if_there(disk: &dyn Disk, source: &Path, target: &Path) -> Result<()> {
    match disk.stat(source) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => copy(disk, source, disk, target, true).map(drop),
    }
}
