//! UNAUTHENTICATE (RFC 8437).

use super::leave_mailbox;
use crate::capability;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

/// All that belongs to the user is forgotten: mailbox (nothing is expunged), what was enabled, saved results, language. TLS and
/// compression stay, and so does the count of failed logins.
pub(super) async fn run(session: &mut Session) -> Outcome {
    leave_mailbox(session).await;
    session.forget_user();
    Ok(Reply::ok_with(format!("CAPABILITY {}", capability::words(session)), "You are nobody now"))
}
