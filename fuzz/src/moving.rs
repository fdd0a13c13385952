//! What people bring along: archives, mailboxes in files, data files of Outlook's.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anser_migrate::files::{Mail, archive, cyrus, mbox, read, takeout};
use anser_pst::{Node, Pst, Row, id, kind, rtf};

/// Octets that one message of a small file may become: a gzip file grows to a thousand times its size.
const MOST: usize = 64 * 1024 * 1024;

thread_local! {
    /// A file that holds what is tried, anew each time.
    static FILE: OnceCell<(tempfile::TempDir, PathBuf)> = const { OnceCell::new() };
}

fn with_file(data: &[u8], work: impl FnOnce(&Path)) {
    FILE.with(|file| {
        let (_, path) = file.get_or_init(|| {
            let dir = tempfile::tempdir().expect("a temporary folder");
            let path = dir.path().join("mail.mbox");
            (dir, path)
        });
        std::fs::write(path, data).expect("a temporary file");
        work(path);
    });
}

fn read_all(mails: &[Mail]) {
    for mail in mails {
        let mut size = 0;
        let _ = read::body(&mail.place, &mut |octets| {
            size += octets.len();
            if size > MOST { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(()) }
        });
    }
}

/// Zip and tar files, compressed with gzip or not.
pub fn archive(data: &[u8]) {
    with_file(data, |path| {
        let _ = archive::is_archive(path);
        for (_, mails) in archive::folders(path).unwrap_or_default() {
            read_all(&mails);
        }
    });
}

/// mbox in all of its forms, and with the labels of Google Takeout.
pub fn mbox(data: &[u8]) {
    with_file(data, |path| {
        if let Ok((_, mails)) = mbox::messages(path) {
            let end = data.len() as u64;
            for mail in &mails {
                let anser_migrate::files::Place::Part(part) = &mail.place else {
                    panic!("a message of an mbox is a part of it")
                };
                assert!(part.offset + part.length <= end, "a message lies in its file");
            }
            read_all(&mails);
        }
        for (_, mails) in takeout::folders(path).unwrap_or_default() {
            read_all(&mails);
        }
    });
}

/// What Cyrus notes of the messages of a folder.
pub fn cyrus_index(data: &[u8]) {
    if let Ok(index) = cyrus::index::read(&mut &data[..], data.len() as u64) {
        assert!(index.uidvalidity > 0, "a folder has a UIDVALIDITY");
        assert!(index.records.is_sorted_by(|one, next| one.uid < next.uid), "UIDs ascend");
        assert!(index.records.iter().all(|one| (1..=index.last_uid).contains(&one.uid)), "UIDs were given");
    }
}

/// What Cyrus notes of a folder.
pub fn cyrus_header(data: &[u8]) {
    if let Some(header) = cyrus::header::parse(data) {
        assert!(header.keywords.len() <= 128, "keywords have bits");
    }
}

/// Data files of Outlook's.
pub fn outlook_file(data: &[u8]) {
    let Ok(pst) = Pst::open(data.to_vec()) else { return };
    let mut nodes = Vec::new();
    let _ = pst.reader().each_node(&mut |node| nodes.push(node.id));
    for id in nodes.into_iter().take(100) {
        let reader = pst.reader();
        if let Ok(node) = reader.node(id) {
            outlook_node(&node, 0);
        }
    }
}

fn outlook_node(node: &Node<'_, Vec<u8>>, depth: usize) {
    if let Ok(properties) = node.properties() {
        for id in [0x0037, 0x0e06, 0x0e07, 0x1000, 0x1009, 0x3001, 0x35e0, 0x3705, 0x3707] {
            let _ = properties.get(id);
        }
        let _ = properties.stream(0x3701, &mut |_| Ok(()));
        if let Some(inside) = properties.inside(0x3701).filter(|_| depth < 3) {
            let _ = inside.stream(&mut |_| Ok(()));
            outlook_node(&inside, depth + 1);
        }
    }
    if let Ok(Some(table)) = node.table(id::RECIPIENTS) {
        let cells = |row: Row<'_, '_, _>| [0x0c15, 0x3001, 0x39fe].map(|id| row.get(id)).len();
        let _ = table.rows().take(1_000).filter_map(Result::ok).map(cells).sum::<usize>();
    }
    let within = if depth < 3 { node.all(kind::ATTACHMENT).unwrap_or_default() } else { Vec::new() };
    within.iter().take(20).for_each(|(_, attachment)| outlook_node(attachment, depth + 1));
}

/// Compressed RTF, and RTF with HTML in it.
pub fn outlook_rtf(data: &[u8]) {
    let _ = rtf::html_in(data);
    if let Some(plain) = rtf::decompressed(data) {
        let _ = rtf::html_in(&plain);
    }
}
