use crate::support::{Place, TENANT, body};
use anser_base::TenantId;
use anser_blob::{Blobs, Durability, Prepared, form::CHUNK};
use std::fs;

const BOTH: [Durability; 2] = [Durability::Sync, Durability::Deferred];

#[test]
fn for_all_who_put_it() {
    let (place, prepared) = (Place::new(), Prepared::new(b"to all staff"));
    let blobs = place.blobs();
    blobs.put(TENANT, &prepared, Durability::Deferred).unwrap();
    let first = fs::metadata(place.file(prepared.id)).unwrap();
    place.disk.count("create");
    for durability in BOTH {
        blobs.put(TENANT, &prepared, durability).unwrap();
    }
    assert_eq!(place.disk.count("create"), 0);
    BOTH.iter().for_each(|durability| place.blobs().put(TENANT, &prepared, *durability).unwrap());
    assert_eq!(place.files().len(), 1);
    assert_eq!(first.len(), fs::metadata(place.file(prepared.id)).unwrap().len());
}

#[test]
fn for_a_stream_and_a_put_alike() {
    let (place, bytes) = (Place::new(), body(1, CHUNK + 1));
    let blobs = place.blobs();
    blobs.put(TENANT, &Prepared::new(&bytes), Durability::Sync).unwrap();
    let mut writer = blobs.writer(TENANT).unwrap();
    writer.write(&bytes).unwrap();
    writer.finish(Durability::Sync).unwrap();
    assert_eq!(place.files().len(), 1);
}

#[test]
fn but_tenants_share_nothing() {
    let (place, prepared) = (Place::new(), Prepared::new(b"secret"));
    let blobs = place.blobs();
    blobs.put(TENANT, &prepared, Durability::Sync).unwrap();
    assert!(!blobs.exists(TenantId(8), prepared.id).unwrap());
    blobs.put(TenantId(8), &prepared, Durability::Sync).unwrap();
    assert_eq!(place.files().len(), 2);
    blobs.delete(TENANT, prepared.id).unwrap();
    assert_eq!(blobs.read(TenantId(8), prepared.id).unwrap(), "secret");
}

#[test]
fn by_many_at_once() {
    let (place, prepared) = (Place::new(), Prepared::new(&body(2, 100_000)));
    let blobs = place.blobs();
    std::thread::scope(|scope| {
        for turn in 0..8 {
            let (blobs, prepared) = (&blobs, &prepared);
            scope.spawn(move || blobs.put(TENANT, prepared, BOTH[turn % 2]).unwrap());
        }
    });
    assert_eq!(place.files().len(), 1);
    assert_eq!(blobs.read(TENANT, prepared.id).unwrap(), body(2, 100_000));
}

/// A power cut after a deferred put may leave the name of a file without its bytes.
#[test]
fn a_torn_leftover_is_written_anew() {
    let bytes = body(3, 5000);
    let prepared = Prepared::new(&bytes);
    let torn: [&[u8]; 3] = [b"", &prepared.stored[..prepared.stored.len() / 2], &vec![0; prepared.stored.len()]];
    for (torn, durability) in torn.iter().flat_map(|torn| BOTH.map(|durability| (torn, durability))) {
        let place = Place::new();
        place.blobs().put(TENANT, &prepared, durability).unwrap();
        fs::write(place.file(prepared.id), torn).unwrap();
        let after_the_cut = place.blobs();
        after_the_cut.put(TENANT, &prepared, durability).unwrap();
        assert_eq!(after_the_cut.read(TENANT, prepared.id).unwrap(), bytes);
        assert_eq!(place.files().len(), 1);
    }
}

#[test]
fn a_torn_leftover_is_written_anew_by_a_stream() {
    let (place, bytes) = (Place::new(), body(4, 5000));
    let prepared = Prepared::new(&bytes);
    place.blobs().put(TENANT, &prepared, Durability::Deferred).unwrap();
    fs::write(place.file(prepared.id), b"").unwrap();
    streamed(&place.blobs(), &bytes);
    assert_eq!(place.blobs().read(TENANT, prepared.id).unwrap(), bytes);
}

#[test]
fn a_stream_that_is_given_up_leaves_nothing() {
    let (place, bytes) = (Place::new(), body(5, 2 * CHUNK));
    let mut writer = place.blobs().writer(TENANT).unwrap();
    writer.write(&bytes).unwrap();
    assert_eq!(place.files().len(), 1);
    drop(writer);
    assert!(place.files().is_empty());
}

#[test]
fn a_deleted_body_can_be_put_again() {
    let (place, prepared) = (Place::new(), Prepared::new(b"back again"));
    let blobs = place.blobs();
    for durability in BOTH {
        blobs.put(TENANT, &prepared, durability).unwrap();
        assert!(blobs.delete(TENANT, prepared.id).unwrap());
        blobs.put(TENANT, &prepared, durability).unwrap();
        assert_eq!(blobs.read(TENANT, prepared.id).unwrap(), "back again");
    }
}

fn streamed(blobs: &Blobs, bytes: &[u8]) {
    let mut writer = blobs.writer(TENANT).unwrap();
    writer.write(bytes).unwrap();
    writer.finish(Durability::Sync).unwrap();
}
