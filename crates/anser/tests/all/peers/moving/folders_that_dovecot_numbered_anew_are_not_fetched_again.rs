//! ID-8 with Dovecot: a folder is renamed there, then it loses its lists of UIDs and numbers everything anew. Not one body is handed out a
//! second time: Dovecot counts them at the end of each session.

use std::fs;

use super::dovecot::Dovecot;
use super::side::Side;
use super::world::{here, plan};
use crate::peers::tools::{shell, wait_for, wanted};
use crate::world::{Dev, Place};

const MAILS: usize = 40;

/// Bodies that were handed out, once every session that began has ended.
fn handed(old: &Dovecot) -> usize {
    wait_for("sessions to end", || {
        let log = fs::read_to_string(old.path("log")).expect("dovecot logs");
        let counts: Vec<usize> =
            log.split(" body_count=").filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect();
        (counts.len() == log.matches("imap-login: Info: Login: ").count()).then(|| counts.iter().sum())
    })
}

fn pass(dev: &Dev, verb: &str) -> Side {
    dev.ask(&["move", verb, "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("settled"), "{status}");
    here(dev, "ann@anser.test")
}

#[test]
fn what_is_known_by_its_name_is_not_handed_out_again() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let mut there = old.login("ann");
    there.run("CREATE Work").expect("CREATE");
    for number in 0..MAILS {
        let text = format!("Subject: old {number}\r\n\r\n{number}\r\n");
        there.append(if number % 2 == 0 { "Work" } else { "INBOX" }, "\\Seen", text.as_bytes()).expect("APPEND");
    }
    drop(there);
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "ann", "ann@anser.test");
    let first = pass(&dev, "start");
    let of_first = handed(&old);
    assert_eq!(of_first, MAILS);

    let mut there = old.login("ann");
    there.run("RENAME Work Duty").expect("RENAME");
    drop(there);
    let renamed = pass(&dev, "delta");
    assert!(!renamed.contains_key("Work"), "{:?}", renamed.keys());
    assert_eq!(renamed["Duty"].messages, first["Work"].messages);

    let maildir = old.path("mail/ann/Maildir");
    shell(&format!(
        "find {maildir} -name 'dovecot-uid*' -o -name 'dovecot.index*' -o -name 'dovecot.list*' | xargs rm"
    ));
    let mut there = old.login("ann");
    let selected = there.select("Duty").expect("SELECT");
    assert!(!format!("{selected:?}").contains(&format!("UIDVALIDITY {}]", first["Work"].uidvalidity)), "numbered anew");
    there.append("Duty", "", b"Subject: new\r\n\r\nnew\r\n").expect("APPEND");
    drop(there);

    let second = pass(&dev, "delta");
    assert_eq!(handed(&old), MAILS + 1, "the new one alone");
    let bodies = |side: &Side, name: &str| {
        let mut bodies: Vec<Vec<u8>> = side[name].messages.values().map(|one| one.body.clone()).collect();
        bodies.sort();
        bodies
    };
    assert_eq!(bodies(&second, "INBOX"), bodies(&first, "INBOX"));
    let mut duty = bodies(&first, "Work");
    duty.push(b"Subject: new\r\n\r\nnew\r\n".to_vec());
    duty.sort();
    assert_eq!(bodies(&second, "Duty"), duty);
    for _ in 0..2 {
        assert_eq!(pass(&dev, "delta"), second, "more runs change nothing");
    }
    assert_eq!(handed(&old), MAILS + 1);
}
