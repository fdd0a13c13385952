//! The list of a large mailbox in blocks of UIDs, so that it opens without reading a row for each message.
//!
//! A block is a copy of rows of `entry`. Whatever changes one of them removes the block in the same transaction, so that a block that is
//! there is right, after a crash as well. Blocks are made only of UIDs below the next one: no delivery comes into
//! them, and what a move brings with a reserved UID removes its block. Who reads a mailbox without one of its blocks has it made.

use std::collections::{BTreeMap, BTreeSet};

use anser_base::pack::{Packer, Unpacker};
use anser_base::{MailboxId, MessageId, Result, Timestamp};
use anser_db::{Tx, Value, params};

use crate::model::{Entry, Flags, Keywords};
use crate::snapshot::Snapshot;
use crate::tx::MailTx;

/// UIDs of a block.
const SPAN: u32 = 256;
/// Messages of a block at least: fewer are read as fast row by row.
const DENSE: usize = 64;
/// Messages of a mailbox that has blocks, at least.
const LARGE: u64 = 1024;
/// Blocks that are made at once, at most.
const AT_ONCE: usize = 512;
/// The first byte of a block; one that begins otherwise is read row by row.
const FORM: u8 = 1;

/// A mailbox's list, and the numbers of the blocks that it lacks.
pub(crate) struct Loaded {
    pub snapshot: Snapshot,
    pub missing: Vec<u32>,
}

impl MailTx<'_, '_> {
    /// Reads the whole list of a mailbox.
    pub(crate) fn load(&mut self, id: MailboxId) -> Result<Loaded> {
        let mailbox = self.mailbox(id)?.clone();
        let mut snapshot = Snapshot::empty(id, mailbox.uidvalidity, mailbox.uidnext, mailbox.modseq);
        snapshot.is_filling = mailbox.is_filling();
        if mailbox.total < LARGE {
            self.each_entry(id, |entry| snapshot.push(entry))?;
            return Ok(Loaded { snapshot, missing: Vec::new() });
        }
        let (mut next, mut found) = (0, BTreeSet::new());
        for (number, bytes) in self.blocks(id)? {
            let Some(entries) = from_bytes(number, &bytes) else { continue };
            let first = number * SPAN;
            if next < first {
                self.each_between(id, next, first - 1, |entry| snapshot.push(entry))?;
            }
            entries.into_iter().for_each(|entry| snapshot.push(entry));
            next = first.saturating_add(SPAN);
            found.insert(number);
        }
        self.each_between(id, next, u32::MAX, |entry| snapshot.push(entry))?;
        let missing = missing(&snapshot, &found);
        Ok(Loaded { snapshot, missing })
    }

    fn blocks(&mut self, id: MailboxId) -> Result<Vec<(u32, Vec<u8>)>> {
        self.db.query(
            "SELECT number, entries FROM block WHERE account = ?1 AND mailbox = ?2 ORDER BY number",
            params![self.account.to_sql(), id.to_sql()],
            |row| Ok((row.int(0)? as u32, row.blob(1)?)),
        )
    }

    /// Makes blocks of a list, unless the mailbox has changed since.
    pub(crate) fn make_blocks(&mut self, list: &Snapshot, numbers: &[u32]) -> Result<()> {
        self.require_writing()?;
        let now = self.mailbox(list.mailbox)?;
        if (now.uidvalidity, now.uidnext, now.modseq) != (list.uidvalidity, list.uidnext, list.modseq) {
            return Ok(());
        }
        for number in numbers {
            let bytes = to_bytes(*number, list.between(number * SPAN, number * SPAN + (SPAN - 1)));
            self.db.execute(
                "INSERT INTO block (account, mailbox, number, entries) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (account, mailbox, number) DO UPDATE SET entries = excluded.entries",
                params![self.account.to_sql(), list.mailbox.to_sql(), *number, &bytes],
            )?;
        }
        Ok(())
    }

    /// Removes the blocks of UIDs whose rows change in this transaction.
    pub(crate) fn drop_blocks(&mut self, id: MailboxId, uids: impl Iterator<Item = u32>) -> Result<()> {
        let uidnext = self.mailbox(id)?.uidnext;
        let numbers: BTreeSet<u32> = uids.map(|uid| uid / SPAN).filter(|number| is_closed(*number, uidnext)).collect();
        let still: Vec<i64> =
            numbers.into_iter().filter(|number| self.dropped_blocks.insert((id, *number))).map(i64::from).collect();
        self.execute_list(
            "DELETE FROM block WHERE account = ?1 AND mailbox = ?2 AND number IN ",
            &[id.to_sql()],
            &still,
        )
    }
}

/// Whether no message can come into a block any more.
fn is_closed(number: u32, uidnext: u32) -> bool {
    number < uidnext / SPAN
}

fn missing(list: &Snapshot, found: &BTreeSet<u32>) -> Vec<u32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    list.iter().for_each(|entry| *counts.entry(entry.uid / SPAN).or_default() += 1);
    let wanted = counts
        .into_iter()
        .filter(|(number, count)| *count >= DENSE && is_closed(*number, list.uidnext) && !found.contains(number));
    wanted.map(|(number, _)| number).take(AT_ONCE).collect()
}

/// The mailboxes of an account of which some block is not what `entries` says.
pub(crate) fn wrong_blocks(
    tx: &mut Tx<'_>,
    account: i64,
    entries: &BTreeMap<(MailboxId, u32), Entry>,
) -> Result<BTreeSet<MailboxId>> {
    let mut wrong = BTreeSet::new();
    tx.for_each("SELECT mailbox, number, entries FROM block WHERE account = ?1", &[Value::Int(account)], |row| {
        let (mailbox, number) = (MailboxId::from_sql(row.int(0)?), row.int(1)? as u32);
        let first = number.saturating_mul(SPAN);
        let rows = entries.range((mailbox, first)..=(mailbox, first.saturating_add(SPAN - 1)));
        let listed = from_bytes(number, row.blob_ref(2)?);
        if !listed.is_some_and(|listed| listed.iter().eq(rows.map(|(_, entry)| entry))) {
            wrong.insert(mailbox);
        }
        Ok(())
    })?;
    Ok(wrong)
}

/// Entries of one block, ascending: each as its difference from the one before it.
fn to_bytes<'a>(number: u32, entries: impl Iterator<Item = &'a Entry>) -> Vec<u8> {
    let mut packer = Packer::with_capacity(SPAN as usize * 24);
    packer.byte(FORM);
    let mut last = origin(number);
    for entry in entries {
        packer.number(u64::from(entry.uid - last.uid));
        packer.signed(entry.message.to_sql().wrapping_sub(last.message.to_sql()));
        packer.signed((entry.modseq as i64).wrapping_sub(last.modseq as i64));
        packer.number(u64::from(entry.flags.0));
        packer.number(entry.size);
        packer.signed(entry.received.0.wrapping_sub(last.received.0));
        packer.signed(i64::from(entry.zone));
        packer.signed(entry.saved.0.wrapping_sub(last.saved.0));
        packer.text(entry.keywords.as_text());
        last = entry.clone();
    }
    packer.finish()
}

/// `None` when the form is unknown.
fn from_bytes(number: u32, bytes: &[u8]) -> Option<Vec<Entry>> {
    let rest = bytes.strip_prefix(&[FORM])?;
    let (mut unpacker, mut entries) = (Unpacker::new(rest), Vec::with_capacity(SPAN as usize));
    let mut last = origin(number);
    while !unpacker.is_empty() {
        last = read(&mut unpacker, &last).ok()?;
        entries.push(last.clone());
    }
    Some(entries)
}

fn read(from: &mut Unpacker<'_>, last: &Entry) -> Result<Entry> {
    let uid = last.uid.wrapping_add(from.number()? as u32);
    let message = MessageId::from_sql(last.message.to_sql().wrapping_add(from.signed()?));
    let modseq = (last.modseq as i64).wrapping_add(from.signed()?) as u64;
    let (flags, size) = (Flags(from.number()? as u32), from.number()?);
    let received = Timestamp(last.received.0.wrapping_add(from.signed()?));
    let zone = from.signed()? as i16;
    let saved = Timestamp(last.saved.0.wrapping_add(from.signed()?));
    let text = from.text()?;
    let keywords = if text == last.keywords.as_text() { last.keywords.clone() } else { Keywords::from_text(text) };
    Ok(Entry { uid, flags, size, message, modseq, received, zone, saved, keywords })
}

/// What the first entry of a block differs from.
fn origin(number: u32) -> Entry {
    Entry {
        uid: number.saturating_mul(SPAN),
        flags: Flags::default(),
        size: 0,
        message: MessageId(0),
        modseq: 0,
        received: Timestamp(0),
        zone: 0,
        saved: Timestamp(0),
        keywords: Keywords::default(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries() -> impl Strategy<Value = BTreeMap<u32, Entry>> {
        let words = prop::sample::select(vec!["", "", "$Junk", "$Forwarded 重要"]);
        let numbers = (any::<u64>(), any::<u32>(), any::<i64>(), any::<i16>());
        let one = (0u32..256, numbers, words).prop_map(|(at, (big, flags, time, zone), words)| Entry {
            uid: 7 * SPAN + at,
            flags: Flags(flags),
            size: big >> 3,
            message: MessageId(big >> 1),
            modseq: big >> 2,
            received: Timestamp(time),
            zone,
            saved: Timestamp(time >> 20),
            keywords: Keywords::from_text(words),
        });
        prop::collection::vec(one, 0..40).prop_map(|all| all.into_iter().map(|entry| (entry.uid, entry)).collect())
    }

    proptest! {
        #[test]
        fn blocks_come_back_as_they_were(entries in entries(), cut in 0usize..60) {
            let bytes = to_bytes(7, entries.values());
            let back = from_bytes(7, &bytes).unwrap();
            prop_assert!(back.iter().eq(entries.values()));
            prop_assert!(back.iter().all(|entry| entry.uid / SPAN == 7));
            prop_assert!(from_bytes(7, &bytes[..bytes.len().saturating_sub(cut)]).is_none_or(|some| some.len() <= back.len()));
        }
    }

    #[test]
    fn another_form_is_not_read() {
        assert_eq!(from_bytes(1, &[2, 0]), None);
        assert_eq!(from_bytes(1, &[]), None);
    }
}
