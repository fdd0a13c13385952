//! What stands before the cut-over and the end, as somebody sees who asks.

use crate::world::{Dev, run};

/// The line of a gate, from its state on: `open  why`.
pub fn gate(dev: &Dev, name: &str) -> String {
    let told = dev.ask(&["move", "cutover", "house", "--check"]);
    let line = told.lines().find_map(|line| line.get(2..)?.strip_prefix(name)?.strip_prefix("  ").map(str::to_owned));
    line.unwrap_or_else(|| panic!("no gate {name}: {told}"))
}

/// A command on the move that is refused, and why.
pub fn refused(dev: &Dev, arguments: &[&str]) -> String {
    let output = run(&dev.folder, &[&["move"], arguments].concat(), b"");
    assert!(!output.status.success(), "{arguments:?} is refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Cuts everybody over.
pub fn cut_over(dev: &Dev, users: usize) {
    dev.ask(&["move", "cutover", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(!status.contains("there") && !status.contains("turning"), "{status}");
    assert_eq!(status.matches("  settled").count(), users, "{status}");
    assert_eq!(dev.ask(&["route", "list"]).matches("@anser.test").count(), 0, "mail comes here");
}

/// Holds both sides of everybody against each other: all is well.
pub fn verify(dev: &Dev, users: usize) {
    let proof = dev.ask(&["move", "verify", "house"]);
    assert_eq!(proof.matches("  perfect\n").count() + proof.matches("  good\n").count(), users, "{proof}");
    assert!(!proof.contains("unexplained"), "{proof}");
}
