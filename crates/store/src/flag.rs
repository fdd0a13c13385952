//! Flags and keywords of messages that are stored, and messages that leave.

use anser_base::{MailboxId, MessageId, Result};
use anser_db::{Value, params};

use crate::acl::Rights;
use crate::bulk::{Brief, filled, list, pieces};
use crate::change::{Action, Change, Object};
use crate::message::dangling;
use crate::model::{Entry, Flags, Keywords};
use crate::tx::MailTx;

/// How STORE changes flags (RFC 9051 §6.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagAct {
    /// These and no others.
    Set,
    /// These as well.
    Add,
    /// These no more.
    Remove,
}

/// What STORE did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// The messages as they are now, those included that needed no change, ascending.
    pub entries: Vec<Entry>,
    /// UIDs that were left alone because they changed after the given modification sequence (RFC 7162 §3.1.3).
    pub modified: Vec<u32>,
}

impl MailTx<'_, '_> {
    /// Changes flags and keywords. `\Deleted` is the place's own; everything else belongs to the message and shows in every mailbox
    /// that it is in. UIDs that are gone are left out.
    pub fn store_flags(
        &mut self,
        mailbox: MailboxId,
        uids: &[u32],
        act: FlagAct,
        flags: Flags,
        keywords: &Keywords,
        unchanged_since: Option<u64>,
    ) -> Result<Stored> {
        self.store_flags_by(Rights::ALL, mailbox, uids, act, (flags, keywords), unchanged_since)
    }

    /// [`Self::store_flags`] by the hand of somebody with these rights: what he may not change stays as it is (RFC 4314 §4).
    pub fn store_flags_by(
        &mut self,
        rights: Rights,
        mailbox: MailboxId,
        uids: &[u32],
        act: FlagAct,
        (flags, keywords): (Flags, &Keywords),
        unchanged_since: Option<u64>,
    ) -> Result<Stored> {
        self.require_writing()?;
        let (mut stored, mut changed) = (Stored::default(), Vec::new());
        for mut entry in self.entries_of(mailbox, uids)? {
            if unchanged_since.is_some_and(|modseq| entry.modseq > modseq) {
                stored.modified.push(entry.uid);
                continue;
            }
            let (flags, keywords) = act.apply(&entry, flags, keywords, rights);
            if flags != entry.flags || keywords != entry.keywords {
                let new = Entry { flags, keywords, modseq: self.modseq(), ..entry.clone() };
                changed.push((std::mem::replace(&mut entry, new.clone()), new));
            }
            stored.entries.push(entry);
        }
        for piece in pieces(&changed) {
            self.change_flags(mailbox, piece)?;
        }
        Ok(stored)
    }

    /// Changes entries from what they were to what they are to be, and their twins in other mailboxes.
    fn change_flags(&mut self, mailbox: MailboxId, changed: &[(Entry, Entry)]) -> Result<()> {
        self.write_flags(mailbox, changed)?;
        let is_shared = |(old, new): &&(Entry, Entry)| {
            old.flags.without(Flags::DELETED) != new.flags.without(Flags::DELETED) || old.keywords != new.keywords
        };
        let shared: Vec<MessageId> = changed.iter().filter(is_shared).map(|(_, new)| new.message).collect();
        let briefs = self.briefs(&shared)?;
        for (_, new) in changed {
            let places = briefs.get(&new.message).map(|brief| brief.places.as_slice()).unwrap_or_default();
            for (other, uid) in places.iter().filter(|place| **place != (mailbox, new.uid)) {
                self.change_twin(*other, *uid, new)?;
            }
            self.record(Object::Message(new.message), Action::Updated);
        }
        Ok(())
    }

    fn change_twin(&mut self, mailbox: MailboxId, uid: u32, new: &Entry) -> Result<()> {
        let Some(twin) = self.entry(mailbox, uid)? else { return Ok(()) };
        let flags = new.flags.without(Flags::DELETED).with(Flags(twin.flags.0 & Flags::DELETED.0));
        let changed = Entry { flags, keywords: new.keywords.clone(), modseq: self.modseq(), ..twin.clone() };
        self.write_flags(mailbox, &[(twin, changed)])
    }

    /// One statement for each set of flags and keywords.
    fn write_flags(&mut self, mailbox: MailboxId, changed: &[(Entry, Entry)]) -> Result<()> {
        self.drop_blocks(mailbox, changed.iter().map(|(_, new)| new.uid))?;
        let modseq = self.modseq() as i64;
        // At most one statement's worth, so that looking for a group costs little.
        let mut groups: Vec<(Flags, &Keywords, Vec<i64>)> = Vec::new();
        for (_, new) in changed {
            let uid = i64::from(new.uid);
            match groups.iter_mut().find(|(flags, keywords, _)| (*flags, *keywords) == (new.flags, &new.keywords)) {
                Some((.., uids)) => uids.push(uid),
                None => groups.push((new.flags, &new.keywords, vec![uid])),
            }
        }
        for (flags, keywords, uids) in groups {
            for piece in filled(&uids) {
                let sql = format!(
                    "UPDATE entry SET flags = ?3, keywords = ?4, modseq = ?5 WHERE account = ?1 AND mailbox = ?2 AND uid IN ({})",
                    list(6, piece.len())
                );
                let mut values =
                    params![self.account.to_sql(), mailbox.to_sql(), flags.0, keywords.as_text(), modseq].to_vec();
                values.extend(piece.into_iter().map(Value::Int));
                self.db.execute(&sql, &values)?;
            }
        }
        for (old, new) in changed {
            self.count(mailbox, Some(old), Some(new))?;
            self.publish(Change::Flagged { mailbox, entry: new.clone() });
        }
        Ok(())
    }

    /// Takes messages out of a mailbox for good. UIDs that are gone are left out. With `only_deleted`, messages without `\Deleted`
    /// stay (RFC 4315 §2.1). Returns the UIDs that left. A message that is in no mailbox any more is gone.
    pub fn expunge(&mut self, mailbox: MailboxId, uids: &[u32], only_deleted: bool) -> Result<Vec<u32>> {
        self.require_writing()?;
        let mut entries = self.entries_of(mailbox, uids)?;
        entries.retain(|entry| !only_deleted || entry.flags.has(Flags::DELETED));
        for piece in pieces(&entries) {
            self.expunge_piece(mailbox, piece)?;
        }
        Ok(entries.into_iter().map(|entry| entry.uid).collect())
    }

    fn expunge_piece(&mut self, mailbox: MailboxId, entries: &[Entry]) -> Result<()> {
        let ids: Vec<MessageId> = entries.iter().map(|entry| entry.message).collect();
        let mut briefs = self.briefs(&ids)?;
        self.remove_entries(mailbox, entries)?;
        let (mut doomed, mut kept) = (Vec::new(), Vec::new());
        for entry in entries {
            let mut brief = briefs.remove(&entry.message).ok_or_else(|| dangling(mailbox, entry.uid))?;
            brief.places.retain(|place| *place != (mailbox, entry.uid));
            match brief.places.is_empty() {
                true => doomed.push((entry.message, brief, entry.size)),
                false => {
                    kept.push((entry.message, brief.places));
                    self.record(Object::Message(entry.message), Action::Updated);
                }
            }
        }
        self.write_places(&kept)?;
        self.destroy(&doomed)
    }

    /// The messages of a mailbox that carry `\Deleted`, ascending.
    pub fn deleted(&mut self, mailbox: MailboxId) -> Result<Vec<u32>> {
        if self.mailbox(mailbox)?.deleted == 0 {
            return Ok(Vec::new());
        }
        self.db.query(
            "SELECT uid FROM entry WHERE account = ?1 AND mailbox = ?2 AND (flags & 16) <> 0 ORDER BY uid",
            params![self.account.to_sql(), mailbox.to_sql()],
            |row| Ok(row.int(0)? as u32),
        )
    }

    pub(crate) fn expunge_all(&mut self, mailbox: MailboxId) -> Result<()> {
        let uids: Vec<u32> = self.entries(mailbox, 1, u32::MAX)?.into_iter().map(|entry| entry.uid).collect();
        self.expunge(mailbox, &uids, false)?;
        Ok(())
    }

    /// Notes UIDs as vanished, joined to the range below when one transaction expunges neighbours.
    pub(crate) fn vanish(&mut self, mailbox: MailboxId, first: u32, last: u32) -> Result<()> {
        let (account, modseq) = (self.account.to_sql(), self.modseq() as i64);
        let joined = self.db.execute(
            "UPDATE vanished SET last = ?5 WHERE account = ?1 AND mailbox = ?2 AND modseq = ?3 AND first = \
             (SELECT MAX(first) FROM vanished WHERE account = ?1 AND mailbox = ?2 AND modseq = ?3 AND first < ?4) AND last = ?4 - 1",
            params![account, mailbox.to_sql(), modseq, first, last],
        )?;
        if joined == 0 {
            self.db.execute(
                "INSERT INTO vanished (account, mailbox, modseq, first, last) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![account, mailbox.to_sql(), modseq, first, last],
            )?;
        }
        Ok(())
    }

    /// UIDs that left a mailbox after this modification sequence, as ascending, disjoint ranges (RFC 7162 §3.2.10).
    pub fn vanished_since(&mut self, mailbox: MailboxId, modseq: u64) -> Result<Vec<(u32, u32)>> {
        let mut ranges = self.db.query(
            "SELECT first, last FROM vanished WHERE account = ?1 AND mailbox = ?2 AND modseq > ?3",
            params![self.account.to_sql(), mailbox.to_sql(), modseq as i64],
            |row| Ok((row.int(0)? as u32, row.int(1)? as u32)),
        )?;
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        Ok(merged)
    }

    /// Removes messages that are in no mailbox.
    fn destroy(&mut self, doomed: &[(MessageId, Brief, u64)]) -> Result<()> {
        self.leave_threads(doomed)?;
        let ids: Vec<i64> = doomed.iter().map(|(id, ..)| id.to_sql()).collect();
        self.execute_list("DELETE FROM message WHERE account = ?1 AND id IN ", &[], &ids)?;
        self.execute_list("DELETE FROM header WHERE account = ?1 AND message IN ", &[], &ids)?;
        for (id, _, size) in doomed {
            self.state.used = self.state.used.saturating_sub(*size);
            self.state.messages = self.state.messages.saturating_sub(1);
            self.record(Object::Message(*id), Action::Destroyed);
        }
        Ok(())
    }

    /// After a power cut, before an account that had deliveries under way is opened to clients: skips the UIDs, message numbers
    /// (EMAILID, RFC 8474 §5.1) and modification sequences that may have been shown but were not yet durable, and notes those UIDs
    /// as vanished, so that no identifier ever names two messages. `unsynced` is how many deliveries may have been lost.
    pub fn skip_lost(&mut self, unsynced: u32) -> Result<()> {
        self.require_writing()?;
        self.state.modseq += u64::from(unsynced);
        self.state.next_id += u64::from(unsynced);
        self.load_all()?;
        let ids: Vec<MailboxId> = self.mailboxes.keys().copied().collect();
        for id in ids {
            self.modseq();
            let mailbox = self.mailbox_mut(id)?;
            let first = mailbox.uidnext;
            mailbox.uidnext = first.saturating_add(unsynced);
            let last = mailbox.uidnext - 1;
            self.count(id, None, None)?;
            self.publish(Change::Renumbered(id));
            if last >= first {
                self.vanish(id, first, last)?;
            }
        }
        Ok(())
    }
}

impl FlagAct {
    /// The flags and keywords of a message after the act of somebody with these rights.
    pub fn apply(self, entry: &Entry, flags: Flags, keywords: &Keywords, rights: Rights) -> (Flags, Keywords) {
        let may = rights.flags();
        let (mine, kept) = (Flags(flags.0 & may.0), entry.flags.without(may));
        let new_flags = match self {
            FlagAct::Set => kept.with(mine),
            FlagAct::Add => entry.flags.with(mine),
            FlagAct::Remove => entry.flags.without(mine),
        };
        let new_keywords = match self {
            _ if !rights.has(Rights::WRITE) => entry.keywords.clone(),
            FlagAct::Set => entry.keywords.replaced_by(keywords),
            FlagAct::Add => entry.keywords.with(keywords),
            FlagAct::Remove => entry.keywords.without(keywords),
        };
        (new_flags, new_keywords)
    }
}
