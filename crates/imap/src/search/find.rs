//! Finding the messages of a mailbox that match a key: by the list at once, by rows and texts in batches beside the session.

use std::collections::VecDeque;
use std::sync::Arc;

use anser_base::{AccountId, Error, TenantId, Timestamp};
use anser_store::{Entry, Message, Snapshot, Store};
use tokio::task::JoinHandle;

use super::{Deep, Facts, Key};
use crate::progress::Progress;
use crate::reply::Trouble;
use crate::session::Session;

/// Messages judged by the list between two rests.
const LIGHT_STEP: usize = 16 * 1024;
/// Messages of one batch that is judged by rows and texts, at most.
const BATCH: usize = 128;
/// Bytes of the messages of one batch, unless it is one message.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// Batches under way at once.
const AHEAD: usize = 2;

/// Message numbers of the matches, ascending.
pub(crate) async fn matching(session: &mut Session, tag: &str, key: &Arc<Key>) -> Result<Vec<u32>, Trouble> {
    let view = session.view()?;
    let (list, now) = (view.list.clone(), session.deps.clock.now());
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for (at, entry) in list.iter().enumerate() {
        let seq = at as u32 + 1;
        let facts = Facts { seq, entry, recent: view.is_recent(entry, session.enabled), now };
        match key.light(&facts) {
            Some(true) => found.push(seq),
            Some(false) => {}
            None => open.push(seq),
        }
        if at % LIGHT_STEP == LIGHT_STEP - 1 {
            tokio::task::yield_now().await;
        }
    }
    if open.is_empty() {
        return Ok(found);
    }
    let recent_from = if session.enabled.rev2 { u32::MAX } else { view.recent_from };
    let judge = Judge {
        key: key.clone(),
        list,
        store: session.deps.store.clone(),
        account: view.owner.id,
        tenant: view.owner.tenant,
        recent_from,
        now,
    };
    found.extend(judge_all(session, tag, Arc::new(judge), open).await?);
    found.sort_unstable();
    Ok(found)
}

/// What judges messages apart from the session.
struct Judge {
    key: Arc<Key>,
    list: Arc<Snapshot>,
    store: Store,
    account: AccountId,
    tenant: TenantId,
    recent_from: u32,
    now: Timestamp,
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
    fn batch(&self, rest: &mut &[u32]) -> Vec<(u32, Entry)> {
        let (mut batch, mut size) = (Vec::new(), 0);
        while let Some((seq, left)) = rest.split_first() {
            if let Some(entry) = self.list.by_seq(*seq) {
                if batch.len() >= BATCH || (size > 0 && size + entry.size > BATCH_BYTES) {
                    break;
                }
                size += entry.size;
                batch.push((*seq, entry.clone()));
            }
            *rest = left;
        }
        batch
    }
}

async fn judge_batch(judge: Arc<Judge>, batch: Vec<(u32, Entry)>) -> anser_base::Result<Vec<u32>> {
    let ids: Vec<_> = batch.iter().map(|(_, entry)| entry.message).collect();
    let read = judge.store.read(judge.account, move |tx| {
        ids.iter().map(|id| tx.message(*id)).collect::<anser_base::Result<Vec<Option<Message>>>>()
    });
    let messages = read.await?;
    crate::command::append::blocking(move || {
        let mut found = Vec::new();
        for ((seq, entry), message) in batch.iter().zip(&messages) {
            // A message that is gone matches nothing.
            let Some(message) = message else { continue };
            let facts = Facts { seq: *seq, entry, recent: entry.uid >= judge.recent_from, now: judge.now };
            if Deep::new(&judge.store, judge.tenant, message).judge(&judge.key, &facts)? {
                found.push(*seq);
            }
        }
        Ok(found)
    })
    .await
}
