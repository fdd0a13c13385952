//! Email/parse (RFC 8621 §4.9).

use std::sync::Arc;

use anser_base::{Error, Result};
use anser_mime::summary::parse_message;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::get::{Wish, is_property};
use super::import::is_message;
use super::octets::Octets;
use crate::blob::{self, OPENED};
use crate::error::MethodError;
use crate::ids;
use crate::method::{Call, Outcome};

/// What is shown unasked.
const UNASKED: [&str; 17] = [
    "messageId",
    "inReplyTo",
    "references",
    "sender",
    "from",
    "to",
    "cc",
    "bcc",
    "replyTo",
    "subject",
    "sentAt",
    "hasAttachment",
    "preview",
    "bodyValues",
    "textBody",
    "htmlBody",
    "attachments",
];

/// RFC 8621 §4.9. Nothing larger than [`OPENED`] bytes is parsed.
pub(crate) async fn parse(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let wanted = call.args.strings("blobIds")?.ok_or_else(|| MethodError::invalid("blobIds are missing"))?;
    let properties = call.args.strings("properties")?;
    let properties = properties.unwrap_or_else(|| UNASKED.map(str::to_owned).to_vec());
    if let Some(unknown) = properties.iter().find(|name| !is_property(name)) {
        return Err(MethodError::invalid(format!("{unknown} is no property of this type")));
    }
    let wish = Arc::new(Wish::read(call, Some(&properties))?);
    call.args.done()?;
    if wanted.len() > call.door.deps.limits.objects_in_get {
        return Err(MethodError::new("requestTooLarge", "too many blobs"));
    }
    let asked: Vec<String> = wanted.iter().map(|id| call.resolve(id).unwrap_or_else(|| id.clone())).collect();
    let found = blob::find(&call.door, &call.user, &access, &asked).await?;
    let (mut parsed, mut not_parsable, mut not_found) = (Map::new(), Vec::new(), Vec::new());
    for ((name, id), blob) in wanted.into_iter().zip(asked).zip(found) {
        let Some(blob) = blob else {
            not_found.push(name);
            continue;
        };
        let bytes = blob::whole(&call.door.deps.store, access.owner.tenant, blob, OPENED).await?;
        let Some(bytes) = bytes.filter(|bytes| is_message(bytes)) else {
            not_parsable.push(name);
            continue;
        };
        let (wish, properties) = (wish.clone(), properties.clone());
        let work = move || shown(bytes, &id, &wish, &properties);
        let email = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
        call.spend(&email)?;
        parsed.insert(name, email);
    }
    let or_null = |all: Vec<String>| if all.is_empty() { Value::Null } else { json!(all) };
    Ok(json!({
        "accountId": ids::account_id(access.owner.id),
        "parsed": if parsed.is_empty() { Value::Null } else { Value::Object(parsed) },
        "notParsable": or_null(not_parsable),
        "notFound": or_null(not_found),
    }))
}

/// What is in no mailbox has no id, no place and no marks.
fn shown(bytes: Bytes, id: &str, wish: &Wish, properties: &[String]) -> Result<Value> {
    let message = parse_message(&bytes);
    let mut email = Map::new();
    for name in properties {
        let value = match name.as_str() {
            "id" | "threadId" | "mailboxIds" | "keywords" | "receivedAt" => Value::Null,
            "blobId" => id.into(),
            "size" => bytes.len().into(),
            "hasAttachment" => message.summary.has_attachment.into(),
            "preview" => message.summary.preview.clone().into(),
            _ => continue,
        };
        email.insert(name.clone(), value);
    }
    wish.put_fields(&message.header, &mut email);
    wish.put_parts(&message.structure, &mut Octets::Whole(bytes), id, &mut email)?;
    Ok(Value::Object(email))
}
