//! The body of an entry: inside its row, or in the blob store.

use anser_base::BlobId;
use bytes::Bytes;

/// A message's bytes without the trace fields of its envelope, and what rides along in memory to save the courier work.
#[derive(Clone, Debug)]
pub struct Body {
    /// The content address of the raw bytes.
    pub id: BlobId,
    /// Length of the raw bytes.
    pub size: u64,
    /// The blob store's stored form, which travels in the entry's row. `None` when the blob store has the body, durable, already.
    pub stored: Option<Bytes>,
    /// The raw bytes, when somebody has them in memory anyway. Not written to the tables.
    pub raw: Option<Bytes>,
}

impl Body {
    /// A body that travels in the row, in the blob store's stored form. At most [`anser_base::limits::INLINE_BODY`] bytes raw.
    pub fn inline(id: BlobId, size: u64, stored: impl Into<Bytes>) -> Self {
        Self { id, size, stored: Some(stored.into()), raw: None }
    }

    /// A body that the blob store holds durably.
    pub fn in_blob(id: BlobId, size: u64) -> Self {
        Self { id, size, stored: None, raw: None }
    }

    /// Lets the raw bytes ride along.
    pub fn with_raw(mut self, raw: impl Into<Bytes>) -> Self {
        self.raw = Some(raw.into());
        self
    }

    /// Bytes of memory that it holds, roughly.
    pub(crate) fn weight(&self) -> usize {
        self.stored.as_ref().map_or(0, Bytes::len) + self.raw.as_ref().map_or(0, Bytes::len)
    }
}
