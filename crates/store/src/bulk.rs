//! Many rows by few statements: what STORE, EXPUNGE, COPY and MOVE of thousands of messages are made of. Row by row each of them would
//! be a round trip to PostgreSQL.

use std::collections::HashMap;
use std::fmt::Write as _;

use anser_base::{AccountId, MailboxId, MessageId, Result, ThreadId};
use anser_db::{Value, params};

use crate::change::Change;
use crate::codec;
use crate::model::{Entry, ThreadKeys};
use crate::tx::{MailTx, SELECT_ENTRY, read_entry};

/// Rows of one statement: few sizes, so that the statements stay prepared.
const SIZES: [usize; 3] = [64, 8, 1];
/// UIDs are read as one range when it holds at most so many times as many UIDs as are wanted.
const SPARSE: usize = 3;

/// What a message's row tells besides what was parsed out of it.
pub(crate) struct Brief {
    pub thread: ThreadId,
    pub places: Vec<(MailboxId, u32)>,
    pub keys: ThreadKeys,
}

/// A list in pieces, each of which one statement takes.
pub(crate) fn pieces<T>(mut list: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= list.len())?;
        let (piece, rest) = list.split_at(size);
        list = rest;
        Some(piece)
    })
}

/// Numbers for `IN`, in pieces that are filled up with their last one to one of few sizes.
pub(crate) fn filled(all: &[i64]) -> impl Iterator<Item = Vec<i64>> {
    all.chunks(SIZES[0]).map(|chunk| {
        let size = SIZES.into_iter().rev().find(|size| *size >= chunk.len()).unwrap_or(SIZES[0]);
        let mut piece = chunk.to_vec();
        piece.resize(size, chunk[chunk.len() - 1]);
        piece
    })
}

/// `?first, ?first+1, …`
pub(crate) fn list(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 5);
    for at in first..first + count {
        let _ = write!(text, "{}?{at}", if at > first { ", " } else { "" });
    }
    text
}

/// `(lead?first, …), (lead …), …`: so many rows, each of `lead` and so many columns of its own.
pub(crate) fn rows(lead: &str, first: usize, count: usize, columns: usize) -> String {
    let row = |at: usize| format!("({lead}{})", list(first + at * columns, columns));
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

/// An account and some numbers as parameters.
pub(crate) fn numbers<'v>(account: AccountId, lead: &[i64], list: &[i64]) -> Vec<Value<'v>> {
    let account = std::iter::once(account.to_sql());
    account.chain(lead.iter().copied()).chain(list.iter().copied()).map(Value::Int).collect()
}

impl MailTx<'_, '_> {
    /// The messages of a mailbox with these UIDs, ascending, each once. UIDs that are gone are left out.
    pub(crate) fn entries_of(&mut self, mailbox: MailboxId, uids: &[u32]) -> Result<Vec<Entry>> {
        let mut sorted = uids.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return Ok(Vec::new()) };
        if (last - first) as usize / SPARSE <= sorted.len() {
            let mut found = self.entries(mailbox, *first, *last)?;
            found.retain(|entry| sorted.binary_search(&entry.uid).is_ok());
            return Ok(found);
        }
        let mut found = Vec::with_capacity(sorted.len());
        let sorted: Vec<i64> = sorted.into_iter().map(i64::from).collect();
        for piece in filled(&sorted) {
            let sql = format!(
                "{SELECT_ENTRY} WHERE account = ?1 AND mailbox = ?2 AND uid IN ({}) ORDER BY uid",
                list(3, piece.len())
            );
            let values = self.numbers(&[mailbox.to_sql()], &piece);
            found.extend(self.db.query(&sql, &values, read_entry)?);
        }
        Ok(found)
    }

    /// The account and some numbers as parameters.
    pub(crate) fn numbers<'v>(&self, lead: &[i64], list: &[i64]) -> Vec<Value<'v>> {
        numbers(self.account, lead, list)
    }

    /// Runs a statement over the account, some numbers, and a list in parentheses behind its text, piece by piece.
    pub(crate) fn execute_list(&mut self, sql: &str, lead: &[i64], all: &[i64]) -> Result<()> {
        for piece in filled(all) {
            let text = format!("{sql}({})", list(lead.len() + 2, piece.len()));
            let values = self.numbers(lead, &piece);
            self.db.execute(&text, &values)?;
        }
        Ok(())
    }

    /// Inserts rows of the account, each of so many numbers.
    pub(crate) fn insert_numbers<const N: usize>(
        &mut self,
        into: &str,
        conflict: &str,
        all: &[[i64; N]],
    ) -> Result<()> {
        for piece in pieces(all) {
            let text = format!("{into} VALUES {}{conflict}", rows("?1, ", 2, piece.len(), N));
            let values = self.numbers(&[], piece.as_flattened());
            self.db.execute(&text, &values)?;
        }
        Ok(())
    }

    /// What the rows of these messages tell.
    pub(crate) fn briefs(&mut self, ids: &[MessageId]) -> Result<HashMap<MessageId, Brief>> {
        let mut found = HashMap::with_capacity(ids.len());
        let ids: Vec<i64> = ids.iter().map(|id| id.to_sql()).collect();
        for piece in filled(&ids) {
            let sql = format!(
                "SELECT id, thread, places, keys FROM message WHERE account = ?1 AND id IN ({})",
                list(2, piece.len())
            );
            let values = self.numbers(&[], &piece);
            self.db.for_each(&sql, &values, |row| {
                let brief = Brief {
                    thread: ThreadId::from_sql(row.int(1)?),
                    places: codec::places_from_bytes(&row.blob(2)?).unwrap_or_default(),
                    keys: codec::keys_from_bytes(&row.blob(3)?).unwrap_or_default(),
                };
                found.insert(MessageId::from_sql(row.int(0)?), brief);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Puts entries into a mailbox: rows, counters, changes.
    pub(crate) fn insert_entries(&mut self, mailbox: MailboxId, entries: Vec<Entry>) -> Result<()> {
        for piece in pieces(&entries) {
            let sql = format!(
                "INSERT INTO entry (account, mailbox, uid, message, modseq, flags, keywords, size, received, zone, saved) VALUES {}",
                rows("?1, ?2, ", 3, piece.len(), 9)
            );
            let mut values = self.numbers(&[mailbox.to_sql()], &[]);
            for entry in piece {
                values.extend(codec::entry_values(entry));
            }
            self.db.execute(&sql, &values)?;
        }
        for entry in entries {
            self.count(mailbox, None, Some(&entry))?;
            self.publish(Change::Added { mailbox, entry, is_moved: self.is_moving });
        }
        Ok(())
    }

    /// Takes entries, ascending, out of a mailbox and notes them as vanished.
    pub(crate) fn remove_entries(&mut self, mailbox: MailboxId, entries: &[Entry]) -> Result<()> {
        self.drop_blocks(mailbox, entries.iter().map(|entry| entry.uid))?;
        let uids: Vec<i64> = entries.iter().map(|entry| i64::from(entry.uid)).collect();
        self.execute_list(
            "DELETE FROM entry WHERE account = ?1 AND mailbox = ?2 AND uid IN ",
            &[mailbox.to_sql()],
            &uids,
        )?;
        for entry in entries {
            self.count(mailbox, Some(entry), None)?;
            self.publish(Change::Expunged { mailbox, uid: entry.uid, message: entry.message });
        }
        self.vanish_all(mailbox, entries)
    }

    /// Runs of neighbours become one row each; the first may go on a run that this transaction began.
    fn vanish_all(&mut self, mailbox: MailboxId, entries: &[Entry]) -> Result<()> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for entry in entries {
            match runs.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(entry.uid) => *last = entry.uid,
                _ => runs.push((entry.uid, entry.uid)),
            }
        }
        let Some(((first, last), others)) = runs.split_first() else { return Ok(()) };
        self.vanish(mailbox, *first, *last)?;
        let modseq = self.modseq() as i64;
        let others: Vec<[i64; 4]> = others
            .iter()
            .map(|(first, last)| [mailbox.to_sql(), modseq, i64::from(*first), i64::from(*last)])
            .collect();
        self.insert_numbers("INSERT INTO vanished (account, mailbox, modseq, first, last)", "", &others)
    }

    /// Writes where messages are, sorted by mailbox; each message once.
    pub(crate) fn write_places(&mut self, all: &[(MessageId, Vec<(MailboxId, u32)>)]) -> Result<()> {
        for piece in pieces(all) {
            let places: Vec<Vec<u8>> = piece.iter().map(|(_, places)| codec::places_to_bytes(places)).collect();
            let sql = format!(
                "UPDATE message SET places = {} WHERE account = ?1 AND id IN ({})",
                choice("id", "places", 2, 2, 1, piece.len()),
                evens(2, 2, piece.len())
            );
            let mut values = self.numbers(&[], &[]);
            for ((id, _), places) in piece.iter().zip(&places) {
                values.extend_from_slice(params![id.to_sql(), places]);
            }
            self.db.execute(&sql, &values)?;
        }
        Ok(())
    }

    /// Makes copies of messages under new numbers, each in one place. False when one of them is not there.
    pub(crate) fn copy_messages(&mut self, all: &[(MessageId, MessageId, (MailboxId, u32))]) -> Result<bool> {
        for piece in pieces(all) {
            let places: Vec<Vec<u8>> = piece.iter().map(|(_, _, place)| codec::places_to_bytes(&[*place])).collect();
            let sql = format!(
                "INSERT INTO message (account, id, thread, blob, blob_size, prefix, received, zone, uidl, places, keys, summary, \
                 structure, line_ends) SELECT account, {}, thread, blob, blob_size, prefix, received, zone, NULL, {}, keys, summary, \
                 structure, line_ends FROM message WHERE account = ?1 AND id IN ({})",
                choice("id", "id", 2, 3, 1, piece.len()),
                choice("id", "places", 2, 3, 2, piece.len()),
                evens(2, 3, piece.len())
            );
            let mut values = self.numbers(&[], &[]);
            for ((from, to, _), places) in piece.iter().zip(&places) {
                values.extend_from_slice(params![from.to_sql(), to.to_sql(), places]);
            }
            if self.db.execute(&sql, &values)? != piece.len() as u64 {
                return Ok(false);
            }
            let numbers: Vec<i64> = piece.iter().flat_map(|(from, to, _)| [from.to_sql(), to.to_sql()]).collect();
            let sql = format!(
                "INSERT INTO header (account, message, fields) SELECT account, {}, fields FROM header \
                 WHERE account = ?1 AND message IN ({})",
                choice("message", "message", 2, 2, 1, piece.len()),
                evens(2, 2, piece.len())
            );
            let values = self.numbers(&[], &numbers);
            self.db.execute(&sql, &values)?;
        }
        Ok(true)
    }
}

/// `CASE key WHEN ?a THEN ?b … ELSE column END` over parameters that come in groups of `step`, the first of each the id, and `at` behind
/// it the value. The last branch tells PostgreSQL the type.
fn choice(key: &str, column: &str, first: usize, step: usize, at: usize, count: usize) -> String {
    let mut text = format!("CASE {key}");
    for group in 0..count {
        let id = first + group * step;
        let _ = write!(text, " WHEN ?{id} THEN ?{}", id + at);
    }
    let _ = write!(text, " ELSE {column} END");
    text
}

/// The first parameters of groups of `step`, as a list.
fn evens(first: usize, step: usize, count: usize) -> String {
    (0..count).map(|group| format!("?{}", first + group * step)).collect::<Vec<_>>().join(", ")
}
