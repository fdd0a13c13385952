//! Compact forms of small lists inside a row.

use anser_base::MailboxId;

use crate::model::ThreadKeys;

/// Pairs of varints.
pub(crate) fn places_to_bytes(places: &[(MailboxId, u32)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(places.len() * 6);
    for (mailbox, uid) in places {
        put_varint(&mut out, mailbox.0);
        put_varint(&mut out, u64::from(*uid));
    }
    out
}

pub(crate) fn places_from_bytes(mut bytes: &[u8]) -> Option<Vec<(MailboxId, u32)>> {
    let mut places = Vec::new();
    while !bytes.is_empty() {
        let mailbox = MailboxId(take_varint(&mut bytes)?);
        places.push((mailbox, u32::try_from(take_varint(&mut bytes)?).ok()?));
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

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
