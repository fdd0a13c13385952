//! Mailbox names as clients write them, and object ids (RFC 8474).

use anser_base::{MailboxId, MessageId, ThreadId};
use anser_mime::charset;
use anser_wire::imap::raw_octets;

use crate::reply::Reply;

/// What stands between the levels of a name.
pub(crate) const SEPARATOR: char = '/';

/// The levels of a mailbox name. A separator at the end (a client that means to make children, RFC 9051 §6.3.4) is dropped.
/// Names that were sent in a charset of their own become the text that they mean.
pub(crate) fn levels(name: &str) -> Result<Vec<String>, Reply> {
    let text = text(name);
    let text = text.strip_suffix(SEPARATOR).unwrap_or(&text);
    let levels: Vec<String> = text.split(SEPARATOR).map(str::to_owned).collect();
    match levels.iter().any(String::is_empty) {
        true => Err(Reply::no("CANNOT", "This is no name for a mailbox")),
        false => Ok(levels),
    }
}

/// A name, or a pattern of names, in Unicode.
pub(crate) fn text(name: &str) -> String {
    match name.chars().any(|c| ('\u{f780}'..='\u{f7ff}').contains(&c)) {
        true => charset::decode(None, &raw_octets(name)),
        false => name.to_owned(),
    }
}

pub(crate) fn mailbox_id(id: MailboxId) -> String {
    format!("F{id}")
}

pub(crate) fn email_id(id: MessageId) -> String {
    format!("M{id}")
}

pub(crate) fn thread_id(id: ThreadId) -> String {
    format!("T{id}")
}
