//! What becomes of the folders of a source: planned, opened, numbered anew, closed, and noted as gone over.

use std::collections::{HashMap, HashSet};

use anser_base::{Durability, Result};
use anser_store::{LedgerFolder, LedgerKey, LedgerRow, LedgerState, MailTx};
use tokio::time::Instant;

use super::{Outcome, Pass, Places, ROWS, TRIES};
use crate::name;
use crate::plan::{Namespace, Planned, again, plan};
use crate::source::{Folder, Mark, Origin, Standing, Window};
use crate::trouble::Trouble;

/// New folders that are asked whether they had another name, where the list does not tell.
const RENAMED: usize = 64;

impl Pass<'_> {
    pub(super) async fn plan(
        &self,
        origin: &mut Origin,
        prefix: Vec<u8>,
        mut folders: Vec<Folder>,
    ) -> Result<Vec<Planned>, Trouble> {
        let (id, profile) = (self.id, self.profile);
        let one = if let Places::One(one) = self.places { Some(one) } else { None };
        let known = self.store.read(self.account, move |tx| tx.ledger_folders(id)).await?;
        let names: HashSet<Vec<u8>> = known.iter().map(|folder| folder.name.clone()).collect();
        let ids: HashMap<u64, &[u8]> = known.iter().map(|folder| (folder.id, &folder.name[..])).collect();
        if ids.keys().any(|id| *id != 0) {
            // What is new may have had another name, and what has that name now may be another one.
            let is_new =
                |folder: &&mut Folder| folder.is_selectable() && folder.id == 0 && !names.contains(&folder.name);
            let mut before: HashSet<&[u8]> = HashSet::new();
            for folder in folders.iter_mut().filter(is_new).take(RENAMED) {
                folder.id = origin.id_of(&folder.name).await?;
                before.extend(ids.get(&folder.id).filter(|_| folder.id != 0));
            }
            for folder in folders.iter_mut().filter(|folder| folder.id == 0 && before.contains(&folder.name[..])) {
                folder.id = origin.id_of(&folder.name).await?;
            }
        }
        let (mut counts, none) = (HashMap::new(), HashMap::new());
        for name in
            (Namespace { prefix: &prefix, profile, one, counts: &none, choice: &self.choice }).rivals(&folders, &names)
        {
            if let Some(count) = origin.count(&name).await? {
                counts.insert(name, count);
            }
        }
        let choice = self.choice.clone();
        let work = move |tx: &mut MailTx<'_, '_>| {
            let namespace = Namespace { prefix: &prefix, profile, one, counts: &counts, choice: &choice };
            plan(tx, id, namespace, &folders)
        };
        Ok(self.store.write(self.account, Durability::Sync, work).await?)
    }

    /// A folder that was whole and is no longer listed.
    pub(super) async fn check_missing(&self, planned: &[Planned], left: &[Folder]) -> Result<(), Trouble> {
        let id = self.id;
        let known = self.store.read(self.account, move |tx| tx.ledger_folders(id)).await?;
        let left = left.iter().map(|folder| &folder.name[..]);
        let listed: HashSet<&[u8]> = planned.iter().map(|one| &one.ledger.name[..]).chain(left).collect();
        for folder in known.iter().filter(|folder| !listed.contains(&folder.name[..])) {
            if folder.messages == 0 {
                // There is nothing left of it that could not be opened.
                if folder.state > 0 {
                    self.put(LedgerFolder { state: 0, ..folder.clone() }).await?;
                }
                continue;
            }
            if !self.losses_are_meant {
                let (name, count) = (name::shown(&folder.name), folder.messages);
                return Err(Trouble::Question(format!("the folder {name} with {count} messages is no longer there")));
            }
            self.close(folder.clone()).await?;
        }
        Ok(())
    }

    /// The folder is no longer at the source, or no longer the same: what came of it stays, and nothing more is asked about it.
    pub(super) async fn close(&self, folder: LedgerFolder) -> Result<()> {
        let pass = self.number;
        let work = move |tx: &mut MailTx<'_, '_>| {
            close(tx, pass, &folder)?;
            tx.put_ledger_folder(&LedgerFolder { messages: 0, uidnext: 0, modseq: 0, state: 0, ..folder.clone() })
        };
        self.store.write(self.account, Durability::Sync, work).await
    }

    /// The source numbered a folder anew (UIDVALIDITY changed): the ledger goes on with a folder of another number, and finds what is
    /// here by its bytes.
    pub(super) async fn renumber(&self, ledger: &LedgerFolder, uidvalidity: u32) -> Result<LedgerFolder> {
        self.forget_left(ledger).await?;
        let (old, pass) = (ledger.clone(), self.number);
        let work = move |tx: &mut MailTx<'_, '_>| {
            close(tx, pass, &old)?;
            // Its UIDNEXT goes on to tell whether all of it came.
            tx.put_ledger_folder(&LedgerFolder { messages: 0, modseq: 0, state: 0, ..old.clone() })?;
            let last = tx.ledger_folders(old.key.source)?.iter().map(|folder| folder.key.folder).max().unwrap_or(0);
            let key = LedgerKey { folder: last + 1, ..old.key };
            let (messages, modseq, uidnext) = (0, 0, 0);
            let fresh = LedgerFolder { key, uidvalidity, keeps_uids: false, messages, modseq, uidnext, ..old.clone() };
            tx.put_ledger_folder(&fresh)?;
            Ok(fresh)
        };
        self.store.write(self.account, Durability::Sync, work).await
    }

    /// What never came of a folder is met again under its new number.
    async fn forget_left(&self, ledger: &LedgerFolder) -> Result<()> {
        let (key, (mut first, last)) = (ledger.key, Window::WHOLE.keys());
        loop {
            let (from, to) = (first, last.clone());
            let rows = self.store.read(self.account, move |tx| tx.ledger_rows(key, &from, &to, ROWS)).await?;
            let end = rows.len() < ROWS;
            // What comes right after the last of them.
            first = rows.last().map_or_else(Vec::new, |row| [&row.key[..], &[0]].concat());
            let never_came = |row: &LedgerRow| matches!(row.state, LedgerState::Failed | LedgerState::Excluded);
            self.forget(ledger, rows.into_iter().filter(never_came).map(|row| row.key).collect()).await?;
            if end {
                return Ok(());
            }
        }
    }

    /// Opens a folder, and holds what the ledger knows of it against its UIDVALIDITY.
    pub(super) async fn open(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
    ) -> Result<(Standing, LedgerFolder), Trouble> {
        let asked = Instant::now();
        let standing = origin.examine(&ledger.name).await?;
        self.watch.answered(asked.elapsed());
        if ledger.uidvalidity != 0 && origin.is_bare(&standing) {
            // By their files alone its messages have no dates: those that are here would not be found again.
            return Err(Trouble::Refused("its index cannot be read".to_owned()));
        }
        if ledger.uidvalidity != 0 && standing.uidvalidity != ledger.uidvalidity {
            let fresh = self.renumber(ledger, standing.uidvalidity).await?;
            return Ok((standing, fresh));
        }
        if ledger.uidvalidity != 0 || standing.uidvalidity == 0 {
            return Ok((standing, ledger.clone()));
        }
        let mut fresh = LedgerFolder { uidvalidity: standing.uidvalidity, ..ledger.clone() };
        let keeps = self.places == Places::Theirs;
        let begin = move |tx: &mut MailTx<'_, '_>| {
            fresh.keeps_uids = keeps && tx.set_uidvalidity(fresh.mailbox, fresh.uidvalidity, 1).is_ok();
            tx.put_ledger_folder(&fresh)?;
            Ok(fresh.clone())
        };
        let fresh = self.store.write(self.account, Durability::Sync, begin).await?;
        Ok((standing, fresh))
    }

    /// Opens a folder as [`Self::open`] does, unless it cannot be: a folder that the old server refuses, or ends the connection at again and
    /// again, keeps no other from moving.
    pub(super) async fn open_or_name(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
        outcome: &mut Outcome,
    ) -> Result<Option<(Standing, LedgerFolder)>, Trouble> {
        let name = name::shown(&ledger.name);
        if self.careful {
            if ledger.state >= TRIES {
                outcome.shut.push(name);
                return Ok(None);
            }
            // Counted before it is tried: there is no connection afterwards.
            self.put(LedgerFolder { state: ledger.state + 1, ..ledger.clone() }).await?;
        }
        let opened = self.open(origin, ledger).await;
        if opened.as_ref().is_ok_and(|(standing, _)| origin.is_bare(standing)) {
            outcome.bare.push(name.clone());
        }
        match opened {
            // A server that asks for patience says nothing of the folder.
            Err(trouble @ Trouble::Later { pause: Some(_), .. }) if self.careful && self.patient => {
                self.put(ledger.clone()).await?;
                Err(trouble)
            }
            Err(Trouble::Refused(why)) => {
                tracing::warn!(folder = name, why, "a folder cannot be opened");
                if ledger.state == 0 && !self.careful {
                    self.put(LedgerFolder { state: 1, ..ledger.clone() }).await?;
                }
                outcome.shut.push(name);
                Ok(None)
            }
            Ok((standing, opened)) if self.careful || opened.state > 0 => {
                let opened = LedgerFolder { state: 0, ..opened };
                self.put(opened.clone()).await?;
                Ok(Some((standing, opened)))
            }
            opened => opened.map(Some),
        }
    }

    pub(super) async fn put(&self, folder: LedgerFolder) -> Result<()> {
        self.store.write(self.account, Durability::Sync, move |tx| tx.put_ledger_folder(&folder)).await
    }

    /// The mailbox here of a folder that has messages to bring: its owner may have removed it.
    pub(super) async fn mailbox_of(&self, ledger: &LedgerFolder, one: &Planned) -> Result<LedgerFolder> {
        let id = ledger.mailbox;
        if self.store.read(self.account, move |tx| tx.has_mailbox(id)).await? {
            return Ok(ledger.clone());
        }
        let (ledger, path) = (ledger.clone(), one.path.clone());
        self.store.write(self.account, Durability::Sync, move |tx| again(tx, &ledger, &path)).await
    }

    /// Reserves the UIDs of a folder, so that its newest messages can come first.
    pub(super) async fn reserve(&self, ledger: &LedgerFolder, standing: &Standing) -> Result<bool> {
        let (id, uidnext) = (ledger.mailbox, standing.uidnext);
        self.store.write(self.account, Durability::Sync, move |tx| tx.reserve_uids(id, uidnext)).await
    }

    /// Notes how the folder stood before it was gone over: what came since is found by the next pass.
    pub(super) async fn finish(&self, ledger: &LedgerFolder, standing: &Standing) -> Result<()> {
        let (messages, modseq) = (standing.messages, standing.modseq);
        let mark = if standing.mark == Mark::default() { Vec::new() } else { standing.mark.to_vec() };
        let id = if standing.id == 0 { ledger.id } else { standing.id };
        let whole = LedgerFolder { uidnext: standing.uidnext.max(1), messages, modseq, mark, id, ..ledger.clone() };
        let end = move |tx: &mut MailTx<'_, '_>| {
            if whole.keeps_uids && tx.has_mailbox(whole.mailbox)? {
                // UIDs that the old server gave to messages which are gone must not name others here.
                tx.raise_uidnext(whole.mailbox, whole.uidnext)?;
                tx.release_uids(whole.mailbox)?;
            }
            tx.put_ledger_folder(&whole)
        };
        self.store.write(self.account, Durability::Sync, end).await
    }
}

/// What came of a folder is the account's alone, and its mailbox is no longer held for its UIDs.
fn close(tx: &mut MailTx<'_, '_>, pass: u32, folder: &LedgerFolder) -> Result<()> {
    tx.ledger_folder_gone(folder.key, pass)?;
    if folder.keeps_uids {
        tx.release_uids(folder.mailbox)?;
    }
    Ok(())
}
