//! Case 11: large messages go to the disk in pieces; one that is larger than what can be kept stops nobody, and is told of.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anser_migrate::Kind;
use anser_migrate::source::{Allowance, Origin, Taken};
use anser_store::LedgerState;
use anser_wire::Secret;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::{ANN, TENANT, each_house, files_at};

const LARGE: u64 = 150 * 1024 * 1024;

/// A header and a hole.
fn sparse(path: &Path, size: u64) {
    let mut file = File::create(path).unwrap();
    file.write_all(b"Subject: large\r\n\r\n").unwrap();
    file.set_len(size).unwrap();
}

#[test]
fn of_150_mb_and_of_more_than_4_gb() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        sparse(&dir.path().join("a-large.eml"), LARGE);
        sparse(&dir.path().join("b-huge.eml"), (4 << 30) + 1);
        fs::write(dir.path().join("c-small.eml"), "Subject: small\r\n\r\nx\r\n").unwrap();
        for copied in [2, 0, 0] {
            let origin = files_at(Kind::Eml, dir.path()).await;
            let done = house.pass_over(origin, false, false).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!((done.copied, done.failed), (copied, 1));
        }
        let sizes = house
            .store
            .read(ANN, |tx| {
                let inbox = tx.inbox()?.id;
                Ok(tx.entries(inbox, 1, u32::MAX)?.iter().map(|entry| entry.size).collect::<Vec<_>>())
            })
            .await
            .unwrap();
        assert_eq!(sizes, [LARGE, 21]);
        let failed = house.store.read(ANN, |tx| tx.ledger_rows_in(1, LedgerState::Failed, 10)).await.unwrap();
        assert_eq!(failed.len(), 1);
        assert!(failed[0].1.note.as_ref().unwrap().contains("larger"), "{failed:?}");
    });
}

#[test]
fn a_large_body_of_imap_is_not_held_and_small_ones_only_up_to_a_bound() {
    each_house(async |house| {
        let bytes = 900 * 1024;
        let mut mails: Vec<_> = (1..=40).map(|uid| mail(uid, "", &"x".repeat(bytes / 2))).collect();
        mails.push(mail(41, "", &"x".repeat(3 * 1024 * 1024)));
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        let secret = Secret::new(b"secret".to_vec());
        let mut origin = Origin::open(&fake.source(), "ann", Some(&secret)).await.map_err(|e| e.words()).unwrap();
        origin.examine(b"INBOX").await.unwrap();
        let mut fetcher = origin.fetcher(house.store.clone(), TENANT, Allowance::default());
        fetcher.ask((1..=41).collect()).await.unwrap();
        let batch = fetcher.receive().await.unwrap();
        assert_eq!(batch.arrived.len(), 41);
        assert!(matches!(batch.arrived[&41], Taken::Stored(_)));
        let held = |taken: &Taken| if let Taken::Memory(body) = taken { body.len() } else { 0 };
        assert!(batch.arrived.values().map(held).sum::<usize>() <= 17 * 1024 * 1024);
    });
}
