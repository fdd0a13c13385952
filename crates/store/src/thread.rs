//! Conversations (RFC 8621 §3): a message joins the conversation that shares a Message-ID with it under the same base subject, the
//! oldest one when there are several; else it starts its own. A message never changes its conversation.

use std::collections::HashSet;

use anser_base::{MessageId, Result, ThreadId};
use anser_db::params;

use crate::change::{Action, Object};
use crate::codec;
use crate::model::{Message, ThreadKeys};
use crate::tx::MailTx;

/// Messages that a conversation may have left for its keys to be gone through when one leaves. Keys that a larger one keeps too long
/// are removed by `check`.
const CLOSELY: usize = 64;

impl MailTx<'_, '_> {
    pub(crate) fn join_thread(&mut self, id: MessageId, keys: &ThreadKeys) -> Result<ThreadId> {
        let mut known: Vec<(i64, ThreadId)> = Vec::new();
        for hash in &keys.ids {
            let thread = self.db.query_one(
                "SELECT MIN(thread) FROM reference WHERE account = ?1 AND hash = ?2 AND subject = ?3",
                params![self.account.to_sql(), *hash, keys.subject],
                |row| row.opt_int(0),
            )?;
            if let Some(thread) = thread.flatten() {
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

    pub(crate) fn add_to_thread(&mut self, thread: ThreadId, id: MessageId, action: Action) -> Result<()> {
        self.db.execute(
            "INSERT INTO thread (account, id, message) VALUES (?1, ?2, ?3)",
            params![self.account.to_sql(), thread.to_sql(), id.to_sql()],
        )?;
        self.record(Object::Thread(thread), action);
        Ok(())
    }

    /// Takes a message out of its conversation, and with it the keys that no other message of it has.
    pub(crate) fn leave_thread(&mut self, message: &Message) -> Result<()> {
        self.db.execute(
            "DELETE FROM thread WHERE account = ?1 AND id = ?2 AND message = ?3",
            params![self.account.to_sql(), message.thread.to_sql(), message.id.to_sql()],
        )?;
        let others = self.thread(message.thread)?;
        let action = if others.is_empty() { Action::Destroyed } else { Action::Updated };
        self.record(Object::Thread(message.thread), action);
        if others.len() > CLOSELY {
            return Ok(());
        }
        let mut kept = HashSet::new();
        for other in others {
            kept.extend(self.thread_keys(other)?.ids);
        }
        let keys = self.thread_keys(message.id)?;
        for hash in keys.ids.into_iter().filter(|hash| !kept.contains(hash)) {
            self.db.execute(
                "DELETE FROM reference WHERE account = ?1 AND hash = ?2 AND subject = ?3 AND thread = ?4",
                params![self.account.to_sql(), hash, keys.subject, message.thread.to_sql()],
            )?;
        }
        Ok(())
    }

    fn thread_keys(&mut self, id: MessageId) -> Result<ThreadKeys> {
        let keys = self.db.query_one(
            "SELECT keys FROM message WHERE account = ?1 AND id = ?2",
            params![self.account.to_sql(), id.to_sql()],
            |row| row.blob(0),
        )?;
        Ok(keys.and_then(|bytes| codec::keys_from_bytes(&bytes)).unwrap_or_default())
    }
}
