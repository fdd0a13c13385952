use anser_base::{BlobId, Clock, Durability, Timestamp};
use anser_db::{Db, Place, Schema, Schemas, params};
use anser_store::{Deps, LedgerKey, LedgerRow, LedgerState, SCHEMA, Store};
use anser_testkit::engines::{World, each_engine};

use crate::fixture::{ANN, inbox, read, runtime, schemas, store, write};

const KEY: LedgerKey = LedgerKey { source: 1, folder: 1 };
const ROWS: u32 = 10_000;
/// Rows of one transaction, as a move writes them.
const BATCH: u32 = 128;

/// A message as a server of today tells it.
fn row(uid: u32) -> LedgerRow {
    let (content, size, received) = (Some(bytes_of(uid)), 20_000, "17-Jul-2024 02:44:25 +0800".to_owned());
    let new = LedgerRow::new(uid.to_be_bytes().to_vec(), LedgerState::Copied);
    LedgerRow { content, size, received, uid, pass: 1, ..new }
}

/// Whatever looks like a hash.
fn bytes_of(uid: u32) -> BlobId {
    let mut bytes = [uid as u8; 32];
    bytes[..8].copy_from_slice(&u64::from(uid).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    BlobId(bytes)
}

#[test]
fn at_most_150_bytes_a_message_newest_first() {
    let world = World::embedded(schemas());
    let pages = || {
        let db = world.open();
        db.read(Place::Account(ANN), |tx| tx.query_one("PRAGMA page_count", &[], |row| row.int(0)))
            .wait()
            .unwrap()
            .unwrap()
    };
    runtime().block_on(async { inbox(&store(&world)).await });
    let before = pages();
    runtime().block_on(async {
        let store = store(&world);
        let starts: Vec<u32> = (0..ROWS).step_by(BATCH as usize).collect();
        for start in starts.into_iter().rev() {
            write(&store, move |tx| {
                let mut rows = start..ROWS.min(start + BATCH);
                let identity = |uid: u32| Some(u64::from(uid + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let named = |uid: u32| LedgerRow { identity: identity(uid), ..row(uid) };
                rows.try_for_each(|uid| tx.put_ledger_row(KEY, &named(uid)))
            })
            .await;
        }
    });
    let room = (pages() - before) * 4096;
    assert!(room <= 150 * i64::from(ROWS), "{} bytes a row", room / i64::from(ROWS));
}

#[test]
fn those_of_the_release_before_are_kept() {
    let older = Schemas { account: Schema(SCHEMA.0.split_at(16).0), ..schemas() };
    each_engine(older, |world| {
        let old = world.open();
        let filled = old.write(Place::Account(ANN), Durability::Sync, |tx| {
            (1..=300).try_for_each(|uid| {
                let row = row(uid);
                let content = bytes_of(uid);
                let values = params![
                    ANN.to_sql(), &row.key, &content.0[..], row.size as i64, &row.received, uid, (uid == 7).then_some("odd")
                ];
                tx.execute(
                    "INSERT INTO moved (account, source, folder, key, state, content, size, received, flags, keywords, message, \
                     mailbox, uid, pass, tries, note) VALUES (?1, 1, 1, ?2, 0, ?3, ?4, ?5, 0, '', 0, 0, ?6, 1, 0, ?7)",
                    values,
                )
                .map(drop)
            })
        });
        filled.wait().unwrap();
        drop(old);
        let db = Db::open(world.engine.clone(), schemas()).unwrap();
        let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
        let store = Store::new(Deps { db, blobs: world.blobs(), clock });
        let [all, of_seven] = runtime().block_on(async {
            inbox(&store).await;
            let all = read(&store, |tx| tx.ledger_rows(KEY, &[0; 4], &[255; 4], 1000)).await;
            let of_seven = read(&store, |tx| tx.ledger_rows_of(KEY.source, bytes_of(7), 9)).await;
            [all, of_seven.into_iter().map(|(_, row)| row).collect()]
        });
        let seven = LedgerRow { note: Some("odd".to_owned()), ..row(7) };
        let expected: Vec<_> = (1..=300).map(|uid| if uid == 7 { seven.clone() } else { row(uid) }).collect();
        assert!(all == expected && of_seven == [seven], "{}: {} rows", world.name, all.len());
    });
}
