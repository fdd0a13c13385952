//! The power may go, or the process be killed, at any step of making segments and merging them: afterwards searches find what looking
//! through every text finds, and the index is made to the end.

use std::sync::Arc;

use anser_base::{Clock, Timestamp};
use anser_blob::Blobs;
use anser_db::{Db, Embedded, Engine};
use anser_store::{Deps, Store};
use anser_testkit::sim::{Fault, Plan, SimDisk};

use crate::fixture::{ANN, TENANT, runtime, schemas};
use crate::searches_find_what_a_plain_search_finds::{compare, fill};

/// Segments that are there before the crash: one more, and they are merged.
const SEGMENTS: usize = 3;
/// Crashes, spread over the steps.
const CRASHES: u64 = 60;

fn open(disk: &SimDisk) -> Store {
    let mut engine = Embedded::new("/srv/data", Arc::new(disk.clone()));
    engine.vfs = Some(disk.vfs_name().to_owned());
    let db = Db::open(Engine::Embedded(engine), schemas()).unwrap();
    let blobs = Blobs::new(Arc::new(disk.clone()), "/srv/data/blobs".into());
    Store::new(Deps { db, blobs, clock: Clock::manual(Timestamp::from_secs(1_800_000_000)) })
}

fn texts(segment: usize) -> Vec<String> {
    let text = |n: usize| format!("Subject: report {segment}\r\n\r\nnumber{n} 第{n}封 common words of {segment}\r\n");
    (0..5).map(|n| text(segment * 5 + n)).collect()
}

fn index_all(store: &Store) -> anser_base::Result<()> {
    while store.index_some(ANN, TENANT)?.more {}
    Ok(())
}

#[test]
fn at_any_step() {
    let needles = ["number1", "第8", "封", "common words", "er7", "report 3"].map(str::to_owned);
    // The steps of a run in which nothing goes wrong.
    let mut whole = None;
    for crash in 0..=CRASHES {
        let disk = SimDisk::new(crash);
        let mut store = open(&disk);
        let mut ids = Vec::new();
        for segment in 0..=SEGMENTS {
            ids.extend(runtime().block_on(fill(&store, &texts(segment))));
            if segment < SEGMENTS {
                index_all(&store).unwrap();
            }
        }
        let start = disk.steps();
        let Some(span) = whole else {
            index_all(&store).unwrap();
            whole = Some(disk.steps() - start);
            continue;
        };
        let fault = [Fault::PowerCut, Fault::TornWrite, Fault::Kill][crash as usize % 3];
        disk.set_plan(Plan::new().at(start + span * (crash - 1) / CRASHES, fault));
        assert!(index_all(&store).is_err() && disk.is_dead(), "crash {crash} of {span} steps");
        drop(store);
        disk.power_on();
        store = open(&disk);
        runtime().block_on(compare(&store, &ids, &needles));
        index_all(&store).unwrap();
        runtime().block_on(compare(&store, &ids, &needles));
    }
}
