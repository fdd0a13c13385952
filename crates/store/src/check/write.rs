//! The difference between what is and what should be, written.

use anser_base::{AccountId, MailboxId, MessageId, Result};
use anser_db::{Tx, Value, params};

use super::all_changed;
use super::bodies::{Fact, Facts};
use super::rows::{MessageRow, Rows};
use crate::change::Changes;
use crate::codec;
use crate::model::{Entry, ThreadKeys};
use crate::tx::write_mailbox;

/// Writes what differs, under one new modification sequence. Clients that follow by the change log start anew.
pub(super) fn difference(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: &Rows,
    mut after: Rows,
    facts: &Facts,
) -> Result<Changes> {
    after.account.modseq += 1;
    after.account.forgotten = after.account.modseq;
    let modseq = after.account.modseq;
    tx.execute("DELETE FROM block WHERE account = ?1", params![account.to_sql()])?;
    let mut writer = Writer { tx, account: account.to_sql(), modseq };
    for (place, entry) in &mut after.entries {
        if before.entries.get(place) != Some(entry) {
            entry.modseq = modseq;
            writer.put_entry(place.0, entry)?;
        }
    }
    for (mailbox, uid) in before.entries.keys().filter(|place| !after.entries.contains_key(place)) {
        writer.remove_entry(*mailbox, *uid)?;
    }
    for (id, message) in &after.messages {
        match before.messages.get(id) {
            Some(old) if old != message => writer.put_message(*id, old, message, facts.get(id))?,
            _ => {}
        }
    }
    writer.put_pairs(before, &after)?;
    writer.free_names(before, &after)?;
    for mailbox in after.mailboxes.values_mut() {
        mailbox.modseq = modseq;
        write_mailbox(writer.tx, account, mailbox)?;
    }
    writer.put_account(&after)?;
    Ok(all_changed(account, &after))
}

struct Writer<'t, 'c> {
    tx: &'t mut Tx<'c>,
    account: i64,
    modseq: u64,
}

impl Writer<'_, '_> {
    fn run(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        self.tx.execute(sql, params).map(drop)
    }

    fn put_entry(&mut self, mailbox: MailboxId, entry: &Entry) -> Result<()> {
        let account = self.account;
        self.run(
            "INSERT INTO entry (account, mailbox, uid, message, modseq, flags, keywords, size, received, zone, saved) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (account, mailbox, uid) \
             DO UPDATE SET modseq = excluded.modseq, flags = excluded.flags, size = excluded.size",
            &[params![account, mailbox.to_sql()], &codec::entry_values(entry)].concat(),
        )
    }

    fn remove_entry(&mut self, mailbox: MailboxId, uid: u32) -> Result<()> {
        let (account, modseq) = (self.account, self.modseq as i64);
        self.run(
            "DELETE FROM entry WHERE account = ?1 AND mailbox = ?2 AND uid = ?3",
            params![account, mailbox.to_sql(), uid],
        )?;
        self.run(
            "INSERT INTO vanished (account, mailbox, modseq, first, last) VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO NOTHING",
            params![account, mailbox.to_sql(), modseq, uid],
        )
    }

    fn put_message(&mut self, id: MessageId, old: &MessageRow, new: &MessageRow, fact: Option<&Fact>) -> Result<()> {
        let account = self.account;
        let places = codec::places_to_bytes(new.places.as_deref().unwrap_or_default());
        self.run(
            "UPDATE message SET places = ?3, blob_size = ?4 WHERE account = ?1 AND id = ?2",
            params![account, id.to_sql(), &places, new.blob_size as i64],
        )?;
        if old.fields != new.fields {
            // The body tells them, and they are kept when they are next asked for.
            let sql = "DELETE FROM header WHERE account = ?1 AND message = ?2";
            self.run(sql, params![account, id.to_sql()])?;
        }
        let has_other = old.derived != new.derived || old.keys != new.keys;
        if let (Some(Fact::Other(content)), true) = (fact, has_other) {
            let keys: &ThreadKeys = &content.thread_keys;
            self.run(
                "UPDATE message SET summary = ?3, structure = ?4, keys = ?5 WHERE account = ?1 AND id = ?2",
                params![
                    account,
                    id.to_sql(),
                    &content.summary[..],
                    &content.structure[..],
                    &codec::keys_to_bytes(keys)
                ],
            )?;
        }
        Ok(())
    }

    /// Conversations and references.
    fn put_pairs(&mut self, before: &Rows, after: &Rows) -> Result<()> {
        let account = self.account;
        for (thread, message) in before.threads.difference(&after.threads) {
            let sql = "DELETE FROM thread WHERE account = ?1 AND id = ?2 AND message = ?3";
            self.run(sql, params![account, thread.to_sql(), message.to_sql()])?;
        }
        for (thread, message) in after.threads.difference(&before.threads) {
            let sql = "INSERT INTO thread (account, id, message) VALUES (?1, ?2, ?3)";
            self.run(sql, params![account, thread.to_sql(), message.to_sql()])?;
        }
        for (hash, subject, thread) in before.references.difference(&after.references) {
            let sql = "DELETE FROM reference WHERE account = ?1 AND hash = ?2 AND subject = ?3 AND thread = ?4";
            self.run(sql, params![account, *hash, *subject, thread.to_sql()])?;
        }
        for (hash, subject, thread) in after.references.difference(&before.references) {
            let sql = "INSERT INTO reference (account, hash, subject, thread) VALUES (?1, ?2, ?3, ?4)";
            self.run(sql, params![account, *hash, *subject, thread.to_sql()])?;
        }
        Ok(())
    }

    /// A name that moves from one mailbox to another must be free in between.
    fn free_names(&mut self, before: &Rows, after: &Rows) -> Result<()> {
        let account = self.account;
        for (id, old) in &before.mailboxes {
            let stays = after.mailboxes.get(id).is_some_and(|new| (&new.name, new.parent) == (&old.name, old.parent));
            if !stays {
                let free = format!("\u{1}{id}");
                let sql = "UPDATE mailbox SET name = ?3 WHERE account = ?1 AND id = ?2";
                self.run(sql, params![account, id.to_sql(), &free])?;
            }
        }
        Ok(())
    }

    fn put_account(&mut self, rows: &Rows) -> Result<()> {
        let (account, row) = (self.account, &rows.account);
        self.run(
            "INSERT INTO account (account, next_id, modseq, uidvalidity, used, messages, forgotten) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (account) DO UPDATE SET next_id = excluded.next_id, \
             modseq = excluded.modseq, uidvalidity = excluded.uidvalidity, used = excluded.used, \
             messages = excluded.messages, forgotten = excluded.forgotten",
            params![
                account,
                row.next_id as i64,
                row.modseq as i64,
                row.uidvalidity,
                row.used as i64,
                row.messages as i64,
                row.forgotten as i64
            ],
        )
    }
}
