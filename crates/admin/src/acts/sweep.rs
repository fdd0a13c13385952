//! Deletion of bodies that nothing refers to.

use std::collections::HashMap;
use std::time::Duration;

use anser_base::{BlobId, Error, Result, TenantId};
use anser_blob::{Sweeper, Swept};
use anser_directory::AccountFilter;

use crate::Admin;
use crate::answer::Report;

/// How long a body may be without a row that refers to it.
pub const GRACE: Duration = Duration::from_secs(24 * 3600);

/// What the sweeper remembers from one look to the next; one look at a time.
#[derive(Debug)]
pub struct Sweeping(std::sync::Mutex<Sweeper>);

impl Default for Sweeping {
    fn default() -> Self {
        Self(std::sync::Mutex::new(Sweeper::new(GRACE)))
    }
}

/// Bodies that rows refer to, as the first eight bytes of their addresses: two that share them are both kept.
#[derive(Default)]
pub(super) struct References(HashMap<TenantId, Vec<u64>>);

impl References {
    fn add(&mut self, tenant: TenantId, blob: BlobId) {
        self.0.entry(tenant).or_default().push(short(blob));
    }

    fn sort(&mut self) {
        for list in self.0.values_mut() {
            list.sort_unstable();
            list.dedup();
        }
    }

    pub(super) fn has(&self, tenant: TenantId, blob: BlobId) -> bool {
        self.0.get(&tenant).is_some_and(|list| list.binary_search(&short(blob)).is_ok())
    }
}

fn short(blob: BlobId) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| blob.0[i]))
}

impl Admin {
    /// One look at every body; a server does it once a day. Fails without harm when one account cannot be read: what it refers to is
    /// not known then.
    pub async fn sweep(&self) -> Result<Report> {
        let since = self.deps.clock.now();
        let references = self.references().await?;
        let (sweeping, blobs) = (self.sweeping.clone(), self.deps.blobs.clone());
        let look = move || {
            let mut sweeper = sweeping.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            sweeper.look(&blobs, since, &mut |tenant, blob| Ok(references.has(tenant, blob)))
        };
        let Swept { files, deleted, freed, waiting, .. } =
            tokio::task::spawn_blocking(look).await.map_err(Error::unavailable)??;
        Ok(Report::Swept { files, deleted, freed, waiting })
    }

    pub(super) async fn references(&self) -> Result<References> {
        let mut references = References::default();
        let mut after = None;
        loop {
            let (blobs, next) = self.deps.queue.references(after).await?;
            for tenant in self.deps.directory.tenants().await? {
                blobs.iter().for_each(|blob| references.add(tenant.0, *blob));
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let mut filter = AccountFilter::default();
        loop {
            let page = self.deps.directory.accounts(filter.clone()).await?;
            for account in &page.accounts {
                let blobs = self.deps.store.read(account.id, |tx| tx.bodies()).await?;
                blobs.into_iter().for_each(|blob| references.add(account.tenant, blob));
            }
            match page.next {
                Some(next) => filter.after = Some(next),
                None => break,
            }
        }
        references.sort();
        Ok(references)
    }
}
