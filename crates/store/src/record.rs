//! What programs keep with an account besides mail: sender identities, submissions (RFC 8621 §6, §7), contacts, notes. The store
//! keeps their bytes and numbers, and tells of them in the change log; what they mean is the business of who writes them.

use anser_base::{Class, Error, Result};
use anser_db::params;

use crate::change::{Action, Change, Object};
use crate::tx::MailTx;

/// Records of one kind that an account holds at most.
pub const RECORDS: usize = 10_000;
/// Bytes of one record at most.
pub const RECORD: usize = 1 << 20;

/// A kind of records; its number stands in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// As whom mail is written.
    Identity = 5,
    /// A message that was handed over to be sent.
    Submission = 6,
    /// A book of contacts.
    AddressBook = 7,
    /// A contact.
    ContactCard = 8,
    /// What a program keeps for its user: settings, open tabs.
    Document = 9,
    /// What the owner noted on a message.
    Note = 10,
    /// That a message which was sent is taken back.
    Recall = 12,
    /// That something of another was shared, or is so no more.
    ShareNotice = 13,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Identity,
        Self::Submission,
        Self::AddressBook,
        Self::ContactCard,
        Self::Document,
        Self::Note,
        Self::Recall,
        Self::ShareNotice,
    ];

    pub(crate) fn to_sql(self) -> i64 {
        self as i64
    }
}

impl MailTx<'_, '_> {
    /// All records of a kind with their numbers, which ascend as they were added.
    pub fn records(&mut self, kind: RecordKind) -> Result<Vec<(u64, Vec<u8>)>> {
        self.db.query(
            "SELECT id, value FROM record WHERE account = ?1 AND kind = ?2 ORDER BY id",
            params![self.account.to_sql(), kind.to_sql()],
            |row| Ok((row.int(0)? as u64, row.blob(1)?)),
        )
    }

    /// One record.
    pub fn record_of(&mut self, kind: RecordKind, id: u64) -> Result<Option<Vec<u8>>> {
        self.db.query_one(
            "SELECT value FROM record WHERE account = ?1 AND kind = ?2 AND id = ?3",
            params![self.account.to_sql(), kind.to_sql(), id as i64],
            |row| row.blob(0),
        )
    }

    /// Adds a record; its number. `Class::Limit` beyond [`RECORDS`] or [`RECORD`].
    pub fn add_record(&mut self, kind: RecordKind, value: &[u8]) -> Result<u64> {
        check_size(value)?;
        let count = self.count_records(kind)?;
        if count >= RECORDS {
            return Err(Error::new(Class::Limit, "there are too many of these", "此类条目过多"));
        }
        let id = self.next_id();
        self.write_record(kind, id, value, Action::Created)?;
        self.record_counts.insert(kind.to_sql(), count + 1);
        Ok(id)
    }

    /// How many records of a kind there are. The rows are counted once in a transaction, so that adding many is not quadratic.
    pub fn count_records(&mut self, kind: RecordKind) -> Result<usize> {
        if let Some(known) = self.record_counts.get(&kind.to_sql()) {
            return Ok(*known);
        }
        let sql = "SELECT count(*) FROM record WHERE account = ?1 AND kind = ?2";
        let count = self.db.query_one(sql, params![self.account.to_sql(), kind.to_sql()], |row| row.int(0))?;
        let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        self.record_counts.insert(kind.to_sql(), count);
        Ok(count)
    }

    /// Writes a record anew. `Class::NotFound` without one, `Class::Limit` beyond [`RECORD`].
    pub fn put_record(&mut self, kind: RecordKind, id: u64, value: &[u8]) -> Result<()> {
        check_size(value)?;
        match self.record_of(kind, id)? {
            Some(_) => self.write_record(kind, id, value, Action::Updated),
            None => Err(Error::not_found("there is no such record", "没有该条目")),
        }
    }

    /// Removes a record. Whether there was one.
    pub fn remove_record(&mut self, kind: RecordKind, id: u64) -> Result<bool> {
        self.require_writing()?;
        let sql = "DELETE FROM record WHERE account = ?1 AND kind = ?2 AND id = ?3";
        let gone = self.db.execute(sql, params![self.account.to_sql(), kind.to_sql(), id as i64])? > 0;
        if gone {
            if let Some(count) = self.record_counts.get_mut(&kind.to_sql()) {
                *count = count.saturating_sub(1);
            }
            let sql = "DELETE FROM record_name WHERE account = ?1 AND kind = ?2 AND id = ?3";
            self.db.execute(sql, params![self.account.to_sql(), kind.to_sql(), id as i64])?;
            self.tell(kind, id, Action::Destroyed);
        }
        Ok(gone)
    }

    /// Gives a record the name that [`Self::record_named`] finds it by, and takes the one that it had.
    pub fn name_record(&mut self, kind: RecordKind, id: u64, name: &[u8]) -> Result<()> {
        self.require_writing()?;
        self.db.execute(
            "INSERT INTO record_name (account, kind, id, name) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (account, kind, id) DO UPDATE SET name = excluded.name",
            params![self.account.to_sql(), kind.to_sql(), id as i64, name],
        )?;
        Ok(())
    }

    /// The oldest record of this name.
    pub fn record_named(&mut self, kind: RecordKind, name: &[u8]) -> Result<Option<u64>> {
        self.db.query_one(
            "SELECT id FROM record_name WHERE account = ?1 AND kind = ?2 AND name = ?3 ORDER BY id LIMIT 1",
            params![self.account.to_sql(), kind.to_sql(), name],
            |row| Ok(row.int(0)? as u64),
        )
    }

    /// Whether the records of a kind were named: those of an older program were not. From now on they are.
    pub fn begin_names(&mut self, kind: RecordKind) -> Result<bool> {
        // No record has the number 0.
        let sql = "SELECT 1 FROM record_name WHERE account = ?1 AND kind = ?2 AND id = 0";
        let were = self.db.query_one(sql, params![self.account.to_sql(), kind.to_sql()], |_| Ok(()))?.is_some();
        if !were {
            self.name_record(kind, 0, b"")?;
        }
        Ok(were)
    }

    fn write_record(&mut self, kind: RecordKind, id: u64, value: &[u8], action: Action) -> Result<()> {
        self.require_writing()?;
        self.db.execute(
            "INSERT INTO record (account, kind, id, value) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (account, kind, id) DO UPDATE SET value = excluded.value",
            params![self.account.to_sql(), kind.to_sql(), id as i64, value],
        )?;
        self.tell(kind, id, action);
        Ok(())
    }

    fn tell(&mut self, kind: RecordKind, id: u64, action: Action) {
        self.modseq();
        self.record(Object::Record(kind, id), action);
        self.publish(Change::Recorded(kind));
    }
}

fn check_size(value: &[u8]) -> Result<()> {
    match value.len() <= RECORD {
        true => Ok(()),
        false => Err(Error::new(Class::Limit, "this is too long to be kept", "内容过长")),
    }
}
