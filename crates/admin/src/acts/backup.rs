//! Backup and restore.
//!
//! A backup is a folder: `tables` as [`anser_db::Db::backup_all`] writes them, then `blobs`, and at last [`COMPLETE`], without which it
//! is none. Bodies are copied after the rows that refer to them, so that none is missing; those that came meanwhile do no harm.

use std::fs;
use std::path::{Path, PathBuf};

use anser_base::{AccountId, Class, Disk, Durability, Error, Result, TenantId};
use anser_blob::{Blobs, Prepared, RealDisk};
use anser_db::Db;
use anser_store::MailTx;

use crate::answer::{FindingView, Item, Out, Report};
use crate::{Actor, Admin};

/// The file that says that a backup is whole.
pub const COMPLETE: &str = "complete";
/// UIDs and message numbers that are stepped over beside those that are known to be given out since the backup: mailboxes that were deleted
/// since took their count with them.
const UNKNOWN: u32 = 100_000;

/// The parts of a backup's folder.
struct Folder {
    root: PathBuf,
}

impl Folder {
    fn tables(&self) -> PathBuf {
        self.root.join("tables")
    }

    fn blobs(&self) -> Blobs {
        Blobs::new(std::sync::Arc::new(RealDisk), self.root.join("blobs"))
    }

    fn must_be_complete(&self) -> Result<()> {
        match self.root.join(COMPLETE).exists() {
            true => Ok(()),
            false => Err(Error::not_found(
                format!("{} holds no complete backup", self.root.display()),
                format!("{} 中没有完整的备份", self.root.display()),
            )),
        }
    }

    /// Written when everything else is durable.
    fn mark_complete(&self) -> Result<()> {
        let disk = RealDisk;
        let mut file = disk.create(&self.root.join(COMPLETE)).map_err(Error::io)?;
        file.append(b"anser backup 1\n").and_then(|()| file.sync()).map_err(Error::io)?;
        disk.sync_dir(&self.root).map_err(Error::io)
    }
}

impl Admin {
    /// Copies everything into a new folder while the server runs; durable when it returns. The folder is on this server. An account
    /// that cannot be read is told as a finding and does not stop the others; its report then counts it as skipped.
    pub async fn backup(&self, actor: &Actor, path: &Path, out: &Out) -> Result<Report> {
        let folder = Folder { root: path.to_owned() };
        make_new(path)?;
        self.deps.journal.flush().await?;
        let (db, source, progress) = (self.deps.db.clone(), self.deps.blobs.clone(), out.clone());
        let work = move || {
            let mut parts = 0;
            let copied = db.backup_all(&RealDisk, &folder.tables(), &mut |_| {
                parts += 1;
                progress.progress(parts, 0);
            })?;
            let bodies = copy_bodies(&source, &folder.blobs(), &progress)?;
            folder.mark_complete()?;
            Ok::<_, Error>((copied, bodies))
        };
        let (copied, (bodies, bytes)) = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
        for (place, error) in &copied.failed {
            let (en, zh) = (format!("not in the backup: {}", error.chain()), format!("未能备份：{}", error.chain()));
            out.item(Item::Finding(FindingView { place: place.clone(), en, zh, mended: false })).await?;
        }
        let tables: u64 = copied.parts.iter().map(|part| part.bytes).sum();
        let after = format!("{} parts, {bodies} bodies, {} failed", copied.parts.len(), copied.failed.len());
        self.note(actor, "backup", &path.display().to_string(), None, Some(after)).await?;
        let skipped = copied.failed.len() as u64;
        Ok(Report::BackedUp { parts: copied.parts.len() as u64, bodies, bytes: bytes + tables, skipped })
    }

    /// Puts one account back as it was at the backup. Only while no server runs, because a server has it in memory. UIDs that were
    /// given out since are stepped over.
    pub async fn restore_one(&self, actor: &Actor, path: &Path, address: &str, out: &Out) -> Result<Report> {
        if self.deps.running.is_some() {
            return Err(Error::new(
                Class::Conflict,
                "stop the server before an account is restored",
                "请先停止服务器再恢复账号",
            ));
        }
        let folder = Folder { root: path.to_owned() };
        folder.must_be_complete()?;
        let account = self.account(address).await?;
        let (id, tenant) = (account.id, account.tenant);
        let before = self.deps.store.read(id, high_water).await.ok();
        let (db, tables) = (self.deps.db.clone(), folder.tables());
        tokio::task::spawn_blocking(move || db.restore_account(&RealDisk, &tables, id))
            .await
            .map_err(Error::unavailable)??;
        let now = self.deps.store.read(id, high_water).await?;
        let given = before.map_or(0, |before| before.saturating_sub(now)).saturating_add(UNKNOWN);
        self.deps.store.write(id, Durability::Sync, move |tx| tx.skip_lost(given)).await?;
        let bodies = self.bring_bodies(id, tenant, folder, out).await?;
        self.note(actor, "account.restore-backup", address, None, Some(path.display().to_string())).await?;
        Ok(Report::Counted { count: bodies })
    }

    /// The bodies of one account that are not here any more; how many there were.
    async fn bring_bodies(&self, id: AccountId, tenant: TenantId, folder: Folder, out: &Out) -> Result<u64> {
        let wanted = self.deps.store.read(id, |tx| tx.bodies()).await?;
        let (target, progress) = (self.deps.blobs.clone(), out.clone());
        let work = move || {
            let (source, mut count) = (folder.blobs(), 0);
            for (at, blob) in wanted.iter().enumerate() {
                // What a put left that was cut off is opened in vain.
                if target.open(tenant, *blob).is_err() {
                    target.put(tenant, &Prepared::new(&source.read(tenant, *blob)?), Durability::Deferred)?;
                    count += 1;
                }
                progress.progress(at as u64, wanted.len() as u64);
            }
            target.sync_all()?;
            Ok(count)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }
}

/// Puts a whole backup where nobody has any mail yet. The caller owns the data folder and has opened nothing but the engine; all else is
/// opened anew afterwards. Blocks.
pub fn restore_all(db: &Db, target: &Blobs, path: &Path, out: &Out) -> Result<Report> {
    let folder = Folder { root: path.to_owned() };
    folder.must_be_complete()?;
    let (bodies, bytes) = copy_bodies(&folder.blobs(), target, out)?;
    let mut parts = 0;
    db.restore_all(&RealDisk, &folder.tables(), &mut |_| {
        parts += 1;
        out.progress(parts, 0);
    })?;
    Ok(Report::BackedUp { parts, bodies, bytes, skipped: 0 })
}

/// Copies every body that verifies; how many, and their bytes. What does not verify is `check`'s to tell.
fn copy_bodies(source: &Blobs, target: &Blobs, out: &Out) -> Result<(u64, u64)> {
    let (mut count, mut bytes, mut failed) = (0, 0, None);
    source.verify_all(&mut |checked| {
        if checked.verdict.is_err() || failed.is_some() {
            return;
        }
        let copied = source
            .read(checked.tenant, checked.id)
            .and_then(|body| target.put(checked.tenant, &Prepared::new(&body), Durability::Deferred));
        match copied {
            Ok(()) => (count, bytes) = (count + 1, bytes + checked.size),
            // Swept since it was seen.
            Err(error) if error.class == Class::NotFound => {}
            Err(error) => failed = Some(error),
        }
        out.progress(count, 0);
    })?;
    target.sync_all()?;
    failed.map_or(Ok((count, bytes)), Err)
}

/// A number above every UID and modification sequence that was given out.
fn high_water(tx: &mut MailTx<'_, '_>) -> Result<u32> {
    let uids: u32 = tx.mailboxes()?.iter().map(|mailbox| mailbox.uidnext).fold(0, u32::saturating_add);
    Ok(uids.saturating_add(u32::try_from(tx.state()).unwrap_or(u32::MAX)))
}

fn make_new(path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| {
        let (en, zh) = (format!("cannot write {}", path.display()), format!("无法写入 {}", path.display()));
        Error::new(Class::Unavailable, en, zh).caused_by(error)
    };
    fs::create_dir_all(path).map_err(failed)?;
    match fs::read_dir(path).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => {
            Err(Error::exists(format!("{} is not empty", path.display()), format!("{} 不是空文件夹", path.display())))
        }
    }
}
