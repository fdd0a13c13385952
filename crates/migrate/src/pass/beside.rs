//! Connections beside the first, for messages of a large folder whose UIDs are reserved: the order in which they are stored is of no matter,
//! so that whichever connection is free asks for what is next. The first one decides what becomes of the pass; one beside it that fails gives
//! back what it had asked for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;

use super::Pass;
use super::bring::{AHEAD, Bringing, Order};
use crate::throttle::Spare;
use crate::trouble::Trouble;

/// Connections beside the first, at most.
const BESIDE: usize = 3;
/// Batches that are left at least where one more connection is worth its login.
const LONG: usize = 6;
/// How often it is asked whether the old server has room for one more.
const AGAIN: Duration = Duration::from_secs(5);
/// For how long one finishes what it asked for when others need the room.
const GRACE: Duration = Duration::from_secs(10);

/// Gives room for one more connection, where there is some.
pub type Beside<'a> = dyn Fn() -> Option<Spare> + Sync + 'a;

/// Batches that nobody has asked for yet.
pub(super) struct Queue {
    left: Mutex<Left>,
    /// Told when few are left.
    short: Notify,
}

struct Left {
    batches: VecDeque<Vec<u32>>,
    /// No more connections than there are.
    is_enough: bool,
}

impl Queue {
    pub fn new(batches: Vec<Vec<u32>>) -> Self {
        Self { left: Mutex::new(Left { batches: batches.into(), is_enough: false }), short: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch.
    pub fn next(&self) -> Option<Vec<u32>> {
        let mut left = self.lock();
        let next = left.batches.pop_front();
        if left.batches.len() < LONG {
            self.short.notify_one();
        }
        next
    }

    /// More behind the others.
    pub fn put(&self, batches: Vec<Vec<u32>>) {
        self.lock().batches.extend(batches);
    }

    /// What a connection had asked for when it ended; no other is opened beside the first after one that failed.
    fn give_back(&self, asked: Vec<Vec<u32>>, has_failed: bool) {
        let mut left = self.lock();
        left.is_enough |= has_failed;
        asked.into_iter().rev().for_each(|batch| left.batches.push_front(batch));
    }

    /// Nothing more is to be asked for.
    pub fn close(&self) {
        self.lock().batches.clear();
        self.short.notify_one();
    }

    fn has_enough_for_one_more(&self) -> bool {
        let left = self.lock();
        !left.is_enough && left.batches.len() >= LONG
    }
}

impl Pass<'_> {
    /// Keeps as many connections beside the first as the old server has room for, until few batches are left. An error is trouble of our
    /// own.
    pub(super) async fn beside(&self, all: &Bringing<'_, '_>) -> Result<(), Trouble> {
        let keeps_order = all.how.order == Order::Ascending;
        let Some(room) = self.beside.filter(|_| !self.careful && !keeps_order) else { return Ok(()) };
        let (mut open, mut first) = (FuturesUnordered::new(), Ok(()));
        loop {
            while open.len() < BESIDE
                && all.queue.has_enough_for_one_more()
                && let Some(spare) = room()
            {
                open.push(self.fetch_beside(spare, all));
            }
            if open.is_empty() && !all.queue.has_enough_for_one_more() {
                return first;
            }
            tokio::select! {
                Some(ended) = open.next(), if !open.is_empty() => {
                    if ended.is_err() {
                        all.queue.close();
                    }
                    first = first.and(ended);
                }
                () = all.queue.short.notified() => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    async fn fetch_beside(&self, spare: Spare, all: &Bringing<'_, '_>) -> Result<(), Trouble> {
        let mut asked = Vec::new();
        let ended = self.try_beside(&spare, all, &mut asked).await;
        all.queue.give_back(asked, ended.is_err());
        match ended {
            Err(trouble @ Trouble::Own(_)) => Err(trouble),
            Err(trouble) => {
                tracing::info!(why = trouble.words(), "a connection beside the first ended early");
                spare.refused(&trouble.words());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn try_beside(
        &self,
        spare: &Spare,
        all: &Bringing<'_, '_>,
        asked: &mut Vec<Vec<u32>>,
    ) -> Result<(), Trouble> {
        let Some(reopen) = self.reopen else { return Ok(()) };
        let mut origin = reopen().await?;
        if origin.examine(&all.ledger.name).await?.uidvalidity != all.ledger.uidvalidity {
            return Err(Trouble::lost("the folder was numbered anew"));
        }
        let mut fetcher = self.fetcher(&mut origin);
        fetcher.spare(all.spared.clone());
        loop {
            while fetcher.under_way() < AHEAD
                && !spare.is_wanted_back()
                && let Some(batch) = all.queue.next()
            {
                asked.push(batch.clone());
                fetcher.ask(batch).await?;
            }
            if fetcher.under_way() == 0 {
                break;
            }
            let batch = tokio::select! {
                batch = fetcher.receive() => batch?.whole()?,
                // What it had asked for is given back.
                () = overdue(spare) => return Ok(()),
            };
            asked.retain(|one| one != &batch.wanted);
            self.take_in(all, batch).await?;
            if self.watch.is_stopped() {
                return Ok(());
            }
            let pause = self.watch.pause();
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        drop(fetcher);
        origin.leave().await;
        Ok(())
    }
}

/// Until others have needed the room for a while.
async fn overdue(spare: &Spare) {
    loop {
        tokio::time::sleep(GRACE).await;
        if spare.is_wanted_back() {
            return;
        }
    }
}
