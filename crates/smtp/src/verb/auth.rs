//! AUTH (RFC 4954): who may log in, and what comes of it. The mechanisms are [`anser_directory::sasl`]'s.

use anser_directory::{AuthFailure, Exchange, Login, Mechanism, Peer, Refusal, Service as Door, Step};
use anser_wire::Secret;
use anser_wire::sasl::encode_base64;
use anser_wire::smtp::{Reply, parse_auth_response};

use crate::answer::{Answer, Stop, capitalised};
use crate::deps::Service;
use crate::session::Session;

/// The mechanisms that can be used on this connection as it is now.
pub fn offered(session: &Session) -> Vec<&'static str> {
    match session.may_log_in() && session.login.is_none() {
        true => Mechanism::offered(&peer(session)).collect(),
        false => Vec::new(),
    }
}

fn peer(session: &Session) -> Peer {
    Peer::of(&session.deps.directory, &session.stream, Door::Submission)
}

/// Logs in.
pub async fn auth(session: &mut Session, mechanism: &str, initial: Option<Secret>) -> Result<Answer, Stop> {
    if session.service != Service::Submission {
        return Err(Stop::refused(502, (5, 5, 1), "Logging in is not offered here"));
    }
    if !session.may_log_in() {
        return Err(Stop::refused(538, (5, 7, 11), "Logging in needs TLS"));
    }
    let peer = peer(session);
    let Some(mechanism) = Mechanism::named(mechanism, &peer) else {
        return Err(Stop::refused(504, (5, 5, 4), "That mechanism is not offered"));
    };
    let mut exchange = Exchange::new(&session.deps.directory, mechanism, peer);
    let mut step = exchange.begin(initial.as_ref().map(Secret::as_bytes)).await;
    loop {
        step = match step {
            Step::Challenge(octets) => {
                let response = challenge(session, &octets).await?;
                exchange.respond(response.as_ref().map(Secret::as_bytes)).await
            }
            Step::Done(Ok(login)) => return Ok(welcome(session, &exchange, login).await),
            Step::Done(Err(failure)) => return Err(failed(session, exchange.user(), failure).await),
            Step::Malformed(text) => return Err(Stop::refused(501, (5, 5, 2), text.en)),
            Step::Cancelled => return Err(Stop::refused(501, (5, 7, 0), "Given up")),
        }
    }
}

/// Sends a challenge and reads the response; `None` for `*`.
async fn challenge(session: &mut Session, octets: &[u8]) -> Result<Option<Secret>, Stop> {
    session.prompt(&Reply::new(334, None, encode_base64(octets))).await?;
    let line = session.line().await?;
    Ok(parse_auth_response(&line)?)
}

async fn welcome(session: &mut Session, exchange: &Exchange, login: Login) -> Answer {
    session.note_login(&login, exchange.user(), exchange.mechanism().name()).await;
    session.login = Some(login.account);
    session.reset();
    Answer::One(Reply::new(235, Some((2, 7, 0)), "Welcome"))
}

/// Notes the failure, waits as long as the directory wants, and says why.
async fn failed(session: &Session, user: &str, failure: AuthFailure) -> Stop {
    session.note_login_failed(user, &failure).await;
    session.shutdown.or(tokio::time::sleep(failure.delay)).await;
    let text = capitalised(&failure.error.text.en);
    match failure.reason {
        Refusal::Wrong | Refusal::NotYourself | Refusal::MustChange => Stop::refused(535, (5, 7, 8), text),
        Refusal::NotAllowed => Stop::refused(525, (5, 7, 13), text),
        Refusal::NeedsAppPassword => Stop::refused(534, (5, 7, 9), text),
        Refusal::Locked | Refusal::Unavailable => Stop::refused(454, (4, 7, 0), text),
    }
}
