use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anser_base::{Entropy, EntryId};
use anser_db::{Db, Embedded, Engine};
use anser_queue::{Act, Deps, Lease, Outcome, Queue, Settlement};
use anser_testkit::sim::{Plan, SimDisk};

use crate::fixture::{SCHEMAS, START, body, envelope, retry, runtime, text_of};

/// Seeds, each with a crash of its own.
const CRASHES: u64 = 300;
/// Steps of the disk among which the crash falls.
const STEPS: u64 = 250;
/// Things done before giving up on a crash.
const ACTS: usize = 120;

/// What a life of the server knows it was promised.
#[derive(Default)]
struct Ledger {
    put: BTreeMap<EntryId, String>,
    /// Settled durably.
    gone: BTreeSet<EntryId>,
    /// Settled, but not synced: may come back.
    perhaps: BTreeSet<EntryId>,
}

#[test]
fn acknowledged_entries_survive_and_settled_ones_stay_away() {
    for seed in 0..CRASHES {
        let disk = SimDisk::new(seed);
        disk.set_plan(Plan::seeded(seed, 0, STEPS));
        let mut ledger = Ledger::default();
        runtime().block_on(live(&disk, seed, &mut ledger));
        disk.set_plan(Plan::new());
        if !disk.is_dead() {
            disk.power_cut();
        }
        disk.power_on();
        runtime().block_on(examine(&disk, seed, &ledger));
    }
}

async fn open(disk: &SimDisk) -> anser_base::Result<Queue> {
    let mut engine = Embedded::new("/data", Arc::new(disk.clone()));
    engine.vfs = Some(disk.vfs_name().to_owned());
    engine.workers = 1;
    let db = Db::open(Engine::Embedded(engine), SCHEMAS)?;
    Queue::open(Deps { db, clock: anser_base::Clock::manual(START), name: None }).await
}

async fn live(disk: &SimDisk, seed: u64, ledger: &mut Ledger) {
    let Ok(queue) = open(disk).await else { return };
    let dice = Entropy::seeded(seed);
    let mut leases = Vec::new();
    for act in 0..ACTS {
        if disk.is_dead() {
            break;
        }
        match dice.below(8) {
            0..4 => put_some(&queue, &dice, act, ledger).await,
            4 | 5 => leases.extend(queue.try_next_due().await.ok().flatten()),
            6 if !leases.is_empty() => settle(&queue, leases.swap_remove(0), &dice, ledger).await,
            _ => settle_after_sync(&queue, &mut leases, ledger).await,
        }
    }
    // What is in somebody's hands at the end stays there: nothing is given back in good order.
    let _ = queue.close().await;
}

async fn put_some(queue: &Queue, dice: &Entropy, act: usize, ledger: &mut Ledger) {
    let texts: Vec<String> =
        (0..=dice.below(3)).map(|n| format!("{act}.{n} ").repeat(dice.below(3000) as usize + 1)).collect();
    let puts = texts.iter().map(|text| queue.put(envelope(&["ann@anser.test", "ben@far.test"]), body(text)));
    // Submitted together, so that they share a commit.
    let puts: Vec<_> = puts.collect();
    for (outcome, text) in join_all(puts).await.into_iter().zip(texts) {
        if let Ok(id) = outcome {
            assert!(ledger.put.insert(id, text).is_none(), "{id} was used twice");
        }
    }
}

async fn join_all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pinned.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

async fn settle(queue: &Queue, lease: Lease, dice: &Entropy, ledger: &mut Ledger) {
    let plan = match dice.below(2) {
        0 => lease.all_done(),
        _ => lease.plan([(0, Outcome::Done), (1, retry())], START),
    };
    let settled = queue.settle(&lease, &plan, Vec::new()).await.is_ok();
    if plan.due().is_none() {
        let list = if settled { &mut ledger.gone } else { &mut ledger.perhaps };
        list.insert(lease.id);
    }
}

async fn settle_after_sync(queue: &Queue, leases: &mut Vec<Lease>, ledger: &mut Ledger) {
    let batch: Vec<Settlement> = leases.drain(..).map(Settlement::done).collect();
    ledger.perhaps.extend(batch.iter().map(|settlement| settlement.lease.id));
    let _ = queue.settle_after_sync(&batch).await;
}

async fn examine(disk: &SimDisk, seed: u64, ledger: &Ledger) {
    let queue = open(disk).await.expect("the queue opens after a crash");
    let mut found = BTreeSet::new();
    for id in all(&queue).await {
        queue.act(id, &Act::Retry).await.unwrap();
    }
    while let Some(lease) = queue.try_next_due().await.unwrap() {
        assert!(found.insert(lease.id), "seed {seed}: {} came twice", lease.id);
        assert!(lease.redelivery, "seed {seed}: {} may have been attempted", lease.id);
        assert!(!ledger.gone.contains(&lease.id), "seed {seed}: {} came back", lease.id);
        if let Some(text) = ledger.put.get(&lease.id) {
            assert_eq!(text_of(&lease), text, "seed {seed}");
        }
        queue.settle(&lease, &lease.all_done(), Vec::new()).await.unwrap();
    }
    for id in ledger.put.keys() {
        let accounted = found.contains(id) || ledger.gone.contains(id) || ledger.perhaps.contains(id);
        assert!(accounted, "seed {seed}: {id} is lost");
    }
    let newest = ledger.put.keys().max().copied().unwrap_or(EntryId(0));
    assert!(crate::fixture::put(&queue, "next").await > newest, "seed {seed}: a number is used again");
}

async fn all(queue: &Queue) -> Vec<EntryId> {
    let page = queue.list(anser_queue::Filter::default(), None, 10_000).await.unwrap();
    assert_eq!(page.next, None);
    page.entries.into_iter().map(|entry| entry.id).collect()
}
