use std::time::Duration;

use crate::node::{ACCOUNTS, Node, Options};
use anser_imap::Limits;

const ANN: &str = ACCOUNTS[0];

#[tokio::test]
async fn arrivals_flags_and_expunges_reach_an_idle_client() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.inbox(ANN).await);
    two.send("i IDLE\r\n").await;
    assert_eq!(two.line().await, "+ idling");
    one.append("INBOX", b"Subject: 1\r\n\r\n").await;
    assert_eq!(two.line().await, "* 1 EXISTS");
    assert_eq!(two.line().await, "* 1 RECENT");
    one.ok("STORE 1 +FLAGS (\\Deleted)").await;
    assert_eq!(two.line().await, "* 1 FETCH (FLAGS (\\Deleted \\Recent))");
    one.ok("EXPUNGE").await;
    assert_eq!(two.line().await, "* 1 EXPUNGE");
    // DONE in pieces, in any case.
    two.send("do").await;
    two.send("nE\r\n").await;
    assert_eq!(two.line().await, "i OK Done");
    two.ok("NOOP").await;
}

#[tokio::test]
async fn a_change_before_idle_is_told_when_idle_begins() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.inbox(ANN).await);
    one.append("INBOX", b"Subject: 1\r\n\r\n").await;
    two.send("i IDLE\r\nDONE\r\n").await;
    for expected in ["+ idling", "* 1 EXISTS", "* 1 RECENT", "i OK Done"] {
        assert_eq!(two.line().await, expected);
    }
}

#[tokio::test]
async fn anything_but_done_ends_idle_with_bad() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.send("i IDLE\r\nnonsense\r\n").await;
    assert_eq!(client.line().await, "+ idling");
    assert!(client.line().await.starts_with("i BAD"));
    client.ok("NOOP").await;
}

#[tokio::test]
async fn a_silent_idle_client_and_a_shutdown_end_with_bye() {
    let limits = Limits { idle_time: Duration::from_millis(200), ..Limits::default() };
    let node = Node::start_with(Options { limits, ..Options::default() }).await;
    let mut client = node.inbox(ANN).await;
    client.send("i IDLE\r\n").await;
    assert_eq!(client.line().await, "+ idling");
    assert!(client.line().await.starts_with("* BYE"));
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.send("i IDLE\r\n").await;
    assert_eq!(client.line().await, "+ idling");
    node.shutdown.begin(Duration::from_secs(5));
    assert!(client.line().await.starts_with("* BYE"));
}
