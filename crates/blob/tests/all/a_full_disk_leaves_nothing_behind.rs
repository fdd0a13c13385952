use crate::support::{Place, TENANT, body};
use anser_base::Class;
use anser_blob::{Durability, Prepared, form::CHUNK};
use std::io::ErrorKind;

#[test]
fn of_a_put() {
    for call in ["create_dir_all", "create", "append", "sync", "rename"] {
        let (place, prepared) = (Place::new(), Prepared::new(b"no room"));
        let blobs = place.blobs();
        place.disk.fail(call, ErrorKind::StorageFull);
        assert_eq!(blobs.put(TENANT, &prepared, Durability::Sync).unwrap_err().class, Class::Full, "{call}");
        assert!(place.files().is_empty(), "{call}");
        place.disk.heal();
        blobs.put(TENANT, &prepared, Durability::Sync).unwrap();
        assert_eq!(blobs.read(TENANT, prepared.id).unwrap(), "no room");
    }
}

#[test]
fn of_a_stream_whose_later_calls_fail_too() {
    let (place, bytes) = (Place::new(), body(1, 2 * CHUNK));
    let blobs = place.blobs();
    let mut writer = blobs.writer(TENANT).unwrap();
    place.disk.fail("append", ErrorKind::QuotaExceeded);
    assert_eq!(writer.write(&bytes).unwrap_err().class, Class::Full);
    place.disk.heal();
    assert!(writer.finish(Durability::Sync).is_err());
    assert!(place.files().is_empty());
}
