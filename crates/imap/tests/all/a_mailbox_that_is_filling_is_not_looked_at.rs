//! RFC 9051 §2.3.1.1: UIDs ascend in the order of arrival for whoever looks. So nobody looks while older mail moves in before what is there.

use anser_base::{Address, Durability};

use crate::node::{ACCOUNTS, Node};

const ANN: &str = ACCOUNTS[0];

#[tokio::test]
async fn it_is_refused_for_the_moment_and_stays_listed() {
    let node = Node::start().await;
    let (mut one, mut two) = (node.inbox(ANN).await, node.connect().await);
    one.append("INBOX", b"Subject: 1\r\n\r\nbody\r\n").await;
    let account = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap().id;
    let inbox = node.store.read(account, |tx| tx.inbox()).await.unwrap().id;
    let reserve = node.store.write(account, Durability::Sync, move |tx| tx.reserve_uids(inbox, 100));
    assert!(reserve.await.unwrap());
    one.send("t9 NOOP\r\n").await;
    assert_eq!(one.line().await, "* BYE Mail moves into the mailbox: try again later");
    two.ok(&format!("LOGIN {ANN} secret")).await;
    for command in ["SELECT INBOX", "EXAMINE INBOX", "STATUS INBOX (MESSAGES)"] {
        let (_, end) = two.command(command).await;
        assert_eq!(end, "NO [INUSE] Mail moves into the mailbox: try again later");
    }
    let listed = two.ok("LIST \"\" INBOX RETURN (STATUS (MESSAGES))").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    // Mail may come in, behind what moves.
    let (_, end) = two.command("APPEND INBOX {2+}\r\na\n").await;
    assert!(end.starts_with("OK [APPENDUID") && end.contains(" 100]"), "{end}");
    node.store.write(account, Durability::Sync, move |tx| tx.release_uids(inbox)).await.unwrap();
    let told = two.ok("SELECT INBOX").await;
    assert!(
        told.contains(&"* 2 EXISTS".to_owned()) && told.iter().any(|line| line.contains("[UIDNEXT 101]")),
        "{told:?}"
    );
}
