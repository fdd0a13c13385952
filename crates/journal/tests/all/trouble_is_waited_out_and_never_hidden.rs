use std::sync::Arc;

use anser_base::Class;
use anser_db::{Db, Embedded, Engine};
use anser_journal::{Deps, Journal, Query, Verdict};
use anser_testkit::sim::{Plan, SimDisk};

use crate::fixture::{Data, SCHEMAS, accepted, runtime, started};

fn data(disk: &SimDisk) -> Data {
    let mut engine = Embedded::new("/data", Arc::new(disk.clone()));
    engine.vfs = Some(disk.vfs_name().to_owned());
    engine.workers = 1;
    Data::new(Engine::Embedded(engine))
}

#[test]
fn on_a_full_disk_an_act_is_not_answered_and_plain_events_wait() {
    runtime().block_on(async {
        let disk = SimDisk::new(3);
        let journal = data(&disk).journal().await;
        journal.append_durable(started()).await.unwrap();
        disk.set_full(true);
        journal.append(accepted(1, "kept@far.test", "ann@anser.test")).await.unwrap();
        let refused = journal.append_durable(started()).await;
        assert_eq!(refused.unwrap_err().class, Class::Full);
        disk.set_full(false);
        journal.flush().await.unwrap();
        assert_eq!(journal.verify().await.unwrap(), Verdict { events: 2, broken: None });
        assert_eq!(journal.trace(Query::Any("kept@far.test".into()), 9).await.unwrap().len(), 1);
    });
}

#[test]
fn after_a_crash_the_chain_is_whole_and_has_what_was_durable() {
    for seed in 0..150 {
        let disk = SimDisk::new(seed);
        let data = data(&disk);
        disk.set_plan(Plan::seeded(seed, 0, 150));
        let durable = runtime().block_on(live(&data, &disk));
        disk.set_plan(Plan::new());
        if !disk.is_dead() {
            disk.power_cut();
        }
        disk.power_on();
        runtime().block_on(async {
            let journal = data.journal().await;
            let verdict = journal.verify().await.unwrap();
            assert_eq!(verdict.broken, None, "seed {seed}");
            assert!(verdict.events >= durable, "seed {seed}: {} of {durable}", verdict.events);
            journal.append_durable(started()).await.unwrap();
            assert_eq!(journal.verify().await.unwrap().events, verdict.events + 1, "seed {seed}");
        });
    }
}

/// Appends until the disk dies; tells how many events were durable at least.
async fn live(data: &Data, disk: &SimDisk) -> u64 {
    let Ok(db) = Db::open(data.engine.clone(), SCHEMAS) else { return 0 };
    let deps = Deps { db, clock: data.clock.clone(), node: 0, months: Default::default() };
    let Ok(journal) = Journal::open(deps).await else { return 0 };
    let mut durable = 0;
    for round in 0..40 {
        data.clock.advance(std::time::Duration::from_secs(3 * 86_400));
        let (plain, act) = (accepted(round, "m@far.test", "ann@anser.test"), started());
        if disk.is_dead() || journal.append(plain).await.is_err() {
            break;
        }
        // After a failure that was no crash, life goes on.
        if journal.append_durable(act).await.is_ok() {
            durable += 1;
        }
    }
    durable
}
