//! Where bodies lie: names, and which folders are durable.

use anser_base::{BlobId, Disk, Error, Result, TenantId};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Folders of bodies of one tenant: as many as three hexadecimal digits tell apart. At a hundred million bodies each holds
/// some 25,000, which file systems still find and list quickly; and a small tenant soon has all of them, so that a put
/// seldom has a new folder to make durable.
pub(crate) const FOLDERS: usize = 4096;
/// The tenant's folder for bodies whose address is not known yet.
pub(crate) const STREAMS: &str = "tmp";
/// Ending of a file that has no final name yet.
pub(crate) const TEMPORARY: &str = ".tmp";

/// The one function that says where a body lies.
pub(crate) fn path_of(root: &Path, tenant: TenantId, id: BlobId) -> PathBuf {
    let hex = id.to_hex();
    let mut path = tenant_folder(root, tenant);
    path.push(&hex[..3]);
    path.push(hex);
    path
}

/// The folder of all bodies of a tenant.
pub(crate) fn tenant_folder(root: &Path, tenant: TenantId) -> PathBuf {
    root.join(tenant.to_string())
}

/// Which folders' own names are durable, as far as this process has made sure. 512 bytes for each tenant.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    durable: Mutex<HashMap<TenantId, Box<[u64; FOLDERS / 64]>>>,
}

impl Folders {
    /// Makes the name of a body's folder durable, and those above it up to the root's.
    pub(crate) fn sync(&self, disk: &dyn Disk, root: &Path, tenant: TenantId, id: BlobId) -> Result<()> {
        let number = usize::from(id.0[0]) << 4 | usize::from(id.0[1] >> 4);
        let tenant_known = match self.lock().get(&tenant) {
            Some(bits) if bits[number / 64] >> (number % 64) & 1 == 1 => return Ok(()),
            found => found.is_some(),
        };
        let mut numbers = vec![number];
        if !tenant_known {
            numbers.extend(folder_numbers(disk, root, tenant)?);
            sync_above(disk, root)?;
        }
        disk.sync_dir(&tenant_folder(root, tenant)).map_err(Error::io)?;
        self.mark(tenant, &numbers);
        Ok(())
    }

    fn mark(&self, tenant: TenantId, numbers: &[usize]) {
        let mut durable = self.lock();
        let bits = durable.entry(tenant).or_insert_with(|| Box::new([0; FOLDERS / 64]));
        for number in numbers {
            bits[number / 64] |= 1 << (number % 64);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Box<[u64; FOLDERS / 64]>>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folders that a tenant has already: one sync makes all of their names durable.
fn folder_numbers(disk: &dyn Disk, root: &Path, tenant: TenantId) -> Result<Vec<usize>> {
    let entries = disk.list(&tenant_folder(root, tenant)).map_err(Error::io)?;
    Ok(entries.iter().filter(|entry| entry.is_dir).filter_map(|entry| folder_number(&entry.name)).collect())
}

/// The number that a folder's name stands for; `None` when it is not one of ours.
pub(crate) fn folder_number(name: &str) -> Option<usize> {
    let ours = name.len() == 3 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ours.then(|| usize::from_str_radix(name, 16).ok()).flatten()
}

fn sync_above(disk: &dyn Disk, root: &Path) -> Result<()> {
    disk.sync_dir(root).map_err(Error::io)?;
    match root.parent() {
        Some(above) if !above.as_os_str().is_empty() => disk.sync_dir(above).map_err(Error::io),
        _ => Ok(()),
    }
}
