//! Import and export: every byte, flag and date, in every form.

use std::fs;
use std::path::Path;

use crate::world::{Place, each_engine, python, run};

/// Messages that programs stumble over.
const ODD: [&[u8]; 12] = [
    b"Subject: plain\r\n\r\nbody\r\n",
    b"Subject: no final newline\r\n\r\nbody",
    b"Subject: quoted\r\n\r\nFrom here\r\n>From there\r\n>>From far\r\n\r\nFrom a@b Sat Nov 21 08:00:00 2026\r\nend\r\n",
    b"Subject: only a header\r\n",
    b"Subject: no blank line at all",
    b"\r\nonly a body\r\n",
    b"Subject: blank lines at the end\r\n\r\nbody\r\n\r\n\r\n",
    b"Status: mine\r\nX-Status: odd\r\nContent-Length: 3\r\nX-Keywords: a b\r\nSubject: fields\r\n\r\nbody\r\n",
    b"Subject: \xb0\xa1\xff\r\n\r\n\x01\x80\xfe\r\n",
    b"Subject: mixed ends\r\n\r\none\ntwo\r\nthree\rfour\r\n",
    b"From: nobody\r\n\r\n.\r\n..\r\n",
    "Subject: 鹅\r\n\r\n陈雁\r\n".as_bytes(),
];

/// Puts every file of a folder into two mailboxes, with flags, keywords and dates.
const APPEND: &str = r#"
import imaplib, os, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login('ann@anser.test', 'wild-goose')
    imap.create('"Work/2026.dot"')
    imap.create('"&l20-"')
    for number, name in enumerate(sorted(os.listdir(sys.argv[2]))):
        raw = open(os.path.join(sys.argv[2], name), 'rb').read()
        for mailbox in ('INBOX', '"Work/2026.dot"', '"&l20-"'):
            flags = ['', r'(\Seen)', r'(\Flagged \Answered red)', r'(\Draft \Seen blue red)'][number % 4]
            date = f'" {number % 9 + 1}-Mar-2020 01:02:03 +0000"'
            imap.literal = raw
            kind, answer = imap._simple_command('APPEND', mailbox, flags or '()', date)
            assert kind == 'OK', (name, answer)
"#;

/// Every message of an account: mailbox, flags, date, bytes.
const DUMP: &str = r#"
import imaplib, re, sys
offset, user = int(sys.argv[1]), sys.argv[2]
with imaplib.IMAP4('127.0.0.1', 143 + offset) as imap:
    imap.login(user, 'wild-goose')
    for line in sorted(imap.list()[1]):
        name = line.decode().split(' "/" ')[1]
        kind, count = imap.select(name, readonly=True)
        assert kind == 'OK', (name, count)
        if int(count[0]) == 0:
            continue
        for part in imap.fetch('1:*', '(FLAGS INTERNALDATE BODY.PEEK[])')[1]:
            if isinstance(part, tuple):
                head = part[0].decode()
                flags = sorted(flag for flag in re.search(r'FLAGS \(([^)]*)\)', head)[1].split() if flag != r'\Recent')
                print(name, flags, re.search(r'INTERNALDATE "([^"]*)"', head)[1], repr(part[1]))
"#;

fn write_odd(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (number, raw) in ODD.iter().enumerate() {
        fs::write(folder.join(format!("{number:03}.eml")), raw).unwrap();
    }
}

#[test]
fn what_is_exported_and_imported_again_is_the_same() {
    each_engine(|place| {
        let dev = place.start();
        let odd = place.file("odd");
        write_odd(&odd);
        python(&dev, APPEND, &[odd.to_str().unwrap()]);
        let before = python(&dev, DUMP, &["ann@anser.test"]);
        assert_eq!(before.lines().count(), 3 * ODD.len());
        for (form, user) in [("mbox", "bob@anser.test"), ("maildir", "chen@anser.test")] {
            let path = place.file(form);
            let path = path.to_str().unwrap();
            dev.ask(&["export", form, path, "--account", "ann@anser.test"]);
            dev.ask(&["import", form, path, "--account", user]);
            let after = python(&dev, DUMP, &[user]);
            // A Maildir has the order of time, not of arrival.
            let sorted = |dump: &str| {
                let mut lines: Vec<String> = dump.lines().map(str::to_owned).collect();
                lines.sort_unstable();
                lines
            };
            let (before, after) = (sorted(&before), sorted(&after));
            for (was, is) in before.iter().zip(&after) {
                assert_eq!(was, is, "by {form}");
            }
            assert_eq!(before.len(), after.len(), "by {form}");
            let again = run(&dev.folder, &["export", form, path, "--account", "ann@anser.test"], b"");
            assert_eq!(again.status.code(), Some(1), "an export overwrites nothing");
        }
        assert!(dev.ask(&["check"]).contains("0 findings"));
    });
}

#[test]
fn foreign_files_come_in_as_people_mean_them() {
    let place = Place::new();
    let dev = place.start();
    let mbox = place.file("old.mbox");
    fs::write(
        &mbox,
        "From a@b Sat Nov 21 08:00:00 2020\nStatus: RO\nSubject: one\n\nFrom the start\n>From escaped\n\n\
         From c@d Sun Nov 22 09:00:00 2020\nSubject: two\nContent-Length: 47\n\nx\n\nFrom c@d Sun Nov 22 09:00:00 2020\nunescaped\n\n\
         From - Mon Nov 23 10:00:00 2020\r\nSubject: three\r\n\r\nlast",
    )
    .unwrap();
    dev.ask(&["import", "mbox", mbox.to_str().unwrap(), "--account", "ann@anser.test", "--folder", "Old/Mail"]);
    let dump = python(&dev, DUMP, &["ann@anser.test"]);
    let lines: Vec<&str> = dump.lines().collect();
    assert_eq!(lines.len(), 3, "{dump}");
    assert!(lines[0].contains(r"\\Seen") && lines[0].contains("21-Nov-2020 08:00:00 +0000"), "{dump}");
    assert!(lines[0].contains(r"one\r\n\r\nFrom the start\r\nFrom escaped\r\n'"), "{dump}");
    assert!(lines[1].contains(r"x\r\n\r\nFrom c@d Sun Nov 22 09:00:00 2020\r\nunescaped\r\n'"), "{dump}");
    assert!(lines[2].contains(r"three\r\n\r\nlast'"), "{dump}");

    let maildir = place.file("Maildir");
    for (file, text) in [
        ("cur/1600000000.M1.host:2,FSa", "Subject: read\n\nx\n"),
        ("new/1600000001.M2.host", "Subject: new\n\nx\n"),
        (".Sub.Folder/cur/1600000002.M3.host,S=5:2,R", "Subject: sub\n\nx\n"),
    ] {
        let path = maildir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(maildir.join("dovecot-keywords"), "0 important\n").unwrap();
    dev.ask(&["import", "maildir", maildir.to_str().unwrap(), "--account", "bob@anser.test"]);
    let dump = python(&dev, DUMP, &["bob@anser.test"]);
    assert!(dump.contains(r"['\\Flagged', '\\Seen', 'important']"), "{dump}");
    assert!(dump.contains("Sub/Folder") && dump.contains(r"['\\Answered']"), "{dump}");
    assert_eq!(dump.lines().count(), 3, "{dump}");

    let tree = place.file("tree");
    fs::create_dir_all(tree.join("deep")).unwrap();
    fs::write(
        tree.join("deep/1"),
        "Received: x; Sat, 21 Nov 2020 08:00:00 +0800\nDate: Fri, 1 Jan 2010 00:00:00 +0000\n\nx\n",
    )
    .unwrap();
    let said = dev.ask(&["import", "eml", tree.to_str().unwrap(), "--account", "chen@anser.test"]);
    assert!(said.starts_with("1 messages"), "{said}");
    let said = dev.ask(&["import", "eml", tree.to_str().unwrap(), "--account", "chen@anser.test"]);
    assert!(said.starts_with("0 messages"), "what came once does not come again: {said}");
    assert!(python(&dev, DUMP, &["chen@anser.test"]).contains("21-Nov-2020 08:00:00 +0800"));
}

#[test]
fn the_corpus_comes_in_whole() {
    let Ok(corpus) = std::env::var("ANSER_TEST_CORPUS") else { return };
    let place = Place::new();
    let dev = place.start();
    let said = dev.ask(&["import", "eml", &corpus, "--account", "ann@anser.test", "--json"]);
    assert!(said.contains("\"skipped\":0"), "{said}");
}
