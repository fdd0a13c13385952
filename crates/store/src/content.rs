//! Bodies on their way in (hashed, parsed and put at once) and out (prefix and body as one).

use std::sync::Arc;

use anser_base::{BlobId, Durability, Error, Result, TenantId};
use anser_blob::{BlobReader, BlobWriter, Prepared};
use anser_mime::envelope::Envelope;
use anser_mime::structure::{Limits, Structure};
use anser_mime::summary::{MessageParser, Parsed, Summary, parse_message};
use bytes::{Bytes, BytesMut};

use crate::Store;
use crate::codec;
use crate::fields::kept_of;
use crate::model::{Content, Message, ThreadKeys};

/// Message-IDs of one message that threads are found by, at most.
const THREAD_IDS: usize = 32;
/// Bytes of a body that are held at once while it is read through.
const PIECE: usize = 256 * 1024;
/// Ids of In-Reply-To only that a listing can count.
const REPLIED: u8 = u8::MAX >> 2;
/// Version byte of a stored listing.
const LISTING: u8 = 1;

/// What the store keeps of a summary in a message's row: enough for a list, ENVELOPE and PREVIEW without opening the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// For ENVELOPE; also holds the raw subject.
    pub envelope: Envelope,
    /// `Date`, in seconds since 1970.
    pub sent: Option<i64>,
    /// The first readable text (RFC 8970).
    pub preview: String,
    /// Whether a part would be shown as an attachment.
    pub has_attachment: bool,
    /// How many of the message's thread ids, at their end, stand in In-Reply-To only.
    pub replied: u8,
}

impl Listing {
    /// The listing in a message's row; empty when the row's form is unknown, which `check` mends.
    pub fn of(message: &Message) -> Listing {
        Self::from_bytes(&message.summary).unwrap_or_default()
    }

    fn to_bytes(summary: &Summary) -> Vec<u8> {
        let replied = summary.replied.min(usize::from(REPLIED)) as u8;
        let flags = u8::from(summary.has_attachment) | u8::from(summary.sent.is_some()) << 1 | replied << 2;
        let mut out = vec![LISTING, flags];
        out.extend_from_slice(&summary.sent.unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&(summary.preview.len() as u16).to_le_bytes());
        out.extend_from_slice(summary.preview.as_bytes());
        out.extend_from_slice(&summary.envelope.to_bytes());
        out
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Listing> {
        let view = ListingView::from_bytes(bytes)?;
        Some(Listing {
            envelope: Envelope::from_bytes(view.envelope)?,
            sent: view.sent,
            preview: view.preview.to_owned(),
            has_attachment: view.has_attachment,
            replied: view.replied,
        })
    }
}

/// A [`Listing`] read in place.
pub(crate) struct ListingView<'a> {
    pub envelope: &'a [u8],
    pub sent: Option<i64>,
    pub preview: &'a str,
    pub has_attachment: bool,
    pub replied: u8,
}

impl<'a> ListingView<'a> {
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (&[version, flags], rest) = bytes.split_first_chunk::<2>()?;
        let (sent, rest) = rest.split_first_chunk::<8>()?;
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let (preview, envelope) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        (version == LISTING).then_some(())?;
        Some(Self {
            envelope,
            sent: (flags & 2 != 0).then(|| i64::from_le_bytes(*sent)),
            preview: str::from_utf8(preview).ok()?,
            has_attachment: flags & 1 != 0,
            replied: flags >> 2,
        })
    }
}

/// What of a message's row sorting and threading need, still in the row's own form: [`crate::MailTx::listing_rows`].
#[derive(Clone, Debug, Default)]
pub struct ListingRow {
    pub(crate) summary: Vec<u8>,
    pub(crate) keys: Vec<u8>,
}

impl ListingRow {
    /// The listing; empty when the row's form is unknown.
    pub fn listing(&self) -> Listing {
        Listing::from_bytes(&self.summary).unwrap_or_default()
    }

    /// Hashes of the message's own Message-ID, if it has one, and of those that it refers to, oldest first. The last
    /// [`Listing::replied`] of them stand in In-Reply-To only.
    pub fn thread_ids(&self) -> Vec<i64> {
        codec::keys_from_bytes(&self.keys).unwrap_or_default().ids
    }
}

impl Message {
    /// The parsed structure of the body; `None` when the row's form is unknown, which `check` mends.
    pub fn parsed_structure(&self) -> Option<Structure> {
        Structure::from_bytes(&self.structure)
    }

    /// Size in bytes, prefix included: RFC822.SIZE.
    pub fn size(&self) -> u64 {
        self.blob_size + self.prefix.len() as u64
    }
}

impl Content {
    /// Parses a body that is in memory and has this address.
    pub fn parse(blob: BlobId, raw: &[u8]) -> Content {
        Self::of_parsed(blob, raw.len() as u64, &parse_message(raw))
    }

    fn of_parsed(blob: BlobId, size: u64, parsed: &Parsed) -> Content {
        let is_whole = parsed.header.len() as u64 == parsed.structure.root().body_start;
        Content {
            blob,
            size,
            summary: Listing::to_bytes(&parsed.summary).into(),
            structure: parsed.structure.to_bytes().into(),
            fields: is_whole.then(|| kept_of(&parsed.header)).flatten(),
            thread_keys: Arc::new(thread_keys(&parsed.summary)),
        }
    }
}

fn thread_keys(summary: &Summary) -> ThreadKeys {
    let all: Vec<&String> = summary.message_ids.iter().filter(|id| !id.is_empty()).collect();
    // Of too many those in the middle go: a thread is found by its first message and by the nearest ones.
    let skipped = 2..all.len().saturating_sub(THREAD_IDS - 2).max(2);
    let mut ids: Vec<i64> = Vec::new();
    for (_, id) in all.iter().enumerate().filter(|(at, _)| !skipped.contains(at)) {
        let hash = hash64(id.as_bytes());
        if !ids.contains(&hash) {
            ids.push(hash);
        }
    }
    ThreadKeys { subject: hash64(summary.base_subject.to_lowercase().as_bytes()), ids }
}

fn hash64(bytes: &[u8]) -> i64 {
    let id = BlobId::of(bytes);
    i64::from_le_bytes(std::array::from_fn(|i| id.0[i]))
}

impl Store {
    /// Puts a body that is in memory and parses it. Blocks on the disk.
    pub fn put_body(&self, tenant: TenantId, raw: &[u8], durability: Durability) -> Result<Content> {
        let prepared = Prepared::new(raw);
        self.blobs.put(tenant, &prepared, durability)?;
        Ok(Content::parse(prepared.id, raw))
    }

    /// Starts a body that arrives in pieces. Blocks on the disk.
    pub fn body_writer(&self, tenant: TenantId) -> Result<BodyWriter> {
        Ok(BodyWriter { blob: self.blobs.writer(tenant)?, parser: MessageParser::new(Limits::default()) })
    }

    /// Takes a body that one tenant's blobs hold already into another's, which may be the same, and parses it. Memory stays bounded
    /// whatever its size. Blocks on the disk.
    pub fn adopt_body(&self, from: TenantId, blob: BlobId, to: TenantId, durability: Durability) -> Result<Content> {
        let mut reader = self.blobs.open(from, blob)?;
        let mut copy = if from == to { None } else { Some(self.blobs.writer(to)?) };
        let mut parser = MessageParser::new(Limits::default());
        let mut offset = 0;
        loop {
            let piece = reader.read_at(offset, PIECE)?;
            if piece.is_empty() {
                break;
            }
            offset += piece.len() as u64;
            parser.feed(&piece);
            if let Some(copy) = &mut copy {
                copy.write(&piece)?;
            }
        }
        match copy {
            Some(copy) => copy.finish(durability).map(|_| ())?,
            None => self.blobs.refresh(to, blob)?,
        }
        Ok(Content::of_parsed(blob, offset, &parser.finish()))
    }

    /// Parses a body that is stored, and verifies every byte of it on the way. Memory stays bounded. Blocks on the disk.
    pub(crate) fn parse_body(&self, tenant: TenantId, blob: BlobId) -> Result<Content> {
        let mut reader = self.blobs.open(tenant, blob)?;
        let mut parser = MessageParser::new(Limits::default());
        let mut offset = 0;
        loop {
            let piece = reader.read_at(offset, PIECE)?;
            if piece.is_empty() {
                return Ok(Content::of_parsed(blob, offset, &parser.finish()));
            }
            offset += piece.len() as u64;
            parser.feed(&piece);
        }
    }

    /// Opens a message for reading in pieces. Blocks on the disk. `Class::Damaged` when its body is missing.
    pub fn body(&self, tenant: TenantId, message: &Message) -> Result<Body> {
        let reader = self.blobs.open(tenant, message.blob).map_err(missing_is_damage)?;
        Ok(Body { prefix: message.prefix.clone(), reader })
    }

    /// Opens a body by its address, as a message without a prefix. Blocks on the disk. `Class::NotFound` when there is none.
    pub fn open(&self, tenant: TenantId, blob: BlobId) -> Result<Body> {
        Ok(Body { prefix: Bytes::new(), reader: self.blobs.open(tenant, blob)? })
    }

    /// A whole message, prefix first. Blocks on the disk. For messages that are known to be small: it holds all of it.
    pub fn load(&self, tenant: TenantId, message: &Message) -> Result<Bytes> {
        let body = self.blobs.read(tenant, message.blob).map_err(missing_is_damage)?;
        if message.prefix.is_empty() {
            return Ok(body);
        }
        let mut whole = BytesMut::with_capacity(message.prefix.len() + body.len());
        whole.extend_from_slice(&message.prefix);
        whole.extend_from_slice(&body);
        Ok(whole.freeze())
    }
}

/// A row without its body is damage, not a message that never was.
fn missing_is_damage(error: Error) -> Error {
    match error.class {
        anser_base::Class::NotFound => Error::damaged(error),
        _ => error,
    }
}

/// A body that arrives in pieces; dropping it forgets the body.
pub struct BodyWriter {
    blob: BlobWriter,
    parser: MessageParser,
}

impl BodyWriter {
    /// The next piece. Blocks on the disk.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.parser.feed(bytes);
        self.blob.write(bytes)
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.blob.size()
    }

    /// Stores the body and returns what was parsed out of it. Blocks on the disk.
    pub fn finish(self, durability: Durability) -> Result<Content> {
        let (blob, size) = self.blob.finish(durability)?;
        Ok(Content::of_parsed(blob, size, &self.parser.finish()))
    }
}

/// A message open for reading: its prefix and its body as one run of bytes.
pub struct Body {
    prefix: Bytes,
    reader: BlobReader,
}

impl Body {
    /// Bytes in all.
    pub fn size(&self) -> u64 {
        self.prefix.len() as u64 + self.reader.size()
    }

    /// Up to `len` bytes from `offset`; shorter pieces are normal, an empty one is the end. Blocks on the disk; every byte is
    /// verified.
    pub fn read_at(&mut self, offset: u64, len: usize) -> Result<Bytes> {
        let before = self.prefix.len() as u64;
        match offset < before {
            true => {
                let from = offset as usize;
                Ok(self.prefix.slice(from..self.prefix.len().min(from + len)))
            }
            false => self.reader.read_at(offset - before, len),
        }
    }
}
