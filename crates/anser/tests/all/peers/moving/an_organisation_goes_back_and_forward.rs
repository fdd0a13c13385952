//! The rehearsal, further: back to the old servers after some use, and forward again, while programs read; and what is dropped on purpose
//! is named, exactly.

use std::process::Command;

use super::an_organisation_is_rehearsed::{Names, World, cut_over, zone};
use super::programs::Programs;
use super::world::login;
use crate::peers::tools::{run as run_program, wanted};
use crate::world::{Place, run};

/// Messages that are dropped on purpose: the first four from their folder, three more out of the ledger too.
const DROP: &str = r#"
import pathlib, sqlite3, sys
for path in sorted(pathlib.Path(sys.argv[1], "accounts").rglob("mail.db")):
    db = sqlite3.connect(path)
    rows = db.execute("SELECT account, source, folder, key, mailbox, uid FROM moved WHERE state = 0 ORDER BY mailbox, uid").fetchall()
    if len(rows) < 10:
        continue
    for at, (account, source, folder, key, mailbox, uid) in enumerate(rows[:7]):
        db.execute("DELETE FROM entry WHERE account = ? AND mailbox = ? AND uid = ?", (account, mailbox, uid))
        if at >= 4:
            db.execute("DELETE FROM moved WHERE account = ? AND source = ? AND folder = ? AND key = ?", (account, source, folder, key))
    db.execute("DELETE FROM block")
    db.commit()
    print(*sorted(uid for *_, uid in rows[:7]))
    break
"#;

#[test]
fn three_servers_go_back_and_forward_and_seven_that_are_missing_are_named() {
    if !wanted() {
        return;
    }
    let (world, names) = (World::new(), Names::new(&zone(1, "mail", 60)));
    let place = Place::new();
    let dev = place.start_with(&["--dns", &names.server.address.to_string()]);
    world.plan(&dev, &place);
    dev.ask(&["move", "start", "house", "--wait"]);
    dev.ask(&["move", "verify", "house"]);
    cut_over(&dev, &["form", "forecast", "ttl", "notice"]);
    let programs: Vec<Programs> = (0..3).map(|user| Programs::new(&dev, &format!("u{user}@anser.test"))).collect();
    world.old[0].login("u0").append("INBOX", "", b"Subject: late\r\n\r\nx\r\n").expect("APPEND");
    login(&dev, "u1@anser.test").append("INBOX", "", b"Subject: new\r\n\r\nx\r\n").expect("APPEND");
    dev.ask(&["move", "delta", "house", "--wait"]);
    let maildrops: Vec<_> = programs.iter().map(Programs::get).collect();

    // Back: what is new here is there, and is read there; then forward again.
    let subjects = |programs: &Programs| programs.sync().len();
    let counts: Vec<usize> = programs.iter().map(subjects).collect();
    dev.ask(&["move", "rollback", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert_eq!(status.matches("  there").count(), world.users, "{status}");
    assert_eq!(
        programs.iter().map(Programs::get).collect::<Vec<_>>(),
        maildrops,
        "getmail fetches nothing twice there"
    );
    world.old[1].login("u1").append("INBOX", "", b"Subject: back\r\n\r\nx\r\n").expect("APPEND");
    let back: Vec<usize> = programs.iter().map(subjects).collect();
    assert_eq!(back, [counts[0], counts[1] + 1, counts[2]], "mbsync reads the same there");
    dev.ask(&["move", "delta", "house", "--wait"]);
    let names_before: Vec<_> = programs.iter().map(Programs::sync).collect();
    cut_over(&dev, &["proof"]);
    assert_eq!(programs.iter().map(Programs::sync).collect::<Vec<_>>(), names_before, "forward again: nothing twice");
    assert!(!dev.ask(&["move", "verify", "house"]).contains("unexplained"));
    let refused = run(&dev.folder, &["move", "cutover", "house", "--close"], b"");
    assert!(!refused.status.success(), "late mail may still come");

    // Seven are dropped on purpose, and named.
    let folder = dev.folder.clone();
    assert!(dev.stop().status.success());
    let dropped = run_program(Command::new("python3").args(["-c", DROP]).arg(&folder));
    let dropped: Vec<u64> =
        String::from_utf8_lossy(&dropped).split_whitespace().map(|uid| uid.parse().unwrap()).collect();
    assert_eq!(dropped.len(), 7);
    let dev = place.start_with(&["--dns", &names.server.address.to_string()]);
    let found = run(&dev.folder, &["move", "verify", "house"], b"");
    assert!(!found.status.success(), "something is unexplained");
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    let mut named: Vec<u64> = found
        .lines()
        .filter(|line| line.contains(": unexplained: "))
        .map(|line| line.split("UID ").nth(1).and_then(|rest| rest.split(':').next()?.parse().ok()).expect("a UID"))
        .collect();
    named.sort_unstable();
    assert_eq!(named, dropped, "{found}");
    let close = ["move", "cutover", "house", "--close", "--accept", "late", "--accept", "probe"];
    let refused = run(&dev.folder, &close, b"");
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("7 unexplained"), "{why}");
    dev.ask(&[&close[..], &["--accept", "loss=dropped on purpose"]].concat());
    let report = dev.ask(&["move", "report", "house", "--format", "json"]);
    assert!(report.contains(": dropped on purpose\""), "{report}");
}
