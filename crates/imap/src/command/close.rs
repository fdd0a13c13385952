//! CLOSE (RFC 9051 §6.4.1) and UNSELECT (§6.4.2, RFC 3691).

use anser_store::Rights;

use super::expunge;
use super::leave_mailbox;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

/// Leaves the mailbox; with `expunge` the messages with `\Deleted` go first, without a word.
pub(super) async fn run(session: &mut Session, expunge: bool) -> Outcome {
    let view = session.view()?;
    // Without the right nothing is said (RFC 4314 §4).
    let (mut removed, owner, mailbox) = (false, view.owner.id, view.mailbox);
    if expunge && !view.read_only && view.rights.has(Rights::EXPUNGE) {
        removed = expunge::remove(session, None).await?;
    }
    leave_mailbox(session).await;
    if !(removed && session.enabled.condstore) {
        return Ok(Reply::ok("Done"));
    }
    // So that the client need not ask again for what it has removed itself (RFC 7162 §3.2.8).
    let modseq = session.deps.store.read(owner, move |tx| Ok(tx.mailbox(mailbox)?.modseq)).await?;
    Ok(Reply::ok_with(format!("HIGHESTMODSEQ {modseq}"), "Done"))
}
