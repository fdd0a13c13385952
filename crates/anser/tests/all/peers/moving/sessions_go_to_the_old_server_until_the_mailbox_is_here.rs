//! Feature X2: a mailbox that is not here yet is read at its old server, through our doors; then it is here, and the programs that read
//! it notice nothing: nothing is fetched twice.

use super::dovecot::Dovecot;
use super::maildrops_and_files_come_exactly::maildrop;
use super::programs::{Fetched, Programs};
use super::world::login;
use crate::peers::node::PASSWORD;
use crate::peers::tools::{wait_for, wanted};
use crate::peers::wire::Imap;
use crate::world::{Dev, Place, done, each_engine, run};

const ANN: &str = "ann@anser.test";
/// Messages of the inbox, and of the other folder.
const MESSAGES: (usize, usize) = (30, 10);

fn plan(dev: &Dev, old: &Dovecot, passing: &str) {
    let (imap, pop3) = (old.imap.to_string(), old.pop3.to_string());
    let host = ["--host", "127.0.0.1", "--tls", "none"];
    let plan = ["move", "plan", "house"];
    dev.ask(&[&plan[..], &host, &["--port", &imap, "--pass-through", passing]].concat());
    dev.ask(&[&plan[..], &host, &["--port", &pop3, "--kind", "pop3", "--source", "old-pop3"]].concat());
}

fn accounts(dev: &Dev) {
    let line = format!("ann\t{ANN}\t{PASSWORD}\n");
    done(run(&dev.folder, &["move", "accounts", "house", "--source", "old", "--stdin"], line.as_bytes()));
}

/// The words of CAPABILITY after the login.
fn capabilities(imap: &mut Imap) -> String {
    let said = imap.run("CAPABILITY").expect("CAPABILITY");
    let mut words: Vec<&str> = said[0].text.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

fn modseq(imap: &mut Imap) -> u64 {
    let said = imap.run("SELECT INBOX (CONDSTORE)").expect("SELECT");
    said.iter().find_map(|response| response.number("[HIGHESTMODSEQ")).expect("HIGHESTMODSEQ")
}

#[test]
fn programs_that_read_before_and_after_fetch_nothing_twice() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let mut there = old.login("ann");
    there.run("CREATE Work").expect("CREATE");
    for (folder, count) in [("INBOX", MESSAGES.0), ("Work", MESSAGES.1)] {
        for number in 0..count {
            let flags = if number % 3 == 0 { "\\Seen" } else { "" };
            let text = format!(
                "Subject: {folder} {number}\r\nMessage-ID: <{folder}{number}@x>\r\n\r\n{}\r\n",
                "x".repeat(number)
            );
            there.append(folder, flags, text.as_bytes()).expect("APPEND");
        }
    }
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "until-cutover");
    accounts(&dev);
    let programs = Programs::new(&dev, ANN);

    // Before: all of it is at the old server.
    let mut through = login(&dev, ANN);
    assert_eq!(capabilities(&mut through), capabilities(&mut there), "what the old server can do");
    through.select("INBOX").expect("SELECT");
    through.run("UID STORE 2 +FLAGS (\\Flagged Through)").expect("STORE");
    let literal = format!("Subject: through\r\n\r\n{}\r\n", "\u{4f60}".repeat(100_000));
    through.append("INBOX", "", literal.as_bytes()).expect("APPEND");
    there.select("INBOX").expect("SELECT");
    let seen = there.run("UID FETCH 2,31 (FLAGS RFC822.SIZE)").expect("FETCH");
    assert!(
        seen[0].text.contains("Through") && seen[1].number("RFC822.SIZE") == Some(literal.len() as u64),
        "{seen:?}"
    );
    let before = programs.fetch();
    assert_eq!((before.0.len(), before.1.len()), (MESSAGES.0 + MESSAGES.1 + 1, MESSAGES.0 + 1));

    // During: it is brought, and still read there.
    dev.ask(&["move", "start", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("settled  there"), "{status}");
    assert_eq!(programs.fetch(), before);
    there.append("INBOX", "", b"Subject: just before\r\n\r\nx\r\n").expect("APPEND");
    let highest = modseq(&mut there);

    // A client that waits in IDLE hears goodbye; then all of it is here.
    through.begin("IDLE").expect("IDLE");
    dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
    let said = through.read_to_end();
    assert!(said.contains("\r\n* BYE ") || said.starts_with("* BYE "), "{said}");
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("settled") && !status.contains("there"), "{status}");
    let mut here = login(&dev, ANN);
    assert_ne!(capabilities(&mut here), capabilities(&mut there), "what we can do");
    assert!(modseq(&mut here) > highest, "modification sequences go on");
    let after = programs.fetch();
    let more = |now: &Fetched, then: &Fetched| now.keys().filter(|name| !then.contains_key(*name)).count();
    let new = (more(&after.0, &before.0), more(&after.1, &before.1));
    assert_eq!(new, (1, 1), "the one that came meanwhile");
    assert_eq!((after.0.len(), after.1.len()), (before.0.len() + 1, before.1.len() + 1), "and nothing went");

    // Mail that comes late is swept.
    there.append("INBOX", "", b"Subject: late\r\n\r\nx\r\n").expect("APPEND");
    dev.ask(&["move", "delta", "house", "--wait"]);
    let late = programs.fetch();
    assert_eq!((late.0.len(), late.1.len()), (after.0.len() + 1, after.1.len() + 1));
    // An old server that is gone is nobody's trouble any more.
    drop((there, through, old));
    assert_eq!(programs.fetch(), late);
}

#[test]
fn a_mailbox_turns_by_itself_when_it_is_ready() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    old.login("ann").append("INBOX", "", b"Subject: one\r\n\r\nx\r\n").expect("APPEND");
    each_engine(|place| {
        let dev = place.start();
        plan(&dev, &old, "until-ready");
        accounts(&dev);
        assert!(dev.ask(&["move", "status", "house"]).contains("there"));
        login(&dev, ANN).select("INBOX").expect("SELECT");
        dev.ask(&["move", "start", "house", "--wait"]);
        wait_for("the mailbox to be here", || (!dev.ask(&["move", "status", "house"]).contains("there")).then_some(()));
        let mut here = login(&dev, ANN);
        here.select("INBOX").expect("SELECT");
        assert_eq!(here.fetch_all().expect("FETCH").len(), 1);
    });
}

#[test]
fn an_old_server_that_is_down_is_no_wrong_password() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "until-cutover");
    accounts(&dev);
    drop(old);
    let refused = Imap::login(dev.port("imap"), ANN).map(drop).expect_err("nobody can be let in").to_string();
    assert!(refused.contains("[UNAVAILABLE]"), "{refused}");
    dev.ask(&["move", "plan", "house", "--pass-through", "off"]);
    login(&dev, ANN);
}

#[test]
fn unique_ids_find_their_messages_by_their_bytes_where_sizes_tell_nothing() {
    if !wanted() {
        return;
    }
    // Sizes of POP3 are those of the files then, with bare line feeds.
    let old =
        Dovecot::start_with("maildir:~/Maildir:LAYOUT=fs", "/", "protocol pop3 {\n  pop3_fast_size_lookups = yes\n}\n");
    let mut there = old.login("ann");
    for number in [1, 2, 3, 3, 4] {
        there.append("INBOX", "", format!("Subject: {number}\r\n\r\nx\r\n").as_bytes()).expect("APPEND");
    }
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "off");
    accounts(&dev);
    dev.ask(&["move", "start", "house", "--wait"]);
    let shown = maildrop(&dev, old.pop3, "ann");
    assert_ne!(maildrop(&dev, dev.port("pop3"), ANN), shown, "ids of our own");
    dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
    assert_eq!(maildrop(&dev, dev.port("pop3"), ANN), shown, "those of the old server");
}
