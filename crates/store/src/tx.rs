//! One transaction over one account: the only way in which a mailbox changes. It allocates ids, UIDs and the modification sequence,
//! keeps the counters, writes the change log, and collects the [`Changes`] that are published after the commit.
//!
//! One transaction has one modification sequence. Rows of the account and of mailboxes are loaded once, changed in memory and
//! written back by `finish`.

use std::collections::{BTreeMap, BTreeSet};

use anser_base::{AccountId, Class, Error, MailboxId, MessageId, Result, Timestamp};
use anser_db::{Row, Tx, params};

use crate::change::{Action, Change, Changes, Object};
use crate::model::{Entry, Flags, Keywords, Mailbox, Role};

/// A transaction over one account's mail.
pub struct MailTx<'t, 'c> {
    pub(crate) db: &'t mut Tx<'c>,
    pub(crate) account: AccountId,
    pub(crate) now: Timestamp,
    pub(crate) state: AccountRow,
    pub(crate) mailboxes: BTreeMap<MailboxId, Mailbox>,
    pub(crate) dirty: BTreeSet<MailboxId>,
    pub(crate) all_loaded: bool,
    /// Blocks that are gone already.
    pub(crate) dropped_blocks: BTreeSet<(MailboxId, u32)>,
    /// How many records of a kind there are; counted once in a transaction.
    pub(crate) record_counts: BTreeMap<i64, usize>,
    /// Whether what is put into mailboxes comes from an old server.
    pub(crate) is_moving: bool,
    writing: bool,
    advanced: bool,
    objects: Vec<(Object, Action)>,
    changes: Vec<Change>,
}

/// The account's own counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountRow {
    pub next_id: u64,
    pub modseq: u64,
    pub uidvalidity: u32,
    pub used: u64,
    pub messages: u64,
    pub forgotten: u64,
}

impl<'t, 'c> MailTx<'t, 'c> {
    /// Opens the account in a transaction; in a writing one an account that was never used is furnished with its first mailboxes.
    pub(crate) fn begin(db: &'t mut Tx<'c>, account: AccountId, now: Timestamp, writing: bool) -> Result<Self> {
        // With PostgreSQL several nodes may write; the account's own row is their lock.
        let sql = match db.is_postgres() && writing {
            true => {
                "SELECT next_id, modseq, uidvalidity, used, messages, forgotten FROM account WHERE account = ?1 FOR UPDATE"
            }
            false => "SELECT next_id, modseq, uidvalidity, used, messages, forgotten FROM account WHERE account = ?1",
        };
        let found = db.query_one(sql, params![account.to_sql()], read_account)?;
        let fresh = found.is_none();
        let state =
            found.unwrap_or(AccountRow { next_id: 1, modseq: 0, uidvalidity: 0, used: 0, messages: 0, forgotten: 0 });
        let mut tx = Self {
            db,
            account,
            now,
            state,
            mailboxes: BTreeMap::new(),
            dirty: BTreeSet::new(),
            all_loaded: false,
            dropped_blocks: BTreeSet::new(),
            record_counts: BTreeMap::new(),
            is_moving: false,
            writing,
            advanced: false,
            objects: Vec::new(),
            changes: Vec::new(),
        };
        if fresh && writing {
            tx.db.execute(
                "INSERT INTO account (account, next_id, modseq, uidvalidity, used, messages, forgotten) \
                 VALUES (?1, 1, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
                params![account.to_sql()],
            )?;
            tx.furnish()?;
        }
        Ok(tx)
    }

    /// Writes back what changed and hands over the changes to publish.
    pub(crate) fn finish(mut self) -> Result<Changes> {
        if !self.advanced {
            return Ok(Changes { account: Some(self.account), modseq: self.state.modseq, list: Vec::new() });
        }
        self.write_change_log()?;
        for id in std::mem::take(&mut self.dirty) {
            if let Some(mailbox) = self.mailboxes.get(&id) {
                write_mailbox(self.db, self.account, mailbox)?;
            }
        }
        let state = &self.state;
        self.db.execute(
            "UPDATE account SET next_id = ?2, modseq = ?3, uidvalidity = ?4, used = ?5, messages = ?6, forgotten = ?7 \
             WHERE account = ?1",
            params![
                self.account.to_sql(),
                state.next_id as i64,
                state.modseq as i64,
                state.uidvalidity,
                state.used as i64,
                state.messages as i64,
                state.forgotten as i64
            ],
        )?;
        Ok(Changes { account: Some(self.account), modseq: self.state.modseq, list: self.changes })
    }

    fn write_change_log(&mut self) -> Result<()> {
        let mut merged: Vec<(Object, Action)> = Vec::new();
        for (object, action) in std::mem::take(&mut self.objects) {
            match merged.iter_mut().find(|(known, _)| *known == object) {
                Some((_, known)) if *known == Action::Created && action == Action::Updated => {}
                Some((_, known)) => *known = action,
                None => merged.push((object, action)),
            }
            // A long list is a bulk act over distinct objects: looking for repeats in it would be quadratic.
            if merged.len() >= 64 {
                self.log(&merged)?;
                merged.clear();
            }
        }
        self.log(&merged)
    }

    fn log(&mut self, objects: &[(Object, Action)]) -> Result<()> {
        let modseq = self.state.modseq as i64;
        let row = |(object, action): &(Object, Action)| {
            let (kind, id) = object.to_sql();
            [modseq, kind, id, action.to_sql()]
        };
        let all: Vec<[i64; 4]> = objects.iter().map(row).collect();
        self.insert_numbers(
            "INSERT INTO change (account, modseq, kind, id, action)",
            " ON CONFLICT (account, modseq, kind, id) DO UPDATE SET action = CASE \
             WHEN change.action = 0 AND excluded.action = 1 THEN 0 ELSE excluded.action END",
            &all,
        )
    }

    /// The modification sequence of this transaction: one above the account's last.
    pub(crate) fn modseq(&mut self) -> u64 {
        if !self.advanced {
            self.advanced = true;
            self.state.modseq += 1;
        }
        self.state.modseq
    }

    /// For a move, first of all in its transaction: modification sequences are above this one from now on, so that those which clients
    /// remember of the old server (RFC 7162) hide nothing that changes here.
    pub fn raise_modseq(&mut self, above: u64) -> Result<()> {
        self.require_writing()?;
        if self.state.modseq <= above {
            (self.state.modseq, self.advanced) = (above + 1, true);
        }
        Ok(())
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        let id = self.state.next_id;
        self.state.next_id += 1;
        id
    }

    /// A UIDVALIDITY that no mailbox of the account had before: the time in seconds, or one above the last.
    pub(crate) fn next_uidvalidity(&mut self) -> u32 {
        let now = u32::try_from(self.now.secs()).unwrap_or(u32::MAX / 2).max(1);
        self.state.uidvalidity = now.max(self.state.uidvalidity.saturating_add(1));
        self.state.uidvalidity
    }

    pub(crate) fn record(&mut self, object: Object, action: Action) {
        self.objects.push((object, action));
    }

    pub(crate) fn publish(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Bytes that all messages of the account hold, each message once.
    pub fn used(&self) -> u64 {
        self.state.used
    }

    /// How many messages the account holds.
    pub fn messages(&self) -> u64 {
        self.state.messages
    }

    /// The account's modification sequence: the state string of every JMAP type.
    pub fn state(&self) -> u64 {
        self.state.modseq
    }

    /// A mailbox; `Class::NotFound` when there is none with this number.
    pub fn mailbox(&mut self, id: MailboxId) -> Result<&Mailbox> {
        self.mailbox_mut(id).map(|mailbox| &*mailbox)
    }

    pub(crate) fn mailbox_mut(&mut self, id: MailboxId) -> Result<&mut Mailbox> {
        if !self.mailboxes.contains_key(&id) {
            let found = match self.all_loaded {
                true => None,
                false => self.db.query_one(
                    &format!("{SELECT_MAILBOX} WHERE account = ?1 AND id = ?2"),
                    params![self.account.to_sql(), id.to_sql()],
                    read_mailbox,
                )?,
            };
            if let Some(mailbox) = found {
                self.mailboxes.insert(id, mailbox);
            }
        }
        self.mailboxes.get_mut(&id).ok_or_else(no_mailbox)
    }

    /// Whether there is a mailbox of this number.
    pub fn has_mailbox(&mut self, id: MailboxId) -> Result<bool> {
        match self.mailbox(id) {
            Ok(_) => Ok(true),
            Err(error) if error.class == Class::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Every mailbox, by number.
    pub fn mailboxes(&mut self) -> Result<Vec<Mailbox>> {
        self.load_all()?;
        Ok(self.mailboxes.values().cloned().collect())
    }

    pub(crate) fn load_all(&mut self) -> Result<()> {
        if self.all_loaded {
            return Ok(());
        }
        let rows = self.db.query(
            &format!("{SELECT_MAILBOX} WHERE account = ?1 ORDER BY id"),
            params![self.account.to_sql()],
            read_mailbox,
        )?;
        for mailbox in rows {
            self.mailboxes.entry(mailbox.id).or_insert(mailbox);
        }
        self.all_loaded = true;
        Ok(())
    }

    /// One message in a mailbox.
    pub fn entry(&mut self, mailbox: MailboxId, uid: u32) -> Result<Option<Entry>> {
        self.db.query_one(
            &format!("{SELECT_ENTRY} WHERE account = ?1 AND mailbox = ?2 AND uid = ?3"),
            params![self.account.to_sql(), mailbox.to_sql(), uid],
            read_entry,
        )
    }

    /// The messages of a mailbox with UIDs in `first..=last`, ascending.
    pub fn entries(&mut self, mailbox: MailboxId, first: u32, last: u32) -> Result<Vec<Entry>> {
        self.db.query(
            &format!("{SELECT_ENTRY} WHERE account = ?1 AND mailbox = ?2 AND uid BETWEEN ?3 AND ?4 ORDER BY uid"),
            params![self.account.to_sql(), mailbox.to_sql(), first, last],
            read_entry,
        )
    }

    /// The messages of a mailbox from this UID on, ascending, at most `limit`.
    pub fn entries_from(&mut self, mailbox: MailboxId, first: u32, limit: usize) -> Result<Vec<Entry>> {
        self.db.query(
            &format!("{SELECT_ENTRY} WHERE account = ?1 AND mailbox = ?2 AND uid >= ?3 ORDER BY uid LIMIT ?4"),
            params![self.account.to_sql(), mailbox.to_sql(), first, limit as i64],
            read_entry,
        )
    }

    /// How many messages of a mailbox have this UID or a higher one.
    pub fn count_from(&mut self, mailbox: MailboxId, first: u32) -> Result<u64> {
        let count = self.db.query_one(
            "SELECT COUNT(*) FROM entry WHERE account = ?1 AND mailbox = ?2 AND uid >= ?3",
            params![self.account.to_sql(), mailbox.to_sql(), first],
            |row| row.int(0),
        )?;
        Ok(count.unwrap_or(0) as u64)
    }

    /// Visits every message of a mailbox, ascending.
    pub fn each_entry(&mut self, mailbox: MailboxId, each: impl FnMut(Entry)) -> Result<()> {
        self.each_between(mailbox, 0, u32::MAX, each)
    }

    /// Visits the messages of a mailbox with UIDs in `first..=last`, ascending.
    pub(crate) fn each_between(
        &mut self,
        mailbox: MailboxId,
        first: u32,
        last: u32,
        mut each: impl FnMut(Entry),
    ) -> Result<()> {
        self.db.for_each(
            &format!("{SELECT_ENTRY} WHERE account = ?1 AND mailbox = ?2 AND uid BETWEEN ?3 AND ?4 ORDER BY uid"),
            params![self.account.to_sql(), mailbox.to_sql(), first, last],
            |row| {
                each(read_entry(row)?);
                Ok(())
            },
        )
    }

    /// Whether this transaction may write.
    pub(crate) fn require_writing(&self) -> Result<()> {
        match self.writing {
            true => Ok(()),
            false => Err(Error::unavailable("a reading transaction tried to write")),
        }
    }
}

pub(crate) const SELECT_ENTRY: &str =
    "SELECT uid, flags, size, message, modseq, received, zone, saved, keywords FROM entry";

pub(crate) const SELECT_MAILBOX: &str = "SELECT id, parent, name, role, subscribed, uidvalidity, uidnext, modseq, total, unseen, deleted, \
                              size, recent_from, reserved_from, reserved_to FROM mailbox";

pub(crate) fn read_account(row: &Row<'_>) -> Result<AccountRow> {
    Ok(AccountRow {
        next_id: row.int(0)? as u64,
        modseq: row.int(1)? as u64,
        uidvalidity: row.int(2)? as u32,
        used: row.int(3)? as u64,
        messages: row.int(4)? as u64,
        forgotten: row.int(5)? as u64,
    })
}

pub(crate) fn read_mailbox(row: &Row<'_>) -> Result<Mailbox> {
    let parent = row.int(1)?;
    Ok(Mailbox {
        id: MailboxId::from_sql(row.int(0)?),
        parent: (parent != 0).then(|| MailboxId::from_sql(parent)),
        name: row.text(2)?,
        role: row.opt_text(3)?.as_deref().and_then(Role::from_word),
        subscribed: row.bool(4)?,
        uidvalidity: row.int(5)? as u32,
        uidnext: row.int(6)? as u32,
        modseq: row.int(7)? as u64,
        total: row.int(8)? as u64,
        unseen: row.int(9)? as u64,
        deleted: row.int(10)? as u64,
        size: row.int(11)? as u64,
        recent_from: row.int(12)? as u32,
        reserved: (row.int(13)? as u32, row.int(14)? as u32),
    })
}

pub(crate) fn read_entry(row: &Row<'_>) -> Result<Entry> {
    Ok(Entry {
        uid: row.int(0)? as u32,
        flags: Flags(row.int(1)? as u32),
        size: row.int(2)? as u64,
        message: MessageId::from_sql(row.int(3)?),
        modseq: row.int(4)? as u64,
        received: Timestamp(row.int(5)?),
        zone: row.int(6)? as i16,
        saved: Timestamp(row.int(7)?),
        keywords: Keywords::from_text(row.text_ref(8)?),
    })
}

/// Inserts the row, or overwrites it by its number.
pub(crate) fn write_mailbox(db: &mut Tx<'_>, account: AccountId, mailbox: &Mailbox) -> Result<()> {
    db.execute(
        "INSERT INTO mailbox (account, id, parent, name, role, subscribed, uidvalidity, uidnext, modseq, total, unseen, deleted, \
         size, recent_from, reserved_from, reserved_to) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
         ON CONFLICT (account, id) DO UPDATE SET parent = excluded.parent, name = excluded.name, role = excluded.role, \
         subscribed = excluded.subscribed, uidvalidity = excluded.uidvalidity, uidnext = excluded.uidnext, \
         modseq = excluded.modseq, total = excluded.total, unseen = excluded.unseen, deleted = excluded.deleted, \
         size = excluded.size, recent_from = excluded.recent_from, reserved_from = excluded.reserved_from, \
         reserved_to = excluded.reserved_to",
        params![
            account.to_sql(),
            mailbox.id.to_sql(),
            mailbox.parent.map_or(0, MailboxId::to_sql),
            &mailbox.name,
            mailbox.role.map(Role::as_str),
            mailbox.subscribed,
            mailbox.uidvalidity,
            mailbox.uidnext,
            mailbox.modseq as i64,
            mailbox.total as i64,
            mailbox.unseen as i64,
            mailbox.deleted as i64,
            mailbox.size as i64,
            mailbox.recent_from,
            mailbox.reserved.0,
            mailbox.reserved.1
        ],
    )?;
    Ok(())
}

pub(crate) fn no_mailbox() -> Error {
    Error::not_found("no such mailbox", "没有此文件夹")
}
