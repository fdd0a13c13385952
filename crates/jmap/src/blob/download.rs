//! Downloading (RFC 8620 §6.2).

use std::io;
use std::sync::Arc;

use anser_net::http::{HeaderValue, Request, Response, either, header};
use futures_util::TryStreamExt;

use super::{Reader, find};
use crate::access::Access;
use crate::auth;
use crate::door::Door;
use crate::error::{failed, plain_problem};

/// Longest media type that is said again, in bytes.
const TYPE: usize = 100;

/// `GET /jmap/download/{accountId}/{blobId}/{name}`
pub(crate) async fn download(door: Arc<Door>, request: Request) -> Response {
    either(answer(&door, &request).await)
}

async fn answer(door: &Door, request: &Request) -> Result<Response, Response> {
    let user = auth::user(door, request).await?;
    let missing = || plain_problem(404, "there is no such blob");
    let access = Access::to(&user, request.parameter("accountId")).map_err(|_| missing())?;
    let ids = [request.parameter("blobId").to_owned()];
    let found = find(door, &user, &access, &ids).await.map_err(|error| failed(&error))?;
    let blob = found.into_iter().next().flatten().ok_or_else(missing)?;
    let opened = Reader::open_async(door.deps.store.clone(), access.owner.tenant, blob).await;
    let reader = opened.map_err(|error| failed(&error))?.ok_or_else(missing)?;
    let pieces = reader.stream().map_err(|error| io::Error::other(error.chain()));
    Ok(labelled(Response::stream(200, "application/octet-stream", pieces), request))
}

/// With the type and the name that were asked for. It is never shown in a page of ours, whatever it says that it is.
fn labelled(response: Response, request: &Request) -> Response {
    let wanted = request.query("accept").filter(|kind| kind.len() <= TYPE && kind.contains('/'));
    let kind = wanted.and_then(|kind| HeaderValue::from_str(&kind).ok());
    let escaped: String = request.parameter("name").bytes().take(500).map(percent).collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename*=utf-8''{escaped}"));
    let response = response
        .with(header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")))
        .with(header::CACHE_CONTROL, HeaderValue::from_static("private, immutable, max-age=31536000"));
    match kind {
        Some(kind) => response.with(header::CONTENT_TYPE, kind),
        None => response,
    }
}

fn percent(byte: u8) -> String {
    let is_plain = byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}
