//! ID (RFC 2971).

use crate::reply::{Outcome, Reply};
use crate::session::Session;

/// Longest field of a client's ID that is logged, in bytes.
const LOGGED: usize = 200;

pub(super) fn run(session: &mut Session, pairs: Vec<(String, Option<String>)>) -> Outcome {
    let said = pairs.iter().take(30).map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("NIL")));
    let said: Vec<String> = said.map(|text| text.chars().filter(|c| !c.is_control()).take(LOGGED).collect()).collect();
    let user = session.user.as_ref().map(|user| user.account.address.to_string());
    tracing::info!(peer = %session.peer(), user, client = said.join(" "), "IMAP client");
    session.untagged("ID (\"name\" \"Anser\")");
    Ok(Reply::ok("Done"))
}
