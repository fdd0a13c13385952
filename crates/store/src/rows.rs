//! What was parsed out of many messages, read at once into one buffer: for long lists, where a value for each message would cost more
//! than what is done with it.

use std::collections::HashMap;
use std::ops::Range;

use anser_base::{AccountId, MessageId, Result, ThreadId};
use anser_db::{Row, Tx, params};
use anser_mime::envelope_view::EnvelopeView;
use anser_mime::structure::Structure;

use crate::bulk::{filled, list, numbers};
use crate::content::ListingView;
use crate::fields::block_of;
use crate::message::{SELECT_MESSAGE, read_message};
use crate::model::Message;
use crate::tx::MailTx;

/// Messages are read as one range of their numbers when it holds at most so many times as many numbers as are wanted.
const SPARSE: u64 = 3;

/// Rows of messages in their stored form.
#[derive(Debug, Default)]
pub struct MessageRows {
    bytes: Vec<u8>,
    /// By message.
    slots: Vec<Slot>,
}

/// Which columns of messages are wanted besides their conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// For ENVELOPE and PREVIEW.
    pub listing: bool,
    /// For BODY and BODYSTRUCTURE.
    pub structure: bool,
    /// The kept header fields.
    pub fields: bool,
}

#[derive(Debug)]
struct Slot {
    id: MessageId,
    thread: ThreadId,
    prefix: Range<usize>,
    summary: Range<usize>,
    structure: Range<usize>,
    fields: Range<usize>,
}

/// One message's row.
#[derive(Clone, Copy, Debug)]
pub struct MessageRow<'a> {
    /// Its conversation.
    pub thread: ThreadId,
    prefix: &'a [u8],
    summary: &'a [u8],
    structure: &'a [u8],
    fields: &'a [u8],
}

impl Message {
    /// What was parsed out of the message, as in its row.
    pub fn row(&self) -> MessageRow<'_> {
        let (prefix, summary, structure) = (&self.prefix, &self.summary, &self.structure);
        MessageRow { thread: self.thread, prefix, summary, structure, fields: &[] }
    }
}

impl<'a> MessageRow<'a> {
    /// For ENVELOPE; `None` when the row's form is unknown, which `check` mends.
    pub fn envelope(&self) -> Option<EnvelopeView<'_>> {
        EnvelopeView::from_bytes(ListingView::from_bytes(self.summary)?.envelope)
    }

    /// The first readable text (RFC 8970); empty when the row's form is unknown.
    pub fn preview(&self) -> &str {
        ListingView::from_bytes(self.summary).map_or("", |listing| listing.preview)
    }

    /// The parsed structure, when it was asked for; `None` when the row's form is unknown.
    pub fn structure(&self) -> Option<Structure> {
        Structure::from_bytes(self.structure)
    }

    /// Two header blocks that follow each other and hold all of the fields that [`crate::are_kept`] names: the account's own header
    /// fields, whole, and those kept of the body. `None` when they are not in the row: the body tells them.
    pub fn fields(&self) -> Option<(&'a [u8], &'a [u8])> {
        Some((self.prefix, block_of(self.fields)?))
    }
}

impl MessageRows {
    /// The row of a message, if it was there.
    pub fn get(&self, id: MessageId) -> Option<MessageRow<'_>> {
        let slot = &self.slots[self.slots.binary_search_by_key(&id, |slot| slot.id).ok()?];
        let part = |range: &Range<usize>| &self.bytes[range.clone()];
        Some(MessageRow {
            thread: slot.thread,
            prefix: part(&slot.prefix),
            summary: part(&slot.summary),
            structure: part(&slot.structure),
            fields: part(&slot.fields),
        })
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn push(&mut self, row: &Row<'_>, wanted: Columns) -> Result<()> {
        let (id, thread) = (MessageId::from_sql(row.int(0)?), ThreadId::from_sql(row.int(1)?));
        let mut column = 2;
        let mut take = |is_wanted: bool| {
            if !is_wanted {
                return Ok(0..0);
            }
            column += 1;
            row.blob_ref(column - 1).map(|bytes| self.keep(bytes))
        };
        let (prefix, summary, structure) = (take(wanted.fields)?, take(wanted.listing)?, take(wanted.structure)?);
        self.slots.push(Slot { id, thread, prefix, summary, structure, fields: 0..0 });
        Ok(())
    }

    fn push_fields(&mut self, row: &Row<'_>) -> Result<()> {
        let id = MessageId::from_sql(row.int(0)?);
        if let Ok(at) = self.slots.binary_search_by_key(&id, |slot| slot.id) {
            self.slots[at].fields = self.keep(row.blob_ref(1)?);
        }
        Ok(())
    }
}

impl MailTx<'_, '_> {
    /// The rows of these messages, about half a kilobyte each, [`Columns::fields`] as much again: ask for some hundreds at once.
    pub fn message_rows(&mut self, ids: &[MessageId], wanted: Columns) -> Result<MessageRows> {
        let mut select = String::from("SELECT id, thread");
        for (is_wanted, column) in
            [(wanted.fields, "prefix"), (wanted.listing, "summary"), (wanted.structure, "structure")]
        {
            if is_wanted {
                select.extend([", ", column]);
            }
        }
        let mut rows = MessageRows::default();
        self.each_of(&format!("{select} FROM message"), "id", ids, |row| rows.push(row, wanted))?;
        if wanted.fields {
            self.each_of("SELECT message, fields FROM header", "message", ids, |row| rows.push_fields(row))?;
        }
        Ok(rows)
    }

    /// Messages by their numbers, in the order given; `None` where there is none. A number may be asked for twice: a message that moved within
    /// its mailbox has two UIDs for a session that was not told yet.
    pub fn messages_of(&mut self, ids: &[MessageId]) -> Result<Vec<Option<Message>>> {
        let mut found: HashMap<MessageId, Message> = HashMap::with_capacity(ids.len());
        self.each_of(SELECT_MESSAGE, "id", ids, |row| {
            let message = read_message(row)?;
            found.insert(message.id, message);
            Ok(())
        })?;
        let last: HashMap<MessageId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let one =
            |(at, id): (usize, &MessageId)| if last[id] == at { found.remove(id) } else { found.get(id).cloned() };
        Ok(ids.iter().enumerate().map(one).collect())
    }

    /// Visits the rows of these messages by ascending numbers. The first column is `key`, the number.
    pub(crate) fn each_of(
        &mut self,
        select: &str,
        key: &str,
        ids: &[MessageId],
        each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        each_row(self.db, self.account, select, key, (ids, SPARSE), each)
    }
}

/// Visits an account's rows of these messages by ascending numbers. The first column is `key`, the number. They are read as one range when
/// it holds at most so many times as many numbers as are wanted.
pub(crate) fn each_row(
    db: &mut Tx<'_>,
    account: AccountId,
    select: &str,
    key: &str,
    (ids, sparse): (&[MessageId], u64),
    mut each: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut wanted: Vec<i64> = ids.iter().map(|id| id.to_sql()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(()) };
    if last.abs_diff(*first) / sparse <= wanted.len() as u64 {
        let sql = format!("{select} WHERE account = ?1 AND {key} BETWEEN ?2 AND ?3 ORDER BY {key}");
        return db.for_each(&sql, params![account.to_sql(), *first, *last], |row| {
            if wanted.binary_search(&row.int(0)?).is_ok() { each(row) } else { Ok(()) }
        });
    }
    for piece in filled(&wanted) {
        let sql = format!("{select} WHERE account = ?1 AND {key} IN ({}) ORDER BY {key}", list(2, piece.len()));
        db.for_each(&sql, &numbers(account, &[], &piece), &mut each)?;
    }
    Ok(())
}
