//! What the journal is told. A journal that cannot take it is logged, and the session goes on.

use anser_base::AccountId;
use anser_journal::{Entry, Origin, What};

use crate::session::Session;

/// The door's name in the journal.
const PROTOCOL: &str = "imap";

/// Notes what happened on this connection.
pub(crate) async fn note(session: &Session, what: What) {
    let origin = Origin::peer(PROTOCOL, session.peer());
    if let Err(error) = session.deps.journal.append(Entry { origin, what }).await {
        tracing::error!(error = error.chain(), "the journal does not take an event");
    }
}

/// Notes that the user looked into a mailbox that is not his own.
pub(crate) async fn accessed(session: &Session, owner: AccountId, mailbox: &str, act: &str) {
    let Some(user) = session.user.as_ref().filter(|user| user.account.id != owner) else { return };
    let what = What::Accessed {
        actor: user.account.address.to_string(),
        account: owner,
        mailbox: mailbox.to_owned(),
        act: act.to_owned(),
    };
    note(session, what).await;
}

/// Notes that messages were expunged.
pub(crate) async fn deleted(
    session: &Session,
    owner: AccountId,
    mailbox: &str,
    uids: String,
    message_ids: Vec<String>,
) {
    let Some(user) = &session.user else { return };
    let what = What::Deleted {
        actor: user.account.address.to_string(),
        account: owner,
        mailbox: mailbox.to_owned(),
        uids,
        message_ids,
    };
    note(session, what).await;
}
