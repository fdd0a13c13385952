//! What the own account allowed programs.

use std::sync::Arc;

use anser_directory::oauth::{GrantId, ListedGrant};
use anser_net::http::{Request, Response, either};
use serde_json::{Value, json};

use crate::answer::{failed, fresh, unkept};
use crate::login::session;
use crate::own::time;
use crate::{Door, scope};

/// `GET /auth/grants`
pub async fn list(door: Arc<Door>, request: Request) -> Response {
    either(listed(&door, &request).await)
}

async fn listed(door: &Door, request: &Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let all = door.deps.directory.grants(own.account.id).await.map_err(|error| failed(request, &error))?;
    Ok(fresh(200, &json!({ "list": all.iter().map(view).collect::<Vec<Value>>() })))
}

fn view(one: &ListedGrant) -> Value {
    json!({
        "id": one.id.0.to_string(),
        "client": one.client,
        "scope": scope::given(one.services, false),
        "created": time(one.created),
        "used": time(one.used),
    })
}

/// `DELETE /auth/grants/{id}`: all that came of it is worthless at once.
pub async fn revoke(door: Arc<Door>, request: Request) -> Response {
    either(revoked(&door, &request).await)
}

async fn revoked(door: &Door, request: &Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    // A name that is no number is nobody's.
    let id = GrantId(request.parameter("id").parse().unwrap_or(0));
    door.deps.directory.revoke_grant(own.account.id, id).await.map_err(|error| failed(request, &error))?;
    let actor = own.account.address.to_string();
    door.note_act(request.peer().ip(), &actor, "grant.revoke", Some(id.0.to_string())).await;
    Ok(unkept(Response::empty(204)))
}
