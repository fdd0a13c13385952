//! Email/parse (RFC 8621 §4.9).

use anser_base::Result;
use anser_mime::summary::parse_message;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::get::{Wish, is_property};
use super::import::is_message;
use super::octets::Octets;
use crate::error::MethodError;
use crate::law::parse::parsed;
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

/// RFC 8621 §4.9.
pub(crate) async fn parse(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let wanted = call.args.strings("blobIds")?.ok_or_else(|| MethodError::invalid("blobIds are missing"))?;
    let properties = call.args.strings("properties")?;
    let properties = properties.unwrap_or_else(|| UNASKED.map(str::to_owned).to_vec());
    if let Some(unknown) = properties.iter().find(|name| !is_property(name)) {
        return Err(MethodError::invalid(format!("{unknown} is no property of this type")));
    }
    let wish = Wish::read(call, Some(&properties))?;
    call.args.done()?;
    let read = move |bytes: Bytes, id: &str| match is_message(&bytes) {
        true => shown(bytes, id, &wish, &properties).map(Some),
        false => Ok(None),
    };
    parsed(call, &access, wanted, read).await
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
