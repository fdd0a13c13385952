//! A message that left the old server and is there again: what stayed here goes on with it, what went from here comes again, once; what its
//! owner removed here stays away.

use std::fs;
use std::path::Path;

use anser_migrate::Kind;
use anser_store::LedgerState;

use crate::house::{ANN, House, each_house, files_at};

async fn pass(house: &House, path: &Path) -> u64 {
    let origin = files_at(Kind::Eml, path).await;
    house.pass_as("generic", origin, false, false).await.map_err(|trouble| trouble.words()).unwrap().copied
}

fn put(dir: &Path, name: &str) {
    let number = name.split('.').next().unwrap();
    fs::write(dir.join(name), format!("Date: Sat, 21 Nov 2020 08:00:00 +0800\r\nSubject: {number}\r\n\r\n")).unwrap();
}

async fn here(house: &House, path: &str) -> usize {
    house.held().await.get(path).map_or(0, Vec::len)
}

async fn gone(house: &House) -> u64 {
    house.store.read(ANN, |tx| tx.ledger_tally(1, None)).await.unwrap().rows[LedgerState::Gone as usize]
}

#[test]
fn whatever_became_of_it_here() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("A"), dir.path().join("B"));
        fs::create_dir_all(&a).unwrap();
        fs::create_dir_all(&b).unwrap();
        for n in 1..=6 {
            put(&a, &format!("{n}.eml"));
        }
        put(&b, "other.eml");
        assert_eq!(pass(house, dir.path()).await, 7);
        // One is copied, and its first place left: it was moved, and is here in its new place alone.
        put(&b, "1.eml");
        assert_eq!(pass(house, dir.path()).await, 1);
        fs::remove_file(a.join("1.eml")).unwrap();
        // Two more leave; one of these its owner removes here.
        fs::remove_file(a.join("2.eml")).unwrap();
        fs::remove_file(a.join("3.eml")).unwrap();
        assert_eq!(pass(house, dir.path()).await, 0);
        assert_eq!((here(house, "A").await, here(house, "B").await, gone(house).await), (5, 2, 3));
        house
            .change(|tx| {
                let a = tx.mailbox_at(&["A"]).unwrap().unwrap().id;
                tx.expunge(a, &[3], false).unwrap();
            })
            .await;
        // All three are there again.
        for n in 1..=3 {
            put(&a, &format!("{n}.eml"));
        }
        assert_eq!(pass(house, dir.path()).await, 1, "the one that went from here");
        assert_eq!((here(house, "A").await, here(house, "B").await, gone(house).await), (5, 2, 0));
        assert_eq!(pass(house, dir.path()).await, 0, "once");
        assert_eq!((here(house, "A").await, here(house, "B").await), (5, 2));
    });
}
