//! The form of a body in its file.
//!
//! ```text
//! file    = magic chunk* trailer
//! magic   = "AnserB" 00 version            8 bytes; the version is 1
//! chunk   = method stored raw check bytes  25 bytes and `stored` more
//! method  = 00 plain | 01 zstd             1 byte
//! stored  = length of the bytes here       4 bytes
//! raw     = length when decoded            4 bytes; 1 MiB, only the last chunk may be shorter
//! check   = BLAKE3(bytes, BLAKE3(decoded bytes))[..16]
//! trailer = FF count size seal             29 bytes
//! count   = number of chunks               4 bytes
//! size    = length of the decoded body     8 bytes
//! seal    = BLAKE3(all chunk headers, id, count, size)[..16]
//! ```
//!
//! Numbers are little-endian. The id is the body's own address and is not stored: the name of the file tells it. A range is
//! trusted when the seal binds the chunk headers to the id and the chunk agrees with its header; a whole body when its
//! hash is the id. A writer needs to know nothing in advance; a file without its trailer is a torn one. The first byte
//! after the magic and after each chunk tells what follows, so a file that was cut anywhere, or goes on behind the trailer,
//! is recognised. The check covers the bytes in both forms, because zstd has bits that mean nothing: damage is noticed even
//! where it does no harm yet.

use crate::source::Source;
use anser_base::{BlobId, Error, Result};
use blake3::{Hash, Hasher};
use bytes::Bytes;
use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

/// Decoded length of every chunk but the last, in bytes.
pub const CHUNK: usize = 1024 * 1024;
/// Largest body, decoded, in bytes.
pub const BODY: u64 = 4 * 1024 * 1024 * 1024;

const MAGIC: [u8; 8] = *b"AnserB\x00\x01";
const PLAIN: u8 = 0x00;
const ZSTD: u8 = 0x01;
const END: u8 = 0xFF;
const CHUNK_HEADER: usize = 25;
const TRAILER: usize = 29;
/// Level 1 saves more than half of ordinary mail at about 0.1 ms for each message.
const LEVEL: i32 = 1;

type Check = [u8; 16];

/// Turns a body into the form of its file, chunk after chunk.
pub(crate) struct Encoder {
    whole: Hasher,
    /// The hash of a body of one chunk, which is not hashed twice.
    only: Option<Hash>,
    seal: Hasher,
    size: u64,
    count: u32,
}

impl Encoder {
    /// Begins a file at the end of `out`.
    pub(crate) fn new(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(&MAGIC);
        Self { whole: Hasher::new(), only: None, seal: Hasher::new(), size: 0, count: 0 }
    }

    /// Appends one chunk to `out`. All but the last must have [`CHUNK`] bytes, the last at least one.
    pub(crate) fn chunk(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        debug_assert!(!raw.is_empty() && raw.len() <= CHUNK && self.size.is_multiple_of(CHUNK as u64));
        let at = out.len();
        out.resize(at + CHUNK_HEADER, 0);
        let method = squeeze(raw, out);
        let stored = out.len() - at - CHUNK_HEADER;
        let hash = blake3::hash(raw);
        let check = check(&out[at + CHUNK_HEADER..], &hash);
        let header = &mut out[at..at + CHUNK_HEADER];
        header[0] = method;
        header[1..5].copy_from_slice(&(stored as u32).to_le_bytes());
        header[5..9].copy_from_slice(&(raw.len() as u32).to_le_bytes());
        header[9..].copy_from_slice(&check);
        self.seal.update(header);
        // Nothing comes behind a chunk that is not full.
        match self.count == 0 && raw.len() < CHUNK {
            true => self.only = Some(hash),
            false => _ = self.whole.update(raw),
        }
        self.size += raw.len() as u64;
        self.count += 1;
    }

    /// Appends the trailer; returns the address of the body and its decoded length.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> (BlobId, u64) {
        let id = BlobId(*self.only.unwrap_or_else(|| self.whole.finalize()).as_bytes());
        let seal = seal(&mut self.seal, id, self.count, self.size);
        out.push(END);
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        out.extend_from_slice(&seal);
        (id, self.size)
    }

    /// Decoded bytes so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

fn seal(headers: &mut Hasher, id: BlobId, count: u32, size: u64) -> Check {
    headers.update(&id.0).update(&count.to_le_bytes()).update(&size.to_le_bytes());
    first_half(&headers.finalize())
}

fn check(stored: &[u8], raw: &Hash) -> Check {
    first_half(&Hasher::new().update(stored).update(raw.as_bytes()).finalize())
}

fn first_half(hash: &Hash) -> Check {
    let mut half = Check::default();
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

thread_local! {
    static SQUEEZER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNSQUEEZER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Appends the bytes, compressed where that makes them fewer (and where there is memory for it); returns the method.
fn squeeze(raw: &[u8], out: &mut Vec<u8>) -> u8 {
    let at = out.len();
    // Room for one byte less than the bytes themselves: what does not fit did not shrink.
    out.resize(at + raw.len().saturating_sub(1), 0);
    let packed = SQUEEZER.with_borrow_mut(|context| {
        prepare(context, || Compressor::new(LEVEL)).ok()?.compress_to_buffer(raw, &mut out[at..]).ok()
    });
    out.truncate(at + packed.unwrap_or(0));
    if packed.is_some() {
        return ZSTD;
    }
    out.extend_from_slice(raw);
    PLAIN
}

fn unsqueeze(packed: &[u8], raw: usize) -> Result<Bytes> {
    UNSQUEEZER.with_borrow_mut(|context| {
        let context = prepare(context, Decompressor::new)?;
        let mut out = Vec::with_capacity(raw);
        context.decompress_to_buffer(packed, &mut out).map_err(Error::damaged)?;
        Ok(Bytes::from(out))
    })
}

/// Makes the thread's context at its first use. It fails only for want of memory.
fn prepare<T>(context: &mut Option<T>, make: impl FnOnce() -> std::io::Result<T>) -> Result<&mut T> {
    if context.is_none() {
        *context = Some(make().map_err(Error::unavailable)?);
    }
    context.as_mut().ok_or_else(|| Error::unavailable("no zstd context"))
}

/// A stored body whose chunk headers were read; its chunks are read on demand.
pub(crate) struct Body {
    source: Source,
    chunks: Vec<Chunk>,
    size: u64,
    headers: Hasher,
    seal: Check,
}

struct Chunk {
    at: u64,
    method: u8,
    stored: usize,
    raw: usize,
    check: Check,
}

impl Body {
    /// Reads the chunk headers and the trailer. What they say is to be trusted only after [`Self::check_seal`] or
    /// [`Self::each`].
    pub(crate) fn parse(source: Source) -> Result<Self> {
        if source.fetch(0, MAGIC.len())?[..] != MAGIC {
            return Err(Error::damaged("not a body of a known version"));
        }
        let (mut chunks, mut headers) = (Vec::new(), Hasher::new());
        let (mut at, mut size) = (MAGIC.len() as u64, 0);
        // Ends because every chunk takes room in a file whose length is known.
        while source.fetch(at, 1)?[0] != END {
            let header = source.fetch(at, CHUNK_HEADER)?;
            let chunk = Chunk::parse(at + CHUNK_HEADER as u64, &header)?;
            if size % CHUNK as u64 != 0 {
                return Err(Error::damaged("a chunk behind the last one"));
            }
            headers.update(&header);
            at = chunk.at + chunk.stored as u64;
            size += chunk.raw as u64;
            chunks.push(chunk);
        }
        let seal = trailer(&source, at, chunks.len(), size)?;
        Ok(Self { source, chunks, size, headers, seal })
    }

    /// Decoded length in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Where the stored bytes are.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether the chunk headers are those of this body.
    pub(crate) fn check_seal(&self, id: BlobId) -> Result<()> {
        let found = seal(&mut self.headers.clone(), id, self.chunks.len() as u32, self.size);
        if found == self.seal { Ok(()) } else { Err(Error::damaged(format!("the seal of body {id} does not fit"))) }
    }

    /// The decoded and verified bytes of one chunk, counted from 0.
    pub(crate) fn chunk(&self, index: usize) -> Result<Bytes> {
        self.decode(index).map(|(raw, _)| raw)
    }

    /// Hands out every chunk, decoded and verified, in order; returns the address that the whole has.
    pub(crate) fn each(&self, mut take: impl FnMut(Bytes)) -> Result<BlobId> {
        let mut whole = Hasher::new();
        let mut only = None;
        for index in 0..self.chunks.len() {
            let (raw, hash) = self.decode(index)?;
            match self.chunks.len() {
                1 => only = Some(hash),
                _ => _ = whole.update(&raw),
            }
            take(raw);
        }
        let id = BlobId(*only.unwrap_or_else(|| whole.finalize()).as_bytes());
        self.check_seal(id)?;
        Ok(id)
    }

    /// The whole body.
    pub(crate) fn read(&self, id: BlobId) -> Result<Bytes> {
        // First, so that no damaged length decides how much memory is asked for.
        self.check_seal(id)?;
        if self.chunks.len() == 1 {
            let mut only = Bytes::new();
            self.verify(id, |raw| only = raw)?;
            return Ok(only);
        }
        let mut out = Vec::with_capacity(usize::try_from(self.size).map_err(Error::unavailable)?);
        self.verify(id, |raw| out.extend_from_slice(&raw))?;
        Ok(Bytes::from(out))
    }

    /// As [`Self::each`], for a body that must have this address.
    pub(crate) fn verify(&self, id: BlobId, take: impl FnMut(Bytes)) -> Result<()> {
        let found = self.each(take)?;
        if found == id { Ok(()) } else { Err(Error::damaged(format!("the file of body {id} holds {found}"))) }
    }

    fn decode(&self, index: usize) -> Result<(Bytes, Hash)> {
        let chunk = self.chunks.get(index).ok_or_else(|| Error::damaged("no such chunk"))?;
        let stored = self.source.fetch(chunk.at, chunk.stored)?;
        let raw = if chunk.method == ZSTD { unsqueeze(&stored, chunk.raw)? } else { stored.clone() };
        let hash = blake3::hash(&raw);
        if raw.len() != chunk.raw || check(&stored, &hash) != chunk.check {
            return Err(Error::damaged(format!("chunk {index} does not verify")));
        }
        Ok((raw, hash))
    }
}

impl Chunk {
    fn parse(at: u64, header: &[u8]) -> Result<Self> {
        let mut check = Check::default();
        check.copy_from_slice(&header[9..CHUNK_HEADER]);
        let (method, stored, raw) = (header[0], number(&header[1..5]) as usize, number(&header[5..9]) as usize);
        let fits = match method {
            PLAIN => stored == raw,
            ZSTD => stored < raw,
            _ => false,
        };
        if !fits || raw == 0 || raw > CHUNK {
            return Err(Error::damaged("a chunk header makes no sense"));
        }
        Ok(Self { at, method, stored, raw, check })
    }
}

/// Compares the trailer with what was found before it; returns its seal.
fn trailer(source: &Source, at: u64, count: usize, size: u64) -> Result<Check> {
    let bytes = source.fetch(at, TRAILER)?;
    let agrees = number(&bytes[1..5]) == count as u64 && number(&bytes[5..13]) == size;
    if !agrees || at + TRAILER as u64 != source.len() || size > BODY {
        return Err(Error::damaged("the trailer does not fit the file"));
    }
    let mut seal = Check::default();
    seal.copy_from_slice(&bytes[13..]);
    Ok(seal)
}

/// A little-endian number of at most 8 bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
