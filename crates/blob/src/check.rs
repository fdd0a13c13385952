//! The walk over the whole folder, and `anser check`'s reading of it.

use crate::blobs::Blobs;
use crate::folder::{self, STREAMS, TEMPORARY};
use anser_base::disk::DirEntry;
use anser_base::{BlobId, Class, Error, Result, TenantId};
use std::io;
use std::path::{Path, PathBuf};

/// Foreign names that [`Blobs::verify_all`] reports; more are only left out of the report.
pub const STRANGE: usize = 1000;

/// What [`Blobs::verify_all`] found out about one body.
#[derive(Debug)]
pub struct Checked {
    /// Whose it is.
    pub tenant: TenantId,
    /// What its file's name says it is.
    pub id: BlobId,
    /// Its length, decoded, in bytes; 0 when the file does not tell.
    pub size: u64,
    /// Whether all of it verifies; else why not.
    pub verdict: Result<()>,
}

/// One thing met on the walk.
pub(crate) enum Found {
    Body(TenantId, BlobId, DirEntry),
    Temporary(PathBuf, DirEntry),
    Strange(PathBuf),
}

impl Blobs {
    /// Reads and verifies every body and tells each one's verdict. Returns the paths of what does not belong here, at most
    /// [`STRANGE`] of them. May run beside a working server: a body that the sweeper deletes meanwhile is passed over. One that does
    /// not verify and that nothing refers to is a put that was cut off: nothing is lost with it.
    pub fn verify_all(&self, progress: &mut dyn FnMut(Checked)) -> Result<Vec<PathBuf>> {
        let mut strange = Vec::new();
        self.walk(&mut |found| {
            match found {
                Found::Body(tenant, id, _) => self.check_one(tenant, id).into_iter().for_each(&mut *progress),
                Found::Strange(path) if strange.len() < STRANGE => strange.push(path),
                Found::Strange(_) | Found::Temporary(..) => {}
            }
            Ok(())
        })?;
        Ok(strange)
    }

    /// `None` when the body is gone.
    fn check_one(&self, tenant: TenantId, id: BlobId) -> Option<Checked> {
        let look = || {
            let body = self.body((tenant, id));
            let size = body.as_ref().map_or(0, |body| body.size());
            (size, body.and_then(|body| body.verify(id, drop)))
        };
        let (size, verdict) = match look() {
            // It may have been written just then: behind the lock it is there as a whole.
            (_, Err(error)) if error.class == Class::Damaged => self.named(id, look),
            looked => looked,
        };
        let gone = verdict.as_ref().is_err_and(|error| error.class == Class::NotFound);
        (!gone).then_some(Checked { tenant, id, size, verdict })
    }

    /// Shows everything below the root once, folder after folder. Memory: the names of one folder.
    pub(crate) fn walk(&self, each: &mut dyn FnMut(Found) -> Result<()>) -> Result<()> {
        for entry in self.list(self.root())? {
            match tenant_of(&entry) {
                Some(tenant) => self.walk_tenant(tenant, each)?,
                None => each(Found::Strange(self.root().join(entry.name)))?,
            }
        }
        Ok(())
    }

    fn walk_tenant(&self, tenant: TenantId, each: &mut dyn FnMut(Found) -> Result<()>) -> Result<()> {
        let above = folder::tenant_folder(self.root(), tenant);
        for folder in self.list(&above)? {
            let path = above.join(&folder.name);
            if !folder.is_dir || (folder.name != STREAMS && folder::folder_number(&folder.name).is_none()) {
                each(Found::Strange(path))?;
                continue;
            }
            for entry in self.list(&path)? {
                each(classify(tenant, &folder.name, &path, entry))?;
            }
        }
        Ok(())
    }

    /// A folder that is missing is empty.
    fn list(&self, path: &Path) -> Result<Vec<DirEntry>> {
        match self.disk().list(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            done => done.map_err(Error::io),
        }
    }
}

/// Only the very name that [`folder::tenant_folder`] makes.
fn tenant_of(entry: &DirEntry) -> Option<TenantId> {
    let tenant = TenantId(entry.name.parse().ok()?);
    (entry.is_dir && tenant.to_string() == entry.name).then_some(tenant)
}

fn classify(tenant: TenantId, folder: &str, path: &Path, entry: DirEntry) -> Found {
    let id = BlobId::from_hex(&entry.name).filter(|id| id.to_hex() == entry.name && entry.name.starts_with(folder));
    match id {
        _ if entry.is_dir => Found::Strange(path.join(entry.name)),
        Some(id) => Found::Body(tenant, id, entry),
        None if entry.name.ends_with(TEMPORARY) => Found::Temporary(path.join(&entry.name), entry),
        None => Found::Strange(path.join(entry.name)),
    }
}
