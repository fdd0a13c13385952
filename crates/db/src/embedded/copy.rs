//! Copies of single files while the others work, and their way back.
//!
//! A copy stops nobody: its file is frozen, so that commits go to the log only, and is read beside the worker. A file that is
//! replaced is barred: its place answers `Class::Unavailable` until the new one has the name. What was there before is kept under a
//! name of its own, `mail.db.replaced-1`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use anser_base::{Disk, Error, Result};

use super::Pool;
use super::files::Files;
use super::log::{beside, copy_bytes, remove};
use crate::Embedded;
use crate::place::Place;

/// Old files that one place may have beside it.
const ASIDE: usize = 1000;

impl Pool {
    pub fn config(&self) -> &Embedded {
        &self.config
    }

    /// Has a place's worker do something with its files, and waits for it.
    fn ask<R: Send + 'static>(&self, place: Place, work: impl FnOnce(&mut Files) -> R + Send + 'static) -> Result<R> {
        let (sender, receiver) = channel();
        self.inbox(place).order(Box::new(move |files| {
            let _ = sender.send(work(files));
        }));
        receiver.recv().map_err(|_| Error::unavailable("the worker ended before it answered"))
    }

    /// Copies a place's file to a path of another file system, or the same; syncs neither it nor its name. Its length in bytes.
    pub fn copy(&self, place: Place, disk: &dyn Disk, target: &Path) -> Result<u64> {
        self.ask(place, move |files| if files.is_held(place) { Err(busy()) } else { files.freeze(place) })??;
        let source = place.file(&self.config.dir);
        let copied = copy(&*self.config.disk, &source, disk, target, false);
        self.ask(place, move |files| files.release(place))?;
        copied
    }

    /// Runs `work` while nobody uses the place. When it succeeds, what was known of the old file is forgotten.
    pub fn alone<R>(&self, place: Place, work: impl FnOnce() -> Result<R>) -> Result<R> {
        let barred = self.ask(place, move |files| {
            let free = !files.is_held(place);
            files.bar(place);
            free
        })?;
        if !barred {
            return Err(busy());
        }
        let done = work();
        let replaced = done.is_ok();
        self.ask(place, move |files| {
            if replaced {
                files.forget(place);
            }
            files.release(place);
        })?;
        done
    }

    /// Removes a place's file and log. Durable when it returns.
    pub fn discard(&self, place: Place) -> Result<()> {
        self.alone(place, || {
            let disk = &*self.config.disk;
            let path = place.file(&self.config.dir);
            if disk.stat(folder_of(&path)).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                return Ok(());
            }
            for end in ["-wal", "-journal", ""] {
                remove(disk, &beside(&path, end))?;
            }
            disk.sync_dir(folder_of(&path)).map_err(Error::io)
        })
    }

    /// Puts a copy in the place of what is there, which is set aside. Durable when it returns.
    pub fn replace(&self, place: Place, disk: &dyn Disk, source: &Path) -> Result<u64> {
        self.alone(place, || {
            let ours = &*self.config.disk;
            let path = place.file(&self.config.dir);
            let folder = folder_of(&path);
            ours.create_dir_all(folder).map_err(Error::io)?;
            let fresh = beside(&path, "-fresh");
            remove(ours, &fresh)?;
            let len = copy(disk, source, ours, &fresh, true)?;
            let aside = free_name(ours, &path, "replaced")?;
            for end in ["-wal", ""] {
                rename_if_there(ours, &beside(&path, end), &beside(&aside, end))?;
            }
            ours.sync_dir(folder).and_then(|()| ours.rename(&fresh, &path)).map_err(Error::io)?;
            for above in folder.ancestors().take_while(|above| above.starts_with(&self.config.dir)) {
                ours.sync_dir(above).map_err(Error::io)?;
            }
            Ok(len)
        })
    }
}

fn busy() -> Error {
    Error::unavailable("the file is being copied, repaired or restored already")
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// The first free name beside a file for what it was before.
pub(super) fn free_name(disk: &dyn Disk, path: &Path, why: &str) -> Result<PathBuf> {
    let names = (1..ASIDE).map(|n| beside(path, &format!(".{why}-{n}")));
    let is_free = |name: &PathBuf| disk.stat(name).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    names.into_iter().find(is_free).ok_or_else(|| Error::unavailable("too many old files are kept beside the file"))
}

/// Copies a whole file; its length in bytes.
pub(super) fn copy(from: &dyn Disk, source: &Path, to: &dyn Disk, target: &Path, durable: bool) -> Result<u64> {
    let source = from.open(source).map_err(Error::io)?;
    let len = source.len().map_err(Error::io)?;
    copy_bytes(to, &*source, target, len, durable).map_err(Error::io)?;
    Ok(len)
}

pub(super) fn rename_if_there(disk: &dyn Disk, from: &Path, to: &Path) -> Result<()> {
    match disk.rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(Error::io),
    }
}
