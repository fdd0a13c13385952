//! The one way in which a message of an old server comes to be here: bodies first, then one transaction with the messages and the rows
//! of the ledger that tell of them. Nothing is triggered by it: no queue, no report, no rule.

use std::sync::Arc;

use anser_base::{AccountId, BlobId, Durability, Error, MailboxId, Result, TenantId, Timestamp};
use anser_mime::date::{self, DateTime};
use anser_mime::header;
use anser_store::{Content, FlagAct, Flags, Keywords, LedgerKey, LedgerRow, LedgerState, MailTx, NewMessage, Store};
use tokio::sync::oneshot;

use crate::adopt::{Adoptable, Here, identity};
use crate::files::Ends;
use crate::merge::{Marks, came_as, is_same_date, merge, merged, where_is};
use crate::overlap;
use crate::source::{Known, Seen, Taken};

/// Before 1971 no mail was kept: such a date is a clock that was never set.
const EARLIEST: i64 = 365 * 24 * 3600;
/// How far ahead of this machine's clock a date is believed, in seconds.
const AHEAD: i64 = 2 * 24 * 3600;
/// Bytes of a message that are looked at for its dates.
const HEADER: usize = 256 * 1024;
/// What a row says of a message that came to both servers.
pub(crate) const DELIVERED: &str = "delivered";
/// Rows of the same bytes that are looked through for one that moved.
const TWINS: usize = 64;

/// Where messages go.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whose bodies.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The folder in the ledger.
    pub key: LedgerKey,
    /// Whether UIDs are kept.
    pub keeps_uids: bool,
    /// The pass.
    pub pass: u32,
    /// Bytes that the account may hold; `None` for no limit.
    pub quota: Option<u64>,
    /// Whether the same bytes in another folder are the same message, with one label more.
    pub labels: bool,
    /// Whether a message may be one that left another folder.
    pub may_have_moved: bool,
    /// Whether what its owner removed here comes again: somebody asked for these very messages.
    pub again: bool,
    /// What is in the mailbox and came by no move.
    pub adoptable: Option<Arc<Adoptable>>,
    /// Since when mail may have come to the old server and here.
    pub overlap: Option<Timestamp>,
}

/// A message that arrived.
#[derive(Debug)]
pub struct Arrived {
    /// What the list told of it.
    pub seen: Seen,
    /// Its body.
    pub taken: Taken,
    /// How its lines ended, where they got CRLF.
    pub ends: Option<Ends>,
}

/// What a batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
    /// Bytes of all that had arrived, those included that were here.
    pub came: u64,
    /// Bytes that the account holds now.
    pub used: u64,
    /// Messages that were not asked for, since their bytes were here, and are not any more.
    pub left: Vec<Seen>,
}

struct Ready {
    /// With the bytes.
    row: LedgerRow,
    uid: u32,
    body: Body,
    received: Timestamp,
    zone: i16,
    uidl: Option<String>,
    line_ends: Option<Vec<u8>>,
    /// The same message, which is here already.
    twin: Option<Here>,
}

enum Body {
    /// It was put where bodies are.
    Came(Content),
    /// It was there.
    Here(Box<(Seen, Known)>),
}

/// Stores a batch, durably, all or nothing. What the ledger knows already is left out.
pub async fn commit(store: Store, target: Target, batch: Vec<Arrived>) -> Result<Done> {
    let ready = put(store.clone(), target.clone(), batch).await?;
    store_all(store, target, ready).await
}

/// The same for one batch of several that come one behind the other: their bodies are put side by side, their rows are written in
/// order, and none once one before it was not. `done` is told when the next may be written.
pub async fn commit_in_turn(
    store: Store,
    target: Target,
    batch: Vec<Arrived>,
    before: Option<oneshot::Receiver<()>>,
    done: oneshot::Sender<()>,
) -> Result<Done> {
    let ready = put(store.clone(), target.clone(), batch).await?;
    if let Some(before) = before {
        before.await.map_err(|_| Error::unavailable("a batch before this one was not stored"))?;
    }
    let stored = store_all(store, target, ready).await?;
    // Where nobody comes behind, nobody listens.
    let _ = done.send(());
    Ok(stored)
}

/// Puts the bodies of a batch where bodies are, durably.
async fn put(store: Store, target: Target, batch: Vec<Arrived>) -> Result<Vec<Ready>> {
    let now = store.clock().now();
    let (at, to) = (store.clone(), target.clone());
    let put = move || -> Result<Vec<Ready>> {
        let ready: Result<Vec<Ready>> = batch.into_iter().map(|one| prepare(&at, &to, now, one)).collect();
        at.blobs().sync_all()?;
        ready
    };
    let mut ready = tokio::task::spawn_blocking(put).await.map_err(Error::unavailable)??;
    if let Some(since) = target.overlap {
        for one in ready.iter_mut().filter(|one| one.twin.is_none()) {
            if let Body::Came(content) = &one.body {
                one.twin = overlap::delivered(&store, &target, since, content, one.received).await?;
            }
        }
    }
    Ok(ready)
}

/// Messages and their rows of the ledger, in one transaction.
async fn store_all(store: Store, target: Target, ready: Vec<Ready>) -> Result<Done> {
    let account = target.account;
    let work = move |tx: &mut MailTx<'_, '_>| {
        if !tx.has_ledger_folder(target.key)? {
            // Somebody forgot the account, or this source of it, since the pass began.
            return Err(Error::not_found("the folder was forgotten meanwhile", "该文件夹的迁移记录已被删除"));
        }
        let mut done = Done::default();
        for one in &ready {
            if let Body::Came(content) = &one.body {
                done.came += content.size;
            }
            match (store_one(tx, &target, one)?, &one.body) {
                (Some(true), _) => {
                    (done.messages, done.bytes) = (done.messages + 1, done.bytes + one.row.size);
                }
                (None, Body::Here(here)) => done.left.push(here.0.clone()),
                _ => {}
            }
        }
        Ok(Done { used: tx.used(), ..done })
    };
    store.write(account, Durability::Sync, work).await
}

fn prepare(store: &Store, target: &Target, now: Timestamp, arrived: Arrived) -> Result<Ready> {
    let Arrived { seen, taken, ends } = arrived;
    let kept = date::parse_internal_date(seen.received.trim().as_bytes());
    let believed = kept.filter(|date| is_believed(date, now));
    let of_head = |head: &[u8]| {
        let found = believed.or_else(|| derived(head, now));
        (found, target.adoptable.as_ref().and_then(|_| identity(&head[..head.len().min(HEADER)])))
    };
    let (body, (found, identity)) = match taken {
        Taken::Memory(raw) => (Body::Came(store.put_body(target.tenant, &raw, Durability::Deferred)?), of_head(&raw)),
        Taken::Stored(content) => {
            let needs_head = believed.is_none() || target.adoptable.is_some();
            let head = if needs_head { head_of(store, target.tenant, content.blob)? } else { Vec::new() };
            (Body::Came(*content), of_head(&head))
        }
        Taken::Here(known) => (Body::Here(Box::new((seen.clone(), known))), (believed, None)),
    };
    let (content, size) = match &body {
        Body::Came(content) => (content.blob, content.size),
        Body::Here(here) => (here.1.content, here.1.size),
    };
    let mut notes = Vec::new();
    if believed.is_none() {
        notes.push("date=derived".to_owned());
    }
    if seen.size != 0 && seen.size != size {
        notes.push(format!("size={}", seen.size));
    }
    let written = seen.written.map(|unix| DateTime { unix, offset_minutes: 0 }).filter(|date| is_believed(date, now));
    let date = found.or(written).unwrap_or(DateTime { unix: now.secs(), offset_minutes: 0 });
    let row = LedgerRow {
        content: Some(content),
        size,
        identity: seen.identity,
        received: seen.received,
        flags: seen.flags,
        keywords: seen.keywords,
        pass: target.pass,
        note: (!notes.is_empty()).then(|| notes.join(" ")),
        ..LedgerRow::new(seen.key, LedgerState::Copied)
    };
    let (received, zone) = (Timestamp::from_secs(date.unix), i16::try_from(date.offset_minutes).unwrap_or(0));
    let twin = target.adoptable.as_ref().and_then(|all| all.take(content, identity, size));
    let line_ends = ends.map(|ends| ends.to_bytes());
    Ok(Ready { row, uid: seen.uid, body, received, zone, uidl: seen.uidl, line_ends, twin })
}

fn is_believed(date: &DateTime, now: Timestamp) -> bool {
    (EARLIEST..now.secs() + AHEAD).contains(&date.unix)
}

/// The date of a message whose source has none that can be: the newest `Received`, else `Date`; after that its file tells.
fn derived(raw: &[u8], now: Timestamp) -> Option<DateTime> {
    let block = &raw[..raw.len().min(HEADER)];
    let received = || {
        let value = header::unfold(header::find(block, "Received")?.value);
        let at = memchr::memrchr(b';', &value)?;
        date::parse(&value[at + 1..])
    };
    let sent = || header::value(block, "Date").and_then(|value| date::parse(&value));
    received().filter(|date| is_believed(date, now)).or_else(|| sent().filter(|date| is_believed(date, now)))
}

fn head_of(store: &Store, tenant: TenantId, blob: BlobId) -> Result<Vec<u8>> {
    Ok(store.blobs().open(tenant, blob)?.read_at(0, HEADER)?.to_vec())
}

/// Whether the message was not here; `None` where its bytes are here no longer.
fn store_one(tx: &mut MailTx<'_, '_>, target: &Target, one: &Ready) -> Result<Option<bool>> {
    if target.may_have_moved && followed(tx, target, &one.row, one.uid)? {
        return Ok(Some(false));
    }
    if target.labels && labelled(tx, target, one)? {
        return Ok(Some(true));
    }
    if target.again
        && let Some(row) = tx.ledger_row(target.key, &one.row.key)?
        && where_is(tx, &row)?.is_none()
    {
        tx.forget_ledger_row(target.key, &row.key)?;
    }
    if let Some(twin) = one.twin
        && adopted(tx, target, &one.row, twin)?
    {
        return Ok(Some(true));
    }
    let new = match &one.body {
        Body::Came(content) => {
            let line_ends = one.line_ends.clone();
            NewMessage { zone: one.zone, line_ends, ..NewMessage::new(content.clone(), target.mailbox, one.received) }
        }
        Body::Here(here) => match copied(tx, target, &here.1)? {
            Some(new) => new,
            None => return Ok(None),
        },
    };
    let message = NewMessage {
        flags: one.row.flags,
        keywords: one.row.keywords.clone(),
        uid: Some(one.uid).filter(|uid| target.keeps_uids && *uid > 0),
        uidl: one.uidl.clone(),
        quota: target.quota,
        ..new
    };
    Ok(Some(tx.append_moved(target.key, &one.row, &message)?.is_some()))
}

/// A copy of the message of a row, wherever it is now.
fn copied(tx: &mut MailTx<'_, '_>, target: &Target, known: &Known) -> Result<Option<NewMessage>> {
    let Some(row) = tx.ledger_row(known.folder, &known.key)?.filter(|row| row.content == Some(known.content)) else {
        return Ok(None);
    };
    let Some((mailbox, uid)) = where_is(tx, &row)? else { return Ok(None) };
    let copies = tx.to_be_copied(mailbox, &[uid], target.mailbox, target.quota)?;
    let is_it = |copy: &NewMessage| copy.content.blob == known.content && copy.prefix.is_empty();
    Ok(copies.into_iter().map(|(_, copy)| copy).find(is_it))
}

/// A message that was here before the move came stays as it is, but for the flags that it has at the source besides.
fn adopted(tx: &mut MailTx<'_, '_>, target: &Target, one: &LedgerRow, twin: Here) -> Result<bool> {
    if tx.ledger_row(target.key, &one.key)?.is_some_and(|row| row.state != LedgerState::Failed) {
        return Ok(false);
    }
    // Another one of the source may have been taken for it a moment ago.
    if target.overlap.is_some()
        && let Some(content) = one.content
        && tx.is_in_ledger(twin.message, content)?
    {
        return Ok(false);
    }
    let Some(entry) = tx.entry(twin.mailbox, twin.uid)?.filter(|entry| entry.message == twin.message) else {
        return Ok(false);
    };
    let none = Marks { flags: Flags::default(), keywords: Keywords::default() };
    let there = Marks { flags: one.flags, keywords: one.keywords.clone() };
    let here = Marks { flags: entry.flags, keywords: entry.keywords };
    let to = merged(&none, &there, &here);
    if to != here {
        tx.store_flags(twin.mailbox, &[twin.uid], FlagAct::Set, to.flags, &to.keywords, None)?;
    }
    let Here { mailbox, uid, message } = twin;
    let note = target.overlap.map(|_| DELIVERED.to_owned()).or_else(|| one.note.clone());
    let row = LedgerRow { state: LedgerState::Adopted, mailbox, uid, message, note, ..one.clone() };
    tx.put_ledger_row(target.key, &row)?;
    Ok(true)
}

/// Rows of the source whose messages have the bytes of this one and its date.
fn twins_of(tx: &mut MailTx<'_, '_>, target: &Target, one: &LedgerRow) -> Result<Vec<(LedgerKey, LedgerRow)>> {
    let Some(content) = one.content else { return Ok(Vec::new()) };
    let mut twins = tx.ledger_rows_of(target.key.source, content, TWINS)?;
    twins.retain(|(_, row)| is_same_date(&row.received, &one.received));
    Ok(twins)
}

/// A message with several labels is in several folders of the source: here it is one message in several mailboxes.
fn labelled(tx: &mut MailTx<'_, '_>, target: &Target, one: &Ready) -> Result<bool> {
    if tx.ledger_row(target.key, &one.row.key)?.is_some_and(|row| row.state != LedgerState::Failed) {
        return Ok(false);
    }
    for (key, row) in twins_of(tx, target, &one.row)? {
        // The same bytes under another identity are another message.
        let is_other = row.identity.zip(one.row.identity).is_some_and(|(known, found)| known != found);
        let is_it = key != target.key && row.state.is_here() && !is_other;
        let Some(message) = tx.message(row.message)?.filter(|_| is_it) else { continue };
        // Twins with the same labels are two messages.
        if message.places.is_empty() || message.places.iter().any(|(mailbox, _)| *mailbox == target.mailbox) {
            continue;
        }
        let wanted = Some(one.uid).filter(|uid| target.keeps_uids && *uid > 0);
        let uid = tx.add_place_at(row.message, target.mailbox, wanted)?;
        let (mailbox, message) = (target.mailbox, row.message);
        tx.put_ledger_row(target.key, &LedgerRow { mailbox, uid, message, ..one.row.clone() })?;
        return Ok(true);
    }
    Ok(false)
}

/// A message that its owner moved from folder to folder at the source left one of them and came into the other: it moves here as
/// well, instead of being here twice; not when its owner moved it here meanwhile. So it is with one that has another UID because the
/// source numbered its folder anew.
fn followed(tx: &mut MailTx<'_, '_>, target: &Target, one: &LedgerRow, uid: u32) -> Result<bool> {
    if tx.ledger_row(target.key, &one.key)?.is_some_and(|row| row.state != LedgerState::Failed) {
        return Ok(true);
    }
    for (key, row) in twins_of(tx, target, one)? {
        let is_it = row.state == LedgerState::Gone && row.message.0 != 0;
        if !is_it || key == target.key {
            continue;
        }
        let state = came_as(tx, &row)?;
        let here = tx.entry(row.mailbox, row.uid)?.filter(|entry| entry.message == row.message);
        let (mailbox, uid) = match here {
            Some(_) if row.mailbox == target.mailbox => (row.mailbox, row.uid),
            Some(_) => {
                let wanted = Some(uid).filter(|uid| target.keeps_uids && *uid > 0);
                match tx.move_at(row.mailbox, row.uid, target.mailbox, wanted)? {
                    Some(uid) => (target.mailbox, uid),
                    None => continue,
                }
            }
            // Its owner moved or removed it here: that stays as it is.
            None => (row.mailbox, row.uid),
        };
        tx.forget_ledger_row(key, &row.key)?;
        // The base is what was last merged.
        let (flags, keywords) = (row.flags, row.keywords.clone());
        let moved = LedgerRow { state, mailbox, uid, message: row.message, flags, keywords, ..one.clone() };
        let moved = LedgerRow { note: row.note.clone().or(moved.note), ..moved };
        tx.put_ledger_row(target.key, &moved)?;
        let there = Marks { flags: one.flags, keywords: one.keywords.clone() };
        merge(tx, target.key, &moved, there, target.pass)?;
        return Ok(true);
    }
    Ok(false)
}
