//! What a folder's list tells against the ledger: what is new, what is gone, what is there again, and flags that changed.

use std::collections::HashMap;

use anser_base::{Durability, Result};
use anser_store::{LedgerFolder, LedgerRow, LedgerState, MailTx};

use super::{BATCH, Pass, ROWS, TRIES};
use crate::merge;
use crate::source::{Listed, Origin, Seen, Window, mark_of};
use crate::trouble::Trouble;

impl Pass<'_> {
    /// Lists a window of the open folder and holds it against the ledger; flags are merged at once. When it holds too much: the windows to
    /// be listed in its place.
    pub(super) async fn list(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
        window: Window,
        changes: &mut Changes,
    ) -> Result<Vec<Window>, Trouble> {
        let before = changes.kept;
        let seen = match origin.list(window).await? {
            Listed::All(seen) => seen,
            Listed::Parts(parts) => return Ok(parts),
        };
        if !origin.is_keyed(window) {
            self.list_places(ledger, seen, changes).await?;
            return Ok(Vec::new());
        }
        let mut seen: HashMap<Vec<u8>, Seen> = seen.into_iter().map(|one| (one.key.clone(), one)).collect();
        let (key, (mut first, last)) = (ledger.key, window.keys());
        loop {
            let (from, to) = (first.clone(), last.clone());
            let rows = self.store.read(self.account, move |tx| tx.ledger_rows(key, &from, &to, ROWS)).await?;
            let end = rows.len() < ROWS;
            let (mut flagged, mut back, mut left, mut wanted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for row in rows {
                // What comes right after this key.
                first = [&row.key[..], &[0]].concat();
                match (seen.remove(&row.key), row.state) {
                    (Some(seen), LedgerState::Failed) if row.tries < TRIES => changes.new.push(seen),
                    (Some(seen), LedgerState::Copied | LedgerState::Adopted) => {
                        changes.kept += 1;
                        if seen.flags != row.flags || seen.keywords != row.keywords {
                            flagged.push((row, seen));
                        }
                    }
                    (Some(seen), LedgerState::Gone) => back.push((row, seen)),
                    (Some(seen), _) if self.is_let_in(&row, &seen) => {
                        wanted.push(row);
                        changes.new.push(seen);
                    }
                    (Some(_), _) => changes.kept += 1,
                    (None, LedgerState::Copied | LedgerState::Adopted) => changes.gone.push(row),
                    (None, LedgerState::Failed | LedgerState::Excluded) => left.push(row.key),
                    (None, _) => {}
                }
            }
            self.merge(ledger, flagged).await?;
            self.come_back(ledger, back, changes).await?;
            self.let_in(ledger, wanted).await?;
            self.forget(ledger, left).await?;
            if end {
                break;
            }
        }
        self.watch.done(changes.kept - before, 0);
        changes.new.extend(seen.into_values());
        changes.new.sort_by_key(|seen| seen.at);
        Ok(Vec::new())
    }

    /// Holds messages of some places against the ledger; what is gone shows only once all places were listed: see [`Self::sweep`].
    async fn list_places(&self, ledger: &LedgerFolder, seen: Vec<Seen>, changes: &mut Changes) -> Result<(), Trouble> {
        let (key, before) = (ledger.key, changes.kept);
        let keys: Vec<Vec<u8>> = seen.iter().map(|one| one.key.clone()).collect();
        changes.met.extend(keys.iter().map(|key| mark_of(key)));
        let find =
            move |tx: &mut MailTx<'_, '_>| keys.iter().map(|row| tx.ledger_row(key, row)).collect::<Result<Vec<_>>>();
        let (mut flagged, mut back, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for (row, seen) in self.store.read(self.account, find).await?.into_iter().zip(seen) {
            match row {
                None => changes.new.push(seen),
                Some(row) if row.state == LedgerState::Failed && row.tries < TRIES => changes.new.push(seen),
                Some(row) if row.state == LedgerState::Gone => back.push((row, seen)),
                Some(row) if self.is_let_in(&row, &seen) => {
                    wanted.push(row);
                    changes.new.push(seen);
                }
                Some(row) => {
                    changes.kept += 1;
                    let is_here = matches!(row.state, LedgerState::Copied | LedgerState::Adopted);
                    if is_here && (seen.flags != row.flags || seen.keywords != row.keywords) {
                        flagged.push((row, seen));
                    }
                }
            }
        }
        self.merge(ledger, flagged).await?;
        self.come_back(ledger, back, changes).await?;
        self.let_in(ledger, wanted).await?;
        self.watch.done(changes.kept - before, 0);
        Ok(())
    }

    /// After all places of a folder were listed: what the ledger knows and none of them had.
    pub(super) async fn sweep(&self, ledger: &LedgerFolder, changes: &mut Changes) -> Result<(), Trouble> {
        if changes.met.is_empty() {
            return Ok(());
        }
        changes.met.sort_unstable();
        let (key, (mut first, last)) = (ledger.key, Window::WHOLE.keys());
        loop {
            let (from, to) = (first.clone(), last.clone());
            let rows = self.store.read(self.account, move |tx| tx.ledger_rows(key, &from, &to, ROWS)).await?;
            let end = rows.len() < ROWS;
            let mut left = Vec::new();
            for row in rows {
                first = [&row.key[..], &[0]].concat();
                match row.state {
                    _ if changes.met.binary_search(&mark_of(&row.key)).is_ok() => {}
                    LedgerState::Copied | LedgerState::Adopted => changes.gone.push(row),
                    LedgerState::Failed | LedgerState::Excluded => left.push(row.key),
                    _ => {}
                }
            }
            self.forget(ledger, left).await?;
            if end {
                return Ok(());
            }
        }
    }

    /// What never came and is there no longer is nobody's concern.
    pub(super) async fn forget(&self, ledger: &LedgerFolder, left: Vec<Vec<u8>>) -> Result<()> {
        if left.is_empty() {
            return Ok(());
        }
        let key = ledger.key;
        let work = move |tx: &mut MailTx<'_, '_>| left.iter().try_for_each(|row| tx.forget_ledger_row(key, row));
        self.store.write(self.account, Durability::Sync, work).await
    }

    pub(super) async fn merge(&self, ledger: &LedgerFolder, flagged: Vec<(LedgerRow, Seen)>) -> Result<()> {
        let (key, pass) = (ledger.key, self.number);
        for some in flagged.chunks(BATCH) {
            let some = some.to_vec();
            let work = move |tx: &mut MailTx<'_, '_>| {
                some.iter().try_for_each(|(row, seen)| merge::merge(tx, key, row, seen.marks(), pass).map(drop))
            };
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }

    /// Messages that had left and are there again: those that are not here are new.
    async fn come_back(
        &self,
        ledger: &LedgerFolder,
        back: Vec<(LedgerRow, Seen)>,
        changes: &mut Changes,
    ) -> Result<()> {
        let (key, pass) = (ledger.key, self.number);
        let before = changes.new.len();
        for some in back.chunks(BATCH) {
            let rows = some.to_vec();
            let work = move |tx: &mut MailTx<'_, '_>| {
                rows.iter().map(|(row, seen)| merge::came_back(tx, key, row, seen, pass)).collect::<Result<Vec<bool>>>()
            };
            let are_new = self.store.write(self.account, Durability::Sync, work).await?;
            for ((_, seen), is_new) in some.iter().zip(are_new) {
                match is_new {
                    true => changes.new.push(seen.clone()),
                    false => changes.kept += 1,
                }
            }
        }
        if changes.new.len() > before {
            changes.new.sort_by_key(|seen| seen.at);
        }
        Ok(())
    }
}

/// What a folder's list tells against the ledger.
#[derive(Default)]
pub(super) struct Changes {
    pub new: Vec<Seen>,
    pub gone: Vec<LedgerRow>,
    pub kept: u64,
    /// Of messages that were listed by their places: what each is known by, in short.
    pub met: Vec<u64>,
}
