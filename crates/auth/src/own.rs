//! What somebody who is signed in does with their own: sessions, password.

use std::sync::Arc;

use anser_base::Timestamp;
use anser_directory::{AuthFailure, Refusal, SessionId};
use anser_net::http::{Request, Response, either};
use serde_json::{Value, json};

use crate::answer::{failed, fresh, refused, unkept};
use crate::asked::Asked;
use crate::login::session;
use crate::{Door, device, visitor};

/// `GET /auth/sessions`: where the account is signed in, the last used first.
pub async fn sessions(door: Arc<Door>, request: Request) -> Response {
    either(list(&door, &request).await)
}

async fn list(door: &Door, request: &Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let all = door.deps.directory.sessions(own.account.id).await.map_err(|error| failed(request, &error))?;
    let shown = |one: &anser_directory::sessions::Listed| {
        json!({
            "id": one.id.0.to_string(),
            "created": time(one.created),
            "seen": time(one.seen),
            "expires": time(one.expires),
            "device": one.device,
            "source": one.source,
            "current": one.id == own.id,
        })
    };
    Ok(fresh(200, &json!({ "sessions": all.iter().map(shown).collect::<Vec<Value>>() })))
}

/// `DELETE /auth/sessions/{id}`: signs one out, from wherever.
pub async fn end_session(door: Arc<Door>, request: Request) -> Response {
    either(end(&door, &request).await)
}

async fn end(door: &Door, request: &Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    // A name that is no number is nobody's.
    let id = SessionId(request.parameter("id").parse().unwrap_or(0));
    door.deps.directory.end_session(own.account.id, id).await.map_err(|error| failed(request, &error))?;
    let actor = own.account.address.to_string();
    door.note_act(request.peer().ip(), &actor, "session.end", Some(id.0.to_string())).await;
    Ok(unkept(Response::empty(204)))
}

/// `DELETE /auth/sessions`: signs all others out.
pub async fn end_others(door: Arc<Door>, request: Request) -> Response {
    either(end_all_others(&door, &request).await)
}

async fn end_all_others(door: &Door, request: &Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let ended = door.deps.directory.end_sessions(own.account.id, Some(own.id)).await;
    let ended = ended.map_err(|error| failed(request, &error))?;
    let actor = own.account.address.to_string();
    door.note_act(request.peer().ip(), &actor, "session.end", Some(format!("{ended} others"))).await;
    Ok(fresh(200, &json!({ "ended": ended })))
}

/// `GET /auth/password`: what a new password must be like, of whoever is signed in, or of anybody.
pub async fn password_rules(door: Arc<Door>, request: Request) -> Response {
    let own = session(&door, &request).await.ok().map(|own| own.account.id);
    match door.deps.directory.password_rules(own).await {
        Ok(rules) => fresh(200, &json!({ "length": rules.length, "kinds": rules.kinds, "strength": rules.strength })),
        Err(error) => failed(&request, &error),
    }
}

/// `POST /auth/password`: `old` or `old_sealed`, `new` or `new_sealed`. All other sessions end.
pub async fn change_password(door: Arc<Door>, mut request: Request) -> Response {
    either(change(&door, &mut request).await)
}

async fn change(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let asked = Asked::read(request).await?;
    let old = asked.password(door, request, "old", "old_sealed").await?;
    let new = asked.password(door, request, "new", "new_sealed").await?;
    let (user, device) = (own.account.address.to_string(), device::in_words(request.header("user-agent")));
    match door.deps.directory.change_password(&own, &old, &new, visitor(request, &device)).await {
        Ok(()) => {
            door.note_act(request.peer().ip(), &user, "account.password", None).await;
            Ok(unkept(Response::empty(204)))
        }
        Err(failure) => Err(wrong(door, request, user, failure).await),
    }
}

/// The refusal of a password that was asked for once more. Not 401: the session is good.
pub async fn wrong(door: &Door, request: &Request, user: String, failure: AuthFailure) -> Response {
    if failure.reason != Refusal::Wrong {
        return refused(request, &failure);
    }
    door.note_failure(request, user, &failure).await;
    tokio::time::sleep(failure.delay).await;
    crate::answer::plain_problem(request, 403, &failure.error.text)
}

pub fn time(at: Timestamp) -> String {
    at.to_string()
}
