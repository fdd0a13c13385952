//! What the own programs come in with: app passwords, which are typed like a password, and bearer tokens.

use std::sync::Arc;
use std::time::Duration;

use anser_base::{Error, Timestamp};
use anser_directory::{AppPassword, AppPasswordId, AppPasswordKind, Services};
use anser_net::http::{Request, Response, either};
use serde_json::{Value, json};

use crate::Door;
use crate::answer::{failed, fresh, unkept};
use crate::login::session;
use crate::own::time;
use crate::second::confirmed;

/// Seconds of a day.
const DAY: u64 = 24 * 3600;

/// The kind that a path names: `/auth/app-passwords` or `/auth/tokens`.
fn kind(request: &Request) -> AppPasswordKind {
    if request.path().starts_with("/auth/tokens") { AppPasswordKind::Bearer } else { AppPasswordKind::Typed }
}

/// `GET`: all of the kind, oldest first, without the secrets.
pub async fn list(door: Arc<Door>, request: Request) -> Response {
    either(listed(&door, &request).await)
}

async fn listed(door: &Door, request: &Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let all = door.deps.directory.app_passwords(own.account.id, kind(request)).await;
    let all = all.map_err(|error| failed(request, &error))?;
    Ok(fresh(200, &json!({ "list": all.iter().map(view).collect::<Vec<Value>>() })))
}

fn view(one: &AppPassword) -> Value {
    let at = |at: Option<Timestamp>| at.map(time);
    json!({
        "id": one.id.0.to_string(),
        "name": one.name,
        "services": one.services.names(),
        "created": time(one.created),
        "used": at(one.last_used),
        "expires": at(one.expires),
    })
}

/// `POST`: a `name`, `services` (all that the account has when none is named), `days` (no end without), and the password once more.
pub async fn add(door: Arc<Door>, mut request: Request) -> Response {
    either(added(&door, &mut request).await)
}

async fn added(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let (own, asked) = confirmed(door, request).await?;
    let services = asked.texts("services");
    let mut wanted = Services::NONE;
    for name in &services {
        let unknown = || Error::invalid(format!("there is no service {name}"), format!("没有服务 {name}"));
        wanted = wanted.with(Services::by_name(name).ok_or_else(|| failed(request, &unknown()))?);
    }
    if services.is_empty() {
        wanted = Services::ALL;
    }
    let life = asked.number("days").map(|days| Duration::from_secs(u64::from(days) * DAY));
    let (name, kind) = (asked.text("name").unwrap_or_default(), kind(request));
    let made = door.deps.directory.add_app_password(own.account.id, kind, &name, wanted, life).await;
    let made = made.map_err(|error| failed(request, &error))?;
    let actor = own.account.address.to_string();
    door.note_act(request.peer().ip(), &actor, act(kind, "create"), Some(name)).await;
    Ok(fresh(201, &json!({ "id": made.id.0.to_string(), "secret": made.password })))
}

/// `DELETE …/{id}`: worthless at once.
pub async fn revoke(door: Arc<Door>, request: Request) -> Response {
    either(revoked(&door, &request).await)
}

async fn revoked(door: &Door, request: &Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    // A name that is no number is nobody's.
    let (kind, id) = (kind(request), AppPasswordId(request.parameter("id").parse().unwrap_or(0)));
    let gone = door.deps.directory.revoke_app_password(own.account.id, kind, id).await;
    gone.map_err(|error| failed(request, &error))?;
    let actor = own.account.address.to_string();
    door.note_act(request.peer().ip(), &actor, act(kind, "revoke"), Some(id.0.to_string())).await;
    Ok(unkept(Response::empty(204)))
}

fn act(kind: AppPasswordKind, what: &str) -> &'static str {
    match (kind, what) {
        (AppPasswordKind::Typed, "create") => "app-password.create",
        (AppPasswordKind::Typed, _) => "app-password.revoke",
        (AppPasswordKind::Bearer, "create") => "token.create",
        (AppPasswordKind::Bearer, _) => "token.revoke",
    }
}
