use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::node::{ACCOUNTS, Client, Node};
use anser_testkit::memory::{CONNECTION, Peak};

const ANN: &str = ACCOUNTS[0];

fn many(count: usize, word: &str) -> String {
    word.repeat(count)
}

/// Words with a number in each, parted by spaces.
fn numbered(count: usize, word: impl Fn(usize) -> String) -> String {
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// Commands that ask for as much as their grammar lets them, and for more.
fn commands() -> Vec<String> {
    let entries = numbered(900, |at| format!("/private/vendor/x/{at}"));
    let sets = [
        many(99_999, "1,") + "1",
        many(9_999, "1,") + "1",
        many(10_000, "1,") + "1",
        many(6_000, "1:*,") + "1",
        many(2_500, "1:4294967295,") + "*",
        (1..9_000).rev().map(|at| format!("{at},")).collect::<String>() + "1",
    ];
    let mut commands = vec![
        many(1_000_000, "("),
        many(1_000_000, "{"),
        many(1_000_000, ")"),
        format!("SEARCH {}", many(1_000_000, "(")),
        format!("SEARCH {}ALL{}", many(30_000, "("), many(30_000, ")")),
        format!("SEARCH {}ALL{}", many(50, "("), many(50, ")")),
        format!("SEARCH {}ALL", many(15_000, "NOT ")),
        format!("SEARCH {}ALL ALL", many(15_000, "OR ")),
        format!("SEARCH {}ALL", many(9_000, "OR ALL ")),
        format!("SEARCH {}ALL", many(49, "OR ALL ")),
        format!("SEARCH {}ALL", many(15_000, "ALL ")),
        format!("SEARCH {}ALL", many(900, "NOT SENTON 1-Jan-2020 ")),
        format!("SEARCH {}ALL", many(900, "NOT TEXT qqq ")),
        format!("SEARCH {}ALL", numbered(900, |at| format!("NOT BODY nothing{at}")) + " "),
        format!("SEARCH {}ALL", numbered(900, |at| format!("NOT HEADER x{at} y")) + " "),
        format!("SEARCH {}", numbered(60, |_| format!("({})", many(900, "ALL ") + "ALL"))),
        format!("SEARCH TEXT \"{}\"", many(60_000, "a")),
        format!("SEARCH TEXT \"{}\"", many(30_000, "\\\"")),
        format!("SORT ({}DATE) UTF-8 ALL", many(10_000, "DATE ")),
        format!("SORT ({}DATE) UTF-8 ALL", many(900, "REVERSE SUBJECT ")),
        format!("SORT (DATE) UTF-8 {}ALL", many(900, "NOT TEXT qqq ")),
        format!("THREAD REFERENCES UTF-8 {}ALL", many(900, "NOT SUBJECT qqq ")),
        format!("LIST \"\" ({})", numbered(2_000, |_| "%".into())),
        format!("LIST \"\" ({})", numbered(100, |_| many(200, "%a*"))),
        format!("LIST \"\" \"{}\"", many(340, "%a*")),
        format!("LIST \"\" \"{}\"", many(30_000, "%a")),
        format!("LIST \"{}\" *", many(60_000, "a/")),
        format!("LIST \"\" * RETURN (METADATA ({entries}))"),
        format!("LIST \"\" * RETURN (STATUS ({}))", many(900, "MESSAGES ").trim_end()),
        format!("STATUS INBOX ({})", many(9_000, "SIZE ").trim_end()),
        format!("GETMETADATA INBOX ({entries})"),
        format!("GETMETADATA (DEPTH infinity) INBOX ({entries})"),
        format!("SETMETADATA INBOX ({})", numbered(900, |at| format!("/private/vendor/x/{at} \"{}\"", many(30, "v")))),
        format!("SETMETADATA INBOX (/private/comment \"{}\")", many(60_000, "v")),
        format!("APPEND INBOX CATENATE ({})", numbered(1_500, |_| "URL \"/INBOX/;UID=1\"".into())),
        format!("APPEND INBOX CATENATE ({})", numbered(900, |_| "URL \"/INBOX/;UID=1\"".into())),
        format!("APPEND INBOX CATENATE (URL \"/INBOX/;UID=1/;SECTION={}\")", many(4_000, "1.")),
        format!("NOTIFY SET {}", numbered(900, |at| format!("(MAILBOXES m{at} (MessageNew MessageExpunge))"))),
        format!("NOTIFY SET (SUBTREE ({}) (MessageNew MessageExpunge))", numbered(900, |at| format!("m{at}"))),
        format!("NOTIFY SET (SELECTED (MessageNew ({}) MessageExpunge))", many(900, "ENVELOPE ").trim_end()),
        "NOTIFY NONE".to_owned(),
        format!("SETACL INBOX {} lr", many(60_000, "b")),
        format!("SETACL INBOX bob@example.org {}", many(60_000, "l")),
        format!("SETQUOTA \"\" ({})", many(900, "STORAGE 1 ").trim_end()),
        format!("FETCH 1 BODY[{}1]", many(99, "1.")),
        format!("FETCH 1 BODY[{}1]", many(30_000, "1.")),
        format!("FETCH 1 (BODY.PEEK[{}4294967295])", many(90, "4294967295.")),
        format!("FETCH 1:* (BODY.PEEK[HEADER.FIELDS ({})])", numbered(900, |at| format!("x{at}"))),
        format!("FETCH 1:* ({})", numbered(1_000, |_| "BODY.PEEK[]".into())),
        format!("FETCH 1:* ({})", numbered(50, |at| format!("BODY.PEEK[]<{at}.100>"))),
        format!("FETCH 1:* ({})", numbered(1_000, |_| "FULL".into())),
        format!("FETCH 1:* ({})", numbered(1_000, |_| "PREVIEW (LAZY)".into())),
        format!("STORE 1:* +FLAGS ({})", numbered(900, |at| format!("k{at}"))),
        format!("STORE 1:* -FLAGS ({})", numbered(900, |at| format!("k{at}"))),
        format!("STORE 1:* +FLAGS {}", many(50_000, "k")),
        format!("SEARCH {}ALL", numbered(900, |at| format!("UNKEYWORD k{at}")) + " "),
        format!("ID ({})", numbered(900, |at| format!("\"k{at}\" \"v\""))),
        format!("LANGUAGE {}", numbered(900, |at| format!("x{at}"))),
        format!("ENABLE {}", many(5_000, "X ").trim_end()),
        format!("CREATE {}x", many(30_000, "a/")),
        format!("CREATE {}x", many(500, "a/")),
        format!("CREATE {}", many(1_000, "&AOk-")),
        format!("CREATE x (USE ({}))", many(900, "\\Sent ").trim_end()),
        format!("GETQUOTA {}", many(60_000, "a")),
    ];
    for set in sets {
        commands.extend(
            [
                "FETCH SET FLAGS",
                "UID FETCH SET (FLAGS)",
                "SEARCH SET",
                "UID SEARCH UID SET",
                "UID STORE SET +FLAGS (a)",
            ]
            .iter()
            .map(|command| command.replace("SET", &set)),
        );
        commands.push(format!("SELECT INBOX (QRESYNC (1 1 {set} ({set} {set})))"));
    }
    commands
}

/// Sends a command and reads past its answer, however long its lines are; the last line of it, or nothing when the server closed.
async fn answered(client: &mut Client, command: &str) -> String {
    client.send(format!("q {command}\r\n")).await;
    let mut tail = b"\r\n".to_vec();
    loop {
        tail.extend_from_slice(client.stream.buffer());
        let length = client.stream.buffer().len();
        client.stream.consume(length);
        let last = memchr::memmem::rfind(&tail, b"\r\nq ").map(|at| tail[at + 2..].to_vec());
        if let Some(last) = last.filter(|last| last.ends_with(b"\r\n")) {
            return String::from_utf8_lossy(&last[2..]).trim_end().to_owned();
        }
        tail.drain(..tail.len().saturating_sub(300));
        client.stream.fill().await.unwrap();
    }
}

#[tokio::test]
async fn each_is_answered_and_others_are_served_meanwhile() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    for at in 0..20 {
        client.append("INBOX", format!("Subject: {at}\r\nFrom: a@b\r\n\r\nbody\r\n").as_bytes()).await;
    }
    client.ok("ENABLE QRESYNC").await;
    let over = Arc::new(AtomicBool::new(false));
    let (mut other, ends) = (node.inbox(ANN).await, over.clone());
    let bystander = tokio::spawn(async move {
        while !ends.load(Ordering::Relaxed) {
            other.ok("UID SEARCH 1").await;
        }
    });
    let peak = Peak::begin();
    for command in commands() {
        let end = answered(&mut client, &command).await;
        let good = ["OK", "NO", "BAD"].iter().any(|word| end.starts_with(word));
        assert!(good, "{}: {end}", &command[..command.len().min(60)]);
        assert!(peak.grown() < CONNECTION, "{} bytes by {}", peak.grown(), &command[..command.len().min(60)]);
        client.ok("NOOP").await;
    }
    over.store(true, Ordering::Relaxed);
    bystander.await.unwrap();
    assert_eq!(node.counters.panicked(), 0);
}

#[tokio::test]
async fn more_than_the_limits_is_refused() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.append("INBOX", b"Subject: a\r\n\r\n").await;
    client.ok("NOOP").await;
    for (command, refused) in [
        (format!("SEARCH {}ALL", many(51, "NOT ")), "BAD Nested too deeply"),
        (format!("SEARCH {}ALL", many(51, "OR ALL ")), "BAD Nested too deeply"),
        (format!("SEARCH {}ALL{}", many(51, "("), many(51, ")")), "BAD Nested too deeply"),
        (format!("SEARCH {}ALL", many(1_001, "ALL ")), "BAD Too many search keys"),
        (format!("FETCH {}1 FLAGS", many(10_000, "1,")), "BAD Bad sequence set"),
        (format!("FETCH 1 BODY[{}1]", many(100, "1.")), "BAD A section is too deep"),
        (format!("LIST \"\" ({})", numbered(101, |_| "a".into())), "BAD Too many patterns"),
        (many(70_000, "("), "BAD Line too long"),
    ] {
        assert_eq!(answered(&mut client, &command).await, refused, "{}", &command[..20]);
    }
    let end = answered(&mut client, &format!("SEARCH {}ALL", many(50, "NOT "))).await;
    assert_eq!(end, "OK Done", "as deep as the limit");
    // What is named again is told once.
    let lines = client.ok(&format!("FETCH 1 ({}UID)", many(400, "BODY.PEEK[TEXT] UID "))).await;
    assert_eq!(lines.join("\n").matches("BODY[TEXT]").count(), 1, "{lines:?}");
}
