//! SEARCH and UID SEARCH (RFC 9051 §6.4.4), with ESEARCH (RFC 4731) and SEARCHRES (RFC 5182).

use std::collections::VecDeque;
use std::sync::Arc;

use anser_base::{AccountId, Error, TenantId, Timestamp};
use anser_store::{Entry, Message, Snapshot, Store};
use anser_wire::imap::write::{write_number, write_string};
use anser_wire::imap::{NumberSet, ReturnOptions, Search};
use tokio::task::JoinHandle;

use crate::reply::{Outcome, Reply, Trouble};
use crate::search::{Compiler, Deep, Facts, Key};
use crate::session::Session;

/// Messages judged by the list between two rests.
const LIGHT_STEP: usize = 16 * 1024;
/// Messages of one batch that is judged by rows and texts, at most.
const BATCH: usize = 128;
/// Bytes of the messages of one batch, unless it is one message.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// Batches under way at once.
const AHEAD: usize = 2;

pub(super) async fn run(session: &mut Session, tag: &str, search: Search) -> Outcome {
    let save = search.return_options.is_some_and(|options| options.save);
    let outcome = find(session, tag, search).await;
    if save && !matches!(outcome, Ok(Reply { status: anser_wire::imap::write::Status::Ok, .. })) {
        session.saved = NumberSet::default();
    }
    outcome
}

async fn find(session: &mut Session, tag: &str, search: Search) -> Outcome {
    let view = session.view()?;
    let charset = if session.enabled.utf8 { Some("utf-8") } else { search.charset.as_deref() };
    let (count, last_uid) = (view.list.len() as u32, view.list.last_uid().unwrap_or(0));
    let compiler = Compiler { charset, count, last_uid, saved: &session.saved };
    compiler.check()?;
    let key = Arc::new(compiler.compile(&search.key));
    let asks_modseq = key.asks_modseq();
    session.enabled.condstore |= asks_modseq;
    let found = matching(session, &key).await?;
    let list = session.view()?.list.clone();
    let highest = found.iter().filter_map(|seq| list.by_seq(*seq)).map(|entry| entry.modseq).max();
    let modseq = highest.filter(|_| asks_modseq);
    let options = search.return_options.or(session.enabled.rev2.then(all_of_them));
    match options {
        None => write_search(session, &list, &found, search.uid, modseq).await?,
        Some(options) => {
            if options.save {
                session.saved = saved(&list, &found, options);
            }
            // SAVE alone asks for no answer (RFC 5182 §2.1).
            if options.min || options.max || options.all || options.count {
                write_esearch(session, tag, &list, &found, search.uid, modseq, options);
            }
        }
    }
    Ok(Reply::ok("Done"))
}

fn all_of_them() -> ReturnOptions {
    ReturnOptions { all: true, ..ReturnOptions::default() }
}

/// Message numbers of the matches, ascending.
async fn matching(session: &Session, key: &Arc<Key>) -> Result<Vec<u32>, Trouble> {
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
        account: session.account_id()?,
        tenant: session.account()?.tenant,
        recent_from,
        now,
    };
    found.extend(judge_all(Arc::new(judge), open).await?);
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

async fn judge_all(judge: Arc<Judge>, open: Vec<u32>) -> Result<Vec<u32>, Trouble> {
    let (mut found, mut rest) = (Vec::new(), open.as_slice());
    let mut running: VecDeque<Judging> = VecDeque::new();
    loop {
        while running.len() < AHEAD && !rest.is_empty() {
            let batch = judge.batch(&mut rest);
            running.push_back(Judging(tokio::spawn(judge_batch(judge.clone(), batch))));
        }
        let Some(mut next) = running.pop_front() else { return Ok(found) };
        found.extend((&mut next.0).await.map_err(Error::unavailable)??);
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
    super::append::blocking(move || {
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

async fn write_search(
    session: &mut Session,
    list: &Snapshot,
    found: &[u32],
    uid: bool,
    modseq: Option<u64>,
) -> Result<(), Trouble> {
    session.out.extend_from_slice(b"* SEARCH");
    for number in numbers(list, found, uid) {
        session.out.push(b' ');
        write_number(&mut session.out, u64::from(number));
        session.relieve().await?;
    }
    if let Some(modseq) = modseq {
        session.out.extend_from_slice(format!(" (MODSEQ {modseq})").as_bytes());
    }
    session.out.extend_from_slice(b"\r\n");
    Ok(())
}

fn write_esearch(
    session: &mut Session,
    tag: &str,
    list: &Snapshot,
    found: &[u32],
    uid: bool,
    modseq: Option<u64>,
    options: ReturnOptions,
) {
    let out = &mut session.out;
    let set: NumberSet = numbers(list, found, uid).collect();
    out.extend_from_slice(b"* ESEARCH (TAG ");
    write_string(out, tag.as_bytes(), false);
    out.extend_from_slice(if uid { b") UID" } else { b")" });
    let (first, last) = (set.ranges().first(), set.ranges().last());
    for (wanted, word, number) in [(options.min, "MIN", first.map(|r| r.0)), (options.max, "MAX", last.map(|r| r.1))] {
        if let Some(number) = number.filter(|_| wanted) {
            out.extend_from_slice(format!(" {word} {number}").as_bytes());
        }
    }
    if options.all && !set.is_empty() {
        out.extend_from_slice(format!(" ALL {set}").as_bytes());
    }
    if options.count {
        out.extend_from_slice(format!(" COUNT {}", set.len()).as_bytes());
    }
    if let Some(modseq) = modseq {
        out.extend_from_slice(format!(" MODSEQ {modseq}").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn numbers<'a>(list: &'a Snapshot, found: &'a [u32], uid: bool) -> impl Iterator<Item = u32> + 'a {
    found.iter().filter_map(move |seq| if uid { list.by_seq(*seq).map(|entry| entry.uid) } else { Some(*seq) })
}

/// What `$` stands for afterwards (RFC 5182 §2.1): everything, or only what MIN and MAX told.
fn saved(list: &Snapshot, found: &[u32], options: ReturnOptions) -> NumberSet {
    let uids: Vec<u32> = numbers(list, found, true).collect();
    if options.all || options.count || !(options.min || options.max) {
        return uids.into_iter().collect();
    }
    let ends = [uids.first().filter(|_| options.min), uids.last().filter(|_| options.max)];
    ends.into_iter().flatten().copied().collect()
}
