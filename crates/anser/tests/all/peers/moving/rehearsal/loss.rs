//! Messages that are dropped on purpose, behind the server's back.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::peers::tools::run as run_program;
use crate::world::{Dev, run};

/// Drops three, two and two of the inboxes of a user of each server, some of them out of the ledger too. What was there is kept beside it.
const DROP: &str = r#"
import glob, sqlite3, sys
house = sqlite3.connect(sys.argv[1] + "/server.db")
for login, count in (("u3", 3), ("u4", 2), ("u5", 2)):
    (own,) = house.execute("SELECT id FROM dir_accounts WHERE address = ?", (login + "@anser.test",)).fetchone()
    (path,) = glob.glob(f"{sys.argv[1]}/accounts/*/{own}/mail.db")
    db = sqlite3.connect(path)
    db.execute("VACUUM INTO ?", (path + ".kept",))
    rows = db.execute(
        "SELECT ledger.account, ledger.source, ledger.folder, ledger.key, ledger.mailbox, ledger.uid FROM ledger "
        "JOIN moved_folder USING (account, source, folder) WHERE ledger.state = 0 AND upper(CAST(name AS TEXT)) = 'INBOX' "
        "ORDER BY uid LIMIT ?", (count,)).fetchall()
    for at, (account, source, folder, key, mailbox, uid) in enumerate(rows):
        gone = db.execute("DELETE FROM entry WHERE account = ? AND mailbox = ? AND uid = ?", (account, mailbox, uid))
        assert gone.rowcount == 1
        if at > 0:
            db.execute("DELETE FROM ledger WHERE account = ? AND source = ? AND folder = ? AND key = ?", (account, source, folder, key))
        print(login, uid)
    db.execute("DELETE FROM block")
    db.commit()
"#;

/// Puts back what was kept.
const PUT_RIGHT: &str = r#"
import glob, os, sys
kept = glob.glob(sys.argv[1] + "/accounts/*/*/mail.db.kept")
assert len(kept) == 3
for path in kept:
    for rest in ("-wal", "-shm"):
        if os.path.exists(path.removesuffix(".kept") + rest):
            os.remove(path.removesuffix(".kept") + rest)
    os.replace(path, path.removesuffix(".kept"))
"#;

/// Messages, each by its owner's login and the UID in his inbox.
pub type Messages = BTreeSet<(String, u64)>;

fn python(script: &str, folder: &Path) -> Vec<u8> {
    run_program(Command::new("python3").args(["-c", script]).arg(folder))
}

/// Drops seven messages. The server stands still.
pub fn drop_seven(folder: &Path) -> Messages {
    let told = python(DROP, folder);
    let pairs = String::from_utf8_lossy(&told).into_owned();
    let pair = |line: &str| line.split_once(' ').map(|(login, uid)| (login.to_owned(), uid.parse().expect("a UID")));
    let dropped: Messages = pairs.lines().filter_map(pair).collect();
    assert_eq!(dropped.len(), 7, "{dropped:?}");
    dropped
}

/// Brings them back, as from a snapshot of the disk. The server stands still.
pub fn put_right(folder: &Path) {
    python(PUT_RIGHT, folder);
}

/// What a proof finds that nobody explains.
pub fn unexplained(dev: &Dev) -> Messages {
    let found = run(&dev.folder, &["--json", "move", "verify", "house"], b"");
    assert!(!found.status.success(), "something is unexplained");
    let proofs: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    let mut all = Messages::new();
    for proof in proofs.as_array().expect("proofs").iter().filter(|proof| proof["login"].is_string()) {
        let differences = proof["differences"].as_array().expect("differences").iter();
        for one in differences.filter(|one| one["class"] == "unexplained") {
            assert_eq!(one["folder"], "INBOX", "{one}");
            all.insert((proof["login"].as_str().unwrap().to_owned(), one["uid"].as_u64().unwrap()));
        }
    }
    all
}
