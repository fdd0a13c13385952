//! Case 41: a large mbox that only grew is read on where it ended, twins of older messages included; one that changed is read as a whole.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use anser_migrate::files::mbox;
use anser_migrate::source::Origin;
use anser_migrate::{Kind, Source, Tls};

use crate::house::{House, each_house};

const HOLE: u64 = 65 * 1024 * 1024;

fn append(path: &Path, subjects: &[&str]) {
    let mut file = File::options().append(true).open(path).unwrap();
    for subject in subjects {
        write!(file, "From a@b Thu Nov 19 08:00:00 2020\nSubject: {subject}\n\nx\n\n").unwrap();
    }
}

/// One message with a hole in it, and some small ones.
fn make(path: &Path) {
    let mut file = File::create(path).unwrap();
    file.write_all(b"From a@b Thu Nov 19 08:00:00 2020\nSubject: large\n\n").unwrap();
    file.seek(SeekFrom::Start(HOLE)).unwrap();
    file.write_all(b"\n\n").unwrap();
    append(path, &["one", "two"]);
}

async fn pass(house: &House, path: &Path) -> u64 {
    let (host, tls, profile) = (path.display().to_string(), Tls::None, "generic".to_owned());
    let source = Source { id: 1, name: "old".into(), kind: Kind::Mbox, host, port: 0, tls, profile, connections: 1 };
    let origin = Origin::open(&source, "ann", None).await.map_err(|trouble| trouble.words()).unwrap();
    house.pass_over(origin, false, false).await.map_err(|trouble| trouble.words()).unwrap().copied
}

#[test]
fn what_is_behind_a_mark_is_found_and_a_changed_beginning_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ann");
    make(&path);
    let (before, mails) = mbox::messages(&path).unwrap();
    assert_eq!(mails.len(), 3);
    let before = anser_migrate::source::Standing { messages: 3, ..before };
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
        make(&path);
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
