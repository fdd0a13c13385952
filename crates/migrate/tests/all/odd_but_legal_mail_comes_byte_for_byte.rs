//! Cases 1 to 10, 17, 30 and 32: what other tools drop, merge or change.

use anser_store::{Flags, MailTx};

use crate::fake::{Fake, Habits, Mail, folder, mail};
use crate::house::{ANN, each_house};

/// What each message is, and its bytes.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let sent = |text: &str| {
        format!("From: a@b\r\nDate: Sat, 21 Nov 2020 08:00:00 +0800\r\nSubject: s\r\n\r\n{text}").into_bytes()
    };
    let same_id = |text: &str| format!("Message-ID: <one@b>\r\n\r\n{text}").into_bytes();
    let nested = (0..100).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
    let parts = (0..1_000).map(|n| format!("--x\r\n\r\npart {n}\r\n"));
    let mut all = vec![
        ("without Message-ID and Received", sent("one")),
        ("the same header, another body", sent("two")),
        ("one Message-ID", same_id("three")),
        ("the same Message-ID, another message", same_id("four")),
        ("no header at all", b"\r\nonly a body\r\n".to_vec()),
        ("raw GBK", b"Subject: \xb9\xa4\xd7\xf7\r\n\r\n\xc4\xe3\xba\xc3\r\n".to_vec()),
        (
            "GB18030 of four bytes, Big5, raw UTF-8",
            b"Subject: \x81\x30\x81\x30 \xa7\x41 \xe4\xbd\xa0\r\n\r\n.\r\n".to_vec(),
        ),
        ("NUL in header and body", b"Subject: a\0b\r\n\r\nc\0d\r\n".to_vec()),
        ("bare LF, bare CR, mixed", b"Subject: x\nTo: y\rz\r\n\nbody\rend\n".to_vec()),
        ("no CRLF at its end", b"Subject: x\r\n\r\nend".to_vec()),
        ("a header alone", b"Subject: x".to_vec()),
        ("nothing", Vec::new()),
        ("a broken header", b"Broken Header Line: x\r\nno colon\r\n\r\n.\r\n".to_vec()),
        (
            "a line of From first",
            b"From somebody Sat Nov 21 00:00:00 2020\r\nSubject: x\r\n\r\n>From\r\nFrom\r\n".to_vec(),
        ),
        ("a line of 200 KB", [b"Subject: x\r\n\r\n".to_vec(), vec![b'x'; 200_000]].concat()),
        ("a header of 100 KB", [b"X: ".to_vec(), b"word ".repeat(20_000), b"\r\n\r\n.\r\n".to_vec()].concat()),
        ("5,000 header fields", [b"X: y\r\n".repeat(5_000), b"\r\n.\r\n".to_vec()].concat()),
        (
            "1,000 parts",
            format!("Content-Type: multipart/mixed; boundary=x\r\n\r\n{}--x--\r\n", parts.collect::<String>())
                .into_bytes(),
        ),
        ("100 deep", nested.collect::<String>().into_bytes()),
    ];
    let twin = ("a twin", sent("twin"));
    all.extend(std::iter::repeat_n(twin, 50));
    all
}

fn mails() -> Vec<Mail> {
    (1..).zip(bodies()).map(|(uid, (_, body))| Mail { body, ..mail(uid, "", "") }).collect()
}

#[test]
fn nothing_is_dropped_merged_or_changed() {
    each_house(async |house| {
        let fake = Fake::start(vec![folder("INBOX", mails())], Habits::default());
        for copied in [bodies().len() as u64, 0, 0, 0, 0] {
            let outcome = house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!((outcome.copied, outcome.failed), (copied, 0), "running five times changes nothing");
        }
        let held = house.held().await;
        assert_eq!(held["INBOX"].len(), bodies().len());
        for (came, (what, body)) in held["INBOX"].iter().zip(bodies()) {
            assert!(came.4 == body, "{what}");
        }
    });
}

#[test]
fn uids_in_any_order_and_flags_of_any_form_are_taken() {
    each_house(async |house| {
        let keywords: Vec<String> = (0..300).map(|n| format!("word{n}")).collect();
        let many = keywords.join(" ");
        let flags = ["\\Seen $Forwarded NonJunk $label1 Custom", "\\FORWARDED \\Recent", "\\*", &many];
        let uids = [4_000_000_000, 7, 3_000_000_000, 12];
        let mails = flags.iter().zip(uids).map(|(flags, uid)| mail(uid, flags, &format!("{uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits { repeats: true, ..Habits::default() });
        house.settle(&fake, 1).await;
        let held = house.held().await;
        let found: Vec<_> = held["INBOX"].iter().map(|one| (one.0, Flags(one.1), one.2.split(' ').count())).collect();
        assert_eq!((found[0].0, found[1].2), (7, 300));
        assert_eq!((found[2].0, found[2].1, &*held["INBOX"][2].2), (3_000_000_000, Flags(0), ""));
        assert_eq!((found[3].1, &*held["INBOX"][3].2), (Flags::SEEN, "$Forwarded $label1 Custom NonJunk"));
        assert_eq!(&*held["INBOX"][0].2, "$Forwarded FORWARDED");
    });
}

#[test]
fn a_message_with_several_labels_is_one_in_several_mailboxes() {
    each_house(async |house| {
        let labelled = |uid| mail(uid, "\\Seen", "labelled");
        let folders = vec![
            folder("INBOX", vec![labelled(3), mail(5, "", "plain")]),
            folder("Work", vec![labelled(9)]),
            folder("[Gmail]/All Mail", vec![labelled(30), mail(50, "", "plain"), mail(51, "", "archived")]),
        ];
        let fake = Fake::start(folders, Habits::default());
        for copied in [6, 0] {
            let password = anser_wire::Secret::new(b"secret".to_vec());
            let origin = anser_migrate::source::Origin::open(&fake.source(), "ann", Some(&password)).await;
            let origin = origin.map_err(|trouble| trouble.words()).unwrap();
            let outcome =
                house.pass_as("gmail", origin, false, false).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(outcome.copied, copied);
            assert_eq!(house.store.read(ANN, |tx: &mut MailTx<'_, '_>| Ok(tx.messages())).await.unwrap(), 3);
            assert_eq!((house.uids("INBOX").await, house.uids("Work").await), (vec![3, 5], vec![9]));
            assert_eq!(house.uids("[Gmail]/All Mail").await, [30, 50, 51]);
        }
    });
}
