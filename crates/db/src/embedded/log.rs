//! The write-ahead log of one file: its length, its sync, its checkpoints, and its rewriting after trouble.

use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use anser_base::{Disk, Error, Result};
use rusqlite::{Connection, ffi};

use crate::tx::sqlite_error;

/// Bytes of a log that one step of a rewriting copies.
const PIECE: usize = 1 << 20;
/// Bytes of a log's header (SQLite file format §4.1).
const HEADER: u64 = 32;
/// Bytes of a frame before its page.
const FRAME_HEADER: u64 = 24;

/// How a checkpoint is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checkpoint {
    /// Only tells the length of the log.
    Look,
    /// Copies the log into the file; the next commit begins the log anew.
    Copy,
    /// Copies it and cuts it to nothing.
    Truncate,
}

/// Frames in the log after the last commit, as SQLite tells after each.
pub(super) struct Length(Box<AtomicU32>);

impl Length {
    /// Follows a connection. The connection must be closed before the value is dropped.
    pub fn follow(connection: &Connection) -> Self {
        let frames = Box::new(AtomicU32::new(0));
        // SAFETY: the handle is live; the box stays where it is until after the connection is closed.
        unsafe { ffi::sqlite3_wal_hook(connection.handle(), Some(on_commit), (&raw const *frames).cast_mut().cast()) };
        Self(frames)
    }

    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn set(&self, frames: u32) {
        self.0.store(frames, Ordering::Relaxed);
    }
}

unsafe extern "C" fn on_commit(context: *mut c_void, _: *mut ffi::sqlite3, _: *const c_char, frames: c_int) -> c_int {
    // SAFETY: the context is the box of `Length::follow`.
    unsafe { (*context.cast::<AtomicU32>()).store(frames.unsigned_abs(), Ordering::Relaxed) };
    ffi::SQLITE_OK
}

/// Runs a checkpoint; returns the frames that the log held before and how many of them are in the file now.
pub(super) fn checkpoint(connection: &Connection, how: Checkpoint) -> Result<(u32, u32)> {
    let mode = match how {
        Checkpoint::Look => ffi::SQLITE_CHECKPOINT_NOOP,
        Checkpoint::Copy => ffi::SQLITE_CHECKPOINT_PASSIVE,
        Checkpoint::Truncate => ffi::SQLITE_CHECKPOINT_TRUNCATE,
    };
    let (mut frames, mut copied) = (0, 0);
    // SAFETY: the handle is live and used by this thread only; both numbers outlive the call.
    let code = unsafe {
        let handle = connection.handle();
        ffi::sqlite3_wal_checkpoint_v2(handle, c"main".as_ptr(), mode, &raw mut frames, &raw mut copied)
    };
    check(code)?;
    Ok((frames.unsigned_abs(), copied.unsigned_abs()))
}

/// Makes every commit of this file durable: syncs its write-ahead log through the VFS that opened it. The first sync also makes
/// the names of the file and of its log durable.
pub(super) fn sync(connection: &Connection) -> Result<()> {
    let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
    // SAFETY: the handle is live for the borrow; JOURNAL_POINTER stores a pointer to the open log file (or a file object
    // without methods) into the variable that is given, and the connection is used by this thread only.
    let code = unsafe {
        let out = (&raw mut file).cast();
        let asked =
            ffi::sqlite3_file_control(connection.handle(), c"main".as_ptr(), ffi::SQLITE_FCNTL_JOURNAL_POINTER, out);
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
    check(code)
}

fn check(code: c_int) -> Result<()> {
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(sqlite_error(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))),
    }
}

/// Writes a log anew, so that what readers see of it is what is durable: after a failed sync the kernel may take pages for clean
/// that never reached the platter, and no later sync of the same file brings them there. Of the log the first `frames` are kept, or
/// all. Nothing happens when there is no log.
pub(super) fn rewrite(disk: &dyn Disk, log: &Path, frames: Option<u32>) -> Result<()> {
    let source = match disk.open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(Error::io)?,
    };
    let folder = log.parent().unwrap_or(Path::new("/"));
    let kept = kept_bytes(&*source, frames).map_err(Error::io)?;
    if kept == 0 {
        remove(disk, log)?;
        return disk.sync_dir(folder).map_err(Error::io);
    }
    let copy = beside(log, "-new");
    remove(disk, &copy)?;
    copy_bytes(disk, &*source, &copy, kept, true).map_err(Error::io)?;
    disk.rename(&copy, log).and_then(|()| disk.sync_dir(folder)).map_err(Error::io)
}

fn kept_bytes(log: &dyn anser_base::disk::File, frames: Option<u32>) -> io::Result<u64> {
    let (len, Some(frames)) = (log.len()?, frames) else { return log.len() };
    let mut page = [0; 4];
    if frames == 0 || log.read_at(&mut page, 8)? < page.len() {
        return Ok(0);
    }
    let frame = FRAME_HEADER + u64::from(u32::from_be_bytes(page));
    Ok(len.min(HEADER + u64::from(frames) * frame))
}

/// Copies the first `len` bytes of a file into a new one.
pub(super) fn copy_bytes(
    disk: &dyn Disk,
    source: &dyn anser_base::disk::File,
    target: &Path,
    len: u64,
    durable: bool,
) -> io::Result<()> {
    let mut copy = disk.create(target)?;
    let mut piece = vec![0; PIECE.min(usize::try_from(len).unwrap_or(PIECE))];
    let mut at = 0;
    while at < len {
        let wanted = usize::try_from(len - at).map_or(piece.len(), |left| left.min(piece.len()));
        let read = source.read_at(&mut piece[..wanted], at)?;
        if read == 0 {
            break;
        }
        copy.append(&piece[..read])?;
        at += read as u64;
    }
    if durable { copy.sync() } else { Ok(()) }
}

/// Removes a file that may be missing.
pub(super) fn remove(disk: &dyn Disk, path: &Path) -> Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(Error::io),
    }
}

/// A path with more letters at its end.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
