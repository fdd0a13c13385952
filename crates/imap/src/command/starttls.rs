//! STARTTLS (RFC 9051 §6.2.1).

use anser_wire::imap::CommandReader;
use anser_wire::imap::write::Status;

use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// Answers by itself, before the handshake.
pub(super) async fn run(session: &mut Session, tag: &str) -> Outcome {
    let Some(acceptor) = session.deps.tls.clone() else { return Ok(Reply::bad("TLS is not available")) };
    if session.is_secure() {
        return Ok(Reply::bad("TLS is active already"));
    }
    if session.stream.is_deflated() {
        return Ok(Reply::bad("Compression is active already"));
    }
    session.tell(tag, Status::Ok, "", "Begin TLS negotiation now");
    session.hand_over().await?;
    session.stream.start_tls(&acceptor).await.map_err(Trouble::Gone)?;
    session.reader = CommandReader::new();
    Err(Trouble::Answered)
}
