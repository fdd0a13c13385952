//! What the other server of a person's move tells while its owner waits: its folders, and what did not come.

use std::io;
use std::sync::Arc;

use anser_base::{Class, Error};
use anser_migrate::own::{FolderView, Missed};
use anser_net::http::{HeaderValue, Request, Response, either, header};
use anser_store::Role;
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::{found, moves, named, parsed_id, text};
use crate::access::Access;
use crate::auth;
use crate::door::Door;
use crate::email::written_utc;
use crate::error::{failed as failure, plain_problem};
use crate::ids;
use crate::method::{Call, Outcome};

/// `MailMove/folders`: the folders of the other mailbox, what each holds, and what it is for here.
pub(crate) async fn folders(call: &mut Call) -> Outcome {
    let (access, id, number) = named(call)?;
    let (all, problem) = found(moves(call)?.own_folders(&call.user.account, number).await)?;
    Ok(json!({
        "accountId": ids::account_id(access.owner.id),
        "id": id,
        "list": all.iter().map(folder).collect::<Vec<_>>(),
        "problem": problem.as_ref().map(text),
    }))
}

fn folder(one: &FolderView) -> Value {
    json!({
        "name": one.name,
        "path": one.path,
        "messages": one.messages,
        "role": one.role.map(Role::as_str),
        "skip": one.skip,
        "isHere": one.is_here,
    })
}

/// `MailMove/failed`: what did not come, message by message.
pub(crate) async fn failed(call: &mut Call) -> Outcome {
    let position = call.args.uint("position")?.unwrap_or(0);
    let (access, id, number) = named(call)?;
    let missing = found(moves(call)?.own_missing(&call.user.account, number, position).await)?;
    let account = ids::account_id(access.owner.id);
    let one = |one: &Missed| failed_one(&account, &id, one);
    Ok(json!({
        "accountId": account,
        "id": id,
        "position": position,
        "total": missing.total,
        "list": missing.list.iter().map(one).collect::<Vec<_>>(),
        "problem": missing.problem.as_ref().map(text),
    }))
}

fn failed_one(account: &str, id: &str, one: &Missed) -> Value {
    json!({
        "id": one.id,
        "subject": one.subject,
        "from": one.from,
        "receivedAt": one.date.map(written_utc),
        "folder": one.folder,
        "size": one.size,
        "reason": text(&one.why),
        "tries": one.tries,
        "again": one.again,
        "url": format!("/jmap/moved/{account}/{id}/{}", one.id),
    })
}

/// `GET /jmap/moved/{accountId}/{id}/{message}`: a message that did not come, as the other server hands it out now.
pub(crate) async fn message(door: Arc<Door>, request: Request) -> Response {
    either(answer(&door, &request).await)
}

async fn answer(door: &Door, request: &Request) -> Result<Response, Response> {
    let user = auth::user(door, request).await?;
    let missing = || plain_problem(404, "there is no such message");
    let access = Access::to(&user, request.parameter("accountId")).map_err(|_| missing())?;
    let id = parsed_id(request.parameter("id")).filter(|_| access.is_own()).ok_or_else(missing)?;
    let moves = door.deps.moves.as_ref().ok_or_else(missing)?;
    let octets = moves.own_missing_octets(&user.account, id, request.parameter("message")).await;
    let octets = octets.map_err(|error| match error.class {
        Class::NotFound => missing(),
        Class::Limit => plain_problem(429, &error.text),
        Class::Unavailable => plain_problem(502, &error.text),
        _ => failure(&error),
    })?;
    let pieces = octets.map_err(|error: Error| io::Error::other(error.chain()));
    Ok(Response::stream(200, "message/rfc822", pieces)
        .with(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=message.eml"))
        .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
}
