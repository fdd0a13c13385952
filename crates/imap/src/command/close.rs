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
    if expunge && !view.read_only && view.rights.has(Rights::EXPUNGE) {
        expunge::remove(session, None).await?;
    }
    // No HIGHESTMODSEQ here: others may have changed what this client was not told of (RFC 7162 §3.2.8).
    leave_mailbox(session).await;
    Ok(Reply::ok("Done"))
}
