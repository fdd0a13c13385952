use crate::support::{Place, TENANT, body};
use anser_base::{BlobId, Class};
use anser_blob::{BlobReader, BlobWriter, Blobs, Durability, Prepared, form::CHUNK, reader::READ};
use proptest::prelude::*;

/// Lengths where something changes: nothing, one byte, the buffered head of a file, the chunk's edge, several chunks.
fn lengths() -> impl Strategy<Value = usize> {
    let edges = [0, 64 * 1024, CHUNK, 2 * CHUNK, 3 * CHUNK];
    (proptest::sample::select(edges.to_vec()), -70_i64..70).prop_map(|(edge, by)| (edge as i64 + by).max(0) as usize)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whole(len in lengths(), seed in any::<u64>(), sync in any::<bool>()) {
        let (place, bytes) = (Place::new(), body(seed, len));
        let prepared = Prepared::new(&bytes);
        prop_assert_eq!(prepared.id, BlobId::of(&bytes));
        prop_assert_eq!(prepared.size, len as u64);
        prop_assert_eq!(&prepared.raw().unwrap(), &bytes);
        prop_assert_eq!(&Prepared::from_stored(prepared.stored.clone()).unwrap(), &prepared);
        let durability = if sync { Durability::Sync } else { Durability::Deferred };
        place.blobs().put(TENANT, &prepared, durability).unwrap();
        prop_assert_eq!(std::fs::read(place.file(prepared.id)).unwrap(), prepared.stored);
        prop_assert_eq!(place.blobs().read(TENANT, prepared.id).unwrap(), bytes);
    }

    #[test]
    fn streamed(len in lengths(), pieces in prop::collection::vec(1_usize..900_000, 1..6)) {
        let (place, bytes) = (Place::new(), body(1, len));
        let mut writer = place.blobs().writer(TENANT).unwrap();
        let mut rest = &bytes[..];
        for piece in pieces.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(*piece));
            writer.write(now).unwrap();
            rest = later;
        }
        prop_assert_eq!(writer.size(), len as u64);
        let (id, size) = writer.finish(Durability::Sync).unwrap();
        prop_assert_eq!((id, size), (BlobId::of(&bytes), len as u64));
        prop_assert_eq!(std::fs::read(place.file(id)).unwrap(), Prepared::new(&bytes).stored);
        prop_assert_eq!(place.files().len(), 1);
    }

    #[test]
    fn by_ranges(len in lengths(), ranges in prop::collection::vec((0_usize..4 * CHUNK, 0_usize..2 * CHUNK), 8)) {
        let (place, bytes) = (Place::new(), body(2, len));
        let prepared = Prepared::new(&bytes);
        let blobs = place.blobs();
        blobs.put(TENANT, &prepared, Durability::Deferred).unwrap();
        let mut reader = blobs.open(TENANT, prepared.id).unwrap();
        prop_assert_eq!(reader.size(), len as u64);
        for (offset, wanted) in ranges {
            let from = offset.min(len);
            let to = (from + wanted.min(READ)).min(len);
            prop_assert_eq!(&reader.read_at(offset as u64, wanted).unwrap()[..], &bytes[from..to]);
        }
        prop_assert!(reader.read_at(u64::MAX, usize::MAX).unwrap().is_empty());
    }
}

#[test]
fn a_message_costs_less_than_a_hundred_bytes_and_text_shrinks() {
    let noise: Vec<u8> = blake3_stream(20_000);
    assert!(Prepared::new(&noise).stored.len() < 20_000 + 100);
    assert!(Prepared::new(&b"Dear colleagues, ".repeat(1000)).stored.len() < 1000);
}

#[test]
fn reading_on_decodes_each_chunk_once() {
    let (place, bytes) = (Place::new(), body(3, 3 * CHUNK));
    let prepared = Prepared::new(&bytes);
    let blobs = place.blobs();
    blobs.put(TENANT, &prepared, Durability::Deferred).unwrap();
    let mut reader = blobs.open(TENANT, prepared.id).unwrap();
    reader.read_at(0, 100).unwrap();
    place.disk.count("read_at");
    for offset in (0..CHUNK as u64).step_by(8192) {
        reader.read_at(offset, 8192).unwrap();
    }
    assert_eq!(place.disk.count("read_at"), 0);
}

#[test]
fn a_reader_outlives_the_deletion_of_its_body() {
    let (place, bytes) = (Place::new(), body(4, 2 * CHUNK));
    let prepared = Prepared::new(&bytes);
    let blobs = place.blobs();
    blobs.put(TENANT, &prepared, Durability::Sync).unwrap();
    let mut reader = blobs.open(TENANT, prepared.id).unwrap();
    assert!(blobs.delete(TENANT, prepared.id).unwrap());
    assert_eq!(reader.read_at(CHUNK as u64, READ).unwrap(), bytes[CHUNK..]);
    assert!(!blobs.delete(TENANT, prepared.id).unwrap());
    assert!(!blobs.exists(TENANT, prepared.id).unwrap());
}

#[test]
fn what_is_not_there_is_not_found() {
    let (place, id) = (Place::new(), BlobId::of(b"nothing"));
    let blobs = place.blobs();
    assert_eq!(blobs.read(TENANT, id).unwrap_err().class, Class::NotFound);
    assert_eq!(blobs.open(TENANT, id).err().unwrap().class, Class::NotFound);
    assert_eq!(blobs.refresh(TENANT, id).unwrap_err().class, Class::NotFound);
    assert!(!blobs.exists(TENANT, id).unwrap());
}

#[test]
fn everything_moves_between_threads() {
    fn moves<T: Send>() {}
    fn shares<T: Send + Sync>() {}
    moves::<BlobReader>();
    moves::<BlobWriter>();
    shares::<Blobs>();
    shares::<Prepared>();
}

/// Bytes that do not compress: addresses of addresses.
fn blake3_stream(len: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = BlobId::of(b"");
    while out.len() < len {
        out.extend_from_slice(&last.0);
        last = BlobId::of(&last.0);
    }
    out.truncate(len);
    out
}
