//! What operators and the house's own checks see of the queue. Nothing here holds more than a window of it in memory.

use anser_base::{Address, BlobId, EntryId, Error, Result, Timestamp};
use anser_db::{Place, Row, Tx, params};

use crate::envelope::{Entry, Envelope, Home};
use crate::queue::Queue;
use crate::record::{unpack_envelope, unpack_progress};
use crate::rows;
use crate::schema::RELEASED;
use crate::state::{HELD, Progress, State};

/// Rows that one call looks at, at most.
const WINDOW: i64 = 2000;

/// Which entries an operator means. Addresses and explanations match when they contain the text, whatever its case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In the sender.
    pub sender: Option<String>,
    /// In a recipient that has not reached its end.
    pub recipient: Option<String>,
    /// The domain of such a recipient, or `.` and a domain that it is below.
    pub domain: Option<String>,
    /// In what the last attempt brought for such a recipient.
    pub why: Option<String>,
    /// Accepted before this.
    pub before: Option<Timestamp>,
    /// Accepted at this time or later.
    pub since: Option<Timestamp>,
    /// Only held ones, or only others.
    pub held: Option<bool>,
}

/// One entry as an operator sees it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its number.
    pub id: EntryId,
    /// Its envelope.
    pub envelope: Envelope,
    /// Content address of its body.
    pub body: BlobId,
    /// Length of its body in bytes.
    pub size: u64,
    /// How far each recipient is.
    pub progress: Vec<Progress>,
    /// Whether it is held.
    pub held: bool,
    /// Whether somebody works on it right now.
    pub leased: bool,
    /// When it is due; `None` when it is held.
    pub due: Option<Timestamp>,
}

/// A part of the list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The entries, oldest first. May be empty although there is more.
    pub entries: Vec<Listed>,
    /// Where to go on; `None` at the end.
    pub next: Option<EntryId>,
}

/// Numbers for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries that were never put off.
    pub fresh: u64,
    /// Entries that wait for another attempt or for their time, without the held ones.
    pub waiting: u64,
    /// Entries that an operator holds.
    pub held: u64,
    /// Entries that wait in this node's memory for a courier.
    pub ready: u64,
}

impl Queue {
    /// The entries after a cursor that pass the filter, oldest first, at most `limit`.
    pub async fn list(&self, filter: Filter, after: Option<EntryId>, limit: usize) -> Result<Page> {
        let after = after.map_or(0, EntryId::to_sql);
        self.inner.db.read(Place::Queue, move |tx| page(tx, &filter, after, limit)).await
    }

    /// One entry. `Class::NotFound` when it has gone.
    pub async fn show(&self, id: EntryId) -> Result<Listed> {
        self.inner.db.read(Place::Queue, move |tx| find(tx, id)).await
    }

    /// A whole entry with its body, without leasing it: to look at the message. `Class::NotFound` when it has gone.
    pub async fn read(&self, id: EntryId) -> Result<Entry> {
        let work = move |tx: &mut Tx<'_>| {
            let home = find_home(tx, id)?.home;
            rows::load(tx, id, home)?.ok_or_else(gone)?.unpack(id, home, false)
        };
        self.inner.db.read(Place::Queue, work).await
    }

    /// Numbers for the metrics.
    pub async fn counts(&self) -> Result<Counts> {
        let ready = self.inner.ready.lock().waiting() as u64;
        let mut counts = self.inner.db.read(Place::Queue, count).await?;
        counts.ready = ready;
        Ok(counts)
    }

    /// Entries after a cursor that may have been attempted without their outcome being recorded, each with those of its recipients
    /// that have not reached their end: on the embedded engine all that an earlier run left, for a lease taken shortly before a
    /// power cut may be forgotten; on PostgreSQL those that a dead node held. A window of them, lowest first; none at the end.
    pub async fn recovered(&self, after: Option<EntryId>) -> Result<Vec<(EntryId, Vec<Address>)>> {
        let after = after.map_or(0, EntryId::to_sql);
        let born = self.inner.born.to_sql();
        self.inner.db.read(Place::Queue, move |tx| released(tx, after, born)).await
    }

    /// Content addresses after a cursor that entries refer to in the blob store, for its sweeper, and where to go on.
    pub async fn references(&self, after: Option<EntryId>) -> Result<(Vec<BlobId>, Option<EntryId>)> {
        let after = after.map_or(0, EntryId::to_sql);
        self.inner.db.read(Place::Queue, move |tx| references(tx, after)).await
    }
}

pub struct Found {
    pub home: Home,
    pub lease: i64,
}

pub fn find_home(tx: &mut Tx<'_>, id: EntryId) -> Result<Found> {
    for (home, table) in [(Home::Fresh, "queue_fresh"), (Home::Waiting, "queue_waiting")] {
        let lock = if tx.is_postgres() { " FOR UPDATE" } else { "" };
        let sql = format!("SELECT lease FROM {table} WHERE id = ?1{lock}");
        if let Some(lease) = tx.query_one(&sql, params![id.to_sql()], |row| row.int(0))? {
            return Ok(Found { home, lease });
        }
    }
    Err(gone())
}

pub fn gone() -> Error {
    Error::not_found("no such queue entry", "没有这个队列条目")
}

/// Both tables as one list. Without a condition it would read every row, so each use adds one on `id`.
const BOTH: &str = "SELECT id, lease, due, progress, envelope FROM queue_waiting WHERE id";

fn both(condition: &str) -> String {
    format!(
        "{BOTH} {condition} UNION ALL SELECT id, lease, 0, NULL, envelope FROM queue_fresh WHERE id {condition} \
         ORDER BY 1 LIMIT ?2"
    )
}

pub fn page(tx: &mut Tx<'_>, filter: &Filter, after: i64, limit: usize) -> Result<Page> {
    let (mut entries, mut seen, mut last) = (Vec::new(), 0, None);
    let window = if *filter == Filter::default() { WINDOW.min(limit as i64) } else { WINDOW };
    tx.for_each(&both("> ?1"), params![after, window], |row| {
        seen += 1;
        if entries.len() < limit {
            last = Some(EntryId::from_sql(row.int(0)?));
            entries.extend(Some(listed(row)?).filter(|entry| filter.passes(entry)));
        }
        Ok(())
    })?;
    let more = seen == window || entries.len() == limit;
    Ok(Page { entries, next: last.filter(|_| more) })
}

pub fn find(tx: &mut Tx<'_>, id: EntryId) -> Result<Listed> {
    tx.query_one(&both("= ?1"), params![id.to_sql(), 1i64], listed)?.ok_or_else(gone)
}

fn listed(row: &Row<'_>) -> Result<Listed> {
    let (id, lease) = (EntryId::from_sql(row.int(0)?), row.int(1)?);
    let (envelope, body) = unpack_envelope(&row.blob(4)?)?;
    let (progress, due) = match row.opt_blob(3)? {
        Some(progress) => (unpack_progress(&progress)?, row.int(2)?),
        None => (rows::untouched(&envelope), envelope.accepted.0),
    };
    let held = due == HELD.0;
    let due = (!held).then_some(Timestamp(due));
    Ok(Listed { id, envelope, body: body.id, size: body.size, progress, held, leased: lease > RELEASED, due })
}

impl Filter {
    fn passes(&self, entry: &Listed) -> bool {
        let accepted = entry.envelope.accepted;
        let sender = || entry.envelope.sender.as_ref().map(|sender| sender.key()).unwrap_or_default();
        self.held.is_none_or(|held| held == entry.held)
            && self.before.is_none_or(|before| accepted < before)
            && self.since.is_none_or(|since| accepted >= since)
            && self.sender.as_ref().is_none_or(|text| sender().contains(&text.to_lowercase()))
            && self.passes_recipient(entry)
    }

    /// All that is asked of a recipient holds for one of them.
    fn passes_recipient(&self, entry: &Listed) -> bool {
        if self.recipient.is_none() && self.domain.is_none() && self.why.is_none() {
            return true;
        }
        let mut pending =
            entry.envelope.recipients.iter().zip(&entry.progress).filter(|(_, p)| p.state == State::Waiting);
        pending.any(|(recipient, progress)| {
            let key = recipient.address.key();
            let domain = key.rsplit_once('@').map_or("", |(_, domain)| domain);
            self.recipient.as_ref().is_none_or(|text| key.contains(&text.to_lowercase()))
                && self.domain.as_ref().is_none_or(|wanted| is_domain(domain, &wanted.to_lowercase()))
                && self.why.as_ref().is_none_or(|text| {
                    progress.why.as_ref().is_some_and(|why| why.to_lowercase().contains(&text.to_lowercase()))
                })
        })
    }
}

fn is_domain(domain: &str, wanted: &str) -> bool {
    if wanted.starts_with('.') { domain.ends_with(wanted) } else { domain == wanted }
}

fn count(tx: &mut Tx<'_>) -> Result<Counts> {
    let mut number = |sql: &str| -> Result<u64> {
        let count = tx.query_one(sql, &[], |row| row.int(0))?;
        Ok(count.unwrap_or(0) as u64)
    };
    let fresh = number("SELECT count(*) FROM queue_fresh")?;
    let held = number(
        "SELECT count(*) FROM queue_waiting WHERE lease < 16777218 AND class IN (0, 1, 2) AND due = 9223372036854775807",
    )?;
    let free = number("SELECT count(*) FROM queue_waiting WHERE lease < 16777218")?;
    let leased = number("SELECT count(*) FROM queue_waiting WHERE lease >= 16777218")?;
    Ok(Counts { fresh, waiting: free - held + leased, held, ready: 0 })
}

fn released(tx: &mut Tx<'_>, after: i64, born: i64) -> Result<Vec<(EntryId, Vec<Address>)>> {
    let left = if tx.is_postgres() { 0 } else { born };
    let sql = "SELECT id, progress, envelope FROM queue_waiting WHERE (lease = ?3 OR id < ?4) AND id > ?1 \
         UNION ALL SELECT id, NULL, envelope FROM queue_fresh WHERE (lease = ?3 OR id < ?4) AND id > ?1 \
         ORDER BY 1 LIMIT ?2";
    tx.query(sql, params![after, WINDOW, RELEASED, left], |row| {
        let mut recipients: Vec<_> =
            unpack_envelope(&row.blob(2)?)?.0.recipients.into_iter().map(|recipient| recipient.address).collect();
        if let Some(progress) = row.opt_blob(1)? {
            let mut progress = unpack_progress(&progress)?.into_iter();
            recipients.retain(|_| progress.next().is_none_or(|progress| !progress.state.is_final()));
        }
        Ok((EntryId::from_sql(row.int(0)?), recipients))
    })
}

fn references(tx: &mut Tx<'_>, after: i64) -> Result<(Vec<BlobId>, Option<EntryId>)> {
    let sql = "SELECT id, envelope FROM queue_fresh WHERE id > ?1 AND body IS NULL UNION ALL \
         SELECT id, envelope FROM queue_waiting WHERE id > ?1 AND NOT EXISTS \
         (SELECT 1 FROM queue_body WHERE queue_body.id = queue_waiting.id) ORDER BY 1 LIMIT ?2";
    let found = tx.query(sql, params![after, WINDOW], |row| {
        Ok((EntryId::from_sql(row.int(0)?), unpack_envelope(&row.blob(1)?)?.1.id))
    })?;
    let next = found.last().map(|(id, _)| *id).filter(|_| found.len() as i64 == WINDOW);
    Ok((found.into_iter().map(|(_, blob)| blob).collect(), next))
}
