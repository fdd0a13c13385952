//! The 6,046 messages of the corpus come in by SMTP and LMTP and are read with the same bytes below the trace fields.

use super::clients::{self, Inbox};
use super::corpus::{assert_same, for_the_wire, raw, some, without_trace};
use super::node::{IMAP, LMTP, Node, POP3, SMTP};
use super::tools::{Home, run, wait_for, wanted};
use super::wire::{Imap, Smtp, stuffed};

/// Messages by programs that are started anew for each.
const FEW: usize = 50;
/// Connections of the sender that pipelines.
const CONNECTIONS: usize = 4;

#[test]
fn from_a_sender_that_pipelines() {
    if !wanted() {
        return;
    }
    let node = Node::start(&[]);
    let all: Vec<_> = raw().iter().map(|message| for_the_wire(message)).collect();
    let port = node.port(SMTP);
    std::thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(CONNECTIONS)) {
            scope.spawn(move || {
                let mut smtp = Smtp::connect(port).expect("a connection");
                smtp.send_all("sender@example.org", "ann@anser.test", part).expect("all are accepted");
            });
        }
    });
    arrived(&node, "ann@anser.test", all.len());
    let ann = Inbox { user: "ann@anser.test", imap: node.port(IMAP), pop3: node.port(POP3) };
    let read: Vec<_> = clients::imaplib(&ann).iter().map(|message| without_trace(message, 1)).collect();
    assert_same("pipelined", &all, &read);
}

#[test]
fn from_smtp_source_and_swaks() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let few: Vec<_> = some(&raw(), FEW).iter().map(|message| for_the_wire(message)).collect();
    for (n, message) in few.iter().enumerate() {
        smtp_source(&home, message, node.port(SMTP), &[], "ann@anser.test");
        match n % 2 {
            0 => smtp_source(&home, message, node.port(LMTP), &["-L"], "chen@anser.test"),
            _ => swaks(&home, message, node.port(LMTP), &["--protocol", "LMTP"], "chen@anser.test"),
        }
        swaks(&home, message, node.port(SMTP), &[], "bob@anser.test");
    }
    let longer: Vec<_> = few.iter().map(|message| [message.as_slice(), b"\r\n"].concat()).collect();
    let both = (0..FEW).map(|n| if n % 2 == 0 { &longer } else { &few }[n].clone()).collect();
    for (user, expected) in
        [("ann@anser.test", longer.clone()), ("bob@anser.test", few.clone()), ("chen@anser.test", both)]
    {
        arrived(&node, user, expected.len());
        let mut imap = Imap::login(node.port(IMAP), user).expect("a session");
        imap.select("INBOX").expect("the inbox");
        let read = imap.fetch_all().expect("all of it");
        let read: Vec<_> = read.iter().map(|message| without_trace(&message.body, 1)).collect();
        assert_same(user, &expected, &read);
    }
}

/// The file has the line ends of this machine. smtp-source sends each as CRLF, doubles dots, and ends with an empty line of its own.
fn smtp_source(home: &Home, message: &[u8], port: u16, more: &[&str], to: &str) {
    let file = home.write("message", super::corpus::without_cr(message));
    let mut command = home.command("smtp-source");
    command.args(more).args(["-f", "sender@example.org", "-t", to, "-M", "sender.example", "-F"]).arg(file);
    run(command.arg(format!("127.0.0.1:{port}")));
}

fn swaks(home: &Home, message: &[u8], port: u16, more: &[&str], to: &str) {
    let file = home.write("message", stuffed(message));
    let mut command = home.command("swaks");
    command.args(["--server", "127.0.0.1", "--port", &port.to_string(), "--helo", "sender.example"]);
    command.args(["--from", "sender@example.org", "--to", to, "--hide-all", "--no-data-fixup", "--data"]);
    run(command.arg(format!("@{}", file.display())).args(more));
}

/// Waits until an inbox holds `count` messages.
pub fn arrived(node: &Node, user: &str, count: usize) {
    let mut imap = Imap::login(node.port(IMAP), user).expect("a session");
    wait_for("the mail", || {
        let status = imap.run("STATUS INBOX (MESSAGES)").expect("STATUS");
        let messages = status.iter().find_map(|response| response.number("(MESSAGES"))?;
        (messages >= count as u64).then_some(())
    });
}
