//! The crash world: one disk in memory for the file seam ([`anser_base::Disk`]) and for SQLite (a VFS), so that blobs and databases
//! lose power together.
//!
//! Every operation that changes or syncs something is a numbered *step*. A [`Plan`] says at which step what goes wrong; the seed
//! decides the rest. After a crash everything fails with EIO until [`SimDisk::power_on`], which works out what survived:
//!
//! - of a file, all bytes at its last sync; of later writes any choice of 512-byte sectors, in any order, though one
//!   sector never mixes an older write's loss with a newer one's survival. Lengths likewise, and apart from the bytes, so a file
//!   may come back empty, short, or with zeros where bytes were;
//! - of names, all changes at the last sync of their folder; later ones each for itself. A rename is atomic, but carries no bytes:
//!   a file renamed before it was synced may be empty under its final name. A new folder is a name in the folder above it, and
//!   is lost with all that is in it until that folder is synced;
//! - what [`Disk::sync_all`] covered, whichever side wrote it.
//!
//! SQLite's first sync of a journal or log also syncs the folder, as its Unix VFS does. Temporary files of SQLite are
//! neither steps nor durable. A database needs `locking_mode=EXCLUSIVE` for WAL, for there is no shared memory here.
//!
//! ```
//! use anser_testkit::sim::{Fault, Plan, SimDisk};
//! use rusqlite::{Connection, OpenFlags};
//!
//! let disk = SimDisk::new(7);
//! let open = || {
//!     let db = Connection::open_with_flags_and_vfs("/a.db", OpenFlags::default(), disk.vfs_name()).unwrap();
//!     db.execute_batch("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL").unwrap();
//!     db
//! };
//! let db = open();
//! db.execute_batch("CREATE TABLE t(x)").unwrap();
//! disk.set_plan(Plan::new().at(disk.steps() + 1, Fault::TornWrite));
//! assert!(db.execute_batch("INSERT INTO t VALUES (1)").is_err() && disk.is_dead());
//! drop(db);
//! disk.power_on();
//! let intact: String = open().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
//! assert_eq!(intact, "ok");
//! ```

mod content;
mod dice;
mod fate;
mod names;
mod plan;
mod state;
mod vfs;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anser_base::disk::{DirEntry, Disk, File, Stat};
use anser_base::{Clock, Timestamp};

pub use plan::{Fault, Plan};
pub use vfs::sync_journal;

use state::{Handle, State};

/// When the disk's own clock starts: 2026-01-01 00:00 UTC.
const START: Timestamp = Timestamp(1_767_225_600_000);

/// A simulated disk. Clones are the same disk. The memory and the VFS go with the last clone, open file and connection.
#[derive(Clone)]
pub struct SimDisk {
    shared: Arc<Shared>,
}

/// What the disk, its open files and its VFS share.
struct Shared {
    state: Mutex<State>,
    vfs: vfs::Registration,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimDisk {
    /// An empty disk with its own clock, which stands still at 2026-01-01.
    pub fn new(seed: u64) -> Self {
        Self::with_clock(seed, Clock::manual(START))
    }

    /// An empty disk whose files and databases take the time from this clock.
    pub fn with_clock(seed: u64, clock: Clock) -> Self {
        let shared = Arc::new_cyclic(|weak| Shared {
            state: Mutex::new(State::new(seed, clock)),
            vfs: vfs::Registration::new(weak.clone()),
        });
        Self { shared }
    }

    /// The clock that the disk goes by.
    pub fn clock(&self) -> Clock {
        self.shared.state().clock().clone()
    }

    /// What to give to `Connection::open_with_flags_and_vfs`. Paths are those of the [`Disk`] side.
    pub fn vfs_name(&self) -> &str {
        self.shared.vfs.name()
    }

    /// Replaces the plan. What the old one still had in store is forgotten; a disk that is full stays so.
    pub fn set_plan(&self, plan: Plan) {
        self.shared.state().set_plan(plan);
    }

    /// Fills the disk up, or makes room again, by hand. `false` also ends a [`Fault::DiskFull`].
    pub fn set_full(&self, full: bool) {
        self.shared.state().set_full(full);
    }

    /// How many steps there were; the number that the next one will have.
    pub fn steps(&self) -> u64 {
        self.shared.state().steps()
    }

    /// Whether the machine crashed and waits for [`Self::power_on`].
    pub fn is_dead(&self) -> bool {
        self.shared.state().is_dead()
    }

    /// Cuts the power now. Everything fails with EIO until [`Self::power_on`].
    pub fn power_cut(&self) {
        self.shared.state().power_cut();
    }

    /// Starts the machine again, with what survived the crash; after a kill, or when there was no crash, that is everything.
    /// Open files and connections from before stay useless: drop them first. A full disk has room again; the plan stays.
    pub fn power_on(&self) {
        self.shared.state().power_on();
    }

    /// Kills the process: everything written is there, though no more durable than it was, and all handles are gone.
    pub fn kill(&self) {
        self.shared.state().kill();
    }

    /// The names of all files. No step; works on a dead disk.
    pub fn files(&self) -> Vec<PathBuf> {
        self.shared.state().files()
    }

    /// The bytes of a file as readers see them; `None` when there is none. No step; works on a dead disk.
    pub fn peek(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.shared.state().peek(path.as_ref()).map(<[u8]>::to_vec)
    }

    /// Turns one byte over, for good, as a decaying medium does. No step. Nothing happens behind the end of the file.
    pub fn damage(&self, path: impl AsRef<Path>, offset: usize) {
        self.shared.state().damage(path.as_ref(), offset);
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimDisk({})", self.vfs_name())
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let handle = self.shared.state().create(path)?;
        Ok(Box::new(SimFile { shared: self.shared.clone(), handle }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let handle = self.shared.state().open(path, false)?;
        Ok(Box::new(SimFile { shared: self.shared.clone(), handle }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.shared.state().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.shared.state().remove(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.shared.state().create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.shared.state().list(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.shared.state().stat(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.shared.state().sync_dir(path)
    }

    fn sync_all(&self, path: &Path) -> io::Result<()> {
        self.shared.state().sync_all(path)
    }

    fn touch(&self, path: &Path) -> io::Result<()> {
        self.shared.state().touch(path)
    }
}

/// An open file of the [`Disk`] side.
struct SimFile {
    shared: Arc<Shared>,
    handle: Handle,
}

impl File for SimFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.shared.state().append(self.handle, bytes)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.shared.state().read(self.handle, buffer, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.shared.state().sync(self.handle)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.shared.state().len(self.handle)? as u64)
    }
}
