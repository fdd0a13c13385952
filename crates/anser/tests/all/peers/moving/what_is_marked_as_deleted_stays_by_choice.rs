//! FID-4 against a real Dovecot: what is marked as deleted stays there where that was chosen, is counted by the proof, is let alone by the way
//! back, and comes when the choice is taken back.

use super::dovecot::Dovecot;
use super::world::{here, login, plan};
use crate::peers::tools::wanted;
use crate::world::Place;

const ANN: &str = "ann@anser.test";

#[test]
fn it_is_counted_let_alone_and_comes_in_the_end() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let mut there = old.login("ann");
    for number in 1..=6 {
        let flags = if number % 2 == 0 { "\\Deleted" } else { "\\Seen" };
        there.append("INBOX", flags, format!("Subject: {number}\r\n\r\nx\r\n").as_bytes()).expect("APPEND");
    }
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "ann", ANN);
    let listed = dev.ask(&["move", "plan", "house", "--skip-deleted"]);
    assert!(listed.contains("marked as deleted are left out"), "{listed}");
    dev.ask(&["move", "start", "house", "--wait"]);
    let uids = || here(&dev, ANN)["INBOX"].messages.keys().copied().collect::<Vec<_>>();
    assert_eq!(uids(), [1, 3, 5]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("excluded 3"), "{status}");
    let proof = dev.ask(&["move", "verify", "house"]);
    assert!(proof.contains("excluded 3") && proof.contains("equal 3") && !proof.contains("unexplained"), "{proof}");

    // It is no longer marked: a proof knows, and the next pass brings it.
    there.select("INBOX").expect("SELECT");
    there.run("UID STORE 2 -FLAGS (\\Deleted)").expect("STORE");
    let proof = dev.ask(&["move", "verify", "house", "--level", "1"]);
    assert!(proof.contains("UID 2: new") && proof.contains("excluded 2"), "{proof}");
    dev.ask(&["move", "delta", "house", "--wait"]);
    assert_eq!(uids().len(), 4);

    // The way back: what was left out is there as it was, once.
    dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
    login(&dev, ANN).append("INBOX", "", b"Subject: new here\r\n\r\nx\r\n").expect("APPEND");
    dev.ask(&["move", "rollback", "house", "--wait"]);
    let marked = there.run("UID SEARCH DELETED").expect("SEARCH");
    assert!(marked.iter().any(|line| line.text.trim() == "* SEARCH 4 6"), "{marked:?}");
    there.select("INBOX").expect("SELECT");
    assert_eq!(there.fetch_all().expect("FETCH").len(), 7);

    dev.ask(&["move", "plan", "house", "--skip-deleted=false"]);
    dev.ask(&["move", "delta", "house", "--wait"]);
    assert_eq!(uids().len(), 7);
    let proof = dev.ask(&["move", "verify", "house"]);
    assert!(!proof.contains("excluded") && !proof.contains("unexplained"), "{proof}");
}
