//! The index of the trace: by message id, by entry, by address.
//!
//! Events are not indexed one by one: a run of [`RUN`] events becomes one sorted list of short hashes, cut into [`PARTS`] parts by
//! their upper bits. A look-up reads one part of every run and the few events that are not in a run yet, and checks what it
//! finds against the events themselves. So writing costs next to nothing, and a million events cost a look-up about 0.6 MB.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anser_base::{AccountId, EntryId, Error, Result};
use anser_db::{Tx, params};

use crate::event::{Event, What, from_bytes};
use crate::schema;

/// Events of one run.
pub const RUN: u64 = 4096;
/// Parts of a run.
const PARTS: u32 = 32;
/// Runs that are read at once: of each one part a key, of some kilobytes.
const RUNS: i64 = 4;
/// Bytes of one key: 4 of hash, 2 of distance from the last event of the run.
const KEY: usize = 6;

/// Something that a trace can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A Message-ID without angle brackets.
    Message(String),
    /// An entry of the queue.
    Entry(EntryId),
    /// An address or login name in lower case.
    Address(String),
    /// An account that came in, sent, or was delivered to.
    Account(AccountId),
}

impl Key {
    /// The key of a Message-ID.
    pub fn message(id: &str) -> Self {
        Self::Message(id.trim().trim_start_matches('<').trim_end_matches('>').to_owned())
    }

    /// The key of an address.
    pub fn address(address: &str) -> Self {
        Self::Address(address.trim().to_lowercase())
    }

    fn hash(&self) -> u32 {
        let hash = match self {
            Self::Message(id) => hash(b'm', id.as_bytes()),
            Self::Entry(id) => hash(b'e', &id.0.to_be_bytes()),
            Self::Address(address) => hash(b'a', address.as_bytes()),
            Self::Account(id) => hash(b'c', &id.0.to_be_bytes()),
        };
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }
}

fn hash(kind: u8, text: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(&[kind]).update(text).finalize().as_bytes()
}

/// Under which keys an event is found.
pub fn keys(event: &What) -> Vec<Key> {
    match event {
        What::Accepted { entry, message_id, sender, recipients, parent, account, .. } => {
            let entries = [Some(*entry), *parent].into_iter().flatten().map(Key::Entry);
            entries
                .chain(account.map(Key::Account))
                .chain(message_id.as_deref().map(Key::message))
                .chain(addresses(sender, recipients))
                .collect()
        }
        What::Refused { sender, recipients, message_id, .. } => {
            message_id.as_deref().map(Key::message).into_iter().chain(addresses(sender, recipients)).collect()
        }
        What::Delivered { entry, recipient, account, .. } => {
            vec![Key::Entry(*entry), Key::address(recipient), Key::Account(*account)]
        }
        What::Relayed { entry, recipient, .. }
        | What::Deferred { entry, recipient, .. }
        | What::Failed { entry, recipient, .. } => vec![Key::Entry(*entry), Key::address(recipient)],
        What::Filtered { entry, recipient, .. } => {
            entry.map(Key::Entry).into_iter().chain([Key::address(recipient)]).collect()
        }
        What::Judged { entry, .. } => vec![Key::Entry(*entry)],
        What::Login { user, account, .. } => vec![Key::address(user), Key::Account(*account)],
        What::LoginFailed { user, .. } => vec![Key::address(user)],
        What::Administered { actor, object, .. } => vec![Key::address(actor), Key::address(object)],
        What::Accessed { actor, .. } => vec![Key::address(actor)],
        What::Deleted { actor, message_ids, .. } => {
            message_ids.iter().map(|id| Key::message(id)).chain([Key::address(actor)]).collect()
        }
        What::Started { .. } | What::Stopped { .. } => Vec::new(),
    }
}

fn addresses<'a>(sender: &'a str, recipients: &'a [String]) -> impl Iterator<Item = Key> + 'a {
    let sender = (!sender.is_empty()).then_some(sender);
    recipients.iter().map(String::as_str).chain(sender).map(Key::address)
}

/// Makes runs of full length of what is in none yet.
pub fn extend(tx: &mut Tx<'_>, node: u32, end: u64) -> Result<()> {
    let mut done = indexed(tx, node)?;
    while end.saturating_sub(done) >= RUN {
        run(tx, node, done + 1, done + RUN)?;
        done += RUN;
    }
    Ok(())
}

/// Makes runs of all that is in none yet: the month is over.
pub fn finish(tx: &mut Tx<'_>, node: u32) -> Result<()> {
    let (first, last) = schema::range(node);
    let end = tx.query_one(MAX_EVENT, params![first, last], |row| row.opt_int(0))?.flatten();
    let Some(end) = end.map(schema::seq_of) else { return Ok(()) };
    extend(tx, node, end)?;
    match indexed(tx, node)? {
        done if done < end => run(tx, node, done + 1, end),
        _ => Ok(()),
    }
}

const MAX_EVENT: &str = "SELECT max(id) FROM journal_event WHERE id BETWEEN ?1 AND ?2";

/// The number of the last event that is in a run, or the one before the first event.
fn indexed(tx: &mut Tx<'_>, node: u32) -> Result<u64> {
    let (first, last) = schema::range(node);
    let mut number = |sql: &str| tx.query_one(sql, params![first, last], |row| row.opt_int(0)).map(Option::flatten);
    let run = number("SELECT max(last) FROM journal_run WHERE part = 0 AND last BETWEEN ?1 AND ?2")?;
    match run {
        Some(run) => Ok(schema::seq_of(run)),
        None => {
            let event = number("SELECT min(id) FROM journal_event WHERE id BETWEEN ?1 AND ?2")?;
            Ok(event.map_or(0, schema::seq_of).saturating_sub(1))
        }
    }
}

fn run(tx: &mut Tx<'_>, node: u32, from: u64, to: u64) -> Result<()> {
    let last = schema::id(node, to);
    let mut parts = vec![Vec::new(); PARTS as usize];
    let sql = "SELECT id, event FROM journal_event WHERE id BETWEEN ?1 AND ?2";
    tx.for_each(sql, params![schema::id(node, from), last], |row| {
        let id = row.int(0)?;
        // An event that cannot be read has no keys; the check of the chain names it.
        let keys = from_bytes(node, 0, &row.blob(1)?).map(|event| keys(&event.what)).unwrap_or_default();
        let distance = u16::try_from(last - id).map_err(Error::damaged)?;
        for hash in keys.iter().map(Key::hash).collect::<BTreeSet<_>>() {
            parts[part(hash) as usize].push((hash, distance));
        }
        Ok(())
    })?;
    for (part, mut keys) in parts.into_iter().enumerate() {
        keys.sort_unstable();
        let bytes: Vec<u8> = keys.iter().flat_map(|key| packed(*key)).collect();
        tx.execute(
            "INSERT INTO journal_run (part, last, keys) VALUES (?1, ?2, ?3)",
            params![part as i64, last, &bytes],
        )?;
    }
    Ok(())
}

fn part(hash: u32) -> u32 {
    hash / (u32::MAX / PARTS + 1)
}

fn packed((hash, distance): (u32, u16)) -> [u8; KEY] {
    let ([a, b, c, d], [e, f]) = (hash.to_be_bytes(), distance.to_be_bytes());
    [a, b, c, d, e, f]
}

/// What is sought.
#[derive(Clone)]
pub struct Sought {
    /// Events that have one of these keys.
    pub keys: BTreeSet<Key>,
    /// And of which this is true.
    pub is: Arc<dyn Fn(&Event) -> bool + Send + Sync>,
}

impl Sought {
    /// All that have one of these keys.
    pub fn all(keys: BTreeSet<Key>) -> Self {
        Self { keys, is: Arc::new(|_| true) }
    }

    fn event(&self, id: i64, bytes: &[u8]) -> Option<Event> {
        let event = from_bytes(schema::node_of(id), schema::seq_of(id), bytes).ok()?;
        (keys(&event.what).iter().any(|key| self.keys.contains(key)) && (self.is)(&event)).then_some(event)
    }

    /// An event, if it is sought.
    pub fn read(&self, tx: &mut Tx<'_>, id: i64) -> Result<Option<Event>> {
        let bytes = tx.query_one("SELECT event FROM journal_event WHERE id = ?1", params![id], |row| row.blob(0))?;
        Ok(bytes.and_then(|bytes| self.event(id, &bytes)))
    }
}

/// The nodes that have events here, each with the number of its first.
pub fn nodes(tx: &mut Tx<'_>) -> Result<Vec<(u32, u64)>> {
    let sql = "SELECT node, min(seq) FROM journal_start GROUP BY node ORDER BY node";
    tx.query(sql, &[], |row| Ok((row.int(0)? as u32, row.int(1)? as u64 + 1)))
}

/// Events of a node that may have one of these keys, ascending, and the number before which the next are to be looked for: out of the
/// newest before a number, as many as are in [`RUNS`] runs, or were not indexed yet and are about as many as in one.
pub fn candidates(tx: &mut Tx<'_>, node: u32, keys: &BTreeSet<Key>, before: u64) -> Result<(Vec<i64>, u64)> {
    let (first, end) = (schema::range(node).0, schema::id(node, before));
    let done = schema::id(node, indexed(tx, node)?);
    // What is in no run yet may have any key.
    let sql = "SELECT id FROM journal_event WHERE id > ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
    let mut newest = tx.query(sql, params![done, end, RUN as i64], |row| row.int(0))?;
    newest.reverse();
    if let Some(oldest) = newest.first() {
        return Ok((newest.clone(), schema::seq_of(*oldest)));
    }
    // A run of which no event lies before it ends a run's length after it.
    let last = (end + RUN as i64).min(schema::range(node).1);
    let sql = "SELECT last FROM journal_run WHERE part = 0 AND last BETWEEN ?1 AND ?2 ORDER BY last DESC LIMIT ?3";
    let runs = tx.query(sql, params![first, last, RUNS + 1], |row| row.int(0))?;
    // The one more says where the last of the others begins.
    let (runs, next) = match runs.get(RUNS as usize) {
        Some(older) => (&runs[..RUNS as usize], schema::seq_of(*older) + 1),
        None => (&runs[..], 0),
    };
    let (Some(newest), Some(oldest)) = (runs.first(), runs.last()) else { return Ok((Vec::new(), 0)) };
    let mut all = BTreeSet::new();
    for hash in keys.iter().map(Key::hash) {
        let sql = "SELECT last, keys FROM journal_run WHERE part = ?1 AND last BETWEEN ?2 AND ?3";
        tx.for_each(sql, params![part(hash), *oldest, *newest], |row| {
            all.extend(in_run(row.int(0)?, row.blob_ref(1)?, hash).filter(|id| *id < end));
            Ok(())
        })?;
    }
    Ok((all.into_iter().collect(), next))
}

/// The newest events of this place that are sought, in no order: at most `limit` of each node.
pub fn find(tx: &mut Tx<'_>, wanted: &Sought, limit: usize) -> Result<Vec<Event>> {
    let mut candidates: BTreeMap<u32, BTreeSet<i64>> = BTreeMap::new();
    for key in &wanted.keys {
        for id in in_runs(tx, key.hash())? {
            candidates.entry(schema::node_of(id)).or_default().insert(id);
        }
    }
    let mut all = Vec::new();
    for (node, _) in nodes(tx)? {
        let mut found = unindexed(tx, node, wanted, limit)?;
        for id in candidates.remove(&node).into_iter().flatten().rev() {
            if found.len() >= limit {
                break;
            }
            found.extend(wanted.read(tx, id)?);
        }
        all.append(&mut found);
    }
    Ok(all)
}

fn in_runs(tx: &mut Tx<'_>, hash: u32) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    tx.for_each("SELECT last, keys FROM journal_run WHERE part = ?1", params![part(hash)], |row| {
        ids.extend(in_run(row.int(0)?, row.blob_ref(1)?, hash));
        Ok(())
    })?;
    Ok(ids)
}

/// What a run has under a hash, the newest first.
fn in_run(last: i64, bytes: &[u8], hash: u32) -> impl Iterator<Item = i64> {
    let (keys, _) = bytes.as_chunks::<KEY>();
    let from = keys.partition_point(|key| key[..4] < hash.to_be_bytes()[..]);
    let same = keys[from..].iter().take_while(move |key| key[..4] == hash.to_be_bytes()[..]);
    same.map(move |key| last - i64::from(u16::from_be_bytes([key[4], key[5]])))
}

/// Looks through the events of a node that are in no run yet, newest first.
fn unindexed(tx: &mut Tx<'_>, node: u32, wanted: &Sought, limit: usize) -> Result<Vec<Event>> {
    let from = schema::id(node, indexed(tx, node)? + 1);
    let mut found = Vec::new();
    let sql = "SELECT id, event FROM journal_event WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC";
    tx.for_each(sql, params![from, schema::range(node).1], |row| {
        if found.len() < limit {
            found.extend(wanted.event(row.int(0)?, &row.blob(1)?));
        }
        Ok(())
    })?;
    Ok(found)
}
