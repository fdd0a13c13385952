//! The machine's file system behind the seam.

use anser_base::disk::{DirEntry, Disk, File, Stat};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Mail is nobody's business but the server's: files for the owner alone.
const FILE_MODE: u32 = 0o600;
/// Folders likewise.
const FOLDER_MODE: u32 = 0o700;

/// The machine's file system. Holds nothing; every call goes to the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(RealFile(fs::File::open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn touch(&self, path: &Path) -> io::Result<()> {
        use nix::sys::stat::{UtimensatFlags, utimensat};
        use nix::sys::time::TimeSpec;
        let (accessed, modified) = (TimeSpec::UTIME_OMIT, TimeSpec::UTIME_NOW);
        Ok(utimensat(nix::fcntl::AT_FDCWD, path, &accessed, &modified, UtimensatFlags::NoFollowSymlink)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        fs::read_dir(path)?.filter_map(|entry| entry.and_then(describe).transpose()).collect()
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Stat { len: metadata.len(), modified_ms: modified_ms(&metadata) })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }

    #[cfg(target_os = "linux")]
    fn sync_all(&self, path: &Path) -> io::Result<()> {
        Ok(nix::unistd::syncfs(fs::File::open(path)?)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_all(&self, path: &Path) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.sync_all(&entry.path())?;
            } else {
                sync_if_there(&entry.path())?;
            }
        }
        self.sync_dir(path)
    }
}

/// An entry that vanished while the folder was being read is left out.
fn describe(entry: fs::DirEntry) -> io::Result<Option<DirEntry>> {
    match entry.metadata() {
        Ok(metadata) => Ok(Some(DirEntry {
            name: entry.file_name().to_string_lossy().into_owned(),
            is_dir: metadata.is_dir(),
            modified_ms: modified_ms(&metadata),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// 1970 stands for a file system that knows no modification times, and for times before.
fn modified_ms(metadata: &fs::Metadata) -> i64 {
    let since = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(not(target_os = "linux"))]
fn sync_if_there(path: &Path) -> io::Result<()> {
    match fs::File::open(path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

struct RealFile(fs::File);

impl File for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.0.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}
