use crate::node::{ACCOUNTS, Node};

const ANN: &str = ACCOUNTS[0];

#[tokio::test]
async fn what_one_session_does_the_other_is_told() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.inbox(ANN).await);
    for n in 1..=4 {
        one.append("INBOX", format!("Subject: {n}\r\n\r\nbody\r\n").as_bytes()).await;
    }
    assert_eq!(two.ok("NOOP").await, ["* 4 EXISTS", "* 4 RECENT"]);
    one.ok("STORE 2 +FLAGS (\\Deleted $New)").await;
    let told = two.ok("NOOP").await;
    assert!(told[0].starts_with("* FLAGS (") && told[0].ends_with("$New)"), "{told:?}");
    assert!(told[1].starts_with("* 2 FETCH (FLAGS (\\Deleted") && told[1].ends_with("$New))"), "{told:?}");
    one.ok("EXPUNGE").await;
    assert_eq!(two.ok("NOOP").await, ["* 2 EXPUNGE"]);
}

#[tokio::test]
async fn numbers_stay_put_where_expunge_may_not_be_told() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.inbox(ANN).await);
    for n in 1..=4 {
        one.append("INBOX", format!("Subject: {n}\r\n\r\nbody {n}\r\n").as_bytes()).await;
    }
    two.ok("NOOP").await;
    one.ok("STORE 2 +FLAGS.SILENT (\\Deleted)").await;
    one.ok("EXPUNGE").await;
    one.append("INBOX", b"Subject: 5\r\n\r\nbody 5\r\n").await;
    // The old numbers still mean the old messages, the new message is told, the expunge is not.
    let fetched = two.ok("FETCH 3 (UID)").await;
    assert_eq!(fetched, ["* 3 FETCH (UID 3)", "* 5 EXISTS", "* 5 RECENT"]);
    assert_eq!(two.ok("SEARCH UID 4").await, ["* SEARCH 4"]);
    let (lines, end) = two.command("FETCH 1:* BODY.PEEK[TEXT]").await;
    assert!(end.starts_with("NO [EXPUNGEISSUED]"), "{end}");
    assert_eq!(lines.iter().filter(|line| line.contains("FETCH")).count(), 4);
    assert!(!lines.iter().any(|line| line.starts_with("* 2 FETCH") || line.contains("EXPUNGE")), "{lines:?}");
    assert_eq!(two.ok("NOOP").await, ["* 2 EXPUNGE"]);
    assert_eq!(two.ok("FETCH 2 (UID)").await, ["* 2 FETCH (UID 3)"]);
}

#[tokio::test]
async fn a_uid_that_is_gone_is_no_error() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.inbox(ANN).await);
    one.append("INBOX", b"Subject: 1\r\n\r\nbody 1\r\n").await;
    one.append("INBOX", b"Subject: 2\r\n\r\nbody 2\r\n").await;
    two.ok("NOOP").await;
    one.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    one.ok("EXPUNGE").await;
    let (lines, end) = two.command("UID FETCH 1:2 BODY.PEEK[TEXT]").await;
    assert!(end.starts_with("OK [EXPUNGEISSUED]"), "{end}");
    assert_eq!(lines, ["* 2 FETCH (UID 2 BODY[TEXT] {8}", "body 2", ")", "* 1 EXPUNGE"]);
}

#[tokio::test]
async fn silent_stores_hide_only_what_the_client_did() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.inbox(ANN).await);
    one.append("INBOX", b"Subject: 1\r\n\r\n").await;
    two.ok("NOOP").await;
    one.ok("STORE 1 +FLAGS (\\Flagged)").await;
    let told = two.ok("STORE 1 +FLAGS.SILENT (\\Seen)").await;
    assert_eq!(told, ["* 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent))"]);
    assert!(two.ok("STORE 1 +FLAGS.SILENT (\\Answered)").await.is_empty());
    // Without .SILENT the flags are told even if nothing changed.
    assert_eq!(two.ok("STORE 1 +FLAGS (\\Seen)").await.len(), 1);
}

#[tokio::test]
async fn recent_is_told_to_one_session() {
    let node = Node::start().await;
    let mut one = node.inbox(ANN).await;
    one.ok("UNSELECT").await;
    one.append("INBOX", b"Subject: 1\r\n\r\n").await;
    assert!(one.ok("STATUS INBOX (RECENT)").await[0].ends_with("(RECENT 1)"));
    assert!(one.ok("SELECT INBOX").await.contains(&"* 1 RECENT".to_owned()));
    assert!(one.ok("STATUS INBOX (RECENT)").await[0].ends_with("(RECENT 0)"));
    let mut two = node.inbox(ANN).await;
    assert_eq!(two.ok("FETCH 1 FLAGS").await, ["* 1 FETCH (FLAGS ())"]);
}

#[tokio::test]
async fn a_deleted_mailbox_ends_the_sessions_that_had_it_open() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.inbox(ANN).await);
    one.ok("CREATE Projects").await;
    one.ok("SELECT Projects").await;
    two.ok("SELECT Projects").await;
    assert_eq!(one.ok("DELETE Projects").await, ["* OK [CLOSED] The mailbox is gone"]);
    two.send("x NOOP\r\n").await;
    assert!(two.line().await.starts_with("* BYE"));
}

#[tokio::test]
async fn a_body_that_is_read_is_seen_whatever_this_session_knew() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.inbox(ANN).await);
    one.append("INBOX", b"Subject: 1\r\n\r\nbody\r\n").await;
    one.ok("STORE 1 +FLAGS (\\Seen)").await;
    two.ok("NOOP").await;
    one.ok("STORE 1 -FLAGS (\\Seen)").await;
    two.ok("FETCH 1 BODY[TEXT]").await;
    assert_eq!(one.ok("FETCH 1 FLAGS").await.last().unwrap(), "* 1 FETCH (FLAGS (\\Seen \\Recent))");
}

#[tokio::test]
async fn a_keyword_is_told_once_whatever_its_case() {
    let node = Node::start().await;
    let mut one = node.inbox(ANN).await;
    for word in ["Work", "WORK"] {
        one.append("INBOX", b"Subject: 1\r\n\r\n").await;
        one.ok(&format!("STORE * +FLAGS ({word})")).await;
    }
    let flags = one.ok("SELECT INBOX").await.into_iter().find(|line| line.starts_with("* FLAGS")).unwrap();
    assert_eq!(flags.to_lowercase().matches("work").count(), 1, "{flags}");
}

#[tokio::test]
async fn a_mailbox_cannot_take_a_name_that_is_taken_even_its_own() {
    let node = Node::start().await;
    let mut one = node.inbox(ANN).await;
    one.ok("CREATE Projects").await;
    for taken in ["Projects", "Trash", "INBOX"] {
        let (_, end) = one.command(&format!("RENAME Projects {taken}")).await;
        assert!(end.starts_with("NO [ALREADYEXISTS]"), "{taken}: {end}");
    }
}
