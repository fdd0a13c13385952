//! Conversations (RFC 8621 §3): a message joins the conversation that shares a Message-ID with it under the same base subject, the
//! oldest one when there are several; else it starts its own. A message never changes its conversation.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anser_base::{MessageId, Result, ThreadId};
use anser_db::params;

use crate::bulk::{Brief, filled, list};
use crate::change::{Action, Object};
use crate::model::{Content, ThreadKeys};
use crate::tx::MailTx;

/// Messages that a conversation may have left for its keys to be gone through when one leaves. Keys that a larger one keeps too long
/// are removed by `check`.
const CLOSELY: usize = 64;

impl MailTx<'_, '_> {
    pub(crate) fn join_thread(&mut self, id: MessageId, keys: &ThreadKeys) -> Result<ThreadId> {
        let mut known: Vec<(i64, ThreadId)> = Vec::new();
        for hash in &keys.ids {
            if let Some(thread) = self.thread_by(*hash, keys.subject)? {
                known.push((*hash, ThreadId::from_sql(thread)));
            }
        }
        let oldest = known.iter().map(|(_, thread)| *thread).min();
        let (thread, action) = match oldest {
            Some(thread) => (thread, Action::Updated),
            None => (ThreadId(id.0), Action::Created),
        };
        for hash in &keys.ids {
            if !known.contains(&(*hash, thread)) {
                self.db.execute(
                    "INSERT INTO reference (account, hash, subject, thread) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                    params![self.account.to_sql(), *hash, keys.subject, thread.to_sql()],
                )?;
            }
        }
        self.add_to_thread(thread, id, action)?;
        Ok(thread)
    }

    /// The newest messages of the conversation that a message with this content would join, at most `limit`.
    pub fn conversation_of(&mut self, content: &Content, limit: usize) -> Result<Vec<MessageId>> {
        let (keys, account) = (&content.thread_keys, self.account.to_sql());
        let mut oldest: Option<i64> = None;
        for hash in &keys.ids {
            let thread = self.thread_by(*hash, keys.subject)?;
            oldest = [oldest, thread].into_iter().flatten().min();
        }
        let Some(thread) = oldest else { return Ok(Vec::new()) };
        self.db.query(
            "SELECT message FROM thread WHERE account = ?1 AND id = ?2 ORDER BY message DESC LIMIT ?3",
            params![account, thread, limit as i64],
            |row| Ok(MessageId::from_sql(row.int(0)?)),
        )
    }

    fn thread_by(&mut self, hash: i64, subject: i64) -> Result<Option<i64>> {
        let thread = self.db.query_one(
            "SELECT MIN(thread) FROM reference WHERE account = ?1 AND hash = ?2 AND subject = ?3",
            params![self.account.to_sql(), hash, subject],
            |row| row.opt_int(0),
        )?;
        Ok(thread.flatten())
    }

    pub(crate) fn add_to_thread(&mut self, thread: ThreadId, id: MessageId, action: Action) -> Result<()> {
        self.db.execute(
            "INSERT INTO thread (account, id, message) VALUES (?1, ?2, ?3)",
            params![self.account.to_sql(), thread.to_sql(), id.to_sql()],
        )?;
        self.record(Object::Thread(thread), action);
        Ok(())
    }

    /// Takes messages that are about to be destroyed out of their conversations, and with them the keys that no other message has.
    /// Conversations that end are removed together, the others message by message.
    pub(crate) fn leave_threads(&mut self, doomed: &[(MessageId, Brief, u64)]) -> Result<()> {
        let ended = self.ended_threads(doomed)?;
        let (mut keys, mut threads): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
        for (id, brief, _) in doomed {
            match ended.contains(&brief.thread) {
                true => keys.extend(&brief.keys.ids),
                false => self.leave_thread(*id, brief)?,
            }
        }
        for thread in ended {
            threads.push(thread.to_sql());
            self.record(Object::Thread(thread), Action::Destroyed);
        }
        self.execute_list("DELETE FROM thread WHERE account = ?1 AND id IN ", &[], &threads)?;
        for threads in filled(&threads) {
            let sql = format!(
                "DELETE FROM reference WHERE account = ?1 AND thread IN ({}) AND hash IN ",
                list(2, threads.len())
            );
            self.execute_list(&sql, &threads, &keys)?;
        }
        Ok(())
    }

    /// Conversations that have no message besides these.
    fn ended_threads(&mut self, doomed: &[(MessageId, Brief, u64)]) -> Result<BTreeSet<ThreadId>> {
        let mut left: BTreeMap<ThreadId, i64> = BTreeMap::new();
        for (_, brief, _) in doomed {
            *left.entry(brief.thread).or_default() += 1;
        }
        let ids: Vec<i64> = left.keys().map(|thread| thread.to_sql()).collect();
        for piece in filled(&ids) {
            let sql = format!(
                "SELECT id, COUNT(*) FROM thread WHERE account = ?1 AND id IN ({}) GROUP BY id",
                list(2, piece.len())
            );
            let values = self.numbers(&[], &piece);
            self.db.for_each(&sql, &values, |row| {
                *left.entry(ThreadId::from_sql(row.int(0)?)).or_default() -= row.int(1)?;
                Ok(())
            })?;
        }
        Ok(left.into_iter().filter(|(_, left)| *left == 0).map(|(thread, _)| thread).collect())
    }

    fn leave_thread(&mut self, id: MessageId, brief: &Brief) -> Result<()> {
        let (account, thread) = (self.account.to_sql(), brief.thread.to_sql());
        self.db.execute(
            "DELETE FROM thread WHERE account = ?1 AND id = ?2 AND message = ?3",
            params![account, thread, id.to_sql()],
        )?;
        self.record(Object::Thread(brief.thread), Action::Updated);
        let others = self.db.query(
            "SELECT message FROM thread WHERE account = ?1 AND id = ?2 ORDER BY message LIMIT ?3",
            params![account, thread, CLOSELY as i64 + 1],
            |row| Ok(MessageId::from_sql(row.int(0)?)),
        )?;
        if others.len() > CLOSELY {
            return Ok(());
        }
        let kept: HashSet<i64> = self.briefs(&others)?.into_values().flat_map(|other| other.keys.ids).collect();
        for hash in brief.keys.ids.iter().filter(|hash| !kept.contains(hash)) {
            self.db.execute(
                "DELETE FROM reference WHERE account = ?1 AND hash = ?2 AND subject = ?3 AND thread = ?4",
                params![account, *hash, brief.keys.subject, thread],
            )?;
        }
        Ok(())
    }
}
