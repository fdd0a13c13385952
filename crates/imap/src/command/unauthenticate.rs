//! UNAUTHENTICATE (RFC 8437).

use anser_wire::imap::write::Status;

use super::leave_mailbox;
use crate::capability;
use crate::reply::{Outcome, Trouble};
use crate::session::Session;

/// All that belongs to the user is forgotten: mailbox (nothing is expunged), what was enabled, saved results, language. TLS stays, and
/// so does the count of failed logins. Answers by itself: compression ends behind the answer (RFC 8437 §4.1).
pub(super) async fn run(session: &mut Session, tag: &str) -> Outcome {
    leave_mailbox(session).await;
    session.forget_user();
    let code = format!("CAPABILITY {}", capability::words(session));
    session.tell(tag, Status::Ok, &code, "You are nobody now");
    session.hand_over().await?;
    session.stream.end_deflate().await.map_err(Trouble::Gone)?;
    Err(Trouble::Answered)
}
