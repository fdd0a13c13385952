//! LOGOUT (RFC 9051 §6.1.3).

use anser_wire::imap::write::Status;

use super::leave_mailbox;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session) -> Outcome {
    leave_mailbox(session).await;
    session.tell("*", Status::Bye, "", "Logging out");
    session.ended = true;
    Ok(Reply::ok("Done"))
}
