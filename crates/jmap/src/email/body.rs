//! The parts of a message (RFC 8621 §4.1.4).

use anser_base::Result;
use anser_mime::header::fields;
use anser_mime::structure::{Part, Structure};
use serde_json::{Map, Value, json};

use super::header::HeaderProperty;
use super::octets::Octets;
use crate::error::MethodError;

/// What a part shows unasked.
pub(crate) const DEFAULTS: [&str; 10] =
    ["partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location"];
const OTHERS: [&str; 2] = ["headers", "subParts"];
/// Bytes of a part's header that are looked at.
const HEADER: usize = 256 * 1024;

/// Which properties parts are to show.
#[derive(Clone)]
pub(crate) struct PartProperties {
    plain: Vec<String>,
    fields: Vec<(String, HeaderProperty)>,
}

impl PartProperties {
    /// Reads `bodyProperties`.
    pub fn read(names: Option<Vec<String>>) -> std::result::Result<Self, MethodError> {
        let names = names.unwrap_or_else(|| DEFAULTS.map(str::to_owned).to_vec());
        let (mut plain, mut fields) = (Vec::new(), Vec::new());
        for name in names {
            if DEFAULTS.contains(&&*name) || OTHERS.contains(&&*name) {
                plain.push(name);
            } else if let Some(field) = HeaderProperty::of(&name).filter(|_| name.starts_with("header:")) {
                fields.push((name, field));
            } else {
                return Err(MethodError::invalid(format!("{name} is no property of a part")));
            }
        }
        Ok(Self { plain, fields })
    }

    fn wants(&self, name: &str) -> bool {
        self.plain.iter().any(|wanted| wanted == name)
    }
}

/// A message whose parts are shown.
pub(crate) struct Parts<'a> {
    pub structure: &'a Structure,
    pub octets: &'a mut Octets,
    /// The blob id of the whole message.
    pub blob: &'a str,
    pub properties: &'a PartProperties,
}

impl Parts<'_> {
    /// The whole tree: `bodyStructure`.
    pub fn tree(&mut self) -> Result<Value> {
        let wants_sub = |name: &String| name == "subParts";
        let with_sub = !self.properties.plain.iter().any(wants_sub);
        self.one(0, true, with_sub)
    }

    /// Some parts, without those below them.
    pub fn list(&mut self, parts: &[usize]) -> Result<Value> {
        parts.iter().map(|at| self.one(*at, false, false)).collect::<Result<Vec<_>>>().map(Value::Array)
    }

    fn one(&mut self, at: usize, deep: bool, always_sub: bool) -> Result<Value> {
        let structure = self.structure;
        let part = &structure.parts[at];
        let mut shown = Map::new();
        for name in &self.properties.plain {
            let value = match name.as_str() {
                "partId" if !part.is_multipart() => at.to_string().into(),
                "blobId" if !part.is_multipart() => format!("{}-{at}", self.blob).into(),
                "size" if part.is_multipart() => 0.into(),
                "size" => self.octets.size(part)?.into(),
                "headers" => headers(&self.octets.range(part.header_range(), HEADER)?),
                "subParts" => continue,
                other => plain(part, other),
            };
            shown.insert(name.clone(), value);
        }
        if !self.properties.fields.is_empty() {
            let block = self.octets.range(part.header_range(), HEADER)?;
            shown.extend(self.properties.fields.iter().map(|(name, field)| (name.clone(), field.value(&block))));
        }
        if self.properties.wants("subParts") || always_sub {
            let below = match part.is_multipart() && deep {
                true => {
                    let all = part.children.iter().map(|child| self.one(*child as usize, true, always_sub));
                    Value::Array(all.collect::<Result<_>>()?)
                }
                false => Value::Null,
            };
            if part.is_multipart() || self.properties.wants("subParts") {
                shown.insert("subParts".into(), below);
            }
        }
        Ok(Value::Object(shown))
    }
}

/// All fields of a block (RFC 8621 §4.1.3).
pub(super) fn headers(block: &[u8]) -> Value {
    let told = |name: &[u8], value: &[u8]| {
        let text = |bytes| String::from_utf8_lossy(bytes).replace('\0', "");
        json!({ "name": text(name), "value": text(value) })
    };
    fields(block).filter(|field| !field.name.is_empty()).map(|field| told(field.name, field.value)).collect()
}

fn plain(part: &Part, name: &str) -> Value {
    let text = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    let value = match name {
        "name" => part.file_name(),
        "type" => Some(format!("{}/{}", part.media_type, part.subtype)),
        "charset" if part.is_text() => Some(part.charset().unwrap_or("us-ascii").to_owned()),
        "disposition" => part.disposition.as_ref().map(|disposition| disposition.kind.clone()),
        "cid" => text(&part.id).map(|id| id.trim_start_matches('<').trim_end_matches('>').to_owned()),
        "language" if !part.language.is_empty() => return json!(part.language),
        "location" => text(&part.location),
        _ => None,
    };
    value.map_or(Value::Null, Value::String)
}

/// Which parts are the message's text, and which are attached to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub text: Vec<usize>,
    pub html: Vec<usize>,
    pub attachments: Vec<usize>,
}

impl Shape {
    /// By the algorithm of RFC 8621 §4.1.4.
    pub fn of(structure: &Structure) -> Self {
        let mut shape = Self::default();
        sort_out(structure, &[0], &mut shape, Around { kind: "mixed", in_alternative: false, text: true, html: true });
        shape
    }
}

/// What parts stand in, and which of the two bodies still take them.
#[derive(Clone, Copy)]
struct Around<'a> {
    kind: &'a str,
    in_alternative: bool,
    text: bool,
    html: bool,
}

fn sort_out(structure: &Structure, parts: &[u32], shape: &mut Shape, mut around: Around<'_>) {
    let (text_before, html_before) = (shape.text.len(), shape.html.len());
    for (nth, at) in parts.iter().enumerate() {
        let (index, part) = (*at as usize, &structure.parts[*at as usize]);
        if part.is_multipart() {
            let in_alternative = around.in_alternative || part.subtype == "alternative";
            sort_out(structure, &part.children, shape, Around { kind: &part.subtype, in_alternative, ..around });
        } else if !is_inline(part, nth, around.kind) {
            shape.attachments.push(index);
        } else if around.kind == "alternative" {
            match (part.is("text", "plain"), part.is("text", "html")) {
                (true, _) if around.text => shape.text.push(index),
                (_, true) if around.html => shape.html.push(index),
                (false, false) => shape.attachments.push(index),
                _ => {}
            }
        } else {
            if around.in_alternative {
                around.html &= !part.is("text", "plain");
                around.text &= !part.is("text", "html");
            }
            if around.text {
                shape.text.push(index);
            }
            if around.html {
                shape.html.push(index);
            }
            if !(around.text && around.html) && is_media(part) {
                shape.attachments.push(index);
            }
        }
    }
    if around.kind == "alternative" && around.text && around.html {
        if shape.text.len() == text_before {
            shape.text.extend_from_slice(&shape.html[html_before..]);
        } else if shape.html.len() == html_before {
            shape.html.extend_from_slice(&shape.text[text_before..]);
        }
    }
}

fn is_media(part: &Part) -> bool {
    matches!(part.media_type.as_str(), "image" | "audio" | "video")
}

fn is_inline(part: &Part, nth: usize, around: &str) -> bool {
    let attached = part.disposition.as_ref().is_some_and(|disposition| disposition.kind == "attachment");
    let shows = part.is("text", "plain") || part.is("text", "html") || is_media(part);
    let first = nth == 0 || (around != "related" && (is_media(part) || part.file_name().is_none()));
    !attached && shows && first
}

#[cfg(test)]
mod tests {
    use anser_mime::summary::parse_message;

    use super::*;

    /// The example of RFC 8621 §4.1.4.
    #[test]
    fn bodies_and_attachments_are_told_apart() {
        let part = |kind: &str, more: &str| format!("Content-Type: {kind}\r\n{more}\r\nx\r\n");
        let multi = |subtype: &str, mark: &str, parts: &[String]| {
            let all: String = parts.iter().map(|part| format!("--{mark}\r\n{part}")).collect();
            format!("Content-Type: multipart/{subtype}; boundary={mark}\r\n\r\n{all}--{mark}--\r\n")
        };
        let inline = "Content-Disposition: inline\r\n";
        let attached = "Content-Disposition: attachment\r\n";
        let related = multi("related", "r", &[part("text/html", ""), part("image/jpeg", "")]);
        let inner =
            multi("mixed", "m2", &[part("text/plain", inline), part("image/jpeg", inline), part("text/plain", inline)]);
        let alternative = multi("alternative", "a", &[inner, related]);
        let outer = multi(
            "mixed",
            "m1",
            &[
                alternative,
                part("image/jpeg", attached),
                part("application/x-excel", ""),
                part("message/rfc822", "").replace("\r\nx\r\n", "\r\nSubject: y\r\n\r\nz\r\n"),
            ],
        );
        let message = multi("mixed", "m0", &[part("text/plain", inline), outer, part("text/plain", inline)]);
        let structure = parse_message(message.as_bytes()).structure;
        let kinds =
            |all: &[usize]| all.iter().map(|at| structure.parts[*at].subtype.clone()).collect::<Vec<_>>().join(" ");
        let shape = Shape::of(&structure);
        assert_eq!(kinds(&shape.text), "plain plain jpeg plain plain");
        assert_eq!(kinds(&shape.html), "plain html plain");
        assert_eq!(kinds(&shape.attachments), "jpeg jpeg jpeg x-excel rfc822");
    }
}
