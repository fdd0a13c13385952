//! A whole body in memory, already in the form of its file.

use crate::form::{Body, CHUNK, Encoder};
use crate::source::Source;
use anser_base::{BlobId, Result};
use bytes::Bytes;

/// A body that was hashed and compressed and can be put, or carried inside a queue row, as it is. Cheap to clone.
///
/// Made for bodies that are in memory anyway; a big one is better streamed through [`crate::BlobWriter`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prepared {
    /// The address of the body.
    pub id: BlobId,
    /// Its length, decoded, in bytes.
    pub size: u64,
    /// Exactly the bytes of its file.
    pub stored: Bytes,
}

impl Prepared {
    /// Hashes and compresses a body. Takes about 0.1 ms for an ordinary message.
    pub fn new(bytes: &[u8]) -> Self {
        let mut stored = Vec::new();
        let mut encoder = Encoder::new(&mut stored);
        for raw in bytes.chunks(CHUNK) {
            encoder.chunk(raw, &mut stored);
        }
        let (id, size) = encoder.finish(&mut stored);
        stored.shrink_to_fit();
        Self { id, size, stored: Bytes::from(stored) }
    }

    /// Takes back what [`Self::stored`] held, after it travelled through a queue row. Decodes it once to verify it:
    /// [`anser_base::Class::Damaged`] when it is not what it was.
    pub fn from_stored(stored: Bytes) -> Result<Self> {
        let body = Body::parse(Source::memory(stored.clone()))?;
        let id = body.each(drop)?;
        Ok(Self { id, size: body.size(), stored })
    }

    /// What [`Self::new`] made earlier in this process and somebody kept in memory since: taken at its word.
    pub fn kept(id: BlobId, size: u64, stored: Bytes) -> Self {
        Self { id, size, stored }
    }

    /// The body itself, decoded and verified; [`anser_base::Class::Damaged`] when it does not verify.
    pub fn raw(&self) -> Result<Bytes> {
        Body::parse(Source::memory(self.stored.clone()))?.read(self.id)
    }
}
