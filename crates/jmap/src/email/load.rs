//! Messages as JMAP sees them: in the mailboxes in which they are not marked `\Deleted` and that the user may read (RFC 8621 §10.1).

use std::collections::HashSet;

use anser_base::{MailboxId, MessageId, Result};
use anser_store::{Entry, Flags, Keywords, MailTx, Message};
use serde_json::{Map, Value};

use crate::access::Allowed;

/// Keywords that are system flags to IMAP (RFC 8621 §4.1.1).
pub(crate) const SYSTEM: [(&str, Flags); 4] =
    [("$draft", Flags::DRAFT), ("$seen", Flags::SEEN), ("$flagged", Flags::FLAGGED), ("$answered", Flags::ANSWERED)];

/// A message, and where it is seen.
pub(crate) struct Loaded {
    pub message: Message,
    /// As it is in the first of its places.
    pub entry: Entry,
    pub places: Vec<(MailboxId, u32)>,
}

/// The messages of these numbers that are seen.
pub(crate) fn messages(tx: &mut MailTx<'_, '_>, allowed: &Allowed, ids: &[MessageId]) -> Result<Vec<Option<Loaded>>> {
    let all = tx.messages_of(ids)?;
    all.into_iter().map(|message| message.map_or(Ok(None), |message| seen(tx, allowed, message))).collect()
}

fn seen(tx: &mut MailTx<'_, '_>, allowed: &Allowed, message: Message) -> Result<Option<Loaded>> {
    let (mut first, mut places) = (None, Vec::with_capacity(message.places.len()));
    for (mailbox, uid) in message.places.iter().filter(|(mailbox, _)| allowed.reads(*mailbox)) {
        let Some(entry) = tx.entry(*mailbox, *uid)?.filter(|entry| !entry.flags.has(Flags::DELETED)) else { continue };
        places.push((*mailbox, *uid));
        first.get_or_insert(entry);
    }
    Ok(first.map(|entry| Loaded { message, entry, places }))
}

/// Which of these messages are seen.
pub(crate) fn visible(tx: &mut MailTx<'_, '_>, allowed: &Allowed, ids: &[MessageId]) -> Result<HashSet<MessageId>> {
    let mut found = HashSet::with_capacity(ids.len());
    for ids in ids.chunks(256) {
        found.extend(messages(tx, allowed, ids)?.into_iter().flatten().map(|loaded| loaded.message.id));
    }
    Ok(found)
}

/// The `keywords` of a message.
pub(crate) fn keywords(entry: &Entry) -> Map<String, Value> {
    let system = SYSTEM.iter().filter(|(_, flag)| entry.flags.has(*flag)).map(|(name, _)| (*name).to_owned());
    system.chain(entry.keywords.iter().map(str::to_lowercase)).map(|name| (name, true.into())).collect()
}

/// Whether a message has a keyword.
pub(crate) fn has_keyword(entry: &Entry, keyword: &str) -> bool {
    match SYSTEM.iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword)) {
        Some((_, flag)) => entry.flags.has(*flag),
        None => entry.keywords.has(keyword),
    }
}

/// Flags and keywords of a set of names; `None` when one of them is no keyword (RFC 8621 §4.1.1).
pub(crate) fn flags_of<'a>(names: impl Iterator<Item = &'a str>) -> Option<(Flags, Keywords)> {
    let (mut flags, mut words) = (Flags::default(), Vec::new());
    for name in names {
        let plain = (1..=255).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_graphic() && !b"(){]%*\"\\".contains(&b));
        match SYSTEM.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, flag)) => flags = flags.with(*flag),
            None if plain => words.push(name.to_ascii_lowercase()),
            None => return None,
        }
    }
    Some((flags, Keywords::new(words.iter().map(String::as_str))))
}
