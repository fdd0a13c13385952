use std::time::Duration;

use anser_imap::Limits;
use proptest::prelude::*;

use crate::node::{ACCOUNTS, Node, Options};

const ANN: &str = ACCOUNTS[0];

#[tokio::test]
async fn deep_nesting_and_garbage_are_bad() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    let deep = format!("SEARCH {}ALL{}", "(".repeat(5_000), ")".repeat(5_000));
    for command in
        [&deep, &format!("SEARCH {}ALL", "NOT ".repeat(5_000)), "FETCH 0 FLAGS", "FETCH 1:* (", "STORE 1", "\u{1}\u{2}"]
    {
        let (_, end) = client.command(command).await;
        assert!(end.starts_with("BAD"), "{}: {end}", &command[..command.len().min(40)]);
    }
    client.send(b"\0\0\0\r\n\xff\xfe\r\n").await;
    assert!(client.line().await.starts_with("* BAD"));
    assert!(client.line().await.starts_with("* BAD"));
    client.ok("NOOP").await;
}

#[tokio::test]
async fn nul_is_refused_in_literals_and_taken_in_literal8() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.send(b"a APPEND INBOX {14+}\r\nSubject: a\0b\r\n\r\n").await;
    assert!(client.line().await.starts_with("a NO"));
    client.send(b"b APPEND INBOX (\\Seen) ~{18+}\r\nSubject: a\r\n\r\n\0b\r\n\r\n").await;
    for _ in 0..2 {
        client.line().await;
    }
    assert!(client.line().await.starts_with("b OK [APPENDUID"));
    let shown = client.ok("FETCH 1 BODY.PEEK[TEXT]").await;
    assert_eq!(shown[1], "\u{fffd}b", "NUL is shown as 0x80");
}

#[tokio::test]
async fn bad_logins_and_slow_ones_end_the_connection() {
    let limits = Limits { login_time: Duration::from_millis(400), ..Limits::default() };
    let node = Node::start_with(Options { limits, ..Options::default() }).await;
    let mut client = node.connect().await;
    assert!(client.line().await.starts_with("* BYE"), "too slow");
    let node = Node::start().await;
    let mut client = node.connect().await;
    for user in [ANN, "nobody@example.org"] {
        let (_, end) = client.command(&format!("LOGIN {user} wrong")).await;
        assert_eq!(end, "NO [AUTHENTICATIONFAILED] wrong user name or password");
    }
    let (lines, _) = client.command("LOGIN ann@example.org wrong").await;
    assert!(lines[0].starts_with("* BYE"), "{lines:?}");
    assert_eq!(client.line().await, "");
}

#[test]
fn no_bytes_panic_a_session() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let node = runtime.block_on(Node::start());
    let word = prop_oneof![
        "[ -~]{0,40}",
        Just("UID ".to_owned()),
        Just("FETCH 1:* (BODY[1.2.MIME]<1.2> BINARY[1] ENVELOPE BODYSTRUCTURE)".to_owned()),
        Just("SEARCH RETURN (SAVE MIN) OR BODY {2+}\r\nab NOT KEYWORD x".to_owned()),
        Just("STORE $ +FLAGS (\\Seen a b)".to_owned()),
        Just("APPEND INBOX (\\Seen) {5+}\r\nhello".to_owned()),
        Just("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (% *) RETURN (STATUS (SIZE))".to_owned()),
        Just("COPY 1:* Trash".to_owned()),
        Just("IDLE\r\nDONE".to_owned()),
        Just("SELECT INBOX (QRESYNC (1 1 1:* (1 1)))".to_owned()),
    ];
    let commands = proptest::collection::vec(word, 1..12);
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(commands in commands)| {
        runtime.block_on(async {
            let mut client = node.inbox(ANN).await;
            for (at, command) in commands.iter().enumerate() {
                client.send(format!("p{at} {command}\r\n")).await;
            }
            client.send("end LOGOUT\r\n").await;
            while !client.line().await.is_empty() {}
        });
        prop_assert_eq!(node.counters.panicked(), 0);
    });
}
