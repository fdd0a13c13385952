//! The rows of persons' own moves: each is a move of one source and one mailbox, and what is beside it here.

use std::collections::BTreeMap;

use anser_base::{AccountId, Error, MailboxId, Result, Timestamp};
use anser_db::{Row, Tx, params};
use serde_json::Value;

use super::choice::Choice;

const SELECT: &str = "SELECT move, account, email, every, target, started_ms, ended_ms, hour, runs, gone, choice, left_out, \
                      look_hour, looks FROM mov_own";

/// What is beside a move that makes it a person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// The move.
    pub of: u64,
    /// Whose it is.
    pub account: AccountId,
    /// The address of the other mailbox.
    pub email: String,
    /// Minutes between two passes; 0 for one pass only.
    pub every: u32,
    /// The mailbox that takes everything.
    pub target: Option<MailboxId>,
    /// When the last pass began; 0 before the first.
    pub started: Timestamp,
    /// When one last came to its end; 0 before that.
    pub ended: Timestamp,
    /// The hour since 1970 that `runs` are counted in.
    pub hour: i64,
    /// Passes that the owner began in it.
    pub runs: u32,
    /// Whether its owner took it away.
    pub gone: bool,
    /// What its owner chose of the folders there.
    pub choice: Choice,
    /// Messages of each folder that the last pass left out.
    pub left: BTreeMap<String, u64>,
    /// The hour since 1970 that `looks` are counted in.
    pub look_hour: i64,
    /// How often the other server was looked at in it for its owner, beside passes.
    pub looks: u32,
}

/// What makes a move a person's; `None` for one of the organisation.
pub fn of_move(tx: &mut Tx<'_>, of: u64) -> Result<Option<Own>> {
    tx.query_one(&format!("{SELECT} WHERE move = ?1"), params![of as i64], read)
}

/// All of an account, oldest first, with those that are gone.
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Own>> {
    tx.query(&format!("{SELECT} WHERE account = ?1 ORDER BY move"), params![account.to_sql()], read)
}

/// Writes one.
pub fn put(tx: &mut Tx<'_>, own: &Own) -> Result<()> {
    let choice = own.choice.shown().to_string();
    tx.execute(
        "INSERT INTO mov_own (move, account, email, every, target, started_ms, ended_ms, hour, runs, gone, choice, look_hour, looks) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (move) DO UPDATE SET email = excluded.email, \
         every = excluded.every, target = excluded.target, started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, \
         hour = excluded.hour, runs = excluded.runs, gone = excluded.gone, choice = excluded.choice, \
         look_hour = excluded.look_hour, looks = excluded.looks",
        params![
            own.of as i64,
            own.account.to_sql(),
            &own.email,
            own.every,
            own.target.map_or(0, MailboxId::to_sql),
            own.started.0,
            own.ended.0,
            own.hour,
            own.runs,
            i64::from(own.gone),
            &choice,
            own.look_hour,
            own.looks
        ],
    )
    .map(drop)
}

/// Notes that a pass began.
pub fn set_started(tx: &mut Tx<'_>, of: u64, now: Timestamp) -> Result<()> {
    tx.execute("UPDATE mov_own SET started_ms = ?2 WHERE move = ?1", params![of as i64, now.0]).map(drop)
}

/// Notes that a pass came to its end.
pub fn set_ended(tx: &mut Tx<'_>, of: u64, now: Timestamp) -> Result<()> {
    tx.execute("UPDATE mov_own SET ended_ms = ?2 WHERE move = ?1", params![of as i64, now.0]).map(drop)
}

/// Notes how many messages each folder holds that a pass left out.
pub fn set_left(tx: &mut Tx<'_>, of: u64, left: &BTreeMap<String, u64>) -> Result<()> {
    let left = serde_json::to_string(left).map_err(Error::unavailable)?;
    tx.execute("UPDATE mov_own SET left_out = ?2 WHERE move = ?1", params![of as i64, &left]).map(drop)
}

fn read(row: &Row<'_>) -> Result<Own> {
    let choice: Value = serde_json::from_str(&row.text(10)?).map_err(Error::damaged)?;
    Ok(Own {
        of: row.int(0)? as u64,
        account: AccountId::from_sql(row.int(1)?),
        email: row.text(2)?,
        every: row.int(3)? as u32,
        target: Some(row.int(4)?).filter(|id| *id != 0).map(MailboxId::from_sql),
        started: Timestamp(row.int(5)?),
        ended: Timestamp(row.int(6)?),
        hour: row.int(7)?,
        runs: row.int(8)? as u32,
        gone: row.int(9)? != 0,
        choice: Choice::read(&choice)?,
        left: serde_json::from_str(&row.text(11)?).map_err(Error::damaged)?,
        look_hour: row.int(12)?,
        looks: row.int(13)? as u32,
    })
}
