//! `anser export eml` and `tgz`, of one account and of every mailbox of a move: each message byte for byte, large ones in pieces.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::world::{Place, done, python, run};

/// Mail for ann and bob, one of it large, one of it odd.
const FILL: &str = r#"
import imaplib, sys
for who in ('ann', 'bob'):
    with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
        imap.login(who + '@anser.test', 'wild-goose')
        imap.create('Work/.hidden')
        imap.append('INBOX', '', None, b'Subject: large\r\n\r\n' + (b'>From here\r\nFrom ' + b'x' * 70 + b'\r\n') * 30000)
        imap.append('"Work/.hidden"', r'(\Seen)', None, 'Subject: odd\r\n\r\nno end'.encode())
"#;

/// Every file below a folder: its path and its octets.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let listed = done(Command::new("find").args([root.to_str().unwrap(), "-type", "f"]).output().unwrap());
    let name = |path: &str| path.strip_prefix(root.to_str().unwrap()).unwrap().to_owned();
    listed.lines().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

#[test]
fn a_tree_and_an_archive_hold_the_same_octets_and_a_move_gives_one_for_each_mailbox() {
    let place = Place::new();
    let dev = place.start();
    python(&dev, FILL, &[]);
    let path = |name: &str| place.file(name).display().to_string();
    dev.ask(&["export", "eml", &path("eml"), "--account", "ann@anser.test"]);
    let files = tree(&place.file("eml"));
    assert_eq!(files.keys().collect::<Vec<_>>(), ["/INBOX/0000000001.eml", "/Work/%2ehidden/0000000001.eml"]);
    let large = &files["/INBOX/0000000001.eml"];
    assert!(large.len() > 2_000_000 && large.ends_with(b"x\r\n") && large.starts_with(b"Subject: large\r\n\r\n>From "));
    dev.ask(&["export", "tgz", &path("ann.tgz"), "--account", "ann@anser.test"]);
    fs::create_dir(place.file("unpacked")).unwrap();
    done(Command::new("tar").args(["xzf", &path("ann.tgz"), "-C", &path("unpacked")]).output().unwrap());
    assert_eq!(tree(&place.file("unpacked")), files);
    assert!(
        !run(&dev.folder, &["export", "tgz", &path("ann.tgz"), "--account", "ann@anser.test"], b"").status.success()
    );

    // The large one comes back out of an mbox as it was.
    dev.ask(&["export", "mbox", &path("inbox.mbox"), "--account", "ann@anser.test", "--folder", "INBOX"]);
    dev.ask(&["import", "mbox", &path("inbox.mbox"), "--account", "postmaster@anser.test"]);
    dev.ask(&["export", "eml", &path("again"), "--account", "postmaster@anser.test"]);
    assert_eq!(&tree(&place.file("again"))["/INBOX/0000000001.eml"], large);

    let imap = dev.port("imap").to_string();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", &imap, "--tls", "starttls-any"]);
    done(run(&dev.folder, &["move", "accounts", "m", "--stdin"], b"a\tann@anser.test\nb\tbob@anser.test\n"));
    dev.ask(&["export", "eml", &path("all"), "--move", "m"]);
    let all = tree(&place.file("all"));
    assert_eq!(all.len(), 4);
    assert_eq!(&all["/bob@anser.test/INBOX/0000000001.eml"], large);
    dev.ask(&["export", "tgz", &path("some"), "--move", "m", "bob@anser.test"]);
    let names: Vec<String> = tree(&place.file("some")).into_keys().collect();
    assert_eq!(names, ["/bob@anser.test.tgz"]);

    // Whose account is gone keeps no other from it.
    dev.ask(&["account", "remove", "ann@anser.test"]);
    dev.ask(&["account", "purge", "ann@anser.test"]);
    for form in ["tgz", "maildir"] {
        let rest = run(&dev.folder, &["export", form, &path(&format!("rest-{form}")), "--move", "m"], b"");
        let told = String::from_utf8_lossy(&rest.stdout);
        assert!(!rest.status.success() && told.starts_with("2 messages, "), "{told}");
        assert!(told.contains("not exported as a whole: ann@anser.test: there is no account"), "{told}");
        let left: Vec<_> = fs::read_dir(place.file(&format!("rest-{form}"))).unwrap().map(|one| one.unwrap()).collect();
        assert!(left.len() == 1 && left[0].file_name().to_str().unwrap().starts_with("bob@"), "{left:?}");
    }
}
