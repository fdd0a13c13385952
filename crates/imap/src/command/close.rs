//! CLOSE (RFC 9051 §6.4.1) and UNSELECT (§6.4.2).

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
    leave_mailbox(session).await;
    Ok(Reply::ok("Done"))
}
