//! The whole message of an entry: the trace fields of its envelope, then its body. At most one piece of it is in memory, unless the
//! body is small or was in memory already.

use anser_base::{Durability, Error, Result, TenantId, limits};
use anser_blob::{BlobReader, Prepared};
use anser_directory::DEFAULT_TENANT;
use anser_mime::header;
use anser_queue::{Body, Entry};
use anser_senderauth::{Message, Passed, message};
use anser_store::Store;
use bytes::Bytes;

/// Bytes read at once.
const PIECE: usize = 256 * 1024;

pub(crate) struct Content {
    trace: Bytes,
    source: Source,
    /// Bytes of the source that others in `trace` stand for.
    replaced: u64,
    size: u64,
    /// The first piece of the body: the header, unless that is larger than any sane one.
    head: Bytes,
}

enum Source {
    Memory(Bytes),
    /// `None` only while a worker thread reads, or after it panicked.
    Blob(Option<Box<BlobReader>>),
}

impl Content {
    /// Opens the body. Errors are those of the blob store.
    pub async fn open(store: &Store, entry: &Entry) -> Result<Self> {
        let (store, body) = (store.clone(), entry.body.clone());
        let tenant = entry.envelope.tenant.unwrap_or(DEFAULT_TENANT);
        let (source, size) = blocking(move || match in_memory(&body)? {
            Some(raw) => Ok((Source::Memory(raw.clone()), raw.len() as u64)),
            None => {
                let reader = store.blobs().open(tenant, body.id)?;
                let size = reader.size();
                Ok((Source::Blob(Some(Box::new(reader))), size))
            }
        })
        .await?;
        let trace = Bytes::from(entry.envelope.trace.clone());
        let mut content = Self { size: trace.len() as u64 + size, trace, source, replaced: 0, head: Bytes::new() };
        content.head = content.body_at(0).await?;
        Ok(content)
    }

    /// A message in memory.
    pub fn of(raw: Bytes) -> Self {
        let (size, head) = (raw.len() as u64, limited(raw.clone()));
        Self { trace: Bytes::new(), source: Source::Memory(raw), replaced: 0, size, head }
    }

    /// Bytes in all.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The header fields, without the blank line, as far as the first piece holds them.
    pub fn header(&self) -> Bytes {
        let end = header::fields(&self.head).last().map_or(0, |field| field.range.end);
        [&self.trace, &self.head[..end]].concat().into()
    }

    /// `Received` fields (RFC 5321 §6.3).
    pub fn hops(&self) -> usize {
        header::find_all(&self.header(), "Received").count()
    }

    /// Whether the header is all US-ASCII, as far as it was looked at: it can go without SMTPUTF8 (RFC 6531 §3.5).
    pub fn has_ascii_header(&self) -> bool {
        self.header().is_ascii()
    }

    /// Whether all of it is US-ASCII: it can go without 8BITMIME (RFC 6152 §3).
    pub async fn is_ascii(&mut self) -> Result<bool> {
        let mut offset = 0;
        loop {
            let piece = self.read_at(offset).await?;
            if piece.is_empty() || !piece.is_ascii() {
                return Ok(piece.is_empty());
            }
            offset += piece.len() as u64;
        }
    }

    /// The bytes from `offset` on, at most [`PIECE`] of them; none at the end.
    pub async fn read_at(&mut self, offset: u64) -> Result<Bytes> {
        let before = self.trace.len() as u64;
        match offset < before {
            true => Ok(limited(self.trace.slice(offset as usize..))),
            false => self.body_at(offset - before).await,
        }
    }

    /// All of it; for messages that are known to be small.
    pub async fn whole(&mut self) -> Result<Vec<u8>> {
        let mut whole = Vec::with_capacity(self.size as usize);
        loop {
            let piece = self.read_at(whole.len() as u64).await?;
            if piece.is_empty() {
                return Ok(whole);
            }
            whole.extend_from_slice(&piece);
        }
    }

    /// Puts fields before everything else.
    pub fn prepend(&mut self, fields: &str) {
        self.trace = [fields.as_bytes(), &self.trace].concat().into();
        self.size += fields.len() as u64;
    }

    /// Puts another header in the place of that of the body; the trace before it stays.
    pub fn replace_header(&mut self, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> bool {
        let end = header::fields(&self.head).last().map_or(0, |field| field.range.end);
        let Some(new) = change(&self.head[..end]) else { return false };
        self.size = self.size - end as u64 + new.len() as u64;
        self.trace = [&self.trace[..], &new].concat().into();
        self.replaced += end as u64;
        self.head = self.head.slice(end..);
        true
    }

    /// The message as signatures see it, to be signed.
    pub async fn passed(&mut self) -> Result<Passed> {
        let mut message = Message::to_sign(&self.header());
        let (_, body) = message::split(&self.head);
        let mut offset = (self.head.len() - body.len()) as u64;
        loop {
            let piece = self.body_at(offset).await?;
            if piece.is_empty() {
                return Ok(message.finish());
            }
            message.push(&piece);
            offset += piece.len() as u64;
        }
    }

    async fn body_at(&mut self, offset: u64) -> Result<Bytes> {
        let offset = offset + self.replaced;
        let slot = match &mut self.source {
            Source::Memory(raw) => return Ok(limited(raw.slice(raw.len().min(offset as usize)..))),
            Source::Blob(slot) => slot,
        };
        let mut reader = slot.take().ok_or_else(|| Error::unavailable("the body's reader is gone"))?;
        let (reader, piece) = blocking(move || {
            let piece = reader.read_at(offset, PIECE)?;
            Ok((reader, piece))
        })
        .await?;
        *slot = Some(reader);
        Ok(piece)
    }
}

/// The body of a message that the house writes: it travels in the queue's row when it fits, else by the blob store, durable.
pub(crate) async fn body_of(store: &Store, tenant: TenantId, raw: &[u8]) -> Result<Body> {
    if raw.len() <= limits::INLINE_BODY {
        return Ok(inline(raw));
    }
    let (store, raw) = (store.clone(), raw.to_vec());
    blocking(move || {
        let prepared = Prepared::new(&raw);
        store.blobs().put(tenant, &prepared, Durability::Sync)?;
        Ok(Body::in_blob(prepared.id, raw.len() as u64))
    })
    .await
}

/// A body in the row, however large.
pub(crate) fn inline(raw: &[u8]) -> Body {
    let prepared = Prepared::new(raw);
    Body::inline(prepared.id, raw.len() as u64, prepared.stored.clone()).with_raw(raw.to_vec())
}

fn in_memory(body: &Body) -> Result<Option<Bytes>> {
    match (&body.raw, &body.stored) {
        (Some(raw), _) => Ok(Some(raw.clone())),
        (None, Some(stored)) => Prepared::from_stored(stored.clone())?.raw().map(Some),
        (None, None) => Ok(None),
    }
}

fn limited(bytes: Bytes) -> Bytes {
    bytes.slice(..bytes.len().min(PIECE))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
}
