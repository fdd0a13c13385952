//! SRC-8: a folder of a Cyrus whose index cannot be read comes by its files alone, and it is said; links of a spool lead nowhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use anser_migrate::Kind;
use anser_migrate::source::{Allowance, Origin};
use anser_migrate::trouble::Trouble;

use crate::house::{TENANT, each_house, source_of_files};

const RECEIVED: &[u8] = b"Received: from a by b; Thu, 19 Nov 2020 08:00:00 +0000\r\nSubject: 1\r\n\r\none\ntwo\r\n";

fn put(path: &Path, text: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_600_000_000)).unwrap();
}

#[test]
fn mail_comes_links_do_not_and_the_folders_are_named() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let (spool, outside) = (dir.path().join("spool"), dir.path().join("outside"));
        put(&outside.join("1."), b"Subject: of somebody else\r\n\r\n");
        put(&outside.join("cyrus.index"), b"x");
        let ann = spool.join("a/user/ann");
        put(&ann.join("20."), RECEIVED);
        put(&ann.join("3."), b"Subject: 2\n\nas it is\n");
        put(&ann.join("cyrus.cache"), b"no mail");
        put(&ann.join("cyrus.index"), &[0; 300]);
        symlink(outside.join("1."), ann.join("4.")).unwrap();
        symlink(&outside, ann.join("Away")).unwrap();
        symlink(&outside, spool.join("a/user/bob")).unwrap();
        // Nor where only a directory on the way is one.
        put(&outside.join("dora/1."), b"Subject: of somebody else\r\n\r\n");
        put(&outside.join("e/old.example/user/erik/1."), b"Subject: of somebody else\r\n\r\n");
        fs::create_dir_all(spool.join("d")).unwrap();
        symlink(&outside, spool.join("d/user")).unwrap();
        symlink(&outside, spool.join("domain")).unwrap();
        put(&ann.join("v1^2/Work/1."), b"Subject: 3\r\n\r\n");
        symlink(outside.join("cyrus.index"), ann.join("v1^2/Work/cyrus.index")).unwrap();
        put(&ann.join("#calendars/1."), b"BEGIN:VCALENDAR\r\n");
        put(&spool.join("a/user/anna/1."), b"Subject: of anna\r\n\r\n");
        let source = source_of_files(Kind::Cyrus, spool.to_str().unwrap());
        for copied in [3, 0] {
            let origin = Origin::open(&source, "ann", None).await.map_err(|trouble| trouble.words()).unwrap();
            let outcome = house.pass_over(origin, false, false).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(outcome.copied, copied);
            if copied > 0 {
                let mut named = outcome.bare.clone();
                named.sort();
                assert_eq!(named, ["INBOX", "v1.2/Work"]);
                assert!(outcome.note().unwrap().contains("by their files alone"), "{:?}", outcome.note());
            }
        }
        let held = house.held().await;
        let inbox: Vec<_> = held["INBOX"].iter().map(|one| (one.3, &*one.4)).collect();
        assert_eq!(inbox, [(1_600_000_000, &b"Subject: 2\n\nas it is\n"[..]), (1_605_772_800, RECEIVED)]);
        assert_eq!(held["v1.2/Work"].len(), 1);
        assert!(!held.keys().any(|name| name.starts_with("Away") || name.starts_with('#')), "{:?}", held.keys());
        for login in ["bob", "an", "..", "carl", "dora", "erik@old.example"] {
            let opened = Origin::open(&source, login, None).await;
            assert!(matches!(opened, Err(Trouble::Login { kind: "missing", .. })), "{login}");
        }
        // A link that came where the list had seen a message.
        let mut origin = Origin::open(&source, "ann", None).await.map_err(|trouble| trouble.words()).unwrap();
        origin.folders().await.map_err(|trouble| trouble.words()).unwrap();
        put(&ann.join("30."), b"Subject: 4\r\n\r\n");
        origin.examine(b"INBOX").await.map_err(|trouble| trouble.words()).unwrap();
        fs::remove_file(ann.join("30.")).unwrap();
        symlink(outside.join("1."), ann.join("30.")).unwrap();
        let mut fetcher = origin.fetcher(house.store.clone(), TENANT, Allowance::default());
        fetcher.ask(vec![3]).await.map_err(|trouble| trouble.words()).unwrap();
        let batch = fetcher.receive().await.map_err(|trouble| trouble.words()).unwrap();
        assert!(batch.arrived.is_empty() && batch.refused.is_some(), "{batch:?}");
    });
}

/// An index as Cyrus 2.3 writes it, of one message.
fn index_of(uid: u32) -> Vec<u8> {
    let mut all = vec![0; 96 + 88];
    let fields = [(8, 10), (12, 96), (16, 88), (20, 1), (28, uid), (44, 77), (96, uid), (100, 1_600_000_000)];
    for (at, value) in fields {
        all[at..at + 4].copy_from_slice(&u32::to_be_bytes(value));
    }
    all
}

#[test]
fn an_index_that_is_torn_later_brings_nothing_twice() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let inbox = dir.path().join("user/ann");
        put(&inbox.join("3."), b"Subject: 1\r\n\r\n");
        let source = source_of_files(Kind::Cyrus, dir.path().to_str().unwrap());
        for (index, copied, shut) in [(index_of(3), 1, 0), (vec![0; 300], 0, 1), (index_of(3), 0, 0)] {
            put(&inbox.join("cyrus.index"), &index);
            let origin = Origin::open(&source, "ann", None).await.map_err(|trouble| trouble.words()).unwrap();
            let outcome = house.pass_over(origin, false, false).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!((outcome.copied, outcome.shut.len(), outcome.bare.len()), (copied, shut, 0));
        }
        assert_eq!(house.held().await["INBOX"].len(), 1);
    });
}

#[test]
fn a_folder_that_lies_in_two_partitions_comes_once_from_each() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        for partition in ["one", "two"] {
            let path = dir.path().join(partition).join("user/ann/Work/1.");
            put(&path, format!("Subject: {partition}\r\n\r\n").as_bytes());
        }
        let source = source_of_files(Kind::Cyrus, dir.path().to_str().unwrap());
        for copied in [2, 0] {
            let origin = Origin::open(&source, "ann", None).await.map_err(|trouble| trouble.words()).unwrap();
            let outcome = house.pass_over(origin, false, false).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(outcome.copied, copied);
        }
        let held = house.held().await;
        assert_eq!((held["Work"].len(), held["Work (2)"].len()), (1, 1));
    });
}

#[tokio::test]
async fn where_there_are_domains_nobody_gets_the_mail_of_a_namesake() {
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("a/user/ann/1."), b"Subject: of ann\r\n\r\n");
    let source = source_of_files(Kind::Cyrus, dir.path().to_str().unwrap());
    let opens = async |login: &str| Origin::open(&source, login, None).await.is_ok();
    assert!(opens("ann@old.example").await, "a spool without domains");
    put(&dir.path().join("domain/o/old.example/b/user/bob/1."), b"Subject: of bob\r\n\r\n");
    assert!(opens("bob@old.example").await && opens("ann").await);
    assert!(!opens("ann@old.example").await && !opens("bob").await);
}
