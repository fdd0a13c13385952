//! Downloading (RFC 8620 §6.2): whole messages and their parts. An id names a blob by the message that it is of, so that who may not
//! read the message cannot read the blob.
//!
//! | id | blob |
//! |---|---|
//! | `B12` | message 12, as it was received |
//! | `B12-3` | its part 3, decoded |

use std::io;
use std::ops::Range;
use std::sync::Arc;

use anser_base::{Error, MessageId, Result, TenantId};
use anser_mime::encoding::{Decoder, Encoding};
use anser_net::http::{HeaderValue, Request, Response, header};
use anser_store::{Body, Message, Store};
use bytes::Bytes;
use futures_util::stream;

use crate::access::Access;
use crate::auth;
use crate::door::Door;
use crate::email::messages;
use crate::error::{failed, plain_problem};
use crate::{either, ids};

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// Longest media type that is said again, in bytes.
const TYPE: usize = 100;

/// What an id names: a message, and a part of it.
fn parsed(id: &str) -> Option<(MessageId, Option<usize>)> {
    let rest = id.strip_prefix('B')?;
    let (message, part) = match rest.split_once('-') {
        None => (rest, None),
        Some((message, part)) => (message, Some(usize::try_from(ids::number(part)?).ok()?)),
    };
    Some((MessageId(ids::number(message)?), part))
}

/// `GET /jmap/download/{accountId}/{blobId}/{name}`
pub(crate) async fn download(door: Arc<Door>, request: Request) -> Response {
    either(answer(&door, &request).await)
}

async fn answer(door: &Door, request: &Request) -> Result<Response, Response> {
    let user = auth::user(door, request).await?;
    let missing = || plain_problem(404, "there is no such blob");
    let access = Access::to(&user, request.parameter("accountId")).map_err(|_| missing())?;
    let (id, part) = parsed(request.parameter("blobId")).ok_or_else(missing)?;
    let owner = access.owner.clone();
    let read = door.deps.store.read(owner.id, move |tx| {
        let allowed = access.allowed(tx)?;
        messages(tx, &allowed, &[id])
    });
    let found = read.await.map_err(|error| failed(&error))?.pop().flatten().ok_or_else(missing)?;
    let (store, tenant) = (door.deps.store.clone(), owner.tenant);
    let open = move || Outgoing::open(&store, tenant, &found.message, part);
    let opened = tokio::task::spawn_blocking(open).await.map_err(|error| failed(&Error::unavailable(error)))?;
    let outgoing = opened.map_err(|error| failed(&error))?.ok_or_else(missing)?;
    let pieces = stream::unfold(Some(outgoing), |outgoing| async move {
        let mut outgoing = outgoing?;
        let step = move || outgoing.next().map(|piece| piece.map(|piece| (piece, outgoing)));
        match tokio::task::spawn_blocking(step).await {
            Ok(Ok(Some((piece, outgoing)))) => Some((Ok(piece), Some(outgoing))),
            Ok(Ok(None)) => None,
            Ok(Err(error)) => Some((Err(io::Error::other(error.chain())), None)),
            Err(error) => Some((Err(io::Error::other(error)), None)),
        }
    });
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

/// A blob on its way out.
struct Outgoing {
    body: Body,
    left: Range<u64>,
    decoder: Option<Decoder>,
}

impl Outgoing {
    /// `None` when the message has no such part. Blocks on the disk.
    fn open(store: &Store, tenant: TenantId, message: &Message, part: Option<usize>) -> Result<Option<Self>> {
        let body = store.body(tenant, message)?;
        let Some(part) = part else {
            return Ok(Some(Self { left: 0..body.size(), body, decoder: None }));
        };
        let structure = message.parsed_structure().ok_or_else(|| Error::damaged(format!("message {}", message.id)))?;
        let Some(part) = structure.parts.get(part).filter(|part| !part.is_multipart()) else { return Ok(None) };
        let (before, range) = (message.prefix.len() as u64, part.body_range());
        let encoding = part.transfer_encoding();
        let decoder = (encoding != Encoding::Identity).then(|| Decoder::new(encoding));
        Ok(Some(Self { body, left: before + range.start..before + range.end, decoder }))
    }

    /// The next piece, which is not empty; `None` at the end. Blocks on the disk.
    fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let len = (self.left.end - self.left.start).min(PIECE as u64) as usize;
            let piece = if len == 0 { Bytes::new() } else { self.body.read_at(self.left.start, len)? };
            self.left.start += piece.len() as u64;
            let (Some(decoder), is_end) = (self.decoder.as_mut(), piece.is_empty()) else {
                return Ok(Some(piece).filter(|piece| !piece.is_empty()));
            };
            let mut out = Vec::new();
            if !is_end {
                decoder.push(&piece, &mut out);
            } else if let Some(decoder) = self.decoder.take() {
                decoder.finish(&mut out);
            }
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
            if is_end {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_a_message_or_a_part() {
        assert_eq!(parsed("B12"), Some((MessageId(12), None)));
        assert_eq!(parsed("B12-3"), Some((MessageId(12), Some(3))));
        for wrong in ["12", "B", "B12-", "B12-x", "B012", "B12-3-4", "B-3"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
