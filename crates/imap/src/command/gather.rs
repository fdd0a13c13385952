//! A message on its way in, in pieces: in memory while it is small, else on its way to the disk.

use anser_base::{Durability, Error, Result, TenantId, limits};
use anser_store::{BodyWriter, Content, Store};

use crate::reply::{Reply, Trouble};
use crate::session::Session;

/// A message as far as it has come.
pub(super) struct Gathered {
    store: Store,
    tenant: TenantId,
    /// Octets so far.
    size: u64,
    /// Octets that it may have.
    limit: u64,
    waiting: Vec<u8>,
    writer: Option<Box<BodyWriter>>,
}

impl Gathered {
    /// An empty message for this tenant, of which about so many octets will come.
    pub fn new(session: &Session, tenant: TenantId, expected: u64) -> Self {
        let store = session.deps.store.clone();
        let limit = session.deps.limits.message_size;
        let waiting = Vec::with_capacity(expected.min(limits::INLINE_BODY as u64) as usize);
        Self { store, tenant, size: 0, limit, waiting, writer: None }
    }

    /// Octets so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Refuses with TOOBIG what is more than a message may have (RFC 4469 §3, RFC 7889 §4).
    pub fn admit(&self, more: u64) -> std::result::Result<(), Reply> {
        match self.size.saturating_add(more) > self.limit {
            true => Err(Reply::no("TOOBIG", "The message is too large")),
            false => Ok(()),
        }
    }

    /// Takes the next piece.
    pub async fn add(&mut self, piece: &[u8]) -> std::result::Result<(), Trouble> {
        self.admit(piece.len() as u64)?;
        self.size += piece.len() as u64;
        self.waiting.extend_from_slice(piece);
        if self.waiting.len() > limits::INLINE_BODY {
            self.write().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<()> {
        let (store, tenant) = (self.store.clone(), self.tenant);
        let (writer, mut waiting) = (self.writer.take(), std::mem::take(&mut self.waiting));
        let written = blocking(move || {
            let mut writer = match writer {
                Some(writer) => writer,
                None => Box::new(store.body_writer(tenant)?),
            };
            writer.write(&waiting)?;
            waiting.clear();
            Ok((writer, waiting))
        });
        let (writer, waiting) = written.await?;
        (self.writer, self.waiting) = (Some(writer), waiting);
        Ok(())
    }

    /// Stores the body, durable.
    pub async fn finish(self) -> Result<Content> {
        blocking(move || match self.writer {
            None => self.store.put_body(self.tenant, &self.waiting, Durability::Sync),
            Some(mut writer) => {
                writer.write(&self.waiting)?;
                writer.finish(Durability::Sync)
            }
        })
        .await
    }
}

/// Runs what blocks on the disk away from the reactor.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R> {
    tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
}
