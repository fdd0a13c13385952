//! What passes came to: of each mailbox the newest are kept, and what the gates ask of those before.

use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_db::{Row, Tx, params};
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::model::{State, Task};
use crate::which::{Which, is_meant};
use crate::words::in_chinese;

/// Passes of one mailbox that are kept.
pub const KEPT: i64 = 20;

/// A pass that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    /// The name at the old server.
    pub login: String,
    /// The address here.
    pub address: String,
    /// The wave that the mailbox is in.
    pub wave: Option<String>,
    /// What it was to do: a word of [`Task`].
    pub task: String,
    /// When it began, in milliseconds since 1970.
    pub began: i64,
    /// When it ended.
    pub ended: i64,
    /// Messages that it looked at or brought.
    pub messages: u64,
    /// Bytes that it brought.
    pub bytes: u64,
    /// What was with the mailbox behind it: a word of [`State`].
    pub state: String,
    /// Why, in words.
    pub note: Option<String>,
    /// The same in Chinese.
    pub zh: Option<String>,
}

/// A pass that ended, to be kept.
pub(crate) struct Run<'a> {
    pub mailbox: u64,
    pub task: Task,
    pub began: Timestamp,
    pub ended: Timestamp,
    pub messages: u64,
    pub bytes: u64,
    pub state: State,
    pub note: Option<&'a str>,
}

/// What is remembered of the passes over a mailbox, however many follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    /// When the last ended that brought everything; 0 when none did.
    pub whole: Timestamp,
    /// How long that took.
    pub took: Duration,
    /// When the last ended that brought something here, or gave something back.
    pub brought: Timestamp,
}

/// The past of each mailbox of a move from the first of these numbers to the last, by its number.
pub(crate) fn pasts(tx: &mut Tx<'_>, of: u64, (first, last): (u64, u64)) -> Result<Vec<(u64, Past)>> {
    let sql = "SELECT id, whole_ms, took_ms, brought_ms FROM mov_accounts WHERE move = ?1 AND id BETWEEN ?2 AND ?3";
    tx.query(sql, params![of as i64, first as i64, last as i64], |row| Ok((row.int(0)? as u64, Past::read(row, 1)?)))
}

impl Past {
    /// Of `whole_ms, took_ms, brought_ms`, the first of them in this column.
    pub fn read(row: &Row<'_>, first: usize) -> Result<Self> {
        let [whole, took, brought] = [row.int(first)?, row.int(first + 1)?, row.int(first + 2)?];
        let took = Duration::from_millis(took.unsigned_abs());
        Ok(Self { whole: Timestamp(whole), took, brought: Timestamp(brought) })
    }
}

/// Remembers a pass that ended: one that brought everything, and how long it took; one that brought anything.
pub(crate) fn remember(
    tx: &mut Tx<'_>,
    mailbox: u64,
    ended: Timestamp,
    whole: Option<Duration>,
    brought: bool,
) -> Result<()> {
    let id = mailbox as i64;
    if let Some(took) = whole {
        let sql = "UPDATE mov_accounts SET whole_ms = ?2, took_ms = ?3 WHERE id = ?1";
        tx.execute(sql, params![id, ended.0, took.as_millis() as i64])?;
    }
    if brought {
        tx.execute("UPDATE mov_accounts SET brought_ms = ?2 WHERE id = ?1", params![id, ended.0])?;
    }
    Ok(())
}

/// Nothing of a mailbox was brought any more, and nothing is proven.
pub(crate) fn forget(tx: &mut Tx<'_>, mailbox: u64) -> Result<()> {
    let id = params![mailbox as i64];
    tx.execute("UPDATE mov_accounts SET whole_ms = 0, took_ms = 0, brought_ms = 0 WHERE id = ?1", id)?;
    tx.execute("DELETE FROM mov_proofs WHERE account = ?1", id).map(drop)
}

/// Keeps one, and lets the oldest of the mailbox go.
pub(crate) fn put(tx: &mut Tx<'_>, run: &Run<'_>) -> Result<()> {
    let mailbox = run.mailbox as i64;
    // Numbered within the mailbox, whose lease has one holder: passes of others that end at this moment take nothing away.
    let sql = "SELECT COALESCE(MAX(id), 0) + 1 FROM mov_runs WHERE account = ?1";
    let id = tx.query_one(sql, params![mailbox], |row| row.int(0))?.unwrap_or(1);
    tx.execute(
        "INSERT INTO mov_runs (id, account, task, began_ms, ended_ms, messages, bytes, state, note) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            id,
            mailbox,
            run.task.word(),
            run.began.0,
            run.ended.0,
            run.messages as i64,
            run.bytes as i64,
            run.state.word(),
            run.note
        ],
    )?;
    tx.execute(
        "DELETE FROM mov_runs WHERE account = ?1 AND id NOT IN \
         (SELECT id FROM mov_runs WHERE account = ?1 ORDER BY id DESC LIMIT ?2)",
        params![mailbox, KEPT],
    )
    .map(drop)
}

impl Migrate {
    /// The newest passes of mailboxes, the newest of each first.
    pub async fn runs(&self, name: &str, which: Which) -> Result<Vec<RunView>> {
        let of = self.named(name).await?.id;
        let mut views = Vec::new();
        for mailbox in self.all(of).await?.into_iter().filter(|mailbox| is_meant(mailbox, &which)) {
            let id = mailbox.id as i64;
            let found = self.read(move |tx| {
                tx.query(
                    "SELECT task, began_ms, ended_ms, messages, bytes, state, note FROM mov_runs WHERE account = ?1 ORDER BY id DESC",
                    params![id],
                    |row| {
                        let note = row.opt_text(6)?;
                        Ok(RunView {
                            login: String::new(),
                            address: String::new(),
                            wave: None,
                            task: row.text(0)?,
                            began: row.int(1)?,
                            ended: row.int(2)?,
                            messages: row.int(3)? as u64,
                            bytes: row.int(4)? as u64,
                            state: row.text(5)?,
                            zh: note.as_deref().map(in_chinese),
                            note,
                        })
                    },
                )
            });
            let (login, address, wave) = (mailbox.login, mailbox.address, mailbox.wave);
            views.extend(found.await?.into_iter().map(|run| RunView {
                login: login.clone(),
                address: address.clone(),
                wave: wave.clone(),
                ..run
            }));
        }
        Ok(views)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use anser_db::{Durability, Place, Schemas};
    use anser_testkit::engines::{NO_SCHEMAS, World};

    use super::*;

    fn run(mailbox: u64) -> Run<'static> {
        let (began, ended) = (Timestamp(0), Timestamp(1));
        Run { mailbox, task: Task::Copy, began, ended, messages: 0, bytes: 0, state: State::Settled, note: None }
    }

    #[test]
    fn passes_that_end_together_are_both_kept() {
        let Some(world) = World::postgres(Schemas { moves: crate::SCHEMA, ..NO_SCHEMAS }) else { return };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let db = world.open();
            let ((is_put, wait_put), (go_on, wait)) = (channel(), channel());
            let first = db.write(Place::Moves, Durability::Sync, move |tx| {
                put(tx, &run(1))?;
                // The transaction may be run more than once, and is told once.
                let _ = is_put.send(());
                let _ = wait.recv();
                Ok(())
            });
            wait_put.recv().unwrap();
            // While the first is not yet committed.
            db.write(Place::Moves, Durability::Sync, |tx| put(tx, &run(2))).await.unwrap();
            go_on.send(()).unwrap();
            first.await.unwrap();
            let sql = "SELECT account, id FROM mov_runs ORDER BY account";
            let read = move |tx: &mut Tx<'_>| tx.query(sql, &[], |row| Ok((row.int(0)?, row.int(1)?)));
            assert_eq!(db.read(Place::Moves, read).await.unwrap(), [(1, 1), (2, 1)]);
        });
    }
}
