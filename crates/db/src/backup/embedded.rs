//! The embedded engine's side: whole files.

use std::collections::BTreeSet;
use std::path::Path;

use anser_base::{AccountId, Disk, Error, Result};

use super::list::List;
use super::{Backup, Part, is_of_one_part, not_in_backup};
use crate::embedded::Pool;
use crate::place::Place;

pub(super) fn backup(pool: &Pool, disk: &dyn Disk, dir: &Path, progress: &mut dyn FnMut(&Part)) -> Result<Backup> {
    let config = pool.config();
    let mut backup = Backup::default();
    let mut folders = BTreeSet::new();
    for place in Place::below(&*config.disk, &config.dir)? {
        let target = place.file(dir);
        let folder = target.parent().unwrap_or(dir).to_owned();
        if folders.insert(folder.clone()) {
            disk.create_dir_all(&folder).map_err(Error::io)?;
        }
        let name = name_of(place);
        match pool.copy(place, disk, &target) {
            Ok(bytes) => {
                let part = Part { name, bytes };
                progress(&part);
                backup.parts.push(part);
            }
            Err(error) if is_of_one_part(&error) => {
                // A half copy must not be taken for a whole one.
                let _ = disk.remove(&target);
                backup.failed.push((name, error));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(backup)
}

/// A place's file as a backup lists it.
fn name_of(place: Place) -> String {
    place.file(Path::new("")).to_string_lossy().into_owned()
}

pub(super) fn restore_all(
    pool: &Pool,
    list: &List,
    disk: &dyn Disk,
    dir: &Path,
    progress: &mut dyn FnMut(&Part),
) -> Result<()> {
    let config = pool.config();
    let present = Place::below(&*config.disk, &config.dir)?;
    if present.iter().any(|place| matches!(place, Place::Account(_))) {
        return Err(Error::exists("accounts have mail here already", "此处的账户中已有邮件"));
    }
    let places = Place::below(disk, dir)?;
    for part in &list.parts {
        let place = places.iter().find(|place| name_of(**place) == part.name);
        let place = place.ok_or_else(|| Error::damaged(format!("{} is no part of a backup", part.name)))?;
        pool.replace(*place, disk, &dir.join(&part.name))?;
        progress(part);
    }
    Ok(())
}

pub(super) fn restore_account(pool: &Pool, disk: &dyn Disk, dir: &Path, account: AccountId) -> Result<()> {
    let place = Place::Account(account);
    let source = place.file(dir);
    if disk.stat(&source).is_err() {
        return Err(not_in_backup());
    }
    pool.replace(place, disk, &source)?;
    pool.discard(Place::Search(account))
}
