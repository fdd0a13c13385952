//! Case 46: back to the old server after days of use, forward again, and once more: both sides hold the same, each message once.

use std::collections::BTreeMap;

use super::dovecot::Dovecot;
use super::side::{Side, side};
use super::world::{here, login, old_with, plan};
use crate::peers::tools::wanted;
use crate::peers::wire::Imap;
use crate::world::{Dev, Place};

const ANN: &str = "ann@anser.test";

/// Folders with their messages: bodies, flags and dates, and of the folders that keep them, UIDs.
fn content(side: &Side) -> BTreeMap<String, Vec<(Option<u64>, Vec<u8>, Vec<String>, String)>> {
    let all = side.iter().filter(|(_, folder)| !folder.messages.is_empty());
    all.map(|(name, folder)| {
        let keeps = name == "INBOX";
        let message = |(uid, one): (&u64, &super::side::Message)| {
            (keeps.then_some(*uid), one.body.clone(), one.flags.clone(), one.date.clone())
        };
        let mut messages: Vec<_> = folder.messages.iter().map(message).collect();
        messages.sort();
        (name.clone(), messages)
    })
    .collect()
}

fn same(dev: &Dev, old: &Dovecot) {
    assert_eq!(content(&here(dev, ANN)), content(&side(&mut old.login("ann"))));
}

/// What a user does in some days: mail comes and is written, flagged, moved, filed.
fn use_it(imap: &mut Imap, round: &str) {
    for number in 0..5 {
        let text = format!("Subject: {round} {number}\r\n\r\n{}\r\n", "x".repeat(number * 1000));
        imap.append("INBOX", ["", "\\Seen $Forwarded"][number % 2], text.as_bytes()).expect("APPEND");
    }
    imap.append("Sent Items", "\\Seen", format!("Subject: sent {round}\r\n\r\nx").as_bytes()).expect("APPEND");
    imap.run(&format!("CREATE \"{round}\"")).expect("CREATE");
    imap.run(&format!("CREATE \"{round}/&mHl27g-\"")).expect("CREATE");
    imap.append(&format!("{round}/&mHl27g-"), "", b"Subject: filed\r\n\r\nx\r\n").expect("APPEND");
    imap.select("INBOX").expect("SELECT");
    imap.run("UID STORE 2 -FLAGS (\\Seen)").expect("STORE");
    imap.run(&format!("UID STORE 3,4 +FLAGS (\\Flagged {round})")).expect("STORE");
    imap.run("UID MOVE 6 Work").expect("MOVE");
}

#[test]
fn mail_flags_and_folders_go_back_and_come_again() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let mut there = old.login("ann");
    for folder in ["Work", "Sent Items"] {
        there.run(&format!("CREATE \"{folder}\"")).expect("CREATE");
    }
    for number in 0..10 {
        let text = format!("Subject: {number}\r\n\r\n{}\r\n", "y".repeat(number * 300));
        there.append("INBOX", "\\Seen", text.as_bytes()).expect("APPEND");
        there.append("Work", "", format!("Subject: work {number}\r\n\r\nx\r\n").as_bytes()).expect("APPEND");
    }
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "ann", ANN);
    dev.ask(&["move", "start", "house", "--wait"]);
    dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
    use_it(&mut login(&dev, ANN), "first");
    // The old server is not quite left alone either.
    there.select("INBOX").expect("SELECT");
    there.run("UID STORE 4 +FLAGS (\\Answered)").expect("STORE");

    let would = dev.ask(&["--json", "move", "rollback", "house", "--dry-run"]);
    let would: serde_json::Value = serde_json::from_str(&would).expect("JSON");
    let would = &would[0];
    assert!(would["messages"] == 7 && would["folders"].as_u64() >= Some(2), "{would}");
    assert_eq!((would["moved"].as_u64(), would["flags"].as_u64()), (Some(1), Some(3)), "{would}");
    dev.ask(&["move", "rollback", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("settled"), "{status}");
    let flags = there.run("UID FETCH 3:4 FLAGS").expect("FETCH");
    assert!(flags[0].text.contains("first") && flags[1].text.contains("\\Answered"), "{flags:?}");
    // What changed there meanwhile came here with it.
    dev.ask(&["move", "delta", "house", "--wait"]);
    same(&dev, &old);
    dev.ask(&["move", "rollback", "house", "--wait"]);
    dev.ask(&["move", "delta", "house", "--wait"]);
    same(&dev, &old);

    // Life goes on there, and all of it comes here once more.
    use_it(&mut old.login("ann"), "second");
    dev.ask(&["move", "delta", "house", "--wait"]);
    same(&dev, &old);
    dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
    use_it(&mut login(&dev, ANN), "third");
    dev.ask(&["move", "rollback", "house", "--wait"]);
    same(&dev, &old);
    let proof = dev.ask(&["move", "verify", "house"]);
    assert!(!proof.contains("unexplained"), "{proof}");
}

/// Uses it as people do who tidy up: removes, renames, nests, makes two folders change places, and removes a folder.
fn tidy_up(imap: &mut Imap) {
    imap.select("INBOX").expect("SELECT");
    imap.run("UID STORE 2,3,5 +FLAGS (\\Deleted)").expect("STORE");
    imap.run("EXPUNGE").expect("EXPUNGE");
    for (from, to) in
        [("Work", "Office"), ("left", "aside"), ("right", "left"), ("aside", "right"), ("leaf", "Office/leaf")]
    {
        imap.run(&format!("RENAME \"{from}\" \"{to}\"")).expect("RENAME");
    }
    imap.run("DELETE old/older").expect("DELETE");
    imap.run("DELETE old").expect("DELETE");
    imap.run("CREATE Work").expect("CREATE");
    imap.append("Work", "", b"Subject: another\r\n\r\nx\r\n").expect("APPEND");
}

/// Folders that hold something.
fn filled(side: &Side) -> Vec<&str> {
    side.iter().filter(|(_, folder)| !folder.messages.is_empty()).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn removals_and_names_go_back_too() {
    if !wanted() {
        return;
    }
    let (old, mut there) = old_with(30);
    for folder in ["Work", "Work/deep", "left", "right", "leaf", "old", "old/older"] {
        there.run(&format!("CREATE \"{folder}\"")).expect("CREATE");
        there.append(folder, "", format!("Subject: {folder}\r\n\r\nx\r\n").as_bytes()).expect("APPEND");
    }
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "ann", ANN);
    dev.ask(&["move", "start", "house", "--wait"]);
    dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
    tidy_up(&mut login(&dev, ANN));
    // Somebody looked at one there, and one came late: neither goes.
    there.select("INBOX").expect("SELECT");
    there.run("UID STORE 5 +FLAGS (\\Flagged)").expect("STORE");
    there.append("old", "", b"Subject: late\r\n\r\nx\r\n").expect("APPEND");
    let would: serde_json::Value =
        serde_json::from_str(&dev.ask(&["--json", "move", "rollback", "house", "--dry-run"])).expect("JSON");
    let counts = ["removed", "renamed", "removed_folders"].map(|what| would[0][what].as_u64());
    assert_eq!(counts, [Some(5), Some(5), Some(2)], "{would}");
    dev.ask(&["move", "rollback", "house", "--wait"]);
    let (now, ours) = (side(&mut old.login("ann")), here(&dev, ANN));
    let uids: Vec<u64> = now["INBOX"].messages.keys().copied().collect();
    assert_eq!((uids.len(), uids.contains(&5)), (28, true), "{uids:?}");
    let mut wanted = filled(&ours);
    wanted.push("old");
    wanted.sort_unstable();
    assert_eq!(filled(&now), wanted);
    assert_eq!(now["old"].messages.len(), 1, "what came late stays");
    assert_eq!(content(&now)["left"], content(&ours)["left"]);

    // Much of a folder is a question first.
    let mut imap = login(&dev, ANN);
    imap.select("INBOX").expect("SELECT");
    imap.run("UID STORE 6:29 +FLAGS (\\Deleted)").expect("STORE");
    imap.run("EXPUNGE").expect("EXPUNGE");
    dev.ask(&["move", "rollback", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("asking"), "{status}");
    assert_eq!(side(&mut old.login("ann"))["INBOX"].messages.len(), 28);
    dev.ask(&["move", "resume", "house", "--losses-are-meant", "--wait"]);
    assert_eq!(side(&mut old.login("ann"))["INBOX"].messages.len(), 4);
    dev.ask(&["move", "delta", "house", "--wait"]);
    let mut again = filled(&now);
    again.retain(|name| *name != "old");
    let after = here(&dev, ANN);
    let mut here_now = filled(&after);
    here_now.retain(|name| *name != "old");
    assert_eq!(here_now, again, "forward again: nothing comes under an old name");
}
