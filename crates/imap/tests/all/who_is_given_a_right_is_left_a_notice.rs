//! A change of an access list is told to whom it concerns (RFC 9670 §3): who they are, and what they may do now.

use anser_base::Address;
use anser_store::{Rights, ShareNotice};

use crate::node::{ACCOUNTS, Node};

async fn notices(node: &Node, account: &str) -> Vec<ShareNotice> {
    let id = node.directory.account_by_address(&Address::parse(account).unwrap()).await.unwrap().unwrap().id;
    let all = node.store.read(id, |tx| tx.share_notices()).await.unwrap();
    all.into_iter().map(|(_, notice)| notice).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_and_taken_is_told_once() {
    let node = Node::start().await;
    let [ann, bob] = [ACCOUNTS[0], ACCOUNTS[1]];
    let mut session = node.inbox(ann).await;
    session.ok("CREATE Work").await;
    for command in
        ["SETACL Work bob lr", "SETACL Work bob lr", "SETACL Work bob +i", "SETACL Work anyone l", "DELETEACL Work bob"]
    {
        session.ok(command).await;
    }
    let told = notices(&node, bob).await;
    let rights = |letters: &str| Rights::parse(letters).unwrap();
    let steps: Vec<(Rights, Rights)> = told.iter().map(|notice| (notice.old, notice.new)).collect();
    assert_eq!(
        steps,
        [(Rights::NONE, rights("lr")), (rights("lr"), rights("lri")), (rights("lri"), rights("l"))],
        "nothing changed by the second, anyone keeps something after the last"
    );
    assert!(told.iter().all(|notice| notice.name == "Work" && notice.by_email == ann), "{told:?}");
    assert!(notices(&node, ann).await.is_empty());
}
