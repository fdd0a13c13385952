//! `anser move notify`: who has not logged in is reminded, in both mailboxes; whose mailbox has moved is told; nobody twice.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use crate::world::{Dev, Place, done, python, run};

/// The letters of the house in somebody's inbox, waited for: so many.
const LETTERS: &str = r#"
import email, email.policy, imaplib, sys
who, wanted = sys.argv[2], int(sys.argv[3])
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login(who, 'wild-goose')
    imap.select('INBOX')
    for _ in range(20000):
        found = imap.search(None, 'HEADER', 'Auto-Submitted', 'auto-generated')[1][0].split()
        if len(found) >= wanted:
            break
        imap.noop()
    for uid in found:
        letter = email.message_from_bytes(imap.fetch(uid, '(BODY.PEEK[])')[1][0][1], policy=email.policy.default)
        print(letter['From'], letter['Subject'], letter.get_content())
"#;

fn letters(dev: &Dev, who: &str, wanted: usize) -> String {
    let told = python(dev, LETTERS, &[who, &wanted.to_string()]);
    assert_eq!(told.matches("postmaster@anser.test").count(), wanted, "{told}");
    told
}

#[test]
fn users_are_reminded_and_told_of_the_success_once_each() {
    let place = Place::new();
    let dev = place.start();
    let imap = dev.port("imap").to_string();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", &imap, "--tls", "starttls-any"]);
    let logins = b"ann@anser.test\tbob@anser.test\twild-goose\n";
    done(run(&dev.folder, &["move", "accounts", "m", "--stdin"], logins));
    let nameless = run(&dev.folder, &["move", "notify", "m", "--reminder"], b"");
    assert!(!nameless.status.success() && String::from_utf8_lossy(&nameless.stderr).contains("organisation"));
    dev.ask(&["move", "survey", "m", "--answer", "support-phone=010-1234", "--answer", "organisation=高能所"]);
    dev.ask(&["move", "start", "m", "--wait"]);

    let remind = ["move", "notify", "m", "--reminder"];
    let both = |state: &str| format!("+ bob@anser.test  new  {state}\n+ bob@anser.test  old  {state}");
    let planned = dev.ask(&[&remind[..], &["--dry-run"]].concat());
    assert!(planned.contains(&both("due")), "{planned}");
    let sent = dev.ask(&remind);
    assert!(sent.contains(&both("sent")), "{sent}");
    let again = dev.ask(&remind);
    assert_eq!((again.matches("  before  ").count(), again.matches("  sent").count()), (2, 0), "{again}");
    let old = letters(&dev, "ann@anser.test", 1);
    assert!(old.contains("请登录新邮件系统") && old.contains("010-1234") && old.contains("bob@anser.test"), "{old}");
    // What the move itself wrote there does not come here as late mail.
    dev.ask(&["move", "delta", "m", "--wait"]);
    assert!(dev.ask(&["move", "status", "m"]).contains("excluded 1"));
    let proof = dev.ask(&["move", "verify", "m"]);
    assert!(proof.contains("excluded") && !proof.contains("unexplained"), "{proof}");
    // The proof looked into the mailbox, its owner did not.
    assert!(dev.ask(&[&remind[..], &["--dry-run"]].concat()).contains("bob"));

    let succeed = ["move", "notify", "m", "--success"];
    assert_eq!(dev.ask(&[&succeed[..], &["--dry-run"]].concat()).matches("bob").count(), 0, "it is not cut over");
    let all = run(&dev.folder, &["move", "cutover", "m", "--state", "settled"], b"");
    assert!(!all.status.success() && String::from_utf8_lossy(&all.stderr).contains("gates are open"), "{all:?}");
    dev.ask(&["move", "cutover", "m", "bob@anser.test", "--wait"]);
    assert!(dev.ask(&succeed).contains("+ bob@anser.test  new  sent"));
    assert!(dev.ask(&succeed).contains("  before  "));
    let new = letters(&dev, "bob@anser.test", 2);
    assert!(new.contains("已迁移完成") && new.contains("请登录新邮件系统") && new.contains("高能所"), "{new}");
    assert_eq!(dev.ask(&[&remind[..], &["--dry-run"]].concat()).matches("bob").count(), 0, "he has logged in");

    // What they complain of, and how they use it.
    let told = dev.ask(&["move", "ticket", "m", "--open", "bob: no signature"]);
    assert!(told.starts_with("! 1  ") && told.contains("bob: no signature"), "{told}");
    assert!(dev.ask(&["move", "cutover", "m", "--check"]).contains("! tickets  open"));
    let told = dev.ask(&["move", "ticket", "m", "--close", "1", "--answer", "it was set"]);
    assert!(told.starts_with("+ 1  ") && told.contains("it was set"), "{told}");
    let papers = place.file("papers");
    dev.ask(&["move", "report", "m", "--documents", &papers.display().to_string()]);
    let visits = std::fs::read_to_string(papers.join("en/13-visits.html")).unwrap();
    assert!(visits.contains("<td>imap</td><td>1</td>") && visits.contains("it was set"), "{visits}");
}

/// Takes one letter as an SMTP server does, and is gone before it answers to all of it; what it took.
fn takes_and_is_gone(stream: TcpStream) -> std::io::Result<String> {
    let (mut out, mut letter, mut is_data) = (stream.try_clone()?, String::new(), false);
    out.write_all(b"220 old.test\r\n")?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        match is_data {
            true if line == "." => break,
            true => letter += &(line + "\n"),
            false if line == "DATA" => {
                is_data = true;
                out.write_all(b"354 go on\r\n")?;
            }
            false => out.write_all(b"250 ok\r\n")?,
        }
    }
    Ok(letter)
}

#[test]
fn a_letter_whose_answer_by_smtp_is_lost_is_told_of_and_not_sent_again() {
    let place = Place::new();
    let dev = place.start();
    let old = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let relay = format!("127.0.0.1:{}", old.local_addr().unwrap().port());
    let (took, taken) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in old.incoming().flatten() {
            let _ = took.send(takes_and_is_gone(stream).unwrap_or_default());
        }
    });
    let pop3 = dev.port("pop3").to_string();
    let plan = ["move", "plan", "m", "--kind", "pop3", "--host", "127.0.0.1", "--port", &pop3, "--tls", "starttls-any"];
    dev.ask(&[&plan[..], &["--relay", &relay]].concat());
    done(run(&dev.folder, &["move", "accounts", "m", "--stdin"], b"ann@anser.test\tbob@anser.test\twild-goose\n"));
    dev.ask(&["move", "survey", "m", "--answer", "organisation=Old House"]);
    let remind = ["move", "notify", "m", "--reminder"];
    for _ in 0..2 {
        let told = String::from_utf8_lossy(&run(&dev.folder, &remind, b"").stdout).into_owned();
        assert!(told.contains("bob@anser.test  old  unsure"), "{told}");
    }
    let letter = taken.recv().unwrap();
    assert!(letter.contains("To: bob@anser.test"), "{letter}");
    assert!(taken.try_recv().is_err(), "it was handed over once");
}
