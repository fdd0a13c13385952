//! The bytes of a blob, piece by piece, whatever its size.

use std::ops::Range;

use anser_base::{Error, Result, TenantId};
use anser_mime::encoding::{Decoder, Encoding};
use anser_mime::structure::{Part, Structure};
use anser_mime::summary::parse_message;
use anser_store::{Body, Store};
use bytes::Bytes;
use futures_util::stream::{self, Stream};

use super::{Blob, Source};
use crate::email::Octets;

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// Bytes of an upload, or of a part, that is looked into for parts of its own; of a longer one only the whole is read.
pub(crate) const OPENED: usize = 16 * 1024 * 1024;

/// A blob on its way out.
pub(crate) struct Reader {
    octets: Octets,
    left: Range<u64>,
    decoder: Option<Decoder>,
}

impl Reader {
    /// `None` when there is no such part. Blocks on the disk.
    pub fn open(store: &Store, tenant: TenantId, blob: &Blob) -> Result<Option<Self>> {
        let (mut reader, mut rest, mut structure) = match &blob.source {
            Source::Upload(id) => (Self::all(store.open(tenant, *id)?), &blob.parts[..], None),
            Source::Script(text) => (Self::whole(Bytes::copy_from_slice(text)), &blob.parts[..], None),
            Source::Message(message) => {
                let damaged = || Error::damaged(format!("message {}", message.id));
                let structure = match blob.parts.is_empty() {
                    true => None,
                    false => Some((message.parsed_structure().ok_or_else(damaged)?, message.prefix.len() as u64)),
                };
                (Self::all(store.body(tenant, message)?), &blob.parts[..], structure)
            }
        };
        while let Some((at, after)) = rest.split_first() {
            let (structure, before) = match structure.take() {
                Some(known) => known,
                None => {
                    let Some(bytes) = reader.held(OPENED)? else { return Ok(None) };
                    let structure = parse_message(&bytes).structure;
                    reader = Self::whole(bytes);
                    (structure, 0)
                }
            };
            let Some(part) = leaf(&structure, *at) else { return Ok(None) };
            reader = reader.part(part, before);
            rest = after;
        }
        Ok(Some(reader))
    }

    /// [`Self::open`], for who may not block.
    pub async fn open_async(store: Store, tenant: TenantId, blob: Blob) -> Result<Option<Self>> {
        tokio::task::spawn_blocking(move || Self::open(&store, tenant, &blob)).await.map_err(Error::unavailable)?
    }

    /// The pieces as a stream, which ends with the first that cannot be read.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        stream::unfold(Some(self), |reader| async move {
            let mut reader = reader?;
            let step = move || reader.next().map(|piece| piece.map(|piece| (piece, reader)));
            match tokio::task::spawn_blocking(step).await.map_err(Error::unavailable) {
                Ok(Ok(Some((piece, reader)))) => Some((Ok(piece), Some(reader))),
                Ok(Ok(None)) => None,
                Ok(Err(error)) | Err(error) => Some((Err(error), None)),
            }
        })
    }

    fn whole(bytes: Bytes) -> Self {
        Self { left: 0..bytes.len() as u64, octets: Octets::Whole(bytes), decoder: None }
    }

    fn all(body: Body) -> Self {
        Self { left: 0..body.size(), octets: Octets::Open(Box::new(body), 0), decoder: None }
    }

    /// A part of a blob that was not read yet; `before` are bytes that its structure does not count.
    fn part(self, part: &Part, before: u64) -> Self {
        let range = part.body_range();
        let encoding = part.transfer_encoding();
        let decoder = (encoding != Encoding::Identity).then(|| Decoder::new(encoding));
        Self { left: before + range.start..before + range.end, decoder, octets: self.octets }
    }

    /// How many bytes there are, where nothing has to be read for that.
    pub fn size(&self) -> Option<u64> {
        self.decoder.is_none().then_some(self.left.end - self.left.start)
    }

    /// The next piece, which is not empty; `None` at the end. Blocks on the disk.
    pub fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let len = (self.left.end - self.left.start).min(PIECE as u64) as usize;
            let piece = if len == 0 { Bytes::new() } else { self.octets.read_at(self.left.start, len)? };
            self.left.start += piece.len() as u64;
            let (Some(decoder), is_end) = (self.decoder.as_mut(), piece.is_empty()) else {
                return Ok(Some(piece).filter(|piece| !piece.is_empty()));
            };
            let mut out = Vec::new();
            if !is_end {
                decoder.push(&piece, &mut out);
            } else if let Some(decoder) = self.decoder.take() {
                decoder.finish(&mut out);
            }
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
            if is_end {
                return Ok(None);
            }
        }
    }

    /// All that is left; `None` when it is more than so many bytes. Blocks on the disk.
    pub fn held(&mut self, most: usize) -> Result<Option<Bytes>> {
        let mut all = Vec::new();
        while let Some(piece) = self.next()? {
            if all.len() + piece.len() > most {
                return Ok(None);
            }
            all.extend_from_slice(&piece);
        }
        Ok(Some(all.into()))
    }
}

/// A part that has content of its own.
fn leaf(structure: &Structure, at: usize) -> Option<&Part> {
    structure.parts.get(at).filter(|part| !part.is_multipart())
}

/// The whole of a blob, if it is there and has at most so many bytes.
pub(crate) async fn whole(store: &Store, tenant: TenantId, blob: Blob, most: usize) -> Result<Option<Bytes>> {
    let store = store.clone();
    let work = move || match Reader::open(&store, tenant, &blob)? {
        Some(mut reader) => reader.held(most),
        None => Ok(None),
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
}
