//! AUTHENTICATE (RFC 5804 §2.1). The mechanisms are [`anser_directory::sasl`]'s.

use anser_base::Text;
use anser_directory::{AuthFailure, Exchange, Login, Mechanism, Peer, Refusal, Service, Step};
use anser_journal::{By, What};
use anser_wire::managesieve::{Code, Command, CommandReader, string};
use anser_wire::{Secret, sasl};

use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

pub(super) async fn authenticate(session: &mut Session, mechanism: &str, initial: Option<Secret>) -> Outcome {
    if session.account.is_some() {
        return Err(Trouble::Bad(Reply::no("logged in already", "已登录")));
    }
    if !session.takes_logins() {
        return Ok(Reply::No(Some(Code::EncryptNeeded), Text::new("use TLS to log in", "请使用 TLS 登录")));
    }
    let peer = Peer::of(&session.deps.directory, &session.stream, Service::ManageSieve);
    let Some(mechanism) = Mechanism::named(mechanism, &peer) else {
        return Err(Trouble::Bad(Reply::no("this mechanism is not offered", "不支持该认证机制")));
    };
    let mut exchange = Exchange::new(&session.deps.directory, mechanism, peer);
    let mut step = exchange.begin(initial.as_ref().map(Secret::as_bytes)).await;
    let mut proof = None;
    loop {
        step = match step {
            Step::Challenge(octets) if exchange.is_proven() => {
                proof = Some(octets);
                exchange.respond(Some(&[])).await
            }
            Step::Challenge(octets) => {
                let response = challenge(session, &octets).await?;
                exchange.respond(response.as_ref().map(Secret::as_bytes)).await
            }
            Step::Done(Ok(login)) => return welcome(session, &exchange, login, proof).await,
            Step::Done(Err(failure)) => return fail(session, &exchange, failure).await,
            Step::Malformed(text) => return Err(Trouble::Bad(Reply::No(None, text))),
            Step::Cancelled => return Err(Trouble::Bad(Reply::no("given up", "已取消认证"))),
        }
    }
}

/// Sends a challenge and reads the response to it; `None` for `*`.
async fn challenge(session: &mut Session, octets: &[u8]) -> Result<Option<Secret>, Trouble> {
    let mut out = string(sasl::encode_base64(octets).as_bytes());
    out.extend_from_slice(b"\r\n");
    session.write(&out).await?;
    let limit = session.deps.limits.login_literal;
    match session.read(CommandReader::of_response(limit)).await? {
        Command::Response(response) => Ok(response),
        _ => Err(Trouble::Bad(Reply::no("a string is expected", "此处应为字符串"))),
    }
}

/// `OK`, with the server's proof of itself where the mechanism has one.
async fn welcome(session: &mut Session, exchange: &Exchange, login: Login, proof: Option<Vec<u8>>) -> Outcome {
    let by = By::of(login.via.name(), login.via.number());
    let account = login.account;
    let (user, mechanism) = (exchange.user().to_owned(), exchange.mechanism().name().to_owned());
    session.note(What::Login { account: account.id, user, mechanism, by }).await;
    session.language = account.locale.into();
    session.account = Some(account);
    Ok(Reply::Ok(proof.map(Code::Sasl), Text::new("logged in", "已登录")))
}

async fn fail(session: &mut Session, exchange: &Exchange, failure: AuthFailure) -> Outcome {
    let (why, reason) = (failure.error.text.en.clone().into_owned(), Some(failure.reason.name().to_owned()));
    session.note(What::LoginFailed { user: exchange.user().to_owned(), why, reason }).await;
    if failure.reason == Refusal::Unavailable {
        return Err(failure.error.into());
    }
    session.failures += 1;
    session.wait(failure.delay).await?;
    let code = (failure.reason == Refusal::Locked).then_some(Code::TryLater);
    match session.failures >= session.deps.limits.failed_logins {
        true => Err(Trouble::Bye(Reply::Bye(code, failure.error.text))),
        false => Ok(Reply::No(code, failure.error.text)),
    }
}
