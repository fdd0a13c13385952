use crate::support::{Place, TENANT, body};
use anser_base::{Class, Result};
use anser_blob::{Durability, Prepared, form::CHUNK};
use bytes::Bytes;
use proptest::prelude::*;
use std::fs;

/// Everything that reads this body says that it is damaged; but ranges of sound chunks may be read.
fn assert_noticed(place: &Place, prepared: &Prepared, raw: &[u8], bad: &[u8], what: &str) {
    fs::write(place.file(prepared.id), bad).unwrap();
    let blobs = place.blobs();
    assert_eq!(blobs.read(TENANT, prepared.id).unwrap_err().class, Class::Damaged, "read, {what}");
    let stored = Bytes::copy_from_slice(bad);
    assert_eq!(Prepared::from_stored(stored).unwrap_err().class, Class::Damaged, "from_stored, {what}");
    let mut damaged = false;
    let mut look = |range: Result<(u64, Bytes)>| match range {
        Ok((at, bytes)) => assert_eq!(bytes, raw[at as usize..at as usize + bytes.len()], "wrong bytes, {what}"),
        Err(error) => {
            assert_eq!(error.class, Class::Damaged, "{what}");
            damaged = true;
        }
    };
    match blobs.open(TENANT, prepared.id) {
        Ok(mut reader) => {
            assert_eq!(reader.size(), raw.len() as u64);
            let chunks = (0..reader.size()).step_by(CHUNK);
            chunks.for_each(|at| look(reader.read_at(at, CHUNK).map(|bytes| (at, bytes))));
        }
        Err(error) => look(Err(error)),
    }
    assert!(damaged, "no reader noticed, {what}");
}

fn stored(len: usize) -> (Place, Prepared, Vec<u8>) {
    let (place, raw) = (Place::new(), body(9, len));
    let prepared = Prepared::new(&raw);
    place.blobs().put(TENANT, &prepared, Durability::Deferred).unwrap();
    (place, prepared, raw)
}

#[test]
fn any_flipped_byte_of_a_small_body() {
    for len in [0, 1, 40, 700] {
        let (place, prepared, raw) = stored(len);
        for at in 0..prepared.stored.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut bad = prepared.stored.to_vec();
                bad[at] ^= flip;
                assert_noticed(&place, &prepared, &raw, &bad, &format!("byte {at} ^ {flip:#x} of {len}"));
            }
        }
    }
}

#[test]
fn any_cut_and_any_addition() {
    let (place, prepared, raw) = stored(700);
    for len in 0..prepared.stored.len() {
        assert_noticed(&place, &prepared, &raw, &prepared.stored[..len], &format!("cut at {len}"));
    }
    for more in [&b"\0"[..], b"\xFF", &prepared.stored[8..]] {
        let bad = [&prepared.stored[..], more].concat();
        assert_noticed(&place, &prepared, &raw, &bad, "longer");
    }
    assert_noticed(&place, &prepared, &raw, &vec![0; prepared.stored.len()], "zeros");
}

#[test]
fn a_file_that_holds_another_body() {
    let (place, prepared, _) = stored(700);
    fs::write(place.file(prepared.id), &Prepared::new(&body(10, 700)).stored).unwrap();
    let blobs = place.blobs();
    assert_eq!(blobs.read(TENANT, prepared.id).unwrap_err().class, Class::Damaged);
    assert_eq!(blobs.open(TENANT, prepared.id).err().unwrap().class, Class::Damaged);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn damage_anywhere_in_a_body_of_several_chunks(at in any::<prop::sample::Index>(), flip in 1_u8.., cut in any::<bool>()) {
        let (place, prepared, raw) = stored(2 * CHUNK + 50_000);
        let at = at.index(prepared.stored.len());
        let mut bad = prepared.stored.to_vec();
        if cut { bad.truncate(at) } else { bad[at] ^= flip }
        assert_noticed(&place, &prepared, &raw, &bad, &format!("at {at}"));
    }

    #[test]
    fn bytes_that_never_were_a_body(noise in prop::collection::vec(any::<u8>(), 0..300), dressed in any::<bool>()) {
        let bytes = if dressed { [&b"AnserB\0\x01"[..], &noise].concat() } else { noise };
        prop_assert_eq!(Prepared::from_stored(Bytes::from(bytes)).unwrap_err().class, Class::Damaged);
    }
}
