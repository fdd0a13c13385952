//! AUTHENTICATE (RFC 9051 §6.2.2). The mechanisms are [`anser_directory::sasl`]'s.

use anser_directory::{Exchange, Mechanism, Peer, Service, Step};
use anser_wire::Secret;
use anser_wire::imap::write::write_continuation;
use anser_wire::sasl;

use super::login::{conclude, require_privacy};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::{Input, Session};

pub(super) async fn run(session: &mut Session, mechanism: &str, initial: Option<Secret>) -> Outcome {
    require_privacy(session)?;
    let peer = Peer::of(&session.deps.directory, &session.stream, Service::Imap);
    let Some(mechanism) = Mechanism::named(mechanism, &peer) else {
        return Ok(Reply::no("CANNOT", "This mechanism is not offered"));
    };
    let mut exchange = Exchange::new(&session.deps.directory, mechanism, peer);
    let mut step = exchange.begin(initial.as_ref().map(Secret::as_bytes)).await;
    loop {
        step = match step {
            Step::Challenge(octets) => {
                let response = challenge(session, &octets).await?;
                exchange.respond(response.as_deref()).await
            }
            Step::Done(verdict) => {
                return conclude(session, exchange.user(), exchange.mechanism().name(), verdict).await;
            }
            Step::Malformed(text) => return Ok(Reply::malformed(text)),
            Step::Cancelled => return Ok(Reply::bad("Given up")),
        }
    }
}

/// Sends a challenge and reads the response to it; `None` for `*`.
async fn challenge(session: &mut Session, octets: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    session.reader.expect_line();
    write_continuation(&mut session.out, &sasl::encode_base64(octets));
    let line = loop {
        match session.next().await? {
            Input::Line(line) => break line,
            Input::Error(_, text) => return Err(Reply::bad(text).into()),
            _ => {}
        }
    };
    if line == b"*" {
        return Ok(None);
    }
    sasl::decode_base64(&line).map(Some).map_err(|error| Reply::bad(error.text).into())
}
