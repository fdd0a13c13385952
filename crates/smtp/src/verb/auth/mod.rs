//! AUTH (RFC 4954): who may log in with what, and what comes of it.

mod password;
mod scram;

use anser_directory::{AuthFailure, Login, Refusal};
use anser_wire::Secret;
use anser_wire::sasl::{SaslError, encode_base64};
use anser_wire::smtp::{Reply, parse_auth_response};

use crate::answer::{Answer, Stop, capitalised};
use crate::deps::Service;
use crate::session::Session;

/// What a peer claims to be once its proof is in.
struct Claim {
    /// The login name as it gave it.
    user: String,
    /// As whom it wants to act; empty for itself.
    authzid: String,
    /// What the directory says.
    verdict: Result<Login, AuthFailure>,
}

/// The mechanisms that can be used on this connection as it is now.
pub fn offered(session: &Session) -> Vec<&'static str> {
    if !session.may_log_in() || session.login.is_some() {
        return Vec::new();
    }
    let mut list = vec!["SCRAM-SHA-256", "PLAIN", "LOGIN"];
    if scram::has_binding(session) {
        list.insert(0, "SCRAM-SHA-256-PLUS");
    }
    list
}

/// Logs in.
pub async fn auth(session: &mut Session, mechanism: &str, initial: Option<Secret>) -> Result<Answer, Stop> {
    if session.service != Service::Submission {
        return Err(Stop::refused(502, (5, 5, 1), "Logging in is not offered here"));
    }
    if !session.may_log_in() {
        return Err(Stop::refused(538, (5, 7, 11), "Logging in needs TLS"));
    }
    if !offered(session).contains(&mechanism) {
        return Err(Stop::refused(504, (5, 5, 4), "That mechanism is not offered"));
    }
    let claim = match mechanism {
        "PLAIN" => password::plain(session, initial).await?,
        "LOGIN" => password::login(session, initial).await?,
        "SCRAM-SHA-256" => scram::scram(session, initial, false).await?,
        _ => scram::scram(session, initial, true).await?,
    };
    conclude(session, mechanism, claim).await
}

async fn conclude(session: &mut Session, mechanism: &str, claim: Claim) -> Result<Answer, Stop> {
    let Claim { user, authzid, verdict } = claim;
    match verdict {
        Ok(login) if is_self(&authzid, &user, &login) => {
            session.note_login(login.account.id, &user, mechanism).await;
            session.login = Some(login.account);
            session.reset();
            Ok(Answer::One(Reply::new(235, Some((2, 7, 0)), "Welcome")))
        }
        Ok(_) => {
            session.note_login_failed(&user, format!("wanted to act as {authzid}")).await;
            Err(Stop::refused(535, (5, 7, 8), "You may act as yourself only"))
        }
        Err(failure) => Err(failed(session, &user, failure).await),
    }
}

/// Nobody acts as somebody else.
fn is_self(authzid: &str, user: &str, login: &Login) -> bool {
    authzid.is_empty() || authzid == user || authzid.eq_ignore_ascii_case(&login.account.address.to_string())
}

/// Notes the failure, waits as long as the directory wants, and says why.
async fn failed(session: &Session, user: &str, failure: AuthFailure) -> Stop {
    session.note_login_failed(user, failure.error.chain()).await;
    session.shutdown.or(tokio::time::sleep(failure.delay)).await;
    let text = capitalised(&failure.error.text.en);
    match failure.reason {
        Refusal::Wrong => Stop::refused(535, (5, 7, 8), text),
        Refusal::NotAllowed => Stop::refused(525, (5, 7, 13), text),
        Refusal::Locked | Refusal::Unavailable => Stop::refused(454, (4, 7, 0), text),
    }
}

/// Sends a challenge and reads the answer.
async fn challenge(session: &mut Session, text: &[u8]) -> Result<Secret, Stop> {
    session.prompt(&Reply::new(334, None, encode_base64(text))).await?;
    let line = session.line().await?;
    parse_auth_response(&line)?.ok_or_else(|| Stop::refused(501, (5, 7, 0), "Given up"))
}

/// The initial response, or the answer to an empty challenge.
async fn first(session: &mut Session, initial: Option<Secret>) -> Result<Secret, Stop> {
    match initial {
        Some(initial) => Ok(initial),
        None => challenge(session, b"").await,
    }
}

/// A message that does not follow its mechanism.
fn malformed(error: SaslError) -> Stop {
    Stop::refused(501, (5, 5, 2), error.text)
}
