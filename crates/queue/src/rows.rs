//! The SQL of the queue: rows in, rows out.

use anser_base::{Class, EntryId, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};
use bytes::Bytes;

use crate::envelope::{Entry, Envelope, Home};
use crate::ready::Turn;
use crate::record::{pack_progress, unpack_envelope, unpack_progress};
use crate::schema::{NOBODY, RELEASED};
use crate::state::{HELD, Plan, Progress};

/// Writes a new entry. `lease` is the holder, or [`NOBODY`].
pub fn insert(tx: &mut Tx<'_>, entry: &Entry, packed: &[u8], lease: i64) -> Result<()> {
    let id = entry.id.to_sql();
    let body = entry.body.stored.as_deref();
    match entry.home {
        Home::Fresh => tx.execute(
            "INSERT INTO queue_fresh (id, lease, envelope, body) VALUES (?1, ?2, ?3, ?4)",
            params![id, lease, packed, body],
        ),
        Home::Waiting => {
            if let Some(body) = body {
                tx.execute("INSERT INTO queue_body (id, body) VALUES (?1, ?2)", params![id, body])?;
            }
            insert_waiting(tx, entry, NOBODY, packed)
        }
    }
    .map(|_| ())
}

fn insert_waiting(tx: &mut Tx<'_>, entry: &Entry, lease: i64, packed: &[u8]) -> Result<u64> {
    let (id, progress, class) = (entry.id, &entry.progress, Turn::of(entry.envelope.priority));
    let due = progress.iter().filter(|p| !p.state.is_final()).map(|p| p.due.0).min().unwrap_or(HELD.0);
    tx.execute(
        "INSERT INTO queue_waiting (id, lease, due, progress, envelope, class) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id.to_sql(), lease, due, &pack_progress(progress), packed, class.to_sql()],
    )
}

/// Does what a plan says to an entry that `node` has leased. `Class::Conflict` when it has the lease no longer.
pub fn settle(tx: &mut Tx<'_>, entry: &Entry, plan: &Plan, node: i64) -> Result<()> {
    let after = if plan.uncertain { RELEASED } else { NOBODY };
    match (entry.home, plan.due()) {
        (home, None) => delete(tx, entry.id, home, Some(node)),
        (Home::Fresh, Some(due)) => {
            let class = Turn::of(entry.envelope.priority);
            put_off(tx, entry.id, node, PutOff { after, due, class, progress: &plan.progress })
        }
        (Home::Waiting, Some(due)) => {
            let changed = tx.execute(
                "UPDATE queue_waiting SET lease = ?3, due = ?4, progress = ?5 WHERE id = ?1 AND lease = ?2",
                params![entry.id.to_sql(), node, after, due.0, &pack_progress(&plan.progress)],
            )?;
            leased(changed)
        }
    }
}

/// Removes an entry that `node` has leased, or, without a node, whoever has.
pub fn delete(tx: &mut Tx<'_>, id: EntryId, home: Home, node: Option<i64>) -> Result<()> {
    let (table, id) = (table(home), id.to_sql());
    let changed = match node {
        Some(node) => tx.execute(&format!("DELETE FROM {table} WHERE id = ?1 AND lease = ?2"), params![id, node])?,
        None => tx.execute(&format!("DELETE FROM {table} WHERE id = ?1"), params![id])?,
    };
    if changed > 0 && home == Home::Waiting {
        tx.execute("DELETE FROM queue_body WHERE id = ?1", params![id])?;
    }
    leased(changed)
}

/// How an entry is put off.
pub struct PutOff<'a> {
    /// Who holds it from now on.
    pub after: i64,
    pub due: Timestamp,
    pub class: Turn,
    pub progress: &'a [Progress],
}

/// Moves an entry from `queue_fresh` to `queue_waiting`.
pub fn put_off(tx: &mut Tx<'_>, id: EntryId, holder: i64, how: PutOff<'_>) -> Result<()> {
    let PutOff { after, due, class, progress } = how;
    let key = id.to_sql();
    let moved = tx.execute(
        "INSERT INTO queue_waiting (id, lease, due, progress, envelope, class) \
         SELECT id, ?3, ?4, ?5, envelope, ?6 FROM queue_fresh WHERE id = ?1 AND lease = ?2",
        params![key, holder, after, due.0, &pack_progress(progress), class.to_sql()],
    )?;
    leased(moved)?;
    tx.execute(
        "INSERT INTO queue_body (id, body) SELECT id, body FROM queue_fresh WHERE id = ?1 AND body IS NOT NULL",
        params![key],
    )?;
    tx.execute("DELETE FROM queue_fresh WHERE id = ?1", params![key]).map(|_| ())
}

fn leased(changed: u64) -> Result<()> {
    if changed > 0 {
        return Ok(());
    }
    Err(Error::new(Class::Conflict, "the queue entry is no longer held", "已不再持有该队列条目"))
}

fn table(home: Home) -> &'static str {
    match home {
        Home::Fresh => "queue_fresh",
        Home::Waiting => "queue_waiting",
    }
}

/// Free rows that are due, each with the number of its last holder: of what waits the higher classes first, with some room kept for the
/// lower ones; up to `limit`.
pub fn free(tx: &mut Tx<'_>, home: Home, now: Timestamp, limit: i64) -> Result<Vec<(EntryId, i64)>> {
    let each = |row: &Row<'_>| Ok((EntryId::from_sql(row.int(0)?), row.int(1)?));
    // Several nodes take at the same time; a row that another one is taking is passed over.
    let skip = if tx.is_postgres() { " FOR UPDATE SKIP LOCKED" } else { "" };
    if home == Home::Fresh {
        let sql = format!("SELECT id, lease FROM queue_fresh WHERE lease < 16777218 ORDER BY id LIMIT ?1{skip}");
        return tx.query(&sql, params![limit], each);
    }
    let sql = format!(
        "SELECT id, lease FROM queue_waiting WHERE lease < 16777218 AND class = ?1 AND due <= ?2 ORDER BY due, id LIMIT ?3{skip}"
    );
    let mut found = Vec::new();
    for (class, kept) in Turn::ALL.into_iter().zip([limit / 4, limit / 8, 0]) {
        let room = limit - found.len() as i64 - kept;
        found.extend(tx.query(&sql, params![class.to_sql(), now.0, room], each)?);
    }
    Ok(found)
}

/// Gives a row to a holder.
pub fn lease(tx: &mut Tx<'_>, id: EntryId, home: Home, node: i64) -> Result<()> {
    tx.execute(&format!("UPDATE {} SET lease = ?2 WHERE id = ?1", table(home)), params![id.to_sql(), node]).map(|_| ())
}

/// When the first free row is due.
pub fn first_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    let sql = "SELECT due FROM queue_waiting WHERE lease < 16777218 AND class = ?1 ORDER BY due, id LIMIT 1";
    let mut first = None;
    for class in Turn::ALL {
        let due = tx.query_one(sql, params![class.to_sql()], |row| row.int(0))?;
        first = first.into_iter().chain(due.map(Timestamp).filter(|due| *due != HELD)).min();
    }
    Ok(first)
}

/// The columns of one entry.
pub struct Loaded {
    packed: Vec<u8>,
    stored: Option<Vec<u8>>,
    progress: Option<Vec<u8>>,
}

/// Reads a whole entry.
pub fn load(tx: &mut Tx<'_>, id: EntryId, home: Home) -> Result<Option<Loaded>> {
    let key = id.to_sql();
    match home {
        Home::Fresh => tx.query_one("SELECT envelope, body FROM queue_fresh WHERE id = ?1", params![key], |row| {
            Ok(Loaded { packed: row.blob(0)?, stored: row.opt_blob(1)?, progress: None })
        }),
        Home::Waiting => tx.query_one(
            "SELECT w.envelope, b.body, w.progress FROM queue_waiting w LEFT JOIN queue_body b ON b.id = w.id \
             WHERE w.id = ?1",
            params![key],
            |row| Ok(Loaded { packed: row.blob(0)?, stored: row.opt_blob(1)?, progress: Some(row.blob(2)?) }),
        ),
    }
}

impl Loaded {
    /// Makes an entry of it. `Class::Damaged` concerns this entry only.
    pub fn unpack(self, id: EntryId, home: Home, redelivery: bool) -> Result<Entry> {
        let (envelope, mut body) = unpack_envelope(&self.packed)?;
        body.stored = self.stored.map(Bytes::from);
        let progress = self.progress.map_or_else(|| Ok(untouched(&envelope)), |bytes| unpack_progress(&bytes))?;
        if progress.len() != envelope.recipients.len() {
            return Err(Error::damaged(format!("queue entry {id} has lost track of its recipients")));
        }
        Ok(Entry { id, envelope, progress, body, redelivery, home })
    }
}

/// The progress of an entry that was never attempted.
pub fn untouched(envelope: &Envelope) -> Vec<Progress> {
    let due = envelope.not_before.unwrap_or(envelope.accepted);
    vec![Progress::new(due); envelope.recipients.len()]
}
