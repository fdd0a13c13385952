//! One pass over one mailbox: what is not here is brought, what changed is merged. Every step is safe to be killed in: the ledger has
//! what was done, and the next pass does the rest.
//!
//! ```text
//! list folders ─▶ plan ─▶ each folder that was whole before: list, merge flags, note what is gone ─▶ each folder: bring what is new
//! ```
//!
//! Folders that stand as they stood at the end of the last whole pass are not opened.

use std::collections::{BTreeMap, HashSet};

use anser_base::{AccountId, Durability, Result, TenantId};
use anser_store::{LedgerFolder, LedgerRow, LedgerState, MailTx, Store};
use anser_wire::Secret;
use tokio::task::JoinHandle;

use crate::commit::{Arrived, Done, Target, commit};
use crate::imap::fetch::{Fetcher, Seen, Window, windows};
use crate::imap::folder::{Folder, Standing};
use crate::imap::{Imap, fetch::Batch};
use crate::merge;
use crate::model::Source;
use crate::plan::{Planned, plan};
use crate::trouble::Trouble;

/// Messages of one batch at most.
pub const BATCH: usize = 256;
/// Bytes of one batch, beyond which no further message joins it.
pub const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// Ranges of UIDs of one batch, so that its command stays short.
const RANGES: usize = 80;
/// Batches that the old server was asked for and has not handed out.
const AHEAD: usize = 2;
/// Rows of the ledger that are read at once.
const ROWS: usize = 5_000;
/// How often a message that the old server does not hand out is asked for.
pub const TRIES: u32 = 3;
/// A folder that lost more than one in so many messages since the last pass, and more than [`FEW`], is a question.
const LOSS: u64 = 20;
/// Messages that a folder may always lose.
const FEW: u64 = 20;

/// What a pass needs of its surroundings.
pub struct Pass<'a> {
    /// Mailboxes and messages.
    pub store: Store,
    /// Whose bodies.
    pub tenant: TenantId,
    /// Where everything goes.
    pub account: AccountId,
    /// The number by which the ledger knows the login.
    pub id: u64,
    /// The number of this pass.
    pub number: u32,
    /// Messages of each folder at most; `None` for all.
    pub limit: Option<u64>,
    /// Whether losses at the source were said to be meant.
    pub losses_are_meant: bool,
    /// Told of what was done; says whether to go on.
    pub watch: &'a (dyn Watcher + Sync),
}

/// Who follows a pass, and may stop it.
pub trait Watcher {
    /// So many messages are at the source.
    fn total(&self, messages: u64);
    /// Some more messages were looked at or brought.
    fn done(&self, messages: u64, bytes: u64);
    /// Whether to stop before the next batch.
    fn is_stopped(&self) -> bool;
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Messages brought.
    pub copied: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages that were not handed out.
    pub failed: u64,
}

/// Logs in.
pub async fn log_in(source: &Source, login: &str, password: &Secret) -> Result<Imap, Trouble> {
    let mut imap = Imap::connect(source).await?;
    imap.log_in(login, password).await?;
    Ok(imap)
}

impl Pass<'_> {
    /// Goes over all folders once.
    pub async fn run(&self, imap: &mut Imap) -> Result<Outcome, Trouble> {
        let prefix = imap.personal_prefix().await?;
        let folders = imap.folders().await?;
        let planned = self.plan(prefix, folders).await?;
        self.check_missing(&planned).await?;
        self.watch.total(planned.iter().filter_map(|one| one.folder.standing).map(|standing| standing.messages).sum());
        let mut news: BTreeMap<usize, Vec<Seen>> = BTreeMap::new();
        for (at, one) in planned.iter().enumerate().filter(|(_, one)| one.ledger.uidnext > 0 && self.limit.is_none()) {
            news.insert(at, self.look_again(imap, one).await?);
        }
        let mut outcome = Outcome::default();
        for (at, one) in planned.iter().enumerate() {
            match news.remove(&at) {
                Some(list) if list.is_empty() => {}
                Some(list) => self.bring_news(imap, one, list, &mut outcome).await?,
                None => self.bring_all(imap, one, &mut outcome).await?,
            }
        }
        Ok(outcome)
    }

    async fn plan(&self, prefix: Vec<u8>, folders: Vec<Folder>) -> Result<Vec<Planned>> {
        let id = self.id;
        self.store.write(self.account, Durability::Sync, move |tx| plan(tx, id, &prefix, &folders)).await
    }

    /// A folder that was whole and is no longer listed.
    async fn check_missing(&self, planned: &[Planned]) -> Result<(), Trouble> {
        if self.losses_are_meant {
            return Ok(());
        }
        let id = self.id;
        let known = self.store.read(self.account, move |tx| tx.ledger_folders(id)).await?;
        let listed: HashSet<&[u8]> = planned.iter().map(|one| &one.ledger.name[..]).collect();
        match known.iter().find(|folder| folder.messages > 0 && !listed.contains(&folder.name[..])) {
            Some(folder) => {
                let name = String::from_utf8_lossy(&folder.name);
                Err(Trouble::Question(format!(
                    "the folder {name} with {} messages is no longer there",
                    folder.messages
                )))
            }
            None => Ok(()),
        }
    }

    /// Opens a folder, and holds what the ledger knows of it against its UIDVALIDITY.
    async fn open(&self, imap: &mut Imap, ledger: &LedgerFolder) -> Result<(Standing, LedgerFolder), Trouble> {
        let standing = imap.examine(&ledger.name).await?;
        if ledger.uidvalidity != 0 && standing.uidvalidity != ledger.uidvalidity {
            return Err(Trouble::Question(format!(
                "UIDVALIDITY of the folder {} changed from {} to {}",
                String::from_utf8_lossy(&ledger.name),
                ledger.uidvalidity,
                standing.uidvalidity
            )));
        }
        if ledger.uidvalidity != 0 || standing.uidvalidity == 0 {
            return Ok((standing, ledger.clone()));
        }
        let mut fresh = LedgerFolder { uidvalidity: standing.uidvalidity, ..ledger.clone() };
        let begin = move |tx: &mut MailTx<'_, '_>| {
            fresh.keeps_uids = tx.set_uidvalidity(fresh.mailbox, fresh.uidvalidity, 1).is_ok();
            tx.put_ledger_folder(&fresh)?;
            Ok(fresh.clone())
        };
        let fresh = self.store.write(self.account, Durability::Sync, begin).await?;
        Ok((standing, fresh))
    }

    /// A folder that was whole once: merges what changed, notes what is gone; returns what is new.
    async fn look_again(&self, imap: &mut Imap, one: &Planned) -> Result<Vec<Seen>, Trouble> {
        let last = &one.ledger;
        let as_before = |standing: &Standing| {
            standing.uidvalidity == last.uidvalidity
                && standing.uidnext == last.uidnext
                && standing.messages == last.messages
                && standing.modseq == last.modseq
                && last.modseq > 0
        };
        if one.folder.standing.is_some_and(|standing| as_before(&standing)) {
            self.watch.done(last.messages, 0);
            return Ok(Vec::new());
        }
        let (standing, ledger) = self.open(imap, last).await?;
        if as_before(&standing) {
            self.watch.done(last.messages, 0);
            return Ok(Vec::new());
        }
        let mut changes = Changes::default();
        for window in windows(&standing, 1) {
            let seen = imap.list(window, None).await?;
            self.compare(&ledger, window, seen, &mut changes).await?;
        }
        self.check_losses(&ledger, &changes)?;
        self.note_gone(&ledger, changes.gone).await?;
        if changes.new.is_empty() {
            self.finish(&ledger, &standing).await?;
        }
        Ok(changes.new)
    }

    fn check_losses(&self, ledger: &LedgerFolder, changes: &Changes) -> Result<(), Trouble> {
        let lost = changes.gone.len() as u64;
        let all = lost > 0 && changes.kept == 0;
        let many = lost > FEW && lost * LOSS > lost + changes.kept;
        if self.losses_are_meant || !(all || many) {
            return Ok(());
        }
        let name = String::from_utf8_lossy(&ledger.name);
        Err(Trouble::Question(format!("the folder {name} lost {lost} of {} messages", lost + changes.kept)))
    }

    /// Holds a window of the source against the ledger; flags are merged at once.
    async fn compare(
        &self,
        ledger: &LedgerFolder,
        window: Window,
        mut seen: BTreeMap<u32, Seen>,
        changes: &mut Changes,
    ) -> Result<(), Trouble> {
        let (key, mut first, last) = (ledger.key, window.first.to_be_bytes(), window.last.to_be_bytes());
        loop {
            let rows = self.store.read(self.account, move |tx| tx.ledger_rows(key, &first, &last, ROWS)).await?;
            let end = rows.len() < ROWS;
            let mut flagged = Vec::new();
            for row in rows {
                let uid = uid_of(&row.key);
                first = uid.saturating_add(1).to_be_bytes();
                match (seen.remove(&uid), row.state) {
                    (Some(seen), LedgerState::Failed) if row.tries < TRIES => changes.new.push(seen),
                    (Some(seen), LedgerState::Copied | LedgerState::Adopted) => {
                        changes.kept += 1;
                        if seen.flags != row.flags || seen.keywords != row.keywords {
                            flagged.push((row, seen));
                        }
                    }
                    (Some(_), _) => changes.kept += 1,
                    (None, LedgerState::Copied | LedgerState::Adopted) => changes.gone.push(row),
                    (None, _) => {}
                }
            }
            self.merge(ledger, flagged).await?;
            if end {
                break;
            }
        }
        self.watch.done(changes.kept, 0);
        changes.new.extend(seen.into_values());
        Ok(())
    }

    async fn merge(&self, ledger: &LedgerFolder, flagged: Vec<(LedgerRow, Seen)>) -> Result<()> {
        let (key, pass) = (ledger.key, self.number);
        for some in flagged.chunks(BATCH) {
            let some = some.to_vec();
            let work = move |tx: &mut MailTx<'_, '_>| {
                some.iter().try_for_each(|(row, seen)| merge::merge(tx, key, row, seen, pass).map(drop))
            };
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }

    async fn note_gone(&self, ledger: &LedgerFolder, gone: Vec<LedgerRow>) -> Result<()> {
        let (key, pass) = (ledger.key, self.number);
        for some in gone.chunks(BATCH) {
            let some = some.to_vec();
            let work = move |tx: &mut MailTx<'_, '_>| some.iter().try_for_each(|row| merge::gone(tx, key, row, pass));
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }

    async fn bring_news(
        &self,
        imap: &mut Imap,
        one: &Planned,
        mut new: Vec<Seen>,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        new.sort_by_key(|seen| seen.uid);
        let (standing, ledger) = self.open(imap, &one.ledger).await?;
        let whole = self.bring(imap, &ledger, new, outcome).await?;
        if whole { self.finish(&ledger, &standing).await } else { Ok(()) }.map_err(Trouble::from)
    }

    /// A folder that was never whole, window by window.
    async fn bring_all(&self, imap: &mut Imap, one: &Planned, outcome: &mut Outcome) -> Result<(), Trouble> {
        let (standing, ledger) = match self.open(imap, &one.ledger).await {
            // A folder that cannot be opened must not keep the others from moving.
            Err(Trouble::Refused(why)) => {
                tracing::warn!(folder = %String::from_utf8_lossy(&one.ledger.name), why, "a folder cannot be opened");
                outcome.failed += 1;
                return Ok(());
            }
            other => other?,
        };
        let (mut whole, mut left) = (self.limit.is_none(), self.limit);
        for window in windows(&standing, 1) {
            if standing.messages == 0 || left == Some(0) {
                break;
            }
            let seen = imap.list(window, None).await?;
            let mut changes = Changes::default();
            self.compare(&ledger, window, seen, &mut changes).await?;
            let mut new = changes.new;
            new.sort_by_key(|seen| seen.uid);
            if let Some(left) = &mut left {
                new.truncate(usize::try_from(left.saturating_sub(changes.kept)).unwrap_or(usize::MAX));
                *left = left.saturating_sub(changes.kept + new.len() as u64);
            }
            whole &= self.bring(imap, &ledger, new, outcome).await?;
        }
        if whole { self.finish(&ledger, &standing).await } else { Ok(()) }.map_err(Trouble::from)
    }

    /// Brings messages by ascending UID: asks ahead, and commits one batch while the next arrives. Whether all came.
    async fn bring(
        &self,
        imap: &mut Imap,
        ledger: &LedgerFolder,
        new: Vec<Seen>,
        outcome: &mut Outcome,
    ) -> Result<bool, Trouble> {
        let mut fetcher = Fetcher::new(imap, self.store.clone(), self.tenant);
        let mut batches = batches(&new).into_iter();
        let mut seen: BTreeMap<u32, Seen> = new.into_iter().map(|one| (one.uid, one)).collect();
        let mut committing: Option<JoinHandle<Result<Done>>> = None;
        let mut missing = Vec::new();
        loop {
            while fetcher.under_way() < AHEAD
                && let Some(batch) = batches.next()
            {
                fetcher.ask(batch).await?;
            }
            if fetcher.under_way() == 0 {
                break;
            }
            let batch = fetcher.receive().await?;
            let arrived = arrived(batch, &mut seen, &mut missing);
            self.finish_commit(&mut committing, outcome).await?;
            if self.watch.is_stopped() {
                return Err(Trouble::Stopped);
            }
            let target = Target {
                tenant: self.tenant,
                account: self.account,
                mailbox: ledger.mailbox,
                key: ledger.key,
                keeps_uids: ledger.keeps_uids,
                pass: self.number,
                may_have_moved: ledger.uidnext > 0 || self.number > 1,
            };
            committing = Some(tokio::spawn(commit(self.store.clone(), target, arrived)));
        }
        self.finish_commit(&mut committing, outcome).await?;
        outcome.failed += missing.len() as u64;
        Ok(missing.is_empty())
    }

    async fn finish_commit(
        &self,
        committing: &mut Option<JoinHandle<Result<Done>>>,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        if let Some(before) = committing.take() {
            let done = before.await.map_err(anser_base::Error::unavailable)??;
            (outcome.copied, outcome.bytes) = (outcome.copied + done.messages, outcome.bytes + done.bytes);
            self.watch.done(done.messages, done.bytes);
        }
        Ok(())
    }

    /// Notes how the folder stood before it was gone over: what came since is found by the next pass.
    async fn finish(&self, ledger: &LedgerFolder, standing: &Standing) -> Result<()> {
        let (messages, modseq) = (standing.messages, standing.modseq);
        let whole = LedgerFolder { uidnext: standing.uidnext.max(1), messages, modseq, ..ledger.clone() };
        let end = move |tx: &mut MailTx<'_, '_>| {
            if whole.keeps_uids {
                // UIDs that the old server gave to messages which are gone must not name others here.
                tx.raise_uidnext(whole.mailbox, whole.uidnext)?;
            }
            tx.put_ledger_folder(&whole)
        };
        self.store.write(self.account, Durability::Sync, end).await
    }
}

/// What a folder's list tells against the ledger.
#[derive(Default)]
struct Changes {
    new: Vec<Seen>,
    gone: Vec<LedgerRow>,
    kept: u64,
}

fn uid_of(key: &[u8]) -> u32 {
    key.try_into().map_or(0, u32::from_be_bytes)
}

/// Ascending UIDs in batches of some size.
fn batches(seen: &[Seen]) -> Vec<Vec<u32>> {
    let mut all: Vec<Vec<u32>> = Vec::new();
    let (mut bytes, mut ranges) = (0, 0);
    for one in seen {
        let joins = all.last().and_then(|batch| batch.last()).is_some_and(|last| last.checked_add(1) == Some(one.uid));
        ranges += usize::from(!joins);
        bytes += one.size;
        match all.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes <= BATCH_BYTES && ranges <= RANGES => batch.push(one.uid),
            _ => {
                all.push(vec![one.uid]);
                (bytes, ranges) = (one.size, 1);
            }
        }
    }
    all
}

/// The messages of a batch that came; those that did not, though the server said nothing against them, have left meanwhile.
fn arrived(mut batch: Batch, seen: &mut BTreeMap<u32, Seen>, missing: &mut Vec<Seen>) -> Vec<Arrived> {
    let mut all = Vec::with_capacity(batch.wanted.len());
    for uid in batch.wanted {
        let Some(seen) = seen.remove(&uid) else { continue };
        match batch.arrived.remove(&uid) {
            Some(taken) => all.push(Arrived { key: uid.to_be_bytes().to_vec(), seen, taken, uidl: None }),
            None if batch.refused.is_some() => missing.push(seen),
            None => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(uid: u32, size: u64) -> Seen {
        Seen { uid, size, flags: Default::default(), keywords: Default::default(), received: String::new() }
    }

    #[test]
    fn batches_are_bounded_by_number_bytes_and_ranges() {
        let all: Vec<Seen> = (1..=1000).map(|uid| seen(uid, 10)).collect();
        assert_eq!(batches(&all).iter().map(Vec::len).collect::<Vec<_>>(), [256, 256, 256, 232]);
        let large: Vec<Seen> = (1..=5).map(|uid| seen(uid, BATCH_BYTES / 2)).collect();
        assert_eq!(batches(&large).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        let sparse: Vec<Seen> = (1..=100).map(|uid| seen(uid * 2, 10)).collect();
        assert_eq!(batches(&sparse).iter().map(Vec::len).collect::<Vec<_>>(), [80, 20]);
        assert_eq!(batches(&[seen(1, u64::from(u32::MAX))]).len(), 1);
    }
}
