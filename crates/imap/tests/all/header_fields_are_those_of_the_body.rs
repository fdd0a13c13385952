//! HEADER.FIELDS tells the same bytes whether they come of what is kept beside a message's row or of its body.

use anser_base::{AccountId, Address, Durability};
use anser_db::Place;

use crate::node::{ACCOUNTS, Client, Node};

/// Names that are kept, in any case, and some that no message has.
const NAMES: [&str; 16] = [
    "FROM",
    "To",
    "cc",
    "SUBJECT",
    "Date",
    "Message-ID",
    "REFERENCES",
    "in-reply-to",
    "Content-Type",
    "X-PRIORITY",
    "Sender",
    "Reply-To",
    "List-Id",
    "X-Mailer",
    "list-unsubscribe",
    "Chat-Version",
];

/// Messages of the corpus when the variable names it (`./x test`), else a few odd ones.
fn messages() -> Vec<Vec<u8>> {
    const ODD: [&str; 9] = [
        "Subject: plain\r\nReceived: x\r\nFrom: a@b\r\n\r\nbody\r\n",
        "Subject: folded\r\n\tmore\r\n and more\r\nX-Other: y\r\nto : c@d\r\n\r\n",
        "From: without a body\r\n",
        "From: without an end",
        "no header at all\r\n\r\nFrom: x\r\n",
        "From mbox line\r\nSubject: after it\r\nFrom: twice\r\nFROM: thrice\r\n\r\n",
        "\r\nSubject: in the body\r\n",
        "Subject: \u{1} control\r\nDate: bare\nCc: line ends\n\nbody",
        "Subject: \u{96c1}\u{6e21}\r\nX-Mailer: \u{e9}\r\nBroken line\r\n continued\r\nTo: z\r\n\r\n",
    ];
    let mut all: Vec<Vec<u8>> = ODD.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(format!("Subject: long\r\nReferences: {}\r\n\r\n", "<x@y>\r\n ".repeat(2_000)).into_bytes());
    if let Ok(folder) = std::env::var("ANSER_TEST_CORPUS") {
        let folders = ["easy-ham-1", "hard-ham-1", "spam-1"].map(|kind| std::path::Path::new(&folder).join(kind));
        let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flat_map(|files| files.take(60));
        all.extend(files.map(|file| std::fs::read(file.unwrap().path()).unwrap()));
    }
    // A literal holds no NUL.
    all.iter_mut().flatten().filter(|byte| **byte == 0).for_each(|byte| *byte = b'0');
    all
}

/// Everything up to the tagged answer.
async fn answer(client: &mut Client, command: &str) -> Vec<u8> {
    client.send(format!("x {command}\r\n")).await;
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\nx OK Done\r\n") {
        if client.stream.buffered_input_len() == 0 {
            client.stream.fill().await.unwrap();
        }
        let piece = client.stream.buffer();
        let taken = piece.len();
        bytes.extend_from_slice(piece);
        client.stream.consume(taken);
    }
    bytes
}

/// Some of the names, another choice for every number.
fn choice(number: usize) -> String {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let chosen = NAMES.iter().filter(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.is_multiple_of(3)
    });
    let chosen: Vec<&str> = chosen.copied().collect();
    if chosen.is_empty() { "Subject".to_owned() } else { chosen.join(" ") }
}

async fn account(node: &Node) -> AccountId {
    let address = Address::parse(ACCOUNTS[0]).unwrap();
    node.directory.account_by_address(&address).await.unwrap().unwrap().id
}

async fn count_and_forget(node: &Node, account: AccountId) -> i64 {
    let work = |tx: &mut anser_db::Tx<'_>| {
        let count = tx.query_one("SELECT COUNT(*) FROM header", &[], |row| row.int(0))?;
        tx.execute("DELETE FROM header", &[])?;
        Ok(count.unwrap_or(0))
    };
    node.store.db().write(Place::Account(account), Durability::Sync, work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn to_the_byte() {
    let node = Node::start().await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    let messages = messages();
    for message in &messages {
        client.append("INBOX", message).await;
    }
    let account = account(&node).await;
    for number in 0..40 {
        let partial = if number % 4 == 3 { "<5.60>" } else { "" };
        let fields = format!("BODY.PEEK[HEADER.FIELDS ({})]{partial}", choice(number));
        let command = format!("FETCH 1:* (UID {fields} RFC822.SIZE ENVELOPE)");
        let of_rows = answer(&mut client, &command).await;
        // All but the one that is too long, and the one without a header, whose first line is its body.
        let kept = count_and_forget(&node, account).await;
        assert_eq!(kept as usize, messages.len() - 1, "{command}");
        let of_bodies = answer(&mut client, &command).await;
        assert!(of_rows == of_bodies, "{command}: {} {}", of_rows.len(), of_bodies.len());
        assert_eq!(answer(&mut client, &command).await, of_bodies, "kept again: {command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_accounts_own_fields_before_them() {
    let node = Node::start().await;
    let mut client = node.inbox(ACCOUNTS[0]).await;
    client.append("INBOX", b"Subject: s\r\nX-Priority: 2\r\n\r\nbody\r\n").await;
    let account = account(&node).await;
    let work = |tx: &mut anser_db::Tx<'_>| {
        tx.execute("UPDATE message SET prefix = ?1", anser_db::params![&b"X-Priority: 1\r\n"[..]])?;
        tx.execute("UPDATE entry SET size = size + 15", &[]).map(drop)
    };
    node.store.db().write(Place::Account(account), Durability::Sync, work).await.unwrap();
    let fields = "* 1 FETCH (BODY[HEADER.FIELDS (x-priority)] {32}";
    let expected = [fields, "X-Priority: 1", "X-Priority: 2", "", ")"];
    for _ in 0..2 {
        assert_eq!(client.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS (x-priority)]").await, expected);
        count_and_forget(&node, account).await;
    }
    let both =
        client.ok("FETCH 1 (BODY.PEEK[HEADER.FIELDS (x-priority)] BODY.PEEK[HEADER.FIELDS.NOT (subject)])").await;
    assert_eq!(both.iter().filter(|line| line.starts_with("X-Priority")).count(), 4, "{both:?}");
}
