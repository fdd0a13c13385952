//! mbox and Maildir give back every byte, flag, keyword and date, and the mailbox.

use anser_admin::mail::{Form, Target, maildir, mbox};
use anser_admin::{Mail, MailHead};
use anser_migrate::files::{Ends, Place, Restore, read};
use proptest::prelude::*;

use crate::read_all;

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"From "[..],
        b"From a@b Sat Nov 21 08:00:00 2026",
        b">",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"Content-Length: 9",
        b"X-Anser: length=3 received=9 zone=0",
        b"Status: RO",
        b"Subject: x",
        b"\0\xff",
    ]);
    let first = prop::sample::select(vec![&b"A: b\r\n"[..], b"A: b\n"]);
    (first, prop::collection::vec(piece, 0..12)).prop_map(|(first, pieces)| [first, &pieces.concat()].concat())
}

/// A file as a message: one whose first line ends in a bare LF is given CRLF, and it is remembered how its lines ended.
fn of_file(file: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.eml");
    std::fs::write(&path, file).unwrap();
    let mut body = Vec::new();
    let mut take = |octets: &[u8]| {
        body.extend_from_slice(octets);
        Ok(())
    };
    let ends = read::body(&Place::File(path), &mut take).unwrap();
    (body, ends.map(|ends| ends.to_bytes()))
}

fn mail() -> impl Strategy<Value = Mail> {
    let keyword = prop_oneof![Just("red"), Just("$Forwarded"), Just("重要")];
    let keywords = prop::collection::btree_set(keyword, 0..3);
    let folder =
        prop_oneof![Just(vec!["INBOX"]), Just(vec!["Work", "a.b"]), Just(vec!["已发送"]), Just(vec![".hidden%"])];
    (folder, body(), 0u32..32, keywords, 40_000_000i64..1_700_000_000).prop_map(
        |(folder, file, flags, keywords, at)| {
            let (body, line_ends) = of_file(&file);
            let head = MailHead {
                folder: folder.into_iter().map(str::to_owned).collect(),
                flags,
                keywords: keywords.into_iter().map(str::to_owned).collect(),
                received: Some(at * 1000),
                size: body.len() as u64,
                line_ends,
                ..MailHead::default()
            };
            Mail { head, body: body.into() }
        },
    )
}

/// In an order that does not depend on the form.
fn sorted(mut mails: Vec<Mail>) -> Vec<Mail> {
    for mail in &mut mails {
        (mail.head.uid, mail.head.written) = (0, None);
        mail.head.keywords.sort();
    }
    mails.sort_by_key(|mail| (mail.head.folder.clone(), mail.head.received, mail.body.clone(), mail.head.flags));
    mails
}

/// Messages of one mailbox stand together, as an export gives them.
fn grouped(mut mails: Vec<Mail>) -> Vec<Mail> {
    mails.sort_by_key(|mail| mail.head.folder.clone());
    for (number, mail) in mails.iter_mut().enumerate() {
        mail.head.uid = number as u32 + 1;
    }
    mails
}

/// Writes messages in small pieces.
fn write(writer: &mut dyn Target, mails: Vec<Mail>) {
    for mail in grouped(mails) {
        // As an export gives it: the lines are those of the file.
        let ends = mail.head.line_ends.as_deref().map(|ends| Ends::from_bytes(ends).unwrap());
        let size = mail.head.size - ends.as_ref().map_or(0, Ends::shorter);
        let mut restore = ends.map(Restore::new);
        let mut file = restore.as_mut().map_or(mail.body.to_vec(), |restore| restore.take(&mail.body));
        file.extend_from_slice(restore.as_mut().map_or(b"", Restore::end));
        assert_eq!(file.len() as u64, size);
        writer.begin(&MailHead { size, ..mail.head }).unwrap();
        file.chunks(7).for_each(|piece| writer.more(piece).unwrap());
        writer.end().unwrap();
    }
    writer.finish().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn by_mbox(mails in prop::collection::vec(mail(), 0..6)) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = mbox::Writer::create(dir.path(), false).unwrap();
        write(&mut writer, mails.clone());
        let (found, skipped, ended) = read_all(Form::Mbox, dir.path());
        ended.unwrap();
        prop_assert_eq!(skipped, 0);
        prop_assert_eq!(sorted(found), sorted(mails));
    }

    #[test]
    fn by_maildir(mails in prop::collection::vec(mail(), 0..6)) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = maildir::Writer::create(dir.path()).unwrap();
        write(&mut writer, mails.clone());
        let (found, skipped, ended) = read_all(Form::Maildir, dir.path());
        ended.unwrap();
        prop_assert_eq!(skipped, 0);
        prop_assert_eq!(sorted(found), sorted(mails));
    }
}
