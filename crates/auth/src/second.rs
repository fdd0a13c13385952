//! The own second factor: an authenticator set up, taken away; recovery codes.

use std::sync::Arc;

use anser_directory::{NewTotp, SecondFactor, Session};
use anser_net::http::{Request, Response, either};
use serde_json::json;

use crate::answer::{failed, fresh, unkept};
use crate::asked::Asked;
use crate::login::session;
use crate::own::wrong;
use crate::{Door, device, passkeys, visitor};

/// `GET /auth/second-factor`
pub async fn show(door: Arc<Door>, request: Request) -> Response {
    either(shown(&door, &request).await)
}

async fn shown(door: &Door, request: &Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let directory = &door.deps.directory;
    let found = directory.second_factor(own.account.id).await.map_err(|error| failed(request, &error))?;
    let SecondFactor { totp, required, recovery, .. } = found;
    let passkeys = directory.passkeys(own.account.id).await.map_err(|error| failed(request, &error))?;
    let passkeys = passkeys::listed(passkeys);
    Ok(fresh(200, &json!({ "totp": totp, "passkeys": passkeys, "required": required, "recovery": recovery })))
}

/// `POST /auth/totp`: with the password once more, the secret of a new authenticator.
pub async fn begin(door: Arc<Door>, mut request: Request) -> Response {
    either(begun(&door, &mut request).await)
}

async fn begun(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let (own, _) = confirmed(door, request).await?;
    let made = door.deps.directory.begin_totp(own.account.id).await.map_err(|error| failed(request, &error))?;
    let NewTotp { secret, uri } = made;
    Ok(fresh(200, &json!({ "secret": secret, "uri": uri })))
}

/// `POST /auth/totp/confirm`: a `code` of it. All other sessions end.
pub async fn confirm(door: Arc<Door>, mut request: Request) -> Response {
    either(set_up(&door, &mut request).await)
}

async fn set_up(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let code = Asked::read(request).await?.text("code").unwrap_or_default();
    let directory = &door.deps.directory;
    let recovery = directory.confirm_totp(own.account.id, &code).await.map_err(|error| failed(request, &error))?;
    directory.end_sessions(own.account.id, Some(own.id)).await.map_err(|error| failed(request, &error))?;
    note(door, request, &own, "second-factor.add").await;
    Ok(fresh(200, &json!({ "recovery": recovery })))
}

/// `POST /auth/totp/remove`: with the password once more.
pub async fn remove(door: Arc<Door>, mut request: Request) -> Response {
    either(removed(&door, &mut request).await)
}

async fn removed(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let (own, _) = confirmed(door, request).await?;
    let removed = door.deps.directory.remove_totp(own.account.id).await;
    removed.map_err(|error| failed(request, &error))?;
    note(door, request, &own, "second-factor.remove").await;
    Ok(unkept(Response::empty(204)))
}

/// `POST /auth/totp/recovery`: with the password once more, new recovery codes in place of all others.
pub async fn renew(door: Arc<Door>, mut request: Request) -> Response {
    either(renewed(&door, &mut request).await)
}

async fn renewed(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let (own, _) = confirmed(door, request).await?;
    let made = door.deps.directory.renew_recovery(own.account.id).await.map_err(|error| failed(request, &error))?;
    note(door, request, &own, "second-factor.recovery").await;
    Ok(fresh(200, &json!({ "recovery": made })))
}

/// Somebody who is signed in, and showed the password once more: an open page that was left alone is not enough for what matters.
pub async fn confirmed(door: &Door, request: &mut Request) -> Result<(Session, Asked), Response> {
    let own = session(door, request).await?;
    let asked = Asked::read(request).await?;
    let password = asked.password(door, request, "password", "sealed").await?;
    let device = device::in_words(request.header("user-agent"));
    match door.deps.directory.confirm_password(&own, &password, visitor(request, &device)).await {
        Ok(()) => Ok((own, asked)),
        Err(failure) => Err(wrong(door, request, own.account.address.to_string(), failure).await),
    }
}

async fn note(door: &Door, request: &Request, own: &Session, act: &str) {
    door.note_act(request.peer().ip(), &own.account.address.to_string(), act, None).await;
}
