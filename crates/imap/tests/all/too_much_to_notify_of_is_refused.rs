//! NOTIFY beyond what one session follows (RFC 5465 §3.1 and §5.8).

use anser_base::{Address, Durability};
use anser_directory::{NewAccount, Password};
use anser_store::{Grant, Rights, RightsAct, Who};

use crate::node::{ACCOUNTS, Node};

/// More accounts than one session follows.
const OWNERS: usize = 101;

async fn share_with(node: &Node, who: Who) {
    let named = |number: usize| Address::parse(&format!("owner{number}@example.org")).unwrap();
    let new = |number| NewAccount::new(named(number), Password::Made(node.secret.clone()));
    let owners = node.directory.add_accounts((0..OWNERS).map(new).collect()).await.unwrap();
    for owner in owners {
        node.store.ensure(owner).await.unwrap();
        let give = move |tx: &mut anser_store::MailTx<'_, '_>| {
            let inbox = tx.inbox()?.id;
            tx.set_acl(inbox, Grant { who, negative: false, rights: Rights::parse("lr").unwrap() }, RightsAct::Set)
        };
        node.store.write(owner, Durability::Deferred, give).await.unwrap();
        node.directory.note_share(owner, who.to_sql()).await.unwrap();
    }
}

async fn ann(node: &Node) -> Who {
    let ann = Address::parse(ACCOUNTS[0]).unwrap();
    Who::Account(node.directory.account_by_address(&ann).await.unwrap().unwrap().id)
}

/// RFC 5465 §5.8: who is told no more is told so, and hears nothing until it asks again.
#[tokio::test]
async fn when_it_becomes_too_much_later_the_client_is_told() {
    let node = Node::start().await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    client
        .ok("NOTIFY SET (PERSONAL (MailboxName)) (SUBTREE \"Other Users\" (MailboxName MessageNew MessageExpunge))")
        .await;
    share_with(&node, ann(&node).await).await;
    let mut other = node.inbox(ACCOUNTS[0]).await;
    other.ok("CREATE Plans").await;
    let told = client.line().await;
    assert!(told.starts_with("* OK [NOTIFICATIONOVERFLOW]"), "{told}");
    other.ok("CREATE Plans/Secret").await;
    assert!(client.ok("NOOP").await.is_empty(), "as after NOTIFY NONE");
    client.ok("NOTIFY SET (PERSONAL (MailboxName))").await;
    other.ok("CREATE More").await;
    assert_eq!(client.line().await, "* LIST (\\HasNoChildren) \"/\" \"More\"");
}

#[tokio::test]
async fn and_what_was_asked_for_before_goes_on() {
    let node = Node::start().await;
    share_with(&node, ann(&node).await).await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    client.ok("NOTIFY SET (PERSONAL (MailboxName))").await;
    let (_, end) = client.command("NOTIFY SET (SUBTREE \"Other Users\" (MessageNew MessageExpunge))").await;
    assert!(end.starts_with("NO [NOTIFICATIONOVERFLOW]"), "{end}");
    let (_, end) = client.command("NOTIFY SET (SUBSCRIBED (MessageNew MessageExpunge))").await;
    assert!(end.starts_with("NO [NOTIFICATIONOVERFLOW]"), "those of others may be subscribed to: {end}");
    let mut other = node.inbox(ACCOUNTS[0]).await;
    other.ok("CREATE Plans").await;
    assert_eq!(client.line().await, "* LIST (\\HasNoChildren) \"/\" \"Plans\"");
    client.ok("NOTIFY SET (MAILBOXES INBOX (MessageNew MessageExpunge))").await;
}
