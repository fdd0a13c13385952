//! NAMESPACE (RFC 9051 §6.3.10): the user's own, that of other users, and what is nobody's own.

use crate::access::{OTHERS, SHARED};
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) fn run(session: &mut Session) -> Outcome {
    session.untagged(&format!("NAMESPACE ((\"\" \"/\")) ((\"{OTHERS}/\" \"/\")) ((\"{SHARED}/\" \"/\"))"));
    Ok(Reply::ok("Done"))
}
