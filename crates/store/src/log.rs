//! The change log, read: what came, changed and went since a state (RFC 8620 §5.2).

use std::sync::Arc;

use anser_base::{MessageId, Result, ThreadId};
use anser_db::params;

use crate::change::{Action, Object};
use crate::record::RecordKind;
use crate::tx::MailTx;

/// A place in the change log: everything up to this line was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogPoint {
    /// The modification sequence of the transaction.
    pub modseq: u64,
    /// Kind and number of the last object of it that was seen; `None` after its last.
    pub within: Option<(i64, i64)>,
}

impl LogPoint {
    /// After everything that a transaction and those before it did.
    pub fn after(modseq: u64) -> Self {
        Self { modseq, within: None }
    }
}

/// Which lines of the log are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logged {
    /// Mailboxes and their counters.
    Mailboxes,
    /// Messages.
    Messages,
    /// Conversations.
    Threads,
    /// Messages and conversations.
    MessagesAndThreads,
    /// Records of a kind.
    Records(RecordKind),
}

impl Logged {
    fn kinds(self) -> [i64; 2] {
        match self {
            Self::Mailboxes => [1, 2],
            Self::Messages => [3, 3],
            Self::Threads => [4, 4],
            Self::MessagesAndThreads => [3, 4],
            Self::Records(kind) => [kind.to_sql(); 2],
        }
    }
}

/// One line of the change log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where it stands: to go on behind it.
    pub at: LogPoint,
    /// What it is about.
    pub object: Object,
    /// What happened to it.
    pub action: Action,
}

impl MailTx<'_, '_> {
    /// The lines behind a place in the log, in order, at most `limit`. `None` when the log does not reach back to it, since the account
    /// was mended, or when it was never there: who asks has to look at everything anew.
    pub fn logged_after(&mut self, point: LogPoint, what: Logged, limit: usize) -> Result<Option<Vec<LogLine>>> {
        let forgotten = self.state.forgotten;
        let reaches_back = point.modseq > forgotten || point == LogPoint::after(forgotten);
        if !reaches_back || point.modseq > self.state.modseq {
            return Ok(None);
        }
        let [first, last] = what.kinds();
        let (kind, id) = point.within.unwrap_or((i64::MAX, i64::MAX));
        let lines = self.db.query(
            "SELECT modseq, kind, id, action FROM change WHERE account = ?1 AND modseq >= ?2 AND kind BETWEEN ?3 AND ?4 \
             AND (modseq > ?2 OR kind > ?5 OR (kind = ?5 AND id > ?6)) ORDER BY modseq, kind, id LIMIT ?7",
            params![self.account.to_sql(), point.modseq as i64, first, last, kind, id, limit as i64],
            |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?)),
        )?;
        let line = |(modseq, kind, id, action): (i64, i64, i64, i64)| {
            let at = LogPoint { modseq: modseq as u64, within: Some((kind, id)) };
            Some(LogLine { at, object: Object::from_sql(kind, id)?, action: Action::from_sql(action) })
        };
        Ok(Some(lines.into_iter().filter_map(line).collect()))
    }

    /// What the transaction of this modification sequence did with an object; `None` when the log has no line of that.
    pub fn logged_at(&mut self, modseq: u64, object: Object) -> Result<Option<Action>> {
        let (kind, id) = object.to_sql();
        self.db.query_one(
            "SELECT action FROM change WHERE account = ?1 AND modseq = ?2 AND kind = ?3 AND id = ?4",
            params![self.account.to_sql(), modseq as i64, kind, id],
            |row| Ok(Action::from_sql(row.int(0)?)),
        )
    }
}

/// Which conversation each message of an account is in. A message never changes its conversation, so that this only grows; messages
/// that are gone may still be in it.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    /// By message.
    all: Arc<Vec<(MessageId, ThreadId)>>,
}

impl Threads {
    /// The conversation of a message.
    pub fn of(&self, id: MessageId) -> Option<ThreadId> {
        self.near(id, &mut 0)
    }

    /// The same, looked for beside a place that is moved along: for lists that more or less ascend or descend.
    pub fn near(&self, id: MessageId, hint: &mut usize) -> Option<ThreadId> {
        for beside in [hint.wrapping_add(1), hint.wrapping_sub(1)] {
            if let Some((_, thread)) = self.all.get(beside).filter(|(other, _)| *other == id) {
                *hint = beside;
                return Some(*thread);
            }
        }
        *hint = self.all.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.all[*hint].1)
    }

    /// How many messages it tells of.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether it tells of none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl MailTx<'_, '_> {
    /// What is known, and the messages that came since.
    pub fn threads(&mut self, known: Threads) -> Result<Threads> {
        let last = known.all.last().map(|(id, _)| *id);
        if last.is_some_and(|last| last.0 + 1 >= self.state.next_id) {
            return Ok(known);
        }
        // The table of conversations is narrow; what is at the end of the other is few rows.
        let sql = match last {
            None => "SELECT message, id FROM thread WHERE account = ?1 AND message > ?2",
            Some(_) => "SELECT id, thread FROM message WHERE account = ?1 AND id > ?2 ORDER BY id",
        };
        let mut new = Vec::new();
        self.db.for_each(sql, params![self.account.to_sql(), last.map_or(0, MessageId::to_sql)], |row| {
            new.push((MessageId::from_sql(row.int(0)?), ThreadId::from_sql(row.int(1)?)));
            Ok(())
        })?;
        if new.is_empty() {
            return Ok(known);
        }
        new.sort_unstable();
        let mut all = known.all;
        Arc::make_mut(&mut all).append(&mut new);
        Ok(Threads { all })
    }
}
