//! COMPRESS=DEFLATE (RFC 4978).

use crate::node::{ACCOUNTS, HOST, Node};

const ANN: &str = ACCOUNTS[0];

/// Letters that compress badly enough to fill many buffers.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + (state >> 24) as u8 % 26
    };
    (0..length).map(|at| if at % 77 == 76 { b'\n' } else { next() }).collect()
}

#[tokio::test]
async fn whatever_is_said_comes_through_with_and_without_tls() {
    let node = Node::start().await;
    for tls in [false, true] {
        let mut client = node.connect().await;
        if tls {
            client.ok("STARTTLS").await;
            client.stream.start_tls_as_client(&node.connector, HOST).await.unwrap();
        }
        let (_, early) = client.command("COMPRESS DEFLATE").await;
        assert!(early.starts_with("BAD"), "not before the login: {early}");
        client.ok(&format!("LOGIN {ANN} secret")).await;
        assert!(client.ok("CAPABILITY").await[0].contains(" COMPRESS=DEFLATE"));
        let (_, unknown) = client.command("COMPRESS LZMA").await;
        assert!(unknown.starts_with("NO"), "{unknown}");
        client.ok("COMPRESS DEFLATE").await;
        client.stream.start_deflate().await.unwrap();
        let (_, again) = client.command("COMPRESS DEFLATE").await;
        assert!(again.starts_with("NO [COMPRESSIONACTIVE]"), "{again}");
        assert!(!client.ok("CAPABILITY").await[0].contains("COMPRESS"));
        let (_, end) = client.command("STARTTLS").await;
        assert!(end.starts_with("BAD"), "{end}");
        let message = [b"Subject: noise\r\n\r\n", &noise(700_000)[..]].concat();
        client.append("INBOX", &message).await;
        client.ok("SELECT INBOX").await;
        let lines = client.ok("FETCH * BODY.PEEK[]").await;
        let text = String::from_utf8(message).unwrap();
        let expected = text.lines().skip(1);
        assert!(expected.zip(&lines[2..]).all(|(sent, came)| sent == came.trim_end_matches(')')), "byte for byte");
        for _ in 0..50 {
            client.ok("NOOP").await;
        }
        // RFC 8437 §4.1: the compression ends with the user, and may begin again.
        client.ok("UNAUTHENTICATE").await;
        client.stream.end_deflate().await.unwrap();
        client.ok(&format!("LOGIN {ANN} secret")).await;
        assert!(client.ok("CAPABILITY").await[0].contains(" COMPRESS=DEFLATE"));
        client.ok("COMPRESS DEFLATE").await;
        client.stream.start_deflate().await.unwrap();
        client.ok("LOGOUT").await;
    }
}

#[tokio::test]
async fn idle_is_told_through_the_compression() {
    let node = Node::start().await;
    let mut watcher = node.inbox(ANN).await;
    watcher.ok("COMPRESS DEFLATE").await;
    watcher.stream.start_deflate().await.unwrap();
    watcher.send("i IDLE\r\n").await;
    assert!(watcher.line().await.starts_with('+'));
    node.inbox(ANN).await.append("INBOX", b"Subject: x\r\n\r\nx\r\n").await;
    assert_eq!(watcher.line().await, "* 1 EXISTS");
    watcher.send("DONE\r\n").await;
    while !watcher.line().await.starts_with("i OK") {}
}

/// 32 MB in about 32 KB: what comes out of them counts as what was sent.
#[tokio::test]
async fn a_bomb_is_a_line_that_is_too_long() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.ok("COMPRESS DEFLATE").await;
    client.stream.start_deflate().await.unwrap();
    client.send("a NOOP").await;
    let letters = vec![b'x'; 1024 * 1024];
    for _ in 0..32 {
        client.stream.write_all(&letters).await.unwrap();
    }
    client.send("\r\n").await;
    assert!(client.line().await.contains("BAD Line too long"));
    client.ok("NOOP").await;
}

#[tokio::test]
async fn what_is_no_compressed_text_ends_the_connection() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.ok("COMPRESS DEFLATE").await;
    client.send(b"a NOOP\r\n\xff\xff\xff\xff").await;
    assert_eq!(client.line().await, "", "closed");
    node.inbox(ANN).await.ok("NOOP").await;
}
