//! FETCH and UID FETCH (RFC 9051 §6.4.5), with CHANGEDSINCE and VANISHED (RFC 7162) and PARTIAL (RFC 9394).

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use anser_base::{AccountId, Durability, Error, TenantId};
use anser_store::{Entry, FlagAct, Flags, Keywords, MailTx, MessageRows, Rights, Snapshot, Store};
use anser_wire::imap::{Fetch, FetchItem, NumberSet, PartialRange};
use tokio::task::JoinHandle;

use super::select::{intersection, write_ranges};
use crate::fetch::{Piece, Plan, Pump, Rendered, render, render_rows, rows};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;
use crate::view::Telling;

/// Messages of one batch at most.
const BATCH: usize = 128;
/// Messages of one batch whose bodies are not looked at.
const ROWS: usize = 256;
/// Bytes of the messages of one batch, unless it is one message.
const BATCH_BYTES: u64 = 512 * 1024;
/// Bytes of the messages of one batch whose bodies are not looked at, [`ROW`] of each counting at most.
const ROWS_BYTES: u64 = 2 * 1024 * 1024;
/// Bytes of a message that its row may come of: its headers, up to their limit, and the structure.
const ROW: u64 = 320 * 1024;
/// Items of the message itself among which a batch is not yet shared out.
const FEW_SECTIONS: usize = 4;
/// Items of one FETCH that are of the message itself, at most.
const SECTIONS: usize = 50;
/// Batches that are rendered while one is written.
const AHEAD: usize = 3;
/// Batches written between two rests that let other sessions of the same thread go on.
const YIELD_EVERY: usize = 64;

pub(crate) async fn run(session: &mut Session, fetch: Fetch) -> Outcome {
    let asks_modseq = fetch.changed_since.is_some() || fetch.items.contains(&FetchItem::ModSeq);
    if asks_modseq {
        session.enable_condstore();
    }
    let numbers = session.view()?.numbers(&fetch.set, fetch.uid, &session.saved)?;
    let numbers = match fetch.partial {
        Some(range) => page(&numbers, range),
        None => numbers,
    };
    if let Some(since) = fetch.changed_since.filter(|_| fetch.vanished) {
        if !(fetch.uid && session.enabled.qresync) {
            return Ok(Reply::bad("VANISHED wants UID FETCH and QRESYNC"));
        }
        tell_vanished(session, &fetch, since).await?;
    }
    let mut plan = plan(session, &fetch)?;
    if plan.sections() > SECTIONS {
        return Ok(Reply::no("LIMIT", "Too many items in one FETCH"));
    }
    let view = session.view()?;
    if plan.sets_seen() && !view.read_only && view.rights.has(Rights::SEEN) {
        mark_seen(session, &numbers, &mut plan).await?;
    }
    let list = session.view()?.list.clone();
    let targets = Targets { list, numbers, since: fetch.changed_since.unwrap_or(0), next: 1 };
    match plan.is_light() {
        true => write_light(session, &plan, targets).await,
        false => write_batches(session, plan, targets, fetch.uid).await,
    }
}

/// The page of the messages that are there, before CHANGEDSINCE leaves out some of it (RFC 9394 §3.4).
fn page(numbers: &NumberSet, range: PartialRange) -> NumberSet {
    let each = || numbers.ranges().iter().flat_map(|(first, last)| *first..=*last);
    let places = range.places(numbers.ranges().iter().map(|(first, last)| (last - first + 1) as usize).sum());
    each().skip(places.start).take(places.len()).collect()
}

fn plan(session: &Session, fetch: &Fetch) -> Result<Plan, Trouble> {
    let (view, enabled) = (session.view()?, session.enabled);
    // An item that is named again is told once: the size of an answer is bounded by the message and not by the command.
    let mut items: Vec<FetchItem> = Vec::new();
    for item in &fetch.items {
        if !items.contains(item) {
            items.push(item.clone());
        }
    }
    if fetch.uid && !enabled.uid_only && !items.contains(&FetchItem::Uid) {
        items.insert(0, FetchItem::Uid);
    }
    if fetch.changed_since.is_some() && !items.contains(&FetchItem::ModSeq) {
        items.push(FetchItem::ModSeq);
    }
    let recent_from = if enabled.rev2 { u32::MAX } else { view.recent_from };
    Ok(Plan {
        items,
        scope: view.scope,
        tell_flags: HashSet::new(),
        recent_from,
        utf8: enabled.utf8,
        condstore: enabled.condstore,
        uid_only: enabled.uid_only,
    })
}

/// Sets `\Seen` where it is missing, in one transaction. The responses of this command tell it.
async fn mark_seen(session: &mut Session, numbers: &NumberSet, plan: &mut Plan) -> Result<(), Trouble> {
    let view = session.view()?;
    // As it is now: another session may have taken the flag away since this one was told.
    let (owner, mailbox) = (view.owner.id, view.mailbox);
    let newest = session.deps.store.snapshot(owner, mailbox).await?;
    let unseen = |uid: &u32| newest.by_uid(*uid).is_some_and(|entry| !entry.flags.has(Flags::SEEN));
    let uids: Vec<u32> = view.entries(numbers).map(|(_, entry)| entry.uid).filter(unseen).collect();
    if uids.is_empty() {
        return Ok(());
    }
    plan.tell_flags = uids.iter().copied().collect();
    let work = move |tx: &mut MailTx<'_, '_>| {
        tx.store_flags(mailbox, &uids, FlagAct::Add, Flags::SEEN, &Keywords::default(), None).map(|_| ())
    };
    session.deps.store.write(owner, Durability::Sync, work).await?;
    // Expunges are held back, so that the numbers stay what the client meant.
    session.sync(&Telling { elsewhere: Some(&plan.tell_flags), ..Telling::default() }).await
}

async fn tell_vanished(session: &mut Session, fetch: &Fetch, since: u64) -> Result<(), Trouble> {
    let view = session.view()?;
    let (mailbox, highest) = (view.mailbox, view.list.uidnext.saturating_sub(1));
    let wanted = fetch.set.resolve(highest, &session.saved);
    let read = session.deps.store.read(view.owner.id, move |tx| tx.vanished_since(mailbox, since));
    let gone = intersection(&read.await?, wanted.ranges());
    if !gone.is_empty() {
        session.out.extend_from_slice(b"* VANISHED (EARLIER) ");
        write_ranges(&mut session.out, gone);
        session.out.extend_from_slice(b"\r\n");
    }
    Ok(())
}

/// The messages of the command, taken in order.
struct Targets {
    list: Arc<Snapshot>,
    numbers: NumberSet,
    /// Only messages that changed after this modification sequence.
    since: u64,
    /// The next message number to look at.
    next: u32,
}

/// How much one batch may be.
#[derive(Clone, Copy)]
struct Bounds {
    most: usize,
    bytes: u64,
    /// Bytes of one message that count.
    of_each: u64,
}

impl Bounds {
    /// So that all that is rendered ahead stays within some megabytes, whatever the messages are.
    fn of(plan: &Plan) -> Self {
        let share = (plan.sections() / FEW_SECTIONS).max(1);
        if plan.is_of_rows() {
            return Self { most: ROWS / share, bytes: ROWS_BYTES / share as u64, of_each: ROW };
        }
        Self { most: BATCH, bytes: BATCH_BYTES / share as u64, of_each: u64::MAX }
    }

    /// How many batches are rendered ahead: one where a single message may give many header blocks.
    fn ahead(&self) -> usize {
        if self.bytes < BATCH_BYTES { 1 } else { AHEAD }
    }
}

impl Targets {
    /// The next messages within the bounds, one at least; none at the end.
    fn batch(&mut self, bounds: Bounds) -> Vec<(u32, Entry)> {
        let (mut batch, mut size) = (Vec::new(), 0);
        let next = self.next;
        let start = self.numbers.ranges().partition_point(|(_, last)| *last < next);
        let rest = self.numbers.ranges()[start..].iter();
        for (seq, entry) in rest.flat_map(|(first, last)| self.list.range((*first).max(next), *last)) {
            let weight = entry.size.min(bounds.of_each);
            if batch.len() >= bounds.most || (size > 0 && size + weight > bounds.bytes) {
                break;
            }
            self.next = seq + 1;
            if entry.modseq > self.since {
                size += weight;
                batch.push((seq, entry.clone()));
            }
        }
        batch
    }
}

async fn write_light(session: &mut Session, plan: &Plan, mut targets: Targets) -> Outcome {
    loop {
        let batch = targets.batch(Bounds { most: BATCH, bytes: u64::MAX, of_each: u64::MAX });
        if batch.is_empty() {
            return Ok(Reply::ok("Done"));
        }
        for (seq, entry) in &batch {
            plan.write_light(&mut session.out, *seq, entry);
        }
        session.relieve().await?;
    }
}

/// What renders batches, apart from the session.
struct Renderer {
    plan: Plan,
    store: Store,
    account: AccountId,
    tenant: TenantId,
}

async fn write_batches(session: &mut Session, plan: Plan, mut targets: Targets, uid: bool) -> Outcome {
    let owner = &session.view()?.owner;
    let (account, tenant) = (owner.id, owner.tenant);
    let bounds = Bounds::of(&plan);
    let renderer = Arc::new(Renderer { plan, store: session.deps.store.clone(), account, tenant });
    let mut running: VecDeque<Rendering> = VecDeque::new();
    let mut end = Ending::default();
    for turn in 1.. {
        while running.len() < bounds.ahead() {
            let batch = targets.batch(bounds);
            if batch.is_empty() {
                break;
            }
            running.push_back(Rendering(tokio::spawn(render_batch(renderer.clone(), batch))));
        }
        let Some(mut next) = running.pop_front() else { break };
        let rendered = (&mut next.0).await.map_err(Error::unavailable)??;
        write(session, rendered, &mut end).await?;
        if turn % YIELD_EVERY == 0 {
            tokio::task::yield_now().await;
        }
    }
    end.reply(uid)
}

/// A batch that is being rendered; given up when the session is.
struct Rendering(JoinHandle<anser_base::Result<Rendered>>);

impl Drop for Rendering {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn render_batch(renderer: Arc<Renderer>, batch: Vec<(u32, Entry)>) -> anser_base::Result<Rendered> {
    let mut found = MessageRows::default();
    if renderer.plan.is_of_rows() {
        let (reader, wanted) = (renderer.clone(), batch.clone());
        found = renderer.store.read(renderer.account, move |tx| rows(&reader.plan, tx, &wanted)).await?;
        if let Some(rendered) = render_rows(&renderer.plan, &batch, &found) {
            return Ok(rendered);
        }
    }
    let ids: Vec<_> = batch.iter().map(|(_, entry)| entry.message).collect();
    let messages = renderer.store.read(renderer.account, move |tx| tx.messages_of(&ids)).await?;
    let batch = batch.into_iter().zip(messages).map(|((seq, entry), message)| (seq, entry, message)).collect();
    let (worker, account) = (renderer.clone(), renderer.account);
    let work = move || Ok(render(&worker.plan, &worker.store, worker.tenant, batch, &found));
    let mut rendered: Rendered = super::gather::blocking(work).await?;
    let learned = std::mem::take(&mut rendered.learned);
    if !learned.is_empty() {
        // Nothing depends on it: whoever asks next reads the bodies again.
        let noted = renderer.store.write(account, Durability::Deferred, move |tx| tx.keep_fields(&learned)).await;
        if let Err(error) = noted {
            tracing::debug!(error = error.chain(), "header fields are not kept");
        }
    }
    Ok(rendered)
}

async fn write(session: &mut Session, rendered: Rendered, end: &mut Ending) -> Result<(), Trouble> {
    for piece in rendered.pieces {
        match piece {
            Piece::Bytes(bytes) => session.put(bytes).await?,
            Piece::Large(pump) => stream(session, pump).await?,
        }
    }
    end.gone |= rendered.gone;
    end.unknown_cte |= rendered.unknown_cte;
    if let Some(error) = rendered.failed {
        tracing::warn!(error = error.chain(), "a message cannot be read");
        end.failed.get_or_insert(error);
    }
    Ok(())
}

/// Sends a large section piece by piece; the next piece is read while one is sent. The announced size is promised to the client,
/// so that a failure here can only end the connection.
async fn stream(session: &mut Session, pump: Box<Pump>) -> Result<(), Trouble> {
    session.hand_over().await?;
    let mut reading = next_piece(pump);
    loop {
        let (pump, piece) =
            reading.await.map_err(|error| Trouble::Gone(Error::unavailable(error)))?.map_err(Trouble::Gone)?;
        let Some(piece) = piece else { return Ok(()) };
        reading = next_piece(pump);
        session.stream.write_all(&piece).await.map_err(Trouble::Gone)?;
    }
}

fn next_piece(mut pump: Box<Pump>) -> JoinHandle<anser_base::Result<(Box<Pump>, Option<Vec<u8>>)>> {
    tokio::task::spawn_blocking(move || {
        let piece = pump.next()?;
        Ok((pump, piece))
    })
}

/// What kept messages out of the answer.
#[derive(Default)]
struct Ending {
    gone: bool,
    unknown_cte: bool,
    failed: Option<Error>,
}

impl Ending {
    /// A UID that is no longer there is ignored without an error (RFC 9051 §6.4.9); a message number that the client still counts
    /// is not (RFC 2180 §4.1.2).
    fn reply(self, uid: bool) -> Outcome {
        match self {
            Self { failed: Some(error), .. } => Ok(Reply::of(&error)),
            Self { unknown_cte: true, .. } => Ok(Reply::no("UNKNOWN-CTE", "A part is in an unknown encoding")),
            Self { gone: true, .. } if uid => Ok(Reply::ok_with("EXPUNGEISSUED", "Some of the messages were expunged")),
            Self { gone: true, .. } => Ok(Reply::no("EXPUNGEISSUED", "Some of the messages were expunged")),
            _ => Ok(Reply::ok("Done")),
        }
    }
}
