//! SRC-5: what Dovecot keeps as sdbox or mdbox comes by the Maildirs that its own `doveadm` makes of it, with the very commands of the
//! handbook: all that it told by IMAP and POP3 is here, and a second run brings what came since.

use std::process::Command;

use super::dovecot::Dovecot;
use super::maildrops_and_files_come_exactly::{brought, fill, maildrop, same};
use super::side::side;
use super::world::here;
use crate::peers::tools::{shell, wanted};
use crate::world::Place;

const HANDBOOK: &str = include_str!("../../../../../../docs/operate/moving-in.md");
const CHINESE: &str = include_str!("../../../../../../docs/operate/moving-in.zh.md");
/// Where copies lie in the handbook.
const COPY: &str = "/srv/copy";

/// Commands of the handbook: those with this word.
fn commands<'t>(text: &'t str, word: &str) -> &'t str {
    text.split("```\n").find(|block| block.starts_with(['d', 't']) && block.contains(word)).expect("commands")
}

/// Does what the handbook says, for one login.
fn handbook(old: &Dovecot, word: &str) {
    let doveadm = format!("doveadm -c {}", old.path("dovecot.conf"));
    let commands = commands(HANDBOOK, word).replace("doveadm", &doveadm).replace(COPY, &old.path("copy"));
    let done = Command::new("sh").args(["-e", "-c", &commands]).env("login", "ann").output().expect("a shell");
    assert!(done.status.success(), "{commands}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn sdbox_and_mdbox_keep_everything() {
    if !wanted() {
        return;
    }
    for word in ["doveadm backup", "--min-next-uid"] {
        assert_eq!(commands(CHINESE, word), commands(HANDBOOK, word));
    }
    for location in ["sdbox:~/sdbox", "mdbox:~/mdbox"] {
        let old = Dovecot::start_with(location, "/", "");
        fill(&old, &["INBOX", "Work", "Work/20.26", "&XfJT0ZAB-"]);
        let place = Place::new();
        let dev = place.start();
        let drop = maildrop(&dev, old.pop3, "ann");
        let there = side(&mut old.login("ann"));
        shell(&format!("mkdir {0} && chown nobody:nogroup {0}", old.path("copy")));
        handbook(&old, "doveadm backup");
        brought(&dev, &old.path("copy/%u"), &there);
        assert_eq!(maildrop(&dev, dev.port("pop3"), "ann@anser.test"), drop, "{location}");

        let mut imap = old.login("ann");
        imap.append("Work", "\\Seen Later", b"Subject: late\r\n\r\nx\r\n").expect("APPEND");
        imap.append("Work/20.26", "", b"Subject: later\r\n\r\nx\r\n").expect("APPEND");
        imap.select("INBOX").expect("SELECT");
        imap.run("STORE 1 +FLAGS (\\Flagged Later)").expect("STORE");
        // The last one of a folder goes: its UID is not to be had again.
        imap.select("Work/20.26").expect("SELECT");
        imap.run("UID STORE 13 +FLAGS (\\Deleted)").expect("STORE");
        imap.run("EXPUNGE").expect("EXPUNGE");
        handbook(&old, "doveadm backup");
        handbook(&old, "--min-next-uid");
        dev.ask(&["move", "delta", "house", "--wait"]);
        let (found, there) = (here(&dev, "ann@anser.test"), side(&mut old.login("ann")));
        same(&found, &there);
        assert_eq!(there["Work/20.26"].uidnext, 14);
        for (name, folder) in &there {
            assert!(found[name].uidnext >= folder.uidnext, "{location}: {name}");
        }
    }
}
