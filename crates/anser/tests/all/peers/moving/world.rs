//! A house that mailboxes move into.

use super::dovecot::Dovecot;
use super::side::{Side, side};
use crate::peers::node::PASSWORD;
use crate::peers::wire::Imap;
use crate::world::{Dev, done, run};

/// Makes the move `house` with one login of an old server, which goes to an account here.
pub fn plan(dev: &Dev, old: &Dovecot, login: &str, address: &str) {
    plan_from(dev, &["--port", &old.imap.to_string()], login, address);
}

/// The same of a server of whatever kind; `more` says at least its port.
pub fn plan_from(dev: &Dev, more: &[&str], login: &str, address: &str) {
    dev.ask(&[&["move", "plan", "house", "--host", "127.0.0.1", "--tls", "none"], more].concat());
    let line = format!("{login}\t{address}\t{PASSWORD}\n");
    done(run(&dev.folder, &["move", "accounts", "house", "--stdin"], line.as_bytes()));
}

/// An old server at which ann has so many messages in her inbox, and her session there.
pub fn old_with(count: usize) -> (Dovecot, Imap) {
    let old = Dovecot::start();
    let mut there = old.login("ann");
    fill(&mut there, "INBOX", count);
    (old, there)
}

/// Puts so many messages into a folder, one like the other but for their subjects, which are numbers from 0.
pub fn fill(imap: &mut Imap, folder: &str, count: usize) {
    for number in 0..count {
        imap.append(folder, "", format!("Subject: {number}\r\n\r\nx\r\n").as_bytes()).expect("APPEND");
    }
}

/// A session here.
pub fn login(dev: &Dev, address: &str) -> Imap {
    Imap::login(dev.port("imap"), address).expect("the house lets its users in")
}

/// All that a user sees here.
pub fn here(dev: &Dev, address: &str) -> Side {
    side(&mut login(dev, address))
}
