//! Mailboxes that are due and may not be brought now: outside of the hours of their source or wave, and when enough came from their source for
//! this day. They wait until they may, and their notes say so.
//!
//! Only whole passes before the cut-over wait. A check or trial, a cut-over and the way back are said by somebody who wants them now; late
//! mail is little, and wanted soon. A mailbox whose owner logged in and waits for it is brought outside of the hours too, one at a time of each
//! source.

use std::collections::HashMap;
use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_db::{Durability, Place, Tx, Value, params};
use anser_directory::Hours;

use crate::Migrate;
use crate::model::{Mailbox, MoveState, Priority, Source, State, Task};
use crate::profile;
use crate::run::{Following, is_brought};
use crate::wave::hours_of;

/// What stands before the note of a mailbox that waits for its hours.
pub(crate) const HOURS: &str = "hours";
/// What stands before the note of one that waits for another day.
pub(crate) const BUDGET: &str = "budget";

const DAY: Duration = Duration::from_secs(86_400);

/// Mailboxes of a source, or of a wave, that may not be brought now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub of: u64,
    pub source: Option<u64>,
    pub wave: Option<String>,
    pub until: Timestamp,
    /// Why, as the mailboxes' notes have it.
    pub why: String,
    /// Those whose owners wait are brought.
    pub spares_awaited: bool,
}

impl Closed {
    fn by_hours(hours: Hours, now: Timestamp) -> Option<Self> {
        let until = now.after(hours.closed_for(now)?);
        // To the minute at which they begin.
        let until = Timestamp(until.0.div_euclid(1000) * 1000);
        let why = format!("{HOURS}: mail is brought from {hours} UTC");
        Some(Self { of: 0, source: None, wave: None, until, why, spares_awaited: true })
    }

    /// Whether it stops a pass, by the wave in which its mailbox is now: somebody may have put it there meanwhile.
    fn stops(&self, pass: &Following, waves: &HashMap<u64, String>) -> bool {
        pass.yields && self.is_for((pass.of, pass.source, waves.get(&pass.mailbox)), pass.priority)
    }

    /// Whether it keeps a mailbox from being begun with: one that became due after it was looked for those to be held back.
    pub(crate) fn keeps(&self, mailbox: &Mailbox) -> bool {
        let place = (mailbox.of, mailbox.source, mailbox.wave.as_ref());
        is_brought(mailbox) && self.is_for(place, mailbox.priority)
    }

    fn is_for(&self, (of, source, wave): (u64, u64, Option<&String>), priority: Priority) -> bool {
        let is_of_wave = self.wave.is_some() && self.wave.as_ref() == wave;
        let is_spared = self.spares_awaited && priority == Priority::Awaited;
        self.of == of && (self.source == Some(source) || is_of_wave) && !is_spared
    }
}

/// The day since 1970 (UTC), and when the next one begins.
pub(crate) fn day_of(now: Timestamp) -> (i64, Timestamp) {
    let day = now.secs().div_euclid(DAY.as_secs() as i64);
    (day, Timestamp((day + 1) * DAY.as_millis() as i64))
}

/// Whether it waits for its hours, or for another day.
pub(crate) fn waits_for_its_time(mailbox: &Mailbox) -> bool {
    let begins = |kind: &str| mailbox.note.as_deref().and_then(|note| note.strip_prefix(kind)?.strip_prefix(':'));
    mailbox.state == State::Waiting && (begins(HOURS).is_some() || begins(BUDGET).is_some())
}

/// Bytes that came from a source on this day.
pub(crate) fn bytes_of_day(tx: &mut Tx<'_>, source: u64, day: i64) -> Result<u64> {
    let sql = "SELECT CAST(COALESCE(SUM(day_bytes), 0) AS BIGINT) FROM mov_accounts WHERE source = ?1 AND day = ?2";
    Ok(tx.query_one(sql, params![source as i64, day], |row| row.int(0))?.unwrap_or(0) as u64)
}

/// Counts what came of a mailbox today. Why that is enough, and until when, where it is: for the mailbox as its profile says, for all of its
/// source as somebody says.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    id: u64,
    source: &Source,
    more: u64,
    now: Timestamp,
) -> Result<Option<(String, Timestamp)>> {
    let (day, until) = day_of(now);
    if more > 0 {
        let sql = "UPDATE mov_accounts SET day_bytes = CASE WHEN day = ?2 THEN day_bytes + ?3 ELSE ?3 END, day = ?2 WHERE id = ?1";
        tx.execute(sql, params![id as i64, day, more as i64])?;
    }
    let enough = |came: u64, most: u64| {
        (most > 0 && came >= most).then(|| (format!("{BUDGET}: {came} of {most} bytes came today"), until))
    };
    let sql = "SELECT day_bytes FROM mov_accounts WHERE id = ?1 AND day = ?2";
    let came = tx.query_one(sql, params![id as i64, day], |row| row.int(0))?.unwrap_or(0) as u64;
    let of_mailbox = enough(came, profile::of_source(source).bytes_a_day.unwrap_or(0));
    if of_mailbox.is_some() {
        return Ok(of_mailbox);
    }
    let sql = "SELECT bytes_a_day FROM mov_sources WHERE id = ?1";
    let most = tx.query_one(sql, params![source.id as i64], |row| row.int(0))?.unwrap_or(0) as u64;
    let came = if most > 0 { bytes_of_day(tx, source.id, day)? } else { 0 };
    Ok(enough(came, most))
}

/// What is closed now, of moves that run.
fn closed(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Closed>> {
    let running = params![MoveState::Running as i64];
    let sources = tx.query(
        "SELECT id, move, hours, bytes_a_day FROM mov_sources WHERE (hours IS NOT NULL OR bytes_a_day > 0) \
         AND move IN (SELECT id FROM mov_moves WHERE state = ?1) ORDER BY id",
        running,
        |row| Ok((row.int(0)? as u64, row.int(1)? as u64, hours_of(row, 2)?, row.int(3)? as u64)),
    )?;
    let waves = tx.query(
        "SELECT move, name, hours FROM mov_waves WHERE hours IS NOT NULL \
         AND move IN (SELECT id FROM mov_moves WHERE state = ?1) ORDER BY move, name",
        running,
        |row| Ok((row.int(0)? as u64, row.text(1)?, hours_of(row, 2)?)),
    )?;
    let mut all = Vec::new();
    let (day, until) = day_of(now);
    for (source, of, hours, most) in sources {
        let by_hours = hours.and_then(|hours| Closed::by_hours(hours, now));
        all.extend(by_hours.map(|closed| Closed { of, source: Some(source), ..closed }));
        let came = if most > 0 { bytes_of_day(tx, source, day)? } else { 0 };
        if most > 0 && came >= most {
            let why = format!("{BUDGET}: {came} of {most} bytes came today");
            all.push(Closed { of, source: Some(source), wave: None, until, why, spares_awaited: false });
        }
    }
    for (of, name, hours) in waves {
        let by_hours = hours.and_then(|hours| Closed::by_hours(hours, now));
        all.extend(by_hours.map(|closed| Closed { of, wave: Some(name), ..closed }));
    }
    Ok(all)
}

/// Mailboxes that are due and may not be brought; also those that somebody who died had under a lease.
const HELD_BACK: &str = "move = ?1 AND (source = ?2 OR wave = ?3) AND ((state = ?4 AND due_ms <= ?5) OR (state = ?6 AND held_until_ms <= ?5)) \
                         AND task IN (?7, ?8) AND cut_ms = 0 AND priority <= ?9";

/// What [`HELD_BACK`] asks for.
fn held_back(closed: &Closed, now: Timestamp) -> [Value<'_>; 9] {
    let most = if closed.spares_awaited { Priority::First } else { Priority::Awaited };
    [
        Value::from(closed.of as i64),
        Value::from(closed.source.map_or(-1, |source| source as i64)),
        Value::from(closed.wave.as_deref()),
        Value::from(State::Waiting as i64),
        Value::from(now.0),
        Value::from(State::Copying as i64),
        Value::from(Task::Copy as i64),
        Value::from(Task::CopyAfterLoss as i64),
        Value::from(most as i64),
    ]
}

/// Whether there is anything to hold back.
fn holds_back(tx: &mut Tx<'_>, closed: &Closed, now: Timestamp) -> Result<bool> {
    let sql = format!("SELECT id FROM mov_accounts WHERE {HELD_BACK} LIMIT 1");
    Ok(tx.query_one(&sql, &held_back(closed, now), |row| row.int(0))?.is_some())
}

/// The waves of mailboxes that are under way, where any wave is closed.
fn waves_under_way(tx: &mut Tx<'_>, closed: &[Closed]) -> Result<HashMap<u64, String>> {
    if closed.iter().all(|closed| closed.wave.is_none()) {
        return Ok(HashMap::new());
    }
    let sql = "SELECT id, wave FROM mov_accounts WHERE state = ?1 AND wave IS NOT NULL";
    let found = tx.query(sql, params![State::Copying as i64], |row| Ok((row.int(0)? as u64, row.text(1)?)))?;
    Ok(found.into_iter().collect())
}

/// Lets mailboxes that are due wait where they may not be brought. How many.
fn hold_back(tx: &mut Tx<'_>, closed: &Closed, now: Timestamp) -> Result<u64> {
    let sql = format!("UPDATE mov_accounts SET state = ?4, due_ms = ?10, note = ?11 WHERE {HELD_BACK}");
    let mut values = held_back(closed, now).to_vec();
    values.extend([Value::from(closed.until.0), Value::from(&*closed.why)]);
    tx.execute(&sql, &values)
}

/// What waits for its time is looked at again: hours changed.
pub(crate) fn look_again(tx: &mut Tx<'_>, of: u64) -> Result<()> {
    let sql = "UPDATE mov_accounts SET due_ms = 0, note = NULL WHERE move = ?1 AND state = ?2 AND (note LIKE ?3 OR note LIKE ?4)";
    let [hours, budget] = [HOURS, BUDGET].map(|kind| format!("{kind}:%"));
    tx.execute(sql, params![of as i64, State::Waiting as i64, &hours, &budget]).map(drop)
}

impl Migrate {
    /// Lets what is due and may not be brought now wait, and stops passes over it. What is closed.
    pub(crate) async fn keep_hours(&self, now: Timestamp) -> Result<Vec<Closed>> {
        let look = move |tx: &mut Tx<'_>| {
            let (all, mut holding) = (closed(tx, now)?, Vec::new());
            for one in &all {
                if holds_back(tx, one, now)? {
                    holding.push(one.clone());
                }
            }
            let waves = waves_under_way(tx, &all)?;
            Ok((all, waves, holding))
        };
        let (all, waves, holding) = self.inner.deps.db.read(Place::Moves, look).await?;
        if !holding.is_empty() {
            let work = move |tx: &mut Tx<'_>| holding.iter().map(|one| hold_back(tx, one, now)).sum::<Result<u64>>();
            self.inner.deps.db.write(Place::Moves, Durability::Sync, work).await?;
            self.inner.changed.send_modify(|count| *count += 1);
        }
        self.inner.stop_those(|pass| all.iter().any(|closed| closed.stops(pass, &waves)));
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use anser_base::AccountId;

    use super::*;
    use crate::model::Home;

    fn mailbox() -> Mailbox {
        Mailbox {
            id: 1,
            of: 1,
            source: 2,
            login: String::new(),
            address: String::new(),
            account: AccountId(1),
            secret: None,
            state: State::Waiting,
            task: Task::Copy,
            note: None,
            due: Timestamp(0),
            tries: 0,
            pass: 0,
            done: 0,
            total: 0,
            bytes: 0,
            home: Home::Here,
            cut: Timestamp(0),
            priority: Priority::Usual,
            wave: Some("night".to_owned()),
            tally: None,
        }
    }

    #[test]
    fn what_became_due_since_it_was_looked_is_not_begun_with() {
        let closed = |source, wave: Option<&str>| {
            let (wave, why) = (wave.map(str::to_owned), String::new());
            Closed { of: 1, source, wave, until: Timestamp(0), why, spares_awaited: true }
        };
        let own = mailbox();
        assert!(closed(Some(2), None).keeps(&own) && closed(None, Some("night")).keeps(&own));
        assert!(!closed(Some(3), None).keeps(&own) && !closed(None, Some("day")).keeps(&own));
        assert!(!closed(None, Some("night")).keeps(&Mailbox { wave: None, ..own.clone() }));
        assert!(!closed(Some(2), None).keeps(&Mailbox { of: 4, ..own.clone() }), "of another move");
        assert!(!closed(Some(2), None).keeps(&Mailbox { task: Task::Check, ..own.clone() }), "a check is wanted now");
        let awaited = Mailbox { priority: Priority::Awaited, ..own };
        assert!(!closed(Some(2), None).keeps(&awaited));
        assert!(Closed { spares_awaited: false, ..closed(Some(2), None) }.keeps(&awaited));
    }
}
