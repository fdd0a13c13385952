//! Compact forms of small lists inside a row.

use anser_base::MailboxId;
use anser_base::pack::{put_number, take_number};
use anser_db::Value;

use crate::model::{Entry, ThreadKeys};

/// Pairs of varints.
pub(crate) fn places_to_bytes(places: &[(MailboxId, u32)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(places.len() * 6);
    for (mailbox, uid) in places {
        put_number(&mut out, mailbox.0);
        put_number(&mut out, u64::from(*uid));
    }
    out
}

pub(crate) fn places_from_bytes(mut bytes: &[u8]) -> Option<Vec<(MailboxId, u32)>> {
    let mut places = Vec::new();
    while !bytes.is_empty() {
        let mailbox = MailboxId(take_number(&mut bytes)?);
        places.push((mailbox, u32::try_from(take_number(&mut bytes)?).ok()?));
    }
    Some(places)
}

/// Eight bytes each: the subject's hash, then those of the ids.
pub(crate) fn keys_to_bytes(keys: &ThreadKeys) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + keys.ids.len() * 8);
    for hash in std::iter::once(&keys.subject).chain(&keys.ids) {
        out.extend_from_slice(&hash.to_le_bytes());
    }
    out
}

pub(crate) fn keys_from_bytes(bytes: &[u8]) -> Option<ThreadKeys> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut hashes = chunks.iter().map(|chunk| i64::from_le_bytes(*chunk));
    let subject = hashes.next().filter(|_| rest.is_empty())?;
    Some(ThreadKeys { subject, ids: hashes.collect() })
}

/// The columns of an entry's row from `uid` on.
pub(crate) fn entry_values(entry: &Entry) -> [Value<'_>; 9] {
    [
        entry.uid.into(),
        entry.message.to_sql().into(),
        (entry.modseq as i64).into(),
        entry.flags.0.into(),
        entry.keywords.as_text().into(),
        (entry.size as i64).into(),
        entry.received.0.into(),
        i64::from(entry.zone).into(),
        entry.saved.0.into(),
    ]
}
