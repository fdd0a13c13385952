use crate::support::{Place, TENANT, body};
use anser_base::Class;
use anser_blob::{Durability, Prepared};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;

#[test]
fn a_sync_put_syncs_the_file_its_folder_and_new_folders() {
    let (place, prepared) = (Place::new(), Prepared::new(b"1"));
    let blobs = place.blobs();
    blobs.put(TENANT, &prepared, Durability::Sync).unwrap();
    // The folder of the file, the tenant's, the root and what holds the root.
    assert_eq!((place.disk.count("sync"), place.disk.count("sync_dir")), (1, 4));
    blobs.delete(TENANT, prepared.id).unwrap();
    blobs.put(TENANT, &prepared, Durability::Sync).unwrap();
    assert_eq!((place.disk.count("sync"), place.disk.count("sync_dir")), (1, 1));
    blobs.put(TENANT, &prepared, Durability::Sync).unwrap();
    assert_eq!((place.disk.count("sync"), place.disk.count("sync_dir")), (0, 0));
}

#[test]
fn deferred_puts_share_one_sync() {
    let place = Place::new();
    let blobs = place.blobs();
    for seed in 0..20 {
        blobs.put(TENANT, &Prepared::new(&body(seed, 100)), Durability::Deferred).unwrap();
    }
    assert_eq!((place.disk.count("sync"), place.disk.count("sync_dir"), place.disk.count("sync_all")), (0, 0, 0));
    blobs.sync_all().unwrap();
    assert_eq!(place.disk.count("sync_all"), 1);
    blobs.sync_all().unwrap();
    assert_eq!(place.disk.count("sync_all"), 0, "nothing was left to do");
    blobs.put(TENANT, &Prepared::new(&body(3, 100)), Durability::Sync).unwrap();
    assert_eq!(place.disk.count("sync"), 0, "it is known to be durable");
}

#[test]
fn a_sync_put_does_not_lean_on_a_deferred_one() {
    let (place, prepared) = (Place::new(), Prepared::new(b"2"));
    let blobs = place.blobs();
    blobs.put(TENANT, &prepared, Durability::Deferred).unwrap();
    blobs.put(TENANT, &prepared, Durability::Sync).unwrap();
    assert_eq!(place.disk.count("sync"), 1);
    assert!(place.disk.count("sync_dir") > 0);
}

/// It may read well only because the kernel still has in memory what a failed sync did not bring to the disk.
#[test]
fn a_put_does_not_lean_on_what_an_earlier_process_left() {
    let (place, prepared) = (Place::new(), Prepared::new(b"3"));
    let inode = || std::fs::metadata(place.file(prepared.id)).unwrap().ino();
    place.blobs().put(TENANT, &prepared, Durability::Deferred).unwrap();
    for durability in [Durability::Sync, Durability::Deferred] {
        let before = inode();
        let next = place.blobs();
        next.put(TENANT, &prepared, durability).unwrap();
        next.sync_all().unwrap();
        assert_ne!(inode(), before);
        assert_eq!(place.disk.count("sync"), 1);
    }
}

/// Only durable bytes may take the place of what may be another's durable put.
#[test]
fn a_deferred_put_that_replaces_a_file_syncs_its_bytes_first() {
    let (place, prepared) = (Place::new(), Prepared::new(b"4"));
    place.blobs().put(TENANT, &prepared, Durability::Deferred).unwrap();
    std::fs::write(place.file(prepared.id), b"torn").unwrap();
    place.disk.count("sync");
    place.blobs().put(TENANT, &prepared, Durability::Deferred).unwrap();
    assert_eq!(place.disk.count("sync"), 1);
}

/// After a failed sync the kernel may call the pages clean though they are nowhere: the same file must not be trusted.
#[test]
fn after_a_failed_sync_the_bytes_are_written_to_a_new_file() {
    let (place, prepared) = (Place::new(), Prepared::new(b"5"));
    let inode = || std::fs::metadata(place.file(prepared.id)).unwrap().ino();
    let blobs = place.blobs();
    blobs.put(TENANT, &prepared, Durability::Deferred).unwrap();
    let first = inode();
    place.disk.fail("sync_all", ErrorKind::Other);
    assert_eq!(blobs.sync_all().unwrap_err().class, Class::Unavailable);
    place.disk.heal();
    place.disk.count("sync");
    blobs.sync_all().unwrap();
    assert_ne!(inode(), first);
    assert_eq!(place.disk.count("sync"), 1);
    assert_eq!(blobs.read(TENANT, prepared.id).unwrap(), "5");
}

#[test]
fn a_put_after_a_failed_sync_is_a_new_file_too() {
    for (call, durability) in [("sync_all", Durability::Deferred), ("sync", Durability::Sync)] {
        let (place, prepared) = (Place::new(), Prepared::new(b"6"));
        let inode = || std::fs::metadata(place.file(prepared.id)).unwrap().ino();
        let blobs = place.blobs();
        blobs.put(TENANT, &prepared, Durability::Deferred).unwrap();
        let first = inode();
        place.disk.fail(call, ErrorKind::Other);
        let done = blobs.put(TENANT, &prepared, durability).and_then(|()| blobs.sync_all());
        assert_eq!(done.unwrap_err().class, Class::Unavailable);
        place.disk.heal();
        blobs.put(TENANT, &prepared, durability).unwrap();
        assert_ne!(inode(), first);
    }
}

#[test]
fn a_sync_put_fails_when_the_name_cannot_be_made_durable() {
    let (place, prepared) = (Place::new(), Prepared::new(b"7"));
    let blobs = place.blobs();
    place.disk.fail("sync_dir", ErrorKind::Other);
    assert!(blobs.put(TENANT, &prepared, Durability::Sync).is_err());
    assert!(blobs.put(TENANT, &prepared, Durability::Sync).is_err());
    place.disk.heal();
    blobs.put(TENANT, &prepared, Durability::Sync).unwrap();
    blobs.sync_all().unwrap();
    assert_eq!(place.files().len(), 1);
}

#[test]
fn a_body_deleted_before_its_sync_does_not_hold_up_the_others() {
    let (place, gone, kept) = (Place::new(), Prepared::new(b"8"), Prepared::new(b"9"));
    let blobs = place.blobs();
    blobs.put(TENANT, &gone, Durability::Deferred).unwrap();
    blobs.put(TENANT, &kept, Durability::Deferred).unwrap();
    place.disk.fail("sync_all", ErrorKind::Other);
    assert!(blobs.sync_all().is_err());
    place.disk.heal();
    std::fs::remove_file(place.file(gone.id)).unwrap();
    blobs.sync_all().unwrap();
    assert_eq!(blobs.read(TENANT, kept.id).unwrap(), "9");
}
