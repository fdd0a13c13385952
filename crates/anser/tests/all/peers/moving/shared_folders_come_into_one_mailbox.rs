//! FID-5 against a real Dovecot with a public namespace: whoever sees it, its folders come into the one mailbox that is named for them, and
//! the way back makes none there, nor does its rehearsal say so.

use super::dovecot::Dovecot;
use super::world::{here, login, plan};
use crate::peers::node::PASSWORD;
use crate::peers::tools::wanted;
use crate::world::{Place, done, run};

const ANN: &str = "ann@anser.test";
const BOB: &str = "bob@anser.test";

/// What everybody sees below `Public/`.
const PUBLIC: &str = "namespace public {
  type = public
  separator = /
  prefix = Public/
  location = maildir:@DIR@/mail/public:LAYOUT=fs
  subscriptions = no
}
";

#[test]
fn one_has_them_and_the_others_are_told() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start_with("maildir:~/Maildir:LAYOUT=fs", "/", PUBLIC);
    let mut there = old.login("ann");
    for subject in ["own", "other"] {
        there.append("INBOX", "", format!("Subject: {subject}\r\n\r\nx\r\n").as_bytes()).expect("APPEND");
    }
    there.run("CREATE Public/News").expect("CREATE");
    for number in 1..=3 {
        there.append("Public/News", "", format!("Subject: {number}\r\n\r\nx\r\n").as_bytes()).expect("APPEND");
    }
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "ann", ANN);
    let line = format!("bob\t{BOB}\t{PASSWORD}\n");
    done(run(&dev.folder, &["move", "accounts", "house", "--stdin"], line.as_bytes()));
    let survey = dev.ask(&["move", "survey", "house"]);
    assert!(survey.contains("shared folders are left out") && survey.contains("Public/News"), "{survey}");
    dev.ask(&["move", "start", "house", "--wait"]);
    let has = |address: &str| here(&dev, address).get("Public/News").map(|folder| folder.messages.len());
    assert_eq!((has(ANN), has(BOB)), (None, None));
    let status = dev.ask(&["move", "status", "house"]);
    assert_eq!(status.matches("left out, of other users or shared: 1 folders (Public/News)").count(), 2, "{status}");
    let proof = dev.ask(&["move", "verify", "house"]);
    assert!(proof.contains("Public/News: excluded") && !proof.contains("unexplained"), "{proof}");

    let listed = dev.ask(&["move", "plan", "house", "--shared", BOB]);
    assert!(listed.contains(&format!("shared folders come into {BOB} alone")), "{listed}");
    dev.ask(&["move", "delta", "house", "--wait"]);
    assert_eq!((has(ANN), has(BOB)), (None, Some(3)));
    let proof = dev.ask(&["move", "verify", "house"]);
    assert!(proof.contains("equal 3") && !proof.contains("unexplained"), "{proof}");

    // A folder of that name here is none there: everybody would see it.
    dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
    let rehearsed = || {
        let told = dev.ask(&["--json", "move", "rollback", "house", ANN, "--dry-run"]);
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        ["messages", "moved", "folders"].map(|what| told[0][what].as_u64().expect("a number"))
    };
    let [messages, moved, folders] = rehearsed();
    let mut own = login(&dev, ANN);
    for folder in ["Public/Mine", "Mine"] {
        own.run(&format!("CREATE {folder}")).expect("CREATE");
        own.append(folder, "", b"Subject: mine\r\n\r\nx\r\n").expect("APPEND");
    }
    own.select("INBOX").expect("SELECT");
    own.run("UID MOVE 1 Public/Mine").expect("MOVE");
    own.run("UID MOVE 2 Mine").expect("MOVE");
    assert_eq!(rehearsed(), [messages + 1, moved + 1, folders + 1]);
    dev.ask(&["move", "rollback", "house", ANN, "--wait"]);
    let names = there.run("LIST \"\" \"*\"").expect("LIST");
    let lists = |name: &str| names.iter().any(|line| line.text.trim_matches('"').trim_end().ends_with(name));
    assert!(lists("/\" Mine") && lists("Public/News") && !lists("Public/Mine"), "{names:?}");
    let mut count = |folder: &str| there.run(&format!("STATUS {folder} (MESSAGES)")).expect("STATUS")[0].text.clone();
    assert!(count("INBOX").contains("MESSAGES 1"), "what was moved to where nothing goes stays where it was");
    assert!(count("Mine").contains("MESSAGES 2"));
    assert_eq!(rehearsed(), [0, 0, 0]);
}
