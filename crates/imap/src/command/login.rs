//! LOGIN (RFC 9051 §6.2.3), and what every login has in common.

use anser_base::Text;
use anser_directory::{AuthFailure, Login, Peer, Refusal, Service};
use anser_journal::{By, What};
use anser_wire::Secret;
use anser_wire::imap::write::Status;

use crate::capability;
use crate::note::note;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::{Session, User};

pub(super) async fn run(session: &mut Session, user: &str, password: &Secret) -> Outcome {
    require_privacy(session)?;
    let peer = Peer::of(&session.deps.directory, &session.stream, Service::Imap);
    let attempt = peer.attempt(user.as_bytes(), password.as_bytes());
    let result = session.deps.directory.authenticate(attempt).await;
    conclude(session, user, "LOGIN", result).await
}

/// Passwords are not taken in the clear.
pub(super) fn require_privacy(session: &Session) -> Result<(), Trouble> {
    match session.takes_passwords() {
        true => Ok(()),
        false => Err(Reply::no("PRIVACYREQUIRED", "Use TLS to log in").into()),
    }
}

/// Opens the account, or answers the failure after its delay.
pub(super) async fn conclude(
    session: &mut Session,
    user: &str,
    mechanism: &str,
    result: Result<Login, AuthFailure>,
) -> Outcome {
    match result {
        Ok(login) => welcome(session, user, mechanism, login).await,
        Err(failure) => fail(session, user, failure).await,
    }
}

async fn welcome(session: &mut Session, user: &str, mechanism: &str, login: Login) -> Outcome {
    let account = login.account.id;
    let by = By::of(login.via.name(), login.via.number());
    let what = What::Login { account, user: user.to_owned(), mechanism: mechanism.to_owned(), by };
    if let Some(passage) = session.deps.directory.passage_of(&login, Service::Imap).await? {
        note(session, what).await;
        let code = format!("CAPABILITY {}", passage.capabilities);
        session.passage = Some(passage);
        return Ok(Reply::ok_with(code, "Logged in"));
    }
    session.deps.store.ensure(account).await?;
    session.user = Some(User { account: login.account });
    note(session, what).await;
    Ok(Reply::ok_with(format!("CAPABILITY {}", capability::words(session)), "Logged in"))
}

async fn fail(session: &mut Session, user: &str, failure: AuthFailure) -> Outcome {
    let (why, reason) = (failure.error.text.en.clone().into_owned(), Some(failure.reason.name().to_owned()));
    note(session, What::LoginFailed { user: user.to_owned(), why, reason }).await;
    let reply = match failure.reason {
        Refusal::Wrong | Refusal::NeedsAppPassword => Reply::refusal("AUTHENTICATIONFAILED", failure.error.text),
        Refusal::NotAllowed | Refusal::NotYourself => Reply::refusal("AUTHORIZATIONFAILED", failure.error.text),
        Refusal::MustChange => must_change(session, failure.error.text),
        Refusal::Locked => Reply::refusal("LIMIT", failure.error.text),
        Refusal::Unavailable => return Err(failure.error.into()),
    };
    session.failures += 1;
    let wait = tokio::time::sleep(failure.delay);
    if session.shutdown.or(wait).await.is_none() {
        return Err(Trouble::Bye("The server is shutting down"));
    }
    if session.failures >= session.deps.limits.failed_logins {
        session.tell("*", Status::Bye, "", "Too many failed logins");
        session.ended = true;
    }
    Ok(reply)
}

/// A person shall read it, and clients show only ALERT without being asked (RFC 9051 §7.1); the tagged answer says it to programs.
fn must_change(session: &mut Session, text: Text) -> Reply {
    session.reply("*", &Reply::refusal("ALERT", text.clone()));
    Reply::refusal("EXPIRED", text)
}
