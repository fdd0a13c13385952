//! Messages come in, are copied and moved.

use std::collections::HashMap;
use std::sync::Arc;

use anser_base::{BlobId, Class, EntryId, Error, MailboxId, MessageId, Result, ThreadId, Timestamp};
use anser_db::{Row, params};
use bytes::Bytes;

use crate::bulk::pieces;
use crate::change::{Action, Object};
use crate::codec;
use crate::content::ListingRow;
use crate::model::{Appended, Content, Entry, Flags, Message, NewMessage, ThreadKeys};
use crate::tx::MailTx;

/// How long the key of a local delivery is remembered, in milliseconds: longer than any backup of the queue may lag behind one of
/// the account.
const DELIVERY_MEMORY: i64 = 14 * 24 * 3600 * 1000;
/// Old delivery keys are looked for at one delivery in this many.
const PRUNE_EVERY: u64 = 64;

impl MailTx<'_, '_> {
    /// Stores a message. `Ok(None)` when this delivery was made before. `Class::OverQuota` when the account has no room,
    /// `Class::NotFound` when a mailbox is missing. The body must be in `blob` already.
    pub fn append(&mut self, new: &NewMessage) -> Result<Option<Appended>> {
        self.require_writing()?;
        if let Some(entry) = new.delivery
            && !self.note_delivery(entry)?
        {
            return Ok(None);
        }
        let size = new.content.size + new.prefix.len() as u64;
        self.check_quota(new.quota, size)?;
        let id = MessageId(self.next_id());
        let thread = self.join_thread(id, &new.content.thread_keys)?;
        let mut places = Vec::with_capacity(new.mailboxes.len());
        for mailbox in &new.mailboxes {
            let (uidvalidity, uid) = self.place(*mailbox, id, new, size)?;
            places.push((*mailbox, uidvalidity, uid));
        }
        if places.is_empty() {
            return Err(Error::invalid("a message needs a mailbox", "邮件必须放在某个文件夹中"));
        }
        self.insert_message(id, thread, new, &places)?;
        self.insert_fields(id, new.content.fields.as_ref())?;
        self.state.used += size;
        self.state.messages += 1;
        self.record(Object::Message(id), Action::Created);
        Ok(Some(Appended { message: id, places }))
    }

    /// Whether this delivery is new; notes it when it is. [`Self::append`] does so by itself for a message with a `delivery`; one
    /// delivery that stores several messages, or none, is noted here first.
    pub fn note_delivery(&mut self, entry: EntryId) -> Result<bool> {
        self.require_writing()?;
        let inserted = self.db.execute(
            "INSERT INTO delivered (account, entry, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![self.account.to_sql(), entry.to_sql(), self.now.0],
        )?;
        if inserted > 0 && self.state.modseq.is_multiple_of(PRUNE_EVERY) {
            self.db.execute(
                "DELETE FROM delivered WHERE account = ?1 AND at < ?2",
                params![self.account.to_sql(), self.now.0 - DELIVERY_MEMORY],
            )?;
            self.forget()?;
        }
        Ok(inserted > 0)
    }

    /// Whether this delivery was made before.
    pub fn was_delivered(&mut self, entry: EntryId) -> Result<bool> {
        let found = self.db.query_one(
            "SELECT 1 FROM delivered WHERE account = ?1 AND entry = ?2",
            params![self.account.to_sql(), entry.to_sql()],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn check_quota(&self, quota: Option<u64>, size: u64) -> Result<()> {
        match quota {
            Some(limit) if self.state.used + size > limit => {
                Err(Error::new(Class::OverQuota, "the mailbox is full", "邮箱空间已满"))
            }
            _ => Ok(()),
        }
    }

    fn place(&mut self, mailbox: MailboxId, id: MessageId, new: &NewMessage, size: u64) -> Result<(u32, u32)> {
        let uid = self.take_uid(mailbox, new.uid)?;
        let entry = Entry {
            uid,
            flags: Flags(new.flags.0 & Flags::ALL.0),
            size,
            message: id,
            modseq: self.modseq(),
            received: new.received,
            zone: new.zone,
            saved: self.now,
            keywords: new.keywords.clone(),
        };
        self.insert_entries(mailbox, vec![entry])?;
        Ok((self.mailbox(mailbox)?.uidvalidity, uid))
    }

    /// The next UID, or the wanted one when it is reserved, or no UID at or above it was given yet.
    fn take_uid(&mut self, mailbox: MailboxId, wanted: Option<u32>) -> Result<u32> {
        if let Some(uid) = wanted
            && self.take_reserved(mailbox, uid)?
        {
            return Ok(uid);
        }
        let mailbox = self.mailbox_mut(mailbox)?;
        let uid = wanted.unwrap_or(0).max(mailbox.uidnext);
        mailbox.uidnext = uid
            .checked_add(1)
            .ok_or_else(|| Error::new(Class::Limit, "the mailbox has given out every UID", "该文件夹的 UID 已用尽"))?;
        Ok(uid)
    }

    /// Moves a mailbox's counters from one state of an entry to another and marks the mailbox as changed.
    pub(crate) fn count(&mut self, mailbox: MailboxId, old: Option<&Entry>, new: Option<&Entry>) -> Result<()> {
        let modseq = self.modseq();
        let row = self.mailbox_mut(mailbox)?;
        row.modseq = modseq;
        if let Some(entry) = old {
            row.total = row.total.saturating_sub(1);
            row.size = row.size.saturating_sub(entry.size);
            row.unseen = row.unseen.saturating_sub(u64::from(!entry.flags.has(Flags::SEEN)));
            row.deleted = row.deleted.saturating_sub(u64::from(entry.flags.has(Flags::DELETED)));
        }
        if let Some(entry) = new {
            row.total += 1;
            row.size += entry.size;
            row.unseen += u64::from(!entry.flags.has(Flags::SEEN));
            row.deleted += u64::from(entry.flags.has(Flags::DELETED));
        }
        if self.dirty.insert(mailbox) {
            self.record(Object::Counts(mailbox), Action::Updated);
        }
        Ok(())
    }

    fn insert_message(
        &mut self,
        id: MessageId,
        thread: ThreadId,
        new: &NewMessage,
        places: &[(MailboxId, u32, u32)],
    ) -> Result<()> {
        let mut sorted: Vec<(MailboxId, u32)> = places.iter().map(|(mailbox, _, uid)| (*mailbox, *uid)).collect();
        sorted.sort_unstable();
        self.db.execute(
            "INSERT INTO message (account, id, thread, blob, blob_size, prefix, received, zone, uidl, places, keys, summary, \
             structure, line_ends) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                self.account.to_sql(),
                id.to_sql(),
                thread.to_sql(),
                &new.content.blob.0[..],
                new.content.size as i64,
                &new.prefix[..],
                new.received.0,
                i64::from(new.zone),
                new.uidl.as_deref(),
                &codec::places_to_bytes(&sorted),
                &codec::keys_to_bytes(&new.content.thread_keys),
                &new.content.summary[..],
                &new.content.structure[..],
                new.line_ends.as_deref()
            ],
        )?;
        Ok(())
    }

    /// The messages with numbers above this one, ascending, at most `limit`.
    pub(crate) fn messages_after(&mut self, id: MessageId, limit: usize) -> Result<Vec<Message>> {
        self.db.query(
            &format!("{SELECT_MESSAGE} WHERE account = ?1 AND id > ?2 ORDER BY id LIMIT ?3"),
            params![self.account.to_sql(), id.to_sql(), limit as i64],
            read_message,
        )
    }

    /// The messages with numbers from–to.
    pub(crate) fn messages_between(&mut self, first: MessageId, last: MessageId) -> Result<Vec<Message>> {
        self.db.query(
            &format!("{SELECT_MESSAGE} WHERE account = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id"),
            params![self.account.to_sql(), first.to_sql(), last.to_sql()],
            read_message,
        )
    }

    /// Messages that were destroyed after a modification sequence, in the order of their destruction, each with its own; at most
    /// `limit`.
    pub(crate) fn destroyed_after(&mut self, modseq: u64, limit: usize) -> Result<Vec<(u64, MessageId)>> {
        let (kind, _) = Object::Message(MessageId(0)).to_sql();
        self.db.query(
            "SELECT modseq, id FROM change WHERE account = ?1 AND modseq > ?2 AND kind = ?3 AND action = ?4 \
             ORDER BY modseq, id LIMIT ?5",
            params![self.account.to_sql(), modseq as i64, kind, Action::Destroyed.to_sql(), limit as i64],
            |row| Ok((row.int(0)? as u64, MessageId::from_sql(row.int(1)?))),
        )
    }

    /// The number that the next message gets or exceeds.
    pub(crate) fn next_message(&self) -> MessageId {
        MessageId(self.state.next_id)
    }

    /// A message by its number.
    pub fn message(&mut self, id: MessageId) -> Result<Option<Message>> {
        self.db.query_one(
            &format!("{SELECT_MESSAGE} WHERE account = ?1 AND id = ?2"),
            params![self.account.to_sql(), id.to_sql()],
            read_message,
        )
    }

    /// The listings of messages, in the order of their numbers as given; `None` where there is no such message. Numbers without great
    /// gaps, as those of a mailbox are, are read in one scan.
    pub fn listing_rows(&mut self, ids: &[MessageId]) -> Result<Vec<Option<ListingRow>>> {
        let mut found = HashMap::with_capacity(ids.len());
        self.each_of("SELECT id, summary, keys FROM message", "id", ids, |row| {
            found.insert(row.int(0)?, ListingRow { summary: row.blob(1)?, keys: row.blob(2)? });
            Ok(())
        })?;
        Ok(ids.iter().map(|id| found.get(&id.to_sql()).cloned()).collect())
    }

    /// The bodies that the account's messages refer to, and those that were uploaded, for the sweeper; 32 bytes each.
    pub fn bodies(&mut self) -> Result<Vec<BlobId>> {
        let sql = "SELECT blob FROM message WHERE account = ?1 UNION ALL \
             SELECT blob FROM upload WHERE account = ?1 AND until > ?2";
        self.db.query(sql, params![self.account.to_sql(), self.now.0], |row| {
            BlobId::from_slice(&row.blob(0)?).ok_or_else(|| Error::damaged("a body's address has a wrong length"))
        })
    }

    /// The messages of a conversation, oldest number first.
    pub fn thread(&mut self, id: ThreadId) -> Result<Vec<MessageId>> {
        self.db.query(
            "SELECT message FROM thread WHERE account = ?1 AND id = ?2 ORDER BY message",
            params![self.account.to_sql(), id.to_sql()],
            |row| Ok(MessageId::from_sql(row.int(0)?)),
        )
    }

    /// Copies messages into another mailbox as messages of their own (RFC 9051 §6.4.7): flags, keywords and dates kept, in UID
    /// order. All or nothing. UIDs that are gone are left out. Returns pairs of old and new UID.
    pub fn copy(
        &mut self,
        from: MailboxId,
        uids: &[u32],
        to: MailboxId,
        quota: Option<u64>,
    ) -> Result<Vec<(u32, u32)>> {
        self.require_writing()?;
        self.mailbox(to)?;
        let entries = self.entries_of(from, uids)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for piece in pieces(&entries) {
            self.check_quota(quota, piece.iter().map(|entry| entry.size).sum())?;
            self.duplicate(from, piece, to, &mut pairs)?;
        }
        Ok(pairs)
    }

    fn duplicate(
        &mut self,
        from: MailboxId,
        entries: &[Entry],
        to: MailboxId,
        pairs: &mut Vec<(u32, u32)>,
    ) -> Result<()> {
        let ids: Vec<MessageId> = entries.iter().map(|entry| entry.message).collect();
        let briefs = self.briefs(&ids)?;
        let (mut copies, mut members, mut placed) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let brief = briefs.get(&entry.message).ok_or_else(|| dangling(from, entry.uid))?;
            let (id, uid, modseq) = (MessageId(self.next_id()), self.take_uid(to, None)?, self.modseq());
            copies.push((entry.message, id, (to, uid)));
            members.push([brief.thread.to_sql(), id.to_sql()]);
            placed.push(Entry { uid, message: id, modseq, saved: self.now, ..entry.clone() });
            pairs.push((entry.uid, uid));
            self.record(Object::Thread(brief.thread), Action::Updated);
            self.record(Object::Message(id), Action::Created);
            self.state.used += entry.size;
            self.state.messages += 1;
        }
        if !self.copy_messages(&copies)? {
            return Err(Error::damaged(format!("a message of mailbox {from} is in it twice")));
        }
        self.insert_numbers("INSERT INTO thread (account, id, message)", "", &members)?;
        self.insert_entries(to, placed)
    }

    /// What [`Self::append`] stores when messages of this account are copied into a mailbox of another one of the same tenant: body, own
    /// header fields, flags, keywords and dates kept. With the UIDs here; UIDs that are gone are left out.
    pub fn to_be_copied(
        &mut self,
        from: MailboxId,
        uids: &[u32],
        to: MailboxId,
        quota: Option<u64>,
    ) -> Result<Vec<(u32, NewMessage)>> {
        let entries = self.entries_of(from, uids)?;
        let mut copies = Vec::with_capacity(entries.len());
        for piece in pieces(&entries) {
            let ids: Vec<MessageId> = piece.iter().map(|entry| entry.message).collect();
            let mut briefs = self.briefs(&ids)?;
            for entry in piece {
                let message = self.message(entry.message)?.ok_or_else(|| dangling(from, entry.uid))?;
                let keys = briefs.remove(&entry.message).map(|brief| brief.keys).unwrap_or_default();
                let fields = self.fields(entry.message)?;
                copies.push((entry.uid, copy_of(message, fields, keys, entry, to, quota)));
            }
        }
        Ok(copies)
    }

    /// Moves messages into another mailbox (RFC 6851): the message keeps its number. All or nothing; UIDs that are gone are left
    /// out; a message that is in the target already only leaves the source. Returns pairs of old and new UID.
    pub fn move_to(&mut self, from: MailboxId, uids: &[u32], to: MailboxId) -> Result<Vec<(u32, u32)>> {
        self.require_writing()?;
        self.mailbox(to)?;
        let entries = self.entries_of(from, uids)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for piece in pieces(&entries) {
            self.move_piece(from, piece, to, None, &mut pairs)?;
        }
        Ok(pairs)
    }

    /// Moves one message as [`Self::move_to`] does, to the UID that [`NewMessage::uid`] would give a new one. Its UID there; `None` when
    /// `from` has no such message.
    pub fn move_at(&mut self, from: MailboxId, uid: u32, to: MailboxId, wanted: Option<u32>) -> Result<Option<u32>> {
        self.require_writing()?;
        self.mailbox(to)?;
        let entries = self.entries_of(from, &[uid])?;
        let mut pairs = Vec::with_capacity(1);
        self.move_piece(from, &entries, to, wanted, &mut pairs)?;
        Ok(pairs.first().map(|(_, uid)| *uid))
    }

    /// `wanted` is for one entry.
    fn move_piece(
        &mut self,
        from: MailboxId,
        entries: &[Entry],
        to: MailboxId,
        wanted: Option<u32>,
        pairs: &mut Vec<(u32, u32)>,
    ) -> Result<()> {
        let ids: Vec<MessageId> = entries.iter().map(|entry| entry.message).collect();
        let mut briefs = self.briefs(&ids)?;
        let (mut placed, mut places) = (Vec::new(), Vec::new());
        for entry in entries {
            let brief = briefs.remove(&entry.message).ok_or_else(|| dangling(from, entry.uid))?;
            let mut at = brief.places;
            at.retain(|place| *place != (from, entry.uid));
            let present = at.iter().find(|(mailbox, _)| *mailbox == to).map(|(_, uid)| *uid);
            let uid = match present {
                Some(uid) => uid,
                None => {
                    let (uid, modseq) = (self.take_uid(to, wanted)?, self.modseq());
                    placed.push(Entry { uid, modseq, saved: self.now, ..entry.clone() });
                    at.push((to, uid));
                    uid
                }
            };
            at.sort_unstable();
            places.push((entry.message, at));
            pairs.push((entry.uid, uid));
            self.record(Object::Message(entry.message), Action::Updated);
        }
        self.insert_entries(to, placed)?;
        self.write_places(&places)?;
        self.remove_entries(from, entries)
    }

    /// Puts a message into one more mailbox (RFC 8621 §4.1.1 `mailboxIds`), with its flags but `\Deleted`. Returns its UID there.
    pub fn add_place(&mut self, id: MessageId, mailbox: MailboxId) -> Result<u32> {
        self.add_place_at(id, mailbox, None)
    }

    /// The same with the wanted UID, when it is reserved, or no UID at or above it was given yet.
    pub fn add_place_at(&mut self, id: MessageId, mailbox: MailboxId, wanted: Option<u32>) -> Result<u32> {
        self.require_writing()?;
        let mut message = self.message(id)?.ok_or_else(|| Error::not_found("no such message", "没有此邮件"))?;
        if let Some((_, uid)) = message.places.iter().find(|(place, _)| *place == mailbox) {
            return Ok(*uid);
        }
        let Some((at, uid)) = message.places.first().copied() else {
            return Err(Error::damaged(format!("message {id} is in no mailbox")));
        };
        let entry = self.entry(at, uid)?.ok_or_else(|| dangling(at, uid))?;
        let uid = self.take_uid(mailbox, wanted)?;
        let modseq = self.modseq();
        let flags = entry.flags.without(Flags::DELETED);
        self.insert_entries(mailbox, vec![Entry { uid, modseq, flags, saved: self.now, ..entry }])?;
        message.places.push((mailbox, uid));
        message.places.sort_unstable();
        self.write_places(&[(id, message.places)])?;
        self.record(Object::Message(id), Action::Updated);
        Ok(uid)
    }

    /// The unique ids that messages of a mailbox were imported with ([`NewMessage::uidl`]), by UID, ascending.
    pub fn imported_uidls(&mut self, mailbox: MailboxId) -> Result<Vec<(u32, String)>> {
        let rows = self.db.query(
            "SELECT places, uidl FROM message WHERE account = ?1 AND uidl IS NOT NULL",
            params![self.account.to_sql()],
            |row| Ok((codec::places_from_bytes(&row.blob(0)?).unwrap_or_default(), row.text(1)?)),
        )?;
        let here = |(places, uidl): (Vec<(MailboxId, u32)>, String)| {
            places.into_iter().find(|(at, _)| *at == mailbox).map(|(_, uid)| (uid, uidl))
        };
        let mut found: Vec<(u32, String)> = rows.into_iter().filter_map(here).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Gives messages the unique ids that they have at the server that they came from, as [`NewMessage::uidl`]. UIDs that are gone are
    /// left out.
    pub fn set_uidls(&mut self, mailbox: MailboxId, uidls: &[(u32, String)]) -> Result<()> {
        self.require_writing()?;
        for (uid, uidl) in uidls {
            let Some(entry) = self.entry(mailbox, *uid)? else { continue };
            self.db.execute(
                "UPDATE message SET uidl = ?3 WHERE account = ?1 AND id = ?2",
                params![self.account.to_sql(), entry.message.to_sql(), uidl],
            )?;
        }
        Ok(())
    }

    /// Makes messages forget the unique id that they were imported with, because another message of the mailbox has the same. UIDs
    /// that are gone are left out.
    pub fn forget_uidls(&mut self, mailbox: MailboxId, uids: &[u32]) -> Result<()> {
        self.require_writing()?;
        for uid in uids {
            let Some(entry) = self.entry(mailbox, *uid)? else { continue };
            self.db.execute(
                "UPDATE message SET uidl = NULL WHERE account = ?1 AND id = ?2",
                params![self.account.to_sql(), entry.message.to_sql()],
            )?;
        }
        Ok(())
    }
}

fn copy_of(
    message: Message,
    fields: Option<Bytes>,
    keys: ThreadKeys,
    entry: &Entry,
    to: MailboxId,
    quota: Option<u64>,
) -> NewMessage {
    let content = Content {
        blob: message.blob,
        size: message.blob_size,
        summary: message.summary.into(),
        structure: message.structure.into(),
        fields,
        thread_keys: Arc::new(keys),
    };
    let new = NewMessage::new(content, to, entry.received);
    let (flags, keywords, zone) = (entry.flags, entry.keywords.clone(), entry.zone);
    let (prefix, line_ends) = (message.prefix, message.line_ends);
    NewMessage { prefix, flags, keywords, zone, quota, line_ends, ..new }
}

pub(crate) const SELECT_MESSAGE: &str = "SELECT id, thread, blob, blob_size, prefix, received, zone, uidl, places, summary, structure, line_ends FROM message";

pub(crate) fn read_message(row: &Row<'_>) -> Result<Message> {
    Ok(Message {
        id: MessageId::from_sql(row.int(0)?),
        thread: ThreadId::from_sql(row.int(1)?),
        blob: BlobId::from_slice(&row.blob(2)?).ok_or_else(|| Error::damaged("a blob address is not 32 bytes"))?,
        blob_size: row.int(3)? as u64,
        prefix: row.blob(4)?.into(),
        received: Timestamp(row.int(5)?),
        zone: row.int(6)? as i16,
        uidl: row.opt_text(7)?,
        places: codec::places_from_bytes(&row.blob(8)?).ok_or_else(|| Error::damaged("a list of places is broken"))?,
        summary: row.blob(9)?,
        structure: row.blob(10)?,
        line_ends: row.opt_blob(11)?,
    })
}

pub(crate) fn dangling(mailbox: MailboxId, uid: u32) -> Error {
    Error::damaged(format!("UID {uid} of mailbox {mailbox} has no message"))
}
