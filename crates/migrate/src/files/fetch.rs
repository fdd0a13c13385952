//! Bodies from files: each batch on a thread of its own.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use anser_base::{Durability, Error, Result, TenantId};
use anser_store::{BodyWriter, Store};
use tokio::task::JoinHandle;

use super::{Files, Mail, Place, read};
use crate::source::{BODY, Batch, Taken, room};
use crate::trouble::Trouble;

/// Why a message is left where it is.
const TOO_LARGE: &str = "it is larger than what can be kept";

/// Bodies of the open folder.
pub struct Fetcher {
    open: Arc<Vec<Mail>>,
    store: Store,
    tenant: TenantId,
    under_way: VecDeque<Reading>,
}

enum Reading {
    Now(JoinHandle<Result<Batch>>),
    /// A file that can only be gone through is not gone through by two at once.
    InTurn(Vec<u32>),
}

impl Fetcher {
    /// Over an open folder; large bodies go to this tenant's bodies at once.
    pub fn new(files: &Files, store: Store, tenant: TenantId) -> Self {
        Self { open: files.opened(), store, tenant, under_way: VecDeque::new() }
    }

    /// Batches that did not come yet.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Begins to read some bodies.
    pub fn ask(&mut self, wanted: Vec<u32>) {
        let in_turn = self.open.first().is_some_and(|mail| matches!(mail.place, Place::Member(_)));
        let reading = if in_turn { Reading::InTurn(wanted) } else { Reading::Now(self.read(wanted)) };
        self.under_way.push_back(reading);
    }

    fn read(&self, wanted: Vec<u32>) -> JoinHandle<Result<Batch>> {
        let (open, store, tenant) = (self.open.clone(), self.store.clone(), self.tenant);
        tokio::task::spawn_blocking(move || read_all(&open, wanted, &store, tenant))
    }

    /// The oldest batch.
    pub async fn receive(&mut self) -> Result<Batch, Trouble> {
        let reading = match self.under_way.pop_front() {
            Some(Reading::Now(reading)) => reading,
            Some(Reading::InTurn(wanted)) => self.read(wanted),
            None => return Ok(Batch::default()),
        };
        Ok(reading.await.map_err(Error::unavailable)??)
    }
}

fn read_all(open: &[Mail], wanted: Vec<u32>, store: &Store, tenant: TenantId) -> Result<Batch> {
    let mut batch = Batch { wanted, ..Batch::default() };
    for at in &batch.wanted {
        let Some(mail) = (*at as usize).checked_sub(1).and_then(|at| open.get(at)) else { continue };
        if mail.size() > BODY {
            batch.refused = Some(TOO_LARGE.to_owned());
            continue;
        }
        let room = room(batch.arrived.values());
        let mut body = Body { store, tenant, room, size: 0, memory: Vec::new(), disk: None, own: None };
        let read = read::body(&mail.place, &mut |octets| body.take(octets));
        match (read, body.own.take()) {
            (_, Some(own)) => return Err(own),
            (Ok(ends), None) => {
                batch.arrived.insert(*at, body.end()?);
                batch.ends.extend(ends.map(|ends| (*at, ends)));
            }
            (Err(error), None) => batch.refused = Some(error.to_string()),
        }
    }
    Ok(batch)
}

/// A body on its way.
struct Body<'a> {
    store: &'a Store,
    tenant: TenantId,
    /// Bytes that may travel in memory.
    room: u64,
    /// What came of it. Of what is made of a file nobody knows the size before.
    size: u64,
    memory: Vec<u8>,
    disk: Option<BodyWriter>,
    /// Trouble that is ours, not the file's.
    own: Option<Error>,
}

impl Body<'_> {
    fn take(&mut self, octets: &[u8]) -> io::Result<()> {
        self.size += octets.len() as u64;
        if self.size > BODY {
            return Err(io::Error::other(TOO_LARGE));
        }
        if self.disk.is_none() && (self.memory.len() + octets.len()) as u64 <= self.room {
            self.memory.extend_from_slice(octets);
            return Ok(());
        }
        self.write(octets).map_err(|error| {
            self.own = Some(error);
            io::Error::other("a body cannot be kept")
        })
    }

    fn write(&mut self, octets: &[u8]) -> Result<()> {
        let disk = match &mut self.disk {
            Some(disk) => disk,
            None => {
                let mut disk = self.store.body_writer(self.tenant)?;
                disk.write(&std::mem::take(&mut self.memory))?;
                self.disk.insert(disk)
            }
        };
        disk.write(octets)
    }

    fn end(self) -> Result<Taken> {
        Ok(match self.disk {
            Some(disk) => Taken::Stored(Box::new(disk.finish(Durability::Deferred)?)),
            None => Taken::Memory(self.memory),
        })
    }
}
