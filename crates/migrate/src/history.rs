//! What passes came to: of each mailbox the newest are kept.

use anser_base::{Result, Timestamp};
use anser_db::{Tx, params};
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::model::{State, Task};
use crate::rows;
use crate::which::{Which, is_meant};

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

/// Keeps one, and lets the oldest of the mailbox go.
pub(crate) fn put(tx: &mut Tx<'_>, run: &Run<'_>) -> Result<()> {
    let (id, mailbox) = (rows::next(tx, "mov_runs")?, run.mailbox as i64);
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
                            note: row.opt_text(6)?,
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
