//! Cases 1, 2, 3, 4, 8 and 30 of the list: odd but legal mail, the same mail twice, flags and keywords; UIDs and UIDVALIDITY stay.

use super::dovecot::Dovecot;
use super::side::side;
use super::world::{here, plan};
use crate::peers::tools::wanted;
use crate::world::Place;

const ODD: [&[u8]; 9] = [
    b"From: ann@old.test\r\nSubject: sent without Message-ID\r\n\r\none\r\n",
    b"From: ann@old.test\r\nSubject: sent without Message-ID\r\n\r\ntwo\r\n",
    b"Message-ID: <same@old.test>\r\nSubject: first\r\n\r\nx\r\n",
    b"Message-ID: <same@old.test>\r\nSubject: second\r\n\r\ny\r\n",
    b"\r\nonly a body\r\n",
    b"Subject: no final newline\r\n\r\nbody",
    b"Subject: only a header\r\n",
    b"Subject: \xb0\xa1\xff raw\r\n\r\n\x01\x80\xfe\r\n",
    b"From nobody Sat Nov 21 08:00:00 2026\r\nBroken Header Line: x\r\n\r\n>From here\r\n.\r\n",
];
const FLAGS: [&str; 4] = ["", "\\Seen $Forwarded", "\\Flagged \\Answered Custom NonJunk", "\\Draft \\Deleted $label1"];

#[test]
fn bytes_flags_dates_uids_folders_and_subscriptions_are_the_same() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let mut imap = old.login("ann");
    for folder in ["Sent Items", "Work", "Work/2026.dot", "&XfJT0ZAB-", "Junk"] {
        imap.run(&format!("CREATE \"{folder}\"")).expect("CREATE");
    }
    for folder in ["INBOX", "Work/2026.dot"] {
        imap.run(&format!("SUBSCRIBE \"{folder}\"")).expect("SUBSCRIBE");
    }
    for round in 0..2 {
        for (number, message) in ODD.iter().enumerate() {
            for folder in ["INBOX", "Sent Items", "Work/2026.dot", "&XfJT0ZAB-"] {
                let flags = FLAGS[(number + round) % FLAGS.len()];
                imap.append(folder, flags, message).expect("APPEND");
            }
        }
    }
    // UIDs that begin nowhere and have gaps.
    imap.select("INBOX").expect("SELECT");
    imap.run("UID STORE 1:3,7 +FLAGS (\\Deleted)").expect("STORE");
    imap.run("EXPUNGE").expect("EXPUNGE");
    let there = side(&mut imap);

    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "ann", "ann@anser.test");
    dev.ask(&["move", "start", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("settled"), "{status}");
    let found = here(&dev, "ann@anser.test");
    for (name, folder) in &there {
        let same = found.get(name).unwrap_or_else(|| panic!("{name} is not here: {:?}", found.keys()));
        assert_eq!(same.messages, folder.messages, "{name}");
        assert_eq!(same.uidvalidity, folder.uidvalidity, "{name}");
        assert_eq!(same.uidnext, folder.uidnext, "{name}");
        if name != "INBOX" {
            assert_eq!(same.subscribed, folder.subscribed, "{name}");
        }
    }
    assert_eq!(found["Sent Items"].uses, ["\\Sent"]);
    for _ in 0..5 {
        dev.ask(&["move", "delta", "house", "--wait"]);
    }
    assert_eq!(here(&dev, "ann@anser.test"), found, "five more runs change nothing");
    assert_eq!(side(&mut old.login("ann")), there, "the old server was not touched");
}
