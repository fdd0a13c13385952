//! Case 18: the process is killed again and again in one job; the end is that of an undisturbed one. Case 20: more runs change nothing.

use super::dovecot::Dovecot;
use super::side::{Side, side};
use super::world::{here, plan};
use crate::peers::tools::{Numbers, files, wait_for, wanted};
use crate::world::Place;

/// Messages of each folder.
const MESSAGES: usize = 400;
/// Kills of one job.
const KILLS: usize = 8;

#[test]
fn what_is_here_at_the_end_is_what_is_there() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let mut imap = old.login("ann");
    imap.run("CREATE Work").expect("CREATE");
    for number in 0..MESSAGES {
        for folder in ["INBOX", "Work"] {
            let text = format!("Subject: {folder} {number}\r\n\r\n{}\r\n", "x".repeat(number * 7 % 5000));
            imap.append(folder, if number % 3 == 0 { "\\Seen" } else { "" }, text.as_bytes()).expect("APPEND");
        }
    }
    let there = side(&mut imap);
    let place = Place::new();
    let mut dev = place.start();
    plan(&dev, &old, "ann", "ann@anser.test");
    dev.ask(&["move", "start", "house"]);
    let mut numbers = Numbers(0x5EED_1234_ABCD);
    let bodies = place.path().join("blobs");
    for _ in 0..KILLS {
        // Wherever it is: at some number of bodies on the disk, or when all of it is done.
        let at = files(&bodies).len() + 1 + numbers.below(2 * MESSAGES / KILLS);
        wait_for("some more bodies", || {
            let done = || dev.ask(&["move", "status", "house"]).contains("settled");
            (files(&bodies).len() >= at || done()).then_some(())
        });
        dev.kill();
        dev = place.start();
    }
    dev.ask(&["move", "status", "house", "--wait"]);
    same(&there, &here(&dev, "ann@anser.test"));
    dev.ask(&["move", "delta", "house", "--wait"]);
    same(&there, &here(&dev, "ann@anser.test"));
    let proof = dev.ask(&["move", "verify", "house"]);
    assert!(proof.contains(&format!("equal {MESSAGES}")) && !proof.contains("unexplained"), "{proof}");
}

fn same(there: &Side, here: &Side) {
    for (name, folder) in there {
        assert!(here[name].messages == folder.messages, "{name}: {} messages", here[name].messages.len());
        assert_eq!((here[name].uidvalidity, here[name].uidnext), (folder.uidvalidity, folder.uidnext), "{name}");
    }
}
