//! Who is due, and who works on what: leases, and passes that begin.

use anser_base::{Result, Timestamp};
use anser_db::{Tx, params};

use super::{OF_ALL, SELECT_MAILBOX, SELECT_SOURCE, read_mailbox, read_source, source};
use crate::model::{Mailbox, MoveState, Priority, Source, State, Task};

/// A mailbox that waits and is due, or whose holder died, or where late mail or folders that were shut are to be looked for.
const DUE: &str = "((state = ?1 AND due_ms <= ?3) OR (state = ?2 AND held_until_ms <= ?3) \
                   OR (state = ?4 AND due_ms > 0 AND due_ms <= ?3))";

/// The sources of the organisation's moves that run where some mailbox is due.
pub fn due_sources(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Source>> {
    tx.query(
        &format!(
            "{SELECT_SOURCE} WHERE id IN (SELECT source FROM mov_accounts WHERE {DUE}) \
             AND move IN (SELECT id FROM mov_moves WHERE state = ?5 AND {OF_ALL}) ORDER BY id"
        ),
        params![State::Waiting as i64, State::Copying as i64, now.0, State::Settled as i64, MoveState::Running as i64],
        read_source,
    )
}

/// Mailboxes of a source that are due; by their priority, and the longest due first, at most `limit`. Those that are brought because
/// somebody waits for them are left out where it is `without_awaited`.
pub fn due(tx: &mut Tx<'_>, source: u64, now: Timestamp, without_awaited: bool, limit: usize) -> Result<Vec<Mailbox>> {
    tx.query(
        &format!(
            "{SELECT_MAILBOX} WHERE source = ?5 AND {DUE} AND NOT (priority >= ?7 AND task IN (?8, ?9) AND cut_ms = 0) \
             ORDER BY priority DESC, due_ms, id LIMIT ?6"
        ),
        params![
            State::Waiting as i64,
            State::Copying as i64,
            now.0,
            State::Settled as i64,
            source as i64,
            limit as i64,
            if without_awaited { Priority::Awaited as i64 } else { i64::MAX },
            Task::Copy as i64,
            Task::CopyAfterLoss as i64
        ],
        read_mailbox,
    )
}

/// Mailboxes of persons' own moves that run and are due, each with its source; the longest due first, at most `limit`.
pub fn due_of_persons(tx: &mut Tx<'_>, now: Timestamp, limit: usize) -> Result<Vec<(Mailbox, Source)>> {
    let due = tx.query(
        &format!(
            "{SELECT_MAILBOX} WHERE {DUE} AND move IN (SELECT id FROM mov_moves WHERE state = ?5 AND NOT ({OF_ALL})) \
             ORDER BY due_ms, id LIMIT ?6"
        ),
        params![
            State::Waiting as i64,
            State::Copying as i64,
            now.0,
            State::Settled as i64,
            MoveState::Running as i64,
            limit as i64
        ],
        read_mailbox,
    )?;
    let mut found = Vec::new();
    for mailbox in due {
        if let Some(source) = source(tx, mailbox.source)? {
            found.push((mailbox, source));
        }
    }
    Ok(found)
}

/// When the next one that waits is due, of moves that run.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    let found = tx.query_one(
        "SELECT MIN(CASE WHEN state = ?2 THEN held_until_ms ELSE due_ms END) FROM mov_accounts a \
         WHERE (state IN (?1, ?2) OR (state = ?4 AND due_ms > 0)) AND EXISTS (SELECT 1 FROM mov_moves m WHERE m.id = a.move AND m.state = ?3)",
        params![
            State::Waiting as i64,
            State::Copying as i64,
            MoveState::Running as i64,
            State::Settled as i64
        ],
        |row| row.opt_int(0),
    )?;
    Ok(found.flatten().map(Timestamp))
}

/// Takes the lease of a mailbox, or keeps it. Whether it is ours until that time: it is not when another holder has it.
pub fn hold(tx: &mut Tx<'_>, id: u64, holder: i64, now: Timestamp, until: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE mov_accounts SET state = ?2, holder = ?3, held_until_ms = ?4 \
         WHERE id = ?1 AND state IN (?2, ?6, ?7) AND (holder = ?3 OR held_until_ms <= ?5)",
        params![id as i64, State::Copying as i64, holder, until.0, now.0, State::Waiting as i64, State::Settled as i64],
    )?;
    Ok(changed > 0)
}

/// Whether a lease is this holder's: nobody took it since, even where it ran out.
pub fn is_held(tx: &mut Tx<'_>, id: u64, holder: i64) -> Result<bool> {
    let sql = "SELECT id FROM mov_accounts WHERE id = ?1 AND state = ?2 AND holder = ?3";
    Ok(tx.query_one(sql, params![id as i64, State::Copying as i64, holder], |row| row.int(0))?.is_some())
}

/// Ends every lease: whoever held them is known to be dead.
pub fn release_all(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute("UPDATE mov_accounts SET held_until_ms = 0 WHERE state = ?1", params![State::Copying as i64]).map(drop)
}

/// Counts a pass that begins; its number.
pub fn begin_pass(tx: &mut Tx<'_>, id: u64) -> Result<u32> {
    tx.execute("UPDATE mov_accounts SET pass = pass + 1, done = 0, note = NULL WHERE id = ?1", params![id as i64])?;
    let found = tx.query_one("SELECT pass FROM mov_accounts WHERE id = ?1", params![id as i64], |row| row.int(0))?;
    Ok(found.unwrap_or(0) as u32)
}
