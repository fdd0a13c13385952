//! NAMESPACE (RFC 9051 §6.3.10): one personal namespace.

use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) fn run(session: &mut Session) -> Outcome {
    session.untagged("NAMESPACE ((\"\" \"/\")) NIL NIL");
    Ok(Reply::ok("Done"))
}
