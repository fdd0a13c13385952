//! `anser backup` while mail arrives, `anser restore` of all into a new server, and of one account.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::world::{Place, anser, done, python, run};

const SEND: &str = r#"
import smtplib, sys
with smtplib.SMTP('127.0.0.1', 25 + int(sys.argv[1])) as mx:
    for number in range(int(sys.argv[3])):
        mx.sendmail('a@example.org', ['ann@anser.test', 'bob@anser.test'], f'Subject: {sys.argv[2]} {number}\r\n\r\nbody\r\n')
"#;
const COUNT: &str = r#"
import imaplib, sys, time
for attempt in range(200):
    with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
        imap.login(sys.argv[2], 'wild-goose')
        count = int(imap.select()[1][0])
        if count >= int(sys.argv[3]):
            break
    time.sleep(0.05)
print(count)
"#;
/// How many messages are read as a whole.
const READ: &str = r#"
import imaplib, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login('bob@anser.test', 'wild-goose')
    imap.select()
    found = imap.fetch('1:*', '(BODY.PEEK[])')[1]
    print(sum(1 for one in found if isinstance(one, tuple) and one[1].endswith(b'body\r\n')))
"#;
/// Deletes everything and tells the next UID.
const EMPTY: &str = r#"
import imaplib, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login('bob@anser.test', 'wild-goose')
    imap.select()
    if sys.argv[2] == 'empty':
        imap.store('1:*', '+FLAGS', r'\Deleted')
        imap.expunge()
    print(imap.status('INBOX', '(UIDNEXT)')[1][0].decode().split('UIDNEXT ')[1].split(')')[0])
"#;

#[test]
fn all_of_it_and_one_account_alone() {
    let place = Place::new();
    let dev = place.start();
    python(&dev, SEND, &["before", "10"]);
    assert_eq!(python(&dev, COUNT, &["ann@anser.test", "10"]), "10\n");
    assert_eq!(python(&dev, COUNT, &["bob@anser.test", "10"]), "10\n");
    let backup = place.file("backup");
    let backup_path = backup.to_str().unwrap();
    dev.ask(&["backup", backup_path]);
    assert_eq!(run(&dev.folder, &["backup", backup_path], b"").status.code(), Some(1), "a backup overwrites nothing");
    python(&dev, SEND, &["after", "5"]);
    assert_eq!(python(&dev, COUNT, &["bob@anser.test", "15"]), "15\n");
    let next: u32 = python(&dev, EMPTY, &["empty"]).trim().parse().unwrap();
    assert_eq!(run(&dev.folder, &["restore", backup_path, "--account", "bob@anser.test"], b"").status.code(), Some(1));
    assert!(dev.stop().status.success());

    done(run(&place.path(), &["restore", backup_path, "--account", "bob@anser.test"], b""));
    let dev = place.start();
    assert_eq!(python(&dev, COUNT, &["bob@anser.test", "10"]), "10\n");
    assert_eq!(python(&dev, COUNT, &["ann@anser.test", "15"]), "15\n");
    let now: u32 = python(&dev, EMPTY, &["look"]).trim().parse().unwrap();
    assert!(now >= next, "a UID could be given out twice: {now} after {next}");
    assert!(dev.ask(&["check"]).contains("0 findings"));
    drop(dev);

    let other = Place::new();
    let folder = other.path();
    let mut init = anser();
    init.args(["init", "--hostname", "mail.anser.test", "--domain", "anser.test", "--dir"]).arg(&folder);
    done(init.stdin(Stdio::null()).output().unwrap());
    done(run(&folder, &["restore", backup_path], b""));
    assert!(done(run(&folder, &["check"], b"")).contains("0 findings"));
    let dev = other.start();
    assert_eq!(python(&dev, COUNT, &["ann@anser.test", "10"]), "10\n");
    assert!(dev.ask(&["trace", "ann@anser.test"]).contains("delivered"));
    assert_eq!(run(&folder, &["restore", backup_path], b"").status.code(), Some(1), "only into an empty server");
}

/// The files of all bodies of a server that is stopped.
fn bodies(place: &Place) -> Vec<PathBuf> {
    let within = |folder: PathBuf| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    };
    let folders = within(place.path().join("blobs")).into_iter().flat_map(within);
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    files.filter(|path| path.file_name().is_some_and(|name| name.len() == 64)).collect()
}

/// Half of a file is left.
fn tear(path: &Path) {
    let whole = std::fs::read(path).unwrap();
    std::fs::write(path, &whole[..whole.len() / 2]).unwrap();
}

#[test]
fn a_torn_body_is_damage_where_a_message_refers_to_it() {
    let place = Place::new();
    let dev = place.start();
    python(&dev, SEND, &["mail", "3"]);
    assert_eq!(python(&dev, COUNT, &["ann@anser.test", "3"]), "3\n");
    assert!(dev.stop().status.success());
    // What a put leaves that is cut off: the file has its name, and not all of its body.
    let all = bodies(&place);
    let name = all[0].file_name().unwrap().to_str().unwrap().to_owned();
    let other = format!("{}{}", &name[..3], name[3..].chars().rev().collect::<String>());
    assert_ne!(other, name);
    let left = all[0].with_file_name(other);
    std::fs::copy(&all[0], &left).unwrap();
    tear(&left);
    let passed = done(run(&place.path(), &["check"], b""));
    assert!(passed.contains("0 findings") && passed.contains("torn bodies that no message refers to: 1 "), "{passed}");

    tear(&all[0]);
    let found = run(&place.path(), &["check"], b"");
    let told = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.status.code(), Some(1), "{told}");
    assert!(told.lines().any(|line| line.contains(&name) && line.contains("the body does not verify")), "{told}");
    assert!(told.contains("torn bodies that no message refers to: 1 "), "{told}");
}

#[test]
fn an_account_gets_bodies_back_whose_files_are_torn() {
    let place = Place::new();
    let dev = place.start();
    python(&dev, SEND, &["mail", "4"]);
    for who in ["ann@anser.test", "bob@anser.test"] {
        assert_eq!(python(&dev, COUNT, &[who, "4"]), "4\n");
    }
    let backup = place.file("backup");
    let backup = backup.to_str().unwrap();
    dev.ask(&["backup", backup]);
    assert!(dev.stop().status.success());
    let all = bodies(&place);
    tear(&all[0]);
    std::fs::write(&all[1], b"").unwrap();
    std::fs::remove_file(&all[2]).unwrap();
    assert_eq!(run(&place.path(), &["check"], b"").status.code(), Some(1));
    let restored = done(run(&place.path(), &["restore", backup, "--account", "bob@anser.test"], b""));
    assert_eq!(restored, "3 done\n", "those that are whole are not brought");
    assert!(done(run(&place.path(), &["check"], b"")).contains("0 findings"));
    let dev = place.start();
    assert_eq!(python(&dev, READ, &[]), "4\n");
}

#[test]
fn a_damaged_account_is_named_and_mended() {
    let place = Place::new();
    let dev = place.start();
    python(&dev, SEND, &["mail", "10"]);
    assert_eq!(python(&dev, COUNT, &["ann@anser.test", "10"]), "10\n");
    assert_eq!(python(&dev, COUNT, &["bob@anser.test", "10"]), "10\n");
    assert!(dev.stop().status.success());
    let file = mail_file(&place, "ann@anser.test");
    let mut raw = std::fs::read(&file).unwrap();
    let pages = raw.len() / 4096;
    // All of one page of a table but its kind.
    raw[4096 * (pages - 2) + 1..4096 * (pages - 1)].fill(0x55);
    std::fs::write(&file, raw).unwrap();
    let found = run(&place.path(), &["check"], b"");
    assert_eq!(found.status.code(), Some(1));
    assert!(String::from_utf8(found.stdout).unwrap().contains("ann@anser.test"));
    run(&place.path(), &["check", "--repair"], b"");
    let dev = place.start();
    assert_eq!(python(&dev, COUNT, &["bob@anser.test", "10"]), "10\n");
    let again = dev.ask(&["check"]);
    assert!(again.contains("0 findings"), "{again}");
}

fn mail_file(place: &Place, address: &str) -> PathBuf {
    let shown = done(run(&place.path(), &["account", "show", address, "--json"], b""));
    let id: u64 = shown.split("\"id\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    place.path().join("accounts").join(format!("{:02x}", id & 0xff)).join(id.to_string()).join("mail.db")
}
