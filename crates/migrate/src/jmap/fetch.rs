//! Bodies, by download (RFC 8620 §6.2), one after the other.

use std::collections::VecDeque;
use std::sync::Arc;

use anser_base::TenantId;
use anser_net::http::client::Body;
use anser_store::Store;
use bytes::Bytes;
use tokio::time::timeout;

use super::Jmap;
use super::connection::well;
use super::folder::Blob;
use crate::halt;
use crate::source::{Allowance, Batch, Incoming, Pour, room};
use crate::trouble::Trouble;
use crate::web;

/// Octets of one message, beyond which the server is given up.
const BODY: u64 = 4 * 1024 * 1024 * 1024;

/// Bodies of the open mailbox.
pub struct Fetcher<'a> {
    jmap: &'a mut Jmap,
    blobs: Arc<Vec<Blob>>,
    store: Store,
    tenant: TenantId,
    allowance: Allowance,
    batches: VecDeque<Vec<u32>>,
}

impl<'a> Fetcher<'a> {
    /// Over a session; large bodies go to this tenant's bodies at once.
    pub fn new(jmap: &'a mut Jmap, store: Store, tenant: TenantId, allowance: Allowance) -> Self {
        let blobs = jmap.open.blobs.clone();
        Self { jmap, blobs, store, tenant, allowance, batches: VecDeque::new() }
    }

    /// Batches that did not come yet.
    pub fn under_way(&self) -> usize {
        self.batches.len()
    }

    /// Notes which bodies are wanted.
    pub fn ask(&mut self, wanted: Vec<u32>) {
        self.batches.push_back(wanted);
    }

    /// The oldest batch; of the connection's end, what came of it until then.
    pub async fn receive(&mut self) -> Result<Batch, Trouble> {
        let mut batch = Batch { wanted: self.batches.pop_front().unwrap_or_default(), ..Batch::default() };
        let blobs = self.blobs.clone();
        for at in &batch.wanted {
            let Some(blob) = (*at as usize).checked_sub(1).and_then(|at| blobs.get(at)) else { continue };
            let room = room(batch.arrived.values());
            match self.download(blob, room).await {
                Ok(incoming) => drop(batch.arrived.insert(*at, incoming.end().await?)),
                Err(Trouble::Refused(why)) => batch.refused = Some(why),
                Err(trouble @ (Trouble::Later { .. } | Trouble::Stopped)) => {
                    return Ok(Batch::broken(batch.wanted, batch.arrived, trouble));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(batch)
    }

    async fn download(&mut self, blob: &Blob, room: u64) -> Result<Incoming, Trouble> {
        let mut arriving = self.jmap.download(blob).await?;
        let mut incoming = Incoming::begin(0, room, &self.store, self.tenant, &self.allowance);
        while let Some(piece) = arriving.next().await? {
            incoming.take(&piece).await?;
        }
        Ok(incoming)
    }
}

/// A body that arrives, piece by piece.
struct Arriving {
    body: Body,
    wanted: u64,
    size: u64,
}

impl Arriving {
    /// Its next piece; `None` after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Trouble> {
        let piece = halt::answer(timeout(web::ANSWER, self.body.next())).await?;
        let piece = piece.map_err(|_| Trouble::lost("a body stands still"))?;
        let Some(piece) = piece.map_err(|error| Trouble::lost(error.chain()))? else {
            // An answer that ends with its connection cannot be told from one that was cut off, but by the size (RFC 8621 §4.1.1).
            return match self.size < self.wanted {
                true => Err(Trouble::Refused(format!("a message of {} octets came as {}", self.wanted, self.size))),
                false => Ok(None),
            };
        };
        self.size += piece.len() as u64;
        if self.size > BODY { Err(Trouble::lost("a message without end")) } else { Ok(Some(piece)) }
    }
}

impl Jmap {
    async fn download(&mut self, blob: &Blob) -> Result<Arriving, Trouble> {
        let request = self.download_of(&blob.id)?;
        let (head, body) = self.download.0.send(request).await?.into_parts();
        well(head.status, &head.headers)?;
        Ok(Arriving { body, wanted: blob.size, size: 0 })
    }

    /// Hands on the message at this place of the open mailbox.
    pub async fn pour(&mut self, at: u32, into: &mut Pour) -> Result<(), Trouble> {
        let blobs = self.open.blobs.clone();
        let blob = (at as usize).checked_sub(1).and_then(|at| blobs.get(at));
        let mut arriving = self.download(blob.ok_or_else(|| Trouble::Refused("it is no longer there".into()))?).await?;
        while let Some(piece) = arriving.next().await? {
            into.put(&piece).await?;
        }
        Ok(())
    }
}
