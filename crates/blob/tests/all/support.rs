//! A folder for a test, and a disk that fails on command and counts what is asked of it.

use anser_base::disk::{DirEntry, Disk, File, Stat};
use anser_base::{BlobId, TenantId};
use anser_blob::{Blobs, RealDisk};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub const TENANT: TenantId = TenantId(7);

/// A folder of bodies that goes away with the test.
pub struct Place {
    folder: TempDir,
    pub disk: Watched,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), disk: Watched::default() }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    /// As after a start of the process.
    pub fn blobs(&self) -> Blobs {
        Blobs::new(Arc::new(self.disk.clone()), self.root())
    }

    /// All files, temporary ones too.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut out = Vec::new();
        collect(&self.root(), &mut out);
        out
    }

    /// The file of a body.
    pub fn file(&self, id: BlobId) -> PathBuf {
        let hex = id.to_hex();
        self.files().into_iter().find(|path| path.ends_with(&hex)).unwrap()
    }
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, out) } else { out.push(path) }
    }
}

/// Bytes that compress a little, the same for the same seed.
pub fn body(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8 & 0x3F
    };
    (0..len).map(step).collect()
}

/// The machine's disk; every call is written down, and calls of a chosen kind fail.
#[derive(Clone, Debug, Default)]
pub struct Watched(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: Vec<&'static str>,
    failing: Option<(&'static str, io::ErrorKind)>,
}

impl Watched {
    /// From now on calls of this kind fail like this.
    pub fn fail(&self, call: &'static str, kind: io::ErrorKind) {
        self.0.lock().unwrap().failing = Some((call, kind));
    }

    /// From now on all is well.
    pub fn heal(&self) {
        self.0.lock().unwrap().failing = None;
    }

    /// How often this was called since it was asked last.
    pub fn count(&self, call: &'static str) -> usize {
        let calls = &mut self.0.lock().unwrap().calls;
        let before = calls.len();
        calls.retain(|it| *it != call);
        before - calls.len()
    }

    fn note(&self, call: &'static str) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.calls.push(call);
        match state.failing {
            Some((failing, kind)) if failing == call => Err(kind.into()),
            _ => Ok(()),
        }
    }

    fn wrap(&self, file: Box<dyn File>) -> Box<dyn File> {
        Box::new(WatchedFile { file, disk: self.clone() })
    }
}

impl Disk for Watched {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.note("create")?;
        RealDisk.create(path).map(|file| self.wrap(file))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.note("open")?;
        RealDisk.open(path).map(|file| self.wrap(file))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note("rename")?;
        RealDisk.rename(from, to)
    }
    fn touch(&self, path: &Path) -> io::Result<()> {
        self.note("touch")?;
        RealDisk.touch(path)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.note("remove")?;
        RealDisk.remove(path)
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.note("create_dir_all")?;
        RealDisk.create_dir_all(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.note("list")?;
        RealDisk.list(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.note("stat")?;
        RealDisk.stat(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.note("sync_dir")?;
        RealDisk.sync_dir(path)
    }
    fn sync_all(&self, path: &Path) -> io::Result<()> {
        self.note("sync_all")?;
        RealDisk.sync_all(path)
    }
}

struct WatchedFile {
    file: Box<dyn File>,
    disk: Watched,
}

impl File for WatchedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.note("append")?;
        self.file.append(bytes)
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.disk.note("read_at")?;
        // Short reads are allowed, so that there are some.
        let len = buffer.len().min(100_000);
        self.file.read_at(&mut buffer[..len], offset)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.disk.note("sync")?;
        self.file.sync()
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}
