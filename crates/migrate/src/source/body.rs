//! A body on its way from a source to where bodies are: small ones in memory, large ones through a thread that writes.

use std::collections::HashMap;
use std::fmt;

use anser_base::{BlobId, Durability, Error, Result, TenantId};
use anser_store::{BodyWriter, Content, LedgerKey, Store};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::allowance::{Allowance, Held};
use crate::trouble::Trouble;

/// Octets of one message at most, as the store of bodies takes them.
pub const BODY: u64 = 4 * 1024 * 1024 * 1024;
/// A body up to this size, in bytes, travels in memory.
pub const IN_MEMORY: u64 = 1024 * 1024;
/// Bodies that wait in memory for the rest of their request, in bytes together: whatever sizes a source told before.
const TOGETHER: u64 = 16 * 1024 * 1024;
/// The last octets of a body on its way to the disk, by which the rest of it is known when it comes over another connection.
pub const SEAM: usize = 4 * 1024;
/// Pieces of a body that lie between the source and the disk.
const PIECES: usize = 8;

/// A body that arrived.
#[derive(Debug)]
pub enum Taken {
    /// In memory.
    Memory(Vec<u8>),
    /// Put where bodies are, not yet durable.
    Stored(Box<Content>),
    /// It was not asked for, since its bytes are here.
    Here(Known),
}

/// A message whose bytes are here, and the row of the ledger that says so.
#[derive(Clone, Debug)]
pub struct Known {
    /// BLAKE3 of the bytes.
    pub content: BlobId,
    /// How many.
    pub size: u64,
    /// The folder of the row.
    pub folder: LedgerKey,
    /// Its key.
    pub key: Vec<u8>,
}

/// Messages whose bytes are here, by where they stand in their folder.
pub type Spared = HashMap<u32, Known>;

/// How large a body may be that still travels in memory beside these.
pub fn room<'a>(arrived: impl Iterator<Item = &'a Taken>) -> u64 {
    let held = |taken: &Taken| if let Taken::Memory(body) = taken { body.len() as u64 } else { 0 };
    TOGETHER.saturating_sub(arrived.map(held).sum()).min(IN_MEMORY)
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets of {} at {}", self.incoming.came, self.size, self.at)
    }
}

/// A body that is arriving. One that does not come to [`Self::end`] is thrown away.
pub struct Incoming {
    store: Store,
    tenant: TenantId,
    way: Way,
    /// Bytes that may travel in memory.
    room: u64,
    held: Held,
    /// Octets that came, and the last of them.
    came: u64,
    seam: Vec<u8>,
}

enum Way {
    Memory(Vec<u8>),
    Disk(mpsc::Sender<Bytes>, JoinHandle<Result<Content>>),
}

/// A body whose connection broke in the middle.
pub struct Partial {
    /// Where its message stands.
    pub at: u32,
    /// What came of it.
    pub incoming: Incoming,
    /// How long it was announced to be.
    pub size: u64,
}

impl Incoming {
    /// One of about so many octets; in memory where there is [`room`], and as long as it is allowed.
    pub fn begin(size: u64, room: u64, store: &Store, tenant: TenantId, allowance: &Allowance) -> Self {
        let way = match size <= room {
            true => Way::Memory(Vec::with_capacity(size as usize)),
            false => to_disk(store, tenant),
        };
        Self { store: store.clone(), tenant, way, room, held: allowance.begin(), came: 0, seam: Vec::new() }
    }

    /// Its next octets. Errors as `Held::take`.
    pub async fn take(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        self.held.take(octets.len() as u64)?;
        self.came += octets.len() as u64;
        if let Way::Memory(body) = &mut self.way {
            if (body.len() + octets.len()) as u64 <= self.room {
                body.extend_from_slice(octets);
                return Ok(());
            }
            let begun = Bytes::from(std::mem::take(body));
            self.way = to_disk(&self.store, self.tenant);
            self.write(begun).await;
        }
        self.seam.extend_from_slice(&octets[octets.len().saturating_sub(SEAM)..]);
        self.seam.drain(..self.seam.len().saturating_sub(SEAM));
        self.write(Bytes::copy_from_slice(octets)).await;
        Ok(())
    }

    /// Octets that came so far, and the last `SEAM` of them, where they are on the disk and worth going on from.
    pub fn seam(&self) -> Option<(u64, &[u8])> {
        (matches!(self.way, Way::Disk(..)) && self.seam.len() == SEAM).then_some((self.came, &self.seam[..]))
    }

    async fn write(&mut self, octets: Bytes) {
        // An empty piece says that the body is whole. When the writer gave up, its reason comes at the end.
        if let Way::Disk(pieces, _) = &self.way
            && !octets.is_empty()
        {
            drop(pieces.send(octets).await);
        }
    }

    /// All of it came.
    pub async fn end(self) -> Result<Taken, Trouble> {
        let taken = match self.way {
            Way::Memory(body) => Taken::Memory(body),
            Way::Disk(pieces, writing) => {
                drop(pieces.send(Bytes::new()).await);
                Taken::Stored(Box::new(writing.await.map_err(Error::unavailable)??))
            }
        };
        self.held.keep();
        Ok(taken)
    }
}

fn to_disk(store: &Store, tenant: TenantId) -> Way {
    let (pieces, incoming) = mpsc::channel(PIECES);
    let store = store.clone();
    let writing = tokio::task::spawn_blocking(move || write(store.body_writer(tenant)?, incoming));
    Way::Disk(pieces, writing)
}

fn write(mut body: BodyWriter, mut incoming: mpsc::Receiver<Bytes>) -> Result<Content> {
    while let Some(piece) = incoming.blocking_recv() {
        if piece.is_empty() {
            return body.finish(Durability::Deferred);
        }
        body.write(&piece)?;
    }
    Err(Error::unavailable("a body ended early"))
}
