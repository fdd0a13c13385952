//! A body that is lost is told as RFC 5530 §3 has it (CORRUPTION), and nothing else suffers.

use anser_base::{Address, BlobId, Durability, Timestamp};
use anser_store::{Content, NewMessage};

use crate::node::{ACCOUNTS, Node};

#[tokio::test]
async fn a_lost_body_is_named_as_such_and_its_row_and_others_are_there() {
    let node = Node::start().await;
    let ann = node.directory.account_by_address(&Address::parse(ACCOUNTS[0]).unwrap()).await.unwrap().unwrap().id;
    let raw = b"Subject: lost\r\nX-Odd: x\r\n\r\nbody\r\n";
    node.store.ensure(ann).await.unwrap();
    let append = move |tx: &mut anser_store::MailTx<'_, '_>| {
        let inbox = tx.inbox()?.id;
        tx.append(&NewMessage::new(Content::parse(BlobId::of(raw), raw), inbox, Timestamp::from_secs(1_700_000_000)))
    };
    node.store.write(ann, Durability::Sync, append).await.unwrap();
    let mut client = node.inbox(ACCOUNTS[0]).await;
    client.append("INBOX", b"Subject: there\r\n\r\nbody\r\n").await;
    client.ok("NOOP").await;
    for items in
        ["BODY.PEEK[]", "BODY.PEEK[HEADER]", "RFC822.TEXT", "BODY.PEEK[HEADER.FIELDS (X-Odd)]", "BINARY.PEEK[1]"]
    {
        let (lines, end) = client.command(&format!("FETCH 1:2 ({items})")).await;
        assert!(end.starts_with("NO [CORRUPTION]"), "{items}: {end}");
        assert!(!lines.iter().any(|line| line.starts_with("* 1 FETCH") && line.contains('{')), "{items}: {lines:?}");
    }
    let lines = client.ok("FETCH 1 (ENVELOPE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])").await;
    assert!(lines[0].contains("\"lost\""), "what the row holds is there: {lines:?}");
    assert_eq!(client.ok("SEARCH SUBJECT lost").await, ["* SEARCH 1"]);
    let (lines, end) = client.command("SEARCH BODY body").await;
    assert_eq!(lines, ["* SEARCH 2"]);
    assert_eq!(end, "OK Done; 1 more messages hold text that could not be searched", "not silently partial");
    client.ok("FETCH 2 BODY.PEEK[]").await;
}
