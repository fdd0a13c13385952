//! Case 41: a large mbox that only grew is read on where it ended, twins of older messages included, however far that is; one that changed
//! is read as a whole.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use anser_base::Durability;
use anser_migrate::Kind;
use anser_migrate::files::{mbox, read};
use anser_migrate::source::Standing;
use anser_store::{LedgerFolder, MailTx};

use crate::house::{ANN, House, each_house, files_at};

const HOLE: u64 = 65 * 1024 * 1024;
/// Of a file that nobody reads through twice.
const VAST: u64 = 30 << 30;

fn append(path: &Path, subjects: &[&str]) {
    let mut file = File::options().append(true).open(path).unwrap();
    for subject in subjects {
        write!(file, "From a@b Thu Nov 19 08:00:00 2020\nSubject: {subject}\n\nx\n\n").unwrap();
    }
}

/// One message with a hole in it, and some small ones.
fn make(path: &Path, hole: u64) {
    let mut file = File::create(path).unwrap();
    file.write_all(b"From a@b Thu Nov 19 08:00:00 2020\nSubject: large\n\n").unwrap();
    file.seek(SeekFrom::Start(hole)).unwrap();
    file.write_all(b"\n\n").unwrap();
    append(path, &["one", "two"]);
}

async fn pass(house: &House, path: &Path) -> u64 {
    let origin = files_at(Kind::Mbox, path).await;
    house.pass_over(origin, false, false).await.map_err(|trouble| trouble.words()).unwrap().copied
}

#[test]
fn what_is_behind_a_mark_is_found_and_a_changed_beginning_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ann");
    make(&path, HOLE);
    let (before, mails) = mbox::messages(&path).unwrap();
    assert_eq!(mails.len(), 3);
    let before = Standing { messages: 3, ..before };
    let (same, none) = mbox::behind(&path, &before).unwrap().unwrap();
    assert_eq!((same, none.len()), (before, 0));
    append(&path, &["three"]);
    let (grown, more) = mbox::behind(&path, &before).unwrap().unwrap();
    assert_eq!((grown.messages, more.len()), (4, 1));
    // What stands there is no new message: the last one went on.
    let mut torn = File::options().append(true).open(&path).unwrap();
    torn.write_all(b"more of it\n").unwrap();
    assert!(mbox::behind(&path, &grown).unwrap().is_none());
    assert!(mbox::behind(&path, &before).unwrap().is_some());
    // The beginning is another one; the file is shorter.
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(50)).unwrap();
    file.write_all(b"!").unwrap();
    assert!(mbox::behind(&path, &before).unwrap().is_none());
    file.set_len(HOLE / 2).unwrap();
    assert!(mbox::behind(&path, &before).unwrap().is_none());
}

#[test]
fn passes_bring_what_was_appended_once() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ann");
        make(&path, HOLE);
        assert_eq!(pass(house, &path).await, 3);
        append(&path, &["three"]);
        assert_eq!(pass(house, &path).await, 1);
        assert_eq!(pass(house, &path).await, 0);
        append(&path, &["one", "four", "four"]);
        assert_eq!(pass(house, &path).await, 3, "a twin of an older message is a message");
        assert_eq!(pass(house, &path).await, 0);
        assert_eq!(house.uids("INBOX").await.len(), 7);
    });
}

/// How the ledger says that a file stood which was read to its end.
fn read_to_its_end(path: &Path, messages: u64) -> Standing {
    let file = File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    Standing { messages, uidnext: 1, mark: mbox::mark_of(&file, length).unwrap().unwrap(), ..Standing::default() }
}

#[test]
fn a_file_of_thirty_gigabytes_is_read_on_behind_them() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ann");
        File::create(&path).unwrap();
        assert_eq!(pass(house, &path).await, 0);
        make(&path, VAST);
        let before = read_to_its_end(&path, 3);
        append(&path, &["three", "one"]);
        let (now, mails) = mbox::behind(&path, &before).unwrap().unwrap();
        assert_eq!((now.messages, mails.len()), (5, 2));
        let mut bytes = Vec::new();
        let take = &mut |octets: &[u8]| {
            bytes.extend_from_slice(octets);
            Ok(())
        };
        read::body(&mails[1].place, take).unwrap();
        assert_eq!(bytes, b"Subject: one\r\n\r\nx\r\n");
        // As if an earlier pass had gone over what was there: nothing of it is brought now.
        let as_read = move |tx: &mut MailTx<'_, '_>| {
            let (last, Standing { messages, uidnext, .. }) = (tx.ledger_folders(1)?.remove(0), before);
            tx.put_ledger_folder(&LedgerFolder { messages, uidnext, mark: before.mark.to_vec(), ..last })
        };
        house.store.write(ANN, Durability::Sync, as_read).await.unwrap();
        assert_eq!(pass(house, &path).await, 2);
        assert_eq!(pass(house, &path).await, 0);
        append(&path, &["two"]);
        assert_eq!(pass(house, &path).await, 1);
        let subjects: Vec<Vec<u8>> = house.held().await["INBOX"].iter().map(|one| one.4[9..12].to_vec()).collect();
        assert_eq!(subjects, [b"thr", b"one", b"two"]);
    });
}
