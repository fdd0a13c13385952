//! One pass over one mailbox: what is not here is brought, what changed is merged. Every step is safe to be killed in: the ledger has
//! what was done, and the next pass does the rest.
//!
//! ```text
//! list folders ─▶ plan ─▶ each folder that was whole before: list, merge flags, note what is gone ─▶ each folder: bring what is new
//! ```
//!
//! Folders that stand as they stood at the end of the last whole pass are not opened; of others only what changed is listed, where the
//! source can tell.

mod delta;

use std::collections::{BTreeMap, HashMap, HashSet};

use anser_base::{AccountId, Durability, Result, TenantId};
use anser_store::{LedgerFolder, LedgerKey, LedgerRow, LedgerState, MailTx, Store};
use tokio::task::JoinHandle;

use crate::commit::{Arrived, Done, Target, commit};
use crate::merge;
use crate::plan::{Planned, plan};
use crate::source::{Batch, Folder, Origin, Seen, Standing, Window};
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
/// Messages that are brought before the old server is asked again whether it still has them.
const FIRST: usize = 3;
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
    /// Whether to ask for one message at a time, and count each attempt before it is made: after connections that broke again and
    /// again, so that one message which breaks them cannot keep the others.
    pub careful: bool,
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

impl Pass<'_> {
    /// Goes over all folders once.
    pub async fn run(&self, origin: &mut Origin) -> Result<Outcome, Trouble> {
        let prefix = origin.personal_prefix().await?;
        let folders = origin.folders().await?;
        let planned = self.plan(prefix, folders).await?;
        self.check_missing(&planned).await?;
        self.watch.total(planned.iter().filter_map(|one| one.folder.standing).map(|standing| standing.messages).sum());
        let id = self.id;
        let failed = self.store.read(self.account, move |tx| tx.ledger_rows_in(id, LedgerState::Failed, ROWS)).await?;
        let failed: HashSet<LedgerKey> =
            failed.into_iter().filter(|(_, row)| row.tries < TRIES).map(|(key, _)| key).collect();
        let mut news: BTreeMap<usize, Option<News>> = BTreeMap::new();
        for (at, one) in planned.iter().enumerate().filter(|(_, one)| one.ledger.uidnext > 0 && self.limit.is_none()) {
            news.insert(at, self.look_again(origin, one, failed.contains(&one.ledger.key)).await?);
        }
        let mut outcome = Outcome::default();
        for (at, one) in planned.iter().enumerate() {
            match news.remove(&at) {
                Some(None) => {}
                Some(Some(news)) => self.bring_news(origin, news, &mut outcome).await?,
                None => self.bring_all(origin, one, &mut outcome).await?,
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
        let id = self.id;
        let known = self.store.read(self.account, move |tx| tx.ledger_folders(id)).await?;
        let listed: HashSet<&[u8]> = planned.iter().map(|one| &one.ledger.name[..]).collect();
        for folder in known.iter().filter(|folder| folder.messages > 0 && !listed.contains(&folder.name[..])) {
            if !self.losses_are_meant {
                let (name, count) = (String::from_utf8_lossy(&folder.name), folder.messages);
                return Err(Trouble::Question(format!("the folder {name} with {count} messages is no longer there")));
            }
            self.close(folder.clone()).await?;
        }
        Ok(())
    }

    /// The folder is no longer at the source, or no longer the same: what came of it stays, and nothing more is asked about it.
    async fn close(&self, folder: LedgerFolder) -> Result<()> {
        let (pass, closed) = (self.number, LedgerFolder { messages: 0, uidnext: 0, modseq: 0, ..folder });
        let work = move |tx: &mut MailTx<'_, '_>| {
            tx.ledger_folder_gone(closed.key, pass)?;
            tx.put_ledger_folder(&closed)
        };
        self.store.write(self.account, Durability::Sync, work).await
    }

    /// The source numbered a folder anew (UIDVALIDITY changed): the ledger goes on with a folder of another number, and finds what is
    /// here by its bytes.
    async fn renumber(&self, ledger: &LedgerFolder, uidvalidity: u32) -> Result<LedgerFolder> {
        self.close(ledger.clone()).await?;
        let old = ledger.clone();
        let work = move |tx: &mut MailTx<'_, '_>| {
            let last = tx.ledger_folders(old.key.source)?.iter().map(|folder| folder.key.folder).max().unwrap_or(0);
            let key = LedgerKey { folder: last + 1, ..old.key };
            let (messages, modseq, uidnext) = (0, 0, 0);
            let fresh = LedgerFolder { key, uidvalidity, keeps_uids: false, messages, modseq, uidnext, ..old.clone() };
            tx.put_ledger_folder(&fresh)?;
            Ok(fresh)
        };
        self.store.write(self.account, Durability::Sync, work).await
    }

    /// Opens a folder, and holds what the ledger knows of it against its UIDVALIDITY.
    async fn open(&self, origin: &mut Origin, ledger: &LedgerFolder) -> Result<(Standing, LedgerFolder), Trouble> {
        let standing = origin.examine(&ledger.name).await?;
        if ledger.uidvalidity != 0 && standing.uidvalidity != ledger.uidvalidity {
            let fresh = self.renumber(ledger, standing.uidvalidity).await?;
            return Ok((standing, fresh));
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
    async fn look_again(&self, origin: &mut Origin, one: &Planned, has_failed: bool) -> Result<Option<News>, Trouble> {
        let last = &one.ledger;
        let as_before = |standing: &Standing| {
            standing.uidvalidity == last.uidvalidity
                && standing.uidnext == last.uidnext
                && standing.messages == last.messages
                && standing.modseq == last.modseq
                && last.modseq > 0
        };
        if one.folder.standing.is_some_and(|standing| as_before(&standing)) && !has_failed {
            self.watch.done(last.messages, 0);
            return Ok(None);
        }
        let (standing, ledger) = self.open(origin, last).await?;
        if as_before(&standing) && ledger.key == last.key && !has_failed {
            self.watch.done(last.messages, 0);
            return Ok(None);
        }
        let told = match has_failed || ledger.key != last.key {
            true => None,
            false => self.changes_since(origin, &ledger, &standing).await?,
        };
        let changes = match told {
            Some(changes) => changes,
            None => {
                let mut changes = Changes::default();
                for window in origin.windows(&standing) {
                    self.list(origin, &ledger, window, &mut changes).await?;
                }
                changes
            }
        };
        if standing.uidvalidity == 0 && changes.kept == 0 && (1..=changes.new.len()).contains(&changes.gone.len()) {
            // Each session of such a server has other ids: what is here is found by its bytes.
            let ledger = self.renumber(&ledger, 0).await?;
            return Ok(Some(News { ledger, standing, new: changes.new }));
        }
        self.check_losses(&ledger, &changes)?;
        self.note_gone(&ledger, changes.gone).await?;
        if changes.new.is_empty() {
            self.finish(&ledger, &standing).await?;
            return Ok(None);
        }
        Ok(Some(News { ledger, standing, new: changes.new }))
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

    /// Lists a window of the open folder and holds it against the ledger; flags are merged at once.
    async fn list(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
        window: Window,
        changes: &mut Changes,
    ) -> Result<(), Trouble> {
        let seen = origin.list(window).await?;
        let mut seen: HashMap<Vec<u8>, Seen> = seen.into_iter().map(|one| (one.key.clone(), one)).collect();
        let (key, (mut first, last)) = (ledger.key, window.keys());
        loop {
            let (from, to) = (first.clone(), last.clone());
            let rows = self.store.read(self.account, move |tx| tx.ledger_rows(key, &from, &to, ROWS)).await?;
            let end = rows.len() < ROWS;
            let (mut flagged, mut left) = (Vec::new(), Vec::new());
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
                    (Some(_), _) => changes.kept += 1,
                    (None, LedgerState::Copied | LedgerState::Adopted) => changes.gone.push(row),
                    (None, LedgerState::Failed) => left.push(row.key),
                    (None, _) => {}
                }
            }
            self.merge(ledger, flagged).await?;
            if !left.is_empty() {
                // What never came and is there no longer is nobody's concern.
                let work =
                    move |tx: &mut MailTx<'_, '_>| left.iter().try_for_each(|row| tx.forget_ledger_row(key, row));
                self.store.write(self.account, Durability::Sync, work).await?;
            }
            if end {
                break;
            }
        }
        self.watch.done(changes.kept, 0);
        changes.new.extend(seen.into_values());
        changes.new.sort_by_key(|seen| seen.at);
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

    async fn bring_news(&self, origin: &mut Origin, news: News, outcome: &mut Outcome) -> Result<(), Trouble> {
        let News { ledger, standing, new } = news;
        let (_, again) = self.open(origin, &ledger).await?;
        if again.key != ledger.key {
            // It was numbered anew meanwhile: the next pass sees to it.
            return Ok(());
        }
        self.bring(origin, &ledger, new, outcome).await?;
        self.finish(&ledger, &standing).await.map_err(Trouble::from)
    }

    /// A folder that was never whole, window by window.
    async fn bring_all(&self, origin: &mut Origin, one: &Planned, outcome: &mut Outcome) -> Result<(), Trouble> {
        let (standing, mut ledger) = match self.open(origin, &one.ledger).await {
            // A folder that cannot be opened must not keep the others from moving.
            Err(Trouble::Refused(why)) => {
                tracing::warn!(folder = %String::from_utf8_lossy(&one.ledger.name), why, "a folder cannot be opened");
                outcome.failed += 1;
                return Ok(());
            }
            other => other?,
        };
        let (whole, mut left) = (self.limit.is_none(), self.limit);
        for window in origin.windows(&standing) {
            if standing.messages == 0 || left == Some(0) {
                break;
            }
            let mut changes = Changes::default();
            self.list(origin, &ledger, window, &mut changes).await?;
            if changes.kept == 0 && origin.may_remove() && !self.losses_are_meant {
                (ledger, changes) = self.try_reading(origin, ledger, changes, outcome).await?;
            }
            let Changes { mut new, kept, .. } = changes;
            if let Some(left) = &mut left {
                new.truncate(usize::try_from(left.saturating_sub(kept)).unwrap_or(usize::MAX));
                *left = left.saturating_sub(kept + new.len() as u64);
            }
            self.bring(origin, &ledger, new, outcome).await?;
        }
        if whole { self.finish(&ledger, &standing).await } else { Ok(()) }.map_err(Trouble::from)
    }

    /// Some POP3 servers remove what was read. So at the first meeting a few messages are brought, the session is ended, and the next one
    /// has to show them still: under the same ids, or as many under others.
    async fn try_reading(
        &self,
        origin: &mut Origin,
        ledger: LedgerFolder,
        mut changes: Changes,
        outcome: &mut Outcome,
    ) -> Result<(LedgerFolder, Changes), Trouble> {
        let (few, before) = (changes.new.iter().take(FIRST).cloned().collect::<Vec<_>>(), changes.new.len());
        if changes.gone.is_empty() && !few.is_empty() {
            self.bring(origin, &ledger, few, outcome).await?;
            origin.come_again().await?;
            changes = Changes::default();
            self.list(origin, &ledger, Window::WHOLE, &mut changes).await?;
            if changes.kept == 0 && changes.new.len() >= before {
                return Ok((self.renumber(&ledger, 0).await?, changes));
            }
        }
        if changes.gone.is_empty() {
            return Ok((ledger, changes));
        }
        let why = "the old server removes messages that were read; those are here, and no other was touched";
        Err(Trouble::Question(why.to_owned()))
    }

    /// Brings messages in the order of the folder: asks ahead, and commits one batch while the next arrives. What does not come is in the ledger
    /// as failed.
    async fn bring(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
        new: Vec<Seen>,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        let mut fetcher = origin.fetcher(self.store.clone(), self.tenant);
        let most = if self.careful { 1 } else { BATCH };
        let mut batches = batches(&new, most).into_iter();
        let mut seen: BTreeMap<u32, Seen> = new.into_iter().map(|one| (one.at, one)).collect();
        let mut committing: Option<JoinHandle<Result<Done>>> = None;
        let mut missing = Vec::new();
        let ahead = if self.careful { 1 } else { AHEAD };
        loop {
            while fetcher.under_way() < ahead
                && let Some(batch) = batches.next()
            {
                if self.careful {
                    self.note_attempts(ledger, &batch, &seen, "the connection broke").await?;
                }
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
            let target = self.target(ledger);
            committing = Some(tokio::spawn(commit(self.store.clone(), target, arrived)));
        }
        self.finish_commit(&mut committing, outcome).await?;
        for (seen, why) in missing {
            self.bring_one(origin, ledger, seen, &why, outcome).await?;
        }
        Ok(())
    }

    /// A message that came in no batch is asked for alone, in the other ways that a server may know; when none works the ledger says
    /// so, and the others move on.
    async fn bring_one(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
        seen: Seen,
        why: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        let (at, mut why) = (seen.at, why.to_owned());
        for way in 0.. {
            let mut fetcher = origin.fetcher(self.store.clone(), self.tenant);
            if !fetcher.ask_otherwise(at, way).await? {
                break;
            }
            let mut batch = fetcher.receive().await?;
            match (batch.arrived.remove(&at), batch.refused) {
                (Some(taken), _) => {
                    let done = commit(self.store.clone(), self.target(ledger), vec![Arrived { seen, taken }]).await?;
                    outcome.copied += done.messages;
                    outcome.bytes += done.bytes;
                    self.watch.done(done.messages, done.bytes);
                    return Ok(());
                }
                // It left meanwhile, which the next pass will see; or the server hides it.
                (None, None) => {}
                (None, Some(refused)) => why = refused,
            }
        }
        outcome.failed += 1;
        self.note_attempts(ledger, &[at], &BTreeMap::from([(at, seen)]), &why).await?;
        Ok(())
    }

    /// Counts an attempt at messages before it is made, or after it failed; one that is made leaves no trace of it.
    async fn note_attempts(
        &self,
        ledger: &LedgerFolder,
        wanted: &[u32],
        seen: &BTreeMap<u32, Seen>,
        why: &str,
    ) -> Result<()> {
        let (key, pass) = (ledger.key, self.number);
        let seen: Vec<Seen> = wanted.iter().filter_map(|at| seen.get(at).cloned()).collect();
        let why = why.to_owned();
        let work = move |tx: &mut MailTx<'_, '_>| {
            for one in &seen {
                let tries = tx.ledger_row(key, &one.key)?.map_or(0, |row| row.tries) + 1;
                let fresh = LedgerRow::new(one.key.clone(), LedgerState::Failed);
                let (size, received, note) = (one.size, one.received.clone(), Some(why.clone()));
                tx.put_ledger_row(key, &LedgerRow { size, received, note, tries, pass, ..fresh })?;
            }
            Ok(())
        };
        self.store.write(self.account, Durability::Sync, work).await
    }

    fn target(&self, ledger: &LedgerFolder) -> Target {
        Target {
            tenant: self.tenant,
            account: self.account,
            mailbox: ledger.mailbox,
            key: ledger.key,
            keeps_uids: ledger.keeps_uids,
            pass: self.number,
            // Where ids do not last, what is here already can come under another one.
            may_have_moved: self.number > 1 || ledger.uidvalidity == 0,
            again: false,
        }
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

/// What is new in a folder that was whole once.
struct News {
    ledger: LedgerFolder,
    /// How it stood before it was listed: what came since is not among `new`.
    standing: Standing,
    new: Vec<Seen>,
}

/// What a folder's list tells against the ledger.
#[derive(Default)]
struct Changes {
    new: Vec<Seen>,
    gone: Vec<LedgerRow>,
    kept: u64,
}

/// Messages in batches of some size, by where they stand.
fn batches(seen: &[Seen], most: usize) -> Vec<Vec<u32>> {
    let mut all: Vec<Vec<u32>> = Vec::new();
    let (mut bytes, mut ranges) = (0, 0);
    for one in seen {
        let joins = all.last().and_then(|batch| batch.last()).is_some_and(|last| last.checked_add(1) == Some(one.at));
        ranges += usize::from(!joins);
        bytes += one.size;
        match all.last_mut() {
            Some(batch) if batch.len() < most && bytes <= BATCH_BYTES && ranges <= RANGES => batch.push(one.at),
            _ => {
                all.push(vec![one.at]);
                (bytes, ranges) = (one.size, 1);
            }
        }
    }
    all
}

/// The messages of a batch that came; those that did not are missing.
fn arrived(mut batch: Batch, seen: &mut BTreeMap<u32, Seen>, missing: &mut Vec<(Seen, String)>) -> Vec<Arrived> {
    let mut all = Vec::with_capacity(batch.wanted.len());
    for at in batch.wanted {
        let Some(seen) = seen.remove(&at) else { continue };
        match batch.arrived.remove(&at) {
            Some(taken) => all.push(Arrived { seen, taken }),
            None => {
                let why = batch.refused.clone();
                missing.push((seen, why.unwrap_or_else(|| "the server did not hand it out".to_owned())));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at: u32, size: u64) -> Seen {
        let (flags, keywords, received) = Default::default();
        Seen { at, key: Vec::new(), uid: at, uidl: None, flags, keywords, received, written: None, size }
    }

    #[test]
    fn batches_are_bounded_by_number_bytes_and_ranges() {
        let all: Vec<Seen> = (1..=1000).map(|uid| seen(uid, 10)).collect();
        assert_eq!(batches(&all, BATCH).iter().map(Vec::len).collect::<Vec<_>>(), [256, 256, 256, 232]);
        let large: Vec<Seen> = (1..=5).map(|uid| seen(uid, BATCH_BYTES / 2)).collect();
        assert_eq!(batches(&large, BATCH).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        let sparse: Vec<Seen> = (1..=100).map(|uid| seen(uid * 2, 10)).collect();
        assert_eq!(batches(&sparse, BATCH).iter().map(Vec::len).collect::<Vec<_>>(), [80, 20]);
        assert_eq!(batches(&[seen(1, u64::from(u32::MAX))], BATCH).len(), 1);
    }
}
