//! USER, PASS and APOP (RFC 1939 §7), and what every login has in common.

use anser_base::Class;
use anser_directory::{AuthFailure, Login, Peer, Refusal, Service};
use anser_journal::{By, What};
use anser_wire::Secret;

use crate::maildrop::Maildrop;
use crate::note::note;
use crate::reply::{Code, Outcome, Reply, Trouble};
use crate::session::Session;

/// Every name is fine: PASS tells whether it was a good one.
pub(super) fn user(session: &mut Session, name: String) -> Outcome {
    require_privacy(session)?;
    session.user = Some(name);
    Ok(Reply::ok("send the password", "请输入密码"))
}

pub(super) async fn pass(session: &mut Session, password: &Secret) -> Outcome {
    require_privacy(session)?;
    let Some(user) = session.user.take() else {
        return Err(Trouble::Bad(Reply::err("send USER first", "请先发送 USER")));
    };
    let peer = Peer::of(&session.deps.directory, &session.stream, Service::Pop3);
    let attempt = peer.attempt(user.as_bytes(), password.as_bytes());
    let result = session.deps.directory.authenticate(attempt).await;
    conclude(session, &user, "PASS", result).await
}

/// APOP would need the password in the clear on our side.
pub(super) fn apop() -> Outcome {
    Err(Trouble::Bad(Reply::err("APOP is not supported; use AUTH or USER", "不支持 APOP，请使用 AUTH 或 USER")))
}

/// Passwords are not taken in the clear.
pub(super) fn require_privacy(session: &Session) -> Result<(), Trouble> {
    match session.takes_logins() {
        true => Ok(()),
        false => Err(Trouble::Bad(Reply::coded(Code::SysPerm, "use TLS to log in", "请使用 TLS 登录"))),
    }
}

/// Opens the maildrop, or answers the failure after its delay.
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
    let deps = session.deps.clone();
    let account = login.account.id;
    let by = By::of(login.via.name(), login.via.number());
    let what = What::Login { account, user: user.to_owned(), mechanism: mechanism.to_owned(), by };
    if let Some(passage) = deps.directory.passage_of(&login, Service::Pop3).await? {
        note(session, what).await;
        session.passage = Some(passage);
        return Ok(Reply::ok("welcome", "欢迎"));
    }
    let Some(lock) = deps.locks.take(account, deps.clock.now()) else {
        return Ok(Reply::coded(Code::InUse, "the maildrop is in use by another session", "邮箱正被另一会话使用"));
    };
    let maildrop = match Maildrop::open(&deps.store, login.account, lock, deps.clock.now()).await {
        Err(error) if error.class == Class::Conflict => return Ok(Reply::Err(Code::SysTemp, error.text)),
        opened => opened?,
    };
    let (count, size) = (maildrop.count(), maildrop.size());
    session.maildrop = Some(Box::new(maildrop));
    note(session, what).await;
    Ok(Reply::ok(format!("{count} messages ({size} octets)"), format!("{count} 封邮件（{size} 字节）")))
}

async fn fail(session: &mut Session, user: &str, failure: AuthFailure) -> Outcome {
    let (why, reason) = (failure.error.text.en.clone().into_owned(), Some(failure.reason.name().to_owned()));
    note(session, What::LoginFailed { user: user.to_owned(), why, reason }).await;
    let code = match failure.reason {
        Refusal::Locked => Code::LoginDelay,
        Refusal::Unavailable => return Err(failure.error.into()),
        _ => Code::Auth,
    };
    session.failures += 1;
    session.wait(failure.delay).await?;
    session.ended = session.failures >= session.deps.limits.failed_logins;
    Ok(Reply::Err(code, failure.error.text))
}
