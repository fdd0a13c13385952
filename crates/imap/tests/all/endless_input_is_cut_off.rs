use anser_imap::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::node::{ACCOUNTS, Node, Options};
use anser_testkit::memory::{CONNECTION, Peak};

const ANN: &str = ACCOUNTS[0];
/// Octets that a client of these tests sends at most.
const ENDLESS: usize = 256 * 1024 * 1024;

/// Commands up to a place where a string may stand.
const PLACES: [&str; 34] = [
    "LOGIN ",
    "SELECT ",
    "EXAMINE ",
    "CREATE ",
    "DELETE ",
    "RENAME x ",
    "SUBSCRIBE ",
    "LIST ",
    "LIST \"\" ",
    "LIST \"\" (% ",
    "LIST \"\" % RETURN (METADATA (",
    "LSUB \"\" ",
    "XLIST \"\" ",
    "STATUS ",
    "ID (",
    "GETQUOTA ",
    "GETQUOTAROOT ",
    "SETQUOTA ",
    "GETMETADATA ",
    "SETMETADATA INBOX (/private/comment ",
    "SETACL INBOX ann ",
    "MYRIGHTS ",
    "NOTIFY SET (MAILBOXES ",
    "LANGUAGE ",
    "NOOP ",
    "NONSENSE ",
    "SEARCH TEXT ",
    "SEARCH HEADER x ",
    "SORT (DATE) UTF-8 TEXT ",
    "THREAD REFERENCES UTF-8 BODY ",
    "FETCH 1 BODY[HEADER.FIELDS (",
    "COPY 1 ",
    "APPEND ",
    "APPEND INBOX (\\Seen) CATENATE (URL ",
];

/// Places of a message.
const MESSAGES: [&str; 5] =
    ["APPEND INBOX ", "APPEND INBOX ~", "APPEND INBOX CATENATE (TEXT ", "APPEND INBOX UTF8 (~", "REPLACE 1 INBOX "];

#[tokio::test]
async fn literals_for_which_the_client_waits_are_refused() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.append("INBOX", b"Subject: a\r\n\r\n").await;
    for place in PLACES.iter().chain(&MESSAGES) {
        for literal in ["{4294967295}", "{18446744073709551615}", "{99999999999999999999999}"] {
            let (_, end) = client.command(&format!("{place}{literal}")).await;
            assert!(end.starts_with("NO") || end.starts_with("BAD"), "{place}{literal}: {end}");
        }
        client.ok("NOOP").await;
    }
}

#[tokio::test]
async fn literals_that_come_at_once_end_the_connection() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.append("INBOX", b"Subject: a\r\n\r\n").await;
    for place in PLACES.iter().chain(&MESSAGES) {
        let mut client = node.inbox(ANN).await;
        client.send(format!("x {place}{{4294967295+}}\r\n")).await;
        let line = client.line().await;
        assert!(line.starts_with("x NO") || line.starts_with("x BAD"), "{place}: {line}");
        assert_eq!(client.line().await, "* BYE The command is too long", "{place}");
        assert_eq!(client.line().await, "", "{place}");
    }
    let mut client = node.connect().await;
    client.send("a LOGIN {4294967295+}\r\n").await;
    assert!(client.line().await.starts_with("a BAD"));
    assert!(client.line().await.starts_with("* BYE"));
    client = node.inbox(ANN).await;
    client.ok("NOOP").await;
}

#[tokio::test]
async fn what_is_skipped_within_the_limit_is_forgiven() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.send(format!("a SELECT {{1000000+}}\r\n{}\r\n", "x".repeat(1_000_000))).await;
    assert!(client.line().await.starts_with("a BAD"));
    client.send(format!("b {}\r\n", "(".repeat(1_000_000))).await;
    assert!(client.line().await.starts_with("b BAD"));
    client.ok("NOOP").await;
}

/// Says `start` and then `piece` for ever; answers how much of it went out before the server closed, and what the server said.
async fn say_for_ever(node: &Node, start: &str, piece: &[u8]) -> (usize, String) {
    let (mut reader, mut writer) = TcpStream::connect(node.address).await.unwrap().into_split();
    let reading = tokio::spawn(async move {
        let (mut said, mut bytes) = (String::new(), [0; 4096]);
        while let Ok(length @ 1..) = reader.read(&mut bytes).await {
            said.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
        said
    });
    writer.write_all(start.as_bytes()).await.unwrap();
    let mut sent = 0;
    while sent < ENDLESS && writer.write_all(piece).await.is_ok() {
        sent += piece.len();
    }
    drop(writer);
    (sent, reading.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_without_end_are_cut_off() {
    let limits = Limits { skipped: 4_000_000, ..Limits::default() };
    let node = Node::start_with(Options { limits, ..Options::default() }).await;
    let mut other = node.inbox(ANN).await;
    let peak = Peak::begin();
    let piece = vec![b'x'; 64 * 1024];
    let login = format!("l LOGIN {ANN} secret\r\n");
    let starts = [
        String::new(),
        "a ".to_owned(),
        format!("{login}a "),
        format!("{login}a NOOP "),
        format!("{login}a IDLE\r\n"),
        format!("{login}a LIST \"\" \""),
        format!("{login}a AUTHENTICATE PLAIN "),
        format!("{login}a APPEND INBOX ("),
        format!("{login}a APPEND INBOX {{3+}}\r\nabc"),
        format!("{login}a SELECT INBOX\r\nb FETCH "),
        format!("{login}a SELECT {{1000000+}}\r\n"),
    ];
    for start in &starts {
        let (sent, said) = say_for_ever(&node, start, &piece).await;
        assert!(sent < ENDLESS / 4, "{start}: {sent} went out, and it said {said}");
        other.ok("NOOP").await;
    }
    assert!(peak.grown() < CONNECTION, "{}", peak.grown());
}
