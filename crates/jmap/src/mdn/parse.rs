//! MDN/parse (RFC 9007 §3.2).

use anser_base::Result;
use anser_mime::header::{fields, find};
use anser_mime::summary::parse_message;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{ACTION_MODES, KNOWN, SENDING_MODES, TYPES};
use crate::email::{Octets, text_of};
use crate::error::MethodError;
use crate::law::parse::parsed;
use crate::method::{Call, Outcome};

/// Bytes of a notification that are looked at, and of its text.
const FIELDS: usize = 64 * 1024;
const TEXT: usize = 256 * 1024;
/// Fields that are kept as they are.
const EXTENSIONS: usize = 100;

/// RFC 9007 §3.2.
pub(crate) async fn parse(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let wanted = call.args.strings("blobIds")?.ok_or_else(|| MethodError::invalid("blobIds are missing"))?;
    call.args.done()?;
    parsed(call, &access, wanted, |bytes, _| read(&bytes)).await
}

/// What a message tells; `None` when it is no notification.
fn read(bytes: &Bytes) -> Result<Option<Value>> {
    let message = parse_message(bytes);
    let (mut octets, parts) = (Octets::Whole(bytes.clone()), &message.structure.parts);
    let is_it = |part: &&anser_mime::structure::Part| {
        part.media_type == "message" && part.subtype == "disposition-notification"
    };
    let Some(notification) = parts.iter().find(is_it) else { return Ok(None) };
    let (fields, _) = octets.decoded(notification, FIELDS)?;
    let Some(disposition) = value(&fields, "Disposition").and_then(|text| disposition(&text)) else { return Ok(None) };
    let Some(recipient) = value(&fields, "Final-Recipient") else { return Ok(None) };
    let text = match parts.iter().find(|part| part.is_text()) {
        Some(part) => Some(text_of(&mut octets, part, TEXT, None)?.0),
        None => None,
    };
    let original = parts.iter().any(|part| part.media_type == "message" && part.subtype == "rfc822");
    Ok(Some(json!({
        "forEmailId": null,
        "subject": anser_mime::header::value(bytes, "Subject").map(|raw| anser_mime::text::decode_header(&raw)),
        "textBody": text,
        "includeOriginalMessage": original,
        "reportingUA": value(&fields, "Reporting-UA"),
        "disposition": disposition,
        "mdnGateway": value(&fields, "MDN-Gateway"),
        "originalRecipient": value(&fields, "Original-Recipient"),
        "finalRecipient": recipient,
        "originalMessageId": value(&fields, "Original-Message-ID"),
        "error": errors(&fields),
        "extensionFields": extensions(&fields),
    })))
}

fn value(block: &[u8], name: &str) -> Option<String> {
    find(block, name).map(|field| unfolded(field.value)).filter(|text| !text.is_empty())
}

fn unfolded(value: &[u8]) -> String {
    String::from_utf8_lossy(value).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `manual-action/MDN-sent-manually; displayed` and its like.
fn disposition(text: &str) -> Option<Value> {
    let (modes, kind) = text.split_once(';')?;
    let (action, sending) = modes.split_once('/')?;
    let known = |all: [(&'static str, &str); 2], word: &str| {
        all.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word.trim())).map(|(name, _)| name)
    };
    // Behind a slash stand modifiers, such as `error`.
    let kind = kind.split('/').next().unwrap_or_default().trim().to_ascii_lowercase();
    let kind = TYPES.iter().find(|known| **known == kind)?;
    let (action, sending) = (known(ACTION_MODES, action)?, known(SENDING_MODES, sending)?);
    Some(json!({ "actionMode": action, "sendingMode": sending, "type": kind }))
}

fn errors(block: &[u8]) -> Value {
    let all: Vec<String> = fields(block)
        .filter(|field| field.name.eq_ignore_ascii_case(b"error"))
        .take(EXTENSIONS)
        .map(|field| unfolded(field.value))
        .collect();
    if all.is_empty() { Value::Null } else { json!(all) }
}

fn extensions(block: &[u8]) -> Value {
    let mut all = Map::new();
    for field in fields(block).filter(|field| !field.name.is_empty()) {
        let name = String::from_utf8_lossy(field.name).into_owned();
        if !KNOWN.contains(&name.to_ascii_lowercase().as_str()) && all.len() < EXTENSIONS {
            all.insert(name, unfolded(field.value).into());
        }
    }
    if all.is_empty() { Value::Null } else { Value::Object(all) }
}
