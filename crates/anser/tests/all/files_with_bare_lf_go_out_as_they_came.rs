//! FID-2: lines of a file that end in a bare LF are CRLF to every program, and an export gives the file again, byte for byte, however its
//! lines ended; by import and by a move, in every form, copies included.

use std::fs;
use std::path::Path;

use crate::world::{Dev, done, each_engine, python, run};

/// Copies everything into a mailbox, and says how many line ends of all that is there are no CRLF.
const COPY: &str = r#"
import imaplib, re, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login(sys.argv[2], 'wild-goose')
    imap.create('Copies')
    imap.select('INBOX')
    assert imap.copy('1:*', 'Copies')[0] == 'OK'
    bodies = [part[1] for part in imap.fetch('1:*', '(BODY.PEEK[])')[1] if isinstance(part, tuple)]
    print(sum(len(re.findall(rb'(?<!\r)\n', body)) for body in bodies))
"#;

/// Lines that end in CRLF among others, more often than is counted.
const MANY: usize = 3000;

fn files() -> Vec<Vec<u8>> {
    let mut files = [
        &b"Subject: unix\n\nbody\n\nend\n"[..],
        b"Subject: no final newline\n\nbody",
        b"Subject: wire\r\n\r\nbody\r\n",
        b"Subject: wire with a bare one\r\n\r\none\ntwo\r\n",
        b"Subject: unix with a whole one\n\none\r\ntwo\n\r\r\nthree\r",
        b"Subject: From\n\nFrom here\n>From there\r\n",
        b"\n",
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    files.push([&b"Subject: by turns\n\n"[..], &b"a\nb\r\n".repeat(MANY)].concat());
    files.push([&b"Subject: large\n\n"[..], &b"line\n".repeat(500_000)].concat());
    files.sort();
    files
}

/// What lies in the files of a folder and those below it.
fn bodies(dir: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path()) {
        match entry.is_dir() {
            true => found.append(&mut bodies(&entry)),
            false => found.push(fs::read(entry).unwrap()),
        }
    }
    found.sort();
    found
}

/// Exports in every form; each gives the files, once for each mailbox.
fn gives_them_again(dev: &Dev, account: &str, files: &[Vec<u8>]) {
    let path = |form: &str| dev.folder.join(format!("{form}-of-{account}"));
    let export = |form: &str, from: &str| {
        let (to, name) = (path(form), path(form).display().to_string());
        dev.ask(&["export", form, &name, "--account", from]);
        to
    };
    for folder in [export("maildir", account).join("cur"), export("eml", account).join("INBOX")] {
        assert!(bodies(&folder) == files, "{folder:?}");
    }
    assert!(bodies(&path("maildir").join(".Copies/cur")) == files, "copies of {account}");
    let (packed, unpacked) = (export("tgz", account), path("unpacked"));
    fs::create_dir(&unpacked).unwrap();
    let tar = std::process::Command::new("tar").arg("-xzf").arg(&packed).arg("-C").arg(&unpacked).status().unwrap();
    assert!(tar.success() && bodies(&unpacked.join("INBOX")) == files, "{packed:?}");
    // Of an mbox only a reader can tell.
    let mbox = export("mbox", account).display().to_string();
    dev.ask(&["import", "mbox", &mbox, "--account", "chen@anser.test"]);
    let again = path("again");
    dev.ask(&["export", "maildir", &again.display().to_string(), "--account", "chen@anser.test"]);
    assert!(bodies(&again.join("cur")) == files, "by mbox");
}

#[test]
fn every_file_comes_back_as_it_was() {
    each_engine(|place| {
        let dev = place.start();
        let files = files();
        let old = dev.folder.join("old/ann");
        fs::create_dir_all(old.join("cur")).unwrap();
        for (number, file) in files.iter().enumerate() {
            fs::write(old.join(format!("cur/{number}.a:2,S")), file).unwrap();
        }
        dev.ask(&["import", "maildir", &old.display().to_string(), "--account", "ann@anser.test"]);
        let path = dev.folder.join("old/%n").display().to_string();
        dev.ask(&["move", "plan", "house", "--kind", "maildir", "--path", &path]);
        done(run(&dev.folder, &["move", "accounts", "house", "--stdin"], b"ann\tbob@anser.test\t\n"));
        dev.ask(&["move", "start", "house", "--wait"]);
        for account in ["ann@anser.test", "bob@anser.test"] {
            // One bare LF was within lines that ended in CRLF; of the turns that are not counted each has one.
            let turns = 4096 / 2 - 1;
            let bare: usize = python(&dev, COPY, &[account]).trim().parse().unwrap();
            assert_eq!(bare, 1 + MANY - turns - 1, "{account}");
        }
        gives_them_again(&dev, "bob@anser.test", &files);
        gives_them_again(&dev, "ann@anser.test", &files);
        let proof = dev.ask(&["move", "verify", "house"]);
        assert!(proof.contains("equal-eol"), "{proof}");
    });
}
