use crate::support::{Place, TENANT, body};
use anser_base::{Class, TenantId};
use anser_blob::{Durability, Prepared, form::CHUNK};
use std::fs;

#[test]
fn and_passes_what_is_good() {
    let place = Place::new();
    let blobs = place.blobs();
    let bodies: Vec<_> = [10, CHUNK + 1, 500, 600].iter().map(|len| Prepared::new(&body(1, *len))).collect();
    for (number, prepared) in bodies.iter().enumerate() {
        blobs.put(TenantId(number as u64 % 2), prepared, Durability::Deferred).unwrap();
    }
    let flipped = place.file(bodies[1].id);
    let mut stored = fs::read(&flipped).unwrap();
    let middle = stored.len() / 2;
    stored[middle] ^= 1;
    fs::write(&flipped, stored).unwrap();
    fs::write(place.file(bodies[2].id), b"").unwrap();

    let mut seen = Vec::new();
    let strange = blobs.verify_all(&mut |checked| {
        let class = checked.verdict.err().map(|error| error.class);
        seen.push((checked.tenant, checked.id, checked.size, class));
    });
    assert!(strange.unwrap().is_empty());
    seen.sort_by_key(|one| one.1);
    let expected =
        [(0, 10, None), (1, CHUNK as u64 + 1, Some(Class::Damaged)), (2, 0, Some(Class::Damaged)), (3, 600, None)];
    let mut expected = expected.map(|(at, size, class)| (TenantId(at as u64 % 2), bodies[at].id, size, class)).to_vec();
    expected.sort_by_key(|one| one.1);
    assert_eq!(seen, expected);
}

#[test]
fn and_names_that_do_not_belong_here() {
    let place = Place::new();
    let blobs = place.blobs();
    let prepared = Prepared::new(b"here");
    blobs.put(TENANT, &prepared, Durability::Deferred).unwrap();
    let file = place.file(prepared.id);
    let hex = prepared.id.to_hex();
    let tenant = place.root().join("7");
    let foreign = [
        place.root().join("007"),
        place.root().join("notes"),
        tenant.join("XYZ"),
        tenant.join("+12"),
        file.with_file_name("copy of a body"),
        file.with_file_name(hex.to_uppercase()),
        file.with_file_name("0".repeat(64)),
    ];
    foreign.iter().for_each(|path| fs::write(path, b"?").unwrap());
    let mut bodies = 0;
    let mut strange = blobs.verify_all(&mut |_| bodies += 1).unwrap();
    strange.sort();
    let mut foreign = foreign.to_vec();
    foreign.sort();
    assert_eq!((bodies, strange), (1, foreign));
}
