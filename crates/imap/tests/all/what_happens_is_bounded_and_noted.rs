use anser_base::Address;
use anser_db::Place;
use anser_store::Role;

use crate::node::{ACCOUNTS, Node};

const ANN: &str = ACCOUNTS[0];

#[tokio::test]
async fn a_full_account_takes_no_more() {
    let node = Node::start().await;
    let account = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap();
    node.directory.set_quota(account.id, 4096).await.unwrap();
    let mut client = node.inbox(ANN).await;
    client.append("INBOX", &[b'x'; 3000]).await;
    let (_, end) = client.command("APPEND INBOX {3000}").await;
    assert!(end.starts_with("NO [OVERQUOTA]"), "{end}");
    let (_, end) = client.command("COPY 1 Archive").await;
    assert!(end.starts_with("NO [OVERQUOTA]"), "{end}");
    assert_eq!(client.ok("GETQUOTA \"\"").await, ["* QUOTA \"\" (STORAGE 3 4 MAILBOX 6 20000)"]);
    client.ok("MOVE 1 Archive").await;
}

#[tokio::test]
async fn a_message_that_the_client_waits_with_is_refused_before_it_is_sent() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    let (_, end) = client.command("APPEND INBOX {157286401}").await;
    assert!(end.starts_with("NO [TOOBIG]"), "{end}");
    let (_, end) = client.command("APPEND Nowhere (\\Seen) {10}").await;
    assert!(end.starts_with("NO [TRYCREATE]"), "{end}");
    // One that does not wait is skipped.
    client.send("a APPEND Nowhere {5+}\r\nhello\r\n").await;
    assert!(client.line().await.starts_with("a NO [TRYCREATE]"));
    client.ok("NOOP").await;
}

#[tokio::test]
async fn logins_openings_and_deletions_are_in_the_journal() {
    let node = Node::start().await;
    let mut client = node.connect().await;
    client.command(&format!("LOGIN {ANN} wrong")).await;
    client.ok(&format!("LOGIN {ANN} secret")).await;
    client.ok("SELECT INBOX").await;
    client.append("INBOX", b"Message-ID: <gone@example.org>\r\n\r\n").await;
    client.ok("STORE 1 +FLAGS (\\Deleted)").await;
    client.ok("EXPUNGE").await;
    node.journal.flush().await.unwrap();
    let month = anser_journal::month_of(anser_base::Clock::System.now());
    let read = node.store.db().read(Place::Journal(month), |tx| {
        tx.query("SELECT event FROM journal_event ORDER BY id", &[], |row| row.blob(0))
    });
    let events: Vec<String> = read.await.unwrap().into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    for (at, parts) in [
        &["\"what\":\"login-failed\"", "\"protocol\":\"imap\"", "\"client\":\"127.0.0.1\"", ANN],
        &["\"what\":\"login\"", "\"mechanism\":\"LOGIN\"", "\"account\":", ANN],
        &["\"what\":\"deleted\"", "\"uids\":\"1\"", "gone@example.org", ANN],
    ]
    .iter()
    .enumerate()
    {
        assert!(parts.iter().all(|part| events[at].contains(part)), "{}", events[at]);
    }
}

#[tokio::test]
async fn clients_find_their_mailboxes_by_use() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.ok("DELETE Archive").await;
    client.ok("CREATE Files (USE (\\Archive))").await;
    let listed = client.ok("LIST (SPECIAL-USE) \"\" \"*\" RETURN (SPECIAL-USE)").await;
    assert!(listed.contains(&"* LIST (\\HasNoChildren \\Archive) \"/\" \"Files\"".to_owned()), "{listed:?}");
    let account = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap();
    let found = node.store.read(account.id, |tx| tx.mailbox_with_role(Role::Archive)).await.unwrap();
    assert_eq!(found.unwrap().name, "Files");
}

#[tokio::test]
async fn annotations_are_bounded() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    let long = "x".repeat(anser_store::ANNOTATION + 1);
    let (_, end) = client
        .command(&format!("SETMETADATA INBOX (/shared/comment \"y\" /shared/long {{{}+}}\r\n{long})", long.len()))
        .await;
    assert!(end.starts_with("NO [METADATA MAXSIZE 32768]"), "{end}");
    for n in 0..anser_store::ANNOTATIONS {
        client.ok(&format!("SETMETADATA INBOX (/private/{n} \"x\")")).await;
    }
    let (_, end) = client.command("SETMETADATA INBOX (/private/0 \"new\" /private/more \"x\")").await;
    assert!(end.starts_with("NO [METADATA TOOMANY]"), "{end}");
    // All or nothing.
    let lines = client.ok("GETMETADATA INBOX (/private/0 /shared/comment)").await;
    assert_eq!(lines, ["* METADATA INBOX (/private/0 \"x\" /shared/comment NIL)"]);
}

#[tokio::test]
async fn who_looks_into_others_mailboxes_is_noted() {
    let node = Node::start().await;
    let (mut ann, mut bob) = (node.inbox(ANN).await, node.inbox(ACCOUNTS[1]).await);
    ann.ok("SETACL INBOX bob lr").await;
    bob.ok("EXAMINE \"Other Users/ann/INBOX\"").await;
    node.journal.flush().await.unwrap();
    let month = anser_journal::month_of(anser_base::Clock::System.now());
    let read = node.store.db().read(Place::Journal(month), |tx| {
        tx.query("SELECT event FROM journal_event ORDER BY id", &[], |row| row.blob(0))
    });
    let events: Vec<String> = read.await.unwrap().into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    let accessed: Vec<&String> = events.iter().filter(|event| event.contains("\"accessed\"")).collect();
    assert_eq!(accessed.len(), 1, "one's own mailboxes are one's own");
    for part in ["\"actor\":\"bob@example.org\"", "\"account\":1", "Other Users/ann/INBOX", "\"act\":\"examine\""] {
        assert!(accessed[0].contains(part), "{}", accessed[0]);
    }
}

#[tokio::test]
async fn the_room_is_the_owners() {
    let node = Node::start().await;
    let account = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap();
    node.directory.set_quota(account.id, 4096).await.unwrap();
    let (mut ann, mut bob) = (node.inbox(ANN).await, node.inbox(ACCOUNTS[1]).await);
    ann.ok("SETACL INBOX bob lri").await;
    bob.append("INBOX", &[b'x'; 5000]).await;
    let (_, end) = bob.command("COPY 1 \"Other Users/ann/INBOX\"").await;
    assert!(end.starts_with("NO [OVERQUOTA]"), "{end}");
    let (_, end) = bob.command("APPEND \"Other Users/ann/INBOX\" {5000}").await;
    assert!(end.starts_with("NO [OVERQUOTA]"), "{end}");
    // Who comes close is told (RFC 9208 §4.3.1), who is the administrator may give more room.
    ann.send(format!("a APPEND INBOX {{4000+}}\r\n{}\r\n", "x".repeat(4000))).await;
    let lines = [ann.line().await, ann.line().await];
    assert_eq!(lines[0], "* NO [OVERQUOTA] The mailbox is nearly full");
    let mut root = node.inbox("root@example.org").await;
    let lines = root.ok("SETQUOTA ann@example.org (STORAGE 10)").await;
    assert_eq!(lines, ["* QUOTA ann@example.org (STORAGE 4 10 MAILBOX 6 20000)"]);
    let (_, end) = root.command("SETQUOTA ann@example.org (MESSAGE 10)").await;
    assert!(end.starts_with("NO [CANNOT]"), "{end}");
    bob.ok("COPY 1 \"Other Users/ann/INBOX\"").await;
}
