//! DATA (RFC 5321 §4.1.1.4).

use anser_wire::smtp::Reply;

use crate::answer::{Answer, Stop};
use crate::message::intake::{Intake, Terms};
use crate::message::{accept, receive};
use crate::session::Session;

/// Takes a message that ends with `CRLF . CRLF`. The transaction is over afterwards, whatever comes of it. After a message with a bare
/// CR or LF the session is over too: what follows it may be commands that were smuggled in as text through the peer.
pub async fn data(session: &mut Session) -> Result<Answer, Stop> {
    if session.transaction.as_ref().is_some_and(|transaction| transaction.is_binary()) {
        return Err(Stop::refused(503, (5, 5, 1), "BODY=BINARYMIME needs BDAT"));
    }
    session.prompt(&Reply::new(354, None, "Send the message, end it with a dot on a line of its own")).await?;
    let mut intake = Intake::new(Terms::of(session));
    session.ending = receive::dot_stuffed(session, &mut intake).await?;
    accept::conclude(session, intake).await
}
