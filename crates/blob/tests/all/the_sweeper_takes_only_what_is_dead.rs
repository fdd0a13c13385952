use crate::support::{Place, TENANT, body};
use anser_base::{BlobId, Clock, Error, Timestamp};
use anser_blob::{Blobs, Durability, Prepared, Sweeper, Swept};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);
const GRACE: Duration = Duration::from_secs(6 * 3600);

fn now() -> Timestamp {
    Clock::System.now()
}

fn put(blobs: &Blobs, seed: u64) -> Prepared {
    let prepared = Prepared::new(&body(seed, 1000));
    blobs.put(TENANT, &prepared, Durability::Deferred).unwrap();
    prepared
}

/// Makes a file as old as a day.
fn age(path: &Path) {
    fs::File::open(path).unwrap().set_modified(SystemTime::now() - 24 * HOUR).unwrap();
}

fn look(sweeper: &mut Sweeper, blobs: &Blobs, live: &[BlobId]) -> Swept {
    sweeper.look(blobs, now(), &mut |tenant, id| Ok(tenant == TENANT && live.contains(&id))).unwrap()
}

#[test]
fn after_the_grace_period_and_a_second_look() {
    let (place, mut sweeper) = (Place::new(), Sweeper::new(GRACE));
    let blobs = place.blobs();
    let (live, dead) = (put(&blobs, 1), put(&blobs, 2));
    let swept = look(&mut sweeper, &blobs, &[live.id]);
    assert_eq!((swept.files, swept.waiting, swept.deleted), (2, 0, 0), "all are young");
    place.files().iter().for_each(|path| age(path));
    let swept = look(&mut sweeper, &blobs, &[live.id]);
    assert_eq!((swept.files, swept.waiting, swept.deleted), (2, 1, 0), "first look at an old one");
    let swept = look(&mut sweeper, &blobs, &[live.id]);
    let freed = dead.stored.len() as u64;
    assert_eq!((swept.deleted, swept.freed, swept.waiting), (1, freed, 0));
    assert_eq!(swept.bytes, freed + live.stored.len() as u64);
    assert!(blobs.exists(TENANT, live.id).unwrap());
    assert!(!blobs.exists(TENANT, dead.id).unwrap());
}

#[test]
fn not_what_was_referred_to_at_the_last_look() {
    let (place, mut sweeper) = (Place::new(), Sweeper::new(GRACE));
    let blobs = place.blobs();
    let body = put(&blobs, 1);
    age(&place.file(body.id));
    for live in [&[][..], &[body.id], &[]] {
        assert_eq!(look(&mut sweeper, &blobs, live).deleted, 0);
    }
    assert_eq!(look(&mut sweeper, &blobs, &[]).deleted, 1);
}

/// The put found the file, its row is not committed yet: the second look must leave it.
#[test]
fn not_what_was_put_again_or_refreshed_meanwhile() {
    let acts: [fn(&Blobs, &Prepared); 4] = [
        |blobs, body| blobs.put(TENANT, body, Durability::Sync).unwrap(),
        |blobs, body| blobs.put(TENANT, body, Durability::Deferred).unwrap(),
        |blobs, body| blobs.refresh(TENANT, body.id).unwrap(),
        |blobs, body| {
            let mut writer = blobs.writer(TENANT).unwrap();
            writer.write(&body.raw().unwrap()).unwrap();
            writer.finish(Durability::Sync).unwrap();
        },
    ];
    for act in acts {
        let (place, mut sweeper) = (Place::new(), Sweeper::new(GRACE));
        let blobs = place.blobs();
        let body = put(&blobs, 1);
        age(&place.file(body.id));
        assert_eq!(look(&mut sweeper, &blobs, &[]).waiting, 1);
        act(&blobs, &body);
        assert_eq!(look(&mut sweeper, &blobs, &[]).deleted, 0);
        assert!(blobs.exists(TENANT, body.id).unwrap());
    }
}

/// The put comes between the sweeper's question and its deletion.
#[test]
fn not_what_is_put_while_it_asks() {
    let (place, mut sweeper) = (Place::new(), Sweeper::new(GRACE));
    let blobs = place.blobs();
    let body = put(&blobs, 1);
    age(&place.file(body.id));
    look(&mut sweeper, &blobs, &[]);
    let mut put_meanwhile = |tenant, _| {
        blobs.put(tenant, &body, Durability::Sync).unwrap();
        Ok(false)
    };
    assert_eq!(sweeper.look(&blobs, now(), &mut put_meanwhile).unwrap().deleted, 0);
    assert_eq!(blobs.read(TENANT, body.id).unwrap(), body.raw().unwrap());
}

/// What counts is when the references were collected, not when the file is looked at.
#[test]
fn not_what_was_young_when_the_references_were_collected() {
    let (place, mut sweeper) = (Place::new(), Sweeper::new(GRACE));
    let blobs = place.blobs();
    let body = put(&blobs, 1);
    age(&place.file(body.id));
    let long_ago = Timestamp(now().0 - 20 * 3_600_000);
    for _ in 0..3 {
        let swept = sweeper.look(&blobs, long_ago, &mut |_, _| Ok(false)).unwrap();
        assert_eq!((swept.waiting, swept.deleted), (0, 0));
    }
}

#[test]
fn a_body_put_after_its_deletion_is_written_again() {
    let (place, mut sweeper) = (Place::new(), Sweeper::new(GRACE));
    let blobs = place.blobs();
    let body = put(&blobs, 1);
    blobs.sync_all().unwrap();
    age(&place.file(body.id));
    look(&mut sweeper, &blobs, &[]);
    assert_eq!(look(&mut sweeper, &blobs, &[]).deleted, 1);
    blobs.put(TENANT, &body, Durability::Sync).unwrap();
    assert_eq!(blobs.read(TENANT, body.id).unwrap(), body.raw().unwrap());
}

#[test]
fn nothing_when_the_references_are_not_known() {
    let (place, mut sweeper) = (Place::new(), Sweeper::new(GRACE));
    let blobs = place.blobs();
    let body = put(&blobs, 1);
    age(&place.file(body.id));
    look(&mut sweeper, &blobs, &[]);
    assert!(sweeper.look(&blobs, now(), &mut |_, _| Err(Error::unavailable("a file is locked"))).is_err());
    assert!(blobs.exists(TENANT, body.id).unwrap());
}

#[test]
fn stale_temporary_files_but_nothing_foreign() {
    let (place, mut sweeper) = (Place::new(), Sweeper::new(GRACE));
    let mut crashed = place.blobs().writer(TENANT).unwrap();
    crashed.write(b"half a message").unwrap();
    std::mem::forget(crashed);
    let blobs = place.blobs();
    let kept = put(&blobs, 1);
    let mut own = blobs.writer(TENANT).unwrap();
    let foreign = place.root().join("7").join("readme.txt");
    fs::write(&foreign, "do not touch").unwrap();
    assert_eq!(look(&mut sweeper, &blobs, &[kept.id]).stale, 0, "it may be of a process that ends just now");
    place.files().iter().for_each(|path| age(path));
    let swept = look(&mut sweeper, &blobs, &[kept.id]);
    assert_eq!((swept.stale, swept.strange), (1, 1));
    assert!(foreign.exists());
    own.write(b"slow, but alive").unwrap();
    let (id, _) = own.finish(Durability::Sync).unwrap();
    assert_eq!(blobs.read(TENANT, id).unwrap(), "slow, but alive");
}

#[test]
fn an_empty_store_is_swept_in_peace() {
    let place = Place::new();
    assert_eq!(look(&mut Sweeper::new(GRACE), &place.blobs(), &[]), Swept::default());
}
