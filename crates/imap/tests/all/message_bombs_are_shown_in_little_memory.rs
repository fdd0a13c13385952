use crate::node::{ACCOUNTS, Client, Node, Options};
use anser_testkit::memory::{CONNECTION, Peak};

/// Messages that are small to send and large to understand.
fn bombs() -> Vec<(&'static str, String)> {
    let to = |word: &str, size: usize| format!("From: a@b\r\nTo: {}\r\n\r\nx\r\n", word.repeat(size / word.len()));
    let mut deep = String::new();
    for level in 0..10_000 {
        deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
    }
    let message = "Content-Type: message/rfc822\r\nSubject: s\r\n\r\n".repeat(10_000);
    let part = "--b\r\nContent-Type: image/png; name=\"a\"; a=\"b\"\r\nContent-Disposition: attachment; filename=\"\\\"\"\r\n\r\nx\r\n";
    vec![
        ("10,000 multiparts in one another", deep),
        ("10,000 messages in one another", message),
        (
            "100,000 parts",
            format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", part.repeat(100_000)),
        ),
        ("1 MB of fields", format!("{}\r\nx\r\n", "X: y\r\n".repeat(170_000))),
        ("100,000 To fields", format!("{}\r\nx\r\n", "To: a@b\r\n".repeat(100_000))),
        ("50,000 parameters", format!("Content-Type: text/plain{}\r\n\r\nx\r\n", "; a=b".repeat(50_000))),
        (
            "parameters in pieces",
            format!(
                "Content-Type: text/plain{}\r\n\r\nx\r\n",
                (0..9_000).rev().map(|at| format!("; a*{at}*=%41")).collect::<String>()
            ),
        ),
        ("a From that stands for three", format!("From: {}\r\n\r\nx\r\n", "\"\\\"\" <a@b>,".repeat(20_000))),
        ("1 MB of addresses", to("a@b,", 1_000_000)),
        ("1 MB of commas", to(",", 1_000_000)),
        ("1 MB of quotes", to("\"", 999_999)),
        ("1 MB of quoted names", to("\"a\\\"\" <a@b>, ", 1_000_000)),
        ("1 MB of open comments", to("(", 1_000_000)),
        ("1 MB of comments", to("(a)", 1_000_000)),
        ("1 MB of groups", to("g:a@b;", 1_000_000)),
        ("1 MB of angles", to("<@a", 1_000_000)),
        ("1 MB of encoded words", to("=?utf-8?q?=e9?= ", 1_000_000)),
        ("1 MB of broken words", to("=?", 1_000_000)),
        ("a subject of tags", format!("Subject: {}\r\n\r\nx\r\n", "[a]".repeat(80_000))),
        ("100,000 references", format!("References: {}\r\n\r\nx\r\n", "<a@b> ".repeat(100_000))),
        ("open tags", format!("Content-Type: text/html\r\n\r\n{}", "<a <!-- </style ".repeat(60_000))),
    ]
}

/// Reads past the answer to a command; its octets, and its last line.
async fn answer(client: &mut Client, command: &str) -> (usize, String) {
    client.send(format!("q {command}\r\n")).await;
    let (mut tail, mut octets) = (b"\r\n".to_vec(), 0);
    loop {
        let piece = client.stream.buffer();
        tail.extend_from_slice(piece);
        let length = piece.len();
        octets += length;
        client.stream.consume(length);
        let last = memchr::memmem::rfind(&tail, b"\r\nq ").map(|at| tail[at + 4..].to_vec());
        if let Some(last) = last.filter(|last| last.ends_with(b"\r\n")) {
            return (octets, String::from_utf8_lossy(&last).trim_end().to_owned());
        }
        tail.drain(..tail.len().saturating_sub(300));
        client.stream.fill().await.unwrap();
    }
}

const QUESTIONS: [&str; 12] = [
    "FETCH SET ALL",
    "FETCH SET (ENVELOPE BODY BODYSTRUCTURE PREVIEW)",
    "FETCH SET (BODY.PEEK[HEADER] BODY.PEEK[1] BODY.PEEK[1.1.1.1.1.MIME])",
    "FETCH SET (BODY.PEEK[HEADER.FIELDS (TO)] BODY.PEEK[HEADER.FIELDS.NOT (TO)] BINARY.SIZE[1])",
    "FETCH SET BODY.PEEK[]",
    "SEARCH SET TO nobody",
    "SEARCH SET TEXT nothing",
    "SEARCH SET HEADER x-none \"\"",
    "SORT (SUBJECT FROM TO) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL",
    "THREAD ORDEREDSUBJECT UTF-8 ALL",
    "COPY SET Trash",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_bomb_by_itself() {
    let node = Node::in_memory(Options::default()).await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    let mut other = node.inbox(ACCOUNTS[1]).await;
    let bombs = bombs();
    let peak = Peak::begin();
    for (at, (name, bomb)) in bombs.iter().enumerate() {
        client.append("INBOX", bomb.as_bytes()).await;
        client.ok("NOOP").await;
        for question in QUESTIONS {
            let (_, end) = answer(&mut client, &question.replace("SET", &(at + 1).to_string())).await;
            assert!(end.starts_with("OK"), "{name}: {question}: {end}");
            assert!(peak.grown() < CONNECTION, "{} bytes by {name}: {question}", peak.grown());
        }
        other.ok("NOOP").await;
    }
    assert_eq!(node.counters.panicked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_of_the_worst_at_once() {
    let node = Node::in_memory(Options::default()).await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    let bombs = bombs();
    for word in ["100,000 parts", "a From that stands for three"] {
        let (_, bomb) = bombs.iter().find(|(name, _)| *name == word).unwrap();
        // Only as much of it as is looked at.
        client.append("INBOX", &bomb.as_bytes()[..bomb.len().min(300_000)]).await;
    }
    for _ in 0..7 {
        client.ok("COPY 1:* INBOX").await;
        client.ok("NOOP").await;
    }
    let fields: Vec<String> = (0..49).map(|at| format!("BODY.PEEK[HEADER.FIELDS.NOT (x{at})]")).collect();
    let peak = Peak::begin();
    for question in [
        "FETCH 1:* (ENVELOPE BODY BODYSTRUCTURE PREVIEW)".to_owned(),
        format!("FETCH 1:* ({})", "ENVELOPE BODYSTRUCTURE ".repeat(400).trim_end()),
        format!("FETCH 1:8 ({})", fields.join(" ")),
    ] {
        let (octets, end) = answer(&mut client, &question).await;
        assert!(end.starts_with("OK") && octets > 10_000_000, "{octets}: {end}");
        assert!(peak.grown() < CONNECTION, "{} bytes by {}", peak.grown(), &question[..40]);
    }
}
