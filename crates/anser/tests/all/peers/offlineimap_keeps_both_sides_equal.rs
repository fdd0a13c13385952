//! Two-way synchronisation by offlineimap, which trusts UIDs and UIDVALIDITY alone.

use super::node::{IMAP, Node, PASSWORD};
use super::tools::{Home, run, wanted};
use super::two_sides::{account_and_maildirs, plain_messages};
use super::wire::Imap;

#[test]
fn after_random_edits_both_sides_are_equal() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let (mail, metadata, port) = (home.path("mail"), home.path("offlineimap"), node.port(IMAP));
    let rc = home.write(
        "offlineimaprc",
        format!(
            "[general]\naccounts = a\nmetadata = {}\nui = quiet\nfsync = False\n\n\
             [Account a]\nlocalrepository = near\nremoterepository = far\n\n\
             [Repository near]\ntype = Maildir\nlocalfolders = {}\nsep = /\n\n\
             [Repository far]\ntype = IMAP\nremotehost = 127.0.0.1\nremoteport = {port}\nremoteuser = ann@anser.test\n\
             remotepass = {PASSWORD}\nssl = no\nstarttls = no\nauth_mechanisms = PLAIN\n",
            metadata.display(),
            mail.display()
        ),
    );
    let sync = || drop(run(home.command("offlineimap").arg("-c").arg(&rc).arg("-o")));
    let mut far = Imap::login(port, "ann@anser.test").expect("a session");
    account_and_maildirs(&mut far, &mail, plain_messages(), sync);
}
