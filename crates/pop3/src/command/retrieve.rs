//! RETR and TOP (RFC 1939 §5, §7).

use anser_wire::pop3::MultilineEncoder;

use crate::bodies::{Found, Pieces};
use crate::cut::Cut;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

pub(super) async fn retr(session: &mut Session, number: u32) -> Outcome {
    let found = session.maildrop()?.find(number).await?;
    let head = Reply::Exact(format!("{} octets", found.size()));
    send(session, &head, found, None).await?;
    session.maildrop()?.note_read(number);
    Ok(Reply::Written)
}

pub(super) async fn top(session: &mut Session, number: u32, lines: u32) -> Outcome {
    let found = session.maildrop()?.find(number).await?;
    let head = Reply::ok("the top of the message follows", "邮件开头部分");
    send(session, &head, found, Some(Cut::new(lines))).await?;
    Ok(Reply::Written)
}

/// Sends a message, or what `cut` leaves of it.
async fn send(session: &mut Session, head: &Reply, found: Found, cut: Option<Cut>) -> Result<(), Trouble> {
    match found {
        Found::Whole(bytes) => {
            let part = cut.map_or(bytes.len(), |mut cut| cut.take(&bytes));
            let mut out = head.line(session.language).into_bytes();
            let mut encoder = MultilineEncoder::new();
            encoder.push(&bytes[..part], &mut out);
            encoder.finish(&mut out);
            session.write(&out).await
        }
        Found::Large(message) => {
            let pieces = session.maildrop()?.bodies.pieces(message);
            send_pieces(session, head, pieces, cut).await
        }
    }
}

async fn send_pieces(
    session: &mut Session,
    head: &Reply,
    mut pieces: Pieces,
    mut cut: Option<Cut>,
) -> Result<(), Trouble> {
    // The first piece before the answer: a body that is missing is still an error.
    let mut next = pieces.next().await?;
    session.reply(head).await?;
    let (mut encoder, mut out) = (MultilineEncoder::new(), Vec::new());
    while let Some(piece) = next {
        let part = cut.as_mut().map_or(piece.len(), |cut| cut.take(&piece));
        encoder.push(&piece[..part], &mut out);
        session.write(&out).await?;
        out.clear();
        if cut.as_ref().is_some_and(Cut::is_done) {
            break;
        }
        // There is no way to take back an answer that has begun: without its end the client knows that it is none.
        next = pieces.next().await.map_err(Trouble::Gone)?;
    }
    encoder.finish(&mut out);
    session.write(&out).await
}
