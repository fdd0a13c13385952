use crate::node::{ACCOUNTS, Node, Options};
use anser_testkit::memory::{CONNECTION, Peak};

/// Clients that ask and never read.
const SLOW: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn who_never_reads_waits_alone() {
    let node = Node::in_memory(Options::default()).await;
    let mut ann = node.inbox(ACCOUNTS[0]).await;
    let large = format!("Subject: large\r\n\r\n{}", "0123456789abcdef\r\n".repeat(500_000));
    for _ in 0..4 {
        ann.append("INBOX", large.as_bytes()).await;
    }
    let small = format!("Subject: small\r\nTo: {}\r\n\r\nbody\r\n", "a@b, ".repeat(1_000));
    for _ in 0..20 {
        ann.append("INBOX", small.as_bytes()).await;
    }
    for _ in 0..4 {
        ann.ok("COPY 5:* INBOX").await;
        ann.ok("NOOP").await;
    }
    let peak = Peak::begin();
    let mut slow = Vec::new();
    for question in ["FETCH 1:* BODY.PEEK[]", "FETCH 1:* (ENVELOPE BODYSTRUCTURE)", "FETCH 1:* FLAGS", "LIST \"\" *"] {
        for _ in 0..SLOW / 4 {
            let mut client = node.inbox(ACCOUNTS[0]).await;
            let asked: String = (0..300).map(|at| format!("s{at} {question}\r\n")).collect();
            client.send(asked).await;
            slow.push(client);
        }
    }
    for at in 0..10 {
        ann.ok("UID FETCH 5:10 (ENVELOPE FLAGS)").await;
        ann.ok("UID STORE 5:10 +FLAGS (\\Seen)").await;
        ann.append("Drafts", format!("Subject: {at}\r\n\r\nmeanwhile\r\n").as_bytes()).await;
        ann.ok("SEARCH SUBJECT small").await;
    }
    let mut bob = node.inbox(ACCOUNTS[1]).await;
    bob.append("INBOX", small.as_bytes()).await;
    bob.ok("FETCH 1:* ENVELOPE").await;
    assert!(peak.grown() < SLOW as u64 / 4 * CONNECTION, "{SLOW} of them cost {} bytes", peak.grown());
    // Who reads after all gets all of it.
    let first = slow[0].line().await;
    assert!(first.starts_with("* "), "{first}");
    drop(slow);
    ann.ok("NOOP").await;
    assert_eq!(node.counters.panicked(), 0);
}
