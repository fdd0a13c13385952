use std::fs;
use std::path::Path;
use std::process::Command;

use crate::node::{ACCOUNTS, Node};

const ANN: &str = ACCOUNTS[0];

/// Runs a program; `None` when it is not installed.
async fn run(program: &str, arguments: Vec<String>) -> Option<(bool, Vec<u8>, String)> {
    let mut command = Command::new(program);
    command.args(arguments);
    let Ok(output) = tokio::task::spawn_blocking(move || command.output()).await.unwrap() else {
        eprintln!("{program} is not installed; nothing was tried");
        return None;
    };
    Some((output.status.success(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn files(folder: &Path) -> usize {
    ["cur", "new"].iter().map(|part| fs::read_dir(folder.join(part)).map_or(0, Iterator::count)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn mbsync_carries_mail_both_ways() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    for n in 0..5 {
        let message = format!("Subject: {n}\r\nMessage-ID: <{n}@example.org>\r\n\r\nbody {n}\r\n");
        client.append("INBOX", message.as_bytes()).await;
    }
    client.ok("CREATE Projects/2024").await;
    client.append("Projects/2024", b"Subject: p\r\n\r\nproject\r\n").await;
    let folder = tempfile::tempdir().unwrap();
    let (root, port) = (folder.path(), node.address.port());
    let config = format!(
        "IMAPAccount a\nHost 127.0.0.1\nPort {port}\nUser {ANN}\nPass secret\nSSLType None\nAuthMechs LOGIN\n\n\
         IMAPStore far\nAccount a\n\nMaildirStore near\nPath {0}/\nInbox {0}/INBOX\nSubFolders Verbatim\n\n\
         Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n",
        root.join("mail").display()
    );
    fs::create_dir(root.join("mail")).unwrap();
    fs::write(root.join("mbsyncrc"), config).unwrap();
    let arguments = vec!["-c".to_owned(), root.join("mbsyncrc").display().to_string(), "-a".to_owned()];
    let Some((good, _, shown)) = run("mbsync", arguments.clone()).await else { return };
    assert!(good, "{shown}");
    let inbox = root.join("mail/INBOX");
    assert_eq!((files(&inbox), files(&root.join("mail/Projects/2024"))), (5, 1), "{shown}");
    fs::write(inbox.join("cur/1.local:2,S"), "Subject: local\nMessage-ID: <local@x>\n\nwritten here\n").unwrap();
    let gone = fs::read_dir(inbox.join("new")).unwrap().chain(fs::read_dir(inbox.join("cur")).unwrap()).flatten();
    let gone = gone.map(|entry| entry.path()).find(|path| fs::read_to_string(path).unwrap().contains("<2@example"));
    fs::remove_file(gone.unwrap()).unwrap();
    client.ok("STORE 1 +FLAGS (\\Flagged)").await;
    let (good, _, shown) = run("mbsync", arguments).await.unwrap();
    assert!(good, "{shown}");
    client.ok("NOOP").await;
    assert_eq!(client.ok("SEARCH HEADER Message-ID 2@example").await, ["* SEARCH"]);
    assert_eq!(client.ok("SEARCH SEEN BODY \"written here\"").await, ["* SEARCH 5"]);
    let flagged = fs::read_dir(inbox.join("cur")).unwrap().flatten();
    assert_eq!(flagged.filter(|entry| entry.file_name().to_string_lossy().contains(":2,F")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_fetches_and_uploads() {
    let node = Node::start().await;
    let mut client = node.inbox(ANN).await;
    client.append("INBOX", b"Subject: one\r\n\r\nfirst\r\n").await;
    let address = format!("imap://127.0.0.1:{}/INBOX", node.address.port());
    let user = vec!["-sS".to_owned(), "-u".to_owned(), format!("{ANN}:secret")];
    let arguments = [user.clone(), vec![format!("{address};MAILINDEX=1")]].concat();
    let Some((good, body, shown)) = run("curl", arguments).await else { return };
    assert!(good && body == b"Subject: one\r\n\r\nfirst\r\n", "{shown} {}", String::from_utf8_lossy(&body));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("message");
    fs::write(&file, "Subject: two\r\n\r\nsecond\r\n").unwrap();
    let upload = [user, vec!["-T".to_owned(), file.display().to_string(), address]].concat();
    let (good, _, shown) = run("curl", upload).await.unwrap();
    assert!(good, "{shown}");
    client.ok("NOOP").await;
    assert_eq!(client.ok("SEARCH SUBJECT two").await, ["* SEARCH 2"]);
}
