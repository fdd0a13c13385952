//! Mailbox names as clients write them, and object ids (RFC 8474).

use anser_base::{AccountId, MailboxId, MessageId, ThreadId};
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
    // What was no text on the wire may become control characters here.
    match text.chars().any(char::is_control) || levels.iter().any(String::is_empty) {
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

/// Whose account an object id is of, when it is not the user's own.
pub(crate) type Scope = Option<AccountId>;

pub(crate) fn mailbox_id(scope: Scope, id: MailboxId) -> String {
    format!("{}F{id}", owner(scope))
}

pub(crate) fn email_id(scope: Scope, id: MessageId) -> String {
    format!("{}M{id}", owner(scope))
}

pub(crate) fn thread_id(scope: Scope, id: ThreadId) -> String {
    format!("{}T{id}", owner(scope))
}

/// An object id that a client sent as it stands in its account; what is no id of this account becomes one that nothing has.
pub(crate) fn within(scope: Scope, id: &str) -> String {
    id.strip_prefix(&owner(scope)).unwrap_or_default().to_owned()
}

fn owner(scope: Scope) -> String {
    scope.map(|account| format!("A{account}-")).unwrap_or_default()
}
