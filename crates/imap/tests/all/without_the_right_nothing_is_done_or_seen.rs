//! Every command that touches a mailbox of somebody else, with and without each right that it needs (RFC 4314 §4).

use anser_base::{AccountId, Address};
use anser_store::Rights;

use crate::node::{ACCOUNTS, Client, Node};

const ANN: &str = ACCOUNTS[0];
const BOB: &str = ACCOUNTS[1];

/// A command, `{box}` being the mailbox; the rights that it needs; whether the mailbox is selected first, which needs `r` as well.
type Row = (&'static str, &'static str, bool);

const ROWS: &[Row] = &[
    ("SELECT {box}", "r", false),
    ("EXAMINE {box}", "r", false),
    ("STATUS {box} (MESSAGES UIDNEXT)", "r", false),
    ("GETQUOTAROOT {box}", "r", false),
    ("SUBSCRIBE {box}", "l", false),
    ("CREATE {box}/New", "k", false),
    ("DELETE {box}", "x", false),
    ("RENAME {box} {above}/Moved", "kx", false),
    ("SETACL {box} carl lr", "a", false),
    ("DELETEACL {box} team", "a", false),
    ("GETACL {box}", "a", false),
    ("LISTRIGHTS {box} carl", "a", false),
    ("APPEND {box} {5+}\r\nhello", "i", false),
    ("APPEND {box} (\\Seen) {5+}\r\nhello", "i", false),
    ("COPY 1 {box}", "i", false),
    ("MOVE 1 {box}", "i", false),
    ("EXPUNGE", "e", true),
    ("UID EXPUNGE 1", "e", true),
    ("STORE 1 +FLAGS (\\Seen)", "s", true),
    ("STORE 1 -FLAGS.SILENT (\\Answered)", "w", true),
    ("STORE 1 +FLAGS ($Work)", "w", true),
    ("UID STORE 1 -FLAGS (\\Deleted)", "t", true),
    ("MOVE 1 INBOX", "te", true),
    ("UID MOVE 1 INBOX", "te", true),
    ("GETMETADATA {box} /shared/comment", "l", false),
    ("SETMETADATA {box} (/shared/comment \"x\")", "lw", false),
    ("SETMETADATA {box} (/private/comment \"x\")", "l", false),
];

/// Everything of ann's that somebody might change, as text.
async fn all_of(node: &Node, account: AccountId) -> String {
    let read = node.store.read(account, |tx| {
        let mut lines = Vec::new();
        for mailbox in tx.mailboxes()? {
            let (id, path) = (mailbox.id, tx.path(mailbox.id)?.join("/"));
            let notes = (tx.annotations(id, None)?, tx.annotations(id, Some(AccountId(2)))?);
            lines.push(format!("{path} {:?} {:?} {notes:?}", tx.acl(id)?, tx.entries(id, 1, u32::MAX)?));
        }
        lines.sort();
        Ok(lines.join("\n"))
    });
    read.await.unwrap()
}

/// A mailbox with a mailbox above it, both given to bob with these rights, and a message in it.
async fn offer(ann: &mut Client, name: &str, rights: &str) {
    ann.ok(&format!("CREATE {name}")).await;
    ann.append(name, b"Subject: hers\r\n\r\nhers\r\n").await;
    ann.ok(&format!("SELECT {name}")).await;
    ann.ok("STORE 1 +FLAGS (\\Answered \\Deleted)").await;
    ann.ok("UNSELECT").await;
    for mailbox in [name, name.split('/').next().unwrap()] {
        ann.ok(&format!("SETACL {mailbox} bob \"{rights}\"")).await;
        ann.ok(&format!("SETACL {mailbox} carl p")).await;
        ann.ok(&format!("SETACL {mailbox} team \"\"")).await;
    }
}

/// Performs a row's command as bob; without a reply when the mailbox could not be selected.
async fn attempt(node: &Node, row: &Row, name: &str) -> (Vec<String>, String) {
    let mut bob = node.inbox(BOB).await;
    bob.append("INBOX", b"Subject: his\r\n\r\nhis\r\n").await;
    let (full, above) = (format!("\"Other Users/ann/{name}\""), name.split('/').next().unwrap());
    if row.2 {
        let (lines, end) = bob.command(&format!("SELECT {full}")).await;
        if !end.starts_with("OK") {
            return (lines, end);
        }
    }
    let below = full.trim_end_matches('"').to_owned();
    let command = row.0.replace("{above}/Moved", &format!("\"Other Users/ann/{above}/Moved\""));
    let command = command.replace("{box}/New", &format!("{below}/New\"")).replace("{box}", &full);
    bob.command(&command).await
}

fn without(letter: char) -> String {
    Rights::ALL.without(Rights::parse(&letter.to_string()).unwrap()).to_string().replace(['c', 'd'], "")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_right_is_needed_and_enough() {
    let node = Node::start().await;
    let ann_id = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap().id;
    let mut ann = node.inbox(ANN).await;
    for (at, row) in ROWS.iter().enumerate() {
        for letter in row.1.chars() {
            let name = format!("R{at}{letter}/Box");
            offer(&mut ann, &name, &without(letter)).await;
            let before = all_of(&node, ann_id).await;
            let (lines, end) = attempt(&node, row, &name).await;
            let code = if letter == 'l' { "NO [NONEXISTENT]" } else { "NO [NOPERM]" };
            assert!(end.starts_with(code), "{row:?} without {letter}: {end}");
            let told = lines.iter().any(|line| line.contains("Other Users") && !line.contains("LIST"));
            assert!(row.2 || !told, "{row:?} without {letter}: {lines:?}");
            assert_eq!(all_of(&node, ann_id).await, before, "{row:?} without {letter}");
        }
        let name = format!("G{at}/Box");
        offer(&mut ann, &name, &format!("{}r", row.1)).await;
        let (_, end) = attempt(&node, row, &name).await;
        assert!(end.starts_with("OK"), "{row:?} with its rights: {end}");
    }
    assert_eq!(node.counters.panicked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_mailbox_answers_as_one_that_is_missing() {
    let node = Node::start().await;
    let ann_id = node.directory.account_by_address(&Address::parse(ANN).unwrap()).await.unwrap().unwrap().id;
    let mut ann = node.inbox(ANN).await;
    offer(&mut ann, "Hidden/Box", "").await;
    let before = all_of(&node, ann_id).await;
    for row in ROWS {
        let hidden = attempt(&node, row, "Hidden/Box").await;
        let missing = attempt(&node, row, "Absent/Box").await;
        assert_eq!(hidden, missing, "{row:?}");
        assert!(hidden.1.starts_with("NO "), "{row:?}: {hidden:?}");
    }
    for command in
        ["MYRIGHTS {box}", "UNSUBSCRIBE {box}", "LIST \"\" {box}", "LSUB \"\" {box}", "GETQUOTA ann@example.org"]
    {
        let row = (command, "", false);
        assert_eq!(attempt(&node, &row, "Hidden/Box").await, attempt(&node, &row, "Absent/Box").await, "{command}");
    }
    assert_eq!(all_of(&node, ann_id).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_given_nothing_sees_nothing() {
    let node = Node::start().await;
    let mut ann = node.inbox(ANN).await;
    offer(&mut ann, "Ours/Box", "lrswipkxtea").await;
    let mut carl = node.inbox("carl@example.org").await;
    for command in
        ["LIST \"\" \"*\"", "LIST \"\" \"%\"", "LSUB \"\" \"*\"", "LIST (SUBSCRIBED) \"\" \"*\"", "NAMESPACE"]
    {
        let lines = carl.ok(command).await;
        assert!(!lines.iter().any(|line| line.contains("ann") || line.contains("(\"Other Users\"")), "{lines:?}");
    }
    assert!(carl.ok("LIST \"\" \"Other Users/*\" RETURN (CHILDREN MYRIGHTS STATUS (MESSAGES))").await.is_empty());
    assert!(carl.ok("LIST \"\" \"Shared*\"").await.is_empty());
    // Bob does, and no mailbox that he was not given.
    let mut bob = node.inbox(BOB).await;
    let listed = bob.ok("LIST \"\" \"Other*\" RETURN (MYRIGHTS)").await;
    assert_eq!(
        listed,
        [
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users\"",
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users/ann\"",
            "* LIST (\\HasChildren) \"/\" \"Other Users/ann/Ours\"",
            "* MYRIGHTS \"Other Users/ann/Ours\" lrswipkxtecda",
            "* LIST (\\HasNoChildren) \"/\" \"Other Users/ann/Ours/Box\"",
            "* MYRIGHTS \"Other Users/ann/Ours/Box\" lrswipkxtecda",
        ]
    );
}
