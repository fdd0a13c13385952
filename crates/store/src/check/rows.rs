//! An account as it is stored, without judgement.

use std::collections::{BTreeMap, BTreeSet};

use anser_base::{AccountId, BlobId, MailboxId, MessageId, Result, ThreadId, Timestamp};
use anser_db::{Row, Tx, params};

use crate::block::wrong_blocks;
use crate::codec;
use crate::content::Listing;
use crate::fields::block_of;
use crate::model::{Content, Entry, Mailbox, ThreadKeys};
use crate::tx::{AccountRow, SELECT_ENTRY, SELECT_MAILBOX, read_account, read_entry, read_mailbox};

/// One account's rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rows {
    /// Whether the account's own row is there; else `account` holds nothing.
    pub has_account: bool,
    pub account: AccountRow,
    pub mailboxes: BTreeMap<MailboxId, Mailbox>,
    /// Mailboxes whose role is a word that nobody knows.
    pub strange_roles: BTreeSet<MailboxId>,
    pub messages: BTreeMap<MessageId, MessageRow>,
    pub entries: BTreeMap<(MailboxId, u32), Entry>,
    pub threads: BTreeSet<(ThreadId, MessageId)>,
    /// Hash, subject and conversation.
    pub references: BTreeSet<(i64, i64, ThreadId)>,
    /// Of each mailbox the highest vanished UID and its highest modification sequence.
    pub vanished: BTreeMap<MailboxId, (u32, u64)>,
    /// Mailboxes with a block that is not what its entries are.
    pub wrong_blocks: BTreeSet<MailboxId>,
    /// The highest modification sequence of the change log.
    pub logged: u64,
}

/// A message's row; of its large columns only a hash.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MessageRow {
    pub thread: ThreadId,
    /// `None` when it is no address.
    pub blob: Option<BlobId>,
    pub blob_size: u64,
    pub prefix: u64,
    pub received: Timestamp,
    pub zone: i16,
    /// `None` when the form is unknown, likewise below.
    pub places: Option<Vec<(MailboxId, u32)>>,
    pub keys: Option<ThreadKeys>,
    /// Of summary and structure together.
    pub derived: BlobId,
    /// Of the kept header fields; `None` when there are none, which is no damage.
    pub fields: Option<BlobId>,
    /// Whether summary, structure and fields have a form that is known.
    pub is_readable: bool,
}

impl MessageRow {
    pub fn size(&self) -> u64 {
        self.blob_size + self.prefix
    }
}

/// The hash of what a body's parse leaves in a row.
pub(super) fn hash_of(summary: &[u8], structure: &[u8]) -> BlobId {
    BlobId::of(&[&(summary.len() as u64).to_le_bytes()[..], summary, structure].concat())
}

/// The hash of the header fields that a body's parse leaves beside a row.
pub(super) fn fields_of(content: &Content) -> Option<BlobId> {
    content.fields.as_deref().map(BlobId::of)
}

/// Keeps other nodes from writing until the transaction ends.
pub(super) fn lock(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    match tx.is_postgres() {
        true => tx
            .query_one("SELECT 1 FROM account WHERE account = ?1 FOR UPDATE", params![account.to_sql()], |_| Ok(()))
            .map(drop),
        false => Ok(()),
    }
}

/// Reads all of an account.
pub(super) fn load(tx: &mut Tx<'_>, account: AccountId) -> Result<Rows> {
    let id = account.to_sql();
    let sql = "SELECT next_id, modseq, uidvalidity, used, messages, forgotten FROM account WHERE account = ?1";
    let found = tx.query_one(sql, params![id], read_account)?;
    let has_account = found.is_some();
    let sql = format!("{SELECT_MAILBOX} WHERE account = ?1");
    let mailboxes = tx.query(&sql, params![id], |row| Ok((read_mailbox(row)?, row.opt_text(3)?)))?;
    let strange = |(mailbox, word): &(Mailbox, Option<String>)| word.is_some() && mailbox.role.is_none();
    let entries = load_entries(tx, id)?;
    Ok(Rows {
        has_account,
        account: found.unwrap_or_default(),
        strange_roles: mailboxes.iter().filter(|found| strange(found)).map(|(mailbox, _)| mailbox.id).collect(),
        mailboxes: mailboxes.into_iter().map(|(mailbox, _)| (mailbox.id, mailbox)).collect(),
        messages: load_messages(tx, id)?,
        wrong_blocks: wrong_blocks(tx, id, &entries)?,
        entries,
        threads: pairs(tx, "SELECT id, message FROM thread WHERE account = ?1", id)?,
        references: load_references(tx, id)?,
        vanished: load_vanished(tx, id)?,
        logged: tx
            .query_one("SELECT MAX(modseq) FROM change WHERE account = ?1", params![id], |row| row.opt_int(0))?
            .flatten()
            .unwrap_or(0) as u64,
    })
}

fn load_messages(tx: &mut Tx<'_>, account: i64) -> Result<BTreeMap<MessageId, MessageRow>> {
    let sql = "SELECT id, thread, blob, blob_size, prefix, received, zone, places, keys, summary, structure, fields \
               FROM message LEFT JOIN header ON header.account = message.account AND header.message = message.id \
               WHERE message.account = ?1";
    let rows = tx.query(sql, params![account], |row| Ok((MessageId::from_sql(row.int(0)?), read_message(row)?)))?;
    Ok(rows.into_iter().collect())
}

fn read_message(row: &Row<'_>) -> Result<MessageRow> {
    let (summary, structure) = (row.blob(9)?, row.blob(10)?);
    let fields = row.opt_blob(11)?;
    let is_known = anser_mime::structure::Structure::from_bytes(&structure).is_some()
        && fields.as_deref().is_none_or(|fields| block_of(fields).is_some());
    Ok(MessageRow {
        thread: ThreadId::from_sql(row.int(1)?),
        blob: BlobId::from_slice(&row.blob(2)?),
        blob_size: row.int(3)? as u64,
        prefix: row.blob(4)?.len() as u64,
        received: Timestamp(row.int(5)?),
        zone: row.int(6)? as i16,
        places: codec::places_from_bytes(&row.blob(7)?),
        keys: codec::keys_from_bytes(&row.blob(8)?),
        derived: hash_of(&summary, &structure),
        fields: fields.as_deref().map(BlobId::of),
        is_readable: is_known && Listing::from_bytes(&summary).is_some(),
    })
}

fn load_entries(tx: &mut Tx<'_>, account: i64) -> Result<BTreeMap<(MailboxId, u32), Entry>> {
    let sql = SELECT_ENTRY.replace(" FROM", ", mailbox FROM") + " WHERE account = ?1";
    let rows = tx.query(&sql, params![account], |row| Ok((MailboxId::from_sql(row.int(9)?), read_entry(row)?)))?;
    Ok(rows.into_iter().map(|(mailbox, entry)| ((mailbox, entry.uid), entry)).collect())
}

fn pairs(tx: &mut Tx<'_>, sql: &str, account: i64) -> Result<BTreeSet<(ThreadId, MessageId)>> {
    let rows =
        tx.query(sql, params![account], |row| Ok((ThreadId::from_sql(row.int(0)?), MessageId::from_sql(row.int(1)?))))?;
    Ok(rows.into_iter().collect())
}

fn load_references(tx: &mut Tx<'_>, account: i64) -> Result<BTreeSet<(i64, i64, ThreadId)>> {
    let sql = "SELECT hash, subject, thread FROM reference WHERE account = ?1";
    let rows =
        tx.query(sql, params![account], |row| Ok((row.int(0)?, row.int(1)?, ThreadId::from_sql(row.int(2)?))))?;
    Ok(rows.into_iter().collect())
}

fn load_vanished(tx: &mut Tx<'_>, account: i64) -> Result<BTreeMap<MailboxId, (u32, u64)>> {
    let sql = "SELECT mailbox, MAX(last), MAX(modseq) FROM vanished WHERE account = ?1 GROUP BY mailbox";
    let rows = tx.query(sql, params![account], |row| {
        Ok((MailboxId::from_sql(row.int(0)?), (row.int(1)? as u32, row.int(2)? as u64)))
    })?;
    Ok(rows.into_iter().collect())
}
