//! CLOSE (RFC 9051 §6.4.1) and UNSELECT (§6.4.2).

use super::expunge;
use super::leave_mailbox;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

/// Leaves the mailbox; with `expunge` the messages with `\Deleted` go first, without a word.
pub(super) async fn run(session: &mut Session, expunge: bool) -> Outcome {
    if expunge && !session.view()?.read_only {
        expunge::remove(session, None).await?;
    }
    leave_mailbox(session).await;
    Ok(Reply::ok("Done"))
}
