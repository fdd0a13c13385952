//! COMPRESS (RFC 4978).

use anser_wire::imap::write::Status;

use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// Answers by itself: the answer is the last that goes out as it is.
pub(super) async fn run(session: &mut Session, tag: &str, algorithm: &str) -> Outcome {
    if algorithm != "DEFLATE" {
        return Ok(Reply::no("CANNOT", "This compression is not offered"));
    }
    if session.stream.is_deflated() {
        return Ok(Reply::no("COMPRESSIONACTIVE", "Compression is active already"));
    }
    session.tell(tag, Status::Ok, "", "Compression begins");
    session.hand_over().await?;
    session.stream.start_deflate().await.map_err(Trouble::Gone)?;
    Err(Trouble::Answered)
}
