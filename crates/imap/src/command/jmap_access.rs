//! GETJMAPACCESS (RFC 9698).

use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) fn run(session: &mut Session) -> Outcome {
    let Some(url) = session.deps.jmap_url.clone() else {
        return Ok(Reply::no("", "There is no JMAP here"));
    };
    session.untagged(&format!("JMAPACCESS \"{url}\""));
    Ok(Reply::ok("Done"))
}
