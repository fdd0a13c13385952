//! SRC-5, cases 41 and 42: Maildir, mbox and single files come with what Dovecot, Courier and Thunderbird note beside the messages; a second
//! pass over the same tree, changed or grown, brings only what is new.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use anser_migrate::source::Origin;
use anser_migrate::trouble::Trouble;
use anser_migrate::{Kind, Source};
use anser_store::{Flags, MailTx};

use crate::house::{ANN, House, each_house, source_of_files};

fn source(kind: Kind, path: &Path) -> Source {
    source_of_files(kind, &format!("{}/%n", path.display()))
}

async fn pass(house: &House, kind: Kind, path: &Path) -> u64 {
    let origin =
        Origin::open(&source(kind, path), "ann@old.test", None).await.map_err(|trouble| trouble.words()).unwrap();
    house.pass_over(origin, false, false).await.map_err(|trouble| trouble.words()).unwrap().copied
}

fn put(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_600_000_000)).unwrap();
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

#[test]
fn a_maildir_of_dovecot_keeps_uids_keywords_ids_and_subscriptions() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("ann");
        put(&root.join("cur/1000.a:2,FS"), "Subject: second\n\nx\n");
        put(&root.join("cur/2000.b,S=9:2,bPR"), "Subject: first\r\n\r\nbare\nlf\r\n");
        put(&root.join("new/3000.c"), gzipped(b"Subject: packed\n\nx\n"));
        put(&root.join("dovecot-uidlist"), "3 V777 N40 Gffff\n7 W5 :2000.b,S=9:2,\n12 Pown-id :1000.a\n");
        put(&root.join("dovecot-keywords"), "0 $Label1\n1 Work\n");
        put(&root.join("subscriptions"), "INBOX.&XfJT0ZAB-\n");
        put(&root.join(".&XfJT0ZAB-.Old/cur/1.x:2,"), "\nno header\n");
        put(&root.join(".&XfJT0ZAB-/cur/1.y:2,T"), "");
        fs::create_dir_all(root.join(std::ffi::OsStr::from_bytes(b".\xb9\xa4\xd7\xf7")).join("cur")).unwrap();
        for copied in [5, 0, 0] {
            assert_eq!(pass(house, Kind::Maildir, dir.path()).await, copied);
            let held = house.held().await;
            let inbox: Vec<_> =
                held["INBOX"].iter().map(|one| (one.0, Flags(one.1), &*one.2, one.3, &*one.4)).collect();
            assert_eq!(
                inbox,
                [
                    (7, Flags::ANSWERED, "$Forwarded Work", 1_600_000_000, &b"Subject: first\r\n\r\nbare\nlf\r\n"[..]),
                    (12, Flags::FLAGGED.with(Flags::SEEN), "", 1_600_000_000, b"Subject: second\r\n\r\nx\r\n"),
                    (40, Flags(0), "", 1_600_000_000, b"Subject: packed\r\n\r\nx\r\n"),
                ]
            );
            assert_eq!(held["已发送/Old"][0].4, b"\r\nno header\r\n");
            assert_eq!((Flags(held["已发送"][0].1), &*held["已发送"][0].4), (Flags::DELETED, &b""[..]));
            assert_eq!(house.uidls("INBOX").await, ["0000000700000309", "own-id"]);
        }
        let shape = |tx: &mut MailTx<'_, '_>| {
            let inbox = tx.inbox()?;
            let all = tx.mailboxes()?;
            let made = |name: &str| all.iter().any(|mailbox| mailbox.name == name);
            Ok((inbox.uidvalidity, inbox.uidnext, made("工作")))
        };
        assert_eq!(house.store.read(ANN, shape).await.unwrap(), (777, 41, true));
        // Flags change, which renames; one is seen; one is new.
        fs::rename(root.join("cur/1000.a:2,FS"), root.join("cur/1000.a:2,S")).unwrap();
        fs::rename(root.join("new/3000.c"), root.join("cur/3000.c:2,S")).unwrap();
        put(&root.join("new/4000.d"), "Subject: new\n\n");
        assert_eq!(pass(house, Kind::Maildir, dir.path()).await, 1);
        let flags: Vec<_> = house.held().await["INBOX"].iter().map(|one| (one.0, Flags(one.1))).collect();
        assert_eq!(flags, [(7, Flags::ANSWERED), (12, Flags::SEEN), (40, Flags::SEEN), (41, Flags(0))]);
    });
}

#[test]
fn a_maildir_of_courier_and_one_in_plain_directories_come_too() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("ann");
        put(&root.join("cur/1000.a:2,S"), "Subject: a\n\n");
        put(&root.join("cur/2000.b:2,"), "Subject: b\n\n");
        put(&root.join("courierimapuiddb"), "1 99 6\n5 1000.a\n2 2000.b\n");
        put(&root.join("courierimapkeywords/:list"), "$Label1\nWork\n\n1000.a:1 0\n");
        put(&root.join("courierpop3dsizelist"), "/2 9 99\n1000.a 14 7:99\n2000.b 14 0:0\n");
        put(&root.join("Work/2026.dot/cur/1.x"), "Subject: deep\n\n");
        assert_eq!(pass(house, Kind::Maildir, dir.path()).await, 3);
        assert_eq!(pass(house, Kind::Maildir, dir.path()).await, 0);
        let held = house.held().await;
        let inbox: Vec<_> = held["INBOX"].iter().map(|one| (one.0, &*one.2)).collect();
        assert_eq!(inbox, [(2, ""), (5, "$Label1 Work")]);
        assert_eq!(house.uidls("INBOX").await, ["2000.b", "UID7-99"]);
        assert!(held.contains_key("Work/2026.dot"), "{:?}", held.keys());
    });
}

const MBOXES: [(&str, &[u8], &[&[u8]]); 6] = [
    (
        "mboxrd",
        b"From a@b Thu Nov 19 08:00:00 2020\nSubject: 1\n\n>From x\n>>From y\n\nFrom a@b Thu Nov 19 08:00:01 2020\nSubject: 2\n\nx\n",
        &[b"Subject: 1\r\n\r\nFrom x\r\n>From y\r\n", b"Subject: 2\r\n\r\nx\r\n"],
    ),
    (
        // A line of text that begins so is no separator: it has no date, or no blank line before it.
        "mboxo",
        b"From a Thu Nov 19 08:00:00 2020\n\nFrom here to there\nFrom a Thu Nov 19 08:00:00 2020\nx\n",
        &[b"\r\nFrom here to there\r\nFrom a Thu Nov 19 08:00:00 2020\r\nx\r\n"],
    ),
    (
        "mboxcl",
        b"From a Thu Nov 19 08:00:00 2020\nContent-Length: 16\n\n>From x\n\nFrom y\n\nFrom a Thu Nov 19 08:00:00 2020\nContent-Length: 9\n\n>From x\n\n\n",
        &[
            b"Content-Length: 16\r\n\r\n>From x\r\n\r\nFrom y\r\n",
            b"Content-Length: 9\r\n\r\nFrom x\r\n\r\n",
        ],
    ),
    (
        "wrong-length",
        b"From a Thu Nov 19 08:00:00 2020\nContent-Length: 3\n\nlonger\n\nFrom a Thu Nov 19 08:00:00 2020\nContent-Length: 99999\n\nthe last one, cut",
        &[b"Content-Length: 3\r\n\r\nlonger\r\n", b"Content-Length: 99999\r\n\r\nthe last one, cut"],
    ),
    (
        "crlf",
        b"From a Thu Nov 19 08:00:00 2020\r\nSubject: 1\r\n\r\nbare\nlf\r\n\r\nFrom a Thu Nov 19 08:00:00 2020\r\n\r\n2\r\n\r\n",
        &[b"Subject: 1\r\n\r\nbare\nlf\r\n", b"\r\n2\r\n"],
    ),
    ("twins", b"From a Thu Nov 19 08:00:00 2020\n\nx\n\nFrom a Thu Nov 19 08:00:00 2020\n\nx\n\n", &[b"\r\nx\r\n", b"\r\nx\r\n"]),
];

#[test]
fn mboxes_of_all_kinds_give_their_messages_once() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("ann");
        for (name, text, _) in MBOXES {
            put(&root.join("Local.sbd").join(name), text);
        }
        put(&root.join("Empty.mbox"), "");
        put(&root.join("Inbox.msf"), "no mail");
        put(&root.join("Inbox"), MBOXES[0].1);
        let all: u64 = MBOXES.iter().map(|one| one.2.len() as u64).sum();
        for copied in [all + 2, 0] {
            assert_eq!(pass(house, Kind::Mbox, dir.path()).await, copied);
            let held = house.held().await;
            for (name, _, wanted) in MBOXES {
                let bodies: Vec<&[u8]> = held[&format!("Local/{name}")].iter().map(|one| &*one.4).collect();
                assert_eq!(bodies, wanted, "{name}");
            }
            assert_eq!(held["INBOX"][0].3, 1_605_772_800);
        }
        let file = root.join("Inbox");
        let grown = [MBOXES[0].1, b"\nFrom a@b Thu Nov 19 08:00:02 2020\nSubject: 3\n\nnew\n"].concat();
        put(&file, grown);
        assert_eq!(pass(house, Kind::Mbox, dir.path()).await, 1, "only what was added");
    });
}

#[test]
fn what_programs_note_in_an_mbox_is_understood_and_its_change_is_no_new_message() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let inbox = dir.path().join("ann/inbox");
        let text = "From MAILER-DAEMON Thu Nov 19 08:00:00 2020\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\
                    X-IMAP: 4711 0000000020 Work\nStatus: RO\n\nThis text is part of the internal format.\n\n\
                    From a Thu Nov 19 08:00:00 2020\nSubject: 1\nX-UID: 9\nStatus: O\nX-Keywords: Work\n\nx\n\n\
                    From a Thu Nov 19 08:00:00 2020\nSubject: 2\nX-Status: AF\nStatus: RO\nX-UID: 15\n\ny\n\n";
        put(&inbox, text);
        put(
            &dir.path().join("ann/Sent"),
            "From - Thu Nov 19 08:00:00 2020\nX-Mozilla-Status: 1003\nX-Mozilla-Keys: $label1 \nSubject: 3\n\nz\n\n\
             From - Thu Nov 19 08:00:00 2020\nX-Mozilla-Status: 0009\nSubject: removed\n\nz\n",
        );
        assert_eq!(pass(house, Kind::Mbox, dir.path()).await, 3);
        let held = house.held().await;
        let shown: Vec<_> = held["INBOX"].iter().map(|one| (one.0, Flags(one.1), &*one.2, &*one.4)).collect();
        let all = Flags::SEEN.with(Flags::ANSWERED).with(Flags::FLAGGED);
        assert_eq!(
            shown,
            [(9, Flags(0), "Work", &b"Subject: 1\r\n\r\nx\r\n"[..]), (15, all, "", b"Subject: 2\r\n\r\ny\r\n")]
        );
        let sent = &held["Sent"][0];
        assert_eq!((Flags(sent.1), &*sent.2), (Flags::SEEN.with(Flags::ANSWERED), "$Forwarded $label1"));
        put(&inbox, text.replace("Status: O\nX-Keywords: Work\n", "X-Keywords: Work Later\nStatus: RO\n"));
        assert_eq!(pass(house, Kind::Mbox, dir.path()).await, 0);
        let first = &house.held().await["INBOX"][0];
        assert_eq!((Flags(first.1), &*first.2), (Flags::SEEN, "Later Work"));
    });
}

#[test]
fn single_files_come_from_every_directory() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("ann");
        put(&root.join("one.eml"), "Subject: 1\nDate: Thu, 19 Nov 2020 08:00:00 +0000\n\nx\n");
        put(&root.join("工作/2.eml"), "Subject: 2\r\n\r\nx\r\n");
        let apple = "17        \nSubject: 3\n\nfour\n<?xml version=\"1.0\"?><plist><dict><key>flags</key><integer>17</integer></dict></plist>\n";
        put(&root.join("Apple/3.emlx"), apple);
        put(&root.join(".hidden"), "x");
        for copied in [3, 0] {
            assert_eq!(pass(house, Kind::Eml, dir.path()).await, copied);
        }
        let held = house.held().await;
        assert_eq!(held["INBOX"][0].3, 1_605_772_800);
        assert_eq!(held["工作"][0].3, 1_600_000_000, "when the file was written");
        assert_eq!(
            (Flags(held["Apple"][0].1), &*held["Apple"][0].4),
            (Flags::SEEN.with(Flags::FLAGGED), &b"Subject: 3\r\n\r\nfour\r\n"[..])
        );
    });
}

#[test]
fn a_login_without_files_is_refused() {
    each_house(async |_| {
        let dir = tempfile::tempdir().unwrap();
        for login in ["ann", "../..", ".."] {
            let opened = Origin::open(&source(Kind::Maildir, dir.path()), login, None).await;
            assert!(matches!(opened, Err(Trouble::Login { kind: "missing", .. })), "{login}");
        }
    });
}

#[test]
fn an_mbox_that_nobody_wrote_to_is_not_read_again() {
    each_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ann");
        let one = |n: u32| format!("From a@b Sat Nov 21 00:00:00 2020\nSubject: {n}\n\n{n}\n\n");
        put(&path, one(1) + &one(2));
        assert_eq!(pass(house, Kind::Mbox, dir.path()).await, 2);
        // Whoever read it would find one message that the ledger does not know.
        let forget = |tx: &mut MailTx<'_, '_>| {
            let folder = tx.ledger_folders(1)?[0].key;
            let row = tx.ledger_rows(folder, &[], &[u8::MAX; 20], 1)?.remove(0);
            tx.forget_ledger_row(folder, &row.key)
        };
        house.store.write(ANN, anser_base::Durability::Sync, forget).await.unwrap();
        assert_eq!(pass(house, Kind::Mbox, dir.path()).await, 0);
        put(&path, one(1) + &one(2) + &one(3));
        assert_eq!(pass(house, Kind::Mbox, dir.path()).await, 2);
    });
}
