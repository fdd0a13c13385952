//! Finding the messages of a mailbox that match a key: by the list at once, by texts in one question to the store, by rows in batches
//! beside the session.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Error, MessageId, Timestamp};
use anser_store::{Entry, Message, Searching, Snapshot, Store};
use anser_text::Query;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::row;
use super::{Facts, Key};
use crate::progress::Progress;
use crate::reply::{Reply, Trouble};
use crate::session::Session;

/// Messages judged by the list between two rests.
const LIGHT_STEP: usize = 16 * 1024;
/// Messages of one batch that is judged by rows.
const BATCH: usize = 512;
/// Batches under way at once.
const AHEAD: usize = 2;

/// What a search of a mailbox found.
pub(crate) struct Matching {
    /// Message numbers, ascending.
    pub numbers: Vec<u32>,
    /// Messages that may match, for a part of their texts could not be looked through.
    pub partly: u64,
}

/// The messages that match.
pub(crate) async fn matching(session: &mut Session, tag: &str, key: &Arc<Key>) -> Result<Matching, Trouble> {
    let view = session.view()?;
    let mut judge = Judge {
        key: key.clone(),
        list: view.list.clone(),
        store: session.deps.store.clone(),
        account: view.owner.id,
        recent_from: if session.enabled.rev2 { u32::MAX } else { view.recent_from },
        now: session.deps.clock.now(),
        texts: Vec::new(),
    };
    let (mut numbers, mut open, mut partly) = (Vec::new(), Vec::new(), 0);
    let all: Vec<u32> = (1..=judge.list.len() as u32).collect();
    judge.light(&all, &mut numbers, &mut open).await;
    let mut queries = Vec::new();
    key.queries(&mut queries);
    if !open.is_empty() && !queries.is_empty() {
        partly = judge.ask(session, tag, queries, &open).await?;
        let rest = std::mem::take(&mut open);
        judge.light(&rest, &mut numbers, &mut open).await;
    }
    if !open.is_empty() {
        numbers.extend(judge_all(session, tag, Arc::new(judge), open).await?);
    }
    numbers.sort_unstable();
    Ok(Matching { numbers, partly })
}

/// What judges messages apart from the session.
struct Judge {
    key: Arc<Key>,
    list: Arc<Snapshot>,
    store: Store,
    account: AccountId,
    recent_from: u32,
    now: Timestamp,
    texts: Vec<(Query, Vec<MessageId>)>,
}

/// A batch under way; given up when the session is.
struct Judging(JoinHandle<anser_base::Result<Vec<u32>>>);

impl Drop for Judging {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn judge_all(session: &mut Session, tag: &str, judge: Arc<Judge>, open: Vec<u32>) -> Result<Vec<u32>, Trouble> {
    let mut progress = Progress::new(session, tag, open.len());
    let (mut found, mut rest) = (Vec::new(), open.as_slice());
    let mut running: VecDeque<Judging> = VecDeque::new();
    loop {
        while running.len() < AHEAD && !rest.is_empty() {
            let batch = judge.batch(&mut rest);
            running.push_back(Judging(tokio::spawn(judge_batch(judge.clone(), batch))));
        }
        let Some(mut next) = running.pop_front() else { return Ok(found) };
        found.extend((&mut next.0).await.map_err(Error::unavailable)??);
        progress.at(session, open.len() - rest.len()).await?;
    }
}

impl Judge {
    /// Judges messages by the list and by what is known of texts.
    async fn light(&self, numbers: &[u32], found: &mut Vec<u32>, open: &mut Vec<u32>) {
        for numbers in numbers.chunks(LIGHT_STEP) {
            for seq in numbers {
                let Some(entry) = self.list.by_seq(*seq) else { continue };
                match self.key.light(&self.facts(*seq, entry)) {
                    Some(true) => found.push(*seq),
                    Some(false) => {}
                    None => open.push(*seq),
                }
            }
            tokio::task::yield_now().await;
        }
    }

    fn facts<'a>(&'a self, seq: u32, entry: &'a Entry) -> Facts<'a> {
        Facts { seq, entry, recent: entry.uid >= self.recent_from, now: self.now, texts: &self.texts }
    }

    /// Asks the store which of the open messages have the texts; how many it could look through only partly.
    async fn ask(
        &mut self,
        session: &mut Session,
        tag: &str,
        queries: Vec<Query>,
        open: &[u32],
    ) -> Result<u64, Trouble> {
        let mut among: Vec<MessageId> =
            open.iter().filter_map(|seq| self.list.by_seq(*seq)).map(|entry| entry.message).collect();
        among.sort_unstable();
        among.dedup();
        let tenant = session.view()?.owner.tenant;
        let mut progress = Progress::new(session, tag, open.len());
        let every = session.deps.limits.progress_time.max(Duration::from_millis(10));
        let end = Instant::now() + session.deps.limits.search_time;
        let (store, searching) = (self.store.clone(), Searching::default());
        let mut search = pin!(store.search(self.account, tenant, queries.clone(), among, &searching));
        let found = loop {
            match tokio::time::timeout_at(end.min(Instant::now() + every), &mut search).await {
                Ok(found) => break found?,
                Err(_) if Instant::now() >= end => return Err(too_long().into()),
                Err(_) if searching.done() > 0 => progress.at(session, searching.done()).await?,
                Err(_) => {}
            }
        };
        self.texts = queries.into_iter().zip(found.messages).collect();
        Ok(found.partly)
    }

    fn batch(&self, rest: &mut &[u32]) -> Vec<(u32, Entry)> {
        let (batch, left) = rest.split_at(rest.len().min(BATCH));
        *rest = left;
        batch.iter().filter_map(|seq| Some((*seq, self.list.by_seq(*seq)?.clone()))).collect()
    }
}

/// For a search that waits for the index (RFC 5530 §3). What was indexed for it stays, so that the next one is nearer to its end.
fn too_long() -> Reply {
    Reply::no("INUSE", "The texts of these messages are still being indexed, try again later")
}

async fn judge_batch(judge: Arc<Judge>, batch: Vec<(u32, Entry)>) -> anser_base::Result<Vec<u32>> {
    let ids: Vec<_> = batch.iter().map(|(_, entry)| entry.message).collect();
    let read = judge.store.read(judge.account, move |tx| {
        ids.iter().map(|id| tx.message(*id)).collect::<anser_base::Result<Vec<Option<Message>>>>()
    });
    let messages = read.await?;
    let mut found = Vec::new();
    for ((seq, entry), message) in batch.iter().zip(&messages) {
        // A message that is gone matches nothing.
        let Some(message) = message else { continue };
        if row::judge(&judge.key, &judge.facts(*seq, entry), message) {
            found.push(*seq);
        }
    }
    Ok(found)
}
