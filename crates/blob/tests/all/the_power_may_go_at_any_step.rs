use crate::support::{TENANT, body};
use anser_base::{BlobId, Class, Disk, Entropy};
use anser_blob::{Blobs, Durability, Prepared};
use anser_testkit::sim::{Plan, SimDisk};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Different bodies, few enough that they meet again.
const BODIES: u64 = 12;
/// Crashes that one disk lives through.
const LIVES: u64 = 6;
/// Acts of one life when nothing ends it before.
const ACTS: usize = 40;

/// One disk through several crashes, and what it owes.
struct World {
    disk: SimDisk,
    dice: Entropy,
    /// Acknowledged as durable.
    owed: BTreeSet<u64>,
    /// Put, and waiting for a sync.
    waiting: BTreeSet<u64>,
}

fn content(number: u64) -> Vec<u8> {
    body(number, 300 * number as usize)
}

impl World {
    fn live(&mut self) {
        let blobs = Blobs::new(Arc::new(self.disk.clone()), PathBuf::from("/data/blobs"));
        self.waiting.clear();
        self.look_back(&blobs);
        for _ in 0..ACTS {
            self.act(&blobs);
        }
    }

    /// After a crash everything owed is there; the rest is whole, missing, or known to be damaged, and nothing else.
    fn look_back(&self, blobs: &Blobs) {
        for number in 0..BODIES {
            let raw = content(number);
            match blobs.read(TENANT, BlobId::of(&raw)) {
                Ok(found) => assert_eq!(found, raw),
                Err(error) => {
                    assert!(matches!(error.class, Class::NotFound | Class::Damaged), "{}", error.chain());
                    assert!(!self.owed.contains(&number), "body {number} is lost: {}", error.chain());
                }
            }
        }
    }

    fn act(&mut self, blobs: &Blobs) {
        let number = self.dice.below(BODIES);
        let raw = content(number);
        let durability = if self.dice.below(3) == 0 { Durability::Sync } else { Durability::Deferred };
        let done = match self.dice.below(6) {
            0 => return self.sync(blobs),
            1 if !self.owed.contains(&number) => {
                self.waiting.remove(&number);
                return drop(blobs.delete(TENANT, BlobId::of(&raw)));
            }
            2 => blobs.writer(TENANT).and_then(|mut writer| {
                writer.write(&raw)?;
                writer.finish(durability).map(drop)
            }),
            _ => blobs.put(TENANT, &Prepared::new(&raw), durability),
        };
        if done.is_ok() {
            if durability == Durability::Sync { &mut self.owed } else { &mut self.waiting }.insert(number);
            assert!(self.disk.is_dead() || blobs.read(TENANT, BlobId::of(&raw)).unwrap() == raw);
        }
    }

    fn sync(&mut self, blobs: &Blobs) {
        if blobs.sync_all().is_ok() {
            self.owed.append(&mut self.waiting);
        }
    }
}

#[test]
fn and_what_was_acknowledged_is_there() {
    for seed in 0..100 {
        let disk = SimDisk::new(seed);
        disk.create_dir_all("/data".as_ref()).unwrap();
        disk.sync_dir("/".as_ref()).unwrap();
        let mut world = World { disk, dice: Entropy::seeded(seed), owed: BTreeSet::new(), waiting: BTreeSet::new() };
        for life in 0..LIVES {
            let plan = Plan::seeded(seed * LIVES + life, world.disk.steps(), 150);
            world.disk.set_plan(plan);
            world.live();
            world.disk.power_on();
        }
        world.disk.set_plan(Plan::new());
        world.live();
        assert_eq!(world.disk.files().iter().filter(|path| path.extension().is_none()).count() as u64, world.bodies());
    }
}

impl World {
    /// Files with a final name, one for each body that is there.
    fn bodies(&self) -> u64 {
        let blobs = Blobs::new(Arc::new(self.disk.clone()), PathBuf::from("/data/blobs"));
        (0..BODIES).filter(|number| blobs.exists(TENANT, BlobId::of(&content(*number))).unwrap()).count() as u64
    }
}
