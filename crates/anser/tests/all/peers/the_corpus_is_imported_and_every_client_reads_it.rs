//! The 6,046 messages of the corpus are imported and come out of every client with the same bytes.

use std::fs;

use super::clients::{self, Getmail, Inbox};
use super::corpus::{assert_same, for_the_wire, raw, some, with_crlf, without_cr, without_separator};
use super::node::{IMAP, Node, POP3};
use super::tools::{Home, wanted};

/// Messages for the clients that are slow by themselves.
const FEW: usize = 300;

#[test]
fn imported_from_a_tree_of_files_they_are_read_by_imap() {
    if !wanted() {
        return;
    }
    let (node, home, all) = (Node::start(&[]), Home::new(), raw());
    for (n, message) in all.iter().enumerate() {
        home.write(&format!("tree/{}/{n}.eml", n % 7), message);
    }
    import(&node, "eml", &home, "ann@anser.test");
    let ann = inbox(&node, "ann@anser.test");
    let expected: Vec<_> = all.iter().map(|message| with_crlf(message)).collect();
    assert_same("imaplib", &expected, &clients::imaplib(&ann));
    let lines: Vec<_> = expected.iter().map(|message| without_cr(message)).collect();
    assert_same("mbsync", &lines, &clients::mbsync(&ann));
}

#[test]
fn imported_from_a_maildir_they_are_read_by_pop3() {
    if !wanted() {
        return;
    }
    let (node, home, all) = (Node::start(&[]), Home::new(), raw());
    home.maildir("tree");
    for (n, message) in all.iter().enumerate() {
        home.write(&format!("tree/cur/{}.M{n}P1.host:2,S", 1_000_000_000 + n), message);
    }
    import(&node, "maildir", &home, "ann@anser.test");
    let ann = inbox(&node, "ann@anser.test");
    // Over POP3 every line ends in CRLF, also one that a CR alone ends, and the last.
    let ended: Vec<_> = all.iter().map(|message| for_the_wire(message)).collect();
    assert_same("poplib", &ended, &clients::poplib(&ann));
    let lines: Vec<_> = ended.iter().map(|message| without_cr(message)).collect();
    assert_same("mpop", &lines, &cr_free(clients::mpop(&ann)));
    let rebuilt = clients::as_getmail_writes(&ended, Getmail::Pop3);
    assert_same("getmail by POP3", &rebuilt, &clients::getmail(&ann, Getmail::Pop3));
}

#[test]
fn the_slower_clients_read_some_of_them() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let few: Vec<_> = some(&raw(), FEW).iter().map(|message| for_the_wire(message)).collect();
    for (n, message) in few.iter().enumerate() {
        home.write(&format!("tree/{n}.eml"), message);
    }
    import(&node, "eml", &home, "ann@anser.test");
    let ann = inbox(&node, "ann@anser.test");
    assert_same("curl by IMAP", &few, &clients::curl_imap(&ann, FEW));
    assert_same("curl by POP3", &few, &clients::curl_pop3(&ann, FEW));
    let local: Vec<_> = few.iter().map(|message| without_cr(&without_separator(message))).collect();
    assert_same("fetchmail", &local, &clients::fetchmail(&ann));
    let rebuilt = clients::as_getmail_writes(&few, Getmail::Imap);
    assert_same("getmail by IMAP", &rebuilt, &clients::getmail(&ann, Getmail::Imap));
    let rebuilt = clients::as_getmail_writes(&few, Getmail::Pop3);
    assert_same("getmail by POP3", &rebuilt, &clients::getmail(&ann, Getmail::Pop3));
    assert_same("mpop", &cr_free(few.clone()), &cr_free(clients::mpop(&ann)));
    let plain: Vec<_> = local.iter().map(|message| clients::without_neomutts_own(message)).collect();
    assert_same("neomutt", &plain, &cr_free(clients::neomutt(&ann)));
}

fn import(node: &Node, kind: &str, home: &Home, account: &str) {
    let tree = home.path("tree");
    let tree = tree.to_str().expect("a path of ASCII");
    node.anser(&["import", kind, tree, "--account", account, "--folder", "INBOX"]);
    fs::remove_dir_all(tree).expect("the tree is no longer needed");
}

fn inbox<'a>(node: &Node, user: &'a str) -> Inbox<'a> {
    Inbox { user, imap: node.port(IMAP), pop3: node.port(POP3) }
}

fn cr_free(messages: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    messages.iter().map(|message| without_cr(message)).collect()
}
