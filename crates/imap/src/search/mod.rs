//! SEARCH keys (RFC 9051 §6.4.4), judged in three steps, each only for the messages that the one before left open: by the list, by
//! what the store's search says of texts, by the message's row.
//!
//! Texts are compared as `anser_text` folds them: Unicode without regard to case, width and runs of white space, after encoded words,
//! charsets and transfer encodings are undone; HTML and documents as what a reader sees.

mod find;
mod key;
mod row;

pub(crate) use find::{Matching, matching};
pub(crate) use key::{Compiler, Key};

use anser_base::{MessageId, Timestamp};
use anser_store::Entry;
use anser_text::Query;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// What the list knows of a message.
pub(crate) struct Facts<'a> {
    pub seq: u32,
    pub entry: &'a Entry,
    pub recent: bool,
    pub now: Timestamp,
    /// What the store found; empty before it was asked.
    pub texts: &'a [(Query, Vec<MessageId>)],
}

impl Key {
    /// Whether a message matches, as far as the list tells; `None` where its row or its text decides.
    pub fn light(&self, facts: &Facts<'_>) -> Option<bool> {
        let entry = facts.entry;
        Some(match self {
            Key::All => true,
            Key::And(keys) => return all(keys.iter().map(|key| key.light(facts))),
            Key::Or(keys) => return all(keys.iter().map(|key| key.light(facts).map(|met| !met))).map(|none| !none),
            Key::Not(key) => return key.light(facts).map(|met| !met),
            Key::Numbers(set) => set.contains(facts.seq),
            Key::Uids(set) => set.contains(entry.uid),
            Key::Flags(flags) => entry.flags.has(*flags),
            Key::Keyword(word) => entry.keywords.has(word),
            Key::Recent => facts.recent,
            Key::Received(days) => days.contains(&day(entry.received, entry.zone)),
            Key::Saved(days) => days.contains(&day(entry.saved, 0)),
            Key::Larger(size) => entry.size > *size,
            Key::Smaller(size) => entry.size < *size,
            Key::Older(age) => entry.received.secs() <= facts.now.secs() - i64::from(*age),
            Key::Younger(age) => entry.received.secs() >= facts.now.secs() - i64::from(*age),
            Key::ModSeq(modseq) => entry.modseq >= *modseq,
            Key::EmailId(id) => crate::name::email_id(None, entry.message) == *id,
            Key::Text(query) => {
                let (_, found) = facts.texts.iter().find(|(known, _)| known == query)?;
                found.binary_search(&entry.message).is_ok()
            }
            Key::Sent(_) | Key::ThreadId(_) => return None,
        })
    }
}

/// The day in its zone, counted from 1970.
fn day(at: Timestamp, zone: i16) -> i64 {
    (at.0 + i64::from(zone) * 60_000).div_euclid(DAY)
}

/// Whether all are met; one that is not decides, one that is open leaves it open.
fn all(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut open = false;
    for verdict in verdicts {
        match verdict {
            Some(false) => return Some(false),
            Some(true) => {}
            None => open = true,
        }
    }
    if open { None } else { Some(true) }
}
