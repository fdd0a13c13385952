//! Bodies, by RETR: many asked for ahead where the server lets us (RFC 2449 §6.6). Answers come in the order of the questions.

use std::collections::VecDeque;

use anser_base::TenantId;
use anser_store::Store;
use anser_wire::pop3::MultilineDecoder;

use super::Pop3;
use crate::source::{Allowance, BODY, Batch, Incoming, Pour, room};
use crate::talk::Talk;
use crate::trouble::Trouble;

/// Messages that are asked for before the first of them came.
const AHEAD: usize = 50;

/// A body that arrives behind the `+OK` of RETR, piece by piece.
#[derive(Default)]
pub(super) struct Arriving {
    decoder: MultilineDecoder,
    piece: Vec<u8>,
    size: u64,
    is_over: bool,
}

impl Arriving {
    /// Its next piece, which may be empty; `None` after the last.
    pub async fn next(&mut self, talk: &mut Talk) -> Result<Option<&[u8]>, Trouble> {
        if self.is_over {
            return Ok(None);
        }
        self.piece.clear();
        let progress = self.decoder.push(talk.octets().await?, &mut self.piece);
        talk.used(progress.consumed);
        self.is_over = progress.done;
        self.size += self.piece.len() as u64;
        if self.size > BODY { Err(Trouble::lost("a message without end")) } else { Ok(Some(&self.piece)) }
    }
}

impl Pop3 {
    /// Hands on the message of this number. [`Trouble::Refused`] when the server does not.
    pub async fn pour(&mut self, number: u32, into: &mut Pour) -> Result<(), Trouble> {
        self.talk.say(format!("RETR {number}").as_bytes()).await?;
        let line = self.talk.line().await?;
        if !line.starts_with("+OK") {
            return Err(Trouble::Refused(line));
        }
        let mut arriving = Arriving::default();
        while let Some(octets) = arriving.next(&mut self.talk).await? {
            into.put(octets).await?;
        }
        Ok(())
    }
}

/// Bodies of the maildrop.
pub struct Fetcher<'a> {
    pop3: &'a mut Pop3,
    store: Store,
    tenant: TenantId,
    allowance: Allowance,
    batches: VecDeque<Vec<u32>>,
    /// Numbers that were not asked for yet.
    next: VecDeque<u32>,
    /// How many were, and were not answered.
    asked: usize,
}

impl<'a> Fetcher<'a> {
    /// Over a session; large bodies go to this tenant's bodies at once.
    pub fn new(pop3: &'a mut Pop3, store: Store, tenant: TenantId, allowance: Allowance) -> Self {
        Self { pop3, store, tenant, allowance, batches: VecDeque::new(), next: VecDeque::new(), asked: 0 }
    }

    /// Batches that did not come yet.
    pub fn under_way(&self) -> usize {
        self.batches.len()
    }

    /// Asks for some bodies.
    pub async fn ask(&mut self, numbers: Vec<u32>) -> Result<(), Trouble> {
        self.next.extend(&numbers);
        self.batches.push_back(numbers);
        self.fill().await
    }

    async fn fill(&mut self) -> Result<(), Trouble> {
        let most = if self.pop3.pipelines() { AHEAD } else { 1 };
        while self.asked < most
            && let Some(number) = self.next.pop_front()
        {
            self.pop3.talk.say(format!("RETR {number}").as_bytes()).await?;
            self.asked += 1;
        }
        Ok(())
    }

    /// The oldest batch; of the connection's end, what came of it until then.
    pub async fn receive(&mut self) -> Result<Batch, Trouble> {
        let mut batch = Batch { wanted: self.batches.pop_front().unwrap_or_default(), ..Batch::default() };
        for number in batch.wanted.clone() {
            match self.receive_one(number, &mut batch).await {
                Err(trouble @ (Trouble::Later { .. } | Trouble::Stopped)) => {
                    return Ok(Batch::broken(batch.wanted, batch.arrived, trouble));
                }
                other => other?,
            }
        }
        Ok(batch)
    }

    async fn receive_one(&mut self, number: u32, batch: &mut Batch) -> Result<(), Trouble> {
        let line = self.pop3.talk.line().await?;
        if line.starts_with("+OK") {
            let room = room(batch.arrived.values());
            let mut incoming = Incoming::begin(0, room, &self.store, self.tenant, &self.allowance);
            let mut arriving = Arriving::default();
            while let Some(octets) = arriving.next(&mut self.pop3.talk).await? {
                incoming.take(octets).await?;
            }
            batch.arrived.insert(number, incoming.end().await?);
        } else if line.starts_with("-ERR") {
            batch.refused = Some(line);
        } else {
            return Err(Trouble::lost(format!("RETR: {line}")));
        }
        self.asked -= 1;
        self.fill().await
    }
}
