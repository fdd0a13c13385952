//! A body that is read range by range.

use crate::form::{Body, CHUNK};
use anser_base::Result;
use bytes::Bytes;

/// Most bytes that one [`BlobReader::read_at`] returns.
pub const READ: usize = CHUNK;

/// Reads ranges of one body, verified. Holds one decoded chunk, at most 1 MiB, so that reading on costs nothing twice.
pub struct BlobReader {
    body: Body,
    last: Option<(usize, Bytes)>,
}

impl BlobReader {
    pub(crate) fn new(body: Body) -> Self {
        Self { body, last: None }
    }

    /// Length of the body in bytes.
    pub fn size(&self) -> u64 {
        self.body.size()
    }

    /// The bytes from `offset` on: `len` of them, or [`READ`], or as many as there are, whichever is least; none at and behind
    /// the end. [`anser_base::Class::Damaged`] when a chunk that the range touches does not verify.
    pub fn read_at(&mut self, offset: u64, len: usize) -> Result<Bytes> {
        let rest = self.size().saturating_sub(offset);
        let len = usize::try_from(rest).unwrap_or(usize::MAX).min(len).min(READ);
        if len == 0 {
            return Ok(Bytes::new());
        }
        let (index, from) = ((offset / CHUNK as u64) as usize, (offset % CHUNK as u64) as usize);
        let chunk = self.chunk(index)?;
        if from + len <= chunk.len() {
            return Ok(chunk.slice(from..from + len));
        }
        let mut out = Vec::with_capacity(len);
        out.extend_from_slice(&chunk[from..]);
        let next = self.chunk(index + 1)?;
        out.extend_from_slice(&next[..len - out.len()]);
        Ok(Bytes::from(out))
    }

    fn chunk(&mut self, index: usize) -> Result<Bytes> {
        if let Some((at, chunk)) = &self.last
            && *at == index
        {
            return Ok(chunk.clone());
        }
        let chunk = self.body.chunk(index)?;
        self.last = Some((index, chunk.clone()));
        Ok(chunk)
    }
}
