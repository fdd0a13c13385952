//! SRC-6, SRC-8: zips of messages, what Zimbra exports, and what Google hands out.

use std::fs;
use std::io::Write;
use std::path::Path;

use anser_migrate::Kind;
use anser_migrate::source::Origin;
use anser_store::{Flags, MailTx};
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::house::{ANN, House, each_house, files_at, source_of_files};

/// Messages brought by one pass.
async fn pass(house: &House, kind: Kind, path: &Path) -> u64 {
    let source = source_of_files(kind, path.to_str().unwrap());
    let origin = Origin::open(&source, "ann", None).await.map_err(|trouble| trouble.words()).unwrap();
    let profile = &anser_migrate::profile::of_source(&source).name;
    let outcome = house.pass_as(profile, origin, false, false).await.map_err(|trouble| trouble.words()).unwrap();
    assert_eq!(outcome.failed, 0);
    outcome.copied
}

fn zipped(path: &Path, members: &[(&str, &[u8])]) {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, body) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(body).unwrap();
    }
    zip.finish().unwrap();
}

fn tarred(path: &Path, members: &[(&str, &[u8])]) {
    let mut gz = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    for (name, body) in members {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
        block[156] = b'0';
        block.extend_from_slice(body);
        block.resize(block.len().next_multiple_of(512), 0);
        gz.write_all(&block).unwrap();
    }
    gz.write_all(&[0; 1024]).unwrap();
    gz.finish().unwrap();
}

const MEMBERS: [(&str, &[u8]); 6] = [
    ("Inbox/0000000257-one.eml.meta", br#"{"date":1600000000,"FlagStr":"ur","TagNames":"red","Ver":1}"#),
    ("Inbox/0000000257-one.eml", b"Subject: one\r\n\r\none\r\n"),
    ("Inbox/0000000258-two.eml", b"Subject: two\n\ntwo\n"),
    ("\u{9879}\u{76ee}/a/../3.EML", b"Subject: three\r\n\r\n"),
    ("Calendar/1.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
    ("Inbox/0000000257-one.eml.meta.txt", b"no"),
];

#[test]
fn messages_in_a_zip_or_tar_file_come_with_what_zimbra_tells_of_them() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        for (name, copied) in [("mail.zip", 3), ("mail.tgz", 0), ("mail.zip", 0)] {
            let path = dir.path().join(name);
            if name.ends_with("zip") {
                zipped(&path, &MEMBERS)
            } else {
                tarred(&path, &MEMBERS)
            }
            assert_eq!(pass(house, Kind::Eml, &path).await, copied, "{name}");
            let held = house.held().await;
            let inbox: Vec<_> = held["INBOX"].iter().map(|one| (Flags(one.1), &*one.2, &*one.4)).collect();
            assert_eq!(inbox[0], (Flags::ANSWERED, "red", &b"Subject: one\r\n\r\none\r\n"[..]));
            assert_eq!((held["INBOX"][0].3, inbox[1].2), (1_600_000_000, &b"Subject: two\r\n\r\ntwo\r\n"[..]));
            assert_eq!(held["项目/a/.."][0].4, b"Subject: three\r\n\r\n");
            assert_eq!(held.len(), 2);
        }
    });
}

#[test]
fn a_zip_that_unpacks_to_more_than_it_says_is_cut() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bomb.zip");
        zipped(&path, &[("a.eml", &[b'x'; 100_000]), ("b.eml", b"Subject: b\r\n\r\n")]);
        let mut bytes = fs::read(&path).unwrap();
        // The size of the first member, in both of its headers.
        let size = 100_000_u32.to_le_bytes();
        let places: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..at + 4] == size).collect();
        assert_eq!(places.len(), 2);
        places.iter().for_each(|at| bytes[*at..at + 4].copy_from_slice(&10_u32.to_le_bytes()));
        fs::write(&path, bytes).unwrap();
        let origin = files_at(Kind::Eml, &path).await;
        drop(house.pass_over(origin, false, false).await);
        let held = house.held().await;
        assert!(held["INBOX"].iter().any(|one| one.4 == b"Subject: b\r\n\r\n"), "one bad member stops no other");
        assert!(held["INBOX"].iter().all(|one| one.4.len() < 100));
    });
}

const TAKEOUT: &str = "From 1@xxx Sat Nov 21 00:00:00 +0000 2020\n\
X-GM-THRID: 1\nX-Gmail-Labels: =?UTF-8?Q?=E6=94=B6=E4=BB=B6=E7=AE=B1,Work=2F2026,\n =E6=9C=AA=E8=AF=BB?=\nSubject: one\nDate: Sat, 21 Nov 2020 08:00:00 +0800\n\none\n\n\
From 2@xxx Sat Nov 21 00:00:01 +0000 2020\n\
X-GM-THRID: 2\nX-Gmail-Labels: Archived,Starred,Opened\nSubject: two\nDate: Sat, 21 Nov 2020 08:00:01 +0800\n\ntwo\n\n";

#[test]
fn a_message_of_a_takeout_is_one_in_as_many_mailboxes_as_it_has_labels() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("All mail.mbox");
        fs::write(&path, TAKEOUT).unwrap();
        assert_eq!(pass(house, Kind::Takeout, &path).await, 3);
        let held = house.held().await;
        let one = &held["INBOX"][0];
        assert_eq!((one.1, one.3), (0, 1_605_916_800));
        assert_eq!(
            String::from_utf8_lossy(&one.4),
            "Subject: one\r\nDate: Sat, 21 Nov 2020 08:00:00 +0800\r\n\r\none\r\n"
        );
        assert_eq!((&held["Work/2026"][0].4, Flags(held["Archive"][0].1)), (&one.4, Flags::SEEN.with(Flags::FLAGGED)));
        let places = |tx: &mut MailTx<'_, '_>| {
            let inbox = tx.inbox()?.id;
            let entry = tx.entries(inbox, 1, u32::MAX)?[0].message;
            Ok((tx.message(entry)?.unwrap().places.len(), tx.messages()))
        };
        assert_eq!(house.store.read(ANN, places).await.unwrap(), (2, 2));
        // Another takeout: one label came, one message was read. Its bytes are the same.
        let later = TAKEOUT.replace("Work=2F2026", "Work=2F2026,Plans").replace("=E6=9C=AA=E8=AF=BB", "Opened");
        fs::write(&path, later).unwrap();
        assert_eq!(pass(house, Kind::Takeout, dir.path()).await, 1);
        let held = house.held().await;
        assert_eq!((held["INBOX"].len(), held["Plans"].len(), Flags(held["INBOX"][0].1)), (1, 1, Flags::SEEN));
    });
}
