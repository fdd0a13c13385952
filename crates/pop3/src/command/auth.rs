//! AUTH (RFC 1734, RFC 5034): PLAIN, LOGIN; the exchange of SCRAM is in its own file.

use std::time::Duration;

use anser_base::Error;
use anser_wire::Secret;
use anser_wire::sasl::{self, LOGIN_PASSWORD_PROMPT, LOGIN_USER_PROMPT, Plain, SaslError};

use super::login::{conclude, refuse, require_privacy, with_password};
use super::scram;
use crate::capability;
use crate::reply::{Code, Outcome, Reply, Trouble};
use crate::session::Session;

/// AUTH alone: some clients ask so for the mechanisms.
pub(super) async fn list(session: &mut Session) -> Outcome {
    require_privacy(session)?;
    let mechanisms = capability::mechanisms(session).join("\r\n");
    session.reply(&Reply::ok("mechanisms follow", "认证机制列表")).await?;
    session.write(format!("{mechanisms}\r\n.\r\n").as_bytes()).await?;
    Ok(Reply::Written)
}

pub(super) async fn run(session: &mut Session, mechanism: &str, initial: Option<Secret>) -> Outcome {
    require_privacy(session)?;
    if !capability::mechanisms(session).contains(&mechanism) {
        return Err(Trouble::Bad(Reply::err("this mechanism is not offered", "不支持该认证机制")));
    }
    let first = match initial {
        Some(first) => first.as_bytes().to_vec(),
        None => challenge(session, if mechanism == "LOGIN" { LOGIN_USER_PROMPT.as_bytes() } else { b"" }).await?,
    };
    match mechanism {
        "PLAIN" => plain(session, &first).await,
        "LOGIN" => login(session, first).await,
        _ => scram::run(session, &first, mechanism).await,
    }
}

/// Sends a challenge and reads the response to it.
pub(super) async fn challenge(session: &mut Session, octets: &[u8]) -> Result<Vec<u8>, Trouble> {
    session.write(format!("+ {}\r\n", sasl::encode_base64(octets)).as_bytes()).await?;
    let line = session.read_line().await?;
    if line == b"*" {
        return Err(Trouble::Bad(Reply::err("given up", "已取消认证")));
    }
    sasl::decode_base64(&line).map_err(refusal)
}

pub(super) fn refusal(error: SaslError) -> Trouble {
    Trouble::Bad(Reply::err(error.text, "认证数据格式错误"))
}

async fn plain(session: &mut Session, message: &[u8]) -> Outcome {
    let plain = Plain::parse(message).map_err(refusal)?;
    if !is_own(&plain.authzid, &plain.authcid) {
        return refuse_other(session).await;
    }
    let result = with_password(session, &plain.authcid, &plain.password).await;
    conclude(session, &plain.authcid, "PLAIN", result).await
}

async fn login(session: &mut Session, user: Vec<u8>) -> Outcome {
    let not_text = |_| Trouble::Bad(Reply::err("the user name is not UTF-8", "用户名不是 UTF-8"));
    let user = String::from_utf8(user).map_err(not_text)?;
    let password = Secret::new(challenge(session, LOGIN_PASSWORD_PROMPT.as_bytes()).await?);
    let result = with_password(session, &user, &password).await;
    conclude(session, &user, "LOGIN", result).await
}

/// Nobody acts for somebody else.
pub(super) fn is_own(authzid: &str, user: &str) -> bool {
    authzid.is_empty() || authzid.eq_ignore_ascii_case(user)
}

/// Answers who wants to act for somebody else; no password was looked at.
pub(super) async fn refuse_other(session: &mut Session) -> Outcome {
    let error = Error::invalid("you may act for yourself only", "只能以本人身份登录");
    refuse(session, Code::Auth, error, Duration::ZERO).await
}
