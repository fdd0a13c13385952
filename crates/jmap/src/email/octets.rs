//! The bytes of a message that is read: all of it in memory, or a larger one a range at a time.

use std::ops::Range;

use anser_base::{Error, Result, TenantId, limits};
use anser_mime::encoding::Decoder;
use anser_mime::structure::Part;
use anser_store::{Body, Message, Store};
use bytes::Bytes;

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// Bytes of a header that are looked at.
const HEADER: usize = 256 * 1024;

/// A message that is open. Offsets count as those of its structure do, from the body without its prefix.
pub(crate) enum Octets {
    Whole(Bytes),
    Open(Box<Body>, u64),
}

impl Octets {
    /// Opens a stored message. Blocks on the disk.
    pub fn open(store: &Store, tenant: TenantId, message: &Message) -> Result<Self> {
        let before = message.prefix.len();
        match message.size() <= limits::INLINE_BODY as u64 {
            true => Ok(Self::Whole(store.load(tenant, message)?.slice(before..))),
            false => Ok(Self::Open(Box::new(store.body(tenant, message)?), before as u64)),
        }
    }

    /// Up to `len` bytes from `offset`; an empty piece is the end. Blocks on the disk.
    pub fn read_at(&mut self, offset: u64, len: usize) -> Result<Bytes> {
        match self {
            Self::Open(body, before) => body.read_at(*before + offset, len),
            Self::Whole(bytes) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(from..from.saturating_add(len).min(bytes.len())))
            }
        }
    }

    /// Hands a range on piece by piece, as long as `take` wants more.
    pub fn each(&mut self, range: Range<u64>, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<()> {
        let mut at = range.start;
        while at < range.end {
            let piece = self.read_at(at, (range.end - at).min(PIECE as u64) as usize)?;
            at += piece.len() as u64;
            if piece.is_empty() || !take(&piece) {
                break;
            }
        }
        Ok(())
    }

    /// A range, cut to so many bytes.
    pub fn range(&mut self, range: Range<u64>, most: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.each(range, &mut |piece| {
            out.extend_from_slice(&piece[..piece.len().min(most - out.len())]);
            out.len() < most
        })?;
        Ok(out)
    }

    /// The content of a part, decoded, cut to about so many bytes; and whether it was cut.
    pub fn decoded(&mut self, part: &Part, most: usize) -> Result<(Vec<u8>, bool)> {
        let (mut decoder, mut out, mut is_cut) = (Decoder::new(part.transfer_encoding()), Vec::new(), false);
        self.each(part.body_range(), &mut |piece| {
            decoder.push(piece, &mut out);
            is_cut = out.len() > most;
            !is_cut
        })?;
        if !is_cut {
            decoder.finish(&mut out);
        }
        Ok((out, is_cut))
    }

    /// How many bytes the content of a part has when it is decoded. Of a message that is not held in memory, what base64 and
    /// quoted-printable stand for is told by their length, so that a list of attachments need not read them.
    pub fn size(&mut self, part: &Part) -> Result<u64> {
        use anser_mime::encoding::Encoding;
        let encoded = part.body_size();
        match (part.transfer_encoding(), &self) {
            (Encoding::Identity, _) => Ok(encoded),
            (_, Self::Whole(_)) => Ok(self.decoded(part, usize::MAX)?.0.len() as u64),
            (Encoding::Base64, Self::Open(..)) => {
                let end = self.range(part.body_end.saturating_sub(8).max(part.body_start)..part.body_end, 8)?;
                let padding = end.iter().filter(|byte| **byte == b'=').count() as u64;
                let digits = encoded.saturating_sub(part.lines * 2);
                Ok((digits / 4 * 3).saturating_sub(padding))
            }
            _ => Ok(encoded),
        }
    }
}

/// The beginning of a message, in which its header is.
pub(crate) async fn beginning_of(store: &Store, tenant: TenantId, message: &Message) -> Result<Vec<u8>> {
    let (store, message) = (store.clone(), message.clone());
    let read = move || {
        let mut body = store.body(tenant, &message)?;
        let mut header = Vec::new();
        while header.len() < HEADER {
            let piece = body.read_at(header.len() as u64, HEADER - header.len())?;
            if piece.is_empty() {
                break;
            }
            header.extend_from_slice(&piece);
        }
        Ok(header)
    };
    tokio::task::spawn_blocking(read).await.map_err(Error::unavailable)?
}
