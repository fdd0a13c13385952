//! A body that arrives piece by piece.

use crate::blobs::{Blobs, too_large};
use crate::form::{BODY, CHUNK, Encoder};
use anser_base::Durability;
use anser_base::disk::File;
use anser_base::{BlobId, Disk, Error, Result, TenantId};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Stores a body without having all of it in memory: some 2 MiB, whatever its size. Dropped before [`Self::finish`] it leaves
/// nothing behind.
pub struct BlobWriter {
    blobs: Blobs,
    tenant: TenantId,
    temporary: Temporary,
    encoder: Encoder,
    /// Bytes that do not fill a chunk yet.
    raw: Vec<u8>,
    /// Encoded bytes on their way to the file.
    out: Vec<u8>,
}

impl BlobWriter {
    pub(crate) fn new(blobs: Blobs, tenant: TenantId, temporary: Temporary) -> Self {
        let mut out = Vec::new();
        let encoder = Encoder::new(&mut out);
        Self { blobs, tenant, temporary, encoder, raw: Vec::new(), out }
    }

    /// Takes the next bytes. [`anser_base::Class::Full`] or [`anser_base::Class::Limit`] (larger than [`BODY`]): give up and drop
    /// the writer; every later call fails as well.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        if self.size() + bytes.len() as u64 > BODY {
            self.temporary.spoil();
            return Err(too_large());
        }
        while !bytes.is_empty() {
            if self.raw.len() == CHUNK {
                self.flush()?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.raw.len()));
            self.make_room(now.len());
            self.raw.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.encoder.size() + self.raw.len() as u64
    }

    /// Ends the body and stores it as [`Blobs::put`] does; returns its address and its length in bytes.
    pub fn finish(mut self, durability: Durability) -> Result<(BlobId, u64)> {
        if !self.raw.is_empty() {
            self.flush()?;
        }
        let (id, size) = self.encoder.finish(&mut self.out);
        self.temporary.append(&self.out)?;
        let key = (self.tenant, id);
        if !self.blobs.settle(key, durability)? {
            self.blobs.place(self.temporary, key, durability)?;
        }
        Ok((id, size))
    }

    /// Grows as a vector does by itself, but never beyond a chunk.
    fn make_room(&mut self, more: usize) {
        if self.raw.len() + more > self.raw.capacity() {
            let wanted = (self.raw.len() + more).max(2 * self.raw.capacity()).min(CHUNK);
            self.raw.reserve_exact(wanted - self.raw.len());
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.encoder.chunk(&self.raw, &mut self.out);
        self.raw.clear();
        self.temporary.append(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

/// A file without its final name; removed when it is dropped before it got one.
pub(crate) struct Temporary {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// `None` after a failure: what the file holds is then unknown.
    file: Option<Box<dyn File>>,
    named: bool,
}

impl Temporary {
    /// Makes the file, and its folder when that is missing.
    pub(crate) fn create(disk: Arc<dyn Disk>, path: PathBuf) -> Result<Self> {
        let file = with_folder(&*disk, &path, || disk.create(&path)).map_err(Error::io)?;
        Ok(Self { disk, path, file: Some(file), named: false })
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.attempt(|file| file.append(bytes))
    }

    pub(crate) fn sync(&mut self) -> Result<()> {
        self.attempt(|file| file.sync())
    }

    /// Gives the file its final name, in a folder that may have to be made.
    pub(crate) fn rename(&mut self, to: &Path) -> Result<()> {
        if self.file.is_none() {
            return Err(spoilt());
        }
        with_folder(&*self.disk, to, || self.disk.rename(&self.path, to)).map_err(Error::io)?;
        self.named = true;
        Ok(())
    }

    /// Makes every later call fail.
    pub(crate) fn spoil(&mut self) {
        self.file = None;
    }

    fn attempt(&mut self, act: impl FnOnce(&mut dyn File) -> io::Result<()>) -> Result<()> {
        let file = self.file.as_deref_mut().ok_or_else(spoilt)?;
        act(file).map_err(|error| {
            self.spoil();
            Error::io(error)
        })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        self.spoil();
        if !self.named {
            // What cannot be removed now the sweeper removes after the next start.
            let _ = self.disk.remove(&self.path);
        }
    }
}

/// Does it again after making the folder of `path`, when that was missing.
pub(crate) fn with_folder<T>(disk: &dyn Disk, path: &Path, act: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match (act(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            disk.create_dir_all(folder)?;
            act()
        }
        (done, _) => done,
    }
}

fn spoilt() -> Error {
    Error::unavailable("an earlier write of this body failed")
}
