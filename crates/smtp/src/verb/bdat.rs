//! BDAT (RFC 3030 §2). The octets of a chunk are read whatever becomes of it, so that none is ever taken for a command.

use crate::answer::{Answer, Stop};
use crate::message::intake::{Intake, Terms};
use crate::message::{accept, receive};
use crate::session::Session;

/// Takes one chunk of a message. After a chunk that failed the later ones are read, dropped and refused with the same reply, until
/// the last one or RSET.
pub async fn bdat(session: &mut Session, size: u64, last: bool) -> Result<Answer, Stop> {
    let known = session.transaction.as_mut().and_then(|transaction| transaction.chunks.take());
    let mut intake = known.unwrap_or_else(|| Intake::new(Terms::of(session)));
    receive::chunk(session, &mut intake, size).await?;
    if last {
        return accept::conclude(session, intake).await;
    }
    let outcome = match intake.refusal() {
        Some(reply) => Err(Stop::Refused(reply.clone())),
        None => Ok(Answer::ok((2, 0, 0), format!("{size} octets received"))),
    };
    if let Some(transaction) = &mut session.transaction {
        transaction.chunks = Some(intake);
    }
    outcome
}

/// Drops the octets of a chunk that is refused.
pub async fn skip(session: &mut Session, size: u64) -> Result<(), Stop> {
    receive::nothing(session, size).await
}
