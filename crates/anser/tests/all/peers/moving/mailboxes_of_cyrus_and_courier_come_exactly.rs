//! Case 23 and others against the other two servers that many a house has run for decades: Cyrus with its namespaces of both kinds,
//! Courier by IMAP, POP3 and its files. Bytes, UIDs, UIDVALIDITY, flags, dates and unique ids stay; folders that are closed to their owner
//! keep nobody from the rest; a run that follows changes nothing, and brings what is new.

use std::fs;

use super::courier::Courier;
use super::cyrus::Cyrus;
use super::maildrops_and_files_come_exactly::{listed, maildrop};
use super::side::{Side, side_of};
use super::world::{here, plan_from};
use crate::peers::tools::{root, shell, wanted};
use crate::peers::wire::Imap;
use crate::world::{Dev, Place};

/// What both take as it is.
const ODD: [&[u8]; 7] = [
    b"From: ann@old.test\r\nSubject: sent without Message-ID\r\n\r\none\r\n",
    b"Message-ID: <same@old.test>\r\nSubject: first\r\n\r\nx\r\n",
    b"Message-ID: <same@old.test>\r\nSubject: second\r\n\r\ny\r\n",
    b"Subject: \xb9\xa4\xd7\xf7 raw GBK\r\n\r\n\xb9\xa4\xd7\xf7\x01\xff\r\n",
    b"Subject: dots\r\n\r\n.\r\n..\r\nFrom here\r\n>From there\r\n",
    b"Subject: only a header\r\n\r\n",
    b"Subject: the same\r\n\r\ntwice\r\n",
];
const FLAGS: [&str; 4] = ["", "\\Seen $Forwarded", "\\Flagged \\Answered Custom NonJunk", "\\Draft \\Deleted $label1"];

/// Whether these servers can be started: they change users, and want folders of their own.
pub fn able() -> bool {
    wanted() && root()
}

/// Folders, subscriptions, and mail in each of them, with UIDs that have gaps.
pub fn fill(imap: &mut Imap, folders: &[&str], round: usize) {
    for folder in folders.iter().filter(|folder| **folder != "INBOX") {
        // It may be there from the round before.
        let _ = imap.run(&format!("CREATE \"{folder}\""));
    }
    imap.run(&format!("SUBSCRIBE \"{}\"", folders[2])).expect("SUBSCRIBE");
    for (number, message) in ODD.iter().enumerate() {
        for folder in folders {
            imap.append(folder, FLAGS[(number + round) % FLAGS.len()], message).expect("APPEND");
        }
    }
    imap.select("INBOX").expect("SELECT");
    imap.run("STORE 2,5 +FLAGS (\\Deleted)").expect("STORE");
    imap.run("EXPUNGE").expect("EXPUNGE");
    imap.run("STORE 1,3 +FLAGS (\\Flagged Later)").expect("STORE");
}

/// All that was there is here.
pub fn same(found: &Side, there: &Side) {
    assert!(there.values().any(|folder| !folder.messages.is_empty()));
    for (name, folder) in there {
        let here = found.get(name).unwrap_or_else(|| panic!("{name} is not here: {:?}", found.keys()));
        assert_eq!(here.uidvalidity, folder.uidvalidity, "{name}");
        assert_eq!(here.uidnext, folder.uidnext, "{name}");
        assert_eq!(here.messages, folder.messages, "{name}");
        if name != "INBOX" {
            assert_eq!(here.subscribed, folder.subscribed, "{name}");
        }
    }
}

/// The move by IMAP, another run, and one that brings what came meanwhile.
fn comes_exactly(dev: &Dev, port: u16, profile: &str, see: impl Fn() -> Side, more: impl Fn()) {
    plan_from(dev, &["--profile", profile, "--port", &port.to_string()], "ann", "ann@anser.test");
    let there = see();
    dev.ask(&["move", "start", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("settled"), "{status}");
    let found = here(dev, "ann@anser.test");
    same(&found, &there);
    dev.ask(&["move", "delta", "house", "--wait"]);
    assert_eq!(here(dev, "ann@anser.test"), found, "another run changes nothing");
    assert_eq!(see(), there, "the old server was not touched");
    more();
    dev.ask(&["move", "delta", "house", "--wait"]);
    // What left there stays here: it is no mirror.
    let (found, there) = (here(dev, "ann@anser.test"), see());
    for (name, folder) in &there {
        for (uid, message) in &folder.messages {
            assert_eq!(found[name].messages.get(uid), Some(message), "{name} {uid}");
        }
    }
}

#[test]
fn cyrus_moves_with_either_namespace() {
    if !able() {
        return;
    }
    for (more, separator, prefix) in [
        ("altnamespace: no\nunixhierarchysep: no\n", '.', "INBOX."),
        ("altnamespace: yes\nunixhierarchysep: yes\n", '/', ""),
    ] {
        let old = Cyrus::start(&["ann", "bob"], more);
        let names = ["INBOX", "Sent", "Work", "Work@2026", "&XfJT0ZAB-", "trail-&AOQ-"];
        let names: Vec<String> = names
            .iter()
            .map(|name| {
                if *name == "INBOX" {
                    (*name).to_owned()
                } else {
                    format!("{prefix}{}", name.replace('@', &separator.to_string()))
                }
            })
            .chain([if separator == '/' { "v1.2 a.b".to_owned() } else { format!("{prefix}a&-b c") }])
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut imap = old.login("ann");
        fill(&mut imap, &names, 0);
        // One that nobody may open, its owner included, and somebody else's.
        imap.run(&format!("CREATE \"{prefix}closed\"")).expect("CREATE");
        imap.append(&format!("{prefix}closed"), "", ODD[0]).expect("APPEND");
        imap.run(&format!("SETACL \"{prefix}closed\" ann lca")).expect("SETACL");
        let place = Place::new();
        let dev = place.start();
        let see = || side_of(&mut old.login("ann"), separator, prefix);
        assert!(!see().contains_key("closed"));
        comes_exactly(&dev, old.imap, "cyrus", see, || fill(&mut old.login("ann"), &names, 1));
        let theirs = maildrop(&dev, old.pop3, "ann");
        let ours = maildrop(&dev, dev.port("pop3"), "ann@anser.test");
        let ours: Vec<&str> = ours.lines().collect();
        assert!(theirs.lines().count() > 3 && theirs.lines().all(|line| ours.contains(&line)), "{theirs}\n{ours:?}");
    }
}

#[test]
fn courier_moves_by_imap() {
    if !able() {
        return;
    }
    let old = Courier::start(&["ann"], "Trash:7");
    // Beyond half of all UIDs.
    let uids = old.path("mail/ann/Maildir/courierimapuiddb");
    shell(&format!("echo '1 1600000007 3000000001' > {0} && chown nobody:nogroup {0}", uids.display()));
    let names = ["INBOX", "INBOX.Sent", "INBOX.Work", "INBOX.Work.2026", "INBOX.&XfJT0ZAB-", "INBOX.Trash"];
    fill(&mut old.login("ann"), &names, 0);
    let place = Place::new();
    let dev = place.start();
    let see = || side_of(&mut old.login("ann"), '.', "INBOX.");
    assert!(see()["INBOX"].messages.keys().all(|uid| *uid > 3_000_000_000), "{:?}", see()["INBOX"].uidnext);
    comes_exactly(&dev, old.imap, "courier", see, || fill(&mut old.login("ann"), &names, 1));
}

#[test]
fn what_courier_purges_at_a_login_stays_here() {
    if !able() {
        return;
    }
    let old = Courier::start(&["ann"], "Trash:7");
    fill(&mut old.login("ann"), &["INBOX", "INBOX.Sent", "INBOX.Trash"], 0);
    let place = Place::new();
    let dev = place.start();
    plan_from(&dev, &["--profile", "courier", "--port", &old.imap.to_string()], "ann", "ann@anser.test");
    let told = dev.ask(&["move", "list"]);
    assert!(told.contains("IMAP_EMPTYTRASH"), "it is told before the first login: {told}");
    dev.ask(&["move", "start", "house", "--wait"]);
    let first = here(&dev, "ann@anser.test");
    assert_eq!(first["Trash"].messages.len(), ODD.len());

    // Eight days go by, and somebody logs in.
    let trash = old.path("mail/ann/Maildir/.Trash");
    let left = || ["cur", "new"].iter().map(|part| fs::read_dir(trash.join(part)).unwrap().count()).sum::<usize>();
    old.logs_in_later("ann", 6);
    assert_eq!(left(), ODD.len());
    old.logs_in_later("ann", 8);
    assert_eq!(left(), 0, "Courier purged them");
    dev.ask(&["move", "delta", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("asking"), "somebody is asked whether that was meant: {status}");
    assert_eq!(here(&dev, "ann@anser.test")["Trash"].messages, first["Trash"].messages);
    dev.ask(&["move", "resume", "house", "--losses-are-meant", "--wait"]);
    let after = here(&dev, "ann@anser.test");
    assert_eq!(after["Trash"].messages, first["Trash"].messages, "it is no mirror");
    assert_eq!(after["INBOX"].messages, first["INBOX"].messages);
}

#[test]
fn maildrops_of_cyrus_and_courier_keep_their_ids() {
    if !able() {
        return;
    }
    let (cyrus, courier) = (Cyrus::start(&["ann"], ""), Courier::start(&["ann"], ""));
    for (imap, pop3) in [(cyrus.imap, cyrus.pop3), (courier.imap, courier.pop3)] {
        let mut imap = Imap::login(imap, "ann").unwrap();
        for (number, message) in ODD.iter().enumerate() {
            imap.append("INBOX", FLAGS[number % 3], message).expect("APPEND");
        }
        let place = Place::new();
        let dev = place.start();
        let there = maildrop(&dev, pop3, "ann");
        assert_eq!(there.lines().count(), ODD.len());
        plan_from(&dev, &["--kind", "pop3", "--port", &pop3.to_string()], "ann", "ann@anser.test");
        dev.ask(&["move", "start", "house", "--wait"]);
        assert_eq!(maildrop(&dev, dev.port("pop3"), "ann@anser.test"), there);
        dev.ask(&["move", "delta", "house", "--wait"]);
        assert_eq!(maildrop(&dev, dev.port("pop3"), "ann@anser.test"), there, "another run changes nothing");
        assert_eq!(maildrop(&dev, pop3, "ann"), there, "the old server was not touched");
    }
}

#[test]
fn files_of_courier_keep_everything() {
    if !able() {
        return;
    }
    let old = Courier::start(&["ann"], "");
    let names = ["INBOX", "INBOX.Sent", "INBOX.Work", "INBOX.Work.2026", "INBOX.&XfJT0ZAB-"];
    fill(&mut old.login("ann"), &names, 0);
    let place = Place::new();
    let dev = place.start();
    // Whoever reads the maildrop makes Courier note its ids, and marks what he reads.
    let drop = maildrop(&dev, old.pop3, "ann");
    let there = side_of(&mut old.login("ann"), '.', "INBOX.");
    let path = old.path("mail/%u/Maildir").display().to_string();
    dev.ask(&["move", "plan", "house", "--kind", "maildir", "--path", &path]);
    listed(&dev, "house", "ann", "");
    dev.ask(&["move", "start", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("settled"), "{status}");
    let found = here(&dev, "ann@anser.test");
    same(&found, &there);
    // Courier numbers the maildrop by itself: ids stay, the order is that of the UIDs.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&maildrop(&dev, dev.port("pop3"), "ann@anser.test")), sorted(&drop));
    dev.ask(&["move", "delta", "house", "--wait"]);
    fill(&mut old.login("ann"), &names, 1);
    dev.ask(&["move", "delta", "house", "--wait"]);
    let (found, there) = (here(&dev, "ann@anser.test"), side_of(&mut old.login("ann"), '.', "INBOX."));
    for (name, folder) in &there {
        for (uid, message) in &folder.messages {
            assert_eq!(found[name].messages.get(uid), Some(message), "{name} {uid}");
        }
    }
}
