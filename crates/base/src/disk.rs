//! The file seam: what `blob` asks of a file system, no more. The real one is in `blob`; the simulated one, which loses power,
//! tears writes, fills up and fails syncs on command, is in `testkit`.
//!
//! Durability contract: a file's bytes survive a power cut once [`File::sync`] returned; its name once [`Disk::sync_dir`] of its
//! folder returned; everything at once after [`Disk::sync_all`]. Nothing else is promised, in any order.

use std::fmt;
use std::io;
use std::path::Path;

/// When something written must survive a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Before the call is answered.
    Sync,
    /// After the caller's next [`Disk::sync_all`]; until then something else, such as a queue row, must be able to redo it.
    Deferred,
}

/// An open file.
pub trait File: Send {
    /// Appends all of the bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Reads at an offset in bytes; returns how many bytes were read, 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Makes the bytes written so far durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name within the folder.
    pub name: String,
    /// Whether it is a folder itself.
    pub is_dir: bool,
    /// When it was last written, in milliseconds since 1970.
    pub modified_ms: i64,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Length in bytes.
    pub len: u64,
    /// When it was last written or touched, in milliseconds since 1970.
    pub modified_ms: i64,
}

/// A file system.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Makes a new file for appending; fails with `AlreadyExists` when it is there, with `NotFound` when its folder is not.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// Opens an existing file for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// Gives a file its final name, replacing what was there. Atomic; durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Sets a file's modification time to now. `NotFound` when there is no such file. Need not survive a power cut.
    fn touch(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes a folder and those above it; fine when they exist.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// The entries of a folder, in no order. A missing folder is an error of kind `NotFound`.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    /// Length and modification time of one file; `NotFound` when it is not there. What a disk gets without looking at the
    /// whole folder it should override.
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let len = self.open(path)?.len()?;
        let folder = self.list(path.parent().unwrap_or(Path::new("")))?;
        let entry = folder.iter().find(|entry| path.file_name().is_some_and(|name| name == entry.name.as_str()));
        entry.map(|entry| Stat { len, modified_ms: entry.modified_ms }).ok_or(io::ErrorKind::NotFound.into())
    }
    /// Makes the names in a folder durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes everything durable that was written below this path before the call, files and names alike.
    fn sync_all(&self, path: &Path) -> io::Result<()>;
}
