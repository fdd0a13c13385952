use crate::node::{ACCOUNTS, Node};
use anser_testkit::memory::Peak;

/// A 50 MB message of lines that do not compress to nothing.
fn message() -> Vec<u8> {
    let mut message = b"Subject: large\r\nContent-Type: application/octet-stream\r\n\r\n".to_vec();
    let mut state = 1u64;
    while message.len() < 50_000_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        message.extend_from_slice(format!("{state:020} the quick brown fox jumps over the lazy dog\r\n").as_bytes());
    }
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_in_and_out() {
    let node = Node::start().await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    let message = message();
    let peak = Peak::begin();
    client.append("INBOX", &message).await;
    client.ok("NOOP").await;
    client.send("f UID FETCH 1 BODY.PEEK[]\r\n").await;
    let first = client.line().await;
    assert_eq!(first, format!("* 1 FETCH (UID 1 BODY[] {{{}}}", message.len()));
    let mut at = 0;
    while at < message.len() {
        if client.stream.buffered_input_len() == 0 {
            client.stream.fill().await.unwrap();
        }
        let piece = client.stream.buffer();
        let piece = &piece[..piece.len().min(message.len() - at)];
        assert!(message[at..].starts_with(piece), "the bytes differ near {at}");
        let length = piece.len();
        at += length;
        client.stream.consume(length);
    }
    assert_eq!(client.line().await, ")");
    assert_eq!(client.line().await, "f OK Done");
    let grown = peak.grown();
    assert!(grown < 24_000_000, "the node grew by {grown} bytes");
    let part = client.ok("FETCH 1 (BODY.PEEK[TEXT]<49999000.5> RFC822.SIZE)").await;
    assert!(part[0].contains("BODY[TEXT]<49999000> {5}"), "{part:?}");
}
