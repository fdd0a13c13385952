//! What operators do to entries: one by its number, or all that match, in slices that keep nobody else waiting.

use anser_base::{Class, EntryId, Error, Result, Timestamp};
use anser_db::{Durability, Place, Tx, params};

use crate::envelope::Home;
use crate::operate::{Filter, Found, find, find_home, gone, page};
use crate::queue::Queue;
use crate::ready::Turn;
use crate::record::{pack_envelope, pack_progress, unpack_envelope};
use crate::rows::{self, PutOff};
use crate::schema::RELEASED;
use crate::state::{HELD, Progress};

/// Entries that one slice changes, at most.
const SLICE: usize = 500;

/// What is done to an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is not attempted until it is released.
    Hold,
    /// End of holding: it is due at its recipients' own times.
    Release,
    /// It is due now, held or not.
    Retry,
    /// It goes, without a report. A courier that works on it may still finish, but changes nothing here.
    Remove,
    /// What of it is not delivered here goes this way from now on ([`crate::Envelope::via`]), and it is due now.
    Reroute(Option<String>),
}

/// What was done to a part of the queue.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The entries that were changed.
    pub changed: Vec<EntryId>,
    /// Where to go on; `None` at the end.
    pub next: Option<EntryId>,
}

impl Queue {
    /// Does something to one entry. `Class::Conflict` when somebody works on it right now (it can be removed all the same),
    /// `Class::NotFound` when it has gone.
    pub async fn act(&self, id: EntryId, act: &Act) -> Result<()> {
        let (act, now, inner) = (act.clone(), self.inner.clock.now(), self.inner.clone());
        let work = move |tx: &mut Tx<'_>| change(tx, id, &act, now);
        let wake = move |due: &mut Option<Timestamp>| inner.ready.note_due(*due);
        self.inner.db.write_then(Place::Queue, Durability::Sync, work, wake).await.map(|_| ())
    }

    /// Does something to the next entries after a cursor that pass the filter, in one durable transaction; some hundred of them at most.
    /// Those that somebody works on are passed over. May have changed nothing although there is more.
    pub async fn act_on_slice(&self, act: &Act, filter: &Filter, after: Option<EntryId>) -> Result<Slice> {
        let (act, filter, now, inner) = (act.clone(), filter.clone(), self.inner.clock.now(), self.inner.clone());
        let after = after.map_or(0, EntryId::to_sql);
        let work = move |tx: &mut Tx<'_>| {
            let found = page(tx, &filter, after, SLICE)?;
            let (mut changed, mut first) = (Vec::with_capacity(found.entries.len()), None);
            for entry in found.entries {
                match change(tx, entry.id, &act, now) {
                    Ok(due) => {
                        changed.push(entry.id);
                        first = first.into_iter().chain(due).min();
                    }
                    Err(error) if matches!(error.class, Class::Conflict | Class::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok((Slice { changed, next: found.next }, first))
        };
        let wake = move |done: &mut (Slice, Option<Timestamp>)| inner.ready.note_due(done.1);
        Ok(self.inner.db.write_then(Place::Queue, Durability::Sync, work, wake).await?.0)
    }
}

/// When the entry is due from now on.
fn change(tx: &mut Tx<'_>, id: EntryId, act: &Act, now: Timestamp) -> Result<Option<Timestamp>> {
    let found = find_home(tx, id)?;
    if *act == Act::Remove {
        return rows::delete(tx, id, found.home, None).map(|()| None);
    }
    if found.lease > RELEASED {
        return Err(Error::new(Class::Conflict, "the entry is being delivered", "该条目正在投递中"));
    }
    let listed = find(tx, id)?;
    let mut progress = listed.progress;
    let due = match act {
        Act::Hold => HELD,
        Act::Release => {
            progress.iter_mut().filter(|one| one.is_held()).for_each(|one| one.due = now);
            progress.iter().filter(|one| !one.state.is_final()).map(|one| one.due).min().unwrap_or(now)
        }
        Act::Retry | Act::Reroute(_) | Act::Remove => {
            progress.iter_mut().filter(|one| !one.state.is_final()).for_each(|one| one.due = one.due.min(now));
            now
        }
    };
    let class = Turn::of(listed.envelope.priority);
    set_due(tx, id, &found, PutOff { after: found.lease, due, class, progress: &progress })?;
    if let Act::Reroute(via) = act {
        reroute(tx, id, via.as_deref())?;
    }
    Ok(Some(due))
}

fn set_due(tx: &mut Tx<'_>, id: EntryId, found: &Found, how: PutOff<'_>) -> Result<()> {
    match found.home {
        Home::Fresh => rows::put_off(tx, id, found.lease, how),
        Home::Waiting => update(tx, id, how.due, how.progress),
    }
}

fn update(tx: &mut Tx<'_>, id: EntryId, due: Timestamp, progress: &[Progress]) -> Result<()> {
    let sql = "UPDATE queue_waiting SET due = ?2, progress = ?3 WHERE id = ?1";
    tx.execute(sql, params![id.to_sql(), due.0, &pack_progress(progress)]).map(|_| ())
}

/// Writes the way into the envelope of an entry that waits.
fn reroute(tx: &mut Tx<'_>, id: EntryId, via: Option<&str>) -> Result<()> {
    let sql = "SELECT envelope FROM queue_waiting WHERE id = ?1";
    let packed = tx.query_one(sql, params![id.to_sql()], |row| row.blob(0))?.ok_or_else(gone)?;
    let (mut envelope, body) = unpack_envelope(&packed)?;
    envelope.via = via.map(str::to_owned);
    let sql = "UPDATE queue_waiting SET envelope = ?2 WHERE id = ?1";
    tx.execute(sql, params![id.to_sql(), &pack_envelope(&envelope, &body)]).map(|_| ())
}
