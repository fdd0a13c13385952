//! A message is written piece by piece, so that what it holds need not fit into memory.

use std::collections::HashMap;

use anser_base::{Durability, Error, Result, TenantId};
use anser_mime::build::{BASE64_LINE, Headers, base64_lines};
use anser_store::{BodyWriter, Content as Stored, Store};

use super::create::blob_not_found;
use super::parts::{Content, Part};
use crate::blob::{Blob, Reader};
use crate::error::SetError;

/// Bytes of a blob that are encoded at once.
const PIECE: usize = BASE64_LINE * 4_096;

/// Why a message is not written to its end.
enum Stop {
    Refused(SetError),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Writes a message of at most so many bytes and stores its body: `tooLarge` beyond them, `blobNotFound` where a blob has no such part.
/// Blocks on the disk.
pub(super) fn write(
    store: &Store,
    tenant: TenantId,
    headers: Headers,
    body: &Part,
    blobs: &HashMap<String, Blob>,
    most: u64,
) -> Result<std::result::Result<Stored, SetError>> {
    let mut writer = Writer { out: store.body_writer(tenant)?, store, tenant, blobs, most };
    let written = writer.put(headers.structured("MIME-Version", "1.0").as_bytes()).and_then(|()| writer.part(body));
    match written {
        Ok(()) => writer.out.finish(Durability::Sync).map(Ok),
        Err(Stop::Refused(error)) => Ok(Err(error)),
        Err(Stop::Failed(error)) => Err(error),
    }
}

struct Writer<'a> {
    out: BodyWriter,
    store: &'a Store,
    tenant: TenantId,
    blobs: &'a HashMap<String, Blob>,
    most: u64,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> std::result::Result<(), Stop> {
        if self.out.size() + bytes.len() as u64 > self.most {
            return Err(Stop::Refused(SetError::new("tooLarge", "").with("maxSize", self.most)));
        }
        Ok(self.out.write(bytes)?)
    }

    fn part(&mut self, part: &Part) -> std::result::Result<(), Stop> {
        self.put(part.headers.as_bytes())?;
        match &part.content {
            Content::Text(bytes) => {
                self.put(b"\r\n")?;
                self.put(bytes)
            }
            Content::Blob { id, is_message: true } => self.as_it_is(id),
            Content::Blob { id, is_message: false } => self.encoded(id),
            Content::Multipart { boundary, parts } => {
                self.put(b"\r\n")?;
                for part in parts {
                    self.put(format!("--{boundary}\r\n").as_bytes())?;
                    self.part(part)?;
                    self.put(b"\r\n")?;
                }
                self.put(format!("--{boundary}--\r\n").as_bytes())
            }
        }
    }

    fn open(&self, id: &str) -> std::result::Result<Reader, Stop> {
        let reader = match self.blobs.get(id) {
            Some(blob) => Reader::open(self.store, self.tenant, blob)?,
            None => None,
        };
        reader.ok_or_else(|| Stop::Refused(blob_not_found(vec![id.to_owned()])))
    }

    fn encoded(&mut self, id: &str) -> std::result::Result<(), Stop> {
        self.put(b"Content-Transfer-Encoding: base64\r\n\r\n")?;
        let (mut reader, mut waiting) = (self.open(id)?, Vec::with_capacity(PIECE));
        while let Some(piece) = reader.next()? {
            waiting.extend_from_slice(&piece);
            let whole = waiting.len() / BASE64_LINE * BASE64_LINE;
            if whole >= PIECE {
                self.put(&base64_lines(&waiting[..whole]))?;
                waiting.drain(..whole);
            }
        }
        self.put(&base64_lines(&waiting))
    }

    fn as_it_is(&mut self, id: &str) -> std::result::Result<(), Stop> {
        let (mut reader, mut is_ascii) = (self.open(id)?, true);
        while let Some(piece) = reader.next()? {
            is_ascii &= piece.is_ascii();
        }
        let label = if is_ascii { "7bit" } else { "8bit" };
        self.put(format!("Content-Transfer-Encoding: {label}\r\n\r\n").as_bytes())?;
        let mut reader = self.open(id)?;
        while let Some(piece) = reader.next()? {
            self.put(&piece)?;
        }
        Ok(())
    }
}
