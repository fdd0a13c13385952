//! STARTTLS and TLS from the first byte at every door, by OpenSSL and curl, with the certificate verified.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::node::{IMAP, IMAPS, LMTP, Node, PASSWORD, POP3, POP3S, SMTP, SUBMISSION, SUBMISSIONS};
use super::tools::{Home, finish, run, wanted};

/// A door: its port, OpenSSL's name for its STARTTLS, what to say inside, what is heard then.
type Door = (u16, Option<&'static str>, &'static str, &'static str);

const SMTP_TALK: &str = "EHLO client.example\nQUIT\n";
const IMAP_TALK: &str = "a LOGIN ann@anser.test wild-goose\nb LOGOUT\n";
const POP3_TALK: &str = "USER ann@anser.test\nPASS wild-goose\nSTAT\nQUIT\n";
const DOORS: [Door; 8] = [
    (SMTP, Some("smtp"), SMTP_TALK, "ENHANCEDSTATUSCODES"),
    (SUBMISSION, Some("smtp"), SMTP_TALK, "AUTH "),
    (SUBMISSIONS, None, SMTP_TALK, "AUTH "),
    (LMTP, Some("lmtp"), "LHLO client.example\nQUIT\n", "ENHANCEDSTATUSCODES"),
    (IMAP, Some("imap"), IMAP_TALK, "a OK"),
    (IMAPS, None, IMAP_TALK, "a OK"),
    (POP3, Some("pop3"), POP3_TALK, "+OK 0 0"),
    (POP3S, None, POP3_TALK, "+OK 0 0"),
];

#[test]
fn by_openssl_with_both_versions() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    for (standard, starttls, talk, heard) in DOORS {
        for version in ["-tls1_2", "-tls1_3"] {
            let said = openssl(&home, &node, standard, starttls, talk, version);
            assert!(said.contains(heard), "port {standard} with {version}: {said}");
        }
    }
}

#[test]
fn old_versions_are_refused() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    for (standard, starttls, talk, heard) in DOORS {
        let said = openssl(&home, &node, standard, starttls, talk, "-tls1_1");
        assert!(!said.contains(heard), "port {standard}: {said}");
    }
}

#[test]
fn by_curl_to_read_and_to_send() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let message =
        home.write("message", "From: ann@anser.test\r\nTo: ann@anser.test\r\nSubject: by curl\r\n\r\nbody\r\n");
    let sending = [("smtp", SUBMISSION), ("smtps", SUBMISSIONS)];
    for (scheme, standard) in sending {
        let mut command = curl(&home, &node);
        command.args(["--mail-from", "ann@anser.test", "--mail-rcpt", "ann@anser.test", "-T"]).arg(&message);
        run(command.arg(format!("{scheme}://localhost:{}/client.example", node.port(standard))));
    }
    super::the_corpus_comes_in_by_smtp_with_the_same_bytes::arrived(&node, "ann@anser.test", sending.len());
    let places = [
        ("imap", IMAP, "INBOX;MAILINDEX=1"),
        ("imaps", IMAPS, "INBOX;MAILINDEX=2"),
        ("pop3", POP3, "1"),
        ("pop3s", POP3S, "2"),
    ];
    for (scheme, standard, place) in places {
        let read = run(curl(&home, &node).arg(format!("{scheme}://localhost:{}/{place}", node.port(standard))));
        assert!(String::from_utf8_lossy(&read).contains("Subject: by curl"), "{scheme}");
    }
}

fn curl(home: &Home, node: &Node) -> Command {
    let mut command = home.command("curl");
    let user = format!("ann@anser.test:{PASSWORD}");
    command.args(["-q", "-sS", "--ssl-reqd", "-u", &user, "--cacert"]).arg(certificate(node));
    command
}

fn certificate(node: &Node) -> PathBuf {
    node.dir().join("cert.pem")
}

/// What the server says inside TLS. OpenSSL ends the session when its input ends; the server ends it before, as it is asked to.
fn openssl(home: &Home, node: &Node, standard: u16, starttls: Option<&str>, talk: &str, version: &str) -> String {
    let mut command = home.command("openssl");
    command.args([
        "s_client",
        "-quiet",
        "-crlf",
        "-ign_eof",
        "-verify_return_error",
        version,
        "-verify_hostname",
        "localhost",
    ]);
    command.arg("-CAfile").arg(certificate(node)).args(["-connect", &format!("127.0.0.1:{}", node.port(standard))]);
    if let Some(protocol) = starttls {
        command.args(["-starttls", protocol]);
    }
    let talk = home.write("talk", talk);
    let shell = format!("exec \"$@\" <{}", talk.display());
    let mut through = Command::new("/bin/sh");
    through.args(["-c", &shell, "sh"]).arg(command.get_program()).args(command.get_args());
    through
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stderr(Stdio::piped());
    let (_, heard, said) = finish(&mut through);
    fs::remove_file(&talk).expect("the talk is over");
    format!("{}{said}", String::from_utf8_lossy(&heard))
}
