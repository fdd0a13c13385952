//! SRC-4 and SRC-5 against the real thing: what Dovecot shows by POP3 is what we show by POP3, unique ids and order included; what it
//! shows by IMAP is what its files give, UIDs, UIDVALIDITY, keywords and subscriptions included.

use super::dovecot::Dovecot;
use super::side::{Side, side};
use super::world::here;
use crate::peers::node::PASSWORD;
use crate::peers::tools::wanted;
use crate::world::{Dev, Place, done, python, run};

/// Prints what a maildrop shows: ids in its order, and a hash of each message.
const MAILDROP: &str = r#"
import hashlib, poplib, sys
poplib._MAXLINE = 1000000
drop = poplib.POP3("127.0.0.1", int(sys.argv[2]))
try:
    drop.utf8()
except poplib.error_proto:
    pass
drop.user(sys.argv[3])
drop.pass_(sys.argv[4])
for line in drop.uidl()[1]:
    number, uidl = line.decode().split()
    print(uidl, hashlib.sha256(b"\r\n".join(drop.retr(number)[1])).hexdigest())
drop.quit()
"#;

/// What a maildrop shows.
pub fn maildrop(dev: &Dev, port: u16, user: &str) -> String {
    python(dev, MAILDROP, &[&port.to_string(), user, PASSWORD])
}

/// Lists one login of the move for ann.
pub fn listed(dev: &Dev, project: &str, login: &str, password: &str) {
    let line = format!("{login}\tann@anser.test\t{password}\n");
    done(run(&dev.folder, &["move", "accounts", project, "--stdin"], line.as_bytes()));
}

/// Brings a login's files by this path for ann, and holds what came against what was there.
pub fn brought(dev: &Dev, path: &str, there: &Side) {
    dev.ask(&["move", "plan", "house", "--kind", "maildir", "--path", path]);
    listed(dev, "house", "ann", "");
    dev.ask(&["move", "start", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("settled"), "{path}: {status}");
    same(&here(dev, "ann@anser.test"), there);
}

pub fn fill(old: &Dovecot, folders: &[&str]) -> Side {
    let mut imap = old.login("ann");
    for folder in folders.iter().filter(|folder| **folder != "INBOX") {
        imap.run(&format!("CREATE \"{folder}\"")).expect("CREATE");
    }
    imap.run(&format!("SUBSCRIBE \"{}\"", folders[1])).expect("SUBSCRIBE");
    for number in 0..12 {
        for folder in folders {
            let flags = ["", "\\Seen Custom", "\\Flagged $Label1", "\\Answered \\Draft"][number % 4];
            let text = format!("Subject: {folder} {number}\r\n\r\n.dot\r\n{}\r\n", "x".repeat(number * 700));
            imap.append(folder, flags, text.as_bytes()).expect("APPEND");
        }
    }
    imap.select("INBOX").expect("SELECT");
    imap.run("UID STORE 2,5 +FLAGS (\\Deleted)").expect("STORE");
    imap.run("EXPUNGE").expect("EXPUNGE");
    side(&mut imap)
}

/// What is here is what was there, but for what a form cannot hold.
pub fn same(found: &Side, there: &Side) {
    for (name, folder) in there {
        let here = found.get(name).unwrap_or_else(|| panic!("{name} is not here: {:?}", found.keys()));
        assert_eq!(here.messages, folder.messages, "{name}");
        assert_eq!(here.uidvalidity, folder.uidvalidity, "{name}");
        if name != "INBOX" {
            assert_eq!(here.subscribed, folder.subscribed, "{name}");
        }
    }
}

#[test]
fn a_maildrop_keeps_its_ids_and_is_left_alone() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    fill(&old, &["INBOX", "Work"]);
    let place = Place::new();
    let dev = place.start();
    let there = maildrop(&dev, old.pop3, "ann");
    let port = old.pop3.to_string();
    dev.ask(&["move", "plan", "house", "--kind", "pop3", "--host", "127.0.0.1", "--port", &port, "--tls", "none"]);
    listed(&dev, "house", "ann", PASSWORD);
    dev.ask(&["move", "start", "house", "--wait"]);
    // Before anybody reads it here, which leaves a mark.
    let proof = dev.ask(&["move", "verify", "house"]);
    assert!(proof.contains("equal 10") && !proof.contains("UID"), "{proof}");
    assert_eq!(maildrop(&dev, dev.port("pop3"), "ann@anser.test"), there);
    dev.ask(&["move", "delta", "house", "--wait"]);
    assert_eq!(maildrop(&dev, dev.port("pop3"), "ann@anser.test"), there, "another run changes nothing");
    assert_eq!(maildrop(&dev, old.pop3, "ann"), there, "the old server was not touched");
}

#[test]
fn maildirs_keep_everything() {
    if !wanted() {
        return;
    }
    for (location, separator) in [("maildir:~/Maildir", "/"), ("maildir:~/Maildir:LAYOUT=fs", "/")] {
        let old = Dovecot::start_with(location, separator, "");
        let there = fill(&old, &["INBOX", "Work", "Work/2026", "&XfJT0ZAB-"]);
        let place = Place::new();
        let dev = place.start();
        brought(&dev, &old.path("mail/%u/Maildir"), &there);
        dev.ask(&["move", "delta", "house", "--wait"]);
        same(&here(&dev, "ann@anser.test"), &there);
        let proof = dev.ask(&["move", "verify", "house"]);
        // Dovecot writes its files with a bare LF.
        assert!(proof.contains("equal-eol 12") && !proof.contains("UID"), "{location}: {proof}");
    }
}

#[test]
fn mboxes_keep_what_is_noted_in_them() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start_with("mbox:~/mail:INBOX=~/mail/INBOX", "/", "mbox_lazy_writes = no\n");
    let there = fill(&old, &["INBOX", "Work", "&XfJT0ZAB-"]);
    let place = Place::new();
    let dev = place.start();
    let path = old.path("mail/%u/mail");
    dev.ask(&["move", "plan", "house", "--kind", "mbox", "--path", &path]);
    listed(&dev, "house", "ann", "");
    dev.ask(&["move", "start", "house", "--wait"]);
    let found = here(&dev, "ann@anser.test");
    for (name, folder) in &there {
        assert_eq!(found[name].messages, folder.messages, "{name}");
        assert_eq!(found[name].uidvalidity, folder.uidvalidity, "{name}");
    }
}
