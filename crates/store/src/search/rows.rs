//! The rows of the search tables.

use std::sync::Arc;

use anser_base::pack::{put_number, take_number};
use anser_base::{AccountId, BlobId, Error, MessageId, Result};
use anser_db::{Tx, params};
use anser_text::Searchable;
use anser_text::index::{Block, Directory};
use zstd::bulk::{Compressor, Decompressor};

use crate::model::Message;
use crate::rows::each_row;

/// Version of what is extracted and how it is cut into terms. Another one in the tables means that they are made anew.
pub(super) const FORM: i64 = 1;
/// Compression of texts: 3 saves a fifth over 1 at a cost that extraction hides.
const LEVEL: i32 = 3;
/// Bytes that a text may unpack to: head or body and their marks.
const UNPACKED: usize = 17 << 20;

/// A segment that is being made or unmade; nobody asks it.
const UNFINISHED: i64 = 0;
/// A segment that answers.
const LIVE: i64 = 1;

/// How far an account's index has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Distinguishes this index from one that was thrown away before.
    pub epoch: i64,
    /// Every message up to this number is in a segment.
    pub through: MessageId,
    /// Texts of messages that were destroyed up to this modification sequence are gone.
    pub seen: u64,
    /// The number of the next segment.
    pub next_segment: i64,
}

/// What a segment is about.
#[derive(Debug)]
pub(super) struct Segment {
    pub id: i64,
    /// Its messages, ascending.
    pub messages: Vec<Indexed>,
    pub directory: Directory,
}

/// One message of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Indexed {
    pub id: MessageId,
    /// Tells whether it is still the same message, should a power cut have made its number free.
    pub print: u32,
    /// Whether some of it could not be read.
    pub is_partial: bool,
}

impl Indexed {
    pub fn of(message: &Message, is_partial: bool) -> Self {
        Self { id: message.id, print: print_of(message), is_partial }
    }
}

/// Of a message's body and of what the account put before it.
pub(super) fn print_of(message: &Message) -> u32 {
    let mut bytes = message.blob.0.to_vec();
    bytes.extend_from_slice(&message.prefix);
    let hash = BlobId::of(&bytes).0;
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
}

pub(super) fn read_state(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<State>> {
    let lock = if tx.is_postgres() { " FOR UPDATE" } else { "" };
    let sql =
        format!("SELECT epoch, through, seen, next_segment FROM search_state WHERE account = ?1 AND form = ?2{lock}");
    tx.query_one(&sql, params![account.to_sql(), FORM], |row| {
        Ok(State {
            epoch: row.int(0)?,
            through: MessageId::from_sql(row.int(1)?),
            seen: row.int(2)? as u64,
            next_segment: row.int(3)?,
        })
    })
}

pub(super) fn write_state(tx: &mut Tx<'_>, account: AccountId, state: &State) -> Result<()> {
    let values =
        params![account.to_sql(), FORM, state.epoch, state.through.to_sql(), state.seen as i64, state.next_segment];
    tx.execute(
        "INSERT INTO search_state (account, form, epoch, through, seen, next_segment) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (account) DO UPDATE SET form = excluded.form, epoch = excluded.epoch, through = excluded.through, \
         seen = excluded.seen, next_segment = excluded.next_segment",
        values,
    )?;
    Ok(())
}

/// The numbers of the segments that answer, oldest messages first, with how many messages each has.
pub(super) fn live_segments(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<(i64, u32)>> {
    tx.query(
        "SELECT id, messages FROM search_segment WHERE account = ?1 AND status = ?2 ORDER BY first",
        params![account.to_sql(), LIVE],
        |row| Ok((row.int(0)?, row.int(1)? as u32)),
    )
}

/// The numbers of segments that nobody asks and whose blocks are to be removed.
pub(super) fn unfinished_segments(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<i64>> {
    tx.query(
        "SELECT id FROM search_segment WHERE account = ?1 AND status = ?2",
        params![account.to_sql(), UNFINISHED],
        |row| row.int(0),
    )
}

pub(super) fn read_segment(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<Option<Arc<Segment>>> {
    let found = tx.query_one(
        "SELECT map, directory FROM search_segment WHERE account = ?1 AND id = ?2 AND status = ?3",
        params![account.to_sql(), id, LIVE],
        |row| Ok((row.blob(0)?, row.blob(1)?)),
    )?;
    let Some((map, directory)) = found else { return Ok(None) };
    let messages = map_from_bytes(&map).ok_or_else(|| Error::damaged("a segment's list of messages is broken"))?;
    Ok(Some(Arc::new(Segment { id, messages, directory: Directory::from_bytes(&directory)? })))
}

/// Notes a segment whose blocks are about to be written.
pub(super) fn begin_segment(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO search_segment (account, id, status, first, last, messages, map, directory) \
         VALUES (?1, ?2, ?3, 0, 0, 0, ?4, ?4) ON CONFLICT DO NOTHING",
        params![account.to_sql(), id, UNFINISHED, &[][..] as &[u8]],
    )?;
    Ok(())
}

/// From now on the segment answers.
pub(super) fn finish_segment(tx: &mut Tx<'_>, account: AccountId, segment: &Segment) -> Result<()> {
    let (first, last) = (segment.messages.first(), segment.messages.last());
    let end = |indexed: Option<&Indexed>| indexed.map_or(0, |indexed| indexed.id.to_sql());
    tx.execute(
        "INSERT INTO search_segment (account, id, status, first, last, messages, map, directory) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (account, id) DO UPDATE SET status = excluded.status, \
         first = excluded.first, last = excluded.last, messages = excluded.messages, map = excluded.map, \
         directory = excluded.directory",
        params![
            account.to_sql(),
            segment.id,
            LIVE,
            end(first),
            end(last),
            segment.messages.len() as i64,
            &map_to_bytes(&segment.messages),
            &segment.directory.to_bytes()
        ],
    )?;
    Ok(())
}

/// From now on nobody asks the segment; false when nobody did.
pub(super) fn retire_segment(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE search_segment SET status = ?3 WHERE account = ?1 AND id = ?2 AND status = ?4",
        params![account.to_sql(), id, UNFINISHED, LIVE],
    )?;
    Ok(changed == 1)
}

/// Removes at most `limit` blocks of a segment, and at last the segment; true when it is gone.
pub(super) fn remove_segment(tx: &mut Tx<'_>, account: AccountId, id: i64, limit: u32) -> Result<bool> {
    let last = tx.query_one(
        "SELECT max(block) FROM search_terms WHERE account = ?1 AND segment = ?2",
        params![account.to_sql(), id],
        |row| row.opt_int(0),
    )?;
    let Some(last) = last.flatten() else {
        tx.execute(
            "DELETE FROM search_segment WHERE account = ?1 AND id = ?2 AND status = ?3",
            params![account.to_sql(), id, UNFINISHED],
        )?;
        return Ok(true);
    };
    let from = last - i64::from(limit) + 1;
    for table in ["search_postings", "search_terms"] {
        tx.execute(
            &format!("DELETE FROM {table} WHERE account = ?1 AND segment = ?2 AND block >= ?3"),
            params![account.to_sql(), id, from],
        )?;
    }
    Ok(false)
}

pub(super) fn write_block(tx: &mut Tx<'_>, account: AccountId, segment: i64, at: u32, block: &Block) -> Result<()> {
    for (table, data) in [("search_terms", &block.terms), ("search_postings", &block.postings)] {
        tx.execute(
            &format!(
                "INSERT INTO {table} (account, segment, block, data) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (account, segment, block) DO UPDATE SET data = excluded.data"
            ),
            params![account.to_sql(), segment, at, data],
        )?;
    }
    Ok(())
}

/// Terms of the blocks from–to of a segment.
pub(super) fn read_terms(
    tx: &mut Tx<'_>,
    account: AccountId,
    segment: i64,
    first: u32,
    last: u32,
) -> Result<Vec<(u32, Vec<u8>)>> {
    tx.query(
        "SELECT block, data FROM search_terms WHERE account = ?1 AND segment = ?2 AND block BETWEEN ?3 AND ?4",
        params![account.to_sql(), segment, first, last],
        |row| Ok((row.int(0)? as u32, row.blob(1)?)),
    )
}

pub(super) fn read_postings(tx: &mut Tx<'_>, account: AccountId, segment: i64, block: u32) -> Result<Option<Vec<u8>>> {
    tx.query_one(
        "SELECT data FROM search_postings WHERE account = ?1 AND segment = ?2 AND block = ?3",
        params![account.to_sql(), segment, block],
        |row| row.blob(0),
    )
}

/// A message's text as it is stored.
pub(super) struct Packed {
    pub id: MessageId,
    pub mark: i64,
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

impl Packed {
    /// Made with a [`packer`].
    pub fn of(id: MessageId, text: &Searchable, packer: &mut Compressor<'_>) -> Result<Self> {
        let mut pack = |text: &str| packer.compress(text.as_bytes()).map_err(Error::io);
        let mark = i64::from(text.unreadable) << 1 | i64::from(text.is_cut);
        Ok(Self { id, mark, head: pack(&text.head)?, body: pack(&text.body)? })
    }

    pub fn unpack(&self) -> Result<Searchable> {
        let mut unpacker = Unpacker::new()?;
        let unreadable = u32::try_from(self.mark >> 1).unwrap_or(u32::MAX);
        let (head, body) = (unpacker.unpack(&self.head)?.to_owned(), unpacker.unpack(&self.body)?.to_owned());
        Ok(Searchable { head, body, is_cut: self.mark & 1 == 1, unreadable })
    }
}

/// What compresses texts; to make it takes as long as to compress one.
pub(super) fn packer() -> Result<Compressor<'static>> {
    Compressor::new(LEVEL).map_err(Error::io)
}

/// What unpacks texts, one after the other: to make it takes longer than to unpack one.
pub(super) struct Unpacker {
    zstd: Decompressor<'static>,
    text: Vec<u8>,
}

impl Unpacker {
    pub fn new() -> Result<Self> {
        Ok(Self { zstd: Decompressor::new().map_err(Error::io)?, text: Vec::new() })
    }

    /// The text, until the next is unpacked. `Class::Damaged` for what is none.
    pub fn unpack(&mut self, bytes: &[u8]) -> Result<&str> {
        let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().unwrap_or(0);
        self.text.clear();
        self.text.reserve(usize::try_from(size).unwrap_or(usize::MAX).min(UNPACKED));
        self.zstd.decompress_to_buffer(bytes, &mut self.text).map_err(Error::damaged)?;
        std::str::from_utf8(&self.text).map_err(Error::damaged)
    }
}

pub(super) fn write_text(tx: &mut Tx<'_>, account: AccountId, text: &Packed) -> Result<()> {
    tx.execute(
        "INSERT INTO search_text (account, message, mark, head, body) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (account, message) DO UPDATE SET mark = excluded.mark, head = excluded.head, body = excluded.body",
        params![account.to_sql(), text.id.to_sql(), text.mark, &text.head, &text.body],
    )?;
    Ok(())
}

pub(super) fn read_text(tx: &mut Tx<'_>, account: AccountId, id: MessageId) -> Result<Option<Packed>> {
    tx.query_one(
        "SELECT mark, head, body FROM search_text WHERE account = ?1 AND message = ?2",
        params![account.to_sql(), id.to_sql()],
        |row| Ok(Packed { id, mark: row.int(0)?, head: row.blob(1)?, body: row.blob(2)? }),
    )
}

/// The texts of those of some messages that have one, ascending, each with its mark and its body only if that is wanted.
pub(super) fn read_texts(
    tx: &mut Tx<'_>,
    account: AccountId,
    ids: &[MessageId],
    with_body: bool,
) -> Result<Vec<Packed>> {
    let select = match with_body {
        true => "SELECT message, mark, head, body FROM search_text",
        false => "SELECT message, mark, head FROM search_text",
    };
    let mut all = Vec::with_capacity(ids.len());
    // Those between are not read: texts may be long.
    each_row(tx, account, select, "message", (ids, 1), |row| {
        let body = if with_body { row.blob(3)? } else { Vec::new() };
        all.push(Packed { id: MessageId::from_sql(row.int(0)?), mark: row.int(1)?, head: row.blob(2)?, body });
        Ok(())
    })?;
    Ok(all)
}

/// Removes the text of a message that was destroyed, and notes that its terms go with the next merge.
pub(super) fn forget_message(tx: &mut Tx<'_>, account: AccountId, id: MessageId) -> Result<()> {
    let key = params![account.to_sql(), id.to_sql()];
    tx.execute("DELETE FROM search_text WHERE account = ?1 AND message = ?2", key)?;
    tx.execute("INSERT INTO search_gone (account, message) VALUES (?1, ?2) ON CONFLICT DO NOTHING", key)?;
    Ok(())
}

/// Destroyed messages from–to whose terms are still in segments, ascending.
pub(super) fn gone(tx: &mut Tx<'_>, account: AccountId, first: MessageId, last: MessageId) -> Result<Vec<MessageId>> {
    tx.query(
        "SELECT message FROM search_gone WHERE account = ?1 AND message BETWEEN ?2 AND ?3 ORDER BY message",
        params![account.to_sql(), first.to_sql(), last.to_sql()],
        |row| Ok(MessageId::from_sql(row.int(0)?)),
    )
}

/// The terms of this message are in no segment any more.
pub(super) fn clear_gone(tx: &mut Tx<'_>, account: AccountId, id: MessageId) -> Result<()> {
    tx.execute("DELETE FROM search_gone WHERE account = ?1 AND message = ?2", params![account.to_sql(), id.to_sql()])?;
    Ok(())
}

/// How many blocks of a segment are there.
pub(super) fn count_blocks(tx: &mut Tx<'_>, account: AccountId, segment: i64) -> Result<u32> {
    let count = tx.query_one(
        "SELECT count(*) FROM search_terms WHERE account = ?1 AND segment = ?2",
        params![account.to_sql(), segment],
        |row| row.int(0),
    )?;
    Ok(count.unwrap_or(0) as u32)
}

/// Differences between numbers with the mark in the lowest bit, each followed by the print.
fn map_to_bytes(messages: &[Indexed]) -> Vec<u8> {
    let (mut out, mut last) = (Vec::with_capacity(messages.len() * 6), 0);
    for message in messages {
        put_number(&mut out, (message.id.0 - last) << 1 | u64::from(message.is_partial));
        out.extend_from_slice(&message.print.to_le_bytes());
        last = message.id.0;
    }
    out
}

fn map_from_bytes(mut bytes: &[u8]) -> Option<Vec<Indexed>> {
    let (mut messages, mut last) = (Vec::with_capacity(bytes.len() / 6), 0u64);
    while !bytes.is_empty() {
        let value = take_number(&mut bytes)?;
        let (print, rest) = bytes.split_first_chunk::<4>()?;
        bytes = rest;
        last = last.checked_add(value >> 1)?;
        messages.push(Indexed { id: MessageId(last), print: u32::from_le_bytes(*print), is_partial: value & 1 == 1 });
    }
    Some(messages)
}
