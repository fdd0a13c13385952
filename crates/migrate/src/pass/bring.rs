//! Messages on their way: batches that are asked for ahead; while one arrives the bodies of the one before it are put, and the rows of the one
//! before that are written. And what is done about those that do not come.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Durability, Result};
use anser_store::{LedgerFolder, LedgerKey, LedgerRow, LedgerState, MailTx};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

use super::beside::Queue;
use super::{Outcome, Pass};
use crate::adopt::Adoptable;
use crate::commit::{Arrived, Done, Target, commit, commit_in_turn};
use crate::halt;
use crate::source::{Batch, Fetcher, Origin, Partial, Seen, Spared};
use crate::trouble::Trouble;

/// Messages of one batch at most.
pub const BATCH: usize = 256;
/// Bytes of one batch, beyond which no further message joins it.
pub const BATCH_BYTES: u64 = 2 * 1024 * 1024;
/// Ranges of UIDs of one batch, so that its command stays short.
const RANGES: usize = 80;
/// Batches that a connection was asked for and has not handed out.
pub(super) const AHEAD: usize = 2;
/// The newest messages of a folder, which are brought before its others.
const NEWEST: usize = 50;

/// The pause before a connection that goes on with a body, and the octets that it has to bring for another one to go on behind it.
const REST: Duration = Duration::from_secs(1);
const LEAST: u64 = 256 * 1024;

/// Batches that arrived and are not stored yet, at most.
const STORING: usize = 4;

/// What is left to be done when batches no longer come.
#[derive(Default)]
pub(super) struct UnderWay {
    /// What is to come.
    seen: BTreeMap<u32, Seen>,
    /// What came.
    outcome: Outcome,
    /// The batches before, oldest first.
    storing: VecDeque<JoinHandle<Result<Done>>>,
    /// Told when the newest of them is stored.
    last: Option<oneshot::Receiver<()>>,
    /// What came in no batch, and why.
    missing: Vec<(Seen, String)>,
    /// What was asked for last, where attempts are counted before they are made.
    counted: Vec<Seen>,
    /// A large one in which the connection broke.
    partial: Option<(Seen, Partial)>,
}

/// A folder that is being brought, for every connection that does.
pub(super) struct Bringing<'b, 'u> {
    pub ledger: &'b LedgerFolder,
    pub how: &'b How,
    pub queue: Queue,
    /// What is not asked for, since it is here.
    pub spared: Arc<Spared>,
    under_way: Mutex<&'u mut UnderWay>,
}

impl Pass<'_> {
    /// Brings messages: asks ahead, and commits one batch while the next arrives. What does not come is in the ledger as failed.
    pub(super) async fn bring(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
        new: Vec<Seen>,
        how: &How,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        let new = self.leave_out(ledger, new).await?;
        let most = if self.careful { 1 } else { BATCH };
        let (free, late) = how.order.batches(&new, most);
        let (queue, spared) = (Queue::new(free), Arc::new(self.spared(ledger, &new).await?));
        let seen = new.into_iter().map(|one| (one.at, one)).collect();
        let mut under_way = UnderWay { seen, ..UnderWay::default() };
        let all = Bringing { ledger, how, queue, spared, under_way: Mutex::new(&mut under_way) };
        let received = self.receive(origin, &all, late).await;
        drop(all);
        // Whatever became of the connection: nothing may be under way any more when a pass says that it is over.
        let stored = self.finish_storing(&mut under_way, 0).await;
        outcome.copied += under_way.outcome.copied;
        outcome.bytes += under_way.outcome.bytes;
        // A server that asks for patience says nothing of the message that it was asked for.
        let is_no_attempt = match &received {
            Err(Trouble::Stopped) => true,
            Err(Trouble::Later { pause: Some(_), .. }) => self.patient,
            _ => false,
        };
        if is_no_attempt {
            self.take_back(ledger.key, std::mem::take(&mut under_way.counted)).await?;
        }
        stored?;
        if let (Err(Trouble::Later { .. }), Some(partial)) = (&received, under_way.partial.take()) {
            self.go_on(origin, ledger, how, partial, outcome).await?;
        }
        received?;
        for (seen, why) in under_way.missing {
            self.bring_one(origin, self.target(ledger, how), seen, &why, outcome).await?;
        }
        Ok(())
    }

    async fn receive(&self, origin: &mut Origin, all: &Bringing<'_, '_>, late: Vec<Vec<u32>>) -> Result<(), Trouble> {
        let first = async {
            let ended = self.fetch(origin, all).await;
            if ended.is_err() {
                all.queue.close();
            }
            ended
        };
        let (first, beside) = tokio::join!(first, self.beside(all));
        // Trouble of our own is that of all of them.
        beside.and(first)?;
        // What another connection had asked for when it broke.
        self.fetch(origin, all).await?;
        // Nobody reserved the UIDs of these: they come in their order.
        all.queue.put(late);
        self.fetch(origin, all).await
    }

    pub(super) fn fetcher<'o>(&self, origin: &'o mut Origin) -> Fetcher<'o> {
        origin.fetcher(self.store.clone(), self.tenant, self.allowance.clone())
    }

    /// Brings what is in the queue over the first connection.
    async fn fetch(&self, origin: &mut Origin, all: &Bringing<'_, '_>) -> Result<(), Trouble> {
        let mut fetcher = self.fetcher(origin);
        fetcher.spare(all.spared.clone());
        let ahead = if self.careful { 1 } else { AHEAD };
        loop {
            while fetcher.under_way() < ahead
                && let Some(batch) = all.queue.next()
            {
                if self.careful {
                    let mut under_way = all.under_way.lock().await;
                    self.note_attempts(all.ledger.key, &batch, &under_way.seen, "the connection broke").await?;
                    under_way.counted = batch.iter().filter_map(|at| under_way.seen.get(at).cloned()).collect();
                }
                fetcher.ask(batch).await?;
            }
            if fetcher.under_way() == 0 {
                return Ok(());
            }
            let mut batch = fetcher.receive().await?;
            let (broken, partial) = (batch.broken.take(), batch.partial.take());
            if let Some(partial) = partial {
                let mut under_way = all.under_way.lock().await;
                under_way.partial = under_way.seen.remove(&partial.at).map(|seen| (seen, partial));
            }
            self.take_in(all, batch).await?;
            // What came before is stored: over a line that breaks again and again each pass brings something.
            if let Some(trouble) = broken {
                return Err(trouble);
            }
            if self.watch.is_stopped() {
                return Err(Trouble::Stopped);
            }
            let pause = self.watch.pause();
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Begins to store a batch, once there is room for it. An error is trouble of our own.
    pub(super) async fn take_in(&self, all: &Bringing<'_, '_>, batch: Batch) -> Result<(), Trouble> {
        let mut under_way = all.under_way.lock().await;
        let under_way = &mut **under_way;
        let arrived = arrived(batch, &mut under_way.seen, &mut under_way.missing);
        self.finish_storing(under_way, STORING - 1).await?;
        let (done, last) = oneshot::channel();
        let before = under_way.last.replace(last);
        let storing = commit_in_turn(self.store.clone(), self.target(all.ledger, all.how), arrived, before, done);
        under_way.storing.push_back(tokio::spawn(storing));
        Ok(())
    }

    /// A large body in which the connection broke goes on over others, as long as each brings some of it: begun anew it would never come
    /// over a line that does not hold. The pass ends behind it all the same, and the next one goes on with the others.
    async fn go_on(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
        how: &How,
        (seen, mut partial): (Seen, Partial),
        outcome: &mut Outcome,
    ) -> Result<()> {
        let Some(reopen) = self.reopen else { return Ok(()) };
        let came = |partial: &Partial| partial.incoming.seam().map_or(0, |(came, _)| came);
        loop {
            let before = came(&partial);
            let rest = async {
                halt::answer(tokio::time::sleep(REST)).await?;
                *origin = reopen().await?;
                let standing = origin.examine(&ledger.name).await?;
                if standing.uidvalidity != ledger.uidvalidity {
                    return Err(Trouble::lost("the folder was numbered anew"));
                }
                origin.rest(&mut partial).await
            };
            match rest.await {
                Ok(()) => break,
                Err(Trouble::Later { .. }) if came(&partial) >= before + LEAST && !self.watch.is_stopped() => {}
                Err(trouble) => {
                    tracing::info!(
                        uid = seen.uid,
                        ?partial,
                        why = trouble.words(),
                        "a large message did not come whole"
                    );
                    return Ok(());
                }
            }
        }
        let taken = match partial.incoming.end().await {
            Ok(taken) => taken,
            Err(Trouble::Own(error)) => return Err(error),
            Err(_) => return Ok(()),
        };
        let done =
            commit(self.store.clone(), self.target(ledger, how), vec![Arrived { seen, taken, ends: None }]).await?;
        self.count(done, outcome);
        Ok(())
    }

    /// A message that came in no batch is asked for alone, in the other ways that a server may know; when none works the ledger says
    /// so, and the others move on.
    async fn bring_one(
        &self,
        origin: &mut Origin,
        target: Target,
        seen: Seen,
        why: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        let (at, mut why) = (seen.at, why.to_owned());
        for way in 0.. {
            let mut fetcher = self.fetcher(origin);
            if !fetcher.ask_otherwise(at, way).await? {
                break;
            }
            let mut batch = fetcher.receive().await?.whole()?;
            match (batch.arrived.remove(&at), batch.refused) {
                (Some(taken), _) => {
                    let ends = batch.ends.remove(&at);
                    let done = commit(self.store.clone(), target, vec![Arrived { seen, taken, ends }]).await?;
                    self.count(done, outcome);
                    return Ok(());
                }
                // It left meanwhile, which the next pass will see; or the server hides it.
                (None, None) => {}
                (None, Some(refused)) => why = refused,
            }
        }
        outcome.failed += 1;
        self.note_attempts(target.key, &[at], &BTreeMap::from([(at, seen)]), &why).await?;
        Ok(())
    }

    /// Counts an attempt at messages before it is made, or after it failed; one that is made leaves no trace of it.
    async fn note_attempts(&self, key: LedgerKey, wanted: &[u32], seen: &BTreeMap<u32, Seen>, why: &str) -> Result<()> {
        let pass = self.number;
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

    /// An attempt that ended by nothing that the message did is none.
    async fn take_back(&self, key: LedgerKey, counted: Vec<Seen>) -> Result<()> {
        if counted.is_empty() {
            return Ok(());
        }
        let work = move |tx: &mut MailTx<'_, '_>| {
            for one in &counted {
                let row = tx.ledger_row(key, &one.key)?.filter(|row| row.state == LedgerState::Failed);
                let Some(row) = row else { continue };
                match row.tries.saturating_sub(1) {
                    0 => tx.forget_ledger_row(key, &one.key)?,
                    tries => tx.put_ledger_row(key, &LedgerRow { tries, ..row })?,
                }
            }
            Ok(())
        };
        self.store.write(self.account, Durability::Sync, work).await
    }

    fn target(&self, ledger: &LedgerFolder, how: &How) -> Target {
        Target {
            tenant: self.tenant,
            account: self.account,
            mailbox: ledger.mailbox,
            key: ledger.key,
            keeps_uids: ledger.keeps_uids,
            labels: self.profile.labels,
            pass: self.number,
            quota: self.allowance.quota(),
            // Where ids do not last, what is here already can come under another one.
            may_have_moved: self.number > 1 || ledger.uidvalidity == 0,
            again: false,
            adoptable: how.adoptable.clone(),
            overlap: self.overlap,
        }
    }

    /// Waits until no more than `most` batches are not stored yet; for all of them when one was not stored.
    async fn finish_storing(&self, under_way: &mut UnderWay, most: usize) -> Result<(), Trouble> {
        let mut first = Ok(());
        while under_way.storing.len() > most || first.is_err() {
            let Some(before) = under_way.storing.pop_front() else { break };
            match before.await.map_err(anser_base::Error::unavailable).flatten() {
                Ok(mut done) => {
                    let left = std::mem::take(&mut done.left).into_iter();
                    under_way.missing.extend(left.map(|seen| (seen, "its bytes are here no longer".to_owned())));
                    self.count(done, &mut under_way.outcome);
                }
                // What comes behind it says no more than that.
                Err(error) => first = first.and(Err(error.into())),
            }
        }
        first
    }

    fn count(&self, done: Done, outcome: &mut Outcome) {
        (outcome.copied, outcome.bytes) = (outcome.copied + done.messages, outcome.bytes + done.bytes);
        self.allowance.stored(done.came, done.used);
        self.watch.done(done.messages, done.bytes);
    }
}

/// How messages are brought.
#[derive(Default)]
pub(super) struct How {
    /// One after the other.
    pub order: Order,
    /// What is in the mailbox and came by no move.
    pub adoptable: Option<Arc<Adoptable>>,
}

/// In which order messages come; within a batch they ascend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// That of the folder.
    #[default]
    Ascending,
    /// The newest before the older ones, but those last that came after the UIDs up to here were reserved.
    NewestFirst {
        /// UIDNEXT when they were.
        below: u32,
    },
}

impl Order {
    /// Messages in batches of `most` at most: those that may come in any order, unless this is [`Self::Ascending`], and those that come last
    /// and in their order. The newest come in a small one, so that they are seen soon.
    fn batches(self, seen: &[Seen], most: usize) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
        let Self::NewestFirst { below } = self else { return (batches(seen, most), Vec::new()) };
        let (reserved, late) = seen.split_at(seen.partition_point(|one| (1..below).contains(&one.uid)));
        let (older, newest) = reserved.split_at(reserved.len().saturating_sub(NEWEST));
        let mut all = batches(newest, most);
        all.extend(batches(older, most).into_iter().rev());
        (all, batches(late, most))
    }
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
            Some(taken) => all.push(Arrived { seen, taken, ends: batch.ends.remove(&at) }),
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
        Seen {
            at,
            key: Vec::new(),
            uid: at,
            uidl: None,
            identity: None,
            flags,
            keywords,
            received,
            written: None,
            size,
        }
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

    #[test]
    fn the_newest_come_first_and_what_came_late_last() {
        let all: Vec<Seen> = (1..=400).map(|uid| seen(uid, 10)).collect();
        let (free, late) = Order::NewestFirst { below: 391 }.batches(&all, BATCH);
        let ends: Vec<(u32, u32)> = free.iter().map(|batch| (batch[0], batch[batch.len() - 1])).collect();
        assert_eq!(ends, [(341, 390), (257, 340), (1, 256)]);
        assert_eq!(late, [(391..=400).collect::<Vec<u32>>()]);
        assert_eq!(Order::Ascending.batches(&all, BATCH).0.len(), 2);
    }
}
