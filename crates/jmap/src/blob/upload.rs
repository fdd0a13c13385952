//! Uploading (RFC 8620 §6.1).

use std::sync::Arc;
use std::time::Duration;

use anser_base::{BlobId, Class, Durability, Error, TenantId};
use anser_net::http::{Bytes, Request, Response, either};
use anser_store::Store;
use serde_json::json;
use tokio::time::timeout;

use super::upload_blob;
use crate::access::Access;
use crate::auth::{self, User};
use crate::door::{Door, Use};
use crate::error::{failed, limit_problem, plain_problem, problem};
use crate::ids;

/// Bytes that are handed to the disk at once.
const BATCH: usize = 512 * 1024;
/// How long the next piece may take to come.
const PIECE_TIME: Duration = Duration::from_secs(30);
/// Longest media type that is said again, in bytes.
const TYPE: usize = 255;

/// `POST /jmap/upload/{accountId}`
pub(crate) async fn upload(door: Arc<Door>, request: Request) -> Response {
    either(answer(&door, request).await)
}

async fn answer(door: &Door, mut request: Request) -> Result<Response, Response> {
    let user = auth::user(door, &request).await?;
    let missing = || plain_problem(404, "there is no such account");
    let access = Access::to(&user, request.parameter("accountId")).map_err(|_| missing())?;
    if user.is_read_only() {
        return Err(plain_problem(403, "what you came in with changes nothing"));
    }
    let seat = door.seat(user.account.id, Use::Upload);
    let _seat = seat.ok_or_else(|| limit_problem(429, "maxConcurrentUpload"))?;
    let (blob, size) = take(door, access.owner.tenant, &mut request).await?;
    keep(door, &user, &access, blob, size).await.map_err(|error| match error.class {
        Class::OverQuota => problem(403, "urn:ietf:params:jmap:error:overQuota", &error.text),
        _ => failed(&error),
    })?;
    let kind = Some(request.header("content-type")).filter(|kind| kind.len() <= TYPE && kind.contains('/'));
    let told = json!({
        "accountId": ids::account_id(access.owner.id),
        "blobId": upload_blob(blob),
        "type": kind.unwrap_or("application/octet-stream"),
        "size": size,
    });
    Ok(Response::json(201, told.to_string()))
}

/// Stores the request's body as it comes in.
async fn take(door: &Door, tenant: TenantId, request: &mut Request) -> Result<(BlobId, u64), Response> {
    let blobs = door.deps.store.blobs().clone();
    let too_large = || limit_problem(413, "maxSizeUpload");
    let mut left = door.deps.limits.size_upload;
    if request.header("content-length").parse().is_ok_and(|length: u64| length > left) {
        return Err(too_large());
    }
    let mut writer = blocking(move || blobs.writer(tenant)).await?;
    loop {
        let (batch, is_end) = batch(request).await?;
        let size: usize = batch.iter().map(Bytes::len).sum();
        left = left.checked_sub(size as u64).ok_or_else(too_large)?;
        writer = blocking(move || batch.iter().try_for_each(|piece| writer.write(piece)).map(|()| writer)).await?;
        if is_end {
            return blocking(move || writer.finish(Durability::Sync)).await;
        }
    }
}

/// The next pieces, and whether they are the last.
async fn batch(request: &mut Request) -> Result<(Vec<Bytes>, bool), Response> {
    let (mut batch, mut size) = (Vec::new(), 0);
    while size < BATCH {
        let next = timeout(PIECE_TIME, request.next()).await;
        match next.map_err(|_| plain_problem(408, "the upload takes too long"))? {
            Ok(Some(piece)) => {
                size += piece.len();
                batch.push(piece);
            }
            Ok(None) => return Ok((batch, true)),
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok((batch, false))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anser_base::Result<T> + Send + 'static,
) -> Result<T, Response> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| failed(&Error::unavailable(error)))?;
    done.map_err(|error| failed(&error))
}

/// Notes an upload of the user's, so that its id is known. The blob store has it.
pub(super) async fn keep(door: &Door, user: &User, access: &Access, blob: BlobId, size: u64) -> anser_base::Result<()> {
    let user = user.account.id;
    let keep = door.deps.store.write(access.owner.id, Durability::Sync, move |tx| tx.keep_upload(user, blob, size));
    keep.await
}

/// Stores bytes that are in memory, as an upload of the user's.
pub(crate) async fn put(
    door: &Door,
    user: &User,
    access: &Access,
    bytes: Vec<u8>,
) -> anser_base::Result<(BlobId, u64)> {
    let (store, tenant): (Store, TenantId) = (door.deps.store.clone(), access.owner.tenant);
    let work = move || {
        let mut writer = store.blobs().writer(tenant)?;
        writer.write(&bytes)?;
        writer.finish(Durability::Sync)
    };
    let (blob, size) = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
    keep(door, user, access, blob, size).await?;
    Ok((blob, size))
}
