//! Blobs within requests (RFC 9404): Blob/upload, Blob/get, Blob/lookup.

use anser_base::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::{Blob, Reader, find, message_of, upload, upload_blob, whole};
use crate::access::Access;
use crate::email::messages;
use crate::error::{MethodError, SetError};
use crate::ids;
use crate::law::get::{Get, Got};
use crate::law::set::{Refused, or_null};
use crate::method::{Call, Outcome};

/// Bytes of a blob that Blob/upload makes at most, and of data that Blob/get tells of one.
pub(crate) const BLOB_SET: usize = 8 * 1024 * 1024;
/// Bytes of all blobs that one Blob/get looks at.
const LOOKED: u64 = 512 * 1024 * 1024;
/// Sources that one blob is put together of at most.
pub(crate) const DATA_SOURCES: usize = 64;
/// What Blob/lookup finds.
pub(crate) const TYPES: [&str; 3] = ["Mailbox", "Thread", "Email"];
/// The digests that Blob/get makes.
pub(crate) const DIGESTS: [&str; 2] = ["sha", "sha-256"];

/// RFC 9404 §4.1.
pub(crate) async fn make(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let create = call.args.map("create")?;
    call.args.done()?;
    if create.len() > call.door.deps.limits.objects_in_set {
        return Err(MethodError::new("requestTooLarge", "too many blobs"));
    }
    let (mut created, mut not_created) = (Map::new(), Map::new());
    for (creation, object) in create {
        match one(call, &access, object).await? {
            Ok(made) => {
                if let Some(Value::String(id)) = made.get("id") {
                    call.created.insert(creation.clone(), id.clone());
                }
                created.insert(creation, made);
            }
            Err(error) => drop(not_created.insert(creation, error.into_value())),
        }
    }
    Ok(json!({
        "accountId": ids::account_id(access.owner.id),
        "created": or_null(created),
        "notCreated": or_null(not_created),
    }))
}

async fn one(call: &Call, access: &Access, object: Value) -> anser_base::Result<Refused<Value>> {
    let wrong = |property: &str, text: &str| Ok(Err(SetError::properties(&[property], text)));
    let kind = object.get("type").filter(|kind| !kind.is_null()).cloned();
    if kind.as_ref().is_some_and(|kind| !kind.is_string()) {
        return wrong("type", "a media type is expected");
    }
    let Some(Value::Array(sources)) = object.get("data") else { return wrong("data", "a list is expected") };
    if sources.len() > DATA_SOURCES {
        return Ok(Err(SetError::new("tooLarge", "too many sources")));
    }
    let mut bytes: Vec<u8> = Vec::new();
    for source in sources {
        match part(call, access, source).await? {
            Ok(piece) if bytes.len() + piece.len() <= BLOB_SET => bytes.extend_from_slice(&piece),
            Ok(_) => return Ok(Err(SetError::new("tooLarge", "").with("maxSize", BLOB_SET))),
            Err(error) => return Ok(Err(error)),
        }
    }
    match upload::put(&call.door, &call.user, access, bytes).await {
        Ok((blob, size)) => Ok(Ok(json!({ "id": upload_blob(blob), "type": kind, "size": size }))),
        Err(error) => SetError::of(error).map(Err),
    }
}

async fn part(call: &Call, access: &Access, source: &Value) -> anser_base::Result<Refused<Bytes>> {
    let wrong = |text: &str| Ok(Err(SetError::properties(&["data"], text)));
    let text = |name: &str| source.get(name).filter(|value| !value.is_null());
    match (text("data:asText"), text("data:asBase64"), text("blobId")) {
        (Some(Value::String(text)), None, None) => Ok(Ok(text.clone().into())),
        (None, Some(Value::String(text)), None) => match STANDARD.decode(text) {
            Ok(bytes) => Ok(Ok(bytes.into())),
            Err(_) => wrong("this is no base64"),
        },
        (None, None, Some(Value::String(id))) => {
            let missing = || SetError::new("blobNotFound", "").with("notFound", vec![id.clone()]);
            let Some(id) = call.resolve(id) else { return Ok(Err(missing())) };
            let found = find(&call.door, &call.user, access, &[id]).await?.pop().flatten();
            let Some(bytes) = opened(call, access, found).await? else { return Ok(Err(missing())) };
            let (Ok(offset), Ok(length)) = (number(source, "offset"), number(source, "length")) else {
                return wrong("offset and length are numbers");
            };
            match range(&bytes, offset, length) {
                (piece, false) => Ok(Ok(piece)),
                _ => wrong("the blob is shorter than that"),
            }
        }
        _ => wrong("a source has one of data:asText, data:asBase64 and blobId"),
    }
}

async fn opened(call: &Call, access: &Access, blob: Option<Blob>) -> anser_base::Result<Option<Bytes>> {
    match blob {
        Some(blob) => whole(&call.door.deps.store, access.owner.tenant, blob, BLOB_SET).await,
        None => Ok(None),
    }
}

/// An `UnsignedInt` that may be missing.
fn number(object: &Value, name: &str) -> Result<Option<u64>, ()> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(()),
    }
}

/// A range of the bytes, and whether some of it is beyond their end.
fn range(bytes: &Bytes, offset: Option<u64>, length: Option<u64>) -> (Bytes, bool) {
    let whole = bytes.len() as u64;
    let from = offset.unwrap_or(0);
    let to = length.map_or(whole.max(from), |length| from.saturating_add(length));
    let cut = |at: u64| at.min(whole) as usize;
    (bytes.slice(cut(from)..cut(to)), from > whole || to > whole)
}

/// RFC 9404 §4.2.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| {
        let digest = name.strip_prefix("digest:").is_some_and(|digest| DIGESTS.contains(&digest));
        digest || matches!(name, "id" | "data:asText" | "data:asBase64" | "data" | "size")
    })?;
    let (offset, length) = (call.args.uint("offset")?, call.args.uint("length")?);
    call.args.done()?;
    let wanted = get.ids.clone().ok_or_else(|| MethodError::new("requestTooLarge", "ids are needed"))?;
    let unasked = || vec!["data".to_owned(), "size".to_owned()];
    let properties = get.properties.clone().unwrap_or_else(unasked);
    let data = properties.iter().any(|name| name.starts_with("data"));
    let digests = DIGESTS.map(|digest| properties.iter().any(|name| name.strip_prefix("digest:") == Some(digest)));
    let asked = Asked { from: offset.unwrap_or(0), length, data, digests };
    let found = find(&call.door, &call.user, &get.access, &wanted).await?;
    let (mut got, mut left) = (Got::default(), LOOKED);
    for (id, blob) in wanted.into_iter().zip(found) {
        let excerpt = match blob {
            Some(blob) => Excerpt::of(call, &get.access, blob, asked, left).await?,
            None => None,
        };
        match excerpt {
            Some(excerpt) => {
                let too_much = || MethodError::new("requestTooLarge", "ask for a part of these blobs");
                left = left.checked_sub(excerpt.read).ok_or_else(too_much)?;
                let shown = shown(&id, &excerpt, &properties);
                call.spend(&shown)?;
                got.list.push(shown);
            }
            None => got.not_found.push(id),
        }
    }
    let mut answer = get.answer(got)?;
    if let Value::Object(answer) = &mut answer {
        answer.remove("state");
    }
    Ok(answer)
}

/// What is asked of a blob.
#[derive(Clone, Copy)]
struct Asked {
    from: u64,
    length: Option<u64>,
    data: bool,
    /// Which of [`DIGESTS`].
    digests: [bool; 2],
}

/// A part of a blob, and what is known of it.
#[derive(Default)]
struct Excerpt {
    /// Of the whole blob.
    size: u64,
    is_truncated: bool,
    data: Vec<u8>,
    sha: Sha1,
    sha256: Sha256,
    /// Bytes that were looked at.
    read: u64,
}

impl Excerpt {
    /// `None` when there is no such part. Looks at little more than `most` bytes, and says so by having looked at more.
    async fn of(call: &Call, access: &Access, blob: Blob, asked: Asked, most: u64) -> anser_base::Result<Option<Self>> {
        let (store, tenant) = (call.door.deps.store.clone(), access.owner.tenant);
        let work = move || match Reader::open(&store, tenant, &blob)? {
            Some(reader) => Self::read(reader, asked, most).map(Some),
            None => Ok(None),
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }

    fn read(mut reader: Reader, asked: Asked, most: u64) -> anser_base::Result<Self> {
        let mut all = Self::default();
        let size = reader.size().filter(|_| !asked.data && asked.digests == [false; 2]);
        let end = asked.length.map_or(u64::MAX, |length| asked.from.saturating_add(length));
        if let Some(size) = size {
            all.size = size;
        }
        while size.is_none()
            && let Some(piece) = reader.next()?
        {
            let (start, length) = (all.size, piece.len() as u64);
            all.size += length;
            all.read += length;
            let cut = |at: u64| at.saturating_sub(start).min(length) as usize;
            let part = &piece[cut(asked.from)..cut(end).max(cut(asked.from))];
            if asked.digests[0] {
                all.sha.update(part);
            }
            if asked.digests[1] {
                all.sha256.update(part);
            }
            if asked.data {
                all.data.extend_from_slice(part);
            }
            if all.data.len() > BLOB_SET || all.read > most {
                all.read = u64::MAX;
                break;
            }
        }
        all.is_truncated = asked.from > all.size || asked.length.is_some() && end > all.size;
        Ok(all)
    }
}

fn shown(id: &str, excerpt: &Excerpt, properties: &[String]) -> Value {
    let mut shown = Map::new();
    shown.insert("id".into(), id.into());
    if excerpt.is_truncated {
        shown.insert("isTruncated".into(), true.into());
    }
    let text = std::str::from_utf8(&excerpt.data).ok();
    for name in properties {
        let name = match (name.as_str(), text) {
            ("data", Some(_)) => "data:asText",
            ("data", None) => "data:asBase64",
            (name, _) => name,
        };
        let value = match name {
            "data:asText" if text.is_none() => {
                shown.insert("isEncodingProblem".into(), true.into());
                Value::Null
            }
            "data:asText" => text.into(),
            "data:asBase64" => STANDARD.encode(&excerpt.data).into(),
            "digest:sha" => STANDARD.encode(excerpt.sha.clone().finalize()).into(),
            "digest:sha-256" => STANDARD.encode(excerpt.sha256.clone().finalize()).into(),
            "size" => excerpt.size.into(),
            _ => continue,
        };
        shown.insert(name.to_owned(), value);
    }
    Value::Object(shown)
}

/// RFC 9404 §4.3. Messages refer to blobs: each to itself and to its parts.
pub(crate) async fn lookup(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let types = call.args.strings("typeNames")?.ok_or_else(|| MethodError::invalid("typeNames are missing"))?;
    let wanted = call.args.strings("ids")?.ok_or_else(|| MethodError::invalid("ids are missing"))?;
    call.args.done()?;
    if let Some(unknown) = types.iter().find(|name| !TYPES.contains(&name.as_str())) {
        return Err(MethodError::new("unknownDataType", format!("{unknown} refers to no blobs here")));
    }
    if wanted.len() > call.door.deps.limits.objects_in_get {
        return Err(MethodError::new("requestTooLarge", "too many ids"));
    }
    let found = find(&call.door, &call.user, &access, &wanted).await?;
    let (scope, reader, asked) = (access.scope(), access.clone(), wanted.clone());
    let read = call.door.deps.store.read(access.owner.id, move |tx| {
        let allowed = reader.allowed(tx)?;
        let mut all = Vec::with_capacity(asked.len());
        for id in &asked {
            let loaded = match message_of(id) {
                Some(message) => messages(tx, &allowed, &[message])?.pop().flatten(),
                None => None,
            };
            let told = loaded.map(|loaded| {
                let mailboxes = loaded.places.iter().map(|(mailbox, _)| ids::mailbox_id(scope, *mailbox));
                let (thread, email) = (loaded.message.thread, loaded.message.id);
                [mailboxes.collect(), vec![ids::thread_id(scope, thread)], vec![ids::email_id(scope, email)]]
            });
            all.push(told.unwrap_or_default());
        }
        Ok(all)
    });
    let (mut list, mut not_found) = (Vec::new(), Vec::new());
    for ((id, blob), matched) in wanted.into_iter().zip(found).zip(read.await?) {
        if blob.is_none() {
            not_found.push(id);
            continue;
        }
        let of_types = TYPES.iter().zip(matched).filter(|(name, _)| types.iter().any(|wanted| wanted == *name));
        let matched: Map<String, Value> = of_types.map(|(name, ids)| ((*name).to_owned(), json!(ids))).collect();
        list.push(json!({ "id": id, "matchedIds": matched }));
    }
    Ok(json!({ "accountId": ids::account_id(access.owner.id), "list": list, "notFound": not_found }))
}
