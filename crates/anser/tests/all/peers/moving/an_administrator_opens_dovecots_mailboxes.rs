//! CRED-1: nobody's password is known. A master user of a real Dovecot opens every mailbox: passes, sessions that are passed through, unique
//! ids of POP3, and the way back. So does an administrator of a real Cyrus.

use super::cyrus::Cyrus;
use super::dovecot::{Dovecot, MASTER, MASTERS};
use super::world::{fill, login};
use crate::peers::node::PASSWORD;
use crate::peers::tools::{root, wanted};
use crate::world::{Place, done, run};

const ANN: &str = "ann@anser.test";
const BOB: &str = "bob@anser.test";

#[test]
fn by_either_form_and_on_every_way() {
    if !wanted() {
        return;
    }
    for form in ["authzid", "login*admin"] {
        let old = Dovecot::start_with("maildir:~/Maildir:LAYOUT=fs", "/", MASTERS);
        for (user, count) in [("ann", 3), ("bob", 2)] {
            fill(&mut old.login(user), "INBOX", count);
        }
        let place = Place::new();
        let dev = place.start();
        let (imap, pop3) = (old.imap.to_string(), old.pop3.to_string());
        let plan = ["move", "plan", "house", "--host", "127.0.0.1", "--tls", "none"];
        dev.ask(&[&plan[..], &["--port", &imap, "--pass-through", "until-cutover"]].concat());
        dev.ask(&[&plan[..], &["--port", &pop3, "--kind", "pop3", "--source", "old-pop3"]].concat());
        let master = ["move", "plan", "house", "--admin", "root", "--admin-form", form, "--admin-password-stdin"];
        done(run(&dev.folder, &master, MASTER.as_bytes()));
        let lines = format!("ann\t{ANN}\nbob\t{BOB}\n");
        let accounts = ["move", "accounts", "house", "--source", "old", "--stdin"];
        done(run(&dev.folder, &accounts, lines.as_bytes()));

        dev.ask(&["move", "check", "house", "--wait"]);
        let mut through = login(&dev, ANN);
        through.append("INBOX", "", b"Subject: through\r\n\r\nx\r\n").expect("APPEND");
        dev.ask(&["move", "start", "house", "--wait"]);
        dev.ask(&["move", "cutover", "house", ANN, BOB, "--wait"]);
        let mut here = login(&dev, ANN);
        here.select("INBOX").expect("SELECT");
        assert_eq!(here.fetch_all().expect("FETCH").len(), 4, "{form}");
        here.append("INBOX", "", b"Subject: new here\r\n\r\nx\r\n").expect("APPEND");
        dev.ask(&["move", "rollback", "house", ANN, "--wait"]);
        let mut there = old.login("ann");
        there.select("INBOX").expect("SELECT");
        assert_eq!(there.fetch_all().expect("FETCH").len(), 5, "{form}: the way back");
        let status = dev.ask(&["move", "status", "house"]);
        assert!(!status.contains("refused"), "{status}");
    }
}

#[test]
fn an_administrator_of_cyrus_acts_for_its_users() {
    if !wanted() || !root() {
        return;
    }
    let old = Cyrus::start(&["ann"], "");
    old.login("ann").append("INBOX", "", b"Subject: one\r\n\r\nx\r\n").expect("APPEND");
    let place = Place::new();
    let dev = place.start();
    let port = old.imap.to_string();
    let plan = ["move", "plan", "house", "--host", "127.0.0.1", "--tls", "none", "--port", &port];
    let admin = ["--admin", "admin", "--admin-password-stdin"];
    done(run(&dev.folder, &[&plan[..], &admin].concat(), PASSWORD.as_bytes()));
    done(run(&dev.folder, &["move", "accounts", "house", "--stdin"], format!("ann\t{ANN}\n").as_bytes()));
    dev.ask(&["move", "start", "house", "--wait"]);
    let mut here = login(&dev, ANN);
    here.select("INBOX").expect("SELECT");
    assert_eq!(here.fetch_all().expect("FETCH").len(), 1, "{}", dev.ask(&["move", "status", "house"]));
}
