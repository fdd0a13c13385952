//! A real MTA relays mail into Anser, over SMTP and over LMTP.

use super::corpus::{assert_same, for_the_wire, raw, some, without_separator, without_trace};
use super::node::{IMAP, LMTP, Node, SMTP};
use super::postfix::Postfix;
use super::the_corpus_comes_in_by_smtp_with_the_same_bytes::arrived;
use super::tools::{root, wanted};
use super::wire::{Imap, Smtp};

/// Messages to each recipient.
const FEW: usize = 60;

#[test]
fn over_smtp_and_lmtp_with_the_same_bytes() {
    if !wanted() || !root() {
        return;
    }
    let node = Node::start(&[]);
    let postfix = Postfix::start(&format!(
        "relay_domains = anser.test\ntransport_maps = inline:{{ {{ann@anser.test = smtp:[127.0.0.1]:{}}}, \
         {{bob@anser.test = lmtp:inet:127.0.0.1:{}}} }}",
        node.port(SMTP),
        node.port(LMTP)
    ));
    // postfix keeps the separator of an mbox as a field of its own.
    let few: Vec<_> = some(&raw(), FEW).iter().map(|message| for_the_wire(&without_separator(message))).collect();
    for user in ["ann@anser.test", "bob@anser.test"] {
        let mut smtp = Smtp::connect(postfix.port).expect("a connection");
        smtp.send_all("sender@example.org", user, &few).expect("postfix takes them");
    }
    for user in ["ann@anser.test", "bob@anser.test"] {
        arrived(&node, user, few.len());
        let mut imap = Imap::login(node.port(IMAP), user).expect("a session");
        imap.select("INBOX").expect("the inbox");
        let read = imap.fetch_all().expect("all of it");
        let read: Vec<_> = read.iter().map(|message| without_trace(&message.body, 2)).collect();
        let plain: Vec<_> = few.iter().map(|message| as_postfix_passes(message)).collect();
        assert_same(user, &plain, &read);
    }
}

/// postfix's cleanup leaves out the field Return-Path of a message that comes in.
fn as_postfix_passes(message: &[u8]) -> Vec<u8> {
    super::corpus::without_field(message, "Return-Path")
}
