//! Building mail: notices, reports and other messages that the system itself writes. Nothing a caller passes can add a
//! header field or leave its part: line breaks and control characters in values become spaces.
//!
//! A message is [`Headers`] and an [`Entity`]: see [`message`].

mod body;
mod headers;

use crate::header;

pub use body::{BASE64_LINE, TextEncoding, base64_lines, encode_text};
pub use headers::{Headers, Mailbox};

/// Characters of a boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

/// A body with the `Content-*` fields that describe it (RFC 2045): a part, or the content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    headers: Headers,
    body: Vec<u8>,
}

/// Puts a message together: `headers` without `MIME-Version` and `Content-*`, then those of `entity`, then its body. The
/// lines end with CRLF; the caller gives `Date` and `Message-ID` among `headers`.
pub fn message(headers: Headers, entity: Entity) -> Vec<u8> {
    let mut out = headers.structured("MIME-Version", "1.0").into_bytes();
    entity.write(&mut out);
    out
}

impl Entity {
    /// A `text/subtype` part in UTF-8. Line breaks of any kind become CRLF.
    pub fn text(subtype: &str, text: &str, encoding: TextEncoding) -> Entity {
        let (label, body) = body::encode_text(text, encoding);
        let content_type = format!("text/{}; charset=utf-8", token(subtype));
        let headers = Headers::new().structured("Content-Type", &content_type);
        Entity { headers: headers.structured("Content-Transfer-Encoding", label), body }
    }

    /// A file to download, in base64. `content_type` is `type/subtype`; the name may hold any text (RFC 2231 §4).
    pub fn attachment(content_type: &str, file_name: &str, content: &[u8]) -> Entity {
        let headers = Headers::new()
            .structured("Content-Type", &media_type(content_type))
            .structured("Content-Transfer-Encoding", "base64")
            .parameterised("Content-Disposition", "attachment", &[("filename", file_name)]);
        Entity { headers, body: body::base64_lines(content) }
    }

    /// A `multipart/subtype` of `parts`. The caller passes a boundary that does not occur in them: random, so that nobody
    /// who writes a part can know it. Characters that no boundary may have are left out.
    pub fn multipart(subtype: &str, boundary: &str, parts: &[Entity]) -> Entity {
        let boundary = boundary_text(boundary);
        let content_type = format!("multipart/{}; boundary=\"{boundary}\"", token(subtype));
        Entity { headers: Headers::new().structured("Content-Type", &content_type), body: joined(&boundary, parts) }
    }

    /// A `multipart/report` (RFC 6522) of type `report_type`, such as `delivery-status`; its parts are a text for people,
    /// a part for machines and, if wanted, the message or its header. For the boundary see [`Entity::multipart`].
    pub fn report(report_type: &str, boundary: &str, parts: &[Entity]) -> Entity {
        let boundary = boundary_text(boundary);
        let kind = token(report_type);
        let content_type = format!("multipart/report; report-type={kind}; boundary=\"{boundary}\"");
        Entity { headers: Headers::new().structured("Content-Type", &content_type), body: joined(&boundary, parts) }
    }

    /// A `message/delivery-status` part (RFC 3464 §2): the fields of the message first, then a group for each recipient.
    /// Characters outside of US-ASCII become `?`.
    pub fn delivery_status(groups: &[Vec<(&str, String)>]) -> Entity {
        Entity::status("message/delivery-status", groups)
    }

    /// A `message/disposition-notification` part (RFC 8098 §3.1). Characters outside of US-ASCII become `?`.
    pub fn disposition_notification(fields: &[(&str, String)]) -> Entity {
        Entity::status("message/disposition-notification", &[fields])
    }

    fn status<'a>(content_type: &str, groups: &[impl AsRef<[(&'a str, String)]>]) -> Entity {
        let mut body = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            if at > 0 {
                body.extend_from_slice(b"\r\n");
            }
            let ascii = |value: &str| value.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect::<String>();
            let group = group.as_ref().iter();
            let fields = group.fold(Headers::new(), |fields, (name, value)| fields.structured(name, &ascii(value)));
            body.extend(fields.into_bytes());
        }
        Entity { headers: Headers::new().structured("Content-Type", content_type), body }
    }

    /// A `text/rfc822-headers` part (RFC 6522 §4) with the fields of a raw header block, up to its blank line.
    pub fn rfc822_headers(block: &[u8]) -> Entity {
        let end = header::fields(block).last().map_or(0, |field| field.range.end);
        Entity::verbatim("text/rfc822-headers", &block[..end])
    }

    /// A `message/rfc822` part with a message as it is.
    pub fn rfc822(message: &[u8]) -> Entity {
        Entity::verbatim("message/rfc822", message)
    }

    fn verbatim(content_type: &str, content: &[u8]) -> Entity {
        let label = if content.is_ascii() { "7bit" } else { "8bit" };
        let headers = Headers::new().structured("Content-Type", content_type);
        Entity { headers: headers.structured("Content-Transfer-Encoding", label), body: content.to_vec() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.headers.as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }
}

/// The body of a multipart.
fn joined(boundary: &str, parts: &[Entity]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        part.write(&mut out);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

fn boundary_text(boundary: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "'()+_,-./:=?".contains(*c);
    boundary.chars().filter(allowed).take(MAX_BOUNDARY).collect()
}

/// The characters of a token (RFC 2045 §5.1).
fn token(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(*c)).collect()
}

/// `type/subtype` of tokens, else `application/octet-stream`.
fn media_type(text: &str) -> String {
    let (head, tail) = text.split_once('/').unwrap_or_default();
    match (token(head), token(tail)) {
        (head, tail) if head.is_empty() || tail.is_empty() => "application/octet-stream".to_owned(),
        (head, tail) => format!("{head}/{tail}"),
    }
}
