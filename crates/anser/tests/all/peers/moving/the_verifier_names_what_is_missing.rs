//! VER: what was dropped, changed or removed on purpose is named, exactly; everything else is equal.

use super::world::{login, old_with, plan};
use crate::peers::tools::wanted;
use crate::world::Place;

#[test]
fn differences_made_on_purpose_are_the_ones_that_are_told() {
    if !wanted() {
        return;
    }
    let (old, mut imap) = old_with(30);
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "ann", "ann@anser.test");
    dev.ask(&["move", "start", "house", "--wait"]);
    let proof = dev.ask(&["move", "verify", "house"]);
    assert!(proof.contains("equal 30") && !proof.contains("UID"), "{proof}");
    let mut own = login(&dev, "ann@anser.test");
    own.select("INBOX").expect("SELECT");
    own.run("UID STORE 3,9 +FLAGS (\\Deleted)").expect("STORE");
    own.run("EXPUNGE").expect("EXPUNGE");
    own.run("UID MOVE 5 Archive").expect("MOVE");
    own.run("UID STORE 7 +FLAGS (\\Flagged)").expect("STORE");
    imap.append("INBOX", "", b"Subject: late\r\n\r\nx\r\n").expect("APPEND");
    let sampled = dev.ask(&["move", "verify", "house", "--level", "1"]);
    let proof = dev.ask(&["move", "verify", "house"]);
    assert_eq!(sampled, proof, "bodies that find no twin are read at level 1 too");
    let told: Vec<&str> = proof.lines().filter(|line| line.contains(" UID ")).map(str::trim).collect();
    let why: Vec<(&str, &str)> =
        told.iter().filter_map(|line| line.strip_prefix("INBOX UID ")?.split_once(": ")).collect();
    let mut why: Vec<(&str, &str)> =
        why.into_iter().map(|(uid, rest)| (uid, rest.split(':').next().unwrap_or(""))).collect();
    why.sort();
    assert_eq!(
        why,
        [("3", "removed"), ("31", "new"), ("5", "elsewhere"), ("7", "changed"), ("9", "removed")],
        "{proof}"
    );
    let page = dev.ask(&["move", "report", "house"]);
    assert!(page.contains("Unexplained 无法解释: 0"), "{page}");
    assert!(dev.ask(&["move", "report", "house", "--format", "csv"]).contains("\"INBOX\",\"INBOX\",31,"));
}
