//! The body of a message that is made (RFC 8621 §4.6): a tree of parts, given as `bodyStructure`, or as texts and attachments that are
//! put together as is usual.

use anser_mime::build::{Headers, TextEncoding, encode_text};
use serde_json::{Map, Value};

use super::create::{add, bracketed};
use crate::email::header::HeaderProperty;
use crate::error::SetError;
use crate::law::set::Refused;

/// Parts of one message at most.
const PARTS: usize = 1_000;
/// Longest media type, in bytes.
const TYPE: usize = 127;

/// A part.
pub(super) struct Part {
    /// Its own fields, but for the transfer encoding of a blob.
    pub headers: Headers,
    pub content: Content,
}

/// What is in a part.
pub(super) enum Content {
    /// A text in its transfer encoding.
    Text(Vec<u8>),
    /// A blob, by its id; a message stays as it is (RFC 2046 §5.2.1), all else is encoded.
    Blob {
        id: String,
        is_message: bool,
    },
    Multipart {
        boundary: String,
        parts: Vec<Part>,
    },
}

impl Part {
    /// The blobs that are in it, each as often as it is.
    pub fn blobs(&self) -> Vec<String> {
        match &self.content {
            Content::Text(_) => Vec::new(),
            Content::Blob { id, .. } => vec![id.clone()],
            Content::Multipart { parts, .. } => parts.iter().flat_map(Part::blobs).collect(),
        }
    }
}

/// Takes the body out of the properties of a message. `unique` makes boundaries.
pub(super) fn read(object: &mut Map<String, Value>, unique: &mut dyn FnMut() -> String) -> Refused<Part> {
    let values = match object.remove("bodyValues") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(values)) => values,
        Some(_) => return Err(SetError::property("bodyValues", "a map is expected")),
    };
    let mut maker = Maker { values, unique, left: PARTS };
    let [structure, text, html, attached] = ["bodyStructure", "textBody", "htmlBody", "attachments"]
        .map(|name| object.remove(name).filter(|value| !value.is_null()));
    if let Some(structure) = structure {
        let others = [("textBody", &text), ("htmlBody", &html), ("attachments", &attached)];
        return match others.iter().find(|(_, value)| value.is_some()) {
            Some((name, _)) => Err(SetError::property(name, "the body is given twice")),
            None => maker.part("bodyStructure", structure, Usual::None),
        };
    }
    let text = maker.only("textBody", text, "text/plain")?;
    let html = maker.only("htmlBody", html, "text/html")?;
    let attached = match attached {
        None => Vec::new(),
        Some(Value::Array(all)) => all,
        Some(_) => return Err(SetError::property("attachments", "a list is expected")),
    };
    let is_shown = |part: &Value| html.is_some() && part.get("cid").is_some_and(Value::is_string);
    let (shown, attached): (Vec<Value>, Vec<Value>) = attached.into_iter().partition(is_shown);
    let shown = maker.all("attachments", shown, Usual::Inline)?;
    let attached = maker.all("attachments", attached, Usual::Attachment)?;
    let html = html.map(|html| maker.joined("related", html, shown));
    let body = match (text, html) {
        (Some(text), Some(html)) => maker.joined("alternative", text, vec![html]),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => text_part(Headers::new(), "", "text/plain", &[]),
    };
    Ok(maker.joined("mixed", body, attached))
}

/// How a part is shown that does not say so itself.
#[derive(Clone, Copy)]
enum Usual {
    None,
    Inline,
    Attachment,
}

struct Maker<'a> {
    values: Map<String, Value>,
    unique: &'a mut dyn FnMut() -> String,
    left: usize,
}

impl Maker<'_> {
    /// The one part of `textBody` or `htmlBody`.
    fn only(&mut self, property: &str, list: Option<Value>, kind: &str) -> Refused<Option<Part>> {
        let mut parts = match list {
            None => return Ok(None),
            Some(Value::Array(parts)) => parts,
            Some(_) => return Err(SetError::property(property, "a list is expected")),
        };
        let (Some(Value::Object(mut part)), true) = (parts.pop(), parts.is_empty()) else {
            return Err(SetError::property(property, "there is exactly one part in it"));
        };
        if part.get("type").is_some_and(|given| given != kind) {
            return Err(SetError::property(property, format!("its type is {kind}")));
        }
        part.insert("type".into(), kind.into());
        self.part(property, Value::Object(part), Usual::None).map(Some)
    }

    fn all(&mut self, property: &str, parts: Vec<Value>, usual: Usual) -> Refused<Vec<Part>> {
        parts.into_iter().map(|part| self.part(property, part, usual)).collect()
    }

    /// A part with others behind it; alone it stays as it is.
    fn joined(&mut self, subtype: &str, first: Part, others: Vec<Part>) -> Part {
        if others.is_empty() {
            return first;
        }
        let parts = std::iter::once(first).chain(others).collect();
        self.multipart(Headers::new(), &format!("multipart/{subtype}"), parts)
    }

    fn multipart(&mut self, headers: Headers, kind: &str, parts: Vec<Part>) -> Part {
        let boundary = (self.unique)();
        let headers = headers.parameterised("Content-Type", kind, &[("boundary", &boundary)]);
        Part { headers, content: Content::Multipart { boundary, parts } }
    }

    /// An EmailBodyPart.
    fn part(&mut self, property: &str, part: Value, usual: Usual) -> Refused<Part> {
        self.left = self.left.checked_sub(1).ok_or_else(|| SetError::new("tooLarge", "too many parts"))?;
        let Value::Object(mut part) = part else { return Err(SetError::property(property, "a part is an object")) };
        part.retain(|_, value| !value.is_null());
        let kind = kind(property, part.remove("type"))?;
        let sub_parts = part.remove("subParts");
        let (part_id, blob) = (taken(property, &mut part, "partId")?, taken(property, &mut part, "blobId")?);
        let (name, charset) = (taken(property, &mut part, "name")?, taken(property, &mut part, "charset")?);
        part.remove("size")
            .filter(|_| part_id.is_some())
            .map_or(Ok(()), |_| Err(SetError::property(property, "size is not given")))?;
        let headers = fields(property, &mut part, name.as_deref(), usual)?;
        if let Some(other) = part.keys().next() {
            return Err(SetError::property(property, format!("{other} cannot be given")));
        }
        let is_multipart = kind.as_deref().is_some_and(|kind| kind.starts_with("multipart/"));
        if is_multipart || sub_parts.is_some() {
            let Some(Value::Array(all)) = sub_parts.filter(|_| part_id.is_none() && blob.is_none()) else {
                return Err(SetError::property(property, "a multipart has subParts and nothing else"));
            };
            let kind =
                kind.filter(|_| is_multipart).ok_or_else(|| SetError::property(property, "its type is a multipart"))?;
            let parts = self.all(property, all, Usual::None)?;
            return Ok(self.multipart(headers, &kind, parts));
        }
        let name = name.as_deref().map(|name| ("name", name));
        match (part_id, blob) {
            (Some(id), None) if charset.is_none() => {
                let kind = kind.unwrap_or_else(|| "text/plain".into());
                if !kind.starts_with("text/") {
                    return Err(SetError::property(property, "a part of bodyValues is a text"));
                }
                Ok(text_part(headers, self.value(property, &id)?, &kind, name.as_slice()))
            }
            (None, Some(id)) => {
                let kind = kind.unwrap_or_else(|| "application/octet-stream".into());
                let charset = charset.as_deref().map(|charset| ("charset", charset));
                let parameters: Vec<_> = charset.into_iter().chain(name).collect();
                let headers = headers.parameterised("Content-Type", &kind, &parameters);
                let is_message = kind.starts_with("message/");
                Ok(Part { headers, content: Content::Blob { id, is_message } })
            }
            (Some(_), None) => Err(SetError::property(property, "the charset of a part of bodyValues is not given")),
            _ => Err(SetError::property(property, "a part has either a partId or a blobId")),
        }
    }

    fn value(&self, property: &str, id: &str) -> Refused<&str> {
        let value = self.values.get(id).and_then(Value::as_object);
        let value =
            value.ok_or_else(|| SetError::property("bodyValues", format!("a part of {property} has no value")))?;
        if ["isTruncated", "isEncodingProblem"].iter().any(|name| value.get(*name).is_some_and(|is| *is != false)) {
            return Err(SetError::property("bodyValues", "a part is not whole"));
        }
        value.get("value").and_then(Value::as_str).ok_or_else(|| SetError::property("bodyValues", "a value is missing"))
    }
}

fn text_part(headers: Headers, text: &str, kind: &str, more: &[(&str, &str)]) -> Part {
    let encoding = match text.chars().filter(|c| !c.is_ascii()).count() * 3 > text.chars().count() {
        true => TextEncoding::Base64,
        false => TextEncoding::QuotedPrintable,
    };
    let (label, bytes) = encode_text(text, encoding);
    let parameters: Vec<_> = [("charset", "utf-8")].iter().chain(more).copied().collect();
    let headers = headers.parameterised("Content-Type", kind, &parameters);
    Part { headers: headers.structured("Content-Transfer-Encoding", label), content: Content::Text(bytes) }
}

/// A text of a part.
fn taken(property: &str, part: &mut Map<String, Value>, name: &str) -> Refused<Option<String>> {
    match part.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(SetError::property(property, format!("{name} is a text"))),
    }
}

/// A media type in lower case.
fn kind(property: &str, value: Option<Value>) -> Refused<Option<String>> {
    let Some(value) = value else { return Ok(None) };
    let is_token =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let kind = value.as_str().filter(|kind| kind.len() <= TYPE).map(str::to_ascii_lowercase);
    let kind = kind.filter(|kind| kind.split_once('/').is_some_and(|(head, tail)| is_token(head) && is_token(tail)));
    kind.map(Some).ok_or_else(|| SetError::property(property, "this is no media type"))
}

/// The fields of a part besides its type: what it is called, how it is shown, what it says by itself.
fn fields(property: &str, part: &mut Map<String, Value>, name: Option<&str>, usual: Usual) -> Refused<Headers> {
    let mut headers = Headers::new();
    let disposition = taken(property, part, "disposition")?.or_else(|| match usual {
        Usual::None => None,
        Usual::Inline => Some("inline".into()),
        Usual::Attachment => Some("attachment".into()),
    });
    if let Some(disposition) = disposition {
        if disposition.is_empty() || !disposition.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(SetError::property(property, "this is no disposition"));
        }
        let parameters: Vec<_> = name.map(|name| ("filename", name)).into_iter().collect();
        headers = headers.parameterised("Content-Disposition", &disposition, &parameters);
    }
    if let Some(cid) = taken(property, part, "cid")? {
        let cid = bracketed(&cid).ok_or_else(|| SetError::property(property, "this is no cid"))?;
        headers = headers.structured("Content-ID", &cid);
    }
    if let Some(location) = taken(property, part, "location")? {
        headers = headers.structured("Content-Location", &location);
    }
    if let Some(languages) = part.remove("language") {
        let is_tag = |tag: &&str| !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let all = languages.as_array().map(|all| all.iter().map(|tag| tag.as_str().filter(is_tag)).collect());
        let all: Option<Option<Vec<&str>>> = all;
        let all = all.flatten().ok_or_else(|| SetError::property(property, "language is a list of tags"))?;
        if !all.is_empty() {
            headers = headers.structured("Content-Language", &all.join(", "));
        }
    }
    let own: Vec<String> = part.keys().filter(|key| key.starts_with("header:")).cloned().collect();
    for key in own {
        let field = HeaderProperty::of(&key).filter(|field| {
            let name = field.name.to_ascii_lowercase();
            name != "mime-version" && !TAKEN.contains(&name.as_str())
        });
        let field = field.ok_or_else(|| SetError::property(property, format!("{key} cannot be given")))?;
        if let Some(value) = part.remove(&key) {
            headers = add(headers, &key, &field, &value)
                .map_err(|_| SetError::property(property, "a field cannot be taken"))?;
        }
    }
    Ok(headers)
}

/// Fields that other properties of a part stand for, or that are the server's.
const TAKEN: [&str; 6] = [
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
    "content-language",
    "content-location",
];
