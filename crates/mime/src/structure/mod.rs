//! The tree of parts of a message, with byte offsets: enough to answer IMAP BODY, BODYSTRUCTURE and every section
//! fetch without reading the message again.

mod bytes;
mod fields;
pub(crate) mod parser;

pub use bytes::MAX_STORED_DEPTH;
pub use parser::{MAX_BOUNDARY, StructureParser};

use crate::encoding::Encoding;
use crate::envelope::Envelope;
use crate::params::Params;

/// What the parser keeps at most. Anything beyond a limit is still part of the message: it becomes content of the
/// nearest part that could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Parts of the message, embedded messages included.
    pub parts: usize,
    /// Levels of nesting below the root; multiparts and embedded messages each count one.
    pub depth: usize,
    /// Bytes of raw header kept, summed over all parts.
    pub header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { parts: 1_000, depth: 100, header_bytes: 256 * 1024 }
    }
}

/// The parts of one message. `parts[0]` is the message itself; children come after their parent, in message order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// All parts in the order of their headers; never empty.
    pub parts: Vec<Part>,
    /// Bytes of the whole message.
    pub size: u64,
}

/// One body part, or the message itself. Promises: a `multipart/*` part has at least one child; a part has `embedded`
/// exactly when it is `message/rfc822` or `message/global`; what could not be opened because of a [`Limits`] is told as
/// `application/octet-stream`, a multipart without any boundary line as `text/plain`; `header_start <= body_start <= body_end`, and children lie within their parent's body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Type of `Content-Type` in lower case (`text`).
    pub media_type: String,
    /// Subtype of `Content-Type` in lower case (`plain`).
    pub subtype: String,
    /// Parameters of `Content-Type`.
    pub params: Params,
    /// `Content-Disposition`.
    pub disposition: Option<Disposition>,
    /// `Content-ID`, whole value.
    pub id: Option<Vec<u8>>,
    /// `Content-Description`, raw.
    pub description: Option<Vec<u8>>,
    /// `Content-Transfer-Encoding` in lower case; `None` when absent, which means `7bit`.
    pub encoding: Option<String>,
    /// Tags of `Content-Language` (RFC 3282).
    pub language: Vec<String>,
    /// `Content-Location`, raw.
    pub location: Option<Vec<u8>>,
    /// `Content-MD5`, raw.
    pub md5: Option<Vec<u8>>,
    /// Offset of the first byte of this part's header.
    pub header_start: u64,
    /// Offset of the first byte after the header's blank line.
    pub body_start: u64,
    /// Offset after the last byte of the body, before the line break that belongs to the next boundary line.
    pub body_end: u64,
    /// Line breaks (LF) in the body.
    pub lines: u64,
    /// Indices into [`Structure::parts`] of the parts of a multipart. Empty for an embedded message: see `embedded`.
    pub children: Vec<u32>,
    /// The message inside a `message/rfc822` or `message/global` part.
    pub embedded: Option<Box<Embedded>>,
}

/// The message inside a `message/rfc822` part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// Index into [`Structure::parts`] of the embedded message itself; its header and body are the message's.
    pub root: u32,
    /// Its envelope, which BODYSTRUCTURE tells.
    pub envelope: Envelope,
}

/// `Content-Disposition` (RFC 2183).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disposition {
    /// `inline`, `attachment` or an extension, in lower case.
    pub kind: String,
    /// Its parameters, `filename` among them.
    pub params: Params,
}

impl Structure {
    /// The message itself.
    pub fn root(&self) -> &Part {
        &self.parts[0]
    }

    /// The part that `BODY[path]` names (RFC 9051 §6.4.5.1). The empty path is the message itself; `[1]` of a message
    /// that is not a multipart is the message itself; numbers below a `message/rfc822` part count the parts of the
    /// embedded message.
    pub fn section(&self, path: &[u32]) -> Option<&Part> {
        self.section_index(path).map(|index| &self.parts[index])
    }

    /// Like [`Structure::section`], as an index into `parts`.
    pub fn section_index(&self, path: &[u32]) -> Option<usize> {
        let mut message = Some(0);
        let mut at = 0;
        for &number in path {
            let holder = message.unwrap_or(at);
            at = self.child(holder, number, message.is_some())?;
            message = self.parts[at].embedded.as_ref().map(|embedded| embedded.root as usize);
        }
        Some(at)
    }

    /// The message whose header and body `BODY[path.HEADER]` and `BODY[path.TEXT]` are: the whole message for the empty
    /// path, else the message embedded in that part; `None` when the part is no `message/rfc822`.
    pub fn message(&self, path: &[u32]) -> Option<&Part> {
        if path.is_empty() {
            return Some(self.root());
        }
        let root = self.section(path)?.embedded.as_ref()?.root;
        self.parts.get(root as usize)
    }

    fn child(&self, holder: usize, number: u32, is_message: bool) -> Option<usize> {
        let part = &self.parts[holder];
        if part.is_multipart() {
            let nth = usize::try_from(number.checked_sub(1)?).ok()?;
            return part.children.get(nth).map(|&index| index as usize);
        }
        (is_message && number == 1).then_some(holder)
    }
}

impl Part {
    /// Whether this is a `multipart/*` part; it then has children.
    pub fn is_multipart(&self) -> bool {
        self.media_type == "multipart"
    }

    /// Whether this is `message/rfc822` or `message/global`; it then has `embedded`.
    pub fn is_message(&self) -> bool {
        self.media_type == "message" && matches!(self.subtype.as_str(), "rfc822" | "global")
    }

    /// Whether this is `text/*`.
    pub fn is_text(&self) -> bool {
        self.media_type == "text"
    }

    /// Whether the content type is `media_type/subtype` (both lower case).
    pub fn is(&self, media_type: &str, subtype: &str) -> bool {
        self.media_type == media_type && self.subtype == subtype
    }

    /// Bytes of the body as it stands, still encoded.
    pub fn body_size(&self) -> u64 {
        self.body_end - self.body_start
    }

    /// Byte range of the header, its blank line included.
    pub fn header_range(&self) -> std::ops::Range<u64> {
        self.header_start..self.body_start
    }

    /// Byte range of the body.
    pub fn body_range(&self) -> std::ops::Range<u64> {
        self.body_start..self.body_end
    }

    /// The transfer encoding to undo when reading the body.
    pub fn transfer_encoding(&self) -> Encoding {
        Encoding::from_label(self.encoding.as_deref())
    }

    /// The `charset` parameter, as written.
    pub fn charset(&self) -> Option<&str> {
        self.params.raw("charset").and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The name to save this part under, decoded: `filename` of the disposition, else `name` of the content type.
    pub fn file_name(&self) -> Option<String> {
        let disposition = self.disposition.as_ref().and_then(|disposition| disposition.params.get("filename"));
        disposition.or_else(|| self.params.get("name")).filter(|name| !name.is_empty())
    }
}
