//! Anser relays mail for other domains through postfix. What postfix refuses comes back to the sender as a report.

use super::node::{IMAP, Node, PASSWORD, SMTP, SUBMISSION, SUBMISSIONS};
use super::postfix::{Postfix, Sink};
use super::the_corpus_comes_in_by_smtp_with_the_same_bytes::arrived;
use super::tools::{Home, free_port, root, run, wait_for, wanted};
use super::wire::{Imap, stuffed};

#[test]
fn a_remote_recipient_gets_it_and_a_refused_one_is_reported() {
    if !wanted() || !root() {
        return;
    }
    let sink = Sink::start();
    let postfix = Postfix::start(&format!(
        "default_transport = smtp:[127.0.0.1]:{}\nsmtpd_recipient_restrictions = check_recipient_access \
         inline:{{ {{refused@else.example = REJECT no such person}} }}",
        sink.port
    ));
    let (node, home) = (Node::start(&["--smarthost", &format!("127.0.0.1:{}", postfix.port)]), Home::new());
    submit(&home, &node, "remote@else.example", "first");
    submit_over_tls(&home, &node, "refused@else.example", "second");
    let text = wait_for("the mail at the sink", || sink.messages().into_iter().find(|(_, bytes)| ends(bytes)));
    let text = String::from_utf8_lossy(&text.1).into_owned();
    assert!(text.contains("<remote@else.example>") && text.contains("<ann@anser.test>"), "the envelope: {text}");
    assert!(text.contains("Message-Id: <first@anser.test>"), "the header: {text}");
    let report = the_only_message(&node);
    check_report(&home, &report, &["refused@else.example", "second@anser.test"]);
    assert_eq!(sink.messages().iter().filter(|(_, bytes)| ends(bytes)).count(), 1, "messages at the sink");
}

#[test]
fn what_the_smarthost_cannot_deliver_later_comes_back_by_its_own_report() {
    if !wanted() || !root() {
        return;
    }
    let port = free_port();
    let node = Node::start(&["--smarthost", &format!("127.0.0.1:{port}")]);
    let settings = "default_transport = error:5.1.2 that domain is gone\nrelay_domains = anser.test";
    let transport = format!("transport_maps = inline:{{ {{anser.test = smtp:[127.0.0.1]:{}}} }}", node.port(SMTP));
    let _postfix = Postfix::start_at(port, &format!("{settings}\n{transport}"));
    let home = Home::new();
    submit(&home, &node, "remote@gone.example", "third");
    check_report(&home, &the_only_message(&node), &["remote@gone.example", "third@anser.test"]);
}

/// By swaks at the door for submission, where `dev` allows a password without TLS.
fn submit(home: &Home, node: &Node, to: &str, id: &str) {
    let message = home.write("message", stuffed(message(to, id).as_bytes()));
    let port = node.port(SUBMISSION).to_string();
    let mut command = home.command("swaks");
    command.args(["--server", "127.0.0.1", "--port", &port, "--helo", "client.example", "--no-data-fixup"]);
    command.args(["--from", "ann@anser.test", "--to", to, "--auth", "PLAIN", "--auth-user", "ann@anser.test"]);
    run(command.args(["--auth-password", PASSWORD, "--data"]).arg(format!("@{}", message.display())));
}

/// By curl at the door with TLS from the first byte.
fn submit_over_tls(home: &Home, node: &Node, to: &str, id: &str) {
    let message = home.write("message", message(to, id));
    let mut command = home.command("curl");
    command
        .args(["-q", "-sS", "-u", &format!("ann@anser.test:{PASSWORD}"), "--cacert"])
        .arg(node.dir().join("cert.pem"));
    command.args(["--mail-from", "ann@anser.test", "--mail-rcpt", to, "-T"]).arg(&message);
    run(command.arg(format!("smtps://localhost:{}/client.example", node.port(SUBMISSIONS))));
}

fn message(to: &str, id: &str) -> String {
    format!(
        "From: ann@anser.test\r\nTo: {to}\r\nSubject: {id}\r\nMessage-Id: <{id}@anser.test>\r\n\
         Date: Sun, 01 Nov 2026 10:00:00 +0000\r\n\r\nThe body of {id}.\r\n"
    )
}

/// Whether the sink has written the whole message.
fn ends(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).contains("The body of first.")
}

fn the_only_message(node: &Node) -> Vec<u8> {
    arrived(node, "ann@anser.test", 1);
    let mut imap = Imap::login(node.port(IMAP), "ann@anser.test").expect("a session");
    imap.select("INBOX").expect("the inbox");
    let mut messages = imap.fetch_all().expect("all of it");
    assert_eq!(messages.len(), 1, "messages in the inbox");
    messages.remove(0).body
}

/// Python's parser finds a report (RFC 3462, RFC 3464) about this recipient, with the message it is about.
fn check_report(home: &Home, report: &[u8], arguments: &[&str]) {
    let file = home.write("report", report);
    let mut command = home.command("/usr/bin/python3");
    run(command.args(["-c", include_str!("is_a_report.py")]).arg(file).args(arguments));
}
