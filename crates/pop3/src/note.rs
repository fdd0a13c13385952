//! What the journal is told. A journal that cannot take it is logged, and the session goes on.

use anser_journal::{Entry, Origin, What};

use crate::maildrop::Maildrop;
use crate::session::Session;

/// The door's name in the journal.
const PROTOCOL: &str = "pop3";

/// Notes what happened on this connection.
pub(crate) async fn note(session: &Session, what: What) {
    let entry = Entry { origin: Origin::peer(PROTOCOL, session.peer()), what };
    if let Err(error) = session.deps.journal.append(entry).await {
        tracing::error!(error = error.chain(), "the journal does not take an event");
    }
}

/// Gives `\Seen` to what a session has read. The mail was sent already: a failure is only logged.
pub(crate) async fn remember_read(maildrop: &Maildrop) {
    if let Err(error) = maildrop.remember_read().await {
        tracing::error!(error = error.chain(), "messages that were read stay unseen");
    }
}
