//! Email/import (RFC 8621 §4.8).

use anser_base::{Durability, Error, MailboxId, Result, TenantId, Timestamp};
use anser_mime::{date, header};
use anser_store::{Content, Logged, NewMessage, Store};
use serde_json::{Map, Value};

use super::place::{Draft, Place};
use crate::access::Access;
use crate::blob::{self, Blob, Reader, Source};
use crate::error::{MethodError, SetError};
use crate::law::set::{Refused, Set};
use crate::method::{Call, Outcome};

/// Bytes of a header that are looked at.
const HEADER: usize = 256 * 1024;

/// RFC 8621 §4.8.
pub(crate) async fn import(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let if_in_state = call.args.string("ifInState")?;
    let emails = call.args.map("emails")?;
    call.args.done()?;
    if emails.len() > call.door.deps.limits.objects_in_set {
        return Err(MethodError::new("requestTooLarge", "too many objects"));
    }
    let mut drafts = Vec::with_capacity(emails.len());
    for (creation, object) in emails {
        let Value::Object(object) = object else { return Err(MethodError::invalid("an object is missing")) };
        drafts.push((creation, draft(call, &access, object).await?));
    }
    put_all(call, access, if_in_state, drafts).await
}

/// Stores messages in one transaction; the response of Email/import, and but for its source of Email/copy.
pub(super) async fn put_all(
    call: &mut Call,
    access: Access,
    if_in_state: Option<String>,
    drafts: Vec<(String, Refused<Draft>)>,
) -> Outcome {
    let set = Set { access, if_in_state, create: Vec::new(), update: Vec::new(), destroy: Vec::new() };
    let put = set.run(call, Logged::Messages, move |tx, set, allowed, done| {
        for (creation, draft) in &drafts {
            let result = match draft {
                Ok(draft) => draft.put(tx, &set.access, &allowed)?,
                Err(error) => Err(error.clone()),
            };
            done.create(creation, result);
        }
        Ok(())
    });
    let mut answer = put.await?;
    if let Value::Object(answer) = &mut answer {
        answer.retain(|name, _| !name.contains("pdated") && !name.contains("estroyed"));
    }
    Ok(answer)
}

async fn draft(call: &Call, access: &Access, mut object: Map<String, Value>) -> Result<Refused<Draft>> {
    let missing = || SetError::property("blobId", "there is no such blob");
    let id = object.remove("blobId").and_then(|id| call.resolve(id.as_str()?));
    let place = match Place::read(call, access, &mut object) {
        Ok(place) => place,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(other) = object.keys().next() {
        return Ok(Err(SetError::property(other, "there is no such property")));
    }
    let Some(id) = id else { return Ok(Err(missing())) };
    let Some(blob) = blob::find(&call.door, &call.user, access, &[id]).await?.pop().flatten() else {
        return Ok(Err(missing()));
    };
    let (store, tenant, most) = (call.door.deps.store.clone(), access.owner.tenant, call.door.deps.limits.size_upload);
    let take = move || take(&store, tenant, &blob, most);
    Ok(match tokio::task::spawn_blocking(take).await.map_err(Error::unavailable)?? {
        None => Err(missing()),
        Some(Err(error)) => Err(error),
        Some(Ok(Taken { content, received })) => {
            let received = received.unwrap_or_else(|| call.door.deps.clock.now());
            Ok(Draft { message: place.message(access, NewMessage::new(content, MailboxId(0), received)) })
        }
    })
}

/// A message that a blob is.
struct Taken {
    content: Content,
    /// When the last server on its way took it.
    received: Option<Timestamp>,
}

/// `None` when there is no such part. Blocks on the disk.
fn take(store: &Store, tenant: TenantId, blob: &Blob, most: u64) -> Result<Option<Refused<Taken>>> {
    let Some(mut reader) = Reader::open(store, tenant, blob)? else { return Ok(None) };
    let mut head = Vec::new();
    let mut writer = store.body_writer(tenant)?;
    while let Some(piece) = reader.next()? {
        if writer.size() + piece.len() as u64 > most {
            return Ok(Some(Err(SetError::new("tooLarge", "").with("maxSize", most))));
        }
        head.extend_from_slice(&piece[..piece.len().min(HEADER - head.len())]);
        writer.write(&piece)?;
    }
    if !is_message(&head) {
        return Ok(Some(Err(SetError::new("invalidEmail", "the blob does not begin with header fields"))));
    }
    let content = match &blob.source {
        Source::Upload(id) if blob.parts.is_empty() => store.adopt_body(tenant, *id, tenant, Durability::Sync)?,
        _ => writer.finish(Durability::Sync)?,
    };
    Ok(Some(Ok(Taken { content, received: received(&head) })))
}

/// Whether something can be taken for a message: it begins with a header field (RFC 5322 §2.2).
pub(crate) fn is_message(head: &[u8]) -> bool {
    header::fields(head).next().is_some_and(|field| field.range.start == 0 && !field.name.is_empty())
}

/// The time in the first `Received` (RFC 5321 §4.4).
fn received(head: &[u8]) -> Option<Timestamp> {
    let unfolded = header::unfold(header::find(head, "Received")?.value).into_owned();
    let at = unfolded.iter().rposition(|byte| *byte == b';')?;
    date::parse(&unfolded[at + 1..]).map(|date| Timestamp::from_secs(date.unix))
}
