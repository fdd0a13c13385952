//! Messages on their way out. While one is written, the next are read, so that a client that fetches them in order waits for neither
//! the database nor the disk.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use anser_base::{AccountId, Error, MessageId, Result, TenantId};
use anser_store::{Body, Message, Store};
use anser_wire::pop3::has_whole_line_ends;
use bytes::Bytes;
use memchr::memchr2_iter;
use tokio::task::{JoinHandle, spawn_blocking};

/// Largest message that is held whole, in bytes.
pub(crate) const WHOLE: u64 = 128 * 1024;
/// Bytes of a larger message that are read at once.
const PIECE: usize = 128 * 1024;
/// Messages read ahead at once, and their bytes together.
const BATCH: usize = 64;
const BATCH_BYTES: u64 = 256 * 1024;
/// The next batch is read when no more than this many messages of the one before are left.
const LOW: usize = 16;

/// A message as it was found.
pub(crate) enum Found {
    /// All of it.
    Whole(Bytes),
    /// Its row; the body is read in pieces.
    Large(Message),
}

impl Found {
    /// Octets that are sent, dot-stuffing left out; of a large message those that are stored.
    pub fn size(&self) -> u64 {
        match self {
            Self::Whole(bytes) => (bytes.len() + bare_line_ends(bytes)) as u64,
            Self::Large(message) => message.size(),
        }
    }
}

/// CR and LF that stand alone: each goes out as CRLF.
fn bare_line_ends(bytes: &[u8]) -> usize {
    if has_whole_line_ends(bytes) {
        return 0;
    }
    memchr2_iter(b'\r', b'\n', bytes)
        .filter(|at| match bytes[*at] {
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => *at == 0 || bytes[at - 1] != b'\r',
        })
        .count()
}

/// Something that may be asked for next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub number: u32,
    pub message: MessageId,
    pub size: u64,
}

/// Where messages come from, and what was read ahead.
pub(crate) struct Bodies {
    store: Store,
    account: AccountId,
    tenant: TenantId,
    ready: VecDeque<(u32, Found)>,
    coming: Option<Coming>,
    /// The number that was asked for last.
    last: u32,
    /// Whether it was the one behind the number before.
    in_order: bool,
}

struct Coming {
    numbers: RangeInclusive<u32>,
    batch: JoinHandle<Vec<(u32, Found)>>,
}

impl Bodies {
    pub fn new(store: Store, account: AccountId, tenant: TenantId) -> Self {
        Self { store, account, tenant, ready: VecDeque::new(), coming: None, last: 0, in_order: false }
    }

    /// A message; `Class::NotFound` when it is gone, `Class::Damaged` when its body is.
    pub async fn get(&mut self, number: u32, message: MessageId) -> Result<Found> {
        self.in_order = self.last > 0 && number == self.last + 1;
        self.last = number;
        if let Some(found) = self.take(number) {
            return Ok(found);
        }
        if let Some(coming) = self.coming.take_if(|coming| coming.numbers.contains(&number)) {
            self.ready = coming.batch.await.map_err(Error::unavailable)?.into();
            if let Some(found) = self.take(number) {
                return Ok(found);
            }
        }
        if !self.in_order {
            self.ready.clear();
            self.coming = None;
        }
        // What could not be read ahead is tried once more by itself, for its own error.
        self.one(message).await
    }

    fn take(&mut self, number: u32) -> Option<Found> {
        while self.ready.front().is_some_and(|(ready, _)| *ready < number) {
            self.ready.pop_front();
        }
        self.ready.pop_front_if(|(ready, _)| *ready == number).map(|(_, found)| found)
    }

    async fn one(&self, id: MessageId) -> Result<Found> {
        let found = self.store.read(self.account, move |tx| tx.message(id)).await?;
        let message = found.ok_or_else(|| Error::not_found("the message is gone", "邮件已不存在"))?;
        let (store, tenant) = (self.store.clone(), self.tenant);
        spawn_blocking(move || open(&store, tenant, message)).await.map_err(Error::unavailable)?
    }

    /// Reads on behind what is ready, when the client fetches in order. `following` gives the messages from a number on.
    pub fn read_ahead<I: Iterator<Item = Next>>(&mut self, following: impl FnOnce(u32) -> I) {
        if self.coming.is_some() || self.ready.len() > LOW || !self.in_order {
            return;
        }
        let from = self.ready.back().map_or(self.last, |(number, _)| *number) + 1;
        let mut bytes = 0;
        let wanted: Vec<Next> = following(from)
            .take(BATCH)
            .take_while(|next| {
                bytes += if next.size > WHOLE { 0 } else { next.size };
                bytes <= BATCH_BYTES
            })
            .collect();
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return };
        let numbers = first.number..=last.number;
        let batch = tokio::spawn(batch(self.store.clone(), self.account, self.tenant, wanted));
        self.coming = Some(Coming { numbers, batch });
    }

    /// Opens a large message for reading in pieces.
    pub fn pieces(&self, message: Message) -> Pieces {
        let (store, tenant) = (self.store.clone(), self.tenant);
        let open = move || read_piece(store.body(tenant, &message)?, 0);
        Pieces { reading: Some(spawn_blocking(open)), offset: 0 }
    }
}

/// Whatever of these can be read.
async fn batch(store: Store, account: AccountId, tenant: TenantId, wanted: Vec<Next>) -> Vec<(u32, Found)> {
    let rows = store.read(account, move |tx| {
        let ids: Vec<MessageId> = wanted.iter().map(|next| next.message).collect();
        let found = wanted.iter().zip(tx.messages_of(&ids)?);
        Ok(found.filter_map(|(next, message)| Some((next.number, message?))).collect::<Vec<_>>())
    });
    let Ok(rows) = rows.await else { return Vec::new() };
    let open_all = move || {
        let opened = rows.into_iter().map(|(number, message)| Some((number, open(&store, tenant, message).ok()?)));
        opened.flatten().collect()
    };
    spawn_blocking(open_all).await.unwrap_or_default()
}

/// Blocks on the disk.
fn open(store: &Store, tenant: TenantId, mut message: Message) -> Result<Found> {
    if message.size() <= WHOLE {
        return store.load(tenant, &message).map(Found::Whole);
    }
    (message.summary, message.structure) = (Vec::new(), Vec::new());
    Ok(Found::Large(message))
}

/// A large message, piece by piece; the next piece is read while the last one is written.
pub(crate) struct Pieces {
    reading: Option<JoinHandle<Result<(Body, Bytes)>>>,
    offset: u64,
}

impl Pieces {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(reading) = self.reading.take() else { return Ok(None) };
        let (body, piece) = reading.await.map_err(Error::unavailable)??;
        self.offset += piece.len() as u64;
        if self.offset < body.size() {
            let offset = self.offset;
            self.reading = Some(spawn_blocking(move || read_piece(body, offset)));
        }
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }
}

fn read_piece(mut body: Body, offset: u64) -> Result<(Body, Bytes)> {
    let piece = body.read_at(offset, PIECE)?;
    Ok((body, piece))
}

#[cfg(test)]
mod tests {
    use anser_wire::pop3::MultilineEncoder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn retr_says_what_it_sends(letters in prop::collection::vec(prop::sample::select(b"a\r\n".to_vec()), 0..40)) {
            let message = [&letters[..], b"\r\n"].concat();
            let (mut encoder, mut sent) = (MultilineEncoder::new(), Vec::new());
            encoder.push(&message, &mut sent);
            encoder.finish(&mut sent);
            let size = Found::Whole(message.into()).size();
            prop_assert_eq!(size, (sent.len() - b".\r\n".len()) as u64);
        }
    }
}
