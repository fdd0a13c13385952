//! SRC-8 against the real thing: what a copy of a Cyrus spool gives is what the same Cyrus told by IMAP and POP3, in the layout by ids, in
//! that by names, hashed and with domains, and by every version of the index that it writes.

use std::fs;
use std::path::Path;

use anser_migrate::Kind;
use anser_migrate::files;
use anser_store::Flags;

use super::cyrus::Cyrus;
use super::mailboxes_of_cyrus_and_courier_come_exactly::{able, fill, same};
use super::maildrops_and_files_come_exactly::{listed, maildrop};
use super::side::{Folder, Message, Side, side_of};
use super::world::here;
use crate::peers::tools::shell;
use crate::world::Place;

const BY_NAME: &str = "mailbox_legacy_dirs: yes\n";

/// Folders as a server with this separator calls them.
fn names(separator: char, prefix: &str) -> Vec<String> {
    let own = |name: &str| format!("{prefix}{}", name.replace('@', &separator.to_string()));
    let dotted = if separator == '/' { "v1.2 a.b" } else { "a&-b c" };
    let all = ["Sent", "Work", "Work@2026", "&XfJT0ZAB-", dotted];
    ["INBOX".to_owned()].into_iter().chain(all.map(own)).collect()
}

/// Takes a copy of the spool, as `rsync` would.
fn copy(old: &Cyrus, to: &Path) {
    let (from, to) = (old.path("spool"), to.display());
    shell(&format!("rm -rf {to} && cp -a {} {to}", from.display()));
}

#[test]
fn a_copy_of_a_spool_gives_what_its_server_told() {
    if !able() {
        return;
    }
    for (more, separator, prefix, path) in [
        ("altnamespace: no\nunixhierarchysep: no\n", '.', "INBOX.", "copy"),
        ("altnamespace: yes\nunixhierarchysep: yes\nhashimapspool: yes\nmailbox_legacy_dirs: yes\n", '/', "", "copy"),
        ("altnamespace: yes\nunixhierarchysep: yes\nmailbox_legacy_dirs: yes\n", '/', "", "copy/user/%n"),
    ] {
        let old = Cyrus::start(&["ann", "bob"], more);
        let names = names(separator, prefix);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        fill(&mut old.login("ann"), &names, 0);
        let mut imap = old.login("ann");
        imap.run(&format!("RENAME \"{prefix}Sent\" \"{prefix}Went\"")).expect("RENAME");
        imap.run(&format!("CREATE \"{prefix}removed\"")).expect("CREATE");
        imap.append(&format!("{prefix}removed"), "", b"Subject: x\r\n\r\nx\r\n").expect("APPEND");
        imap.run(&format!("DELETE \"{prefix}removed\"")).expect("DELETE");
        let place = Place::new();
        let dev = place.start();
        let see = || -> Side {
            let mut there = side_of(&mut old.login("ann"), separator, prefix);
            // The spool does not tell what is subscribed to: all is.
            there.values_mut().for_each(|folder| folder.subscribed = true);
            there
        };
        let (there, spool) = (see(), place.file("copy"));
        assert!(there.contains_key("Went") && !there.contains_key("removed"), "{:?}", there.keys());
        copy(&old, &spool);
        let path = place.file(path).display().to_string();
        dev.ask(&["move", "plan", "house", "--kind", "cyrus", "--path", &path]);
        listed(&dev, "house", "ann", "");
        dev.ask(&["move", "start", "house", "--wait"]);
        let status = dev.ask(&["move", "status", "house"]);
        assert!(status.contains("settled"), "{path}: {status}");
        let found = here(&dev, "ann@anser.test");
        same(&found, &there);
        assert!(!found.contains_key("removed"), "{:?}", found.keys());

        // Everything is marked, expunged and added to a little more.
        let left: Vec<&str> = names.iter().copied().filter(|name| !name.ends_with("Sent")).collect();
        fill(&mut old.login("ann"), &left, 1);
        copy(&old, &spool);
        dev.ask(&["move", "delta", "house", "--wait"]);
        let (found, there) = (here(&dev, "ann@anser.test"), see());
        for (name, folder) in &there {
            for (uid, message) in &folder.messages {
                assert_eq!(found[name].messages.get(uid), Some(message), "{name} {uid}");
            }
        }
        let proof = dev.ask(&["move", "verify", "house"]);
        assert!(proof.contains("equal") && !proof.contains("equal-eol"), "{proof}");
        let theirs = maildrop(&dev, old.pop3, "ann");
        let ours = maildrop(&dev, dev.port("pop3"), "ann@anser.test");
        let ours: Vec<&str> = ours.lines().collect();
        assert!(theirs.lines().count() > 3 && theirs.lines().all(|line| ours.contains(&line)), "{theirs}\n{ours:?}");
    }
}

/// What the files of a login tell, without bodies.
fn told(spool: &Path, login: &str) -> Side {
    let folders = files::folders(Kind::Cyrus, spool, login).expect("folders");
    let of = |found: &files::Found| {
        let (standing, mails) = files::messages(Kind::Cyrus, found).expect("messages");
        let message = |mail: &files::Mail| {
            let seen = mail.seen(0);
            let system = [
                ("\\Answered", Flags::ANSWERED),
                ("\\Deleted", Flags::DELETED),
                ("\\Draft", Flags::DRAFT),
                ("\\Flagged", Flags::FLAGGED),
                ("\\Seen", Flags::SEEN),
            ];
            let system = system.iter().filter(|(_, flag)| seen.flags.has(*flag)).map(|(name, _)| (*name).to_owned());
            let mut flags: Vec<String> = system.chain(seen.keywords.iter().map(str::to_owned)).collect();
            flags.sort();
            let mut body = Vec::new();
            let mut take = |octets: &[u8]| {
                body.extend_from_slice(octets);
                Ok(())
            };
            files::read::body(&mail.place, &mut take).expect("a body");
            assert_eq!(body.len() as u64, seen.size);
            (u64::from(seen.uid), Message { body, flags, date: seen.received })
        };
        let (uidvalidity, uidnext) = (standing.uidvalidity.into(), standing.uidnext.into());
        let (messages, uses) = (mails.iter().map(message).collect(), Vec::new());
        Folder { uidvalidity, uidnext, messages, uses, subscribed: true }
    };
    folders.iter().map(|found| (String::from_utf8_lossy(&found.folder.name).into_owned(), of(found))).collect()
}

#[test]
fn every_version_of_the_index_tells_the_same() {
    if !able() {
        return;
    }
    let old = Cyrus::start(&["ann"], &format!("altnamespace: yes\nunixhierarchysep: yes\n{BY_NAME}"));
    let names = names('/', "");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fill(&mut old.login("ann"), &names, 0);
    let mut there = side_of(&mut old.login("ann"), '/', "");
    there.values_mut().for_each(|folder| folder.subscribed = true);
    let version = || fs::read(old.path("spool/user/ann/cyrus.index")).expect("an index")[11];
    assert_eq!((version(), told(&old.path("spool"), "ann")), (17, there.clone()));
    for wanted in [12, 13, 14, 15, 16] {
        old.reconstruct(&["-V", &wanted.to_string(), "-r", "user/ann"]);
        assert_eq!(version(), wanted);
        assert_eq!(told(&old.path("spool"), "ann"), there, "version {wanted}");
    }
    // Before 2.4 it is noted elsewhere what was read: this Cyrus goes back no further while anything is.
    let mut imap = old.login("ann");
    imap.select("INBOX").expect("SELECT");
    imap.run("STORE 1:* -FLAGS (\\Seen)").expect("STORE");
    drop(imap);
    let inbox = Folder { subscribed: true, ..side_of(&mut old.login("ann"), '/', "")["INBOX"].clone() };
    for wanted in [10, 9] {
        old.reconstruct(&["-V", &wanted.to_string(), "user/ann"]);
        assert_eq!(version(), wanted);
        assert_eq!(told(&old.path("spool"), "ann")["INBOX"], inbox, "version {wanted}");
    }
}

#[test]
fn a_login_of_a_domain_has_its_own_folders() {
    if !able() {
        return;
    }
    for layout in ["", BY_NAME, "mailbox_legacy_dirs: yes\nhashimapspool: yes\n"] {
        let more = format!("altnamespace: yes\nunixhierarchysep: yes\nvirtdomains: userid\n{layout}");
        let old = Cyrus::start(&["ann", "ann@old.example", "an.na@old.example"], &more);
        for user in ["ann", "ann@old.example", "an.na@old.example"] {
            old.login(user).append("INBOX", "", format!("Subject: {user}\r\n\r\n").as_bytes()).expect("APPEND");
        }
        let subject = |login: &str| {
            let side = told(&old.path("spool"), login);
            assert_eq!(side.len(), 1, "{login}: {:?}", side.keys());
            String::from_utf8(side["INBOX"].messages[&1].body.clone()).expect("text")
        };
        for login in ["ann", "ann@old.example", "an.na@old.example"] {
            assert_eq!(subject(login), format!("Subject: {login}\r\n\r\n"), "{layout}");
        }
        for login in ["an", "ann@elsewhere.example"] {
            assert!(files::folders(Kind::Cyrus, &old.path("spool"), login).is_err(), "{login}");
        }
    }
}
