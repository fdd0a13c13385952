//! The folder of bodies: put, open, read, delete, and what is durable when.

use crate::folder::{self, Folders};
use crate::form::{BODY, Body};
use crate::known::{Key, Known, Standing};
use crate::prepared::Prepared;
use crate::reader::BlobReader;
use crate::source::Source;
use crate::writer::{BlobWriter, Temporary, with_folder};
use anser_base::{BlobId, Class, Disk, Durability, Entropy, Error, Result, TenantId, Timestamp};
use bytes::Bytes;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Locks that puts and the sweeper share; bodies are spread over them by their address.
const LOCKS: usize = 64;
/// A stored body is copied in pieces of this many bytes.
const PIECE: u64 = 1024 * 1024;

/// All bodies of all tenants, in one folder. Cheap to clone; clones are the same folder. At most one process may write to it.
#[derive(Clone, Debug)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    folders: Folders,
    known: Mutex<Known>,
    /// Held while a name is given, refreshed or swept, and while a body in memory is written under its name.
    names: [Mutex<()>; LOCKS],
    /// Held by the one who syncs; who waits for it often finds its own work done.
    syncing: Mutex<()>,
    /// Tells this process's temporary files from those that an earlier one left behind.
    process: String,
    temporaries: AtomicU64,
}

impl Blobs {
    /// Bodies below `root`. The folder is made with the first put; the one that holds it must exist and be durable for
    /// durable puts to be.
    pub fn new(disk: Arc<dyn Disk>, root: PathBuf) -> Self {
        Self {
            inner: Arc::new(Inner {
                disk,
                root,
                folders: Folders::default(),
                known: Mutex::default(),
                names: std::array::from_fn(|_| Mutex::default()),
                syncing: Mutex::default(),
                process: format!("{:016x}", Entropy::system().u64()),
                temporaries: AtomicU64::new(0),
            }),
        }
    }

    /// Stores a body, unless this process put it already. A file that an earlier process left is written anew, whatever it
    /// holds: a power cut after a deferred put leaves torn ones, and even one that reads well may be so only in the kernel's
    /// memory, after a sync that failed, and no sync would tell.
    ///
    /// [`Durability::Sync`]: bytes and name are durable on return. [`Durability::Deferred`]: they can be read on return, and are
    /// durable once a [`Self::sync_all`] that was called afterwards has returned well.
    ///
    /// Safe against other puts of the same body and against the sweeper (see the crate's documentation).
    /// [`Class::Full`]: nothing was changed. [`Class::Limit`]: larger than [`BODY`].
    pub fn put(&self, tenant: TenantId, body: &Prepared, durability: Durability) -> Result<()> {
        if body.size > BODY {
            return Err(too_large());
        }
        let key = (tenant, body.id);
        if self.settle(key, durability)? {
            return Ok(());
        }
        if durability == Durability::Deferred && self.create(key, &body.stored)? {
            return self.make_room();
        }
        let mut temporary = self.temporary(&self.folder_of(key))?;
        temporary.append(&body.stored)?;
        self.place(temporary, key, durability)
    }

    /// A deferred put of a body that has no file: it is written under its name at once, which spares the temporary file and the
    /// rename. Torn it may be left behind, as a power cut may leave any deferred put. False: there is a file, which may be
    /// somebody else's durable put.
    fn create(&self, key: Key, stored: &Bytes) -> Result<bool> {
        let path = self.path_of(key);
        // Held while the bytes are written: nobody takes half a file for a bad one, or loses his own to the removal below.
        let _name = self.lock_name(key.1);
        let mut file = match with_folder(self.disk(), &path, || self.disk().create(&path)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            made => made.map_err(Error::io)?,
        };
        if let Err(error) = file.append(stored) {
            drop(file);
            self.remove(key, &path)?;
            return Err(Error::io(error));
        }
        self.known().written(key, Some(stored.clone()));
        Ok(true)
    }

    /// Begins to store a body that arrives piece by piece.
    pub fn writer(&self, tenant: TenantId) -> Result<BlobWriter> {
        let folder = folder::tenant_folder(self.root(), tenant).join(folder::STREAMS);
        Ok(BlobWriter::new(self.clone(), tenant, self.temporary(&folder)?))
    }

    /// Makes all puts durable that returned before the call; one sync of the file system for all of them, and none when
    /// there are none. After a failure call it again: it then writes the bodies in doubt anew.
    pub fn sync_all(&self) -> Result<()> {
        let mark = self.known().mark();
        let is_durable = || self.known().is_all_durable(mark);
        if is_durable() {
            return Ok(());
        }
        let _one_at_a_time = self.lock_syncing();
        // Asked once more behind the lock: the sync that was waited for may have been all that it takes.
        let all_durable = is_durable();
        if all_durable { Ok(()) } else { self.sync_locked(|| self.disk().sync_all(self.root()).map_err(Error::io)) }
    }

    /// Like [`Self::sync_all`], with a sync that somebody else makes and that covers the bodies' folder among others: one sync for
    /// the bodies and for everything else. It is made even when no body waits for it.
    pub fn sync_with(&self, sync: impl FnOnce() -> Result<()>) -> Result<()> {
        let _one_at_a_time = self.lock_syncing();
        self.sync_locked(sync)
    }

    fn lock_syncing(&self) -> MutexGuard<'_, ()> {
        self.inner.syncing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The caller holds the lock.
    fn sync_locked(&self, sync: impl FnOnce() -> Result<()>) -> Result<()> {
        let suspects = self.known().suspects();
        suspects.into_iter().try_for_each(|(key, stored)| self.rewrite(key, stored))?;
        let mark = self.known().mark();
        let done = sync();
        match done {
            Ok(()) => self.known().synced(mark),
            Err(_) => self.known().doubt(mark),
        }
        done
    }

    /// A whole body, verified. [`Class::NotFound`] when it is not there, [`Class::Damaged`] when it does not verify.
    pub fn read(&self, tenant: TenantId, id: BlobId) -> Result<Bytes> {
        self.body((tenant, id))?.read(id)
    }

    /// Opens a body to read ranges of it. The reader goes on working when the body is deleted meanwhile. Errors as for
    /// [`Self::read`]; damage inside of a chunk shows only when that chunk is read.
    pub fn open(&self, tenant: TenantId, id: BlobId) -> Result<BlobReader> {
        let body = self.body((tenant, id))?;
        body.check_seal(id)?;
        Ok(BlobReader::new(body))
    }

    /// Whether there is a file for this body; it is not read.
    pub fn exists(&self, tenant: TenantId, id: BlobId) -> Result<bool> {
        self.is_there((tenant, id))
    }

    /// Removes a body now, whoever refers to it; false when it was not there. Removal of what is no longer needed is the
    /// business of the [`crate::Sweeper`].
    pub fn delete(&self, tenant: TenantId, id: BlobId) -> Result<bool> {
        let key = (tenant, id);
        let _name = self.lock_name(id);
        self.remove(key, &self.path_of(key))
    }

    /// Keeps the sweeper off a body for another grace period. For a caller that is about to commit a reference to a body
    /// that it did not put itself. [`Class::NotFound`]: it is gone, and must be put.
    pub fn refresh(&self, tenant: TenantId, id: BlobId) -> Result<()> {
        if self.touch((tenant, id))? { Ok(()) } else { Err(no_such_body(id)) }
    }

    /// Whether this process put the body already, so that it is on disk and good; makes it as durable as asked for. False: it
    /// must be written.
    pub(crate) fn settle(&self, key: Key, durability: Durability) -> Result<bool> {
        // Asked twice: before, to spare a new body the look at the disk; after, because from the touch on the sweeper
        // keeps away and what is known stays true.
        if !self.known().standing(key).is_good() || !self.touch(key)? {
            return Ok(false);
        }
        let standing = self.known().standing(key);
        if standing == Standing::Visible && durability == Durability::Sync {
            self.harden(key)?;
        }
        Ok(standing.is_good())
    }

    /// Gives a complete temporary file its name; afterwards it is as durable as asked for. The name may be that of somebody
    /// else's durable put, which only durable bytes may replace: they are synced first.
    pub(crate) fn place(&self, mut temporary: Temporary, key: Key, durability: Durability) -> Result<()> {
        temporary.sync()?;
        let mark = self.name(temporary, key)?;
        match durability {
            Durability::Sync => self.harden_name(key, mark),
            Durability::Deferred => self.make_room(),
        }
    }

    fn name(&self, mut temporary: Temporary, key: Key) -> Result<u64> {
        let path = self.path_of(key);
        let _name = self.lock_name(key.1);
        temporary.rename(&path)?;
        Ok(self.known().written(key, None))
    }

    /// Makes a body durable whose file has its name already.
    fn harden(&self, key: Key) -> Result<()> {
        let mark = self.known().mark();
        let synced = self.disk().open(&self.path_of(key)).and_then(|mut file| file.sync()).map_err(Error::io);
        if synced.is_err() {
            self.known().suspect(key);
        }
        synced.and_then(|()| self.harden_name(key, mark))
    }

    /// Makes the name of a file durable whose bytes are.
    fn harden_name(&self, key: Key, mark: u64) -> Result<()> {
        let synced = self.disk().sync_dir(&self.folder_of(key)).map_err(Error::io);
        let synced = synced.and_then(|()| self.inner.folders.sync(self.disk(), self.root(), key.0, key.1));
        match synced {
            Ok(()) => self.known().hardened(key, mark),
            Err(_) => self.known().suspect(key),
        }
        synced
    }

    /// Deferred puts do not pile up without bound.
    fn make_room(&self) -> Result<()> {
        let full = self.known().is_full();
        if full { self.sync_all() } else { Ok(()) }
    }

    /// Writes a body whose sync failed to a new file.
    fn rewrite(&self, key: Key, stored: Option<Bytes>) -> Result<()> {
        let mut temporary = self.temporary(&self.folder_of(key))?;
        match stored {
            Some(stored) => temporary.append(&stored)?,
            None if !self.copy(key, &mut temporary)? => return Ok(()),
            None => {}
        }
        self.place(temporary, key, Durability::Sync)
    }

    /// Copies a body whose bytes were durable when it got its name; false when it is gone. What is gone or bad the next put
    /// writes.
    fn copy(&self, key: Key, to: &mut Temporary) -> Result<bool> {
        let body = match self.body(key).and_then(|body| body.verify(key.1, drop).map(|()| body)) {
            Ok(body) => body,
            Err(error) => {
                if matches!(error.class, Class::NotFound | Class::Damaged) {
                    self.known().give_up(key);
                }
                return if error.class == Class::NotFound { Ok(false) } else { Err(error) };
            }
        };
        let len = body.source().len();
        for at in (0..len).step_by(PIECE as usize) {
            to.append(&body.source().fetch(at, PIECE.min(len - at) as usize)?)?;
        }
        Ok(true)
    }

    /// Opens a body's file and reads what it says about itself.
    pub(crate) fn body(&self, key: Key) -> Result<Body> {
        let file = self.disk().open(&self.path_of(key)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_such_body(key.1).caused_by(error),
            _ => Error::io(error),
        })?;
        Body::parse(Source::file(file)?)
    }

    fn is_there(&self, key: Key) -> Result<bool> {
        found(self.disk().stat(&self.path_of(key)).map(drop))
    }

    /// Sets the modification time, which the sweeper looks at; false when there is no file.
    fn touch(&self, key: Key) -> Result<bool> {
        let _name = self.lock_name(key.1);
        let there = found(self.disk().touch(&self.path_of(key)))?;
        if !there {
            self.known().forget(key);
        }
        Ok(there)
    }

    /// The sweeper's deletion: only a file not put since `cutoff`. The bytes that became free; `None` when it was kept.
    pub(crate) fn delete_older(&self, key: Key, cutoff: Timestamp) -> Result<Option<u64>> {
        let path = self.path_of(key);
        let _name = self.lock_name(key.1);
        let stat = match self.disk().stat(&path) {
            Ok(stat) if stat.modified_ms < cutoff.0 => stat,
            Ok(_) => return Ok(None),
            Err(error) => return found(Err(error)).map(|_| None),
        };
        Ok(self.remove(key, &path)?.then_some(stat.len))
    }

    /// The caller holds the name's lock.
    fn remove(&self, key: Key, path: &Path) -> Result<bool> {
        let was_there = found(self.disk().remove(path))?;
        self.known().forget(key);
        Ok(was_there)
    }

    fn temporary(&self, folder: &Path) -> Result<Temporary> {
        let number = self.inner.temporaries.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{}-{number:x}{}", self.inner.process, folder::TEMPORARY));
        Temporary::create(self.inner.disk.clone(), path)
    }

    /// Whether a temporary file's name was made by this process.
    pub(crate) fn is_ours(&self, name: &str) -> bool {
        name.starts_with(&self.inner.process)
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.inner.disk
    }

    pub(crate) fn root(&self) -> &Path {
        &self.inner.root
    }

    pub(crate) fn path_of(&self, key: Key) -> PathBuf {
        folder::path_of(self.root(), key.0, key.1)
    }

    fn folder_of(&self, key: Key) -> PathBuf {
        let mut path = self.path_of(key);
        path.pop();
        path
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does it while nobody gives, refreshes or removes the name.
    pub(crate) fn named<T>(&self, id: BlobId, act: impl FnOnce() -> T) -> T {
        let _name = self.lock_name(id);
        act()
    }

    fn lock_name(&self, id: BlobId) -> MutexGuard<'_, ()> {
        self.inner.names[usize::from(id.0[0]) % LOCKS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A missing file is an answer, not an error.
pub(crate) fn found(done: io::Result<()>) -> Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(error)),
    }
}

pub(crate) fn too_large() -> Error {
    Error::new(Class::Limit, "the body is too large to be stored", "正文过大，无法存储")
}

fn no_such_body(id: BlobId) -> Error {
    Error::not_found("the message body does not exist", "邮件正文不存在").caused_by(format!("no file for body {id}"))
}
