//! Case 19: the disk or the mailbox here is full in the middle of a pass. The pass ends with the reason, what came stays, and once there is
//! room the rest comes, each message once.

use std::sync::Arc;

use anser_base::{Class, Clock, Timestamp};
use anser_blob::Blobs;
use anser_db::{Db, Embedded, Engine, Schemas};
use anser_migrate::pass::{Pass, Watcher};
use anser_migrate::source::Origin;
use anser_migrate::trouble::Trouble;
use anser_store::{SCHEMA, SEARCH_SCHEMA, Store};
use anser_testkit::engines::NO_SCHEMAS;
use anser_testkit::sim::SimDisk;
use anser_wire::Secret;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::{ANN, Quiet, TENANT, each_house, held};

const ALL: u32 = 600;

fn start() -> Fake {
    // Every second UID, so that few make a batch.
    let mails = (0..ALL).map(|n| mail(2 * n + 1, "", &format!("message {n} {}", "x".repeat(500)))).collect();
    Fake::start(vec![folder("INBOX", mails)], Habits::default())
}

/// Fills the disk once something came.
struct Filler(SimDisk);

impl Watcher for Filler {
    fn total(&self, _: u64) {}
    fn done(&self, messages: u64, _: u64) {
        self.0.set_full(messages > 0);
    }
    fn is_stopped(&self) -> bool {
        false
    }
}

#[test]
fn a_full_disk_loses_and_doubles_nothing() {
    let (disk, fake) = (SimDisk::new(19), start());
    let config = Embedded { vfs: Some(disk.vfs_name().to_owned()), ..Embedded::new("/data", Arc::new(disk.clone())) };
    let schemas = Schemas { account: SCHEMA, search: SEARCH_SCHEMA, ..NO_SCHEMAS };
    let db = Db::open(Engine::Embedded(config), schemas).unwrap();
    let blobs = Blobs::new(Arc::new(disk.clone()), "/blobs".into());
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    let store = Store::new(anser_store::Deps { db, blobs, clock });
    let run = async |number: u32, watch: &(dyn Watcher + Sync)| {
        let mut origin = Origin::open(&fake.source(), "ann", Some(&Secret::new(b"secret".to_vec()))).await.unwrap();
        let (tenant, account, id, profile) = (TENANT, ANN, 1, anser_migrate::profile::of("generic"));
        let (limit, losses_are_meant, careful, store) = (None, false, false, store.clone());
        let (places, allowance, read, overlap) = Default::default();
        Pass {
            store,
            tenant,
            account,
            id,
            profile,
            number,
            limit,
            allowance,
            places,
            read,
            names: Default::default(),
            overlap,
            losses_are_meant,
            rule: Default::default(),
            careful,
            patient: true,
            reopen: None,
            beside: None,
            choice: Default::default(),
            watch,
        }
        .run(&mut origin)
        .await
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        store.ensure(ANN).await.unwrap();
        for number in 1..=3 {
            match run(number, &Filler(disk.clone())).await {
                Err(Trouble::Own(error)) => assert_eq!(error.class, Class::Full),
                other => panic!("{other:?}"),
            }
            let came = held(&store, ANN, TENANT).await.remove("INBOX").map_or(0, |all| all.len());
            assert!((1..ALL as usize).contains(&came), "{came} came");
            disk.set_full(false);
        }
        run(4, &Quiet::default()).await.unwrap();
        let uids: Vec<u32> = held(&store, ANN, TENANT).await["INBOX"].iter().map(|one| one.0).collect();
        assert_eq!(uids, (0..ALL).map(|n| 2 * n + 1).collect::<Vec<_>>());
    });
}

#[test]
fn a_full_mailbox_takes_what_fits_and_the_rest_when_there_is_room() {
    each_house(async |house| {
        let fake = start();
        for quota in [100_000, 100_000, 200_000] {
            match house.pass_within(&fake, quota).await {
                Err(Trouble::Own(error)) => assert_eq!(error.class, Class::OverQuota),
                other => panic!("{other:?}"),
            }
            let used = house.store.read(ANN, |tx| Ok(tx.used())).await.unwrap();
            assert!((1..=quota).contains(&used), "{used} of {quota}");
        }
        house.settle(&fake, 1).await;
        assert_eq!(house.uids("INBOX").await, (0..ALL).map(|n| 2 * n + 1).collect::<Vec<_>>());
    });
}
