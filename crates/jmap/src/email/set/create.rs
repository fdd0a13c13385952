//! A message made of its properties (RFC 8621 §4.6): header fields, bodies given as texts, attachments given as blobs.

use std::collections::BTreeSet;

use anser_base::{Durability, Error, Result, Timestamp};
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_store::NewMessage;
use serde_json::{Map, Value};

use super::{Draft, mailboxes, whole_set};
use crate::access::Access;
use crate::email::header::{CONVENIENT, Form, HeaderProperty};
use crate::email::load::flags_of;
use crate::error::SetError;
use crate::method::Call;

type Refused<T> = std::result::Result<T, SetError>;

/// A message made of an object, stored but in no mailbox yet.
pub(super) async fn draft(call: &Call, access: &Access, object: &Map<String, Value>) -> Result<Refused<Draft>> {
    let made = match made(call, access, object) {
        Ok(made) => made,
        Err(error) => return Ok(Err(error)),
    };
    if made.raw.len() as u64 > call.door.deps.limits.size_upload {
        return Ok(Err(SetError::new("tooLarge", "").with("maxSize", call.door.deps.limits.size_upload)));
    }
    let (store, tenant, raw) = (call.door.deps.store.clone(), access.owner.tenant, made.raw);
    let put = move || store.put_body(tenant, &raw, Durability::Sync);
    let content = tokio::task::spawn_blocking(put).await.map_err(Error::unavailable)??;
    let mut message = NewMessage::new(content, anser_base::MailboxId(0), made.received);
    message.mailboxes = made.mailboxes;
    (message.flags, message.keywords) = made.marks;
    message.quota = Some(access.owner.quota_bytes).filter(|quota| *quota > 0);
    Ok(Ok(Draft { blob_size: message.content.size, message }))
}

struct Made {
    raw: Vec<u8>,
    mailboxes: Vec<anser_base::MailboxId>,
    marks: (anser_store::Flags, anser_store::Keywords),
    received: Timestamp,
}

fn wrong(property: &str, text: &str) -> SetError {
    SetError::properties(&[property], text)
}

fn made(call: &Call, access: &Access, object: &Map<String, Value>) -> Refused<Made> {
    let mut object = object.clone();
    let mailboxes = whole_set("mailboxIds", object.remove("mailboxIds").as_ref())?;
    let mailboxes = self::mailboxes(access.scope(), &call.created, mailboxes)?;
    let keywords = whole_set("keywords", object.remove("keywords").as_ref())?;
    let marks = flags_of(keywords.iter().map(String::as_str)).ok_or_else(|| wrong("keywords", "one is no keyword"))?;
    let received = match object.remove("receivedAt") {
        None | Some(Value::Null) => call.door.deps.clock.now(),
        Some(value) => {
            let at = value.as_str().and_then(crate::email::moment);
            Timestamp::from_secs(at.ok_or_else(|| wrong("receivedAt", "this is no UTCDate"))?)
        }
    };
    let body = body(call, &mut object)?;
    let headers = headers(call, access, object)?;
    Ok(Made { raw: message(headers, body), mailboxes: mailboxes.into_iter().collect(), marks, received })
}

/// The text, the HTML, or both as alternatives.
fn body(call: &Call, object: &mut Map<String, Value>) -> Refused<Entity> {
    let values = match object.remove("bodyValues") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(values)) => values,
        Some(_) => return Err(wrong("bodyValues", "a map is expected")),
    };
    for property in ["bodyStructure", "attachments"] {
        if object.remove(property).is_some_and(|value| !value.is_null() && value != Value::Array(Vec::new())) {
            return Err(wrong(property, "messages are made of textBody and htmlBody"));
        }
    }
    let text = text_part(object.remove("textBody"), "textBody", "plain", &values)?;
    let html = text_part(object.remove("htmlBody"), "htmlBody", "html", &values)?;
    Ok(match (text, html) {
        (Some(text), Some(html)) => Entity::multipart("alternative", &unique(call, "a"), &[text, html]),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => Entity::text("plain", "", TextEncoding::Plain),
    })
}

fn text_part(
    list: Option<Value>,
    property: &str,
    subtype: &str,
    values: &Map<String, Value>,
) -> Refused<Option<Entity>> {
    let parts = match list {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(parts)) => parts,
        Some(_) => return Err(wrong(property, "a list is expected")),
    };
    let [Value::Object(part)] = &parts[..] else { return Err(wrong(property, "there is exactly one part in it")) };
    if let Some(other) = part.keys().find(|name| !matches!(name.as_str(), "partId" | "type")) {
        return Err(wrong(property, &format!("{other} cannot be given")));
    }
    if part.get("type").is_some_and(|kind| *kind != format!("text/{subtype}")) {
        return Err(wrong(property, &format!("its type is text/{subtype}")));
    }
    let id = part.get("partId").and_then(Value::as_str).ok_or_else(|| wrong(property, "partId is missing"))?;
    let value = values.get(id).and_then(Value::as_object).ok_or_else(|| wrong("bodyValues", "a part has no value"))?;
    if ["isTruncated", "isEncodingProblem"].iter().any(|name| value.get(*name).is_some_and(|is| *is != false)) {
        return Err(wrong("bodyValues", "a part is not whole"));
    }
    let text = value.get("value").and_then(Value::as_str).ok_or_else(|| wrong("bodyValues", "a value is missing"))?;
    let encoding = match text.chars().filter(|c| !c.is_ascii()).count() * 3 > text.chars().count() {
        true => TextEncoding::Base64,
        false => TextEncoding::QuotedPrintable,
    };
    Ok(Some(Entity::text(subtype, text, encoding)))
}

/// The header fields, with `Date` and `Message-ID` where they were not given.
fn headers(call: &Call, access: &Access, object: Map<String, Value>) -> Refused<Headers> {
    let (mut headers, mut given) = (Headers::new(), BTreeSet::new());
    for (property, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        let field = HeaderProperty::of(property).ok_or_else(|| wrong(property, "this cannot be set"))?;
        let name = field.name.to_ascii_lowercase();
        if name.starts_with("content-") || name == "mime-version" {
            return Err(wrong(property, "this field belongs to a part"));
        }
        if !given.insert(name) {
            return Err(wrong(property, "this field is given twice"));
        }
        let name = CONVENIENT.iter().find(|(known, ..)| known == property).map_or(&*field.name, |(_, name, _)| *name);
        let values = match (field.all, value) {
            (true, Value::Array(all)) => all.iter().collect(),
            (true, _) => return Err(wrong(property, "a list is expected")),
            (false, one) => vec![one],
        };
        for value in values {
            headers =
                put(headers, name, field.form, value).ok_or_else(|| wrong(property, "this value cannot be taken"))?;
        }
    }
    if !given.contains("date") {
        headers = headers.date("Date", DateTime { unix: call.door.deps.clock.now().secs(), offset_minutes: 0 });
    }
    if !given.contains("message-id") {
        let host = access.owner.address.to_string();
        let host = host.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
        headers = headers.structured("Message-ID", &format!("<{}@{host}>", unique(call, "m")));
    }
    Ok(headers)
}

fn put(headers: Headers, name: &str, form: Form, value: &Value) -> Option<Headers> {
    Some(match form {
        Form::Raw | Form::Text => headers.text(name, value.as_str()?),
        Form::Addresses => {
            let all: Option<Vec<Mailbox<'_>>> = value.as_array()?.iter().map(mailbox).collect();
            headers.addresses(name, &all?)
        }
        Form::GroupedAddresses => {
            let groups = value.as_array()?.iter().map(|group| group.get("addresses")?.as_array());
            let all: Option<Vec<_>> = groups.collect();
            let all: Option<Vec<Mailbox<'_>>> = all?.into_iter().flatten().map(mailbox).collect();
            headers.addresses(name, &all?)
        }
        Form::MessageIds | Form::Urls => {
            let all: Option<Vec<String>> = value.as_array()?.iter().map(|id| bracketed(id.as_str()?)).collect();
            headers.structured(name, &all?.join(if form == Form::Urls { ", " } else { " " }))
        }
        Form::Date => headers.date(name, dated(value.as_str()?)?),
    })
}

fn mailbox(value: &Value) -> Option<Mailbox<'_>> {
    let email = value.get("email")?.as_str().filter(|email| !email.trim().is_empty())?;
    let name = match value.get("name") {
        None | Some(Value::Null) => "",
        Some(name) => name.as_str()?,
    };
    Some(Mailbox { name, email })
}

fn bracketed(id: &str) -> Option<String> {
    let plain = !id.is_empty() && id.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '<' && c != '>');
    plain.then(|| format!("<{id}>"))
}

/// A `Date` (RFC 8620 §1.4).
fn dated(text: &str) -> Option<DateTime> {
    if let Some(unix) = crate::email::moment(text) {
        return Some(DateTime { unix, offset_minutes: 0 });
    }
    let (local, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let unix = crate::email::moment(&format!("{local}Z"))?;
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let minutes = hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?;
    let offset_minutes = match zone.as_bytes()[0] {
        b'+' => minutes,
        b'-' => -minutes,
        _ => return None,
    };
    Some(DateTime { unix: unix - i64::from(offset_minutes) * 60, offset_minutes })
}

/// Something that nobody can foretell.
fn unique(call: &Call, purpose: &str) -> String {
    let mut bytes = [0; 16];
    call.door.deps.entropy.fill(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{purpose}{hex}")
}
