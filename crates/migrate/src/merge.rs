//! Changes on both sides since the last pass become one: flags by three, with the ledger as the base; what left the old server; what
//! its owner removed here. What an owner did here is never undone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use anser_base::{MailboxId, MessageId, Result};
use anser_mime::date::parse_internal_date;
use anser_store::{FlagAct, Flags, Keywords, LedgerKey, LedgerRow, LedgerState, MailTx};

use crate::source::Seen;

/// Rows of the same bytes that are looked through.
const TWINS: usize = 64;

/// Flags and keywords of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// System flags.
    pub flags: Flags,
    /// Keywords.
    pub keywords: Keywords,
}

impl Seen {
    /// Its flags and keywords.
    pub fn marks(&self) -> Marks {
        Marks { flags: self.flags, keywords: self.keywords.clone() }
    }
}

/// What both sides come to: whoever changed a flag since `base` has his way. A flag is there or not, so that two who both changed it
/// agree.
pub fn merged(base: &Marks, there: &Marks, here: &Marks) -> Marks {
    let changed = base.flags.0 ^ there.flags.0;
    let flags = Flags((here.flags.0 & !changed) | (there.flags.0 & changed));
    let gained = there.keywords.without(&base.keywords);
    let lost = base.keywords.without(&there.keywords);
    Marks { flags, keywords: here.keywords.with(&gained).without(&lost) }
}

/// Brings what changed at the source, where the message has these flags now, to a message that is here. Whether anything was written.
pub fn merge(tx: &mut MailTx<'_, '_>, key: LedgerKey, row: &LedgerRow, there: Marks, pass: u32) -> Result<bool> {
    let base = Marks { flags: row.flags, keywords: row.keywords.clone() };
    if base == there {
        return Ok(false);
    }
    let state = match where_is(tx, row)? {
        Some((mailbox, uid)) => {
            if let Some(entry) = tx.entry(mailbox, uid)? {
                let here = Marks { flags: entry.flags, keywords: entry.keywords };
                let to = merged(&base, &there, &here);
                if to != here {
                    tx.store_flags(mailbox, &[uid], FlagAct::Set, to.flags, &to.keywords, None)?;
                }
            }
            row.state
        }
        None => LedgerState::Removed,
    };
    let Marks { flags, keywords } = there;
    tx.put_ledger_row(key, &LedgerRow { state, flags, keywords, pass, ..row.clone() })?;
    Ok(true)
}

/// Whether two INTERNALDATEs name the same second: a server that takes the place of another one may write it in another zone.
pub fn is_same_date(one: &str, other: &str) -> bool {
    let second = |date: &str| parse_internal_date(date.trim().as_bytes()).map(|date| date.unix);
    one == other || second(one).is_some_and(|one| second(other) == Some(one))
}

/// Where the message of a row is now, whatever its owner did with it; `None` when he removed it.
pub fn where_is(tx: &mut MailTx<'_, '_>, row: &LedgerRow) -> Result<Option<(MailboxId, u32)>> {
    if tx.entry(row.mailbox, row.uid)?.is_some_and(|entry| entry.message == row.message) {
        return Ok(Some((row.mailbox, row.uid)));
    }
    Ok(tx.message(row.message)?.and_then(|message| message.places.first().copied()))
}

/// Whether the message of a row is where it was put, with the flags that it came with.
pub fn is_untouched(tx: &mut MailTx<'_, '_>, row: &LedgerRow) -> Result<bool> {
    Ok(tx.entry(row.mailbox, row.uid)?.is_some_and(|entry| {
        entry.message == row.message && entry.flags == row.flags && entry.keywords == row.keywords
    }))
}

/// What left mailboxes here as whatever is expunged or moved does: read once for each mailbox.
#[derive(Default)]
pub struct Removals(HashMap<MailboxId, Option<Vec<(u32, u32)>>>);

impl Removals {
    /// Whether this UID is among it. One of a mailbox that was removed left together with it.
    pub fn include(&mut self, tx: &mut MailTx<'_, '_>, mailbox: MailboxId, uid: u32) -> Result<bool> {
        if let Entry::Vacant(unread) = self.0.entry(mailbox) {
            unread.insert(match tx.has_mailbox(mailbox)? {
                true => Some(tx.vanished_since(mailbox, 0)?),
                false => None,
            });
        }
        let Some(Some(ranges)) = self.0.get(&mailbox) else { return Ok(true) };
        let at = ranges.partition_point(|(_, last)| *last < uid);
        Ok(ranges.get(at).is_some_and(|(first, _)| *first <= uid))
    }
}

/// Notes that a message left the old server. What is here stays; but where the same bytes came here again, in another folder, by the
/// same move, the message was only moved there: the copy in its old place goes, unless its owner has touched it.
pub fn gone(tx: &mut MailTx<'_, '_>, key: LedgerKey, row: &LedgerRow, pass: u32) -> Result<()> {
    let mut message = row.message;
    if let Some(content) = row.content {
        let twins = tx.ledger_rows_of(key.source, content, TWINS)?;
        let moved = twins.iter().any(|(other, twin)| {
            let later = twin.pass > row.pass || (twin.pass == row.pass && row.pass + 1 == pass);
            *other != key && twin.state.is_here() && is_same_date(&twin.received, &row.received) && later
        });
        if moved && is_untouched(tx, row)? {
            tx.expunge(row.mailbox, &[row.uid], false)?;
            message = MessageId(0);
        }
    }
    tx.put_ledger_row(key, &LedgerRow { state: LedgerState::Gone, message, pass, ..row.clone() })
}

/// How the message of a row that is there again came to be here: one of other bytes than the row's was here before.
pub fn came_as(tx: &mut MailTx<'_, '_>, row: &LedgerRow) -> Result<LedgerState> {
    let is_own = |message: anser_store::Message| Some(message.blob) == row.content && message.prefix.is_empty();
    let is_copied = tx.message(row.message)?.is_none_or(is_own);
    Ok(if is_copied { LedgerState::Copied } else { LedgerState::Adopted })
}

/// A message that had left the old server is there again. Whether it has to be brought: what is here goes on as before, and what its owner
/// removed here stays away; only what went from here because it was in another folder by then comes once more.
pub fn came_back(tx: &mut MailTx<'_, '_>, key: LedgerKey, row: &LedgerRow, seen: &Seen, pass: u32) -> Result<bool> {
    if row.message == MessageId(0) {
        tx.forget_ledger_row(key, &row.key)?;
        return Ok(true);
    }
    let state = if where_is(tx, row)?.is_some() { came_as(tx, row)? } else { LedgerState::Removed };
    let again = LedgerRow { state, pass, ..row.clone() };
    tx.put_ledger_row(key, &again)?;
    merge(tx, key, &again, seen.marks(), pass)?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(flags: u32, keywords: &[&str]) -> Marks {
        Marks { flags: Flags(flags), keywords: Keywords::new(keywords.iter().copied()) }
    }

    #[test]
    fn whoever_changed_a_flag_has_his_way() {
        for base in 0..32 {
            for there in 0..32 {
                for here in 0..32 {
                    let to = merged(&marks(base, &[]), &marks(there, &[]), &marks(here, &[])).flags.0;
                    for bit in [1, 2, 4, 8, 16] {
                        let wanted = if base & bit == there & bit { here & bit } else { there & bit };
                        assert_eq!(to & bit, wanted, "{base} {there} {here}");
                    }
                }
            }
        }
    }

    #[test]
    fn keywords_of_both_sides_are_kept_and_those_taken_away_go() {
        let to = merged(&marks(0, &["a", "b"]), &marks(0, &["b", "c"]), &marks(0, &["a", "b", "d"]));
        assert_eq!(to.keywords.iter().collect::<Vec<_>>(), ["b", "c", "d"]);
    }
}
