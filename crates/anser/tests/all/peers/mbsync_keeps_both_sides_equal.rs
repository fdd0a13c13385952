//! Two-way synchronisation by mbsync: messages, flags, deletions, moves and new folders with Chinese names, changed at random on
//! both sides, end equal.

use super::clients::{Inbox, mbsync_config};
use super::node::{IMAP, Node, POP3};
use super::tools::{Home, run, wanted};
use super::two_sides::{account_and_maildirs, real_messages};
use super::wire::Imap;

#[test]
fn after_random_edits_both_sides_are_equal() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let ann = Inbox { user: "ann@anser.test", imap: node.port(IMAP), pop3: node.port(POP3) };
    let config = mbsync_config(&home, &ann);
    let sync = || drop(run(home.command("mbsync").arg("-c").arg(&config).arg("c")));
    let mut far = Imap::login(ann.imap, ann.user).expect("a session");
    account_and_maildirs(&mut far, &home.path("mail"), real_messages(), sync);
}
