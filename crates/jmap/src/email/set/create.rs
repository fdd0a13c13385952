//! A message made of its properties (RFC 8621 §4.6): header fields, bodies given as texts, attachments given as blobs.

use std::collections::{BTreeSet, HashMap};

use anser_base::{Error, MailboxId, Result};
use anser_mime::build::{Headers, Mailbox};
use anser_mime::date::DateTime;
use anser_store::NewMessage;
use serde_json::{Map, Value};

use super::parts::{self, Part};
use super::write::write;
use crate::access::Access;
use crate::blob::{self, Blob};
use crate::email::header::{CONVENIENT, Form, HeaderProperty};
use crate::email::place::{Draft, Place};
use crate::error::SetError;
use crate::law::set::Refused;
use crate::method::Call;

/// A message made of an object, stored but in no mailbox yet.
pub(super) async fn draft(call: &Call, access: &Access, object: &Map<String, Value>) -> Result<Refused<Draft>> {
    let made = match made(call, access, object) {
        Ok(made) => made,
        Err(error) => return Ok(Err(error)),
    };
    let blobs = match found(call, access, &made.body).await? {
        Ok(blobs) => blobs,
        Err(error) => return Ok(Err(error)),
    };
    let (store, tenant, most) = (call.door.deps.store.clone(), access.owner.tenant, call.door.deps.limits.size_upload);
    let (Made { headers, body, place }, received) = (made, call.door.deps.clock.now());
    let put = move || write(&store, tenant, headers, &body, &blobs, most);
    let content = match tokio::task::spawn_blocking(put).await.map_err(Error::unavailable)?? {
        Ok(content) => content,
        Err(error) => return Ok(Err(error)),
    };
    let message = NewMessage::new(content, MailboxId(0), received);
    Ok(Ok(Draft { message: place.message(access, message) }))
}

/// The blobs that a message is to hold.
async fn found(call: &Call, access: &Access, body: &Part) -> Result<Refused<HashMap<String, Blob>>> {
    let ids: Vec<String> = body.blobs().into_iter().map(|id| call.resolve(&id).unwrap_or(id)).collect();
    let all = blob::find(&call.door, &call.user, access, &ids).await?;
    let (mut blobs, mut missing) = (HashMap::new(), Vec::new());
    for ((asked, id), blob) in body.blobs().into_iter().zip(ids).zip(all) {
        match blob {
            Some(blob) => drop(blobs.insert(asked, blob)),
            None => missing.push(id),
        }
    }
    Ok(if missing.is_empty() { Ok(blobs) } else { Err(blob_not_found(missing)) })
}

/// `blobNotFound` (RFC 8621 §4.6).
pub(super) fn blob_not_found(missing: Vec<String>) -> SetError {
    SetError::new("blobNotFound", "").with("notFound", missing)
}

struct Made {
    headers: Headers,
    body: Part,
    place: Place,
}

fn made(call: &Call, access: &Access, object: &Map<String, Value>) -> Refused<Made> {
    let mut object = object.clone();
    let place = Place::read(call, access, &mut object)?;
    let body = parts::read(&mut object, &mut || unique(call, "b"))?;
    let headers = headers(call, access, object)?;
    Ok(Made { headers, body, place })
}

/// The header fields, with `Date` and `Message-ID` where they were not given.
fn headers(call: &Call, access: &Access, object: Map<String, Value>) -> Refused<Headers> {
    let (mut headers, mut given) = (Headers::new(), BTreeSet::new());
    for (property, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        let field = HeaderProperty::of(property).ok_or_else(|| SetError::property(property, "this cannot be set"))?;
        let name = field.name.to_ascii_lowercase();
        if name.starts_with("content-") || name == "mime-version" {
            return Err(SetError::property(property, "this field belongs to a part"));
        }
        if !given.insert(name) {
            return Err(SetError::property(property, "this field is given twice"));
        }
        headers = add(headers, property, &field, value)?;
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

/// Adds the field that a property means, or the fields.
pub(super) fn add(mut headers: Headers, property: &str, field: &HeaderProperty, value: &Value) -> Refused<Headers> {
    let name = CONVENIENT.iter().find(|(known, ..)| *known == property).map_or(&*field.name, |(_, name, _)| *name);
    let values = match (field.all, value) {
        (true, Value::Array(all)) => all.iter().collect(),
        (true, _) => return Err(SetError::property(property, "a list is expected")),
        (false, one) => vec![one],
    };
    for value in values {
        headers = put(headers, name, field.form, value)
            .ok_or_else(|| SetError::property(property, "this value cannot be taken"))?;
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
            let all: Option<Vec<_>> = value.as_array()?.iter().map(group).collect();
            headers.groups(name, &all?)
        }
        Form::MessageIds | Form::Urls => {
            let all: Option<Vec<String>> = value.as_array()?.iter().map(|id| bracketed(id.as_str()?)).collect();
            headers.structured(name, &all?.join(if form == Form::Urls { ", " } else { " " }))
        }
        Form::Date => headers.date(name, dated(value.as_str()?)?),
    })
}

fn group(value: &Value) -> Option<(Option<&str>, Vec<Mailbox<'_>>)> {
    let name = match value.get("name") {
        None | Some(Value::Null) => None,
        Some(name) => Some(name.as_str()?),
    };
    let all: Option<Vec<_>> = value.get("addresses")?.as_array()?.iter().map(mailbox).collect();
    Some((name, all?))
}

fn mailbox(value: &Value) -> Option<Mailbox<'_>> {
    let email = value.get("email")?.as_str().filter(|email| !email.trim().is_empty())?;
    let name = match value.get("name") {
        None | Some(Value::Null) => "",
        Some(name) => name.as_str()?,
    };
    Some(Mailbox { name, email })
}

pub(super) fn bracketed(id: &str) -> Option<String> {
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
