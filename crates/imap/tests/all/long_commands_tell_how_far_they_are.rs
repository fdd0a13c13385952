//! INPROGRESS (RFC 9585).

use std::time::Duration;

use anser_imap::Limits;

use crate::node::{ACCOUNTS, Node, Options};

/// More than a search judges in one batch, and than a sort reads in one.
const MESSAGES: usize = 1_100;

async fn told(progress_time: Duration, command: &str) -> Vec<String> {
    let limits = Limits { progress_time, ..Limits::default() };
    let node = Node::start_with(Options { limits, ..Options::default() }).await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    let mut many = "m APPEND INBOX {1+}\r\nx".to_owned();
    for _ in 1..MESSAGES.min(1_000) {
        many.push_str(" {1+}\r\nx");
    }
    client.send(many + "\r\n").await;
    while !client.line().await.starts_with("m OK") {}
    for _ in 1_000..MESSAGES {
        client.append("INBOX", b"x").await;
    }
    client.ok("NOOP").await;
    client.ok(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_tells_how_far_it_is() {
    let lines = told(Duration::ZERO, "SEARCH BODY x").await;
    let progress: Vec<usize> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("* OK [INPROGRESS (\"t")?.split(' ').nth(1)?.parse().ok())
        .collect();
    assert!(progress.len() > 2 && progress.is_sorted(), "{progress:?}");
    assert!(progress.iter().all(|done| *done > 0 && *done < MESSAGES), "{progress:?}");
    assert!(lines.iter().all(|line| line.starts_with("* SEARCH") || line.contains(&format!(" {MESSAGES})]"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sort_tells_how_far_it_is() {
    let lines = told(Duration::ZERO, "SORT (SUBJECT) UTF-8 ALL").await;
    assert!(lines.iter().any(|line| line.contains("[INPROGRESS (\"t") && line.contains(" 1024 1100)]")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_command_says_nothing_of_it() {
    let lines = told(Duration::from_secs(3600), "SEARCH BODY x").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
}
