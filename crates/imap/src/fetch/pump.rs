//! Bytes of a message on their way out: a range of it, decoded or not, in pieces.

use anser_base::{Result, TenantId, limits};
use anser_mime::encoding::{Decoder, Encoding};
use anser_store::{Body, Message, Store};
use bytes::Bytes;

use super::PIECE;

/// A message that is open for reading, its prefix first.
pub(crate) enum Source {
    /// A small message, all of it.
    Whole(Bytes),
    /// A large one.
    Open(Box<Body>),
}

impl Source {
    /// Opens a message. Blocks on the disk.
    pub fn open(store: &Store, tenant: TenantId, message: &Message) -> Result<Self> {
        match message.size() <= limits::INLINE_BODY as u64 {
            true => store.load(tenant, message).map(Self::Whole),
            false => store.body(tenant, message).map(|body| Self::Open(Box::new(body))),
        }
    }

    /// Up to `len` bytes from `offset`; an empty piece is the end.
    pub fn read_at(&mut self, offset: u64, len: usize) -> Result<Bytes> {
        match self {
            Self::Open(body) => body.read_at(offset, len),
            Self::Whole(bytes) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(from..from.saturating_add(len).min(bytes.len())))
            }
        }
    }

    /// The bytes of a range that is known to be small.
    pub fn range(&mut self, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let piece = self.read_at(at, (range.end - at).min(PIECE as u64) as usize)?;
            if piece.is_empty() {
                break;
            }
            at += piece.len() as u64;
            out.extend_from_slice(&piece);
        }
        Ok(out)
    }

    /// Another handle on the same message.
    pub fn again(&self, store: &Store, tenant: TenantId, message: &Message) -> Result<Self> {
        match self {
            Self::Whole(bytes) => Ok(Self::Whole(bytes.clone())),
            Self::Open(_) => Self::open(store, tenant, message),
        }
    }
}

/// Yields exactly the announced number of bytes.
pub(crate) struct Pump {
    source: Source,
    at: u64,
    end: u64,
    decoder: Option<Decoder>,
    /// Decoded bytes to leave out at the start.
    skip: u64,
    /// Bytes still to yield.
    left: u64,
    /// Whether NUL, which a literal may not hold (RFC 9051 §4.3), is shown as 0x80.
    hide_nul: bool,
}

impl Pump {
    /// The bytes of a range as they stand.
    pub fn plain(source: Source, range: std::ops::Range<u64>) -> Self {
        let left = range.end - range.start;
        Self { source, at: range.start, end: range.end, decoder: None, skip: 0, left, hide_nul: true }
    }

    /// The bytes of a range, NUL among them.
    pub fn raw(source: Source, range: std::ops::Range<u64>) -> Self {
        Self { hide_nul: false, ..Self::plain(source, range) }
    }

    /// `left` decoded bytes of a range after the first `skip`.
    pub fn decoded(source: Source, range: std::ops::Range<u64>, encoding: Encoding, skip: u64, left: u64) -> Self {
        let decoder = Some(Decoder::new(encoding));
        Self { source, at: range.start, end: range.end, decoder, skip, left, hide_nul: false }
    }

    /// Bytes still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Appends all that is to come. Blocks on the disk.
    pub fn take_all(mut self, out: &mut Vec<u8>) -> Result<()> {
        if let (Source::Whole(bytes), None) = (&self.source, &self.decoder) {
            let end = self.at as usize + self.left as usize;
            let shown = bytes.get(self.at as usize..end).ok_or_else(ended)?;
            let start = out.len();
            out.extend_from_slice(shown);
            if self.hide_nul {
                hide_nul(&mut out[start..]);
            }
            return Ok(());
        }
        while let Some(piece) = self.next()? {
            out.extend_from_slice(&piece);
        }
        Ok(())
    }

    /// The next piece; `None` when all was yielded. Blocks on the disk.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>> {
        while self.left > 0 {
            let mut piece = self.read()?;
            let skipped = self.skip.min(piece.len() as u64);
            self.skip -= skipped;
            piece.drain(..skipped as usize);
            piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= piece.len() as u64;
            if self.hide_nul {
                hide_nul(&mut piece);
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    fn read(&mut self) -> Result<Vec<u8>> {
        let wanted = (self.end - self.at).min(PIECE as u64) as usize;
        let raw = if wanted == 0 { Bytes::new() } else { self.source.read_at(self.at, wanted)? };
        self.at += raw.len() as u64;
        match &mut self.decoder {
            None if raw.is_empty() => Err(ended()),
            None => Ok(raw.into()),
            Some(decoder) if !raw.is_empty() => {
                let mut out = Vec::with_capacity(raw.len());
                decoder.push(&raw, &mut out);
                Ok(out)
            }
            Some(_) => {
                let mut out = Vec::new();
                self.decoder.take().ok_or_else(ended)?.finish(&mut out);
                Ok(out)
            }
        }
    }
}

fn ended() -> anser_base::Error {
    anser_base::Error::damaged("a body is shorter than its structure says")
}

fn hide_nul(bytes: &mut [u8]) {
    if memchr::memchr(0, bytes).is_some() {
        bytes.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0x80);
    }
}
