//! What was parsed out of many messages, read at once into one buffer: for long lists, where a value for each message would cost more
//! than what is done with it.

use std::collections::HashMap;
use std::ops::Range;

use anser_base::{MessageId, Result, ThreadId};
use anser_db::{Row, params};
use anser_mime::envelope_view::EnvelopeView;
use anser_mime::structure::Structure;

use crate::bulk::{filled, list};
use crate::content::ListingView;
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

#[derive(Debug)]
struct Slot {
    id: MessageId,
    thread: ThreadId,
    summary: Range<usize>,
    structure: Range<usize>,
}

/// One message's row.
#[derive(Clone, Copy, Debug)]
pub struct MessageRow<'a> {
    /// Its conversation.
    pub thread: ThreadId,
    summary: &'a [u8],
    structure: &'a [u8],
}

impl Message {
    /// What was parsed out of the message, as in its row.
    pub fn row(&self) -> MessageRow<'_> {
        MessageRow { thread: self.thread, summary: &self.summary, structure: &self.structure }
    }
}

impl MessageRow<'_> {
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
}

impl MessageRows {
    /// The row of a message, if it was there.
    pub fn get(&self, id: MessageId) -> Option<MessageRow<'_>> {
        let slot = &self.slots[self.slots.binary_search_by_key(&id, |slot| slot.id).ok()?];
        Some(MessageRow {
            thread: slot.thread,
            summary: &self.bytes[slot.summary.clone()],
            structure: &self.bytes[slot.structure.clone()],
        })
    }

    fn push(&mut self, row: &Row<'_>, structure: bool) -> Result<()> {
        let mut keep = |bytes: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            start..self.bytes.len()
        };
        let (id, thread) = (MessageId::from_sql(row.int(0)?), ThreadId::from_sql(row.int(1)?));
        let summary = keep(row.blob_ref(2)?);
        let structure = if structure { keep(row.blob_ref(3)?) } else { 0..0 };
        self.slots.push(Slot { id, thread, summary, structure });
        Ok(())
    }
}

impl MailTx<'_, '_> {
    /// The rows of these messages, about half a kilobyte each: ask for some hundreds at once. `structure` asks for that as well.
    pub fn message_rows(&mut self, ids: &[MessageId], structure: bool) -> Result<MessageRows> {
        let columns = if structure { "id, thread, summary, structure" } else { "id, thread, summary" };
        let mut rows = MessageRows::default();
        self.each_of(&format!("SELECT {columns} FROM message"), ids, |row| rows.push(row, structure))?;
        Ok(rows)
    }

    /// Messages by their numbers, in the order given; `None` where there is none. A number may be asked for twice: a message that moved within
    /// its mailbox has two UIDs for a session that was not told yet.
    pub fn messages_of(&mut self, ids: &[MessageId]) -> Result<Vec<Option<Message>>> {
        let mut found: HashMap<MessageId, Message> = HashMap::with_capacity(ids.len());
        self.each_of(SELECT_MESSAGE, ids, |row| {
            let message = read_message(row)?;
            found.insert(message.id, message);
            Ok(())
        })?;
        let last: HashMap<MessageId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let one =
            |(at, id): (usize, &MessageId)| if last[id] == at { found.remove(id) } else { found.get(id).cloned() };
        Ok(ids.iter().enumerate().map(one).collect())
    }

    /// Visits the rows of these messages by ascending numbers. The first column is the number.
    fn each_of(&mut self, select: &str, ids: &[MessageId], mut each: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        let mut wanted: Vec<i64> = ids.iter().map(|id| id.to_sql()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(()) };
        if last.abs_diff(*first) / SPARSE <= wanted.len() as u64 {
            let sql = format!("{select} WHERE account = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id");
            return self.db.for_each(&sql, params![self.account.to_sql(), *first, *last], |row| {
                if wanted.binary_search(&row.int(0)?).is_ok() { each(row) } else { Ok(()) }
            });
        }
        for piece in filled(&wanted) {
            let sql = format!("{select} WHERE account = ?1 AND id IN ({}) ORDER BY id", list(2, piece.len()));
            let values = self.numbers(&[], &piece);
            self.db.for_each(&sql, &values, &mut each)?;
        }
        Ok(())
    }
}
