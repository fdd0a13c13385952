use crate::node::{ACCOUNTS, Client, Node};

/// Some messages of every size class: in the list's batch, a batch of their own, streamed.
fn messages() -> Vec<Vec<u8>> {
    let size = |n: usize| if n.is_multiple_of(97) { 400_000 } else { 500 + n * 13 % 3000 };
    (0..400).map(|n| message(n, size(n))).collect()
}

fn message(n: usize, size: usize) -> Vec<u8> {
    let mut message = format!("Subject: number {n}\r\n\r\n").into_bytes();
    while message.len() < size {
        message.extend_from_slice(format!("line {} of {n}\r\n", message.len()).as_bytes());
    }
    message
}

/// All of them in one command: one transaction, one sync.
async fn append_all(client: &mut Client, messages: &[Vec<u8>]) {
    client.send("a APPEND INBOX").await;
    for message in messages {
        client.send(format!(" {{{}+}}\r\n", message.len())).await;
        client.send(message).await;
    }
    client.send("\r\n").await;
    while !client.line().await.starts_with("a OK") {}
}

async fn read_exactly(client: &mut Client, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        if client.stream.buffered_input_len() == 0 {
            client.stream.fill().await.unwrap();
        }
        let piece = client.stream.buffer();
        let piece = &piece[..piece.len().min(length - bytes.len())];
        bytes.extend_from_slice(piece);
        let taken = piece.len();
        client.stream.consume(taken);
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_every_message_comes_in_order() {
    let node = Node::start().await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    let messages = messages();
    append_all(&mut client, &messages).await;
    client.send("b FETCH 1:* (UID FLAGS BODY.PEEK[])\r\n").await;
    for (at, message) in messages.iter().enumerate() {
        let (seq, length) = (at + 1, message.len());
        let head = format!("* {seq} FETCH (UID {seq} FLAGS (\\Recent) BODY[] {{{length}}}");
        assert_eq!(client.line().await, head);
        assert!(read_exactly(&mut client, length).await == *message, "message {seq} differs");
        assert_eq!(client.line().await, ")");
    }
    assert_eq!(client.line().await, "b OK Done");
    assert_eq!(client.ok("SEARCH TEXT \"of 97\"").await, ["* SEARCH 98"]);
    assert_eq!(client.ok("UID SEARCH SUBJECT \"number 39\"").await[0].split(' ').count(), 2 + 11);
    let lists = client.ok("UID FETCH 10,200:202,400 (ENVELOPE)").await;
    assert_eq!(lists.len(), 5);
    assert!(lists[4].starts_with("* 400 FETCH (UID 400 ENVELOPE (NIL \"number 399\""), "{lists:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_the_middle_harms_nobody() {
    let node = Node::start().await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    append_all(&mut client, &messages()).await;
    client.send("b FETCH 1:* BODY[]\r\n").await;
    client.line().await;
    drop(client);
    let mut other = node.inbox(ACCOUNTS[0]).await;
    // What was asked for is seen.
    assert_eq!(other.ok("SEARCH RETURN (COUNT) SEEN").await, ["* ESEARCH (TAG \"t3\") COUNT 400"]);
    assert_eq!(node.counters.panicked(), 0);
}
