use std::process::Command;

use crate::node::{ACCOUNTS, Node};

/// What the client does; prints `fine` at its end.
const SCRIPT: &str = r#"
import imaplib, sys
c = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
assert "IDLE" in c.capabilities, c.capabilities
c.authenticate("PLAIN", lambda _: b"\0" + sys.argv[2].encode() + b"\0secret")
body = b"From: a@b\r\nSubject: one\r\n\r\n" + bytes(range(1, 256)) + b"\nbare\n"
ok, data = c.append("INBOX", "(\\Flagged)", None, body)
assert ok == "OK" and b"APPENDUID" in data[0], data
ok, data = c.select("INBOX")
assert (ok, data) == ("OK", [b"1"]), data
ok, data = c.uid("FETCH", "1", "(FLAGS BODY.PEEK[])")
assert ok == "OK" and data[0][1] == imaplib.MapCRLF.sub(imaplib.CRLF, body), data
ok, data = c.search(None, "SUBJECT", "one")
assert data == [b"1"], data
assert c.create("Archive/2024")[0] == "OK"
assert c.copy("1", "Archive/2024")[0] == "OK"
ok, data = c.status("Archive/2024", "(MESSAGES UNSEEN)")
assert data[0].endswith(b"(MESSAGES 1 UNSEEN 1)"), data
ok, data = c.list()
assert any(b"\\Sent" in line for line in data), data
assert c.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
assert c.expunge() == ("OK", [b"1"])
assert c.close()[0] == "OK"
c.logout()
print("fine")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn python_imaplib_reads_and_writes() {
    let node = Node::start().await;
    let port = node.address.port().to_string();
    let run = move || Command::new("python3").args(["-c", SCRIPT, &port, ACCOUNTS[0]]).output();
    let Ok(output) = tokio::task::spawn_blocking(run).await.unwrap() else {
        eprintln!("python3 is not installed; nothing was tried");
        return;
    };
    let shown = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "fine\n", "{shown}");
}
