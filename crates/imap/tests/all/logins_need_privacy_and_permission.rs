use std::process::Command;

use anser_base::Address;
use anser_directory::{AppPasswordKind, Services};
use anser_wire::sasl::encode_base64;

use crate::node::{ACCOUNTS, Client, HOST, Node, Options};

const ANN: &str = ACCOUNTS[0];

async fn strict() -> Node {
    Node::start_with(Options { allow_plaintext_auth: false, ..Options::default() }).await
}

async fn start_tls(node: &Node, client: &mut Client) {
    client.ok("STARTTLS").await;
    client.stream.start_tls_as_client(&node.connector, HOST).await.unwrap();
}

#[tokio::test]
async fn passwords_are_not_taken_in_the_clear() {
    let node = strict().await;
    let mut client = node.connect().await;
    let capabilities = client.ok("CAPABILITY").await;
    assert!(capabilities[0].contains(" STARTTLS LOGINDISABLED") && !capabilities[0].contains("AUTH="));
    let (_, end) = client.command(&format!("LOGIN {ANN} secret")).await;
    assert!(end.starts_with("NO [PRIVACYREQUIRED]"), "{end}");
    let (_, end) = client.command("AUTHENTICATE PLAIN AGFubkBleGFtcGxlLm9yZwBzZWNyZXQ=").await;
    assert!(end.starts_with("NO [PRIVACYREQUIRED]"), "{end}");
    start_tls(&node, &mut client).await;
    let capabilities = client.ok("CAPABILITY").await;
    assert!(capabilities[0].contains("AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 "), "{capabilities:?}");
    client.ok(&format!("LOGIN {ANN} secret")).await;
}

#[tokio::test]
async fn commands_behind_starttls_are_thrown_away() {
    let node = strict().await;
    let mut client = node.connect().await;
    client.send("a STARTTLS\r\nb LOGIN x y\r\nc NOO").await;
    assert!(client.line().await.starts_with("a OK"));
    client.stream.start_tls_as_client(&node.connector, HOST).await.unwrap();
    client.ok("NOOP").await;
    let (_, end) = client.command("STARTTLS").await;
    assert!(end.starts_with("BAD"), "{end}");
}

#[tokio::test]
async fn accounts_that_may_not_use_imap_are_told_so_after_the_right_password() {
    let node = Node::start().await;
    let account = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap();
    node.directory.set_services(account.id, Services::ALL.without(Services::IMAP)).await.unwrap();
    let mut client = node.connect().await;
    let (_, end) = client.command(&format!("LOGIN {ANN} wrong")).await;
    assert!(end.starts_with("NO [AUTHENTICATIONFAILED]"), "{end}");
    let (_, end) = client.command(&format!("LOGIN {ANN} secret")).await;
    assert!(end.starts_with("NO [AUTHORIZATIONFAILED]"), "{end}");
}

#[tokio::test]
async fn tokens_of_the_server_open_the_mail_they_were_made_for() {
    let node = Node::start().await;
    let account = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap();
    let (kind, services) = (AppPasswordKind::Bearer, Services::IMAP);
    let token = node.directory.add_app_password(account.id, kind, "sync", services, None).await.unwrap().password;
    for (mechanism, message) in [
        ("OAUTHBEARER", format!("n,a={ANN},\x01host=mail.example.org\x01port=143\x01auth=Bearer {token}\x01\x01")),
        ("OAUTHBEARER", format!("n,,\x01auth=Bearer {token}\x01\x01")),
        ("XOAUTH2", format!("user={ANN}\x01auth=Bearer {token}\x01\x01")),
    ] {
        let mut client = node.connect().await;
        client.ok(&format!("AUTHENTICATE {mechanism} {}", encode_base64(message.as_bytes()))).await;
        client.ok("SELECT INBOX").await;
    }
}

#[tokio::test]
async fn who_must_choose_a_new_password_is_told_so_by_an_alert() {
    let node = Node::start().await;
    let account = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap();
    node.directory.set_must_change(account.id, true).await.unwrap();
    let mut client = node.connect().await;
    let (lines, end) = client.command(&format!("LOGIN {ANN} secret")).await;
    assert_eq!(lines, ["* NO [ALERT] you must choose a new password before you can use your mail"]);
    assert!(end.starts_with("NO [EXPIRED] you must choose"), "{end}");
    let (lines, end) = client.command(&format!("LOGIN {ANN} wrong")).await;
    assert!(lines.is_empty() && end.starts_with("NO [AUTHENTICATIONFAILED]"), "{end}");
}

/// Speaks SCRAM-SHA-256 in plain, then SCRAM-SHA-256-PLUS over TLS; prints `fine` at its end.
const SCRAM: &str = r#"
import base64, hashlib, hmac, imaplib, ssl, sys
def scram(user, password, header, channel):
    first = "n=%s,r=clientnonce" % user
    state = {"step": 0}
    def answer(challenge):
        state["step"] += 1
        if state["step"] == 1:
            return (header + first).encode()
        if state["step"] == 2:
            server = challenge.decode()
            parts = dict(p.split("=", 1) for p in server.split(","))
            salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
            key = hmac.digest(salted, b"Client Key", "sha256")
            last = "c=%s,r=%s" % (base64.b64encode(header.encode() + channel).decode(), parts["r"])
            spoken = ",".join([first, server, last]).encode()
            signature = hmac.digest(hashlib.sha256(key).digest(), spoken, "sha256")
            proof = bytes(a ^ b for a, b in zip(key, signature))
            server_key = hmac.digest(salted, b"Server Key", "sha256")
            state["v"] = b"v=" + base64.b64encode(hmac.digest(server_key, spoken, "sha256"))
            return (last + ",p=" + base64.b64encode(proof).decode()).encode()
        assert challenge == state["v"], challenge
        return b""
    return answer
port, user = int(sys.argv[1]), sys.argv[2]
c = imaplib.IMAP4("127.0.0.1", port)
c.authenticate("SCRAM-SHA-256", scram(user, "secret", "n,,", b""))
assert c.select()[0] == "OK"
c.logout()
for password, good in [("wrong", False), ("secret", True)]:
    c = imaplib.IMAP4("127.0.0.1", port)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    c.starttls(context)
    channel = hashlib.sha256(c.sock.getpeercert(True)).digest()
    try:
        c.authenticate("SCRAM-SHA-256-PLUS", scram(user, password, "p=tls-server-end-point,,", channel))
        assert good
    except imaplib.IMAP4.error as error:
        assert not good and "AUTHENTICATIONFAILED" in str(error), error
c = imaplib.IMAP4("127.0.0.1", port)
c.starttls(context)
try:
    c.authenticate("SCRAM-SHA-256-PLUS", scram(user, "secret", "p=tls-server-end-point,,", b"x" * 32))
    assert False, "another channel"
except imaplib.IMAP4.error:
    pass
print("fine")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn scram_proves_the_password_and_the_channel() {
    let node = Node::start().await;
    let port = node.address.port().to_string();
    let run = move || Command::new("python3").args(["-c", SCRAM, &port, ANN]).output();
    let Ok(output) = tokio::task::spawn_blocking(run).await.unwrap() else {
        eprintln!("python3 is not installed; nothing was tried");
        return;
    };
    let shown = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "fine\n", "{shown}");
}
